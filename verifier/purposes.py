"""What the verifier may ask for, as data: a purpose names its document, the claims it needs of it, and of the proof of identity.

Nothing outside these tables is ever asked (SECURITY P-9). The document and the PID go into one DCQL query, so that one wallet
answers for both at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vc.documents.catalogue import DOCUMENT_TYPES
from vc.documents.profile import Profile
from vc.encoding.claims_path import Path

Role = Literal["pid", "document"]
Format = Literal["dc+sd-jwt", "mso_mdoc"]
FORMATS: tuple[Format, ...] = ("dc+sd-jwt", "mso_mdoc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One credential of a query: who it speaks for, its form, the accepted types, and the claims needed.

    For mdoc a claim is (namespace, element); several `alternatives` become `claim_sets`, the preferred one first.
    """

    role: Role
    format: Format
    types: tuple[str, ...]
    alternatives: tuple[tuple[Path, ...], ...]

    @property
    def id(self) -> str:
        """The query id (VP-DCQL-1): the role and the format."""
        return f"{self.role}_{'sd_jwt' if self.format == 'dc+sd-jwt' else 'mdoc'}"

    @property
    def claims(self) -> tuple[Path, ...]:
        """Every claim that may come back, each once."""
        return tuple(dict.fromkeys(path for alternative in self.alternatives for path in alternative))

    def to_dcql(self) -> dict[str, Any]:
        """The Credential Query (OpenID4VP 1.0 §6.1)."""
        sets = len(self.alternatives) > 1
        names = {path: f"c{number}" for number, path in enumerate(self.claims)}
        claims: list[dict[str, Any]] = []
        for path in self.claims:
            entry: dict[str, Any] = {"path": list(path)}
            if sets:
                entry["id"] = names[path]
            if self.format == "mso_mdoc":
                entry["intent_to_retain"] = False  # EAA-P-8: deleted after the retention time, kept for no other use
            claims.append(entry)
        meta: dict[str, Any] = {"vct_values": list(self.types)} if self.format == "dc+sd-jwt" else {"doctype_value": self.types[0]}
        query: dict[str, Any] = {"id": self.id, "format": self.format, "meta": meta, "claims": claims}
        if sets:
            query["claim_sets"] = [[names[path] for path in alternative] for alternative in self.alternatives]
        return query


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One reason to check a document. `claims`: per format the alternatives to ask for."""

    id: str
    title: str
    document_type: str
    asks_for: str
    claims: Mapping[Format, tuple[tuple[Path, ...], ...]]

    @property
    def roles(self) -> tuple[Role, ...]:
        """What is asked for at once: the document with the PID beside it, or the PID alone, which then is the document."""
        return ("document",) if self.document_type == "pid" else ("pid", "document")

    def asks(self, formats: tuple[Format, ...] = FORMATS) -> tuple[Ask, ...]:
        """The PID, when it is not the document itself, and the document, in each of `formats`."""
        pids = (_ask("pid", "pid", form, _PID[form]) for form in formats if "pid" in self.roles)
        documents = (_ask("document", self.document_type, form, self.claims[form]) for form in formats)
        return (*pids, *documents)

    def to_dcql(self, formats: tuple[Format, ...] = FORMATS) -> dict[str, Any]:
        """The DCQL query. With several formats, `credential_sets` ask for one of each role in whichever is held."""
        asks = self.asks(formats)
        query: dict[str, Any] = {"credentials": [ask.to_dcql() for ask in asks]}
        if len(formats) > 1:
            query["credential_sets"] = [
                {"options": [[ask.id] for ask in asks if ask.role == role], "required": True} for role in self.roles
            ]
        return query


def _ask(role: Role, document_type: str, form: Format, alternatives: tuple[tuple[Path, ...], ...]) -> Ask:
    """The query for the types whose shapes can answer one of the alternatives; others could not be matched by any wallet."""
    shapes = [profile for profile in DOCUMENT_TYPES[document_type].profiles if profile.format == form]
    able = [shape for shape in shapes if any(_has_all(shape, alternative) for alternative in alternatives)]
    types = tuple(dict.fromkeys(type_id for shape in able for type_id in shape.type_ids))
    return Ask(role=role, format=form, types=types, alternatives=alternatives)


def _has_all(shape: Profile, wanted: tuple[Path, ...]) -> bool:
    return all(any(claim.path[: len(path)] == path for claim in shape.claims) for path in wanted)


def _elements(namespace: str, *names: str) -> tuple[Path, ...]:
    return tuple((namespace, name) for name in names)


_PID: Mapping[Format, tuple[tuple[Path, ...], ...]] = {
    "dc+sd-jwt": ((("family_name",), ("given_name",), ("birthdate",)),),
    "mso_mdoc": (_elements("eu.europa.ec.eudi.pid.1", "family_name", "given_name", "birth_date"),),
}
# The DC4EU shapes leave these two to the holder's choice; all the rest comes in the open (DOMAIN 0, first trap).
_DC4EU: tuple[Path, ...] = (("personal_administrative_number",), ("document_number",))
# In an mdoc every element is the holder's choice: those the rules need. An element that not every document has comes as an
# alternative, else a wallet whose document lacks it would find nothing to answer with.
_PDA1_MDOC = _elements(
    "eu.europa.ec.eudi.pda1.1",
    "credential_holder", "social_security_pin", "document_id", "employment_details", "places_of_work", "legislation",
    "status_confirmation", "competent_institution", "issuing_authority", "issuing_country", "issuance_date",
)  # fmt: skip
_EHIC_MDOC = _elements(
    "eu.europa.ec.eudi.ehic.1",
    "credential_holder", "social_security_pin", "document_id", "starting_date", "ending_date", "competent_institution",
    "issuing_authority", "issuing_country", "issuance_date", "expiry_date",
)  # fmt: skip

PURPOSES: Mapping[str, Purpose] = {
    purpose.id: purpose
    for purpose in (
        Purpose(
            id="a1-inspection",
            title="Labour inspection: PD A1",
            document_type="pda1",
            asks_for="The portable document A1 with its number and the personal number, and name and birth date from the PID.",
            claims={
                "dc+sd-jwt": (_DC4EU,),
                "mso_mdoc": ((*_PDA1_MDOC, ("eu.europa.ec.eudi.pda1.1", "expiry_date")), _PDA1_MDOC),
            },
        ),
        Purpose(
            id="ehic-care",
            title="Health care: European Health Insurance Card",
            document_type="ehic",
            asks_for="The health insurance card with its number and the personal number, and name and birth date from the PID.",
            claims={
                # Cards of the EU reference issuer have no number; rule 6.2-7 then warns about reimbursement.
                "dc+sd-jwt": (_DC4EU, _DC4EU[:1]),
                # With the element `subject` when a representative holds the card for somebody else.
                "mso_mdoc": ((*_EHIC_MDOC, ("eu.europa.ec.eudi.ehic.1", "subject")), _EHIC_MDOC),
            },
        ),
    )
}
