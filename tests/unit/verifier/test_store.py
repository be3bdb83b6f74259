"""The store: one life per transaction, ended by the first in one statement; two engines over one file stand for two workers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from tests.support.pki import NOW
from trust_list.status_memory import KeptToken
from verifier.migrations import is_current, upgrade
from verifier.store.status_tokens import StatusTokens
from verifier.store.tables import connect, metadata
from verifier.store.transactions import State, Transaction, Transactions

LATER = NOW + timedelta(seconds=300)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/verifier.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = connect(url)
    upgrade(engine)
    yield engine
    engine.dispose()


def transaction(name: str = "a", **changes: Any) -> Transaction:
    values: dict[str, Any] = {
        "transaction_id": f"transaction-{name}",
        "request_id": f"request-{name}",
        "state": State.PENDING,
        "created_at": NOW,
        "expires_at": LATER,
        "question": {"purpose": "a1-inspection"},
        "request": {"nonce": "n"},
        "request_object": "e.y.J",
        "request_state": "state",
        "encryption_key": {"kty": "EC"},
    }
    return Transaction(**{**values, **changes})


def test_what_was_stored_is_read_back(engine: Engine) -> None:
    store = Transactions(engine)
    store.add(transaction())

    assert store.by_request("request-a") == transaction()
    assert store.by_transaction("transaction-a") == transaction()
    assert store.by_request("transaction-a") is None
    assert store.by_transaction("request-a") is None


def test_a_claim_succeeds_once_and_erases_the_key(engine: Engine) -> None:
    store = Transactions(engine)
    store.add(transaction())

    assert store.claim("request-a", NOW)
    assert not store.claim("request-a", NOW)
    claimed = store.by_request("request-a")
    assert claimed is not None
    assert claimed.state is State.PROCESSING
    assert claimed.encryption_key is None


def test_of_many_claimants_on_two_workers_one_wins(url: str, engine: Engine) -> None:
    """SECURITY 4.1: parallel one-time use."""
    other = connect(url)
    stores = [Transactions(engine), Transactions(other)]
    for number in range(20):
        stores[0].add(transaction(str(number)))

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            wins = list(pool.map(lambda n, i=number: stores[n % 2].claim(f"request-{i}", NOW), range(8)))
            assert wins.count(True) == 1
    other.dispose()


@pytest.mark.parametrize(
    ("now", "claimed"), [(LATER - timedelta(seconds=1), True), (LATER, False), (LATER + timedelta(days=1), False)]
)
def test_an_expired_one_is_not_claimed(engine: Engine, now: Any, claimed: bool) -> None:
    store = Transactions(engine)
    store.add(transaction())

    assert store.claim("request-a", now) is claimed
    assert not store.fail("request-a", {"code": "access_denied"}, now)


def test_a_verdict_is_stored_only_for_a_claimed_one(engine: Engine) -> None:
    store = Transactions(engine)
    store.add(transaction())

    store.finish("request-a", {"outcome": "accept"})
    unclaimed = store.by_request("request-a")
    store.claim("request-a", NOW)
    store.finish("request-a", {"outcome": "reject"})
    store.finish("request-a", {"outcome": "accept"})
    finished = store.by_request("request-a")

    assert unclaimed is not None
    assert unclaimed.result is None
    assert finished is not None
    assert (finished.state, finished.result) == (State.ANSWERED, {"outcome": "reject"})


def test_a_wallet_error_ends_an_open_one_only(engine: Engine) -> None:
    store = Transactions(engine)
    store.add(transaction())

    assert store.fail("request-a", {"code": "access_denied"}, NOW)
    assert not store.claim("request-a", NOW)
    assert not store.fail("request-a", {"code": "other"}, NOW)
    failed = store.by_request("request-a")
    assert failed is not None
    assert (failed.state, failed.result, failed.encryption_key) == (State.FAILED, {"code": "access_denied"}, None)


def test_a_refusal_is_remembered_and_changes_nothing_else(engine: Engine) -> None:
    store = Transactions(engine)
    store.add(transaction())

    store.note_refusal("request-a", {"code": "invalid_request"})

    assert store.by_request("request-a") == transaction(last_refusal={"code": "invalid_request"})
    assert store.claim("request-a", NOW)


@pytest.mark.parametrize(
    ("state", "now", "shown"),
    [
        (State.PENDING, NOW, State.PENDING),
        (State.PENDING, LATER, State.EXPIRED),
        (State.PROCESSING, NOW, State.PENDING),
        (State.PROCESSING, LATER, State.EXPIRED),
        (State.ANSWERED, LATER, State.ANSWERED),
        (State.FAILED, LATER, State.FAILED),
    ],
)
def test_the_state_shown(state: State, now: Any, shown: State) -> None:
    assert transaction(state=state).shown_state(now) is shown


def test_purging_removes_what_expired_before_and_leaves_no_trace_in_the_file(engine: Engine, tmp_path: Path) -> None:
    """P-6: removed at the set time, at the boundary, also from the write-ahead log."""
    store = Transactions(engine)
    store.add(transaction("old", result={"document": "MARKED-VALUE-4711"}))
    store.add(transaction("new", expires_at=LATER + timedelta(seconds=1)))

    assert store.purge(LATER) == 0
    assert store.purge(LATER + timedelta(seconds=1)) == 1
    assert store.by_request("request-old") is None
    assert store.by_request("request-new") is not None
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    assert not any(b"MARKED-VALUE-4711" in file.read_bytes() for file in tmp_path.iterdir())


def test_the_newest_status_token_is_kept(engine: Engine) -> None:
    """S-8: an older list never replaces a newer one."""
    store = StatusTokens(engine)
    first = KeptToken(token=b"1", issued_at=NOW, fetched_at=NOW)
    newer = KeptToken(token=b"2", issued_at=NOW + timedelta(seconds=1), fetched_at=LATER)
    store.put("https://a/1", "jwt", first)
    store.put("https://a/1", "jwt", newer)
    store.put("https://a/1", "jwt", first)

    assert store.get("https://a/1", "jwt") == newer
    assert store.get("https://a/1", "cwt") is None
    assert store.get("https://a/2", "jwt") is None


def test_the_migrations_make_the_tables_the_code_uses(url: str) -> None:
    engine = connect(url)
    assert not is_current(engine)

    upgrade(engine)
    upgrade(engine)

    assert is_current(engine)
    found = inspect(engine)
    for table in metadata.tables.values():
        columns = {column["name"]: column for column in found.get_columns(table.name)}
        assert set(columns) == set(table.columns.keys())
        assert {name for name, column in columns.items() if not column["nullable"]} == {
            column.name for column in table.columns if not column.nullable
        }
    assert [index["column_names"] for index in found.get_indexes("verifier_transactions") if not index["unique"]] == [
        ["expires_at"]
    ]
    engine.dispose()
