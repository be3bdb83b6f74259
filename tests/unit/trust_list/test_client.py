"""The consumer: outage and alarm, floors that survive, states that run out (TRUST 7.2; SECURITY T-2 … T-4, T-10, T-12)."""

import threading
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.support.pki import NOW
from tests.support.trust import LISTS, Institution, ListOperator, ListServer, uri
from tests.unit.trust_list.test_decide import ask
from trust_list import model
from trust_list.client import BACK_OFF_LIMIT, TrustClient
from trust_list.decide import Outcome, evaluate
from trust_list.keeping import kept_fresh
from trust_list.pacing import until_next
from trust_list.snapshot import Freshness
from trust_list.state import StateStore
from vc.errors import VcError

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class World:
    """A list server, a clock that is told, a root file and a state directory."""

    def __init__(self, operator: ListOperator, folder: Path) -> None:
        self.operator, self.folder = operator, folder
        self.now = NOW
        self.server = ListServer()
        self.write_root(operator.root())

    def write_root(self, root: Any) -> None:
        (self.folder / "root.json").write_bytes(root.render())

    def publish(self, lote: model.LoTE, list_id: str = "pub-eaa") -> None:
        self.server.put(list_id, self.operator.seal(lote))

    def client(self, **how: Any) -> TrustClient:
        return TrustClient(self.folder / "root.json", self.folder / "state", self.server, lambda: self.now, 2, **how)

    def asked(self, list_id: str = "pub-eaa") -> list[dict[str, str]]:
        return [headers for url, headers in self.server.asked if url == uri(list_id)]


@pytest.fixture
def world(operator: ListOperator, urssaf: Institution, tmp_path: Path) -> World:
    made = World(operator, tmp_path)
    made.publish(operator.lote(urssaf.draft(), sequence=5))
    made.publish(operator.lote(list_id="pid"), "pid")
    made.publish(operator.lote(list_id="wallet"), "wallet")
    return made


def sequence(client: TrustClient) -> int | None:
    accepted = client.snapshot().lists["pub-eaa"].accepted
    return accepted.sequence if accepted else None


def test_fetches_every_list_of_the_root(world: World) -> None:
    known = world.client().snapshot()
    assert {list_id: item.freshness(NOW) for list_id, item in known.lists.items()} == dict.fromkeys(LISTS, Freshness.FRESH)
    assert (known.root_version, known.clock_floor) == (1, NOW)
    assert all(headers["accept"] == "application/jose" for _, headers in world.server.asked)


def test_asks_again_only_when_due_and_with_the_validator(world: World) -> None:
    client = world.client()
    client.snapshot()
    client.snapshot()
    assert len(world.asked()) == 1
    world.now += 2 * SECOND
    assert client.snapshot().lists["pub-eaa"].checked_at == world.now
    assert len(world.asked()) == 2
    assert "if-none-match" not in world.asked()[0]
    assert world.asked()[1]["if-none-match"]


def test_a_new_edition_is_used_at_once(world: World, operator: ListOperator, cnam: Institution) -> None:
    client = world.client()
    assert sequence(client) == 5
    world.now += 2 * SECOND
    world.publish(operator.lote(cnam.draft(), sequence=6))
    assert sequence(client) == 6


def test_an_outage_keeps_the_list_until_its_own_end(world: World, urssaf: Institution) -> None:
    """Unreachable: FRESH, AGEING, EXPIRED; then nothing may be concluded."""
    client = world.client()
    client.snapshot()
    world.server.trouble = "down"
    seen = []
    for age in (timedelta(0), timedelta(minutes=2), timedelta(hours=23), timedelta(hours=24, seconds=1)):
        world.now = NOW + age
        known = client.refresh(force=True)
        item = known.lists["pub-eaa"]
        assert item.outage is not None
        assert item.outage.code == "unreachable"
        assert item.alarm is None
        seen.append((item.freshness(world.now), evaluate(ask(urssaf.seal, t_now=world.now), known).outcome))
    assert seen == [
        (Freshness.FRESH, Outcome.TRUSTED),
        (Freshness.AGEING, Outcome.TRUSTED),
        (Freshness.AGEING, Outcome.TRUSTED),
        (Freshness.EXPIRED, Outcome.INDETERMINATE),
    ]
    world.server.trouble = None
    recovered = client.refresh(force=True).lists["pub-eaa"]
    assert recovered.freshness(world.now) is Freshness.FRESH
    assert recovered.outage is None


