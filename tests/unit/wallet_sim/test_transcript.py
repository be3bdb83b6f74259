"""The transcript: every message is there, none of its names, numbers, tokens or keys (SECURITY W-7)."""

from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.outbound import Fetched, FetchLimits, Outbound
from tests.support.internet import Internet, json_answer
from tests.support.pki import NOW, holder
from vc.encoding import json
from vc.errors import Malformed, Unreachable
from vc.jose import jws
from wallet_sim import redaction
from wallet_sim.transcript import Transcript, Wire, json_object

JWT = jws.sign({"typ": "kb+jwt"}, json.dumps({"nonce": "secret-nonce", "family_name": "Doe"}), holder())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://verifier.example/oid4vp/AbCdEfGhIjKlMnOpQrSt/request", "https://verifier.example/oid4vp/…/request"),
        ("https://user:pass@x.example:8/a?code=secret&b=", "https://x.example:8/a?code=…&b=…"),
        ("https://x.example/.well-known/openid-credential-issuer/a", "https://x.example/.well-known/openid-credential-issuer/a"),
        ("https://[broken", "…"),
        ("openid4vp://?client_id=x", "openid4vp://?client_id=…"),
        ("urn:ietf:params:oauth:request_uri:abc", "urn:ietf:params:oauth:request_uri:…"),
        ("eu.portadoc.wallet:/authorized?code=c&iss=i", "eu.portadoc.wallet:/authorized?code=…&iss=…"),
    ],
)
def test_addresses_lose_what_opens_something(text: str, shown: str) -> None:
    assert redaction.url(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"family_name": "Doe", "error": "invalid_proof", "n": 7, "expires_in": 300, "x": None, "b": True},
         {"family_name": "<3 characters>", "error": "invalid_proof", "n": "<number>", "expires_in": 300, "x": None, "b": True}),
        ({"claims": [{"path": ["family_name", None, 1], "values": ["Doe", 5]}]},
         {"claims": [{"path": ["family_name", None, 1], "values": ["<3 characters>", "<number>"]}]}),
        ({"redirect_uri": "https://v.example/done?response_code=secret"}, {"redirect_uri": "https://v.example/done?response_code=…"}),
        (JWT, {"jwt": {"alg": "ES256", "typ": "kb+jwt", "header": ["alg", "typ"]}, "claims": ["family_name", "nonce"]}),
        (f"{JWT}~abc~{JWT}", {"sd_jwt": {"alg": "ES256", "typ": "kb+jwt", "header": ["alg", "typ"]}, "disclosures": 1,
                              "key_binding": True}),
        (f"{JWT.split('.')[0]}.a.b.c.d", {"jwe": {"alg": "ES256", "typ": "kb+jwt", "header": ["alg", "typ"]}}),
        ("e30.x", "<5 characters>"),
    ],
)  # fmt: skip
def test_values_keep_their_shape_only(value: Any, shown: Any) -> None:
    assert redaction.value(value) == shown


def test_what_is_nested_too_deep_is_cut() -> None:
    value: Any = "Doe"
    for _ in range(40):
        value = {"a": value}
    assert "Doe" not in repr(redaction.value(value))
    assert "…" in repr(redaction.value(value))


@pytest.mark.parametrize(
    ("content_type", "data", "shown"),
    [
        ("application/json; charset=utf-8", b'{"c_nonce":"abc"}', {"c_nonce": "<3 characters>"}),
        ("application/problem+json", b'{"title":"x"}', {"title": "<1 characters>"}),
        ("application/json", b"not json", "<8 octets that are not JSON>"),
        ("application/x-www-form-urlencoded", b"grant_type=g&code=secret&vp_token=%7B%22pid%22%3A%5B%22x%22%5D%7D&j=%7Bx",
         {"grant_type": "g", "code": "<6 characters>", "vp_token": {"pid": ["<1 characters>"]}, "j": "<2 characters>"}),
        ("text/html", b"<h1>Doe</h1>", "<12 characters>"),
        ("image/png", b"\xff\xfe", "<2 octets>"),
        ("", b"", None),
    ],
)  # fmt: skip
def test_bodies_are_read_by_their_type(content_type: str, data: bytes, shown: Any) -> None:
    assert redaction.body(content_type, data) == shown


SECRET = "Zz9Secret"


