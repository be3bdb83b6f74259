"""What is over is erased (SECURITY P-6): codes, tokens, nonces, proof ids, idempotency answers. And the count of refusals."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuer.store.engine import changed
from issuer.store.tables import (
    authorizations,
    deferred,
    dpop_proofs,
    idempotency,
    nonces,
    offers,
    refresh_tokens,
    refusals,
    tokens,
)
from vc.clock import to_numeric_date

_DAY = 86_400
_EPOCH = date(1970, 1, 1)
REFUSALS_KEPT_DAYS = 30


def purge(connection: Connection, now: datetime) -> int:
    """Erase what ended before `now`; gives the number of rows touched. Running it twice, or in two workers at once, is harmless."""
    at = to_numeric_date(now)
    touched = sum(
        changed(connection.execute(delete(table).where(table.c.expires_at <= at)))
        for table in (tokens, refresh_tokens, authorizations, deferred, nonces, dpop_proofs, idempotency)
    )
    readable = offers.c.code.is_not(None) | offers.c.issuer_state.is_not(None)
    touched += changed(
        connection.execute(update(offers).where(offers.c.expires_at <= at, readable).values(code=None, issuer_state=None))
    )
    touched += changed(connection.execute(delete(refusals).where(refusals.c.day < at // _DAY - REFUSALS_KEPT_DAYS)))
    return touched


def count_refusal(connection: Connection, institution_id: str, endpoint: str, code: str, now: datetime) -> None:
    """Add one to the institution's refusals of this kind today."""
    row = {"institution_id": institution_id, "day": to_numeric_date(now) // _DAY, "endpoint": endpoint, "code": code}
    mine = [refusals.c[name] == value for name, value in row.items()]
    one_more = update(refusals).where(*mine).values(count=refusals.c.count + 1)
    if changed(connection.execute(one_more)):
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(refusals).values(**row, count=1))
    except IntegrityError:
        connection.execute(one_more)


def refusals_of(connection: Connection, institution_id: str) -> list[dict[str, Any]]:
    """The counts kept: `day` (ISO date), `endpoint`, `code`, `count`."""
    query = select(refusals).where(refusals.c.institution_id == institution_id)
    rows = connection.execute(query.order_by(refusals.c.day, refusals.c.endpoint, refusals.c.code))
    return [
        {
            "day": (_EPOCH + timedelta(days=row.day)).isoformat(),
            "endpoint": row.endpoint,
            "code": row.code,
            "count": row._mapping["count"],
        }
        for row in rows
    ]
