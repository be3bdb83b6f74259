"""`docs/threats.md` names a test for every threat it calls done, and every test it names exists; so with the suite's modules."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
DOCUMENT = TESTS.parent / "docs" / "threats.md"
ROW = re.compile(r"^\| (?P<ids>[A-Z]-\d+[^|]*) \| (?P<reaction>[^|]+) \|(?P<tests>[^|]*)\| (?P<state>[^|]+) \|$")
NAME = re.compile(r"`(?P<file>[a-z0-9_/]+\.py)::(?P<test>test_[a-z0-9_]+)`")
ROWS = [match for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if (match := ROW.match(line))]
# The catalogue's rows that the parts existing today are exposed to; "later" is no answer for these.
OURS = {
    **dict.fromkeys("H", range(1, 20)),
    "I": range(1, 23),
    "A": range(1, 18),
    "D": [1, 2, 7, 10, 11, 12, 15],
    "J": range(1, 14),
    "M": range(1, 10),
    "S": range(1, 15),
    "T": [*range(1, 8), 10, 11, 12],
    "V": range(1, 14),
    "W": range(1, 8),
    "O": [*range(1, 10), 12, 19],
    "P": [*range(1, 7), 10],
    "R": [1, 3, 5, 6, 7, 8, 9, *range(13, 20)],
}


def _tests_of(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=[row["ids"] for row in ROWS])
def test_every_named_test_exists_and_every_state_is_one(row: re.Match[str]) -> None:
    state = re.match(r"done|partly|gap|later", row["state"])
    assert state, row["state"]
    named = list(NAME.finditer(row["tests"]))
    assert bool(named) == (state[0] in ("done", "partly"))
    for name in named:
        assert name["test"] in _tests_of(name["file"]), name[0]


def test_no_threat_in_scope_is_left_out() -> None:
    stated = {row["ids"] for row in ROWS if not row["state"].startswith("later")}
    assert {f"{letter}-{number}" for letter, numbers in OURS.items() for number in numbers} <= stated


def test_every_test_that_mirrors_a_module_of_the_conformance_suite_exists() -> None:
    text = (TESTS.parent / "docs" / "conformance" / "oidf-modules.md").read_text(encoding="utf-8")
    named = re.findall(r"`tests/([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", text)
    assert len(named) > 20
    assert [f"{file}::{test}" for file, test in named if test not in _tests_of(file)] == []
