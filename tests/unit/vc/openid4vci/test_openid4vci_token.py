"""Authorization code and refresh token at the token endpoint: VCI-TOK-8, -10, VCI-AUTHZ-5, RFC 6749 §4.1.3 and §6."""

from typing import Any

import pytest

from vc.encoding import json
from vc.errors import Malformed, VcError, VerificationFailed
from vc.openid4vci import token
from vc.openid4vci.errors import Endpoint, translate
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED
from vc.openid4vci.pkce import challenge_of
from vc.openid4vci.token import GRANTS, REFRESH_TOKEN, AuthorizationCodeTokenRequest, RefreshTokenRequest

ISSUER = "https://issuer.test/fr"
CALLBACK = "https://wallet.test/cb"
VERIFIER = "v" * 43


def by_code(**changes: Any) -> dict[str, str]:
    made = token.create_authorization_code_request(code="code", redirect_uri=CALLBACK, code_verifier=VERIFIER)
    return {name: member for name, member in {**made, **changes}.items() if member is not ...}


def by_refresh(**changes: Any) -> dict[str, str]:
    made = token.create_refresh_request(refresh_token="refresh")
    return {name: member for name, member in {**made, **changes}.items() if member is not ...}


def read(form: dict[str, str]) -> token.TokenRequest:
    return token.parse_request(form, credential_issuer=ISSUER, grants=GRANTS)


def test_what_a_wallet_sends_a_server_reads() -> None:
    made = token.create_authorization_code_request(
        code="code", redirect_uri=CALLBACK, code_verifier=VERIFIER, client_id="wallet", configuration_ids=["a"]
    )
    assert read(made) == AuthorizationCodeTokenRequest(
        code="code", redirect_uri=CALLBACK, code_verifier=VERIFIER, client_id="wallet", configuration_ids=("a",)
    )
    least = read(by_code())
    assert isinstance(least, AuthorizationCodeTokenRequest)
    assert (least.client_id, least.configuration_ids) == (None, None)
    made = token.create_refresh_request(
        refresh_token="refresh", client_id="wallet", scopes=["x", "y"], configuration_ids=["a", "b"]
    )
    assert read(made) == RefreshTokenRequest(
        refresh_token="refresh", client_id="wallet", scopes=("x", "y"), configuration_ids=("a", "b")
    )
    assert read(by_refresh()) == RefreshTokenRequest(refresh_token="refresh", client_id=None, scopes=None, configuration_ids=None)
    made = token.create_request(pre_authorized_code="pre")
    assert read(made) == token.parse_request(made, credential_issuer=ISSUER)


def test_secrets_do_not_show_in_a_representation() -> None:
    shown = repr(read(by_code(code="hidden", code_verifier="hidden"))) + repr(read(by_refresh(refresh_token="hidden")))
    body = token.response(access_token="hidden", token_type="DPoP", expires_in=1, refresh_token="hidden")
    assert "hidden" not in shown + repr(token.parse_response(body, dpop=True))


@pytest.mark.parametrize(
    ("name", "form", "error"),
    [
        ("no code", by_code(code=...), "invalid_request"),
        ("code empty", by_code(code=""), "invalid_request"),
        ("no redirect_uri", by_code(redirect_uri=...), "invalid_request"),
        ("no verifier", by_code(code_verifier=...), "invalid_request"),
        ("verifier empty", by_code(code_verifier=""), "invalid_request"),
        ("details that are none", by_code(authorization_details="x"), "invalid_authorization_details"),
        ("no refresh token", by_refresh(refresh_token=...), "invalid_request"),
        ("scope that is none", by_refresh(scope="a  b"), "invalid_scope"),
        ("refresh details that are none", by_refresh(authorization_details="[]"), "invalid_authorization_details"),
        ("password", by_code(grant_type="password"), "unsupported_grant_type"),
        ("no grant", by_code(grant_type=...), "invalid_request"),
    ],
)
def test_vci_tok_2_a_request_with_one_fault_is_refused(name: str, form: dict[str, str], error: str) -> None:
    with pytest.raises(VcError) as caught:
        read(form)
    assert translate(Endpoint.TOKEN, caught.value).error == error, name


