"""The writer: together on the disk, alone in success and failure; nobody is answered before what he wrote is durable."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, bindparam, event, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from issuer import migrations
from issuer.store import connect
from issuer.store.engine import Reader, writing
from issuer.store.prepared import Prepared, execute
from issuer.store.tables import nonces, notifications, secrets
from issuer.store.writer import Writer
from vc.errors import Refused, Unreachable

_ADD = Prepared(insert(nonces))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = connect(f"sqlite:///{tmp_path / 'issuer.db'}")
    migrations.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def commits(engine: Engine) -> list[int]:
    """Grows by one with each commit."""
    seen: list[int] = []
    event.listen(engine, "commit", lambda connection: seen.append(1))
    return seen


def _run(engine: Engine, use: Callable[[Writer], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        writer = Writer(engine)
        try:
            return await use(writer)
        finally:
            await writer.close()

    return asyncio.run(main())


def _add(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        _ADD.run(connection, nonce_sha256=name, institution_id="a", purpose="c_nonce", expires_at=1)
        return name

    return work


def _failing(name: str, error: Exception) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        _add(name)(connection)
        raise error

    return work


def _stored(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(nonces.c.nonce_sha256)).scalars())


def test_what_comes_together_is_committed_together(engine: Engine, commits: list[int]) -> None:
    """PERFORMANCE section 5."""
    names = [f"n{number}" for number in range(40)]

    async def use(writer: Writer) -> Any:
        return await asyncio.gather(*(writer.run(_add(name)) for name in names))

    assert _run(engine, use) == names
    assert _stored(engine) == set(names)
    assert len(commits) == 1


def test_a_group_is_bounded(engine: Engine, commits: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuer.store.writer.TOGETHER", 8)

    async def use(writer: Writer) -> Any:
        await asyncio.gather(*(writer.run(_add(f"n{number}")) for number in range(20)))

    _run(engine, use)
    assert len(_stored(engine)) == 20
    assert len(commits) == 3


def test_the_answer_comes_after_the_commit_and_the_commit_is_durable(engine: Engine) -> None:
    """SECURITY O-1: another connection sees it at that moment; FULL synchronisation, as everywhere."""

    async def use(writer: Writer) -> Any:
        level = await writer.run(lambda connection: execute(connection, "PRAGMA synchronous").fetchone()[0])
        for number in range(5):
            await writer.run(_add(f"n{number}"))
            assert f"n{number}" in _stored(engine)
        return level

    assert _run(engine, use) == 2


def test_nobody_is_answered_while_the_commit_is_under_way(engine: Engine) -> None:
    """The commit runs beside the event loop; what comes meanwhile waits for the next one."""
    held, reached = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        reached.set()
        held.wait(5)

    async def use(writer: Writer) -> None:
        event.listen(engine, "commit", hold, once=True)
        first = asyncio.create_task(writer.run(_add("first")))
        assert await asyncio.to_thread(reached.wait, 5)
        second = asyncio.create_task(writer.run(_add("second")))
        await asyncio.sleep(0.02)
        assert not first.done()
        assert not second.done()
        assert _stored(engine) == set()
        held.set()
        assert list(await asyncio.gather(first, second)) == ["first", "second"]

    _run(engine, use)
    assert _stored(engine) == {"first", "second"}


def test_a_work_that_fails_undoes_itself_and_nothing_else(engine: Engine, commits: list[int]) -> None:
    async def use(writer: Writer) -> Any:
        works = [_add("a"), _failing("b", Refused("nonce_spent", "")), _add("c"), _failing("d", ZeroDivisionError()), _add("a")]
        return await asyncio.gather(*(writer.run(work) for work in works), return_exceptions=True)

    a, b, c, d, again = _run(engine, use)
    assert (a, c) == ("a", "c")
    assert isinstance(b, Refused)
    assert isinstance(d, ZeroDivisionError)
    assert isinstance(again, IntegrityError)
    assert _stored(engine) == {"a", "c"}
    assert len(commits) == 1


def test_a_commit_that_fails_fails_all_of_its_group_and_nobody_else(engine: Engine) -> None:
    """What one saw of another's work was never there, so every answer is taken back."""

    def poison(connection: Connection) -> None:
        execute(connection, "PRAGMA defer_foreign_keys=ON")
        row = {"notification_id": "none", "event": "credential_accepted", "event_description": None, "received_at": 1}
        Prepared(insert(notifications)).run(connection, **row)

    async def use(writer: Writer) -> Any:
        works = [_add("a"), poison, _failing("b", Refused("nonce_spent", ""))]
        failed = await asyncio.gather(*(writer.run(work) for work in works), return_exceptions=True)
        return failed, await writer.run(_add("next"))

    failed, after = _run(engine, use)
    assert [type(error) for error in failed] == [IntegrityError] * 3
    assert after == "next"
    assert _stored(engine) == {"next"}


