"""A document as the core holds it: the whole paper form in one JSON-like tree, and what is wrong with one that came in."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from vc.documents.calendar import OPEN, Period, full_date
from vc.encoding.claims_path import Path
from vc.errors import Malformed

ConcretePath = tuple[str | int, ...]
"""A path with every list index given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong at one place. `pointer` is an RFC 6901 JSON pointer; `code` is stable; `detail` never holds the value."""

    pointer: str
    code: str
    detail: str


class DocumentInvalid(Malformed):
    """Data that is no document of its type; `problems` lists everything that was found, in the order of the form."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("document_invalid", f"{len(problems)} problem(s) in the document data", pointer=problems[0].pointer)
        self.problems = list(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One PD A1, EHIC or PID in the inner model.

    `data`: only what is known, ISO dates and countries, NFC text, `ending_date` "open" for a period without end. A member
    that was not disclosed is absent. `notes`: oddities met while reading a foreign shape, never a value. Not shown by
    repr: the data is about a person.
    """

    type: str
    data: Mapping[str, Any] = field(repr=False)
    notes: tuple[Problem, ...] = field(default=(), compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """A copy of `data` that the caller may change or encode."""
        return copy.deepcopy(dict(self.data))

    def get(self, *path: str | int) -> Any:
        """The value at `path`, or None when it or anything above it is absent."""
        return value_at(self.data, path)

    @property
    def period(self) -> Period:
        """First and last day of the cover (`starting_date`, `ending_date`), both inside."""
        return Period(start=self.date("starting_date"), end=self.date("ending_date"), open_end=self.get("ending_date") == OPEN)

    def date(self, *path: str) -> Any:
        """The `datetime.date` at `path`; None when absent or open."""
        text = self.get(*path)
        return None if text is None or text == OPEN else full_date(text)

    @property
    def issuing_country(self) -> str | None:
        """ISO country the document is issued under."""
        country = self.get("issuing_country")
        return country if isinstance(country, str) else None

    @property
    def institution_ids(self) -> tuple[str, ...]:
        """EESSI ids of the deciding and of the issuing institution, each once, EL and UK as prefixes."""
        found = (self.get("authentic_source", "id"), self.get("issuing_authority", "id"))
        return tuple(dict.fromkeys(identifier for identifier in found if identifier))


def value_at(tree: Any, path: Sequence[str | int]) -> Any:
    """The value at `path` in a tree of dicts and lists, None when there is none."""
    for step in path:
        if isinstance(step, str):
            tree = tree.get(step) if isinstance(tree, Mapping) else None
        else:
            tree = tree[step] if isinstance(tree, list) and step < len(tree) else None
    return tree


def put(tree: dict[str, Any], path: Sequence[str | int], value: Any) -> None:
    """Set the value at `path`, making the objects and lists on the way; gaps in lists of objects become empty objects."""
    node: Any = tree
    for step, following in pairwise(path):
        child = _step(node, step)
        if not child:
            child = [] if isinstance(following, int) else {}
            node[step] = child
        node = child
    _step(node, path[-1])
    node[path[-1]] = value


def _step(node: Any, step: str | int) -> Any:
    """What stands at `step`, the list made long enough."""
    if isinstance(step, str):
        return node.get(step)
    while len(node) <= step:
        node.append({})
    return node[step]


def drop(tree: dict[str, Any], path: Sequence[str | int]) -> None:
    """Take the member at `path` out, and the objects that become empty by it (never list elements)."""
    parent = value_at(tree, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
        if not parent and len(path) > 1 and isinstance(path[-2], str):
            drop(tree, path[:-1])


def leaves(tree: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value that is neither object nor list, with its path, in order."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, (*at, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, (*at, index))
    else:
        yield at, tree


def pattern(path: Sequence[str | int]) -> Path:
    """A concrete path with None for each list index: the form's own name of the place."""
    return tuple(None if isinstance(step, int) else step for step in path)


def pointer(path: Sequence[str | int | None]) -> str:
    """RFC 6901 JSON pointer of a concrete path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
