"""Refresh tokens: not rotated (FAPI 2.0 §5.3.2.1), but good only with the DPoP key and the wallet instance they were made for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from issuer.store.grants import digest
from issuer.store.tables import refresh_tokens
from vc.clock import to_numeric_date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """What a refresh token is good for, and in whose hands. `revoked`: it was good, and is no more."""

    grant_id: str
    document_id: str
    institution_id: str
    configuration_ids: tuple[str, ...]
    credential_identifiers: Mapping[str, str] | None
    client_id: str
    instance_thumbprint: str | None
    dpop_thumbprint: str
    revoked: bool
    expires_at: datetime


def add(connection: Connection, token: str, grant: RefreshGrant, now: datetime) -> None:
    """Store a refresh token; the database keeps its digest."""
    identifiers = grant.credential_identifiers
    connection.execute(
        insert(refresh_tokens).values(
            refresh_sha256=digest(token),
            grant_id=grant.grant_id,
            document_id=grant.document_id,
            institution_id=grant.institution_id,
            configuration_ids=list(grant.configuration_ids),
            credential_identifiers=None if identifiers is None else dict(identifiers),
            client_id=grant.client_id,
            instance_thumbprint=grant.instance_thumbprint,
            dpop_thumbprint=grant.dpop_thumbprint,
            created_at=to_numeric_date(now),
            expires_at=to_numeric_date(grant.expires_at),
        )
    )


def find(connection: Connection, institution_id: str, token: str, now: datetime) -> RefreshGrant | None:
    """What a refresh token stands for at this institution; None when unknown, expired or another institution's."""
    table = refresh_tokens.c
    row = connection.execute(
        select(refresh_tokens).where(
            table.refresh_sha256 == digest(token),
            table.institution_id == institution_id,
            table.expires_at > to_numeric_date(now),
        )
    ).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = {name: row._mapping[name] for name in RefreshGrant.__slots__ if name != "revoked"}
    values["configuration_ids"] = tuple(row.configuration_ids)
    values["expires_at"] = datetime.fromtimestamp(row.expires_at, UTC)
    return RefreshGrant(**values, revoked=row.revoked_at is not None)
