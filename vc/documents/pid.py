"""The test PID: identity for the same presentation, in the shapes of the PID rulebook. Ours come from a test provider only."""

from collections.abc import Mapping
from typing import Any

from vc.documents import country, holder
from vc.documents.claim import Kind, Table, claim
from vc.documents.document_type import DocumentType
from vc.documents.form import Reader
from vc.documents.general_rules import READABLE, WORDINGS, not_expired
from vc.documents.model import Document
from vc.documents.outcome import Outcome
from vc.documents.profile import Profile
from vc.documents.rules import Answer, Control, Rule, Wording
from vc.documents.settle import ordered
from vc.documents.slot import slot
from vc.documents.words import titles

VCT = "urn:eudi:pid:1"
DOCTYPE = "eu.europa.ec.eudi.pid.1"

TABLE = Table(
    (
        *holder.claims(mandatory=True),
        claim("personal_administrative_number", Kind.TEXT, "Personal administrative number", max=50),
        claim("document_number", Kind.TEXT, "Number of the proof of identity", max=50),
        claim("issuing_authority", Kind.TEXT, "Issuing authority", max=150),
        claim("issuing_country", Kind.COUNTRY, "Issuing country", codes=country.WORLD),
        claim("date_of_issuance", Kind.DATE, "Date of issuance"),
        claim("date_of_expiry", Kind.DATE, "Date of expiry"),
    )
)

_SPELLINGS = {
    "birth_date": "birthdate",
    "nationality": "nationalities",
    "birth_place": "place_of_birth",
    "expiry_date": "date_of_expiry",
}


def _reshape(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Older PIDs carry one nationality as text and the place of birth as text."""
    found = dict(claims)
    for name in ("nationalities", "nationality"):
        if isinstance(found.get(name), str):
            found[name] = [found[name]]
    for name in ("place_of_birth", "birth_place"):
        if isinstance(found.get(name), str):
            found[name] = {"locality": found[name]}
    return found


SD_JWT = Profile(
    id="pid",
    document_type="pid",
    format="dc+sd-jwt",
    type_id=VCT,
    aliases=("urn:eudi:pid:arf-1.5:1", "urn:eudi:pid:arf-1.8:1"),
    table=TABLE,
    slots=(
        slot("holder.family_name", "family_name", mandatory=True),
        slot("holder.given_name", "given_name", mandatory=True),
        slot("holder.birth_date", "birthdate", mandatory=True),
        slot("holder.birth_family_name", "birth_family_name"),
        slot("holder.birth_given_name", "birth_given_name"),
        slot("holder.birth_place", "place_of_birth.locality"),
        slot("holder.birth_country", "place_of_birth.country"),
        slot("holder.nationality[]", "nationalities[]"),
        slot("holder.sex", "sex"),
        slot("personal_administrative_number", "personal_administrative_number"),
        slot("document_number", "document_number"),
        slot("issuing_authority", "issuing_authority", sd="never"),
        slot("issuing_country", "issuing_country", sd="never"),
        slot("date_of_issuance", "date_of_issuance"),
        slot("date_of_expiry", "date_of_expiry", sd="never"),
    ),
    delegated=(("holder", "birth_date_precision"),),
    depth=1,
    detect=lambda _: True,
    renames=_SPELLINGS,
    reshape=_reshape,
)


def _reshape_mdoc(namespaces: Mapping[str, Any]) -> Mapping[str, Any]:
    """As `_reshape`, within the namespace."""
    elements = namespaces.get(DOCTYPE)
    return {**namespaces, DOCTYPE: _reshape(elements)} if isinstance(elements, Mapping) else namespaces


MDOC = Profile(
    id="pid-mdoc",
    document_type="pid",
    format="mso_mdoc",
    type_id=DOCTYPE,
    table=TABLE,
    slots=tuple(
        slot(fact, at, under=DOCTYPE, mandatory=fact in ("holder.family_name", "holder.given_name", "holder.birth_date"))
        for fact, at in (
            ("holder.family_name", "family_name"),
            ("holder.given_name", "given_name"),
            ("holder.birth_date", "birth_date"),
            ("holder.birth_family_name", "family_name_birth"),
            ("holder.birth_given_name", "given_name_birth"),
            ("holder.birth_place", "place_of_birth.locality"),
            ("holder.birth_country", "place_of_birth.country"),
            ("holder.nationality[]", "nationality[]"),
            ("holder.sex", "sex"),
            ("personal_administrative_number", "personal_administrative_number"),
            ("document_number", "document_number"),
            ("issuing_authority", "issuing_authority"),
            ("issuing_country", "issuing_country"),
            ("date_of_issuance", "issuance_date"),
            ("date_of_expiry", "expiry_date"),
        )
    ),
    delegated=(("holder", "birth_date_precision"),),
    dates="date",
    depth=2,
    detect=lambda _: True,
    renames={"birth_place": "place_of_birth"},
    reshape=_reshape_mdoc,
)


def pid_expiry(document: Document, control: Control) -> Answer:
    """The proof of identity has not ended administratively on the day of the control itself."""
    return not_expired(document, control.now.date(), "pid_expired")


def _settle(data: dict[str, Any], reader: Reader) -> None:
    ordered(data, reader, "date_of_issuance", "date_of_expiry")


PID = DocumentType(
    id="pid",
    title="Person identification data (test)",
    labels=titles("pid"),
    legal_category="PID",
    table=TABLE,
    profiles=(SD_JWT, MDOC),
    rules=(READABLE, Rule(id="pid_expiry", source="CIR 2024/2977, expiry_date", check=pid_expiry)),
    wordings={
        **WORDINGS,
        "pid_expired": Wording(
            outcome=Outcome.REJECT,
            text="The proof of identity ended on {end}.",
            next="Ask the holder for a valid proof of identity, or look at the identity card.",
        ),
    },
    settle=_settle,
)
