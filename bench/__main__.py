"""`python -m bench`: measure, print a table, write `bench/out/bench.json`.

`ratio` is our rate divided by the reference's rate, so more is better; for `statuslist-publish` it is our time divided by the
time of zlib level 6 alone, so less is better. Each is the median over interleaved rounds. Below them: figures of the trust lists,
each under its ceiling.
"""

import argparse
import json
import logging
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import mdoc, raw, sdjwt, statuslist, trust
from bench.measure import interleaved, pin_to_one_core, ratio

OUT = Path(__file__).parent / "out" / "bench.json"
JOBS: dict[str, dict[str, Callable[[], Callable[[], object]]]] = {
    "sdjwt-issue": {"ours": sdjwt.ours_issue, "raw": raw.sign_once, "sd-jwt": sdjwt.peer_issue},
    "sdjwt-verify": {"ours": sdjwt.ours_verify, "raw": raw.verify_twice, "sd-jwt": sdjwt.peer_verify},
    "mdoc-issue": {"ours": mdoc.ours_issue, "raw": raw.sign_once, "pymdoccbor": mdoc.peer_issue},
    "mdoc-verify": {"ours": mdoc.ours_verify, "raw": raw.verify_twice, "pymdoccbor": mdoc.peer_verify},
    "trust-warm": {"ours": trust.decide_warm, "raw": trust.verify_once},
    "trust-cold": {"ours": trust.decide_cold, "raw": trust.verify_once},
    "statuslist-publish": {"ours": statuslist.ours_publish, "zlib-6": statuslist.zlib_6},
}
TIME_RATIO = "statuslist-publish"
FLOORS: dict[tuple[str, str], float] = {
    ("sdjwt-issue", "raw"): 0.22,
    ("sdjwt-issue", "sd-jwt"): 4.0,
    ("sdjwt-verify", "raw"): 0.5,
    ("mdoc-issue", "raw"): 0.2,
    ("mdoc-issue", "pymdoccbor"): 20.0,
    ("mdoc-verify", "raw"): 0.5,
    ("trust-warm", "raw"): 1 / 3,
    ("trust-cold", "raw"): 1 / 8,
    ("statuslist-publish", "zlib-6"): 0.5,
}
"""The goals; the last one is a ceiling."""
SIZE_WITHIN = 0.03


def main() -> int:
    """Exit code 1 when a goal is missed and `--check` was given."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds per job, at least 5")
    parser.add_argument("--slice", type=float, default=0.12, help="seconds per case and round")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    logging.getLogger("pymdoccbor").setLevel(logging.ERROR)
    pin_to_one_core()
    versions = {name: version(name) for name in ("cryptography", "sd-jwt", "pymdoccbor", "deflate", "orjson", "cbor2")}
    versions["python"] = platform.python_version()
    results: list[dict[str, Any]] = []
    print(f"{'job':<20}{'against':<12}{'ratio':>8}{'goal':>10}{'ours, us':>12}{'theirs, us':>12}")
    for job, makers in JOBS.items():
        measured = interleaved({n: make() for n, make in makers.items()}, rounds=arguments.rounds, slice_seconds=arguments.slice)
        for against in list(makers)[1:]:
            value = ratio(measured, "ours", against)
            result = {"job": job, "against": against, "ratio": round(1 / value if job == TIME_RATIO else value, 3)}
            result |= {"rounds": len(measured), "versions": versions}
            if job == TIME_RATIO:
                result["size_ratio"] = round(statuslist.size_ratio(), 4)
            results.append(result)
            ours, theirs = (sorted(taken[name] for taken in measured)[len(measured) // 2] * 1e6 for name in ("ours", against))
            print(f"{job:<20}{against:<12}{result['ratio']:>8.3f}{_goal(job, against):>10}{ours:>12.1f}{theirs:>12.1f}")
    measured_figures = trust.figures()
    for figure in measured_figures:
        print(f"{figure.name:<32}{figure.value:>8.3f}{f'< {figure.ceiling:g}':>10}{figure.unit:>12}")
        results.append(asdict(figure) | {"versions": versions})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    missed = [f"{r['job']} against {r['against']}: {r['ratio']}" for r in results if "job" in r and not met(r)]
    missed += [f"{figure.name}: {figure.value:.3f} {figure.unit}" for figure in measured_figures if not figure.met]
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    print(f"written: {OUT}")
    return 1 if missed and arguments.check else 0


def met(result: dict[str, Any]) -> bool:
    """True when the result reaches its goal, or has none."""
    goal = FLOORS.get((result["job"], result["against"]))
    if goal is None:
        return True
    if result["job"] == TIME_RATIO:
        return bool(result["ratio"] <= goal and abs(result["size_ratio"] - 1) <= SIZE_WITHIN)
    return bool(result["ratio"] >= goal)


def _goal(job: str, against: str) -> str:
    goal = FLOORS.get((job, against))
    return "" if goal is None else f"{'<=' if job == TIME_RATIO else '>='} {goal:.3g}"


if __name__ == "__main__":
    sys.exit(main())
