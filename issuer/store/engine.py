"""The engine and the two kinds of transaction: reading, and writing with the lock taken at the start."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

BUSY_MILLISECONDS = 2_000
HURRIED_MILLISECONDS = 50
HURRIED_SECONDS = 5.0
_WRITING = "portadoc_writing"


def connect(url: str) -> Engine:
    """An engine for `url`. On SQLite: every commit durable (SECURITY 1.4), locks waited for, deleted means erased (P-6).

    Whoever waits for a lock holds up its whole worker. So one waits for two seconds, and after that in vain the next ones for
    five seconds hardly at all: a lock that stays costs 503, not a queue of waiting requests (SECURITY O-7, H-18).
    """
    engine = create_engine(url)
    gave_up_at = -HURRIED_SECONDS

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin later than we say
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MILLISECONDS:d}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writing one fails at once beside another writer, without waiting.
        nonlocal gave_up_at
        if not connection.get_execution_options().get(_WRITING):
            connection.exec_driver_sql("BEGIN")
            return
        hurried = time.monotonic() - gave_up_at < HURRIED_SECONDS
        connection.exec_driver_sql(f"PRAGMA busy_timeout={HURRIED_MILLISECONDS if hurried else BUSY_MILLISECONDS:d}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            gave_up_at = gave_up_at if hurried else time.monotonic()
            raise

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database and changes nothing."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is durable when the block ends, none of it when the block raises."""
    with engine.connect().execution_options(**{_WRITING: True}) as connection, connection.begin():
        yield connection


def changed(result: object) -> int:
    """Number of rows a statement changed: how a one-time claim learns whether it won."""
    return cast("CursorResult[Any]", result).rowcount
