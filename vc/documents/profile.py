"""Profiles: public shapes of a document as tables of slots. One table serves both ways, out (`project`) and back (`normalise`)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from vc.documents import kind
from vc.documents.claim import Claim, Kind, SelectiveDisclosure, Table, path_of
from vc.documents.model import Document, Problem, drop, leaves, pattern, pointer, put, value_at
from vc.encoding.claims_path import Path
from vc.errors import Malformed, Refused

MAX_ELEMENTS = 200
"""Elements of one list that are read from a credential; more are ignored with a note."""


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


def slot(fact: str, at: str, *, under: str | None = None, **options: Any) -> Slot:
    """A `Slot` from the text form of its paths; `under` is a namespace put in front of `at` as it is (it holds dots)."""
    return Slot(fact=path_of(fact), at=(*([under] if under else []), *path_of(at)), **options)


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
    _by_fact: dict[Path, list[Slot]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_fact: dict[Path, list[Slot]] = {}
        for entry in self.slots:
            by_fact.setdefault(entry.fact, []).append(entry)
        object.__setattr__(self, "_by_fact", by_fact)

    @property
    def type_ids(self) -> tuple[str, ...]:
        """Every vct or doctype under which this shape is met, the issued one first."""
        return (self.type_id, *self.aliases)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of the shape with their paths, labels and rules, for metadata and queries; constants at the end."""
        found: dict[Path, Claim] = {}
        for entry in self.slots:
            path = entry.at[: self.depth]
            if not entry.read_only and path not in found:
                found[path] = replace(self.table.by_path[entry.fact], path=path, mandatory=entry.mandatory, sd=entry.sd)
        for path in self.constants:
            label = str(path[-1]).replace("_", " ").capitalize()
            found[path] = Claim(path=path, kind=Kind.CODE, labels={"en": label}, mandatory=True)
        return tuple(found.values())

    @property
    def disclosable(self) -> tuple[Path, ...]:
        """Paths of the claims that are always selectively disclosable, in table order."""
        return tuple(claim.path for claim in self.claims if claim.sd == "always")

    def project(self, document: Document) -> dict[str, Any]:
        """`document` in this shape: the claims without the envelope (mdoc: namespace → element → value, dates as `date`).

        Raises `ProjectionLoses` when a fact would be dropped, `ProjectionLacks` when a mandatory one is not there,
        `Refused("profile_read_only")` for a shape that is only read.
        """
        if not self.issuable:
            raise Refused("profile_read_only", f"profile {self.id} is recognised but not issued")
        claims: dict[str, Any] = {}
        homeless = []
        for path, value in sorted(leaves(document.data), key=lambda leaf: self._rank(leaf[0])):
            if not self._write(document, path, value, claims):
                homeless.append((path, value))
        lost = self._lost(homeless, claims)
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
        notes: list[Problem] = []
        shaped = self.reshape(_renamed(claims, self.renames, (), notes))
        data: dict[str, Any] = {}
        refused: set[tuple[str | int, ...]] = set()
        for entry in self.slots:
            rule = self.table.by_path[entry.fact]
            if entry.rendering or rule.kind in (Kind.OBJECT, Kind.LIST):
                continue
            for where, value in _select(shaped, entry.at, notes):
                path = _fact_path(entry, where)
                if path in refused:
                    continue
                try:
                    inner, note = kind.tolerant(rule, value)
                except Malformed as exc:
                    notes.append(Problem(pointer=pointer(where), code=exc.code, detail=exc.detail))
                    continue
                if note:
                    notes.append(Problem(pointer=pointer(where), code=note, detail="read, but not written as it should be"))
                held = value_at(data, path)
                if held is not None and held != inner:
                    notes.append(Problem(pointer=pointer(where), code="contradiction", detail="stated twice, and differently"))
                    drop(data, path)
                    refused.add(path)
                    continue
                put(data, path, inner)
        self._unjoin(data)
        if self.derive is not None:
            self.derive(data)
        return Document(type=self.document_type, data=data, notes=tuple(notes))

    def _rank(self, path: tuple[str | int, ...]) -> bool:
        """Order of writing: renderings first, exact facts overwrite them."""
        return not any(entry.rendering for entry in self._by_fact.get(pattern(path), ()))

    def _write(self, document: Document, path: tuple[str | int, ...], value: Any, claims: dict[str, Any]) -> bool:
        """Put one fact into each of its slots; whether one of them carries it."""
        carried = False
        for entry in self._by_fact.get(pattern(path), ()):
            where = _claim_path(entry, path)
            if where is None or entry.read_only:
                continue
            text = value
            if entry.join and (sibling := value_at(document.data, (*path[:-1], entry.join))):
                text = f"{value} {sibling}"
            put(claims, where, kind.written(self.table.by_path[entry.fact], text, self._write_date))
            carried = carried or not entry.rendering
        return carried

    def _write_date(self, day: date) -> object:
        return day if self.dates == "date" else day.isoformat()

    def _lost(self, homeless: list[tuple[tuple[str | int, ...], Any]], claims: dict[str, Any]) -> list[str]:
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
        wanted = [entry.fact for entry in self.slots if entry.mandatory and None not in entry.fact]
        lacking = [fact for fact in wanted if value_at(document.data, [str(step) for step in fact]) is None]
        if lacking:
            named = [("identity", *fact[1:]) if fact[0] == "holder" else fact for fact in lacking]
            raise ProjectionLacks(self.id, [pointer(fact) for fact in named])

    def _unjoin(self, data: dict[str, Any]) -> None:
        """Take a joined sibling off the end again where it is known by itself."""
        for entry in (entry for entry in self.slots if entry.join):
            for path, value in list(leaves(data)):
                sibling = value_at(data, (*path[:-1], str(entry.join)))
                if pattern(path) == entry.fact and sibling and value.endswith(f" {sibling}"):
                    put(data, path, value.removesuffix(f" {sibling}"))