@pytest.mark.parametrize(
    ("trouble", "code"), [("down", "unreachable"), ("slow", "timeout"), ("status", "status"), ("redirect", "status")]
)
def test_outages_by_name(world: World, trouble: str, code: str) -> None:
    world.server.trouble = trouble
    item = world.client().refresh().lists["pub-eaa"]
    assert item.outage is not None
    assert (item.outage.code, item.outage.count, item.freshness(NOW)) == (code, 1, Freshness.NEVER)


def test_a_list_over_the_limit_is_an_outage(world: World) -> None:
    client = world.client()
    client.snapshot()
    world.server.put("pub-eaa", b"x" * 8_000_000)
    item = client.refresh(force=True).lists["pub-eaa"]
    assert item.outage is not None
    assert item.outage.code == "too_large"
    assert item.accepted is not None


def test_a_bad_list_is_an_alarm_and_replaces_nothing(world: World, operator: ListOperator, urssaf: Institution) -> None:
    client = world.client()
    client.snapshot()
    stranger = operator.new_signer()
    offers = {
        "list_signer_unpinned": operator.seal(operator.lote(urssaf.draft(), sequence=6), signer=stranger),
        "sequence_rollback": operator.seal(operator.lote(urssaf.draft(), sequence=4)),
        "sequence_conflict": operator.seal(operator.lote(sequence=5)),
        "list_expired": operator.seal(operator.lote(urssaf.draft(), sequence=6, issued=NOW, valid_for=SECOND)),
        "issued_in_future": operator.seal_changed(
            operator.lote(urssaf.draft(), sequence=6, issued=NOW + timedelta(hours=1)), header={"iat": int(NOW.timestamp())}
        ),
        "list_type": operator.seal(operator.lote(list_id="pid", sequence=9)),
        "jws": b"<html>not found</html>",
        "json_duplicate_member": operator.seal_bytes(b'{"LoTE":{},"LoTE":{}}'),
    }
    world.now += 2 * SECOND
    for number, (code, body) in enumerate(offers.items(), start=1):
        world.server.put("pub-eaa", body)
        item = client.refresh(force=True).lists["pub-eaa"]
        assert item.alarm is not None
        assert item.alarm.code == code, number
        assert item.accepted is not None
        assert item.accepted.sequence == 5
    assert client.refresh(force=True).lists["pub-eaa"].alarm.count == 2  # type: ignore[union-attr]  # the last one, again
    restarted = world.client().snapshot().lists["pub-eaa"]
    assert restarted.accepted is not None
    assert restarted.accepted.sequence == 5


def test_backs_off_and_counts(world: World) -> None:
    client = world.client()
    client.snapshot()
    world.server.trouble = "down"
    asked = len(world.asked())
    moments = []
    for _ in range(1800):
        world.now += SECOND
        client.refresh()
        if len(world.asked()) > asked:
            asked = len(world.asked())
            moments.append(world.now)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert 8 <= len(moments) <= 14
    assert all(pause <= BACK_OFF_LIMIT + SECOND for pause in pauses)
    assert pauses[-1] > pauses[0] * 8
    outage = client.refresh().lists["pub-eaa"].outage
    assert outage is not None
    assert outage.count == len(moments)
    assert outage.first == moments[0]


def test_a_clock_set_back_asks_again_and_determines_nothing(world: World, urssaf: Institution) -> None:
    client = world.client()
    client.snapshot()
    world.now = NOW - timedelta(days=2)
    asked = len(world.asked())
    known = client.snapshot()
    assert len(world.asked()) == asked + 1
    assert evaluate(ask(urssaf.seal, t_now=world.now), known).outcome is Outcome.INDETERMINATE


def test_a_confirmation_is_part_of_the_floor_and_a_clock_set_back_does_not_lower_it(world: World, urssaf: Institution) -> None:
    """TRUST 7.2 rule 5: the last time seen counts, in memory and after a restart."""
    client = world.client()
    client.snapshot()
    world.now = NOW + timedelta(hours=6)
    assert client.refresh(force=True).clock_floor == world.now
    world.now = NOW + timedelta(hours=2)
    known = client.refresh(force=True)
    assert known.clock_floor == NOW + timedelta(hours=6)
    assert evaluate(ask(urssaf.seal, t_now=world.now), known).outcome is Outcome.INDETERMINATE
    assert world.client().snapshot().clock_floor == NOW + timedelta(hours=6)
    world.now = NOW + timedelta(hours=6)
    assert evaluate(ask(urssaf.seal, t_now=world.now), client.refresh(force=True)).outcome is Outcome.TRUSTED


