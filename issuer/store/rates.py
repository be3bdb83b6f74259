"""Limits per institution and minute, counted over all workers (SECURITY H-19)."""

from datetime import datetime

from sqlalchemy import BigInteger, Connection, Integer, bindparam, case, insert, or_, update

from issuer.store.prepared import Prepared
from issuer.store.tables import rates
from vc.clock import to_numeric_date
from vc.errors import Refused

WINDOW_SECONDS = 60


def claim(connection: Connection, institution_id: str, kind: str, limit: int, now: datetime) -> None:
    """Count one request of this kind. Raises `Refused("rate_limit")` when the minute is full."""
    window = to_numeric_date(now) // WINDOW_SECONDS
    mine = {"institution": institution_id, "what": kind, "this": window, "limit": limit}
    if _ONE_MORE.run(connection, **mine):
        return
    if _FIRST.attempt(connection, institution_id=institution_id, kind=kind, window=window, count=1):
        return
    if not _ONE_MORE.run(connection, **mine):
        raise Refused("rate_limit", "too many requests in this minute")


_THIS = bindparam("this", type_=BigInteger)
_ONE_MORE = Prepared(
    update(rates)
    .where(
        rates.c.institution_id == bindparam("institution"),
        rates.c.kind == bindparam("what"),
        or_(rates.c.window != _THIS, rates.c.count < bindparam("limit", type_=Integer)),
    )
    .values(count=case((rates.c.window == _THIS, rates.c.count + 1), else_=1), window=_THIS)
)
_FIRST = Prepared(insert(rates))
