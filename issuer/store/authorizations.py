"""Authorizations: a pushed request, the sign-in of the person, the code. Each step is one conditional statement.

pushed ──begin──► signing_in ──come_back──► returned ──give_code──► coded ──redeem──► redeemed ──(code again)──► revoked
                                               │  └──ask──► asking ──give_code──►┘
                                               └──────fail──────► failed           any of them ──(time)──► over
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, null, select, update

from issuer.store.engine import changed
from issuer.store.grants import digest
from issuer.store.tables import authorizations, refresh_tokens, tokens
from vc.clock import to_numeric_date


class Stage(StrEnum):
    """How far it has come, as stored."""

    PUSHED = "pushed"
    SIGNING_IN = "signing_in"
    RETURNED = "returned"
    ASKING = "asking"
    CODED = "coded"
    REDEEMED = "redeemed"
    FAILED = "failed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a wallet asked for in its pushed request, and how far the person has come.

    `upstream`: what the browser must come back with, while it is away to sign in or asked to agree. `document_id`: the document
    found for the person who signed in. `browser_sha256`: of the cookie of the browser that began.
    """

    authorization_id: str
    institution_id: str
    client_id: str
    instance_thumbprint: str | None
    dpop_thumbprint: str | None
    redirect_uri: str
    state: str | None = field(repr=False)
    code_challenge: str
    configuration_ids: tuple[str, ...]
    uses_details: bool
    offer_id: str | None
    stage: Stage
    browser_sha256: str | None
    upstream: Mapping[str, Any] | None = field(repr=False)
    document_id: str | None
    created_at: datetime
    expires_at: datetime


def add(connection: Connection, authorization: Authorization, *, request_uri: str) -> None:
    """Store a pushed request under its `request_uri`."""
    row = {name: getattr(authorization, name) for name in Authorization.__slots__}
    row |= {name: to_numeric_date(row[name]) for name in ("created_at", "expires_at")}
    row |= {"configuration_ids": list(authorization.configuration_ids), "upstream": null(), "stage": str(authorization.stage)}
    connection.execute(insert(authorizations).values(**row, request_uri_sha256=digest(request_uri)))


def find_pushed(
    connection: Connection, institution_id: str, *, request_uri: str, client_id: str, now: datetime
) -> Authorization | None:
    """A request that can be begun now. None for a guessed, begun, expired one, and for another client's alike (SECURITY A-7)."""
    table = authorizations.c
    return _one(
        connection,
        table.institution_id == institution_id,
        table.request_uri_sha256 == digest(request_uri),
        table.client_id == client_id,
        table.stage == Stage.PUSHED,
        table.expires_at > to_numeric_date(now),
    )


def find(connection: Connection, institution_id: str, authorization_id: str) -> Authorization | None:
    """The authorization of that id, whatever its stage and age."""
    table = authorizations.c
    return _one(connection, table.institution_id == institution_id, table.authorization_id == authorization_id)


def begin(
    connection: Connection,
    authorization_id: str,
    *,
    browser_sha256: str,
    upstream: Mapping[str, Any],
    expires_at: datetime,
    now: datetime,
) -> bool:
    """The person's browser is sent to sign in. False when another request was faster: a request_uri is good once (VCI-AUTHZ-7)."""
    return _move(
        connection,
        authorization_id,
        Stage.PUSHED,
        Stage.SIGNING_IN,
        now=now,
        browser_sha256=browser_sha256,
        upstream=dict(upstream),
        expires_at=to_numeric_date(expires_at),
    )


def come_back(connection: Connection, authorization_id: str, *, now: datetime) -> bool:
    """The sign-in came back with what it had to; that counts once. What it had to come back with is erased."""
    return _move(connection, authorization_id, Stage.SIGNING_IN, Stage.RETURNED, now=now, upstream=null())


