"""The shapes of an EHIC: dc4eu-1 and dc4eu-2, the EUDI mdoc with ours beside it, and those that are only read."""

from collections.abc import Mapping
from typing import Any

from vc.documents import country, holder
from vc.documents.claim import Kind, Table, claim
from vc.documents.model import value_at
from vc.documents.profile import Profile
from vc.documents.public_body import ISO_NAMESPACE, MDOC, PUB_EAA, SD_JWT, iso_slots, one_institution
from vc.documents.settle import source_country
from vc.documents.slot import Slot, slot
from vc.encoding.claims_path import Path

DC4EU_VCT = "urn:eudi:ehic:1"
EUDI_DOCTYPE = "eu.europa.ec.eudi.ehic.1"
OWN_NAMESPACE = "eu.portadoc.ehic.1"

TABLE = Table(
    (
        claim("attestation_legal_category", Kind.TEXT, "Legal category of the attestation"),
        *holder.claims(mandatory=False),
        claim("subject", Kind.OBJECT, "Person entitled, when a representative holds the card", paper="3-5"),
        claim("subject.familynames", Kind.TEXT, "Surname of the person entitled", mandatory=True, max=155, paper="3"),
        claim("subject.forenames", Kind.TEXT, "Forenames of the person entitled", mandatory=True, max=155, paper="4"),
        claim("subject.date_of_birth", Kind.DATE, "Date of birth of the person entitled", mandatory=True, paper="5"),
        claim(
            "personal_administrative_number",
            Kind.TEXT,
            "Personal identification number",
            mandatory=True,
            min=4,
            max=50,
            paper="6",
        ),
        claim("document_number", Kind.TEXT, "Number of the card", mandatory=True, min=4, max=50, paper="8"),
        claim("issuing_authority", Kind.OBJECT, "Issuing body", mandatory=True),
        claim("issuing_authority.id", Kind.TEXT, "Identifier of the issuing body", mandatory=True, max=20),
        claim("issuing_authority.name", Kind.TEXT, "Name of the issuing body", mandatory=True),
        claim("issuing_authority.country", Kind.COUNTRY, "Issuing State", codes=country.STATES, paper="2"),
        claim("issuing_country", Kind.COUNTRY, "Issuing State", codes=country.STATES, paper="2"),
        claim("authentic_source", Kind.OBJECT, "Competent institution", mandatory=True, paper="7"),
        claim("authentic_source.id", Kind.INSTITUTION, "Identifier of the institution", mandatory=True, max=20, paper="7"),
        claim("authentic_source.name", Kind.TEXT, "Name of the institution", mandatory=True, paper="7"),
        claim("authentic_source.country", Kind.COUNTRY, "Country of the institution", codes=country.STATES),
        claim("date_of_issuance", Kind.DATE, "Date of issuance", mandatory=True, paper="(c)"),
        claim("date_of_expiry", Kind.DATE, "Expiry date of the card", mandatory=True, paper="9"),
        claim("starting_date", Kind.DATE, "First day of cover", mandatory=True, paper="(a)"),
        claim("ending_date", Kind.DATE, "Last day of cover", mandatory=True, paper="(b)"),
    )
)

_HIDDEN = {"personal_administrative_number", "document_number"}


def _open(at: str, *, mandatory: bool | None = None) -> Slot:
    required = TABLE.by_path[slot(at, at).fact].mandatory if mandatory is None else mandatory
    return slot(at, at, mandatory=required, sd="always" if at in _HIDDEN else "never")


_DC4EU_COMMON = (
    _open("personal_administrative_number"),
    _open("document_number"),
    _open("issuing_authority"),
    _open("issuing_authority.id"),
    _open("issuing_authority.name"),
    _open("authentic_source"),
    _open("authentic_source.id"),
    _open("authentic_source.name"),
    _open("date_of_issuance"),
    _open("date_of_expiry", mandatory=False),
    _open("starting_date", mandatory=False),
    _open("ending_date", mandatory=False),
)
_CATEGORY: Mapping[Path, object] = {("attestation_legal_category",): PUB_EAA}

_DC4EU_MARKS = frozenset({"document_number", "attestation_legal_category"})
"""The EUDI issuer writes dc4eu-1 without these. A dc4eu-1 that hides its number is told by the category, never hidden there."""

DC4EU_1 = Profile(
    id="dc4eu-1",
    document_type="ehic",
    format=SD_JWT,
    type_id=DC4EU_VCT,
    table=TABLE,
    slots=(*_DC4EU_COMMON, _open("issuing_country", mandatory=True)),
    constants=_CATEGORY,
    detect=lambda claims: _is_flat(claims) and bool(_DC4EU_MARKS & claims.keys()),
)

DC4EU_2 = Profile(
    id="dc4eu-2",
    document_type="ehic",
    format=SD_JWT,
    type_id=DC4EU_VCT,
    table=TABLE,
    slots=(
        *_DC4EU_COMMON,
        slot("issuing_country", "issuing_authority.country", mandatory=True, sd="never"),
        slot("issuing_country", "issuing_country", read_only=True),
        *(_open(f"subject{name}", mandatory=False) for name in ("", ".forenames", ".familynames", ".date_of_birth")),
    ),
    constants=_CATEGORY,
    detect=lambda claims: "country" in _authority(claims) or ("subject" in claims and "authentic_source" in claims),
)

