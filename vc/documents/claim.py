"""`Claim`: one line of a document's declaration. Forms, profiles, metadata and type metadata are derived from these lines."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from vc.documents.words import labels
from vc.encoding.claims_path import Path

SelectiveDisclosure = Literal["always", "allowed", "never"]


class Kind(StrEnum):
    """What a value is; `kind.py` knows how each is read and written."""

    OBJECT = "object"
    LIST = "list"
    TEXT = "text"
    CODE = "code"
    COUNTRY = "country"
    INSTITUTION = "institution"
    DATE = "date"
    END_DATE = "end_date"
    FLAG = "flag"
    SEX = "sex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim.

    path: from the root, None for every element of a list. min, max: characters of a text, elements of a list.
    codes: the values allowed (a mapping also gives their English titles). labels: by language. paper: number of the box
    on the paper form or card. silent: values that say no more than absence does (an unticked box), so never "lost".
    single: a list that may also come as its one element.
    """

    path: Path
    kind: Kind
    labels: Mapping[str, str]
    mandatory: bool = False
    sd: SelectiveDisclosure = "never"
    min: int = 1
    max: int = 100
    codes: Collection[str] | None = None
    paper: str | None = None
    silent: tuple[object, ...] = ()
    single: bool = False


def path_of(text: str) -> Path:
    """`employer[].address.locality` as a path: dots between members, `[]` for every element of a list."""
    steps: list[str | None] = []
    for part in text.split("."):
        name, *brackets = part.split("[]")
        steps += [*([name] if name else []), *[None for _ in brackets]]
    return tuple(steps)


def claim(
    path: str,
    kind: Kind,
    label: str,
    *,
    mandatory: bool = False,
    sd: SelectiveDisclosure = "never",
    min: int = 1,
    max: int = 100,
    codes: Collection[str] | None = None,
    paper: str | None = None,
    single: bool = False,
    silent: tuple[object, ...] = (),
) -> Claim:
    """A `Claim` from the text form of its path and its English label. A flag's `False` is always silent: an unticked box."""
    return Claim(
        path=path_of(path),
        kind=kind,
        labels=labels(label),
        mandatory=mandatory,
        sd=sd,
        min=min,
        max=max,
        codes=codes,
        paper=paper,
        silent=(False,) if kind is Kind.FLAG else silent,
        single=single,
    )


def address(path: str, label: str, paper: str, *, country: Collection[str] | None, optional: bool = True) -> tuple[Claim, ...]:
    """The lines of one postal address; `country` names the codes allowed, None where the country stands outside the address."""
    parts = [
        claim(f"{path}.formatted", Kind.TEXT, f"{label}: whole address", min=2, max=512, paper=paper),
        claim(f"{path}.street_address", Kind.TEXT, f"{label}: street", paper=paper),
        claim(f"{path}.house_number", Kind.TEXT, f"{label}: house number", max=20, paper=paper),
        claim(f"{path}.postal_code", Kind.TEXT, f"{label}: postal code", max=20, paper=paper),
        claim(f"{path}.locality", Kind.TEXT, f"{label}: town", mandatory=True, paper=paper),
        claim(f"{path}.region", Kind.TEXT, f"{label}: region", paper=paper),
    ]
    if country is not None:
        parts.append(claim(f"{path}.country", Kind.COUNTRY, f"{label}: country", mandatory=True, codes=country, paper=paper))
    return (claim(path, Kind.OBJECT, label, mandatory=not optional, paper=paper), *parts)


class Table:
    """The claims of one document type, found by path and by parent."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.claims = tuple(claims)
        self.by_path = {claim.path: claim for claim in self.claims}
        self.children: dict[Path, list[Claim]] = {}
        for entry in self.claims:
            self.children.setdefault(entry.path[:-1], []).append(entry)
