"""The strict reader: document data from an institution against the claims table, everything wrong named at once."""

from collections.abc import Mapping
from typing import Any

from vc.documents import kind
from vc.documents.claim import Claim, Kind, Table
from vc.documents.model import Problem, pointer
from vc.encoding.claims_path import Path
from vc.errors import Malformed

_ABSENT = object()
MAX_PROBLEMS = 200
"""More problems than this are not listed; nobody reads them, and the input may be hostile."""


class Reader:
    """Reads objects of one table and collects `problems`; what is wrong is left out of what `read` gives back."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.problems: list[Problem] = []

    def add(self, place: Path, code: str, detail: str) -> None:
        """Note one problem at a concrete path."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(pointer=pointer(place), code=code, detail=detail))

    def read(self, data: object, *, at: Path = (), under: Path = (), skip: str = "") -> dict[str, Any]:
        """The members of `data` that are as declared; `at` is the concrete place, `under` the place in the table.

        `skip` names a declared member that has no place in this input.
        """
        if not isinstance(data, Mapping):
            self.add(at, "type", "must be an object")
            return {}
        claims = {str(claim.path[-1]): claim for claim in self.table.children[under] if claim.path[-1] != skip}
        for name in data:
            if name not in claims:
                self.add((*at, str(name)[:64]), "unknown_member", "this member is not part of the document")
        found = {}
        for name, claim in claims.items():
            value = self._value(claim, data.get(name), (*at, name))
            if value is not _ABSENT:
                found[name] = value
        return found

    def _value(self, claim: Claim, value: object, at: Path) -> Any:
        """The inner form of one member, `_ABSENT` when there is none or it is wrong. JSON null counts as absent."""
        if value is None:
            if claim.mandatory:
                self.add(at, "missing", "this member is mandatory")
            return _ABSENT
        if claim.kind is Kind.OBJECT:
            return self.read(value, at=at, under=claim.path) or _ABSENT
        if claim.kind is Kind.LIST:
            return self._list(claim, value, at) or _ABSENT
        try:
            return kind.strict(claim, value)
        except Malformed as exc:
            self.add(at, exc.code, exc.detail)
            return _ABSENT

    def _list(self, claim: Claim, value: object, at: Path) -> list[Any]:
        alone = claim.single and isinstance(value, str)  # one element without its list: its place is that of the member
        items = [value] if alone else value
        if not isinstance(items, list):
            self.add(at, "type", "must be a list")
            return []
        if not claim.min <= len(items) <= claim.max:
            self.add(at, "items", f"must have {claim.min} to {claim.max} elements")
            return []
        element = self.table.by_path[(*claim.path, None)]
        found: list[Any] = []
        for index, item in enumerate(items):
            place = at if alone else (*at, index)
            inner = self._value(element, item, place)
            if item is None:
                self.add(place, "type", "an element must not be null")
            elif inner is not _ABSENT and inner in found:
                self.add(place, "duplicate", "the same element stands earlier in the list")
            elif inner is not _ABSENT:
                found.append(inner)
        return found
