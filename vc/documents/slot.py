"""`Slot`: where one fact of the inner model stands in a profile. A profile is a table of these, read in both directions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from vc.documents.claim import SelectiveDisclosure, path_of
from vc.documents.model import ConcretePath
from vc.encoding.claims_path import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One fact's place in a profile.

    fact: path in the inner model. at: path in the claims (mdoc: namespace and element first). join: sibling fact written
    behind this one, in one text. rendering: written for readers, never read back and never counted as carrying the fact.
    read_only: never written (a spelling met in the wild).
    """

    fact: Path
    at: Path
    mandatory: bool = False
    sd: SelectiveDisclosure = "always"
    join: str | None = None
    rendering: bool = False
    read_only: bool = False

    def claim_path(self, indices: tuple[int, ...]) -> ConcretePath | None:
        """Where the fact with these list indices goes; None when the profile has room for one element and it is not the first."""
        if indices and None not in self.at:
            return None if any(indices) else _filled(self.at, ())
        return _filled(self.at, indices)

    def fact_path(self, indices: tuple[int, ...]) -> ConcretePath:
        """Where a claim found under these list indices belongs; what is no list in the profile is the first element."""
        return _filled(self.fact, indices)


def slot(fact: str, at: str, *, under: str | None = None, **options: Any) -> Slot:
    """A `Slot` from the text form of its paths; `under` is a namespace put in front of `at` as it is (it holds dots)."""
    return Slot(fact=path_of(fact), at=(*([under] if under else []), *path_of(at)), **options)


@lru_cache(maxsize=4096)
def _filled(path: Path, indices: tuple[int, ...]) -> ConcretePath:
    numbers = iter(indices)
    return tuple(next(numbers, 0) if step is None else step for step in path)


@dataclass(frozen=True, slots=True)
class Node:
    """The slots that end at one place, and the places below it; None is the child for list elements."""

    slots: list[Slot] = field(default_factory=list)
    children: dict[str | int | None, "Node"] = field(default_factory=dict)


def tree(slots: Iterable[Slot], path: Callable[[Slot], Path]) -> Node:
    """The slots as a tree over `path` (their facts for writing, their places for reading)."""
    root = Node()
    for entry in slots:
        node = root
        for step in path(entry):
            node = node.children.setdefault(step, Node())
        node.slots.append(entry)
    return root
