"""Interleaved rounds: every case runs in every round, so that what disturbs the machine disturbs all of them alike."""

import gc
import os
import time
from collections.abc import Callable, Mapping
from statistics import median

WARM_UP_ROUNDS = 1


def pin_to_one_core() -> None:
    """Keep this process on one core where the system can; ratios are per core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def seconds(work: Callable[[], object], *, at_least: float) -> float:
    """Mean seconds of one call, over as many calls as fit into `at_least` seconds."""
    calls, begun = 0, time.perf_counter()
    while True:
        work()
        calls += 1
        spent = time.perf_counter() - begun
        if spent >= at_least:
            return spent / calls


def interleaved(cases: Mapping[str, Callable[[], object]], *, rounds: int, slice_seconds: float) -> list[dict[str, float]]:
    """Seconds per call of every case, round by round."""
    measured = []
    for number in range(rounds + WARM_UP_ROUNDS):
        gc.collect()
        taken = {name: seconds(work, at_least=slice_seconds) for name, work in cases.items()}
        if number >= WARM_UP_ROUNDS:
            measured.append(taken)
    return measured


def ratio(measured: list[dict[str, float]], ours: str, reference: str) -> float:
    """Median over the rounds of our rate divided by the rate of the reference in the same round."""
    return median(taken[reference] / taken[ours] for taken in measured)
