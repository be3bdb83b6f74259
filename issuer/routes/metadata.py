"""Metadata of an institution as credential issuer and authorization server: generated from what is enforced (VCI-META)."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from issuer import entitlements, publishing
from issuer.institutions import Institution, KeyUse
from issuer.routes.answers import PUBLIC, answer
from issuer.service import Service
from vc.documents.catalogue import DOCUMENT_TYPES, Configuration
from vc.encoding import base64url
from vc.keys import jwk
from vc.openid4vci import authorization_server as authorization
from vc.openid4vci import metadata
from vc.openid4vci.metadata import ClaimDescription

_CACHED = {**PUBLIC, "cache-control": "public, max-age=60"}


async def credential_issuer(request: Request, service: Service, institution: Institution) -> Response:
    """Credential Issuer Metadata (§12.2), plain JSON whatever `Accept` says: signed metadata are not offered here."""
    issuer = institution.credential_issuer
    built = metadata.build(
        credential_issuer=issuer,
        credential_endpoint=f"{issuer}/credential",
        nonce_endpoint=f"{issuer}/nonce",
        notification_endpoint=f"{issuer}/notification",
        batch_size=service.settings.batch_size,
        display=[{"name": institution.name}],
        configurations={
            name: _configuration(institution, configuration)
            for name, configuration in entitlements.configurations(institution).items()
        },
        allow_http_loopback=True,  # whether base_url may be http is decided by the settings
    )
    return answer(built, headers=_CACHED)


def _configuration(institution: Institution, configuration: Configuration) -> dict[str, Any]:
    declared = DOCUMENT_TYPES[configuration.document_type]
    return metadata.build_configuration(
        format=configuration.format,
        type_id=configuration.type_id,
        scope=configuration.scope,
        signing=institution.signer_for(configuration.format).curve,
        claims=[
            ClaimDescription(path=claim.path, mandatory=claim.mandatory, labels=claim.labels)
            for claim in configuration.profile.claims
        ],
        display=[{"name": name, "locale": locale} for locale, name in sorted(declared.labels.items())],
    )


async def authorization_server(request: Request, service: Service, institution: Institution) -> Response:
    """Authorization Server Metadata (RFC 8414); the institution is its own server (VCI-META-7)."""
    issuer = institution.credential_issuer
    built = authorization.build(
        issuer=issuer,
        token_endpoint=f"{issuer}/token",
        scopes=[configuration.scope for configuration in entitlements.configurations(institution).values()],
        allow_http_loopback=True,
    )
    # Token Status List §9.2
    return answer({**built, "status_list_aggregation_endpoint": publishing.aggregation_uri(institution)}, headers=_CACHED)


async def jwt_vc_issuer(request: Request, service: Service, institution: Institution) -> Response:
    """JWT VC Issuer Metadata (SD-JWT VC -13 §5, JVI-1) for old verifiers; ours goes by x5c and the trust list."""
    key = institution.signers[KeyUse.SEAL].public_key
    public = jwk.from_public(key, use="sig", kid=base64url.encode(jwk.thumbprint(key)))
    return answer({"issuer": institution.credential_issuer, "jwks": {"keys": [public]}}, headers=_CACHED)


WELL_KNOWN: dict[str, Callable[[Request, Service, Institution], Awaitable[Response]]] = {
    metadata.WELL_KNOWN: credential_issuer,
    authorization.WELL_KNOWN: authorization_server,
    "jwt-vc-issuer": jwt_vc_issuer,
}