@pytest.mark.parametrize("grant", GRANTS)
def test_a_3_a_grant_that_is_not_offered_is_not_taken(grant: str) -> None:
    forms = {
        AUTHORIZATION_CODE: by_code(),
        REFRESH_TOKEN: by_refresh(),
        PRE_AUTHORIZED: token.create_request(pre_authorized_code="x"),
    }
    others = [other for other in GRANTS if other != grant]
    assert token.parse_request(forms[grant], credential_issuer=ISSUER, grants=[grant])
    with pytest.raises(VcError) as caught:
        token.parse_request(forms[grant], credential_issuer=ISSUER, grants=others)
    assert translate(Endpoint.TOKEN, caught.value).error == "unsupported_grant_type"
    with pytest.raises(VcError, match="grant_type"):  # a caller cannot open what nobody here reads
        token.parse_request({"grant_type": "password"}, credential_issuer=ISSUER, grants=["password"])


BOUND = {"client_id": "wallet", "issued_to": "wallet", "redirect_uri": CALLBACK, "code_challenge": challenge_of(VERIFIER)}


def test_a_code_goes_to_whom_it_was_given() -> None:
    request = read(by_code())
    assert isinstance(request, AuthorizationCodeTokenRequest)
    token.check_binding(request, **BOUND)


@pytest.mark.parametrize(
    ("name", "form", "bound", "code"),
    [
        ("another client", {}, {"client_id": "other"}, "code_client"),
        ("another redirect_uri", {"redirect_uri": CALLBACK + "/"}, {}, "code_redirect_uri"),
        ("another verifier", {"code_verifier": "w" * 43}, {}, "pkce_mismatch"),
        ("no verifier", {"code_verifier": "short"}, {}, "pkce_mismatch"),
        ("the challenge itself", {"code_verifier": challenge_of(VERIFIER)}, {}, "pkce_mismatch"),
        ("another challenge", {}, {"code_challenge": "c" * 43}, "pkce_mismatch"),
    ],
)
def test_vci_authz_5_a_code_goes_to_nobody_else(name: str, form: dict[str, str], bound: dict[str, str], code: str) -> None:
    request = read(by_code(**form))
    assert isinstance(request, AuthorizationCodeTokenRequest)
    with pytest.raises(VerificationFailed) as caught:
        token.check_binding(request, **{**BOUND, **bound})
    assert caught.value.code == code, name
    assert translate(Endpoint.TOKEN, caught.value).error == "invalid_grant"


def test_vci_tok_10_a_refresh_token_is_bound_to_a_key_always() -> None:
    body = token.response(
        access_token="t",
        token_type="DPoP",
        expires_in=300,
        refresh_token="r",
        scope=["a", "b"],
        credential_identifiers={"c": ["1"]},
    )
    assert (body["refresh_token"], body["scope"]) == ("r", "a b")
    found = token.parse_response(json.loads(json.dumps(body)), dpop=True)
    assert (found.refresh_token, found.scopes) == ("r", ("a", "b"))
    assert "scope" not in token.response(access_token="t", token_type="DPoP", expires_in=300, scope=[])
    with pytest.raises(ValueError, match="refresh token"):
        token.response(access_token="t", token_type="Bearer", expires_in=300, refresh_token="r")


@pytest.mark.parametrize("changes", [{"refresh_token": ""}, {"refresh_token": 5}, {"scope": ""}, {"scope": 5}, {"scope": "a  b"}])
def test_a_response_with_one_fault_stops_the_wallet(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=r"token_response|scope_form"):
        token.parse_response({"access_token": "t", "token_type": "DPoP", **changes}, dpop=True)
