"""The engine and the two kinds of transaction: reading, and writing with the lock taken at the start."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import orjson
from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from issuer.store.prepared import execute
from vc.encoding import json

BUSY_MILLISECONDS = 2_000
HURRIED_MILLISECONDS = 50
HURRIED_SECONDS = 5.0
_WRITING = "portadoc_writing"
_PATIENT, _AT_ONCE = "patient", "at once"


def connect(url: str) -> Engine:
    """An engine for `url`. On SQLite: every commit durable (SECURITY 1.4), locks waited for, deleted means erased (P-6).

    Whoever waits for a lock holds up its whole worker. So one waits for two seconds, and after that in vain the next ones for
    five seconds hardly at all: a lock that stays costs 503, not a queue of waiting requests (SECURITY O-7, H-18).
    """
    engine = create_engine(url, json_serializer=_to_json, json_deserializer=orjson.loads)  # our own texts: not judged again
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
        how = connection.get_execution_options().get(_WRITING)
        if how is None:
            connection.exec_driver_sql("BEGIN")
            return
        if how == _AT_ONCE:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        hurried = time.monotonic() - gave_up_at < HURRIED_SECONDS
        connection.exec_driver_sql(f"PRAGMA busy_timeout={HURRIED_MILLISECONDS if hurried else BUSY_MILLISECONDS:d}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            gave_up_at = gave_up_at if hurried else time.monotonic()
            raise

    return engine


def _to_json(value: Any) -> str:
    return json.dumps(value).decode("utf-8")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database and changes nothing."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is durable when the block ends, none of it when the block raises."""
    with engine.connect().execution_options(**{_WRITING: _PATIENT}) as connection, connection.begin():
        yield connection


def at_once(engine: Engine) -> Connection:
    """A connection to be kept. Its transactions write, and fail to begin when somebody else has the lock, without waiting."""
    connection = engine.connect().execution_options(**{_WRITING: _AT_ONCE})
    execute(connection, "PRAGMA busy_timeout=0")
    return connection


class Reader:
    """A kept connection for the reads of one thread, the event loop's: opening one for each costs more than reading.

    Each statement sees the newest state that is committed, so two of them may see different ones: what must hold together is
    checked again by whoever writes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def __enter__(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def __exit__(self, *_: object) -> None:
        if self._connection is not None and self._connection.in_transaction():
            self._connection.rollback()  # a statement that is not prepared began one; the next read must not see its old state

    def close(self) -> None:
        """Let go of the connection; the next read opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def changed(result: object) -> int:
    """Number of rows a statement changed: how a one-time claim learns whether it won."""
    return cast("CursorResult[Any]", result).rowcount
