"""Credentials that are promised but not given yet: what was asked, for which keys, and by whom they may be collected.

pending ──delivered──► delivered          pending ──document refused or withdrawn──► shown as denied, without being written
                                          pending ──(time)──► over, shown as unknown, erased by and by
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, Row, insert, or_, select, update

from issuer.store.engine import changed
from issuer.store.grants import Grant, digest
from issuer.store.tables import deferred
from vc.clock import to_numeric_date
from vc.keys import jwk

PENDING, DELIVERED = "pending", "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One deferred issuance. `holders`: the keys that were proved for it, in their order; nothing else is ever put in.

    `not_after`: a credential made for it ends by then; None where nothing bounds it.
    """

    transaction_sha256: str
    grant_id: str
    document_id: str
    configuration_id: str
    holders: tuple[ec.EllipticCurvePublicKey, ...]
    not_after: datetime | None


def add(
    connection: Connection,
    transaction_id: str,
    grant: Grant,
    *,
    configuration_id: str,
    holders: Sequence[ec.EllipticCurvePublicKey],
    not_after: datetime | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Remember what was asked with `grant`; the transaction id is kept as a digest."""
    connection.execute(
        insert(deferred).values(
            transaction_sha256=digest(transaction_id),
            grant_id=grant.grant_id,
            institution_id=grant.institution_id,
            document_id=grant.document_id,
            configuration_id=configuration_id,
            holder_keys=[jwk.from_public(key) for key in holders],
            not_after=None if not_after is None else to_numeric_date(not_after),
            client_id=grant.client_id,
            instance_thumbprint=grant.instance_thumbprint,
            state=PENDING,
            created_at=to_numeric_date(now),
            expires_at=to_numeric_date(expires_at),
        )
    )


def find(connection: Connection, grant: Grant, transaction_id: str, now: datetime) -> Promise | None:
    """What is promised under this id to whoever holds `grant`; None when unknown, delivered, over, or another's (SECURITY I-15).

    Any access token of the same grant will do, a refreshed one too; never one of another client or wallet instance (VCI-DEF-1).
    """
    row = connection.execute(
        select(deferred).where(
            deferred.c.transaction_sha256 == digest(transaction_id),
            deferred.c.institution_id == grant.institution_id,
            deferred.c.grant_id == grant.grant_id,
            deferred.c.document_id == grant.document_id,
            deferred.c.client_id.is_not_distinct_from(grant.client_id),
            deferred.c.instance_thumbprint.is_not_distinct_from(grant.instance_thumbprint),
            deferred.c.state == PENDING,
            deferred.c.expires_at > to_numeric_date(now),
        )
    ).one_or_none()
    return None if row is None else _promise(row)


def deliver(connection: Connection, promise: Promise, now: datetime) -> bool:
    """Keep the promise. True for one caller alone, once; the caller rolls back when the credentials do not come about."""
    statement = (
        update(deferred)
        .where(
            deferred.c.transaction_sha256 == promise.transaction_sha256,
            deferred.c.state == PENDING,
            deferred.c.expires_at > to_numeric_date(now),
        )
        .values(state=DELIVERED, holder_keys=[], last_polled_at=to_numeric_date(now))
    )
    return changed(connection.execute(statement)) == 1


def note_look(connection: Connection, promise: Promise, now: datetime, *, every: int) -> None:
    """Remember that a wallet looked, at most once in `every` seconds, however often it looks."""
    at = to_numeric_date(now)
    connection.execute(
        update(deferred)
        .where(
            deferred.c.transaction_sha256 == promise.transaction_sha256,
            or_(deferred.c.last_polled_at.is_(None), deferred.c.last_polled_at <= at - every),
        )
        .values(last_polled_at=at)
    )


def of_document(connection: Connection, document_id: str) -> Sequence[Row[Any]]:
    """All that was promised of a document and is still on record, oldest first."""
    query = select(deferred).where(deferred.c.document_id == document_id)
    return connection.execute(query.order_by(deferred.c.created_at, deferred.c.transaction_sha256)).all()


def _promise(row: Row[Any]) -> Promise:
    return Promise(
        transaction_sha256=row.transaction_sha256,
        grant_id=row.grant_id,
        document_id=row.document_id,
        configuration_id=row.configuration_id,
        holders=tuple(jwk.parse_public(key) for key in row.holder_keys),
        not_after=None if row.not_after is None else datetime.fromtimestamp(row.not_after, UTC),
    )
