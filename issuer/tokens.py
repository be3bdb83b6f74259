"""Access and refresh tokens: made for a grant, handed out once, kept as digests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from issuer.service import Service
from issuer.store import grants as store
from issuer.store import refresh
from issuer.store.grants import Grant
from issuer.store.refresh import RefreshGrant
from vc.encoding import base64url


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token as it is handed out, once: the database keeps its digest. `refresh_token`: comes with it, None where none does."""

    value: str = field(repr=False)
    grant: Grant
    expires_in: int
    refresh_token: str | None = field(default=None, repr=False)


def make(service: Service, grant: Grant, *, with_refresh: bool, now: datetime) -> AccessToken:
    """Tokens for `grant`, whose digest and end are set here. A refresh token only where it can be bound to a DPoP key and a
    client (VCI-TOK-10)."""
    value = base64url.encode(service.random_bytes(32))
    seconds = service.settings.access_token_seconds
    bound = grant.dpop_thumbprint is not None and grant.client_id is not None
    return AccessToken(
        value=value,
        grant=replace(grant, token_sha256=store.digest(value), expires_at=now + timedelta(seconds=seconds)),
        expires_in=seconds,
        refresh_token=base64url.encode(service.random_bytes(32)) if with_refresh and bound else None,
    )


def keep(service: Service, connection: Connection, made: AccessToken, now: datetime) -> None:
    """Store the digests of what `make` made."""
    grant = made.grant
    store.add_token(connection, made.value, grant, uses=service.settings.credentials_per_grant, now=now)
    if made.refresh_token is None or grant.client_id is None or grant.dpop_thumbprint is None:
        return
    kept = RefreshGrant(
        grant_id=grant.grant_id,
        document_id=grant.document_id,
        institution_id=grant.institution_id,
        configuration_ids=grant.configuration_ids,
        credential_identifiers=grant.credential_identifiers,
        client_id=grant.client_id,
        instance_thumbprint=grant.instance_thumbprint,
        dpop_thumbprint=grant.dpop_thumbprint,
        revoked=False,
        expires_at=now + lifetime(service, made),
    )
    refresh.add(connection, made.refresh_token, kept, now)


def lifetime(service: Service, made: AccessToken) -> timedelta:
    """How long anything that was made is good at most."""
    if made.refresh_token is not None:
        return timedelta(days=service.settings.refresh_days)
    return timedelta(seconds=made.expires_in)


def identifiers_for(service: Service, configuration_ids: Iterable[str]) -> Mapping[str, str]:
    """A fresh credential identifier for each configuration: identifier → configuration id (VCI-TOK-5)."""
    return {f"{name}-{service.opaque_id()}": name for name in configuration_ids}
