"""V-12: what was not asked for is cut out before anything looks at it."""

from typing import Any

import pytest

from verifier.surplus import without

CLAIMS: dict[str, Any] = {
    "a": 1,
    "b": {"c": 2, "d": {"e": 3}},
    "list": ["x", {"y": 1, "z": 2}, "w"],
}


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (frozenset(), CLAIMS),
        (frozenset({("a",)}), {"b": CLAIMS["b"], "list": CLAIMS["list"]}),
        (frozenset({("b", "c")}), {**CLAIMS, "b": {"d": {"e": 3}}}),
        (frozenset({("b", "d", "e"), ("a",)}), {"b": {"c": 2, "d": {}}, "list": CLAIMS["list"]}),
        (frozenset({("list", 0), ("list", 1, "y")}), {**CLAIMS, "list": [{"z": 2}, "w"]}),
        (frozenset({("nowhere", "at", "all")}), CLAIMS),
        (frozenset({("a", "deeper")}), CLAIMS),
    ],
)
def test_elements_at_the_paths_are_gone_and_nothing_else(paths: frozenset[tuple[str | int | None, ...]], left: Any) -> None:
    assert without(CLAIMS, paths) == left
    assert CLAIMS["b"] == {"c": 2, "d": {"e": 3}}  # the original stays
