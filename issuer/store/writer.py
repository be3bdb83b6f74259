"""One writer per process: what many requests want to write at the same time is committed together (PERFORMANCE section 5).

A commit that is durable costs the disk's time, whatever is in it. So while one commit is under way, work queues up, and all of
it goes into the next transaction. Each piece of work is as alone as if it had its own: it fails alone, and nobody is told that
it succeeded before the commit that holds it has.

The statements run on the event loop's thread, for there the interpreter is anyway; only waiting (for the disk, or for a lock of
another process) is done in a thread of its own.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from issuer.store.engine import at_once, writing
from issuer.store.prepared import execute
from vc.errors import Unreachable

T = TypeVar("T")
WAITING, TOGETHER = 2_000, 64
"""Most pieces of work that wait, and that share a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    work: Callable[[Connection], Any]
    answer: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class Writer:
    """Runs work in transactions of `engine`. Used from one event loop at a time; opens and closes by itself what it needs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Piece] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, once everything it wrote is durable.

        `work` writes through the connection it is handed, is quick, and neither commits nor keeps the connection. When it
        raises, what it wrote is undone and the caller gets the error. Raises `DBAPIError` when the commit failed: then nothing
        was written. Raises `Unreachable("writer_busy")` when too much is waiting.
        """
        if len(self._waiting) >= WAITING:
            raise Unreachable("writer_busy", "too much is waiting to be written")
        loop = asyncio.get_running_loop()
        piece = _Piece(work=work, answer=loop.create_future())
        self._waiting.append(piece)
        if self._writing is None:
            self._writing = loop.create_task(self._write_all())
        result: T = await piece.answer
        return result

    async def close(self) -> None:
        """Finish what waits, then let go of connection and thread. A later `run` opens them again."""
        if self._writing is not None:
            await self._writing
        self._let_go()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    async def _write_all(self) -> None:
        group: list[_Piece] = []
        try:
            while self._waiting:
                count = min(TOGETHER, len(self._waiting))
                group = [piece for piece in (self._waiting.popleft() for _ in range(count)) if not piece.answer.done()]
                await self._write(group)
        finally:
            self._writing = None
            for piece in (*group, *self._waiting):  # only left when this task itself was ended
                piece.answer.cancel()
            self._waiting.clear()

    async def _write(self, group: Sequence[_Piece]) -> None:
        """One transaction; every answer of `group` is given afterwards."""
        try:
            if self._begin():
                outcomes = _perform(self._connected(), group)
                await self._aside(self._connected().commit)
            else:
                outcomes = await self._aside(lambda: self._patiently(group))
        except SQLAlchemyError as exc:
            self._let_go()
            outcomes = [_Failed(exc)] * len(group)
        for piece, outcome in zip(group, outcomes, strict=True):
            if piece.answer.done():  # the caller is gone
                continue
            if isinstance(outcome, _Failed):
                piece.answer.set_exception(outcome.error)
            else:
                piece.answer.set_result(outcome)

    def _begin(self) -> bool:
        """Begin at once; False when another process holds the lock (or the database is in trouble, as will be seen)."""
        try:
            self._connected().begin()
        except OperationalError:
            return False
        return True

    def _patiently(self, group: Sequence[_Piece]) -> list[Any]:
        """Wait for the lock as every writer does, in the other thread. The lock is never held while the loop is waited for."""
        with writing(self._engine) as connection:
            return _perform(connection, group)

    async def _aside(self, wait: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "writer")
        return await asyncio.get_running_loop().run_in_executor(self._thread, wait)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = at_once(self._engine)
        return self._connection

    def _let_go(self) -> None:
        """Close the connection; what is not committed is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # it does not go back to the others: it has no patience
            connection.close()


def _perform(connection: Connection, group: Sequence[_Piece]) -> list[Any]:
    """The outcome of each piece of work, those that failed undone. Raises `DBAPIError` when the transaction itself is broken."""
    outcomes: list[Any] = []
    for piece in group:
        execute(connection, "SAVEPOINT piece")
        try:
            outcomes.append(piece.work(connection))
        except Exception as exc:  # noqa: BLE001 - it goes to the one who handed in the work, whatever it is
            outcomes.append(_Failed(exc))
            execute(connection, "ROLLBACK TO SAVEPOINT piece")
        execute(connection, "RELEASE SAVEPOINT piece")
    return outcomes
