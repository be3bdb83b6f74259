"""Sign-ins at the OpenID Provider, each with one life that one conditional statement ends.

open ──grant──► coded ──redeem──► (deleted)      the code was exchanged: nothing of the person is left
  │               └───(time)────► (claims erased)
  └──(time)──► over
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, Row, delete, func, insert, select, update

from vc.clock import to_numeric_date
from verifier.store.tables import authorizations, transactions

REMEMBERED = timedelta(minutes=10)
"""How long a sign-in that ended without a code stays known, without anything personal, so that its page can say that it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One sign-in: what the client asked, which browser, the two questions to a wallet, and who it was once that is known.

    `claims` and `auth_time` are set together with the code. `expires_at`: the end of the sign-in, then of the code.
    """

    authorization_id: str
    client_id: str
    redirect_uri: str
    state: str | None
    nonce: str | None
    code_challenge: str
    session_sha256: str
    same_device_id: str
    cross_device_id: str
    created_at: datetime
    expires_at: datetime
    code_sha256: str | None = None
    claims: Mapping[str, Any] | None = None
    auth_time: datetime | None = None


_TIMES = ("created_at", "expires_at", "auth_time")


class Authorizations:
    """The sign-ins of one database; safe to use from any thread and any number of processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, authorization: Authorization) -> None:
        """Store a new one."""
        row = {name: getattr(authorization, name) for name in Authorization.__slots__}
        row |= {name: None if row[name] is None else to_numeric_date(row[name]) for name in _TIMES}
        with self._engine.begin() as connection:
            connection.execute(insert(authorizations).values(**row))

    def count(self, client_id: str, now: datetime) -> int:
        """How many of that client are not over."""
        mine = (authorizations.c.client_id == client_id) & (authorizations.c.expires_at > to_numeric_date(now))
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(authorizations).where(mine)).scalar_one()

    def get(self, authorization_id: str) -> Authorization | None:
        """The one of that id."""
        return self._one(authorizations.c.authorization_id == authorization_id)

    def of_same_device(self, transaction_id: str) -> Authorization | None:
        """The one whose link led to that transaction."""
        return self._one(authorizations.c.same_device_id == transaction_id)

    def grant(
        self, authorization_id: str, *, code_sha256: str, claims: Mapping[str, Any], now: datetime, expires_at: datetime
    ) -> bool:
        """Turn an open sign-in into a code, once; its questions go with their answers. False when it was no longer open."""
        mine = authorizations.c.authorization_id == authorization_id
        statement = (
            update(authorizations)
            .where(mine, authorizations.c.code_sha256.is_(None), authorizations.c.expires_at > to_numeric_date(now))
            .values(
                code_sha256=code_sha256,
                claims=dict(claims),
                auth_time=to_numeric_date(now),
                expires_at=to_numeric_date(expires_at),
            )
        )
        with self._engine.begin() as connection:
            if _count(connection.execute(statement)) != 1:
                return False
            connection.execute(_questions_of(mine))
        return True

    def redeem(self, code_sha256: str, *, client_id: str, now: datetime) -> Authorization | None:
        """Take the sign-in behind a code of that client out of the store, once. None: unknown, used, over, or another client's."""
        statement = (
            delete(authorizations)
            .where(
                authorizations.c.code_sha256 == code_sha256,
                authorizations.c.client_id == client_id,
                authorizations.c.expires_at > to_numeric_date(now),
            )
            .returning(*authorizations.c)
        )
        with self._engine.begin() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else _authorization(row)

    def purge(self, now: datetime) -> None:
        """Erase what is personal in everything that is over, and forget what has been over for a while (P-6)."""
        over = authorizations.c.expires_at <= to_numeric_date(now)
        forgotten = authorizations.c.expires_at <= to_numeric_date(now - REMEMBERED)
        with self._engine.begin() as connection:
            connection.execute(_questions_of(over))
            connection.execute(update(authorizations).where(over, authorizations.c.claims.is_not(None)).values(claims=None))
            connection.execute(delete(authorizations).where(forgotten))

    def _one(self, condition: Any) -> Authorization | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(authorizations).where(condition)).one_or_none()
        return None if row is None else _authorization(row)


def _questions_of(condition: Any) -> Any:
    """The statement that deletes both questions of the sign-ins that meet the condition, with what was answered."""
    same, cross = (
        select(column).where(condition) for column in (authorizations.c.same_device_id, authorizations.c.cross_device_id)
    )
    return delete(transactions).where(transactions.c.transaction_id.in_(same.union_all(cross)))


def _count(result: Any) -> int:
    return cast(CursorResult[Any], result).rowcount


def _authorization(row: Row[Any]) -> Authorization:
    values = dict(row._mapping)
    for name in _TIMES:
        values[name] = None if values[name] is None else datetime.fromtimestamp(values[name], UTC)
    return Authorization(**values)
