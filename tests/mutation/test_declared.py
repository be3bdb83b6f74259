"""The declarations fit the code they are about, so that the proof can be made at any time."""

import ast

import pytest

from tests.mutation.declared import ROOT, Check, checks


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.id)
def test_each_check_stands_where_it_is_declared(check: Check) -> None:
    """The text is there once, what is left without it is Python, and the tests named exist."""
    source = (ROOT / check.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(check.switched_off(source))) != ast.dump(ast.parse(source))
    assert check.tests
    assert [name for name in check.tests if not _exists(name)] == []


def _exists(name: str) -> bool:
    """Whether there is that file, and in it, where one is named, that test."""
    file, _, test = name.partition("[")[0].partition("::")
    return (ROOT / file).is_file() and (not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"))


def test_no_check_is_declared_twice() -> None:
    found = checks()
    assert len({check.id for check in found}) == len({(check.file, check.find, check.replace) for check in found}) == len(found)
