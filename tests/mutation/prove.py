"""Switches off one enforced check after the other in a copy of the tree and shows that the tests notice each time.

    python -m tests.mutation.prove [--only TEXT …] [--workers N] [--write]

First the tests run with every check in place: one that fails then would prove nothing afterwards. `--write` puts each result into
the table in docs/conformance/mutations.md; what was not run now keeps the result it had. Ends with 1 when a check can vanish
unnoticed, with 2 when the tests fail as they are.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Self, TypeVar

from tests.mutation.declared import ROOT, Check, checks

PAGE = ROOT / "docs" / "conformance" / "mutations.md"
RUNNER = Path(__file__).with_name("runner.py")
UNNOTICED, NOT_RUN = "**unnoticed**", "not run yet"
SECONDS = 300
FAILED = 1  # pytest: tests ran and some failed. Anything else (nothing ran, an import broke) proves nothing


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    wanted = [check for check in checks() if any(text.lower() in f"{check.id} {check.file}".lower() for text in options.only)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(options.workers):
            trees.put(stack.enter_context(Tree(Path(folder) / str(number))))
        with ThreadPoolExecutor(options.workers) as pool:
            if failing := _in_a_tree(trees, lambda tree: _failing_anyway(wanted, tree)):
                print("fails with every check in place:", *failing, sep="\n  ")
                return 2
            results: dict[str, str] = {}
            found = pool.map(lambda check: _in_a_tree(trees, lambda tree: _noticed_by(check, tree)), wanted)
            for check, by in zip(wanted, found, strict=True):
                results[check.id] = by
                if options.write:
                    PAGE.write_text(_page({**_written(), **results}), encoding="utf-8")
                print(f"{len(results):>3}/{len(wanted)}  {'noticed' if by else 'UNNOTICED':<9}  {check.id}  {by}", flush=True)
    unnoticed = sum(not by for by in results.values())
    print(f"{len(results)} checks switched off, {unnoticed} unnoticed")
    return 1 if unnoticed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="checks whose id or file contains one of these")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the table into docs/conformance")
    return parser.parse_args(arguments)


class Tree:
    """A copy of the files git knows or would take, and a process that runs tests in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            source, target = ROOT / name, root / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def __enter__(self) -> Self:
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._runner = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(RUNNER)], cwd=self.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**inherited, "PYTHONPATH": str(self.root)},  # before the installed packages, in child processes too
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.communicate()

    def run(self, arguments: Sequence[str], *, seconds: int = SECONDS) -> tuple[int, str]:
        """pytest's exit code, and what it said."""
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None  # as above, a pipe
        output = self.root.with_suffix(".output")
        pytest = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci", "-m", "", *arguments]
        self._runner.stdin.write(json.dumps([pytest, str(output), seconds]) + "\n")
        self._runner.stdin.flush()
        code = int(self._runner.stdout.readline())
        return code, output.read_text(encoding="utf-8", errors="replace")

    def put(self, name: str, source: str) -> None:
        """Write a module, and forget what Python has compiled of it: two changes in one second look the same to Python."""
        path = self.root / name
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()
        path.write_text(source, encoding="utf-8")


Found = TypeVar("Found")


def _in_a_tree(trees: SimpleQueue[Tree], work: Callable[[Tree], Found]) -> Found:
    tree = trees.get()
    try:
        return work(tree)
    finally:
        trees.put(tree)


def _failing_anyway(wanted: Sequence[Check], tree: Tree) -> list[str]:
    """The tests that fail although nothing is switched off; what pytest says when they did not even run."""
    code, said = tree.run(sorted({test for check in wanted for test in check.tests}), seconds=20 * SECONDS)
    return [] if code == 0 else _failed(said) or [said[-2000:]]


def _noticed_by(check: Check, tree: Tree) -> str:
    """The first test that fails without the check; empty when none does."""
    whole = (tree.root / check.file).read_text(encoding="utf-8")
    tree.put(check.file, check.switched_off(whole))
    code, said = tree.run(["-x", *check.tests])
    tree.put(check.file, whole)
    failed = _failed(said)
    return failed[0] if code == FAILED and failed else ""


def _failed(output: str) -> list[str]:
    """The tests pytest's summary names as failed."""
    return [line.removeprefix("FAILED ").partition(" - ")[0] for line in output.splitlines() if line.startswith("FAILED ")]


def _written() -> dict[str, str]:
    """The results in the table: the test by the check's id, empty for a check that vanished unnoticed."""
    rows = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    cells = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in rows if row.startswith("| ")][1:]
    said = {row[0]: row[-1].strip("`").replace("\\|", "|") for row in cells}
    return {name: "" if by == UNNOTICED else by for name, by in said.items() if by != NOT_RUN}


def _cell(by: str | None) -> str:
    if by is None:
        return NOT_RUN
    return "`{}`".format(by.replace("|", "\\|")) if by else UNNOTICED


def _page(results: Mapping[str, str]) -> str:
    rows = [f"| {check.id} | {check.rule} | `{check.file}` | {_cell(results.get(check.id))} |" for check in checks()]
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
