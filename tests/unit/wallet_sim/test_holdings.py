"""The wallet file: mode, atomic replacement, copies used in turn, foreign content (SECURITY W-7)."""

import json
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import new_key
from vc.errors import Malformed, Refused
from wallet_sim.holdings import Copy, Grant, Holding, Pending, Store, private_jwk

NOW = datetime(2026, 11, 24, tzinfo=UTC)


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


def grant(name: str = "g", **changes: Any) -> Grant:
    values: dict[str, Any] = {
        "id": name, "credential_issuer": "https://i.example", "server": "https://as.example", "client_id": "wallet",
        "access_token": "secret-access", "expires": NOW, "refresh_token": "secret-refresh", "dpop_key": new_key(),
        "identifiers": {"c": ("c-1", "c-2")},
    }  # fmt: skip
    return Grant(**{**values, **changes})


def pending(number: int, **changes: Any) -> Pending:
    values: dict[str, Any] = {
        "number": number, "grant": "g", "configuration_id": "c", "format": "dc+sd-jwt", "type_id": "t", "issuer": "i",
        "transaction_id": "secret-transaction", "interval": 5, "not_before": NOW, "keys": (new_key(), new_key()),
    }  # fmt: skip
    return Pending(**{**values, **changes})


def test_grants_come_back_as_they_were(store: Store) -> None:
    bare = grant("h", client_id=None, expires=None, refresh_token=None, dpop_key=None, identifiers={})
    for one in (grant(), bare):
        store.keep_grant(one)
    again = Store(store.path)
    assert again.grant("h") == bare
    found = again.grant("g")
    assert (found.client_id, found.access_token, found.expires, found.refresh_token) == (
        "wallet", "secret-access", NOW, "secret-refresh",
    )  # fmt: skip
    assert found.identifiers == {"c": ("c-1", "c-2")}
    assert found.dpop_key is not None
    with pytest.raises(Refused, match="grant_unknown"):
        again.grant("x")


def test_the_instance_key_of_a_server_is_made_once_and_no_other_servers(store: Store) -> None:  # VCI-WIA-9
    one, again = store.instance_key("https://a.example"), Store(store.path).instance_key("https://a.example")
    other = store.instance_key("https://b.example")
    assert one.private_numbers() == again.private_numbers()
    assert one.public_key() != other.public_key()


def test_what_is_to_come_has_its_number_already(store: Store) -> None:
    store.add(holding)
    store.keep_grant(grant())
    awaited = store.defer(pending)
    assert awaited.number == 2
    assert store.add(holding).number == 3
    later = store.postpone(2, interval=9, not_before=NOW.replace(hour=1))
    found = Store(store.path).pending(2)
    assert (found.interval, found.not_before) == (later.interval, later.not_before) == (9, NOW.replace(hour=1))
    assert [key.public_key() for key in found.keys] == [key.public_key() for key in awaited.keys]
    store.settle(2, holding(2))
    assert store.contents().pending == []
    assert sorted(held.number for held in store.holdings()) == [1, 2, 3]
    with pytest.raises(Refused, match="holding_unknown"):
        store.pending(2)


def test_tokens_nothing_depends_on_are_forgotten(store: Store) -> None:
    store.keep_grant(grant())
    store.defer(pending)
    store.add(lambda number: replace(holding(number), grant="h"))
    store.keep_grant(grant("h"))
    store.settle(1, None)
    assert list(store.contents().grants) == ["h"]
    renewed = store.renew(2, copies=holding(2, copies=2).copies, received=NOW, grant=None)
    assert (renewed.number, len(renewed.copies), renewed.grant) == (2, 2, None)
    assert store.contents().grants == {}


def test_a_file_of_the_first_edition_is_read_and_kept(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.write_text(json.dumps(stored()))
    assert [held.grant for held in store.holdings()] == [None]
    store.add(holding)
    assert json.loads(store.path.read_text())["version"] == 2
    assert [held.number for held in store.holdings()] == [1, 2]


def test_tokens_and_keys_stay_out_of_representations() -> None:
    shown = repr(grant()) + repr(pending(1))
    assert "secret" not in shown
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
