"""The small parts documents are made of: dates, countries, text, trees, paths."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vc.documents import calendar, country, text
from vc.documents.claim import path_of
from vc.documents.model import drop, leaves, pattern, pointer, put, value_at
from vc.documents.slot import slot
from vc.errors import Malformed


@pytest.mark.parametrize("day", ["2026-02-28", "2028-02-29", "1900-01-01", "2499-12-31", "2000-02-29"])
def test_full_date(day: str) -> None:
    assert calendar.full_date(day).isoformat() == day


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-29",
        "1900-02-29",
        "2026-00-10",
        "2026-1-1",
        "20260101",
        "2026-01-01T00:00:00",
        "1899-12-31",
        "2500-01-01",
        "",
        "२०२६-01-01",
    ],
)
def test_no_full_date(day: str) -> None:
    with pytest.raises(Malformed, match="date"):
        calendar.full_date(day)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 9, 1), 24, date(2028, 9, 1)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
    ],
)
def test_plus_months(day: date, months: int, expected: date) -> None:
    assert calendar.plus_months(day, months) == expected


def test_spoken() -> None:
    assert calendar.spoken(date(2027, 2, 28)) == "28 February 2027"


@pytest.mark.parametrize(
    ("one", "other"), [("GR:101010", "EL:101010"), ("GB:70001", "UK:70001"), ("FR:7500001", "FR:7500001"), ("7500001", "7500001")]
)
def test_institution_ids_compare_equal(one: str, other: str) -> None:
    assert country.institution_id(one) == country.institution_id(other)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [("EL:101010", "GR"), ("UK:70001", "GB"), ("FR:1", "FR"), ("EU:1234", None), ("FR", None), ("", None), ("XX:1", None)],
)
def test_country_of_an_institution(identifier: str, expected: str | None) -> None:
    assert country.of_institution(identifier) == expected


def test_country_names() -> None:
    assert country.name("NL") == "the Netherlands"
    assert country.name("US") == "US"
    assert len(country.STATES) == 32
    assert country.STATES < country.WORLD < country.NATIONALITIES


@pytest.mark.parametrize(
    "good", ["Łódź", "e-ΕΦΚΑ (δοκιμή)", "M/V «Αιγαίον Δοκιμή»", "Müller & Söhne", "Анна Anna", "a\u0323\u0302", "日本 GmbH"]
)
def test_text_that_may_enter(good: str) -> None:
    assert text.fault(text.tidy(good)) is None


@given(st.text())
def test_marking_leaves_no_forbidden_character(any_text: str) -> None:
    shown = text.marked(any_text)
    assert len(shown) == len(any_text)
    assert text.fault(shown) != "characters"


def test_scripts() -> None:
    assert text.scripts("Pаul Ελένη") == {"latin", "cyrillic", "greek"}
    assert text.scripts("გიორგი 12") == frozenset()


def test_paths() -> None:
    assert path_of("employer[].address.locality") == ("employer", None, "address", "locality")
    assert path_of("nationality[]") == ("nationality", None)
    assert slot("a[].b", "c", under="x.y").at == ("x.y", "c")
    assert pattern(("a", 3, "b")) == ("a", None, "b")
    assert pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"


def test_places_of_a_slot() -> None:
    assert slot("a[].b", "x[].y").claim_path((2,)) == ("x", 2, "y")
    assert slot("a[].b", "x.y").claim_path((0,)) == ("x", "y")
    assert slot("a[].b", "x.y").claim_path((1,)) is None
    assert slot("a[].b", "x.y").fact_path(()) == ("a", 0, "b")


def test_put_makes_room() -> None:
    tree: dict[str, Any] = {}
    put(tree, ("a", 2, "b"), 1)
    put(tree, ("a", 0, "c"), 2)
    put(tree, ("d", 1), 3)
    assert tree == {"a": [{"c": 2}, {}, {"b": 1}], "d": [{}, 3]}


def test_drop_takes_empty_objects_along() -> None:
    tree: dict[str, Any] = {"a": {"b": {"c": 1}}, "d": [{"e": 1}], "f": 1}
    drop(tree, ("a", "b", "c"))
    drop(tree, ("d", 0, "e"))
    drop(tree, ("x", "y"))
    drop(tree, ("f",))
    assert tree == {"d": [{}]}


@given(
    st.recursive(
        st.integers(),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=3), inner, min_size=1, max_size=3),
    )
)
def test_a_tree_is_its_leaves(tree: Any) -> None:
    rebuilt: dict[str, Any] = {}
    for path, value in leaves({"root": tree}):
        put(rebuilt, path, value)
        assert value_at({"root": tree}, path) == value
    assert rebuilt == {"root": tree}
