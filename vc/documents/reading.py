"""Reading claims into the inner model: tolerant of how they are written, never of what they contradict."""

from collections.abc import Mapping
from typing import Any

from vc.documents import kind
from vc.documents.claim import Table
from vc.documents.model import ConcretePath, Problem, drop, pointer, put, value_at
from vc.documents.slot import Node, Slot
from vc.errors import Malformed

MAX_ELEMENTS = 200
"""Elements of one list that are read from a credential; more are ignored with a note."""


class Reading:
    """One pass over the claims of a credential; afterwards `data` holds what they state and `notes` what was odd."""

    def __init__(self, table: Table, renames: Mapping[str, str]) -> None:
        self.data: dict[str, Any] = {}
        self.notes: list[Problem] = []
        self._table, self._renames = table, renames
        self._contradicted: set[ConcretePath] = set()

    def read(self, node: Node, value: object, here: ConcretePath = (), indices: tuple[int, ...] = ()) -> None:
        """Take in everything under `value` that `node` knows."""
        if isinstance(value, dict) and node.children:
            for name, member in value.items():
                child = node.children.get(name) or self._respelled(node, name, value, here)
                if child is not None:
                    self.read(child, member, (*here, name), indices)
        elif isinstance(value, list) and None in node.children:
            if len(value) > MAX_ELEMENTS:
                self.note(here, "elements", f"only {MAX_ELEMENTS} elements are read")
            for index, element in enumerate(value[:MAX_ELEMENTS]):
                self.read(node.children[None], element, (*here, index), (*indices, index))
        elif value is not None:
            if not node.slots:
                self.note(here, "unreadable", "the value is not of the kind it should be")
            for entry in node.slots:
                self._take(entry, value, here, indices)

    def note(self, here: ConcretePath, code: str, detail: str) -> None:
        """Remember one oddity."""
        self.notes.append(Problem(pointer=pointer(here), code=code, detail=detail))

    def _respelled(self, node: Node, name: str, among: Mapping[str, Any], here: ConcretePath) -> Node | None:
        """The place of a member that is written in a way met in the wild, unless the proper one is there too."""
        proper = self._renames.get(name)
        if proper is None or proper in among or proper not in node.children:
            return None
        self.note((*here, name), "spelling", f"read as {proper}")
        return node.children[proper]

    def _take(self, entry: Slot, value: object, here: ConcretePath, indices: tuple[int, ...]) -> None:
        try:
            inner, odd = kind.tolerant(self._table.by_path[entry.fact], value)
        except Malformed as exc:
            self.note(here, exc.code, exc.detail)
            return
        if odd:
            self.note(here, odd, "read, but not written as it should be")
        path = entry.fact_path(indices)
        held = value_at(self.data, path)
        if path in self._contradicted:
            return
        if held is not None and held != inner:
            self.note(here, "contradiction", "stated twice, and differently")
            self._contradicted.add(path)
            drop(self.data, path)
            return
        put(self.data, path, inner)
