"""Authorization Server Metadata (RFC 8414; OpenID4VCI 1.0 §12.3, RFC 9126 §5, RFC 9207 §3, HAIP 1.0 §4): made and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.encoding import json
from vc.errors import Malformed, VerificationFailed
from vc.keys.ec import ALGORITHMS
from vc.openid4vci import members, pkce
from vc.openid4vci.authorization_details import TYPE as OPENID_CREDENTIAL
from vc.openid4vci.identifiers import check_endpoint, check_issuer
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED

WELL_KNOWN = "oauth-authorization-server"
ATTESTATION = "attest_jwt_client_auth"
MAX_LENGTH = 256 * 1024
_CODE = "as_metadata"
_DEFAULT_GRANTS = (AUTHORIZATION_CODE, "implicit")  # RFC 8414 §2, when the member is absent
_DEFAULT_METHODS = ("client_secret_basic",)  # as above


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServerMetadata:
    """What a wallet needs to know. `dpop_algorithms` empty: no DPoP. `anonymous`: no client id is needed (VCI-META-22).

    `attestation_algorithms`, `attestation_pop_algorithms`: for wallet attestations and their proofs of possession, empty when
    the server does not say (VCI-WIA-8). `issuer_in_response`: it promises `iss` (RFC 9207).
    """

    issuer: str
    token_endpoint: str
    grant_types: tuple[str, ...]
    dpop_algorithms: tuple[str, ...]
    anonymous: bool
    authorization_details_types: tuple[str, ...]
    authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    challenge_endpoint: str | None = None
    client_auth_methods: tuple[str, ...] = _DEFAULT_METHODS
    attestation_algorithms: tuple[str, ...] = ()
    attestation_pop_algorithms: tuple[str, ...] = ()
    code_challenge_methods: tuple[str, ...] = ()
    issuer_in_response: bool = False
    require_par: bool = False
    scopes: tuple[str, ...] = ()


def build(
    *,
    issuer: str,
    token_endpoint: str,
    scopes: Sequence[str],
    grants: Sequence[str] = (PRE_AUTHORIZED,),
    authorization_endpoint: str | None = None,
    pushed_authorization_request_endpoint: str | None = None,
    challenge_endpoint: str | None = None,
    client_auth_methods: Sequence[str] = ("none",),
    attestation_algorithms: Sequence[str] = ALGORITHMS,
    dpop_algorithms: Sequence[str] = ALGORITHMS,
    anonymous: bool = True,
    allow_http_loopback: bool = False,
) -> dict[str, Any]:
    """The metadata of a server that takes `grants`, from clients that authenticate by one of `client_auth_methods`.

    With the authorization code, requests are pushed always (VCI-AUTHZ-4), PKCE is S256, and `iss` is in every response.
    Without, there is no authorization endpoint, so `response_types_supported` (required by RFC 8414) says `none`.
    `attestation_algorithms` are told where attestations are a method. `anonymous`: whether a pre-authorized code is taken
    without client id; never told where that grant is not.

    ValueError for endpoints that do not fit the grants; what `parse` and `check_authorization_code` raise for the rest.
    """
    by_code = AUTHORIZATION_CODE in grants
    if by_code != (authorization_endpoint is not None) or by_code != (pushed_authorization_request_endpoint is not None):
        raise ValueError("authorization and pushed request endpoint are there with the authorization code, and only then")
    if challenge_endpoint is not None and ATTESTATION not in client_auth_methods:
        raise ValueError("a challenge is for wallet attestations")
    flow = {
        "authorization_endpoint": authorization_endpoint,
        "pushed_authorization_request_endpoint": pushed_authorization_request_endpoint,
        "require_pushed_authorization_requests": True,
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": [pkce.METHOD],
        "authorization_response_iss_parameter_supported": True,
    }
    attestation = {
        "client_attestation_signing_alg_values_supported": list(attestation_algorithms),
        "client_attestation_pop_signing_alg_values_supported": list(attestation_algorithms),
        **({} if challenge_endpoint is None else {"challenge_endpoint": challenge_endpoint}),
    }
    built: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": token_endpoint,
        **(flow if by_code else {}),
        "response_types_supported": ["code" if by_code else "none"],
        "grant_types_supported": list(grants),
        "token_endpoint_auth_methods_supported": list(client_auth_methods),
        **(attestation if ATTESTATION in client_auth_methods else {}),
        **({"scopes_supported": list(scopes)} if scopes else {}),
        "authorization_details_types_supported": [OPENID_CREDENTIAL],
        "dpop_signing_alg_values_supported": list(dpop_algorithms),
        **({"pre-authorized_grant_anonymous_access_supported": anonymous} if PRE_AUTHORIZED in grants else {}),
    }
    read = parse(built, issuer=issuer, allow_http_loopback=allow_http_loopback)
    if by_code:
        check_authorization_code(read)
    return built


def parse(value: object, *, issuer: str, allow_http_loopback: bool = False) -> AuthorizationServerMetadata:
    """The wallet's reading, JSON octets or a decoded object; unknown members are ignored.

    Raises `VerificationFailed("as_metadata_issuer")` for the metadata of another server (RFC 8414 §3.3), `Malformed` with
    `as_metadata` or `url` and the place.
    """
    document = json.loads_object(value, max_bytes=MAX_LENGTH) if isinstance(value, bytes) else members.an_object(value, _CODE)

    def endpoint(name: str) -> str | None:
        if name not in document:
            return None
        return check_endpoint(document[name], allow_http_loopback=allow_http_loopback, pointer=f"/{name}")

    def texts(name: str) -> tuple[str, ...]:
        return members.texts(document, name, _CODE) or ()

    found = check_issuer(document.get("issuer"), allow_http_loopback=allow_http_loopback, pointer="/issuer")
    if found != issuer:
        raise VerificationFailed("as_metadata_issuer", "the metadata are those of another authorization server", pointer="/issuer")
    return AuthorizationServerMetadata(
        issuer=found,
        token_endpoint=check_endpoint(
            document.get("token_endpoint"), allow_http_loopback=allow_http_loopback, pointer="/token_endpoint"
        ),
        grant_types=texts("grant_types_supported") or _DEFAULT_GRANTS,
        dpop_algorithms=texts("dpop_signing_alg_values_supported"),
        anonymous=members.flag(document, "pre-authorized_grant_anonymous_access_supported", _CODE),
        authorization_details_types=texts("authorization_details_types_supported"),
        authorization_endpoint=endpoint("authorization_endpoint"),
        pushed_authorization_request_endpoint=endpoint("pushed_authorization_request_endpoint"),
        challenge_endpoint=endpoint("challenge_endpoint"),
        client_auth_methods=texts("token_endpoint_auth_methods_supported") or _DEFAULT_METHODS,
        attestation_algorithms=texts("client_attestation_signing_alg_values_supported"),
        attestation_pop_algorithms=texts("client_attestation_pop_signing_alg_values_supported"),
        code_challenge_methods=texts("code_challenge_methods_supported"),
        issuer_in_response=members.flag(document, "authorization_response_iss_parameter_supported", _CODE),
        require_par=members.flag(document, "require_pushed_authorization_requests", _CODE),
        scopes=texts("scopes_supported"),
    )


def check_authorization_code(server: AuthorizationServerMetadata) -> tuple[str, str]:
    """The pushed request and the authorization endpoint of a server whose code flow a careful wallet uses (HAIP-VCI-1, -2).

    Raises `VerificationFailed`: `as_grant` (the grant is not taken, or an endpoint missing), `as_pkce` (no S256),
    `as_response_issuer` (no `iss` promised, so a mix-up would go unseen), `as_dpop` (no DPoP with ES256, VCI-DPOP-6).
    """
    pushed, authorize = server.pushed_authorization_request_endpoint, server.authorization_endpoint
    if AUTHORIZATION_CODE not in server.grant_types or pushed is None or authorize is None:
        raise VerificationFailed("as_grant", "the authorization server takes no pushed request for an authorization code")
    if pkce.METHOD not in server.code_challenge_methods:
        raise VerificationFailed("as_pkce", "the authorization server does not know PKCE with S256")
    if not server.issuer_in_response:
        raise VerificationFailed("as_response_issuer", "the authorization server does not name itself in its response")
    if "ES256" not in server.dpop_algorithms:
        raise VerificationFailed("as_dpop", "the authorization server does not know DPoP with ES256")
    return pushed, authorize


def check_requestable(server: AuthorizationServerMetadata, scopes: Mapping[str, str | None]) -> None:
    """Every configuration (id → scope) can be asked for (VCI-META-16): by its scope, or by `openid_credential` details.

    Raises `Malformed("as_metadata")`.
    """
    if OPENID_CREDENTIAL not in server.authorization_details_types and None in scopes.values():
        raise Malformed(
            _CODE, "a configuration without scope needs openid_credential", pointer="/authorization_details_types_supported"
        )
