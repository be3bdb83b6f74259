"""The measuring itself: ratios within a round, medians over rounds, goals met from the right side."""

import pytest

from bench.__main__ import FLOORS, JOBS, met
from bench.measure import interleaved, ratio


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
