"""Writing a document's facts into the places of a profile, and remembering those that have none."""

from collections.abc import Mapping
from typing import Any

from vc.documents import kind
from vc.documents.claim import Table
from vc.documents.model import ConcretePath, leaves, put
from vc.documents.slot import Node


class Writing:
    """One pass over the inner model; afterwards `claims` is the shape and `homeless` the facts no slot carried."""

    def __init__(self, table: Table, *, as_date: bool) -> None:
        self.claims: dict[str, Any] = {}
        self.homeless: list[tuple[ConcretePath, Any]] = []
        self._table, self._as_date = table, as_date

    def write(self, node: Node, tree: Mapping[str, Any], path: ConcretePath = (), indices: tuple[int, ...] = ()) -> None:
        """Put every fact under `tree` into its slots."""
        for name, value in tree.items():
            self._value(node.children.get(name), value, (*path, name), indices, tree)

    def _value(
        self, node: Node | None, value: Any, path: ConcretePath, indices: tuple[int, ...], siblings: Mapping[str, Any]
    ) -> None:
        if node is None:
            self.homeless += leaves(value, path)
        elif isinstance(value, dict):
            self.write(node, value, path, indices)
        elif isinstance(value, list):
            for index, element in enumerate(value):
                self._value(node.children.get(None), element, (*path, index), (*indices, index), siblings)
        elif not self._fact(node, value, indices, siblings):
            self.homeless.append((path, value))

    def _fact(self, node: Node, value: Any, indices: tuple[int, ...], siblings: Mapping[str, Any]) -> bool:
        """Put one fact into its slots; whether one of them carries it."""
        carried = False
        for entry in node.slots:
            where = entry.claim_path(indices)
            if where is not None:
                joined = siblings.get(entry.join) if entry.join else None
                text = f"{value} {joined}" if joined else value
                put(self.claims, where, kind.written(self._table.by_path[entry.fact], text, as_date=self._as_date))
                carried = True
        return carried
