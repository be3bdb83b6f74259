"""Secrets that all workers share: made once, by whichever worker needs one first."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select

from issuer.store.engine import reading, writing
from issuer.store.tables import secrets
from vc.clock import to_numeric_date

LENGTH = 32


def shared(engine: Engine, name: str, *, random_bytes: Callable[[int], bytes], now: datetime) -> bytes:
    """The secret of that name, 32 octets, the same in every worker and after a restart."""
    with reading(engine) as connection:
        found = _find(connection, name)
    if found is not None:
        return found
    with writing(engine) as connection:  # one writer at a time: whoever comes second finds it
        found = _find(connection, name)
        if found is None:
            found = random_bytes(LENGTH)
            connection.execute(insert(secrets).values(name=name, value=found, created_at=to_numeric_date(now)))
    return found


def _find(connection: Connection, name: str) -> bytes | None:
    value: bytes | None = connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one_or_none()
    return value
