"""VCI-PATH-1: claims path pointers."""

import json
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.encoding import claims_path
from vc.errors import Malformed, VcError, VerificationFailed

PUBLISHED = json.loads((FilePath(__file__).parents[2] / "vectors/openid4vci/claims_path_pointer.json").read_text())
CREDENTIAL = PUBLISHED["credential"]


@pytest.mark.parametrize("case", PUBLISHED["cases"], ids=lambda case: str(case["path"]))
def test_vci_path_1_published_cases(case: dict[str, Any]) -> None:
    assert claims_path.select(CREDENTIAL, claims_path.parse(case["path"])) == case["selects"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("degrees", 1, "type"), [(("degrees", 1, "type"), "Master of Science")]),
        (("degrees", 2), []),
        (("nothing",), []),
        (("nothing", "below"), []),
        (("nationalities", None), [(("nationalities", 0), "British"), (("nationalities", 1), "Betelgeusian")]),
        ((), [((), CREDENTIAL)]),
    ],
)
def test_locate_gives_concrete_paths_and_nothing_for_what_is_missing(path: claims_path.Path, found: list[Any]) -> None:
    assert claims_path.locate(CREDENTIAL, path) == found


@pytest.mark.parametrize("path", [("name", "first"), ("nationalities", "first"), ("address", None), ("address", 0), ("name", 0)])
def test_vci_path_1_a_component_of_the_wrong_kind_aborts(path: claims_path.Path) -> None:
    with pytest.raises(VerificationFailed, match="claims_path"):
        claims_path.locate(CREDENTIAL, path)


@pytest.mark.parametrize("path", [("nothing",), ("degrees", 7), ("degrees", None, "grade")])
def test_vci_path_1_an_empty_selection_is_an_error(path: claims_path.Path) -> None:
    with pytest.raises(VerificationFailed, match="claims_path"):
        claims_path.select(CREDENTIAL, path)


def test_vci_path_1_a_path_is_text_null_and_numbers_from_0() -> None:
    assert claims_path.parse(["a", 0, "b", None, 3]) == ("a", 0, "b", None, 3)


@pytest.mark.parametrize("value", [None, "name", {}, [], ["a", -1], ["a", True], ["a", 1.5], ["a", ["b"]], ["a"] * 33])
def test_vci_path_1_what_is_not_a_path_is_refused(value: object) -> None:
    with pytest.raises(Malformed, match="claims_path"):
        claims_path.parse(value)


@pytest.mark.parametrize(
    ("pattern", "concrete", "covers", "touches"),
    [
        (("a",), ("a",), True, True),
        (("a",), ("a", "b"), False, True),
        (("a", "b"), ("a",), False, True),
        (("a", None), ("a", 3), True, True),
        (("a", None), ("a", "b"), False, False),
        (("a", 1), ("a", 2), False, False),
        (("b",), ("a",), False, False),
    ],
)
def test_covers_and_touches(pattern: claims_path.Path, concrete: claims_path.Path, covers: bool, touches: bool) -> None:
    assert claims_path.covers(pattern, concrete) is covers
    assert claims_path.touches(pattern, concrete) is touches


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, json_values)
def test_any_values_give_a_selection_or_our_error(path: object, root: object) -> None:
    try:
        found = claims_path.select(root, claims_path.parse(path))
    except VcError:
        return
    assert found
