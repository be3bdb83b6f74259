"""Authorization Server Metadata with the authorization code: VCI-AUTHZ-4 to -6, VCI-WIA-8, HAIP-VCI-1, -2, -5."""

from typing import Any

import pytest

from vc.encoding import json
from vc.errors import Malformed, VerificationFailed
from vc.keys.ec import ALGORITHMS
from vc.openid4vci import authorization_server as server
from vc.openid4vci.authorization_server import ATTESTATION, AuthorizationServerMetadata
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED

ISSUER = "https://issuer.test/fr"


def build(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "issuer": ISSUER,
        "token_endpoint": ISSUER + "/token",
        "scopes": ["a"],
        "grants": [AUTHORIZATION_CODE, "refresh_token"],
        "authorization_endpoint": ISSUER + "/authorize",
        "pushed_authorization_request_endpoint": ISSUER + "/par",
        "challenge_endpoint": ISSUER + "/challenge",
        "client_auth_methods": [ATTESTATION],
        "attestation_algorithms": ["ES256", "ES384"],
        **changes,
    }
    return server.build(**arguments)


def read(**changes: Any) -> AuthorizationServerMetadata:
    document = {name: member for name, member in {**build(), **changes}.items() if member is not ...}
    return server.parse(document, issuer=ISSUER)


def test_haip_vci_5_what_a_server_publishes_a_wallet_reads() -> None:
    built = build()
    assert built["require_pushed_authorization_requests"] is True
    assert built["response_types_supported"] == ["code"]
    assert built["response_modes_supported"] == ["query"]
    assert "pre-authorized_grant_anonymous_access_supported" not in built
    assert server.parse(json.dumps(built), issuer=ISSUER) == AuthorizationServerMetadata(
        issuer=ISSUER,
        token_endpoint=ISSUER + "/token",
        grant_types=(AUTHORIZATION_CODE, "refresh_token"),
        dpop_algorithms=ALGORITHMS,
        anonymous=False,
        authorization_details_types=("openid_credential",),
        authorization_endpoint=ISSUER + "/authorize",
        pushed_authorization_request_endpoint=ISSUER + "/par",
        challenge_endpoint=ISSUER + "/challenge",
        client_auth_methods=(ATTESTATION,),
        attestation_algorithms=("ES256", "ES384"),
        attestation_pop_algorithms=("ES256", "ES384"),
        code_challenge_methods=("S256",),
        issuer_in_response=True,
        require_par=True,
        scopes=("a",),
    )
    assert server.check_authorization_code(read()) == (ISSUER + "/par", ISSUER + "/authorize")


def test_nothing_is_announced_that_is_not_there() -> None:
    built = build(
        grants=[PRE_AUTHORIZED],
        authorization_endpoint=None,
        pushed_authorization_request_endpoint=None,
        challenge_endpoint=None,
        client_auth_methods=["none"],
        anonymous=False,
        scopes=[],
    )
    assert sorted(built) == [
        "authorization_details_types_supported",
        "dpop_signing_alg_values_supported",
        "grant_types_supported",
        "issuer",
        "pre-authorized_grant_anonymous_access_supported",
        "response_types_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
    ]
    assert built["pre-authorized_grant_anonymous_access_supported"] is False
    assert "challenge_endpoint" not in build(challenge_endpoint=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization_endpoint": None},
        {"pushed_authorization_request_endpoint": None},
        {"grants": [PRE_AUTHORIZED]},
        {"grants": [PRE_AUTHORIZED], "authorization_endpoint": None},
        {"client_auth_methods": ["none"]},
    ],
)
def test_endpoints_that_do_not_fit_are_not_published(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"authorization code|challenge"):
        build(**changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"authorization_endpoint": "http://issuer.test/authorize"}, "url"),
        ({"pushed_authorization_request_endpoint": "https://issuer.test/par#x"}, "url"),
        ({"challenge_endpoint": 5}, "url"),
        ({"token_endpoint": ...}, "url"),
        ({"require_pushed_authorization_requests": "yes"}, "as_metadata"),
        ({"authorization_response_iss_parameter_supported": 1}, "as_metadata"),
        ({"code_challenge_methods_supported": []}, "as_metadata"),
        ({"client_attestation_signing_alg_values_supported": "ES256"}, "as_metadata"),
        ({"client_attestation_pop_signing_alg_values_supported": [5]}, "as_metadata"),
        ({"token_endpoint_auth_methods_supported": []}, "as_metadata"),
        ({"scopes_supported": "a"}, "as_metadata"),
    ],
)
def test_metadata_with_one_fault_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(**changes)
    assert (caught.value.code, caught.value.pointer.removeprefix("/")) == (code, next(iter(changes)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grant_types_supported": [PRE_AUTHORIZED]}, "as_grant"),
        ({"authorization_endpoint": ...}, "as_grant"),
        ({"pushed_authorization_request_endpoint": ...}, "as_grant"),
        ({"code_challenge_methods_supported": ["plain"]}, "as_pkce"),
        ({"code_challenge_methods_supported": ...}, "as_pkce"),
        ({"authorization_response_iss_parameter_supported": False}, "as_response_issuer"),
        ({"authorization_response_iss_parameter_supported": ...}, "as_response_issuer"),
        ({"dpop_signing_alg_values_supported": ["ES512"]}, "as_dpop"),
        ({"dpop_signing_alg_values_supported": ...}, "as_dpop"),
    ],
)
def test_haip_vci_1_2_vci_dpop_6_a_server_whose_flow_is_not_safe_is_not_used(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        server.check_authorization_code(read(**changes))
    assert caught.value.code == code


def test_rfc_8414_what_absence_means() -> None:
    found = read(grant_types_supported=..., token_endpoint_auth_methods_supported=...)
    assert found.grant_types == (AUTHORIZATION_CODE, "implicit")
    assert found.client_auth_methods == ("client_secret_basic",)
