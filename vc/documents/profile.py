"""Profiles: public shapes of a document as tables of slots. One table serves both ways, out (`project`) and back (`normalise`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vc.documents.claim import Claim, Kind, Table
from vc.documents.model import ConcretePath, Document, leaves, pattern, pointer, put, value_at
from vc.documents.reading import Reading
from vc.documents.slot import Node, Slot, tree
from vc.documents.writing import Writing
from vc.encoding.claims_path import Path
from vc.errors import Refused


class ProjectionLoses(Refused):
    """The profile has no place for some facts; `facts` are their JSON pointers in the inner model."""

    def __init__(self, profile: str, facts: list[str]) -> None:
        super().__init__("projection_loses", f"profile {profile} cannot carry {len(facts)} fact(s)", pointer=facts[0])
        self.facts = facts


class ProjectionLacks(Refused):
    """The profile demands facts the document does not have; `facts` are their JSON pointers (identity members as `/identity/…`)."""

    def __init__(self, profile: str, facts: list[str]) -> None:
        super().__init__("projection_lacks", f"profile {profile} needs {len(facts)} more fact(s)", pointer=facts[0])
        self.facts = facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One public shape of one document type.

    format: `dc+sd-jwt` or `mso_mdoc`. type_id: vct or doctype that is issued; aliases: others under which the shape is met.
    constants: members every credential of the shape carries. delegated: facts that by the profile's own rule come from the PID
    shown beside it, so not lost. issuable: False for shapes that are only read. dates: how dates are written. depth: claims
    below this depth are described (and disclosed) as one. detect: whether claims have this shape. renames: spellings met in
    the wild. reshape: brings foreign structures into slot form. derive: adds what a reader of the shape can tell from the rest.
    """

    id: str
    document_type: str
    format: str
    type_id: str
    table: Table
    slots: tuple[Slot, ...]
    aliases: tuple[str, ...] = ()
    constants: Mapping[Path, object] = field(default_factory=dict)
    delegated: tuple[Path, ...] = (("holder",),)
    issuable: bool = True
    dates: Literal["text", "date"] = "text"
    depth: int | None = None
    detect: Callable[[Mapping[str, Any]], bool] = bool
    renames: Mapping[str, str] = field(default_factory=dict)
    reshape: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    derive: Callable[[dict[str, Any]], None] | None = None
    _by_fact: Node = field(init=False, repr=False, compare=False)
    _by_place: Node = field(init=False, repr=False, compare=False)
    _required: tuple[ConcretePath, ...] = field(init=False, repr=False, compare=False)
    _joins: Mapping[Path, str] = field(init=False, repr=False, compare=False)
    _claims: tuple[Claim, ...] = field(init=False, repr=False, compare=False)
    _disclosable: tuple[Path, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = [entry for entry in self.slots if self.table.by_path[entry.fact].kind not in (Kind.OBJECT, Kind.LIST)]
        exact = [entry for entry in values if not entry.rendering]
        object.__setattr__(self, "_by_fact", tree((e for e in exact if not e.read_only), lambda entry: entry.fact))
        object.__setattr__(self, "_by_place", tree(exact, lambda entry: entry.at))
        required = [entry.fact_path(()) for entry in self.slots if entry.mandatory and None not in entry.fact]
        object.__setattr__(self, "_required", tuple(required))
        object.__setattr__(self, "_joins", {entry.fact: entry.join for entry in self.slots if entry.join})
        object.__setattr__(self, "_claims", self._described())
        object.__setattr__(self, "_disclosable", tuple(claim.path for claim in self._claims if claim.sd == "always"))

    @property
    def type_ids(self) -> tuple[str, ...]:
        """Every vct or doctype under which this shape is met, the issued one first."""
        return (self.type_id, *self.aliases)

    def knows(self, claims: Mapping[str, Any]) -> int:
        """How many of the top members are members of this shape."""
        return len(self._by_place.children.keys() & claims.keys())

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of the shape with their paths, labels and rules, for metadata and queries; constants at the end."""
        return self._claims

    @property
    def disclosable(self) -> tuple[Path, ...]:
        """Paths of the claims that are always selectively disclosable, in table order."""
        return self._disclosable

    def _described(self) -> tuple[Claim, ...]:
        found: dict[Path, Claim] = {}
        for entry in self.slots:
            path = entry.at[: self.depth]
            if not entry.read_only and path not in found:
                found[path] = replace(self.table.by_path[entry.fact], path=path, mandatory=entry.mandatory, sd=entry.sd)
        for path in self.constants:
            label = str(path[-1]).replace("_", " ").capitalize()
            found[path] = Claim(path=path, kind=Kind.CODE, labels={"en": label}, mandatory=True)
        return tuple(found.values())

    def project(self, document: Document) -> dict[str, Any]:
        """`document` in this shape: the claims without the envelope (mdoc: namespace → element → value, dates as `date`).

        Raises `ProjectionLoses` when a fact would be dropped, `ProjectionLacks` when a mandatory one is not there,
        `Refused("profile_read_only")` for a shape that is only read.
        """
        if not self.issuable:
            raise Refused("profile_read_only", f"profile {self.id} is recognised but not issued")
        writing = Writing(self.table, as_date=self.dates == "date")
        self._render(document, writing.claims)  # first: exact facts written afterwards at the same place replace them
        writing.write(self._by_fact, document.data)
        claims = writing.claims
        lost = self._lost(writing.homeless, claims)
        if lost:
            raise ProjectionLoses(self.id, lost)
        self._require(document)
        for place, constant in self.constants.items():
            put(claims, [str(step) for step in place], constant)
        return claims

    def normalise(self, claims: Mapping[str, Any]) -> Document:
        """The document these claims state, in the inner model; whatever they do not state is absent.

        Never raises for content: an unreadable or contradictory member is left out and stands in `notes` (`unreadable`,
        `contradiction`, `spelling`, `country_spelling`, `institution_id`, `characters`, `elements`). Envelope and unknown
        members are ignored. Nothing is verified here.
        """
        reading = Reading(self.table, self.renames)
        reading.read(self._by_place, dict(self.reshape(claims)))
        self._unjoin(reading.data)
        if self.derive is not None:
            self.derive(reading.data)
        return Document(type=self.document_type, data=reading.data, notes=tuple(reading.notes))

    def _render(self, document: Document, claims: dict[str, Any]) -> None:
        """Write the renderings."""
        for entry in self.slots:
            if entry.rendering:
                path, where = entry.fact_path(()), entry.claim_path(())
                value = value_at(document.data, path)
                if value is not None and where is not None:
                    put(claims, where, value)

    def _lost(self, homeless: list[tuple[ConcretePath, Any]], claims: dict[str, Any]) -> list[str]:
        """The facts no slot carried that are neither silent, delegated nor told by the rest."""
        missing = [
            (path, value)
            for path, value in homeless
            if not any(path[: len(given)] == given for given in self.delegated)
            and value not in self.table.by_path[pattern(path)].silent
        ]
        if missing and self.derive is not None:
            told = self.normalise(claims)
            missing = [(path, value) for path, value in missing if told.get(*path) != value]
        return [pointer(path) for path, _ in missing]

    def _require(self, document: Document) -> None:
        lacking = [path for path in self._required if value_at(document.data, path) is None]
        if lacking:
            named = [("identity", *fact[1:]) if fact[0] == "holder" else fact for fact in lacking]
            raise ProjectionLacks(self.id, [pointer(fact) for fact in named])

    def _unjoin(self, data: dict[str, Any]) -> None:
        """Take a joined sibling off the end again where it is known by itself."""
        for path, value in list(leaves(data)) if self._joins else ():
            join = self._joins.get(pattern(path))
            sibling = value_at(data, (*path[:-1], join)) if join else None
            if sibling and value.endswith(f" {sibling}"):
                put(data, path, value.removesuffix(f" {sibling}"))
