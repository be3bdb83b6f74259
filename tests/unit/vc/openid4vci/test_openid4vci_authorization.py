"""Pushed requests, the authorization request, its response, PKCE: VCI-AUTHZ-1 to -10, VCI-DPOP-5, RFC 9126, RFC 9207."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.openid4vci import authorization, pkce
from vc.openid4vci.authorization import (
    REQUEST_URI_PREFIX,
    AuthorizationRequest,
    PushedResponse,
    authorize_url,
    bound_key,
    challenge_of,
    create_pushed,
    make_verifier,
    parse_authorize,
    parse_pushed,
    parse_pushed_response,
    parse_response,
    parse_scope,
    pushed_response,
    response_url,
)
from vc.openid4vci.errors import Endpoint, ProtocolError, translate

ISSUER = "https://issuer.test/fr"
CALLBACK = "https://wallet.test/cb"
SCOPES = {"scope-a": "a", "scope-b": "b", "scope-c": "c"}
VERIFIER = "v" * 43
CHALLENGE = challenge_of(VERIFIER)
JKT = "k" * 43
DETAILS = "/authorization_details"


def form(**changes: Any) -> dict[str, str]:
    made = create_pushed(client_id="wallet", redirect_uri=CALLBACK, code_challenge=CHALLENGE, state="s", scopes=["scope-a"])
    return {name: member for name, member in {**made, **changes}.items() if member is not ...}


def details(*names: str, **more: Any) -> str:
    return json.dumps([{"type": "openid_credential", "credential_configuration_id": name, **more} for name in names]).decode()


def pushed(values: dict[str, str]) -> AuthorizationRequest:
    return parse_pushed(values, credential_issuer=ISSUER, scopes=SCOPES)


# --- PKCE ---


def test_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    octets = bytes.fromhex("741892d1a6a4ff0a96f5b3b3e6a39f3c1d3b1d1f0fbf1e9d2e6cbd8a31a0f9d2")
    assert len(make_verifier(lambda count: octets[:count])) == 43
    pkce.verify(verifier, challenge_of(verifier))


@pytest.mark.parametrize("verifier", ["", "v" * 42, "v" * 129, "v" * 42 + "ü", "v" * 42 + " ", "v" * 43 + "\n", "w" * 43])
def test_vci_authz_5_another_verifier_is_an_invalid_grant(verifier: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        pkce.verify(verifier, CHALLENGE)
    assert translate(Endpoint.TOKEN, caught.value).error == "invalid_grant"


def test_a_text_that_is_no_verifier_has_no_challenge() -> None:
    with pytest.raises(Malformed, match="pkce_verifier"):
        challenge_of("short")


# --- pushed request ---


def test_vci_authz_1_2_what_a_wallet_pushes_a_server_reads() -> None:
    made = create_pushed(
        client_id="wallet",
        redirect_uri=CALLBACK,
        code_challenge=CHALLENGE,
        state="s",
        scopes=["scope-a", "scope-b"],
        configuration_ids=["b", "c"],
        issuer_state="offer",
        location=ISSUER,
        dpop_jkt=JKT,
    )
    assert json.loads(made["authorization_details"])[0]["locations"] == [ISSUER]
    assert pushed(made) == AuthorizationRequest(
        client_id="wallet",
        redirect_uri=CALLBACK,
        code_challenge=CHALLENGE,
        state="s",
        scopes=("scope-a", "scope-b"),
        configuration_ids_by_details=("b", "c"),
        configuration_ids=("b", "c", "a"),
        issuer_state="offer",
        resource=ISSUER,
        dpop_jkt=JKT,
    )


def test_a_wallet_that_asks_by_scope_or_by_details_alone() -> None:
    by_scope = form()
    assert "authorization_details" not in by_scope
    assert "resource" not in by_scope
    found = pushed(by_scope)
    assert (found.configuration_ids, found.configuration_ids_by_details) == (("a",), None)
    by_details = create_pushed(
        client_id="wallet", redirect_uri=CALLBACK, code_challenge=CHALLENGE, state="s", configuration_ids=["a"], location=ISSUER
    )
    assert "scope" not in by_details
    assert "resource" not in by_details
    assert pushed(by_details).configuration_ids_by_details == ("a",)


@pytest.mark.parametrize(
    ("name", "changes", "asked"),
    [
        ("unknown scopes are ignored", {"scope": "openid scope-b unknown scope-b"}, ("b",)),
        ("junk", {"future": "x", "nonce": "x", "prompt": "login", "claims": "{}"}, ("a",)),
        ("empty counts as absent", {"issuer_state": "", "resource": "", "dpop_jkt": "", "authorization_details": ""}, ("a",)),
        ("no state", {"state": ...}, ("a",)),
        ("query mode", {"response_mode": "query"}, ("a",)),
        ("both name one: it counts once", {"authorization_details": details("a")}, ("a",)),
        ("unknown scope beside details", {"scope": "unknown", "authorization_details": details("c")}, ("c",)),
        ("junk in details", {"authorization_details": details("b", future=1)}, ("b", "a")),
        ("our location", {"authorization_details": details("b", locations=[ISSUER])}, ("b", "a")),
    ],
)
def test_vci_authz_2_3_8_requests_that_are_read(name: str, changes: dict[str, Any], asked: tuple[str, ...]) -> None:
    assert pushed(form(**changes)).configuration_ids == asked, name


@pytest.mark.parametrize(
    ("name", "changes", "error", "pointer"),
    [
        ("request_uri", {"request_uri": "urn:x"}, "invalid_request", "/request_uri"),
        ("empty request_uri", {"request_uri": ""}, "invalid_request", "/request_uri"),
        ("request object", {"request": "a.b.c"}, "invalid_request", "/request"),
        ("no response_type", {"response_type": ...}, "invalid_request", "/response_type"),
        ("token", {"response_type": "token"}, "unsupported_response_type", "/response_type"),
        ("code and token", {"response_type": "code token"}, "unsupported_response_type", "/response_type"),
        ("fragment mode", {"response_mode": "fragment"}, "invalid_request", "/response_mode"),
        ("form mode", {"response_mode": "form_post"}, "invalid_request", "/response_mode"),
        ("no client_id", {"client_id": ...}, "invalid_request", "/client_id"),
        ("client_id empty", {"client_id": ""}, "invalid_request", "/client_id"),
        ("client_id endless", {"client_id": "c" * 2049}, "invalid_request", "/client_id"),
        ("client_id not visible", {"client_id": "c\x7f"}, "invalid_request", "/client_id"),
        ("client_id of other letters", {"client_id": "wället"}, "invalid_request", "/client_id"),
        ("no redirect_uri", {"redirect_uri": ...}, "invalid_request", "/redirect_uri"),
        ("redirect to a script", {"redirect_uri": "javascript:/x"}, "invalid_request", "/redirect_uri"),
        ("redirect by http", {"redirect_uri": "http://wallet.test/cb"}, "invalid_request", "/redirect_uri"),
        ("no challenge", {"code_challenge": ...}, "invalid_request", "/code_challenge"),
        ("no method", {"code_challenge_method": ...}, "invalid_request", "/code_challenge_method"),
        ("plain", {"code_challenge_method": "plain"}, "invalid_request", "/code_challenge_method"),
        ("s256", {"code_challenge_method": "s256"}, "invalid_request", "/code_challenge_method"),
        ("short challenge", {"code_challenge": "c" * 42}, "invalid_request", "/code_challenge"),
        ("long challenge", {"code_challenge": "c" * 44}, "invalid_request", "/code_challenge"),
        ("padded challenge", {"code_challenge": "c" * 42 + "="}, "invalid_request", "/code_challenge"),
        ("nothing asked for", {"scope": ...}, "invalid_scope", ""),
        ("unknown scope", {"scope": "openid unknown"}, "invalid_scope", ""),
        ("two blanks", {"scope": "scope-a  scope-b"}, "invalid_scope", "/scope"),
        ("quote in scope", {"scope": 'scope-a "'}, "invalid_scope", "/scope"),
        ("details no JSON", {"authorization_details": "x"}, "invalid_authorization_details", DETAILS),
        ("details endless", {"authorization_details": "[" + " " * 70_000}, "invalid_authorization_details", DETAILS),
        ("details empty", {"authorization_details": "[]"}, "invalid_authorization_details", DETAILS),
        ("too many", {"authorization_details": details(*["a"] * 33)}, "invalid_authorization_details", DETAILS),
        (
            "details of another type",
            {"authorization_details": '[{"type":"payment"}]'},
            "invalid_authorization_details",
            "/authorization_details/0/type",
        ),
        (
            "location elsewhere",
            {"authorization_details": details("a", locations=["https://other.test"])},
            "invalid_authorization_details",
            "/authorization_details/0/locations",
        ),
        ("unknown configuration", {"authorization_details": details("x")}, "invalid_authorization_details", DETAILS),
        ("one of two unknown", {"authorization_details": details("a", "x")}, "invalid_authorization_details", DETAILS),
        ("jkt too short", {"dpop_jkt": "k"}, "invalid_dpop_proof", "/dpop_jkt"),
        ("state with a line break", {"state": "s\r\n"}, "invalid_request", "/state"),
        ("state endless", {"state": "s" * 2049}, "invalid_request", "/state"),
        ("issuer_state endless", {"issuer_state": "s" * 2049}, "invalid_request", "/issuer_state"),
    ],
)  # fmt: skip
def test_vci_authz_1_2_5_9_a_pushed_request_with_one_fault_is_refused(
    name: str, changes: dict[str, Any], error: str, pointer: str
) -> None:
    with pytest.raises(VcError) as caught:
        pushed(form(**changes))
    assert (translate(Endpoint.PAR, caught.value).error, caught.value.pointer) == (error, pointer), name


def test_vci_authz_3_another_resource_is_refused() -> None:
    assert pushed(form(resource=ISSUER)).resource == ISSUER
    with pytest.raises(Refused) as caught:
        pushed(form(resource="https://other.test"))
    assert translate(Endpoint.PAR, caught.value).error == "invalid_target"


def test_scope_lists() -> None:
    assert parse_scope(None) == ()
    assert parse_scope("b a b") == ("b", "a")
    for text in ("", " ", " a", "a ", "a\tb", "a\\b", "ü"):
        with pytest.raises(Malformed, match="scope_form"):
            parse_scope(text)


def test_vci_dpop_5_the_key_a_code_is_bound_to() -> None:
    without, bound = pushed(form()), pushed(form(dpop_jkt=JKT))
    assert bound_key(without, None) is None
    assert bound_key(without, JKT) == JKT
    assert bound_key(bound, None) == JKT
    assert bound_key(bound, JKT) == JKT
    with pytest.raises(VerificationFailed, match="dpop_key"):
        bound_key(bound, "o" * 43)


def test_secrets_do_not_show_in_a_representation() -> None:
    assert "hidden" not in repr(pushed(form(state="hidden", issuer_state="hidden")))


# --- pushed response ---


def test_vci_authz_4_the_pushed_response_and_its_reading() -> None:
    body = pushed_response(REQUEST_URI_PREFIX + "abc", 90)
    assert body == {"request_uri": REQUEST_URI_PREFIX + "abc", "expires_in": 90}
    assert parse_pushed_response({**body, "future": 1}) == PushedResponse(request_uri=REQUEST_URI_PREFIX + "abc", expires_in=90)


@pytest.mark.parametrize(
    ("request_uri", "expires_in"),
    [
        (REQUEST_URI_PREFIX + "abc", 0),
        (REQUEST_URI_PREFIX + "abc", 600),
        ("https://issuer.test/r", 90),
        (REQUEST_URI_PREFIX, 90),
        (REQUEST_URI_PREFIX + "a/b", 90),
    ],
)
def test_vci_authz_4_a_reference_that_lives_long_or_is_none_is_not_given_out(request_uri: str, expires_in: int) -> None:
    with pytest.raises(ValueError, match="request_uri"):
        pushed_response(request_uri, expires_in)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"request_uri": "urn:x"},
        {"expires_in": 90},
        {"request_uri": "", "expires_in": 90},
        {"request_uri": "urn:x", "expires_in": 0},
        {"request_uri": "urn:x", "expires_in": "90"},
        {"request_uri": "urn:\r\n", "expires_in": 90},
        {"request_uri": "u" * 2049, "expires_in": 90},
    ],
)
def test_a_pushed_response_that_is_none_stops_the_wallet(value: object) -> None:
    with pytest.raises(Malformed, match="pushed_response"):
        parse_pushed_response(value)


# --- authorization request ---

URI = REQUEST_URI_PREFIX + "abc-._~1"


@pytest.mark.parametrize("endpoint", ["https://issuer.test/authorize", "https://issuer.test/authorize?tenant=fr"])
def test_vci_authz_4_the_address_a_wallet_opens_is_read(endpoint: str) -> None:
    url = authorize_url(endpoint, client_id="https://wallet.test/?a&b", request_uri=URI)
    assert url.startswith(endpoint)
    assert parse_authorize(parse_qsl(urlsplit(url).query)) == ("https://wallet.test/?a&b", URI)


def test_what_else_an_authorization_request_says_does_not_count() -> None:
    query = [("redirect_uri", "https://evil.test"), ("client_id", "c"), ("scope", "x"), ("request_uri", URI), ("state", "s")]
    assert parse_authorize(query) == ("c", URI)


@pytest.mark.parametrize(
    ("name", "query", "error"),
    [
        ("nothing", [], "invalid_request"),
        (
            "not pushed",
            [("client_id", "c"), ("response_type", "code"), ("redirect_uri", CALLBACK), ("code_challenge", CHALLENGE)],
            "invalid_request",
        ),
        ("client twice", [("client_id", "c"), ("client_id", "d"), ("request_uri", URI)], "invalid_request"),
        ("reference twice", [("client_id", "c"), ("request_uri", URI), ("request_uri", URI)], "invalid_request"),
        ("junk twice", [("client_id", "c"), ("request_uri", URI), ("x", "1"), ("x", "2")], "invalid_request"),
        ("request object", [("client_id", "c"), ("request_uri", URI), ("request", "a.b.c")], "invalid_request"),
        ("request object empty", [("client_id", "c"), ("request_uri", URI), ("request", "")], "invalid_request"),
        ("no client", [("request_uri", URI)], "invalid_request"),
        ("client empty", [("client_id", ""), ("request_uri", URI)], "invalid_request"),
        ("reference empty", [("client_id", "c"), ("request_uri", "")], "invalid_request"),
        ("reference not visible", [("client_id", "c"), ("request_uri", URI + "\n")], "invalid_request"),
        ("foreign", [("client_id", "c"), ("request_uri", "https://evil.test/request.jwt")], "invalid_request_uri"),
        ("prefix alone", [("client_id", "c"), ("request_uri", REQUEST_URI_PREFIX)], "invalid_request_uri"),
        ("path in it", [("client_id", "c"), ("request_uri", REQUEST_URI_PREFIX + "../x")], "invalid_request_uri"),
        ("endless", [("client_id", "c"), ("request_uri", REQUEST_URI_PREFIX + "a" * 129)], "invalid_request_uri"),
        ("upper case prefix", [("client_id", "c"), ("request_uri", URI.upper())], "invalid_request_uri"),
    ],
)
def test_vci_authz_4_7_9_an_authorization_request_with_one_fault_is_refused(
    name: str, query: list[tuple[str, str]], error: str
) -> None:
    with pytest.raises(VcError) as caught:
        parse_authorize(query)
    assert translate(Endpoint.AUTHORIZE, caught.value).error == error, name


# --- authorization response ---


@pytest.mark.parametrize(
    ("redirect_uri", "expected"),
    [
        (CALLBACK, CALLBACK + "?code=c&state=s%20%26&iss=https%3A%2F%2Fissuer.test%2Ffr"),
        (CALLBACK + "?", CALLBACK + "?code=c&state=s%20%26&iss=https%3A%2F%2Fissuer.test%2Ffr"),
        (CALLBACK + "?x=1", CALLBACK + "?x=1&code=c&state=s%20%26&iss=https%3A%2F%2Fissuer.test%2Ffr"),
        (CALLBACK + "?x=1&", CALLBACK + "?x=1&code=c&state=s%20%26&iss=https%3A%2F%2Fissuer.test%2Ffr"),
        ("eu.example.wallet:/cb", "eu.example.wallet:/cb?code=c&state=s%20%26&iss=https%3A%2F%2Fissuer.test%2Ffr"),
    ],
)
def test_vci_authz_6_the_response_and_its_reading(redirect_uri: str, expected: str) -> None:
    url = response_url(redirect_uri, code="c", state="s &", iss=ISSUER)
    assert url == expected
    assert parse_response(url, redirect_uri=redirect_uri, state="s &", issuer=ISSUER) == "c"


def test_an_error_is_told_with_issuer_and_state_and_nothing_of_ours_breaks_out() -> None:
    url = response_url(CALLBACK, error="access_denied", description='no "match"\r\nfor é', state="s", iss=ISSUER)
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "error": "access_denied",
        "error_description": "no 'match'''for '",
        "state": "s",
        "iss": ISSUER,
    }
    with pytest.raises(ProtocolError) as caught:
        parse_response(url, redirect_uri=CALLBACK, state="s", issuer=ISSUER)
    assert (caught.value.error, caught.value.description) == ("access_denied", "no 'match'''for '")
    assert "state" not in response_url(CALLBACK, error="server_error", iss=ISSUER)
    assert "error_description" not in response_url(CALLBACK, code="c", description="x", iss=ISSUER)


def test_a_response_is_a_code_or_an_error_and_goes_to_no_other_place() -> None:
    for given_ in ({}, {"code": "c", "error": "e"}):
        with pytest.raises(ValueError, match="exactly one"):
            response_url(CALLBACK, iss=ISSUER, **given_)
    with pytest.raises(Refused, match="redirect_uri_scheme"):
        response_url("javascript:/x", iss=ISSUER, code="c")


ANSWER = CALLBACK + "?code=c&state=s&iss=" + ISSUER


@pytest.mark.parametrize(
    ("name", "url", "code"),
    [
        ("no state", CALLBACK + "?code=c&iss=" + ISSUER, "authorization_state"),
        ("another state", CALLBACK + "?code=c&state=t&iss=" + ISSUER, "authorization_state"),
        ("state of other letters", CALLBACK + "?code=c&state=%C3%BC&iss=" + ISSUER, "authorization_state"),
        ("an error with another state", CALLBACK + "?error=x&state=t&iss=" + ISSUER, "authorization_state"),
        ("no iss", CALLBACK + "?code=c&state=s", "authorization_mix_up"),
        ("another iss", CALLBACK + "?code=c&state=s&iss=https://evil.test", "authorization_mix_up"),
        ("iss with a slash more", ANSWER + "/", "authorization_mix_up"),
        ("an error without iss", CALLBACK + "?error=x&state=s", "authorization_mix_up"),
        ("another path", "https://wallet.test/other?code=c&state=s&iss=" + ISSUER, "authorization_redirect"),
        ("another host", "https://evil.test/cb?code=c&state=s&iss=" + ISSUER, "authorization_redirect"),
        ("longer path", CALLBACK + "/x?code=c&state=s&iss=" + ISSUER, "authorization_redirect"),
        ("no query", CALLBACK, "authorization_redirect"),
        ("in the fragment", CALLBACK + "#code=c&state=s&iss=" + ISSUER, "authorization_redirect"),
        ("code twice", ANSWER + "&code=d", "authorization_response"),
        ("iss twice", ANSWER + "&iss=https://evil.test", "authorization_response"),
        ("state twice", ANSWER + "&state=t", "authorization_response"),
        ("no code", CALLBACK + "?state=s&iss=" + ISSUER, "authorization_response"),
        ("code empty", CALLBACK + "?code=&state=s&iss=" + ISSUER, "authorization_response"),
        ("code endless", CALLBACK + f"?code={'c' * 1025}&state=s&iss=" + ISSUER, "authorization_response"),
        ("endless", ANSWER + "&x=" + "x" * 8192, "authorization_response"),
        ("many parameters", ANSWER + "".join(f"&x{n}=1" for n in range(20)), "authorization_response"),
        ("no query at all", CALLBACK + "?x", "authorization_response"),
        ("not text", CALLBACK + "?code=%ff&state=s&iss=" + ISSUER, "authorization_response"),
    ],
)
def test_rfc_9207_vci_authz_6_a_response_with_one_fault_stops_the_wallet(name: str, url: str, code: str) -> None:
    with pytest.raises((Malformed, VerificationFailed)) as caught:
        parse_response(url, redirect_uri=CALLBACK, state="s", issuer=ISSUER)
    assert caught.value.code == code, name


def test_a_response_with_junk_is_read() -> None:
    assert parse_response(ANSWER + "&session_state=x#frag", redirect_uri=CALLBACK, state="s", issuer=ISSUER) == "c"


NAMES = st.sampled_from(["response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method", "scope", "state",
                         "authorization_details", "resource", "dpop_jkt", "request", "request_uri", "issuer_state"])  # fmt: skip
VALUES = st.text(max_size=20) | st.sampled_from(
    ["code", CALLBACK, CHALLENGE, "S256", "scope-a", details("a"), "[[]]", "[{}]", "null"]
)


@given(st.dictionaries(NAMES, VALUES))
def test_any_form_gives_a_request_or_our_error(values: dict[str, str]) -> None:
    for one in (values, {**form(), **values}):
        try:
            assert pushed(one).configuration_ids
        except VcError:
            continue


@given(st.lists(st.tuples(NAMES, VALUES | st.just(URI)), max_size=4))
def test_any_query_gives_a_request_or_our_error(query: list[tuple[str, str]]) -> None:
    try:
        assert parse_authorize(query)[1] == URI
    except VcError:
        return


@given(st.text(max_size=60))
def test_any_address_gives_a_code_or_our_error(rest: str) -> None:
    for url in (rest, CALLBACK + "?" + rest, ANSWER + rest):
        try:
            assert parse_response(url, redirect_uri=CALLBACK, state="s", issuer=ISSUER)
        except VcError:
            continue


def test_the_names_of_the_contract_are_here() -> None:
    assert all(hasattr(authorization, name) for name in authorization.__all__)
