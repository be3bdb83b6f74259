"""`python -m bench.http`: measure on loopback, print a table, write `bench/out/http.json`.

Ours and the reference take turns; each ratio is the median over the turns of ours to the reference of the same turn. Rates and
times of one machine mean nothing on another one; the ratios do, roughly.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.http import load, records, reference, servers, wallets
from bench.http.load import Run

OUT = Path(__file__).parents[1] / "out" / "http.json"
CONNECTIONS = 16
GOALS: dict[str, tuple[str, float]] = {
    "credential-rate": (">=", 0.5),
    "credential-p99": ("<", 5.0),
    "records": (">=", 1.5),
}
"""By measure: which way, and how far. What is measured with bearer tokens, bound to no key, has no goal of its own."""


def main() -> int:
    """Exit code 1 when a goal is missed and `--check` was given."""
    parser = argparse.ArgumentParser(prog="python -m bench.http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns that count; one more goes before")
    parser.add_argument("--requests", type=int, default=800, help="credential requests in a turn, at most 2000")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    count = min(arguments.requests, 2000)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT.parent) as directory:  # on the same disk as the repository, not in memory
        measured = {
            **credentials(Path(directory), arguments.rounds, count),
            **durable(Path(directory), arguments.rounds, 4 * count),
        }
    names = ("cryptography", "fastapi", "uvicorn", "uvloop", "sqlalchemy")
    result = {
        "measures": measured,
        "reached": {name: reached(name, measured[name]["ratio"]) for name in GOALS},
        "rounds": arguments.rounds,
        "connections": CONNECTIONS,
        "versions": {**{name: version(name) for name in names}, "python": platform.python_version()},
    }
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result))
    print(table(measured))
    print(f"written: {OUT}")
    return 1 if arguments.check and not all(result["reached"].values()) else 0


def reached(name: str, ratio: float) -> bool:
    """Whether a ratio is where its goal wants it."""
    way, goal = GOALS[name]
    return ratio >= goal if way == ">=" else ratio < goal


def table(measured: dict[str, dict[str, float]]) -> str:
    """One line per measure."""
    lines = [f"{'measure':<26}{'ratio':>8}{'goal':>9}  {'':<8}{'ours':>10}{'reference':>11}"]
    for name, row in measured.items():
        way, goal = GOALS.get(name, ("", 0.0))
        verdict = "" if name not in GOALS else "reached" if reached(name, row["ratio"]) else "missed"
        wanted = f"{way} {goal:g}" if way else ""
        lines.append(f"{name:<26}{row['ratio']:>8.3f}{wanted:>9}  {verdict:<8}{row['ours']:>10.4g}{row['reference']:>11.4g}")
    return "\n".join(lines)


def credentials(directory: Path, rounds: int, count: int) -> dict[str, dict[str, float]]:
    """The credential endpoint, with bound and with bearer tokens, against the bare server: rates per second, p99 in seconds."""
    port, reference_port = servers.free_port(), servers.free_port()
    scene = wallets.Scene(directory, port)
    least = [load.post("/sign", json.dumps(reference.SAMPLE).encode(), port=reference_port)] * (2 * count)
    turns: dict[str, list[tuple[Run, Run]]] = {"": [], "-bearer": []}
    with ExitStack() as stack:
        for kind, argument, where in (("reference", str(reference_port), reference_port), ("issuer", str(scene.settings), port)):
            log = directory / f"{kind}.log"
            stack.enter_context(servers.running("bench.http.servers", kind, argument, port=where, log=log))
        for number in range(rounds + 1):
            for name, pairs in turns.items():
                requests = scene.requests(scene.wallets(bound=not name), count)  # anew: an access token lives five minutes
                bare = load.measure(least, port=reference_port, connections=CONNECTIONS)
                ours = load.measure(requests, port=port, connections=CONNECTIONS)
                if number:  # the first turn warms up
                    pairs.append((ours, bare))
    measured = {}
    for name, pairs in turns.items():
        measured[f"credential-rate{name}"] = _row([(ours.rate, bare.rate) for ours, bare in pairs])
        measured[f"credential-p99{name}"] = _row([(ours.p99, bare.p99) for ours, bare in pairs])
    return measured


def durable(directory: Path, rounds: int, count: int) -> dict[str, dict[str, float]]:
    """Durable records per second, against plain rows with a commit each."""
    ours = records.Ours(directory)
    pairs = []
    with records.plain(directory / "plain.db") as connection:
        for number in range(rounds + 1):
            pair = ours.rate(count), records.plain_rate(connection, count)
            if number:
                pairs.append(pair)
    ours.close()
    return {"records": _row(pairs)}


def _row(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    ratios = sorted(ours / bare for ours, bare in pairs)
    return {
        "ratio": round(median(ratios), 3),
        "lowest": round(ratios[0], 3),
        "highest": round(ratios[-1], 3),
        "ours": round(median(ours for ours, _ in pairs), 5),
        "reference": round(median(bare for _, bare in pairs), 5),
    }


if __name__ == "__main__":
    sys.exit(main())