def ask(
    connection: Connection,
    authorization_id: str,
    *,
    document_id: str,
    configuration_ids: tuple[str, ...],
    upstream: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Person and document are known; the person is asked whether this wallet is theirs. `upstream`: what agreeing comes with."""
    return _move(
        connection,
        authorization_id,
        Stage.RETURNED,
        Stage.ASKING,
        now=now,
        document_id=document_id,
        configuration_ids=list(configuration_ids),
        upstream=dict(upstream),
    )


def give_code(
    connection: Connection,
    authorization_id: str,
    *,
    before: Stage,
    code: str,
    document_id: str,
    configuration_ids: tuple[str, ...],
    expires_at: datetime,
    now: datetime,
) -> bool:
    """The wallet gets a code. `before`: the stage it comes from. `configuration_ids`: what is granted of what was asked."""
    return _move(
        connection,
        authorization_id,
        before,
        Stage.CODED,
        now=now,
        upstream=null(),
        code_sha256=digest(code),
        document_id=document_id,
        configuration_ids=list(configuration_ids),
        expires_at=to_numeric_date(expires_at),
    )


def fail(connection: Connection, authorization_id: str) -> None:
    """It ends here, without a code."""
    table = authorizations.c
    connection.execute(
        update(authorizations)
        .where(table.authorization_id == authorization_id, table.stage.in_((Stage.SIGNING_IN, Stage.RETURNED)))
        .values(stage=str(Stage.FAILED), upstream=null())
    )


def find_by_code(connection: Connection, institution_id: str, code: str) -> Authorization | None:
    """The authorization a code belongs to, whatever its stage and age: a code shown twice must be noticed (SECURITY A-9)."""
    table = authorizations.c
    return _one(connection, table.institution_id == institution_id, table.code_sha256 == digest(code))


def redeem(connection: Connection, authorization_id: str, *, kept_until: datetime, now: datetime) -> bool:
    """Spend the code; one caller alone gets True. The row stays until `kept_until`, so that a second use is noticed."""
    return _move(connection, authorization_id, Stage.CODED, Stage.REDEEMED, now=now, expires_at=to_numeric_date(kept_until))


def revoke(connection: Connection, authorization_id: str, now: datetime) -> None:
    """A code was shown twice: whatever came of it is worth nothing from now on (RFC 6749 §4.1.2, VCI-AUTHZ-7)."""
    table = authorizations.c
    connection.execute(
        update(authorizations).where(table.authorization_id == authorization_id).values(stage=str(Stage.REVOKED), upstream=null())
    )
    revoke_tokens(connection, authorization_id, now)


def revoke_tokens(connection: Connection, grant_id: str, now: datetime) -> None:
    """Every access and refresh token of one grant."""
    connection.execute(delete(tokens).where(tokens.c.grant_id == grant_id))
    connection.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.grant_id == grant_id, refresh_tokens.c.revoked_at.is_(None))
        .values(revoked_at=to_numeric_date(now))
    )


def withdraw(connection: Connection, document_id: str, now: datetime) -> None:
    """The document is withdrawn: codes and refresh tokens for it are worth nothing (SECURITY D-11)."""
    table = authorizations.c
    connection.execute(
        update(authorizations)
        .where(table.document_id == document_id, table.stage.in_((Stage.ASKING, Stage.CODED)))
        .values(stage=str(Stage.REVOKED), upstream=null())
    )
    connection.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.document_id == document_id, refresh_tokens.c.revoked_at.is_(None))
        .values(revoked_at=to_numeric_date(now))
    )


def _move(connection: Connection, authorization_id: str, before: Stage, after: Stage, *, now: datetime, **values: Any) -> bool:
    table = authorizations.c
    statement = (
        update(authorizations)
        .where(
            table.authorization_id == authorization_id,
            table.stage == before,
            table.expires_at > to_numeric_date(now),
        )
        .values(stage=str(after), **values)
    )
    return changed(connection.execute(statement)) == 1


def _one(connection: Connection, *where: Any) -> Authorization | None:
    row = connection.execute(select(authorizations).where(*where)).one_or_none()
    return None if row is None else _authorization(row)


def _authorization(row: Row[Any]) -> Authorization:
    values = {name: row._mapping[name] for name in Authorization.__slots__}
    values |= {name: datetime.fromtimestamp(values[name], UTC) for name in ("created_at", "expires_at")}
    values |= {"configuration_ids": tuple(row.configuration_ids), "stage": Stage(row.stage)}
    return Authorization(**values)