# --- persistence ---


def test_starts_from_what_was_stored_without_the_network(world: World, urssaf: Institution) -> None:
    world.client().snapshot()
    world.server.trouble = "down"
    world.now += MINUTE
    known = world.client().snapshot()
    assert evaluate(ask(urssaf.seal, t_now=world.now), known).outcome is Outcome.TRUSTED
    assert known.lists["pub-eaa"].checked_at == NOW


def test_the_floor_survives_a_restart(world: World, operator: ListOperator, urssaf: Institution) -> None:
    world.client().snapshot()
    world.publish(operator.lote(urssaf.draft(), sequence=4))
    item = world.client().refresh().lists["pub-eaa"]
    assert item.alarm is not None
    assert (item.alarm.code, item.accepted.sequence if item.accepted else 0) == ("sequence_rollback", 5)


def test_state_is_stored_before_it_is_used(world: World, operator: ListOperator, urssaf: Institution, monkeypatch: Any) -> None:
    """T-12: a crash between download and store leaves the old list, on disk and in use."""
    client = world.client()
    client.snapshot()
    world.now += 2 * SECOND
    world.publish(operator.lote(urssaf.draft(), sequence=6))

    def crash(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("trust_list.store.os.replace", crash)
    item = client.refresh().lists["pub-eaa"]
    assert item.outage is not None
    assert item.outage.code == "state_unwritable"
    assert item.accepted is not None
    assert item.accepted.sequence == 5
    monkeypatch.undo()
    assert sorted(path.name for path in (world.folder / "state").iterdir()) == [".lock", "pid.json", "pub-eaa.json", "wallet.json"]
    world.server.trouble = "down"
    assert sequence(world.client()) == 5


@pytest.mark.parametrize("damage", [b"", b"{", b'{"sequence": 1}'], ids=["empty", "torn", "other"])
def test_unreadable_state_is_an_alarm_and_is_fetched_anew(world: World, damage: bytes) -> None:
    world.client().snapshot()
    (world.folder / "state" / "pub-eaa.json").write_bytes(damage)
    client = world.client()
    world.server.trouble = "down"
    item = client.refresh().lists["pub-eaa"]
    assert item.alarm is not None
    assert item.alarm.code == "state_unreadable"
    assert item.accepted is None
    world.server.trouble = None
    repaired = client.refresh(force=True).lists["pub-eaa"]
    assert repaired.alarm is None
    assert repaired.accepted is not None


def test_stored_bytes_are_verified_again(world: World) -> None:
    world.client().snapshot()
    path = world.folder / "state" / "pub-eaa.json"
    path.write_bytes(path.read_bytes().replace(b'"sequence":5', b'"sequence":6'))
    item = world.client()._current().lists["pub-eaa"]
    assert item.accepted is None
    assert item.alarm is not None
    assert item.alarm.code == "state_unreadable"


def test_state_is_not_readable_by_others(world: World) -> None:
    world.client().snapshot()
    assert (world.folder / "state" / "pub-eaa.json").stat().st_mode & 0o077 == 0


def test_two_processes_never_go_back(world: World, operator: ListOperator, urssaf: Institution) -> None:
    slow, quick = world.client(), world.client()
    slow.snapshot()
    quick.snapshot()
    sealed_old = operator.seal(operator.lote(urssaf.draft(), sequence=6))
    world.publish(operator.lote(urssaf.draft(), sequence=7))
    world.now += 2 * SECOND
    assert sequence(quick) == 7
    world.server.put("pub-eaa", sealed_old)  # what the slow one had downloaded before
    assert sequence(slow) == 7  # it finds the higher edition stored and takes that
    stored = StateStore(world.folder / "state").load("pub-eaa")
    assert stored is not None
    assert stored.state.sequence == 7


def test_two_processes_do_not_accept_two_contents_of_one_edition(
    world: World, operator: ListOperator, urssaf: Institution, cnam: Institution
) -> None:
    """What another process has stored meanwhile counts as accepted before."""
    slow, quick = world.client(), world.client()
    slow.snapshot()
    quick.snapshot()
    world.now += 2 * SECOND
    world.publish(operator.lote(urssaf.draft(), sequence=6))
    assert sequence(quick) == 6
    world.publish(operator.lote(cnam.draft(), sequence=6))
    item = slow.refresh().lists["pub-eaa"]
    assert item.alarm is not None
    assert (item.alarm.code, item.accepted.sequence if item.accepted else 0) == ("sequence_conflict", 5)


def test_a_list_that_cannot_be_arranged_is_refused_before_it_is_stored(
    world: World, operator: ListOperator, urssaf: Institution
) -> None:
    """A key identifier in the history that is not base64: the old list stays, on disk too."""
    client = world.client()
    client.snapshot()

    def spoil(document: dict[str, Any]) -> None:
        service = document["TrustedEntitiesList"][0]["TrustedEntityServices"][0]
        past = {name: service["ServiceInformation"][name] for name in ("ServiceName", "ServiceStatus", "StatusStartingTime")}
        service["ServiceHistory"] = [{**past, "ServiceDigitalIdentity": {"X509SKIs": ["%"]}}]

    world.server.put("pub-eaa", operator.seal_changed(operator.lote(urssaf.draft(), sequence=6), spoil))
    item = client.refresh(force=True).lists["pub-eaa"]
    assert item.alarm is not None
    assert (item.alarm.code, item.accepted.sequence if item.accepted else 0) == ("lote_certificate", 5)
    world.server.trouble = "down"
    assert sequence(world.client()) == 5


def test_confirmation_finds_a_higher_edition_too(world: World, operator: ListOperator, urssaf: Institution) -> None:
    slow, quick = world.client(), world.client()
    slow.snapshot()
    quick.snapshot()
    old_body = world.server.bodies[uri("pub-eaa")]
    world.publish(operator.lote(urssaf.draft(), sequence=7))
    world.now += 2 * MINUTE
    assert sequence(quick) == 7
    world.server.put("pub-eaa", old_body)
    assert sequence(slow) == 7


def test_confirmations_are_stored_once_a_minute(world: World) -> None:
    client, store = world.client(), StateStore(world.folder / "state")
    client.snapshot()
    stored = []
    for _ in range(3):
        world.now += 30 * SECOND
        client.snapshot()
        found = store.load("pub-eaa")
        assert found is not None
        stored.append(found.checked_at)
    assert stored == [NOW, NOW + MINUTE, NOW + MINUTE]


# --- root ---


def test_without_a_readable_root_there_is_no_client(world: World) -> None:
    (world.folder / "root.json").write_bytes(b"{}")
    with pytest.raises(VcError):
        world.client()


def test_a_new_root_version_takes_effect(world: World, operator: ListOperator, urssaf: Institution) -> None:
    client = world.client()
    assert sequence(client) == 5
    signer = operator.new_signer()
    world.write_root(operator.root(version=2, pub_eaa=signer))
    world.server.put("pub-eaa", operator.seal(operator.lote(urssaf.draft(), sequence=1), signer=signer))
    world.now += 2 * SECOND
    known = client.refresh()
    assert known.root_version == 2
    accepted = known.lists["pub-eaa"].accepted
    assert accepted is not None
    assert accepted.sequence == 1  # only a new root version may lower the floor


@pytest.mark.parametrize("damage", ["same-version", "unreadable", "gone"])
def test_a_root_that_may_not_take_effect_does_not(world: World, operator: ListOperator, damage: str) -> None:
    client = world.client()
    client.snapshot()
    match damage:
        case "same-version":
            world.write_root(operator.root(pub_eaa=operator.new_signer()))
        case "unreadable":
            (world.folder / "root.json").write_bytes(b"{")
        case _:
            (world.folder / "root.json").unlink()
    world.now += 2 * SECOND
    known = client.refresh()
    assert known.root_version == 1
    assert known.lists["pub-eaa"].outage is None
    assert known.lists["pub-eaa"].alarm is None


# --- threads ---


def test_a_slow_publisher_does_not_hold_up_callers(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("trust_list.client.WAIT_SECONDS", 0.01)
    client = world.client()
    client.snapshot()
    world.now += 2 * SECOND
    gate, asked, get = threading.Event(), threading.Event(), world.server.get

    def hanging(*args: Any, **how: Any) -> Any:
        asked.set()
        assert gate.wait(10)
        return get(*args, **how)

    monkeypatch.setattr(world.server, "get", hanging)
    assert [client.snapshot().lists["pub-eaa"].checked_at for _ in range(3)] == [NOW] * 3
    assert asked.wait(10)
    worker = client._worker
    gate.set()
    assert worker is not None
    worker.join(10)
    assert client._current().lists["pub-eaa"].checked_at == world.now


def test_many_threads_share_one_refresh(world: World) -> None:
    client = world.client()
    seen: list[datetime | None] = []
    threads = [threading.Thread(target=lambda: seen.append(client.snapshot().lists["pub-eaa"].checked_at)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [NOW] * 8
    assert len(world.asked()) == 1


def _alive() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name == "trust-list-keeper"}


def test_refreshes_in_the_background_and_ends_cleanly(world: World, operator: ListOperator, urssaf: Institution) -> None:
    """Nobody asks, and yet a new edition is found; after the end no thread is left and nothing is asked for."""
    arrived = threading.Event()
    get = world.server.get

    def watched(*arguments: Any, **how: Any) -> Any:
        if len(world.asked()) >= 1:
            world.now += 2 * SECOND
            arrived.set()
        return get(*arguments, **how)

    world.server.get = watched  # type: ignore[method-assign]  # watches what is asked
    client = TrustClient(world.folder / "root.json", world.folder / "state", world.server, lambda: world.now, 0.01)
    with client:
        client.start()
        assert arrived.wait(10)
        assert "trust-list-keeper" in _alive()
    assert _alive() == set()
    asked = len(world.server.asked)
    world.now += timedelta(hours=1)
    assert client.snapshot().lists["pub-eaa"].accepted is not None
    assert client.refresh(force=True).lists["pub-eaa"].freshness(world.now) is Freshness.AGEING
    assert (len(world.server.asked), _alive()) == (asked, set())
    client.start()
    client.close()
    assert _alive() == set()


def test_the_end_waits_for_a_request_under_way(world: World, monkeypatch: Any) -> None:
    client = world.client()
    begun, gate, get = threading.Event(), threading.Event(), world.server.get

    def hanging(*arguments: Any, **how: Any) -> Any:
        begun.set()
        assert gate.wait(10)
        return get(*arguments, **how)

    monkeypatch.setattr(world.server, "get", hanging)
    client.start()
    assert begun.wait(10)
    ending = threading.Thread(target=client.close)
    ending.start()
    gate.set()
    ending.join(10)
    assert not ending.is_alive()
    assert _alive() == set()


def test_a_service_keeps_its_lists_fresh_while_it_is_up(world: World) -> None:
    client = TrustClient(world.folder / "root.json", world.folder / "state", world.server, lambda: world.now, 2)
    app = kept_fresh(Starlette(), client)
    TestClient(app).get("/")
    assert (_alive(), world.server.asked) == (set(), [])
    with TestClient(app) as up:
        assert _alive() == {"trust-list-keeper"}
        assert up.get("/").status_code == 404
    assert _alive() == set()


def test_pauses_are_never_the_same_for_all(monkeypatch: Any) -> None:
    """Jitter shortens a pause by up to a tenth, after failures by up to a quarter."""
    every = timedelta(minutes=1)
    for chance, works, third in ((0.0, every, 4 * every), (1.0, every * 0.9, 3 * every)):
        monkeypatch.setattr("trust_list.pacing.random.random", lambda chance=chance: chance)
        assert (until_next(every, 0), until_next(every, 3)) == (works, third)
        assert until_next(every, 50) <= BACK_OFF_LIMIT
        assert until_next(timedelta(hours=1), 50) <= timedelta(hours=1)


# --- log ---


def test_a_command_that_set_up_no_log_keeps_its_stdout(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    world.client().snapshot()
    assert capsys.readouterr() == ("", "")


def test_logs_words_and_numbers_once_per_event(world: World) -> None:
    client = world.client()
    world.server.trouble = "down"
    with structlog.testing.capture_logs() as said:
        client.refresh(force=True)
        client.refresh(force=True)
    structlog.reset_defaults()
    assert {"event": "list outage", "list": "pub-eaa", "code": "unreachable", "log_level": "warning"} in said
    assert len(said) == 3  # one for each list, not one for each attempt
