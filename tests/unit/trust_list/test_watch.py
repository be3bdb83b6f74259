"""What has to be looked after: told before it breaks, and as numbers (TRUST 7.2 rules 3 to 5; the issue's watchdog)."""

import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from edge.outbound import Fetched
from tests.support.pki import NOW
from tests.support.trust import Institution, ListOperator, ListServer
from trust_list import cli_watch, health, metrics, sources
from trust_list.cli import app
from trust_list.client import Getter
from trust_list.snapshot import Event
from trust_list.watch import Round, Watch
from vc.encoding import json
from vc.errors import Malformed

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class Dated:
    """A list server with a clock of its own."""

    def __init__(self, server: ListServer, clock: Any) -> None:
        self.server, self.clock, self.off = server, clock, timedelta()
        self.extra: dict[str, str] = {}

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        fetched = self.server.get(url, headers=headers, max_bytes=max_bytes)
        stated = format_datetime(self.clock() + self.off, usegmt=True)
        return replace(fetched, headers={**fetched.headers, "date": stated, **self.extra})


class Scene:
    """An operator's three lists behind a server, and a watch of them."""

    def __init__(self, folder: Path, operator: ListOperator, urssaf: Institution) -> None:
        self.operator, self.urssaf, self.now, self.folder = operator, urssaf, NOW, folder
        self.server = ListServer()
        self.dated = Dated(self.server, self.clock)
        for list_id in ("pub-eaa", "pid", "wallet"):
            self.publish(list_id)
        self.root_path = folder / "trust-root.json"
        self.root_path.write_bytes(operator.root().render())

    def clock(self) -> datetime:
        return self.now

    def publish(self, list_id: str, *, sequence: int = 1, **changes: Any) -> None:
        entities = (self.urssaf.draft(),) if list_id == "pub-eaa" else ()
        lote = self.operator.lote(*entities, list_id=list_id, sequence=sequence, issued=self.now)
        self.server.put(list_id, self.operator.seal(lote, **changes))

    def watch(self, **changes: Any) -> Watch:
        return Watch(self.root_path, self.folder, self.dated, self.clock, **changes)


@pytest.fixture
def scene(tmp_path: Path, operator: ListOperator, urssaf: Institution) -> Scene:
    return Scene(tmp_path, operator, urssaf)


def codes(found: Round) -> list[tuple[str | None, str]]:
    return [(alert.list_id, alert.code) for alert in found.alerts]


def test_all_is_well(scene: Scene) -> None:
    found = scene.watch().look()
    assert (codes(found), found.exit_code, found.skew) == ([], 0, timedelta())
    assert found.to_json()["outcome"] == "well"
    assert found.to_json()["lists"] == {"pub-eaa": "FRESH", "pid": "FRESH", "wallet": "FRESH"}


@pytest.mark.parametrize(
    ("before", "later", "code"),
    [
        (None, timedelta(days=15) - SECOND, None),
        (None, timedelta(days=15), "next_update_near"),
        (timedelta(days=3), timedelta(days=27) - SECOND, None),
        (timedelta(days=3), timedelta(days=27), "next_update_near"),
        (None, timedelta(days=30) - SECOND, "next_update_near"),
        (None, timedelta(days=30), "list_expired"),
    ],
)
def test_says_so_before_the_next_update(scene: Scene, before: timedelta | None, later: timedelta, code: str | None) -> None:
    watching = scene.watch(before=before)
    watching.look()
    scene.now += later
    found = watching.look()
    told = [given for name, given in codes(found) if name == "pub-eaa" and given.startswith(("next", "list_exp"))]
    assert told == ([] if code is None else [code])
    assert found.exit_code == {None: 0, "next_update_near": 1, "list_expired": 2}[code]


def test_a_new_signer_is_told_for_a_day_also_after_a_restart(scene: Scene) -> None:
    scene.watch().look()
    other = scene.operator.new_signer()
    pinned = scene.operator.root(version=2, pub_eaa=other)
    scene.root_path.write_bytes(pinned.render())
    scene.now += SECOND
    scene.publish("pub-eaa", sequence=2, signer=other)
    assert codes(scene.watch().look()) == [("pub-eaa", "signer_changed")]
    scene.now += DAY
    assert codes(scene.watch().look()) == [("pub-eaa", "signer_changed")]
    scene.now += SECOND
    assert codes(scene.watch().look()) == []


