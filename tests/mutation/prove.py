"""Switches off one enforced check after the other in a copy of the tree and shows that the tests notice each time.

    python -m tests.mutation.prove [--only TEXT …] [--workers N] [--write]

First the tests run with every check in place: one that fails then would prove nothing afterwards. `--write` puts the table into
docs/conformance/mutations.md. Ends with 1 when a check can vanish unnoticed, with 2 when the tests fail as they are.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.declared import ROOT, Check, checks

PAGE = ROOT / "docs" / "conformance" / "mutations.md"
SECONDS = 300
FAILED = 1  # pytest: tests ran and some failed. Anything else (nothing ran, an import broke) proves nothing


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    wanted = [check for check in checks() if any(text.lower() in f"{check.id} {check.file}".lower() for text in options.only)]
    trees: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.workers):
            trees.put(_copy(Path(folder) / str(number)))
        if failing := _failing_anyway(wanted, trees):
            print("fails with every check in place:", *failing, sep="\n  ")
            return 2

        def noticed(check: Check) -> str:
            tree = trees.get()
            try:
                return _noticed_by(check, tree)
            finally:
                trees.put(tree)

        results: list[tuple[Check, str]] = []
        with ThreadPoolExecutor(options.workers) as pool:
            for check, by in zip(wanted, pool.map(noticed, wanted), strict=True):
                print(f"{len(results) + 1:>3}/{len(wanted)}  {'noticed' if by else 'UNNOTICED':<9}  {check.id}  {by}", flush=True)
                results.append((check, by))
    if options.write:
        PAGE.write_text(_page(results), encoding="utf-8")
    unnoticed = sum(not by for _, by in results)
    print(f"{len(results)} checks switched off, {unnoticed} unnoticed")
    return 1 if unnoticed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="checks whose id or file contains one of these")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the table into docs/conformance")
    return parser.parse_args(arguments)


def _copy(to: Path) -> Path:
    """The files git knows or would take, nothing else."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = ROOT / name, to / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return to


def _failing_anyway(wanted: Sequence[Check], trees: SimpleQueue[Path]) -> list[str]:
    """The tests that fail although nothing is switched off."""
    tests = sorted({test for check in wanted for test in check.tests})
    tree = trees.get()
    done = _run(tests, tree, seconds=20 * SECONDS)
    trees.put(tree)
    return (
        [] if done.returncode == 0 else _failed(done.stdout) or [(done.stdout + done.stderr)[-2000:]]
    )  # the latter: nothing ran at all


def _noticed_by(check: Check, tree: Path) -> str:
    """The first test that fails without the check; empty when none does."""
    path = tree / check.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(check.switched_off(whole), encoding="utf-8")
    try:
        done = _run(["-x", *check.tests], tree, seconds=SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    finally:
        path.write_text(whole, encoding="utf-8")
    failed = _failed(done.stdout)
    return failed[0] if done.returncode == FAILED and failed else ""


def _run(arguments: Sequence[str], tree: Path, *, seconds: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci", "-m", "", *arguments],
        cwd=tree, capture_output=True, text=True, timeout=seconds, check=False, env=_environment(tree),
    )  # fmt: skip


def _failed(output: str) -> list[str]:
    """The tests pytest's summary names as failed."""
    return [line.removeprefix("FAILED ").partition(" - ")[0] for line in output.splitlines() if line.startswith("FAILED ")]


def _environment(tree: Path) -> dict[str, str]:
    """The copy's packages come before the installed ones, in child processes too."""
    return {**os.environ, "PYTHONPATH": str(tree)}


def _page(results: Sequence[tuple[Check, str]]) -> str:
    rows = [f"| {check.id} | {check.rule} | `{check.file}` | {f'`{by}`' if by else '**unnoticed**'} |" for check, by in results]
    return "\n".join(
        [
            "# Checks switched off, one at a time",
            "",
            "Each check of this table was taken out of the code, alone, and the tests were run: the last column names the first",
            "test that failed. `make prove PROVE_ARGS=--write` repeats it; the declarations are in `tests/mutation/checks.toml`.",
            "",
            "| Check | Rule | Code | First test to fail |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
