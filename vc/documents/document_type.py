"""A document type: its claims, profiles and rules together, and the way in for an institution's data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vc.documents.claim import Table
from vc.documents.form import Reader
from vc.documents.holder import ROOT, read_identity
from vc.documents.model import Document, DocumentInvalid
from vc.documents.profile import Profile, ProjectionLoses
from vc.documents.rules import Assessment, Control, Rule, Wording, assess
from vc.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentType:
    """Everything that makes a document type; adding one is making one of these.

    labels: title by language. legal_category: what a credential of it says it is (`PuB-EAA`, `PID`). profiles: in order of
    preference, for each format the default first. settle: checks between members and brings them into the inner form,
    adding problems to the reader.
    """

    id: str
    title: str
    labels: Mapping[str, str]
    legal_category: str
    table: Table
    profiles: tuple[Profile, ...]
    rules: tuple[Rule, ...]
    wordings: Mapping[str, Wording]
    settle: Callable[[dict[str, Any], Reader], None]

    def profile(self, format: str, id: str | None = None) -> Profile:
        """The profile `id` of a format, the default one without `id`. Raises `Refused("unknown_profile")`."""
        for profile in self.profiles:
            if profile.format == format and (profile.id == id if id else profile.issuable):
                return profile
        raise Refused("unknown_profile", f"{self.title} has no such profile in this format")

    def choose(self, format: str, document: Document) -> Profile:
        """The first issuable profile of the format that carries the whole document (EHIC in representation: `dc4eu-2`).

        Raises what the default profile raises when none of them can.
        """
        refusals: list[ProjectionLoses] = []
        for profile in self.profiles:
            if profile.format == format and profile.issuable:
                try:
                    profile.project(document)
                except ProjectionLoses as exc:
                    refusals.append(exc)
                else:
                    return profile
        if refusals:
            raise refusals[0]
        raise Refused("unknown_profile", f"{self.title} is not issued in this format")

    def parse(self, data: object, *, identity: Mapping[str, Any] | None = None) -> Document:
        """The document an institution's data states; raises `DocumentInvalid` with every problem found.

        Pointers go into `data`; those into the identity block begin with `/identity`.
        """
        reader = Reader(self.table)
        found = reader.read(data, skip=ROOT)
        if identity is not None:
            holder = read_identity(identity, reader.problems)
            if holder:
                found = {ROOT: holder, **found}
        elif self.table.by_path[(ROOT,)].mandatory:
            reader.add(("identity",), "missing", "the identity block is mandatory for this document")
        self.settle(found, reader)
        if reader.problems:
            raise DocumentInvalid(reader.problems)
        return Document(type=self.id, data=found)

    def assess(self, document: Document, control: Control) -> Assessment:
        """What the document's own rules say at this control. Signature, trust, status and holder are not looked at here."""
        return assess(self.rules, self.wordings, document, control)
