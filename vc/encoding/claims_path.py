"""Claims path pointers (OpenID4VCI 1.0 Appendix C, OpenID4VP 1.0 §7, SD-JWT VC §9.1): which values of a JSON tree are meant.

One rule set for issuer metadata, DCQL and type metadata (VCI-PATH-1).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vc.errors import Malformed, VerificationFailed

Path = tuple[str | int | None, ...]
"""From the root: a text selects a member, a number an array element, None every array element."""

MAX_LENGTH = 32


def parse(value: object, *, pointer: str = "") -> Path:
    """The path of a decoded JSON array. Raises `Malformed("claims_path")` for an empty one, a negative index or another kind."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_LENGTH:
        raise Malformed("claims_path", f"a claims path is an array of 1 to {MAX_LENGTH} components", pointer=pointer)
    for component in value:
        if isinstance(component, str) or component is None:
            continue
        if isinstance(component, bool) or not isinstance(component, int) or component < 0:
            raise Malformed("claims_path", "a component is text, null or a number from 0", pointer=pointer)
    return tuple(value)


def locate(root: Any, path: Sequence[str | int | None]) -> list[tuple[Path, Any]]:
    """Every selected element with its concrete path (no None in it), in document order; empty when nothing is there.

    Raises `VerificationFailed("claims_path")` when a text meets something other than an object, or a number or null
    something other than an array (the processing is then aborted, not continued with the rest).
    """
    selected: list[tuple[Path, Any]] = [((), root)]
    for component in path:
        if isinstance(component, str):
            if not all(isinstance(value, Mapping) for _, value in selected):
                raise VerificationFailed("claims_path", "the path names a member of something that is not an object")
            selected = [((*at, component), value[component]) for at, value in selected if component in value]
            continue
        if not all(isinstance(value, list) for _, value in selected):
            raise VerificationFailed("claims_path", "the path names an element of something that is not an array")
        if component is None:
            selected = [((*at, index), item) for at, value in selected for index, item in enumerate(value)]
        else:
            selected = [((*at, component), value[component]) for at, value in selected if 0 <= component < len(value)]
    return selected


def select(root: Any, path: Sequence[str | int | None]) -> list[Any]:
    """The selected values, at least one. Raises `VerificationFailed("claims_path")` also when nothing is selected."""
    found = locate(root, path)
    if not found:
        raise VerificationFailed("claims_path", "the path selects nothing")
    return [value for _, value in found]


def covers(pattern: Sequence[str | int | None], concrete: Sequence[str | int | None]) -> bool:
    """True when `pattern` names `concrete` itself: same length, None standing for any index."""
    return len(pattern) == len(concrete) and touches(pattern, concrete)


def touches(pattern: Sequence[str | int | None], concrete: Sequence[str | int | None]) -> bool:
    """True when one is the other or an ancestor of it, None in `pattern` standing for any index."""
    return all(
        wanted == found or (wanted is None and isinstance(found, int)) for wanted, found in zip(pattern, concrete, strict=False)
    )
