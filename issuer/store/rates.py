"""Limits per institution and minute, counted over all workers (SECURITY H-19)."""

from datetime import datetime

from sqlalchemy import Connection, case, insert, or_, update
from sqlalchemy.exc import IntegrityError

from issuer.store.engine import changed
from issuer.store.tables import rates
from vc.clock import to_numeric_date
from vc.errors import Refused

WINDOW_SECONDS = 60


def claim(connection: Connection, institution_id: str, kind: str, limit: int, now: datetime) -> None:
    """Count one request of this kind. Raises `Refused("rate_limit")` when the minute is full."""
    window = to_numeric_date(now) // WINDOW_SECONDS
    table = rates.c
    one_more = (
        update(rates)
        .where(table.institution_id == institution_id, table.kind == kind, or_(table.window != window, table.count < limit))
        .values(count=case((table.window == window, table.count + 1), else_=1), window=window)
    )
    if changed(connection.execute(one_more)):
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(rates).values(institution_id=institution_id, kind=kind, window=window, count=1))
    except IntegrityError:
        if not changed(connection.execute(one_more)):
            raise Refused("rate_limit", "too many requests in this minute") from None