def _claim_path(entry: Slot, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """Where a fact at `path` goes; None when it stands in a list the profile has room for one element of, and is not the first."""
    indices = [step for step in path if isinstance(step, int)]
    if indices and None not in entry.at:
        return None if any(indices) else tuple(step for step in entry.at if step is not None)
    numbers = iter(indices)
    return tuple(next(numbers) if step is None else step for step in entry.at)


def _fact_path(entry: Slot, where: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where a value found at `where` belongs in the inner model."""
    numbers = iter([step for step, named in zip(where, entry.at, strict=True) if named is None and isinstance(step, int)])
    return tuple(next(numbers, 0) if step is None else step for step in entry.fact)


def _select(
    claims: object, at: Path, notes: list[Problem], here: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value at `at` with its concrete path; what is not shaped that way, and JSON null, is not there."""
    if not at:
        if claims is not None:
            yield here, claims
    elif at[0] is None:
        if isinstance(claims, list):
            if len(claims) > MAX_ELEMENTS and not any(note.pointer == pointer(here) for note in notes):
                notes.append(Problem(pointer=pointer(here), code="elements", detail=f"only {MAX_ELEMENTS} elements are read"))
            for index, element in enumerate(claims[:MAX_ELEMENTS]):
                yield from _select(element, at[1:], notes, (*here, index))
    elif isinstance(claims, Mapping) and at[0] in claims:
        yield from _select(claims[at[0]], at[1:], notes, (*here, at[0]))


def _renamed(value: Any, renames: Mapping[str, str], here: tuple[str | int, ...], notes: list[Problem]) -> Any:
    """`value` with every member of a wild spelling under its proper name, unless that is there too."""
    if not renames:
        return value
    if isinstance(value, list):
        return [_renamed(element, renames, (*here, index), notes) for index, element in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    found = {}
    for name, member in value.items():
        proper = renames.get(name, name)
        if proper != name and proper in value:
            continue
        if proper != name:
            notes.append(Problem(pointer=pointer((*here, name)), code="spelling", detail=f"read as {proper}"))
        found[proper] = _renamed(member, renames, (*here, name), notes)
    return found
