"""The measuring itself: ratios within a round, medians over rounds, goals met from the right side."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import trust
from bench.__main__ import FLOORS, JOBS, met
from bench.http import __main__ as http
from bench.http import load, reference, servers
from bench.measure import interleaved, ratio


@pytest.fixture(scope="module", autouse=True)
def small_europe() -> Iterator[None]:
    """Two thousand institutions are for the figures; for the tests of the measuring a few will do."""
    whole, trust.ENTITIES = trust.ENTITIES, 40
    trust.european.cache_clear()
    yield
    trust.ENTITIES = whole
    trust.european.cache_clear()


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    rounds = [{"ours": 2.0, "raw": 1.0}, {"ours": 1.0, "raw": 1.0}, {"ours": 4.0, "raw": 1.0}]
    assert ratio(rounds, "ours", "raw") == 0.5
    assert ratio(rounds, "raw", "ours") == 2.0


def test_cases_take_turns() -> None:
    calls: list[str] = []
    measured = interleaved({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=2, slice_seconds=0.0)  # type: ignore[misc]
    assert calls == ["a", "b"] * 3, "one warm-up round and two that count"
    assert [sorted(taken) for taken in measured] == [["a", "b"]] * 2


@pytest.mark.parametrize(
    ("result", "good"),
    [
        ({"job": "sdjwt-issue", "against": "raw", "ratio": 0.22}, True),
        ({"job": "sdjwt-issue", "against": "raw", "ratio": 0.219}, False),
        ({"job": "sdjwt-verify", "against": "sd-jwt", "ratio": 0.1}, True),
        ({"job": "statuslist-publish", "against": "zlib-6", "ratio": 0.5, "size_ratio": 1.029}, True),
        ({"job": "statuslist-publish", "against": "zlib-6", "ratio": 0.51, "size_ratio": 1.0}, False),
        ({"job": "statuslist-publish", "against": "zlib-6", "ratio": 0.3, "size_ratio": 1.04}, False),
    ],
    ids=["at-the-floor", "below", "no-goal", "at-the-ceiling", "too-slow", "too-large"],
)
def test_goals(result: dict[str, object], good: bool) -> None:
    assert met(result) is good


def test_every_goal_is_measured() -> None:
    assert set(FLOORS) <= {(job, against) for job, makers in JOBS.items() for against in makers}


@pytest.mark.parametrize("job", JOBS)
def test_every_case_runs_once(job: str) -> None:
    for make in JOBS[job].values():
        assert make()() is not False


# The credential endpoint and durable records


@pytest.mark.parametrize(
    ("name", "ratio", "good"),
    [
        ("credential-rate", 0.5, True),
        ("credential-rate", 0.499, False),
        ("credential-p99", 4.99, True),
        ("credential-p99", 5.0, False),
        ("records", 1.5, True),
        ("records", 1.49, False),
    ],
)
def test_goals_of_the_endpoint(name: str, ratio: float, good: bool) -> None:
    assert http.reached(name, ratio) is good
    measured = {name: {"ratio": ratio, "ours": 1.0, "reference": 2.0}}
    assert ("reached" if good else "missed") in http.table(measured)


@pytest.mark.live
def test_a_load_is_answered_in_order_and_stops_at_a_refusal(tmp_path: Path) -> None:
    """The bare server, for real: what is measured is what was asked."""
    port = servers.free_port()
    right = load.post("/sign", json.dumps(reference.SAMPLE).encode(), port=port)
    wrong = load.post("/sign", b"{}", port=port)
    with servers.running("bench.http.servers", "reference", str(port), port=port, log=tmp_path / "log"):
        measured = load.measure([right] * 20, port=port, connections=4)
        assert 0 < measured.p50 <= measured.p99 < 10
        with pytest.raises(RuntimeError, match="answer 422"):
            load.exchange([right, wrong, right], port=port, connections=1)


@pytest.mark.live
def test_a_round_of_everything(tmp_path: Path) -> None:
    """Against a real issuer process: every request is a credential, every record durable."""
    measured = {**http.credentials(tmp_path, 1, 8), **http.durable(tmp_path, 1, 20)}
    assert set(http.GOALS) <= set(measured)
    assert all(row["ours"] > 0 and row["reference"] > 0 for row in measured.values())
    for written, expected in {"issuer.db": 2 * 2 * 8, "records.db": 2 * 20}.items():
        database = sqlite3.connect(tmp_path / written)
        assert database.execute("SELECT count(*) FROM issuer_issuances").fetchone() == (expected,)
        database.close()


# Trust lists


def test_figures_are_met_below_their_ceilings() -> None:
    assert trust.Figure(name="x", value=2.99, ceiling=3, unit="s").met
    assert not trust.Figure(name="x", value=3, ceiling=3, unit="s").met


def test_a_cold_decision_forgets_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    known, _ = trust.european()
    anchors = known.lists[trust.LIST_ID].anchors
    assert anchors is not None
    assert trust.decide_warm()().trusted
    assert trust.decide_cold()().trusted
    assert anchors.entries[-1].number == 2 * trust.ENTITIES - 1


def test_the_bundle_of_the_figures_is_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "INSTITUTIONS", 2)
    monkeypatch.setattr(trust, "STATUS_ENTRIES", 20_000)
    octets, seconds = trust.bundle_figures()
    assert octets > 10_000
    assert seconds > 0


def test_memory_is_measured_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "LARGE_LIST", 400_000)
    assert 1 < trust.accept_memory() < 100
