"""Authorization Server Metadata (RFC 8414) as far as the pre-authorized code needs them (OpenID4VCI 1.0 §12.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.encoding import json
from vc.errors import Malformed, VerificationFailed
from vc.keys.ec import ALGORITHMS
from vc.openid4vci import members
from vc.openid4vci.identifiers import check_endpoint, check_issuer
from vc.openid4vci.offer import PRE_AUTHORIZED

WELL_KNOWN = "oauth-authorization-server"
OPENID_CREDENTIAL = "openid_credential"
MAX_LENGTH = 256 * 1024
_CODE = "as_metadata"
_DEFAULT_GRANTS = ("authorization_code", "implicit")  # RFC 8414 §2, when the member is absent


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServerMetadata:
    """What a wallet needs to know. `dpop_algorithms` empty: no DPoP. `anonymous`: no client id is needed (VCI-META-22)."""

    issuer: str
    token_endpoint: str
    grant_types: tuple[str, ...]
    dpop_algorithms: tuple[str, ...]
    anonymous: bool
    authorization_details_types: tuple[str, ...]


def build(
    *,
    issuer: str,
    token_endpoint: str,
    scopes: Sequence[str],
    dpop_algorithms: Sequence[str] = ALGORITHMS,
    allow_http_loopback: bool = False,
) -> dict[str, Any]:
    """The metadata of a server that knows the pre-authorized code and nothing else, from anonymous clients, with DPoP.

    There is no authorization endpoint, so `response_types_supported` (required by RFC 8414) says `none`.
    """
    built: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": token_endpoint,
        "response_types_supported": ["none"],
        "grant_types_supported": [PRE_AUTHORIZED],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": list(scopes),
        "authorization_details_types_supported": [OPENID_CREDENTIAL],
        "dpop_signing_alg_values_supported": list(dpop_algorithms),
        "pre-authorized_grant_anonymous_access_supported": True,
    }
    parse(built, issuer=issuer, allow_http_loopback=allow_http_loopback)
    return built


def parse(value: object, *, issuer: str, allow_http_loopback: bool = False) -> AuthorizationServerMetadata:
    """The wallet's reading, JSON octets or a decoded object; unknown members are ignored.

    Raises `VerificationFailed("as_metadata_issuer")` for the metadata of another server (RFC 8414 §3.3), `Malformed` with
    `as_metadata` or `url` and the place.
    """
    document = json.loads_object(value, max_bytes=MAX_LENGTH) if isinstance(value, bytes) else members.an_object(value, _CODE)
    found = check_issuer(document.get("issuer"), allow_http_loopback=allow_http_loopback, pointer="/issuer")
    if found != issuer:
        raise VerificationFailed("as_metadata_issuer", "the metadata are those of another authorization server", pointer="/issuer")
    return AuthorizationServerMetadata(
        issuer=found,
        token_endpoint=check_endpoint(
            document.get("token_endpoint"), allow_http_loopback=allow_http_loopback, pointer="/token_endpoint"
        ),
        grant_types=members.texts(document, "grant_types_supported", _CODE) or _DEFAULT_GRANTS,
        dpop_algorithms=members.texts(document, "dpop_signing_alg_values_supported", _CODE) or (),
        anonymous=members.flag(document, "pre-authorized_grant_anonymous_access_supported", _CODE),
        authorization_details_types=members.texts(document, "authorization_details_types_supported", _CODE) or (),
    )


def check_requestable(server: AuthorizationServerMetadata, scopes: Mapping[str, str | None]) -> None:
    """Every configuration (id → scope) can be asked for (VCI-META-16): by its scope, or by `openid_credential` details.

    Raises `Malformed("as_metadata")`.
    """
    if OPENID_CREDENTIAL not in server.authorization_details_types and None in scopes.values():
        raise Malformed(
            _CODE, "a configuration without scope needs openid_credential", pointer="/authorization_details_types_supported"
        )