def test_the_lock_of_another_process_is_waited_for_beside_the_event_loop(engine: Engine, tmp_path: Path) -> None:
    """SECURITY O-7: other requests are served meanwhile."""
    other = sqlite3.connect(tmp_path / "issuer.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def use(writer: Writer) -> None:
        waiting = asyncio.create_task(writer.run(_add("late")))
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert not waiting.done()
        other.execute("ROLLBACK")
        assert await waiting == "late"

    _run(engine, use)
    other.close()
    assert _stored(engine) == {"late"}


def test_a_lock_that_stays_fails_the_group_and_then_all_is_well_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One waits, the next ones hardly at all, as with every writer (SECURITY O-7, H-18)."""
    monkeypatch.setattr("issuer.store.engine.BUSY_MILLISECONDS", 300)
    monkeypatch.setattr("issuer.store.engine.HURRIED_MILLISECONDS", 10)
    other = sqlite3.connect(tmp_path / "issuer.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def use(writer: Writer) -> list[float]:
        waited = []
        for _ in range(3):
            begun = time.monotonic()
            with pytest.raises(OperationalError):
                await writer.run(_add("n"))
            waited.append(time.monotonic() - begun)
        other.execute("ROLLBACK")
        assert await writer.run(_add("n")) == "n"
        return waited

    waited = _run(engine, use)
    other.close()
    assert waited[0] >= 0.25
    assert sum(waited[1:]) < waited[0]


def test_the_queue_is_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY H-19: 503, not memory without end."""
    monkeypatch.setattr("issuer.store.writer.WAITING", 2)

    async def use(writer: Writer) -> Any:
        return await asyncio.gather(*(writer.run(_add(f"n{number}")) for number in range(4)), return_exceptions=True)

    one, two, three, four = _run(engine, use)
    assert (one, two) == ("n0", "n1")
    assert all(isinstance(refused, Unreachable) and refused.code == "writer_busy" for refused in (three, four))
    assert _stored(engine) == {"n0", "n1"}


def test_a_caller_who_left_before_his_turn_writes_nothing(engine: Engine) -> None:
    async def use(writer: Writer) -> None:
        stays, leaves = asyncio.create_task(writer.run(_add("stays"))), asyncio.create_task(writer.run(_add("leaves")))
        asyncio.get_running_loop().call_soon(leaves.cancel)
        await asyncio.sleep(0)
        leaves.cancel()
        assert await stays == "stays"
        with pytest.raises(asyncio.CancelledError):
            await leaves

    _run(engine, use)
    assert "stays" in _stored(engine)


def test_closing_finishes_what_waits_and_a_later_run_opens_again(engine: Engine) -> None:
    async def use(writer: Writer) -> None:
        waiting = asyncio.create_task(writer.run(_add("before")))
        await asyncio.sleep(0)
        await writer.close()
        assert await waiting == "before"
        assert await writer.run(_add("after")) == "after"

    _run(engine, use)
    assert _stored(engine) == {"before", "after"}


def test_a_kept_reader_sees_the_newest_state(engine: Engine) -> None:
    """Also after a statement that began a transaction of its own."""
    reader, count = Reader(engine), select(func.count()).select_from(nonces)
    find = Prepared(select(nonces.c.expires_at).where(nonces.c.nonce_sha256 == bindparam("name")))
    for turn in range(3):
        with reader as connection:
            assert find.one(connection, name=f"n{turn}") is None
            assert connection.execute(count).scalar_one() == turn
        with writing(engine) as connection:
            _add(f"n{turn}")(connection)
        with reader as connection:
            assert find.one(connection, name=f"n{turn}") == (1,)
    reader.close()


def test_a_prepared_statement_begins_a_transaction_before_it_changes_anything(engine: Engine) -> None:
    """Otherwise half of what a caller writes would stay when he rolls back."""
    with engine.connect() as connection:
        _add("n")(connection)
        connection.rollback()
    assert _stored(engine) == set()


def test_a_prepared_insert_that_a_constraint_forbids_leaves_the_transaction_whole(engine: Engine) -> None:
    add = Prepared(insert(secrets))
    with writing(engine) as connection:
        assert add.attempt(connection, name="dpop_nonce", value=b"1", created_at=1)
        assert not add.attempt(connection, name="dpop_nonce", value=b"2", created_at=2)
        _add("n")(connection)
    with engine.connect() as connection:
        assert connection.execute(select(secrets.c.value)).scalar_one() == b"1"
    assert _stored(engine) == {"n"}


def test_an_error_of_the_database_does_not_tell_the_values(engine: Engine) -> None:
    """SECURITY P-1: they are about persons."""
    with writing(engine) as connection:
        _add("personal-value")(connection)
        with pytest.raises(IntegrityError) as caught:
            _add("personal-value")(connection)
    assert "personal-value" not in str(caught.value)