def test_a_first_signer_is_no_change(scene: Scene) -> None:
    watching = scene.watch()
    watching.look()
    assert codes(watching.look()) == []


def test_a_memory_somebody_spoiled_is_refused(scene: Scene) -> None:
    scene.watch().look()
    (scene.folder / "signers.json").write_text('{"pub-eaa":{"sha256":"00"}}')
    with pytest.raises(Malformed) as caught:
        scene.watch()
    assert caught.value.code == "state_unreadable"


@pytest.mark.parametrize(("off", "told"), [(60, False), (61, True), (-60, False), (-61, True)])
def test_clocks_that_differ(scene: Scene, off: int, told: bool) -> None:
    scene.dated.off = timedelta(seconds=off)
    found = scene.watch().look()
    assert codes(found) == ([(None, "clock_skew")] if told else [])
    if told:
        assert f"{abs(off)} seconds {'behind' if off > 0 else 'ahead of'}" in found.alerts[0].text


def test_an_answer_out_of_a_cache_is_dated_when_it_was_made(scene: Scene) -> None:
    scene.dated.off, scene.dated.extra = -timedelta(hours=1), {"age": "3600"}
    assert scene.watch().look().skew == timedelta()
    scene.dated.extra = {"age": "²"}
    assert scene.watch().look().skew == timedelta(hours=1)
    scene.dated.extra = {"date": "nonsense"}
    assert scene.watch().look().skew is None


def test_our_clock_set_back(scene: Scene) -> None:
    watching = scene.watch()
    watching.look()
    scene.now -= timedelta(seconds=61)
    found = watching.look()
    assert (None, "clock_set_back") in codes(found)
    assert found.exit_code == 2


def test_a_bad_list_and_a_silent_publisher_are_told_apart(scene: Scene) -> None:
    watching = scene.watch()
    watching.look()
    scene.server.put("pub-eaa", b"nonsense")
    found = watching.look()
    assert (codes(found), found.exit_code) == ([("pub-eaa", "list_alarm")], 1)
    scene.server.trouble = "down"
    assert {code for _, code in codes(watching.look())} == {"list_alarm", "list_outage"}
    scene.now += timedelta(hours=2)
    assert ("pid", "list_ageing") in codes(watching.look())


def test_never_having_had_a_list_is_undetermined(scene: Scene) -> None:
    scene.server.trouble = "down"
    found = scene.watch().look()
    assert ("pid", "list_never_accepted") in codes(found)
    assert (found.exit_code, found.to_json()["outcome"]) == (2, "undetermined")


def test_findings_and_what_was_tolerated(scene: Scene) -> None:
    lote = scene.operator.lote(scene.urssaf.draft())
    scheme = lote.scheme.model_copy(update={"DistributionPoints": ["https://lists.test/lists/pub-eaa.jws"]})
    names = [*scheme.SchemeOperatorName, scheme.SchemeOperatorName[0].model_copy(update={"lang": "FR"})]
    changed = lote.model_copy(update={"ListAndSchemeInformation": scheme.model_copy(update={"SchemeOperatorName": names})})
    scene.server.put("pub-eaa", scene.operator.seal_changed(changed, header={"typ": "JWT"}))
    found = scene.watch().look()
    assert codes(found) == [("pub-eaa", "finding"), ("pub-eaa", "tolerated")]
    assert "language tag" in found.alerts[0].text
    assert found.exit_code == 1


@pytest.mark.parametrize(("left", "code"), [(30 * DAY, None), (30 * DAY - SECOND, "root_ends_soon"), (-SECOND, "root_expired")])
def test_the_end_of_the_root(scene: Scene, left: timedelta, code: str | None) -> None:
    known = scene.watch().look().snapshot
    found = health.alerts(replace(known, root_expires=NOW + left), NOW)
    assert [alert.code for alert in found] == ([] if code is None else [code])


def test_a_refused_root_is_an_alarm(scene: Scene) -> None:
    known = scene.watch().look().snapshot
    event = Event(code="root_signature", text="too few signatures", first=NOW, last=NOW, count=1)
    (told,) = health.alerts(replace(known, root_alarm=event), NOW)
    assert (told.severity, told.code) == ("error", "root_alarm")
    assert "too few signatures" in told.text