@given(
    st.recursive(
        st.just(SECRET),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "sub", "jwk", "d", "vp_token"]), inner, max_size=2)
        ),
        max_leaves=6,
    )
)
def test_no_text_outside_the_protocols_words_survives(value: Any) -> None:
    assert SECRET not in repr(redaction.value(value))


def wire(answer: Any) -> tuple[Wire, Internet]:
    internet = Internet()
    internet.function("x.example", answer)
    return Wire(Outbound(FetchLimits(), transport=internet), Transcript(lambda: NOW)), internet


def test_every_exchange_is_recorded_with_its_answer() -> None:
    made, _ = wire(lambda _: json_answer({"error": "invalid_nonce", "sub": "Doe"}, 400, cache_control="no-store"))
    made.get("https://x.example/a", headers={"Accept": "application/json", "Authorization": "DPoP secret"})
    made.post("https://x.example/b", form={"tx_code": "1234"})
    made.post("https://x.example/c", body={"proofs": {"jwt": [JWT]}})
    made.transcript.note("consent", given=True)
    got, form, body, note = made.transcript.to_json()
    assert got["request"] == {
        "method": "GET", "url": "https://x.example/a", "body": None,
        "headers": {"accept": "application/json", "authorization": "DPoP …"},
    }  # fmt: skip
    assert got["answer"]["status"] == 400
    assert got["answer"]["body"] == {"error": "invalid_nonce", "sub": "<3 characters>"}
    assert got["answer"]["headers"]["cache-control"] == "no-store"
    assert form["request"]["body"] == {"tx_code": "<4 characters>"}
    assert body["request"]["body"]["proofs"]["jwt"][0]["claims"] == ["family_name", "nonce"]
    assert note == {"n": 4, "at": "2026-11-24T12:00:00Z", "kind": "note", "what": "consent", "given": True}
    assert "secret" not in repr(made.transcript.to_json())


@pytest.mark.parametrize(
    "send", [lambda made: made.get("https://gone.example/"), lambda made: made.post("https://gone.example/", form={})]
)
def test_what_could_not_be_asked_is_recorded_too(send: Any) -> None:
    made, _ = wire(lambda _: httpx2.Response(200))
    with pytest.raises(Unreachable):
        send(made)
    assert made.transcript.to_json()[0]["answer"] == {"error": "unreachable"}


def test_headers_that_open_something_show_their_shape_only() -> None:
    made, _ = wire(lambda _: json_answer({}, dpop_nonce="secret-nonce", oauth_client_attestation_challenge="secret-challenge"))
    made.post("https://x.example/", token=f"{JWT.split('.')[0]}.a.b.c.d", headers={"DPoP": JWT, "OAuth-Client-Attestation": JWT})
    (entry,) = made.transcript.to_json()
    assert entry["request"]["headers"]["dpop"]["claims"] == ["family_name", "nonce"]
    assert entry["request"]["headers"]["oauth-client-attestation"]["jwt"]["typ"] == "kb+jwt"
    assert entry["request"]["headers"]["content-type"] == "application/jwt"
    assert "jwe" in entry["request"]["body"]
    assert entry["answer"]["headers"]["dpop-nonce"] == "<12 characters>"
    assert "secret" not in repr(entry)
    assert "Doe" not in repr(entry)


def test_addresses_in_headers_are_redacted() -> None:
    made, _ = wire(lambda _: httpx2.Response(302, headers={"location": "https://evil.example/?code=secret"}))
    assert made.get("https://x.example/").status == 302
    assert made.transcript.to_json()[0]["answer"]["headers"] == {"location": "https://evil.example/?code=…"}


def fetched(content_type: str, body: bytes) -> Fetched:
    return Fetched(status=200, headers={"content-type": content_type}, body=body, url="https://x.example/")


def test_json_answers_are_strict() -> None:
    assert json_object(fetched("application/json", b'{"a":1}'), what="token") == {"a": 1}
    with pytest.raises(Unreachable, match="content_type"):
        json_object(fetched("text/html", b"{}"), what="token")
    with pytest.raises(Malformed, match="json_duplicate_member"):
        json_object(fetched("application/json", b'{"a":1,"a":2}'), what="token")


def test_a_token_whose_content_is_no_object_has_no_claims() -> None:
    header = JWT.split(".", maxsplit=1)[0]
    assert redaction.value(f"{header}.YQ.c2ln") == {
        "jwt": {"alg": "ES256", "typ": "kb+jwt", "header": ["alg", "typ"]},
        "claims": [],
    }
