"""Sign-ins in the store: ended by the first in one statement, and nothing personal outlives its use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text

from tests.support.pki import NOW
from tests.unit.verifier.test_store import transaction
from verifier import migrations
from verifier.migrations import is_current, upgrade
from verifier.store.authorizations import REMEMBERED, Authorization, Authorizations
from verifier.store.tables import connect, metadata
from verifier.store.transactions import Transactions

LATER = NOW + timedelta(seconds=300)
CLAIMS = {"family_name": "MARTIN"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/verifier.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = connect(url)
    upgrade(engine)
    yield engine
    engine.dispose()


def authorization(name: str = "a", **changes: Any) -> Authorization:
    values: dict[str, Any] = {
        "authorization_id": f"authorization-{name}",
        "client_id": "client",
        "redirect_uri": "https://client.example/back",
        "state": "s",
        "nonce": None,
        "code_challenge": "c",
        "session_sha256": "0" * 64,
        "same_device_id": f"transaction-{name}",
        "cross_device_id": f"transaction-{name}-cross",
        "created_at": NOW,
        "expires_at": LATER,
    }
    return Authorization(**{**values, **changes})


def begun(engine: Engine, name: str = "a", **changes: Any) -> Authorizations:
    """One open sign-in with its two questions."""
    for suffix in (name, f"{name}-cross"):
        Transactions(engine).add(transaction(suffix, result={"outcome": "accept", "document": CLAIMS}))
    store = Authorizations(engine)
    store.add(authorization(name, **changes))
    return store


def grant(store: Authorizations, code: str = "code", **changes: Any) -> bool:
    values = {"code_sha256": code, "claims": CLAIMS, "now": NOW, "expires_at": NOW + timedelta(seconds=60), **changes}
    return store.grant("authorization-a", **values)


def test_what_was_stored_is_read_back(engine: Engine) -> None:
    store = begun(engine)

    assert store.get("authorization-a") == authorization()
    assert store.of_same_device("transaction-a") == authorization()
    assert store.of_same_device("transaction-a-cross") is None
    assert store.get("transaction-a") is None


def test_a_grant_gives_one_code_and_takes_the_questions_away(engine: Engine) -> None:
    store = begun(engine)

    assert grant(store)
    assert not grant(store, "another")
    found = store.get("authorization-a")
    assert found is not None
    assert (found.code_sha256, found.claims, found.auth_time) == ("code", CLAIMS, NOW)
    assert Transactions(engine).by_transaction("transaction-a") is None
    assert Transactions(engine).by_transaction("transaction-a-cross") is None


def test_a_sign_in_that_is_over_gives_no_code(engine: Engine) -> None:
    store = begun(engine)

    assert not grant(store, now=LATER)
    assert Transactions(engine).by_transaction("transaction-a") is not None


def test_a_code_is_for_its_client_and_its_time(engine: Engine) -> None:
    store = begun(engine)
    grant(store)

    assert store.redeem("other", client_id="client", now=NOW) is None
    assert store.redeem("code", client_id="other", now=NOW) is None
    assert store.redeem("code", client_id="client", now=NOW + timedelta(seconds=60)) is None
    found = store.redeem("code", client_id="client", now=NOW + timedelta(seconds=59))
    assert found is not None
    assert found.claims == CLAIMS
    assert store.redeem("code", client_id="client", now=NOW) is None
    assert store.get("authorization-a") is None


def test_many_workers_get_one_code_and_one_token(url: str, engine: Engine) -> None:
    begun(engine)
    engines = [connect(url) for _ in range(4)]
    stores = [Authorizations(one) for one in engines]
    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(lambda n: grant(stores[n % 4], f"code-{n}"), range(8)))
    code = f"code-{granted.index(True)}"
    with ThreadPoolExecutor(8) as pool:
        redeemed = list(pool.map(lambda n: stores[n % 4].redeem(code, client_id="client", now=NOW), range(8)))
    for one in engines:
        one.dispose()

    assert granted.count(True) == 1
    assert sum(found is not None for found in redeemed) == 1


def test_open_ones_are_counted_by_client(engine: Engine) -> None:
    store = begun(engine)
    begun(engine, "b", client_id="other")
    begun(engine, "c", expires_at=NOW)

    assert store.count("client", NOW) == 1
    assert store.count("nobody", NOW) == 0


def test_purging_erases_the_person_first_and_the_rest_later(engine: Engine) -> None:
    store = begun(engine)
    grant(store)
    begun(engine, "b")
    begun(engine, "c", expires_at=LATER + timedelta(days=1))
    store.purge(LATER)

    over = store.get("authorization-a")
    assert over is not None
    assert over.claims is None
    assert store.redeem("code", client_id="client", now=NOW) == over, "even then there is nothing to give away"
    assert store.get("authorization-b") is not None
    assert Transactions(engine).by_transaction("transaction-b") is None
    assert Transactions(engine).by_transaction("transaction-c") is not None
    store.purge(LATER + REMEMBERED)
    assert store.get("authorization-b") is None
    assert store.get("authorization-c") is not None


def test_an_older_database_is_brought_up_to_date_with_what_is_in_it(url: str) -> None:
    """O-17: transactions of the first schema live on."""
    engine = connect(url)
    with engine.begin() as connection:
        command.upgrade(migrations._config(connection), "0001")
    with engine.begin() as connection:
        columns = [column["name"] for column in inspect(connection).get_columns("verifier_transactions")]
        values = {**dict.fromkeys(columns, "x"), "created_at": 1, "expires_at": 2, "state": "pending"}
        values |= dict.fromkeys(("question", "request", "encryption_key", "result", "last_refusal"), "{}")
        names = ", ".join(columns)
        connection.execute(text(f"INSERT INTO verifier_transactions ({names}) VALUES (:{', :'.join(columns)})"), values)
    assert not is_current(engine)
    upgrade(engine)

    assert is_current(engine)
    found = Transactions(engine).by_transaction("x")
    assert found is not None
    assert (found.return_uri, found.response_code_sha256) == (None, None)
    inspected = inspect(engine)
    for table in metadata.sorted_tables:
        assert {column["name"] for column in inspected.get_columns(table.name)} == {column.name for column in table.columns}
    with engine.begin() as connection:
        command.downgrade(migrations._config(connection), "0001")
    assert "verifier_authorizations" not in inspect(engine).get_table_names()
    engine.dispose()