def test_the_end_of_a_signer(scene: Scene) -> None:
    known = scene.watch().look().snapshot
    assert known.lists["pub-eaa"].accepted is not None
    until = known.lists["pub-eaa"].accepted.signer.not_valid_after_utc
    near = [alert.code for alert in health.alerts(known, until - 30 * DAY + SECOND)]
    assert near.count("signer_ends_soon") == 3
    assert "signer_ends_soon" not in [alert.code for alert in health.alerts(known, until - 30 * DAY)]


def test_numbers_for_a_monitoring_system(scene: Scene) -> None:
    scene.server.bodies.pop("https://lists.test/lists/wallet.jws")
    found = scene.watch().look()
    answer = metrics.text(found.snapshot, found.alerts, NOW).decode()
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer)
        for sample in family.samples
    }
    assert values["portadoc_trust_list_edition", "pub-eaa"] == 1
    assert values["portadoc_trust_list_entities", "pub-eaa"] == 1
    assert values["portadoc_trust_list_findings", "pub-eaa"] == 0
    assert values["portadoc_trust_list_state", "FRESH", "pub-eaa"] == 1
    assert values["portadoc_trust_list_state", "EXPIRED", "pub-eaa"] == 0
    assert values["portadoc_trust_list_state", "NEVER", "wallet"] == 1
    assert values["portadoc_trust_list_next_update_timestamp_seconds", "pub-eaa"] == (NOW + 30 * DAY).timestamp()
    assert values["portadoc_trust_list_issued_timestamp_seconds", "pub-eaa"] == NOW.timestamp()
    assert values["portadoc_trust_list_checked_timestamp_seconds", "pub-eaa"] == NOW.timestamp()
    signer = health.signer_of(found.snapshot.lists["pub-eaa"])
    assert signer is not None
    assert ("portadoc_trust_list_signer_info", *sorted(("pub-eaa", signer))) in values
    assert values[("portadoc_trust_alerts", *sorted(("wallet", "error", "list_never_accepted")))] == 1
    assert values[("portadoc_trust_root_version",)] == 1
    assert ("portadoc_trust_list_edition", "wallet") not in values


def run(scene: Scene, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    def pretend(_: Path | None) -> Getter:
        return scene.dated

    monkeypatch.setattr(sources, "outbound", pretend)
    monkeypatch.setattr(cli_watch, "now", scene.clock)
    keep = str(scene.folder / "keep")
    return CliRunner().invoke(app, ["watch", "--trust-root", str(scene.root_path), "--keep", keep, *words])


def test_the_command_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    well = run(scene, monkeypatch, "--once", "--json")
    assert (well.exit_code, json.loads_object(well.stdout.encode())["outcome"]) == (0, "well")
    scene.now += 20 * DAY
    warned = run(scene, monkeypatch, "--once")
    assert warned.exit_code == 1
    assert "warning: pub-eaa: the next edition is due at" in warned.stdout
    scene.now += 20 * DAY
    assert run(scene, monkeypatch, "--once").exit_code == 2
    assert run(scene, monkeypatch, "--once", "--before-days", "0").exit_code == 2  # wrong use, said by the option parser


def test_the_command_until_stopped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line a look with --json; in words only what changed. The last look gives the exit code."""

    class Waiting:
        def __init__(self) -> None:
            self.left = 2

        def wait(self, seconds: float) -> bool:
            assert seconds == 7
            self.left -= 1
            scene.now += timedelta(days=10 if self.left == 0 else 0)
            return self.left < 0

        def set(self) -> None:
            """Nobody stops it here."""

    monkeypatch.setattr("trust_list.cli_watch.Event", Waiting)
    handled: list[int] = []
    monkeypatch.setattr("trust_list.cli_watch.signal.signal", lambda number, _: handled.append(number))
    lines = run(scene, monkeypatch, "--interval", "7", "--json")
    assert [json.loads_object(line.encode())["outcome"] for line in lines.stdout.splitlines()] == ["well", "well", "well"]
    assert handled == [signal.SIGINT, signal.SIGTERM]
    scene.now += timedelta(days=4)
    words = run(scene, monkeypatch, "--interval", "7")
    assert words.exit_code == 1
    assert [line.split()[1] for line in words.stdout.splitlines() if line.startswith("20")] == ["well:", "warned:"]
