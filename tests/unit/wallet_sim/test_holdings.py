"""The wallet file: mode, atomic replacement, copies used in turn, foreign content (SECURITY W-7)."""

import json
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import new_key
from vc.errors import Malformed, Refused
from wallet_sim.holdings import Copy, Holding, Store, private_jwk


def holding(number: int, copies: int = 1) -> Holding:
    return Holding(
        number=number,
        format="dc+sd-jwt",
        type_id="urn:test",
        configuration_id="test",
        issuer="https://issuer.example",
        received=datetime(2026, 11, 24, tzinfo=UTC),
        copies=tuple(Copy(credential=f"credential-{at}~", key=new_key()) for at in range(copies)),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "wallet.json")


def test_a_missing_file_is_an_empty_wallet(store: Store) -> None:
    assert store.holdings() == ()
    with pytest.raises(Refused, match="holding_unknown"):
        store.holding(1)


def test_what_is_added_comes_back_with_its_keys(store: Store) -> None:
    added = store.add(lambda number: holding(number, copies=2))
    assert added.number == 1
    again = Store(store.path).holding(1)
    assert (again.type_id, again.received, again.issuer) == (added.type_id, added.received, added.issuer)
    assert [copy.key.private_numbers() for copy in again.copies] == [copy.key.private_numbers() for copy in added.copies]
    assert store.add(holding).number == 2


def test_the_file_is_for_its_owner_only(store: Store) -> None:
    store.add(holding)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    store.path.chmod(0o644)
    store.add(holding)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_nothing_half_written_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(holding)
    before = store.path.read_bytes()

    def full_disk(_descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("wallet_sim.holdings.os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        store.add(holding)
    assert store.path.read_bytes() == before
    assert sorted(path.name for path in store.path.parent.iterdir()) == [".wallet.json.lock", "wallet.json"]


def test_each_copy_is_used_once_before_any_is_used_again(store: Store) -> None:
    store.add(lambda number: holding(number, copies=3))
    assert [store.claim_copy(1)[0] for _ in range(4)] == [0, 1, 2, 0]
    assert [copy.uses for copy in store.holding(1).copies] == [2, 1, 1]


def test_the_last_presentation_is_remembered_per_copy(store: Store) -> None:
    store.add(lambda number: holding(number, copies=2))
    store.remember(1, 1, "sent~")
    assert [copy.last for copy in store.holding(1).copies] == [None, "sent~"]


def test_claims_of_unknown_numbers_change_nothing(store: Store) -> None:
    store.add(holding)
    before = store.path.read_bytes()
    with pytest.raises(Refused, match="holding_unknown"):
        store.claim_copy(7)
    assert store.path.read_bytes() == before


def test_two_at_once_lose_nothing(store: Store) -> None:
    threads = [threading.Thread(target=lambda: store.add(holding)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held.number for held in store.holdings()) == list(range(1, 9))


def test_keys_and_credentials_stay_out_of_representations() -> None:
    shown = repr(holding(1))
    assert "credential-0" not in shown
    assert "PrivateKey" not in shown


def stored() -> dict[str, Any]:
    key = new_key()
    return {
        "version": 1,
        "credentials": [
            {
                "number": 1,
                "format": "dc+sd-jwt",
                "type_id": "t",
                "configuration_id": "c",
                "issuer": "i",
                "received": "2026-11-24T00:00:00+00:00",
                "copies": [{"credential": "x~", "key": private_jwk(key), "uses": 0, "last": None}],
            }
        ],
    }


def broken(change: Any) -> str:
    value = stored()
    change(value)
    return json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 3, "credentials": []}',
        '{"version": 1, "version": 1, "credentials": []}',
        broken(lambda value: value["credentials"][0].pop("format")),
        broken(lambda value: value["credentials"][0].update(received="yesterday")),
        broken(lambda value: value["credentials"][0].update(copies=None)),
        broken(lambda value: value["credentials"][0]["copies"][0]["key"].update(d="AAAA")),
        broken(lambda value: value["credentials"][0]["copies"][0]["key"].update(d=private_jwk(new_key())["d"])),
        broken(lambda value: value["credentials"][0]["copies"][0].update(key="k")),
    ],
)  # fmt: skip
def test_a_file_that_is_no_wallet_is_refused(store: Store, text: str) -> None:
    store.path.parent.mkdir()
    store.path.write_text(text)
    with pytest.raises(Malformed):
        store.holdings()
    assert store.path.read_text() == text