EUDI_SD_JWT = Profile(
    id="eudi-py-sdjwt",
    document_type="ehic",
    format=SD_JWT,
    type_id=DC4EU_VCT,
    table=TABLE,
    slots=tuple(entry for entry in DC4EU_1.slots if entry.at != ("document_number",)),
    issuable=False,
    detect=lambda claims: _is_flat(claims) and not _DC4EU_MARKS & claims.keys(),
)


def _is_flat(claims: Mapping[str, Any]) -> bool:
    """Whether the country stands at the top, as in dc4eu-1, and nothing of another shape is there."""
    others = {"subject", "social_security_pin", "period_entitlement"}
    return "issuing_country" in claims and "country" not in _authority(claims) and not others & claims.keys()


def _authority(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    found = claims.get("issuing_authority")
    return found if isinstance(found, Mapping) else {}


def _eudi_slots(under: str | None = None) -> tuple[Slot, ...]:
    """The elements of the EUDI mdoc, which were the members of its SD-JWT too until November 2025."""
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("holder", "credential_holder", {"mandatory": True}),
        ("holder.family_name", "credential_holder.family_name", {"mandatory": True}),
        ("holder.given_name", "credential_holder.given_name", {"mandatory": True}),
        ("holder.birth_date", "credential_holder.birth_date", {"mandatory": True}),
        ("subject", "subject", {}),
        ("subject.familynames", "subject.family_name", {}),
        ("subject.forenames", "subject.given_name", {}),
        ("subject.date_of_birth", "subject.birth_date", {}),
        ("personal_administrative_number", "social_security_pin", {"mandatory": True}),
        ("starting_date", "starting_date", {"mandatory": True}),
        ("ending_date", "ending_date", {"mandatory": True}),
        ("document_number", "document_id", {"mandatory": True}),
        ("authentic_source", "competent_institution", {"mandatory": True}),
        ("authentic_source.id", "competent_institution.institution_id", {"mandatory": True}),
        ("authentic_source.name", "competent_institution.institution_name", {}),
        ("issuing_country", "competent_institution.country_code", {"rendering": True}),
        ("authentic_source.country", "competent_institution.country_code", {}),
        ("date_of_issuance", "issuance_date", {"mandatory": True}),
        ("date_of_expiry", "expiry_date", {"mandatory": True}),
        ("issuing_authority.name", "issuing_authority", {"mandatory": True}),
        ("issuing_country", "issuing_country", {"mandatory": True}),
    )
    return tuple(slot(fact, at, under=under, **options) for fact, at, options in rows)


def own_card(data: dict[str, Any]) -> None:
    """A subject who is the holder is no representation and says nothing new: the EUDI issuer fills both."""
    pairs = (("familynames", "family_name"), ("forenames", "given_name"), ("date_of_birth", "birth_date"))
    alike = (value_at(data, ("subject", theirs)) == value_at(data, ("holder", ours)) for theirs, ours in pairs)
    if "subject" in data and all(alike):
        del data["subject"]


def _derive(data: dict[str, Any]) -> None:
    source_country(data)
    own_card(data)


EUDI_MDOC = Profile(
    id="eudi-py-mdoc",
    document_type="ehic",
    format=MDOC,
    type_id=EUDI_DOCTYPE,
    table=TABLE,
    slots=(
        *_eudi_slots(EUDI_DOCTYPE),
        *iso_slots(),
        # EAA-M-3 wants the names of the person the card is about: the holder, in representation the subject
        *(
            slot(fact, at, under=ISO_NAMESPACE, rendering=True)
            for fact, at in (
                ("holder.family_name", "family_name"),
                ("holder.given_name", "given_name"),
                ("subject.familynames", "family_name"),
                ("subject.forenames", "given_name"),
            )
        ),
        slot("issuing_authority.id", "issuing_authority_id", under=OWN_NAMESPACE),
        slot("holder.birth_date_precision", "birth_date_precision", under=OWN_NAMESPACE),
    ),
    dates="date",
    depth=2,
    detect=lambda namespaces: EUDI_DOCTYPE in namespaces or OWN_NAMESPACE in namespaces or ISO_NAMESPACE in namespaces,
    derive=_derive,
)

EUDI_SD_JWT_OLD = Profile(
    id="eudi-py-sdjwt-old",
    document_type="ehic",
    format=SD_JWT,
    type_id="urn:eu.europa.ec.eudi:ehic:1",
    table=TABLE,
    slots=_eudi_slots(),
    issuable=False,
    detect=lambda claims: (
        bool({"competent_institution", "social_security_pin", "credential_holder"} & claims.keys())
        and "period_entitlement" not in claims
    ),
    derive=_derive,
)


DC4EU_0 = Profile(
    id="dc4eu-0",
    document_type="ehic",
    format=SD_JWT,
    type_id="EHICCredential",
    table=TABLE,
    issuable=False,
    slots=(
        slot("holder.given_name", "subject.forename"),
        slot("holder.family_name", "subject.family_name"),
        slot("holder.birth_date", "subject.date_of_birth"),
        slot("personal_administrative_number", "social_security_pin"),
        slot("starting_date", "period_entitlement.starting_date"),
        slot("ending_date", "period_entitlement.ending_date"),
        slot("document_number", "document_id"),
        slot("authentic_source.id", "competent_institution.institution_id"),
        slot("authentic_source.name", "competent_institution.institution_name"),
        slot("authentic_source.country", "competent_institution.institution_country"),
    ),
    detect=lambda claims: "period_entitlement" in claims,
    derive=one_institution,
)
