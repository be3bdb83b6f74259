"""The shapes a PD A1 is issued in: dc4eu-2, dc4eu-1, and the EUDI reference issuer's mdoc with a namespace of ours beside it."""

from collections.abc import Mapping
from typing import Any

from vc.documents import codes
from vc.documents.model import value_at
from vc.documents.pda1_claims import TABLE
from vc.documents.profile import Profile
from vc.documents.public_body import ISO_NAMESPACE, MDOC, PUB_EAA, SD_JWT, iso_slots
from vc.documents.settle import source_country
from vc.documents.slot import Slot, slot

DC4EU_VCT = "urn:eudi:pda1:1"
EUDI_DOCTYPE = "eu.europa.ec.eudi.pda1.1"
OWN_NAMESPACE = "eu.portadoc.pda1.1"

SPELLINGS = {"post_code": "postal_code", "building_number": "house_number", "transitional_rule_apply": "transitional_rules_apply"}
"""Member names met in the wild under another than the proper one (DOMAIN 1.5)."""

_ADDRESS = ("formatted", "street_address", "house_number", "postal_code", "locality", "region", "country")
_HIDDEN = {"personal_administrative_number", "document_number", "transitional_rules"}


def _open(at: str, fact: str | None = None, *, mandatory: bool | None = None) -> Slot:
    """A DC4EU slot: its own name in the inner model unless `fact` says otherwise, hidden only if the rulebook hides it."""
    found = slot(fact or at, at)
    required = TABLE.by_path[found.fact].mandatory if mandatory is None else mandatory
    return slot(fact or at, at, mandatory=required, sd="always" if at in _HIDDEN else "never")


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
    _open("date_of_expiry"),
    _open("starting_date"),
    _open("ending_date"),
    _open("legislation_country"),
    _open("status_confirmation"),
)

DC4EU_2 = Profile(
    id="dc4eu-2",
    document_type="pda1",
    format=SD_JWT,
    type_id=DC4EU_VCT,
    table=TABLE,
    slots=(
        *_DC4EU_COMMON,
        _open("issuing_authority.country", "issuing_country", mandatory=True),
        _open("issuing_country", mandatory=False),  # tolerated extra: readers of dc4eu-1 need it
        _open("transitional_rules"),
        _open("employer"),
        *(_open(f"employer[].{name}") for name in ("type", "id", "name", "country")),
        _open("work_information"),
        _open("work_information.no_fixed_place_of_work", "work_information.no_fixed_place_of_work[]"),
        _open("work_information.work_address"),
        *(_open(f"work_information.work_address[].{name}") for name in (*_ADDRESS, "company_name", "company_id", "flag_base_home")),
    ),
    constants={("attestation_legal_category",): PUB_EAA},
    detect=lambda claims: isinstance(claims.get("employer"), list) or "work_information" in claims,
    renames=SPELLINGS,
)


def _type_from_status(data: dict[str, Any]) -> None:
    """dc4eu-1 has no employment type; most status codes leave only one possible."""
    employer = value_at(data, ("employer", 0))
    implied = codes.EMPLOYMENT_IMPLIED.get(data.get("status_confirmation", ""))
    if employer and implied:
        employer["type"] = implied


def _is_dc4eu_1(claims: Mapping[str, Any]) -> bool:
    return isinstance(claims.get("employer"), Mapping) or ("work_address" in claims and "work_information" not in claims)


DC4EU_1 = Profile(
    id="dc4eu-1",
    document_type="pda1",
    format=SD_JWT,
    type_id=DC4EU_VCT,
    table=TABLE,
    slots=(
        *_DC4EU_COMMON,
        _open("issuing_country", mandatory=True),
        _open("employer"),
        *(_open(f"employer.{name}", f"employer[].{name}") for name in ("id", "name", "country")),
        _open("work_address", "work_information.work_address", mandatory=True),
        *(_open(f"work_address.{name}", f"work_information.work_address[].{name}") for name in _ADDRESS),
    ),
    detect=_is_dc4eu_1,
    renames=SPELLINGS,
    derive=_type_from_status,
)


def eudi_slots(under: str | None = None) -> tuple[Slot, ...]:
    """The claims of the EUDI reference issuer: the elements of its mdoc namespace, the members of its SD-JWT."""
    employer, place = "employer[]", "work_information.work_address[]"
    at_employer, at_place = "employment_details[]", "places_of_work.place_of_work[]"
    rows: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("holder", "credential_holder", {"mandatory": True}),
        ("holder.family_name", "credential_holder.family_name", {"mandatory": True}),
        ("holder.given_name", "credential_holder.given_name", {"mandatory": True}),
        ("holder.birth_date", "credential_holder.birth_date", {"mandatory": True}),
        ("personal_administrative_number", "social_security_pin", {"mandatory": True}),
        ("employer", "employment_details", {"mandatory": True}),
        (f"{employer}.type", f"{at_employer}.employment_type", {}),
        (f"{employer}.name", f"{at_employer}.name", {}),
        (f"{employer}.id", f"{at_employer}.employer_id", {}),
        (f"{employer}.id_type", f"{at_employer}.id_type", {}),
        (f"{employer}.address.street_address", f"{at_employer}.street", {"join": "house_number"}),
        (f"{employer}.address.locality", f"{at_employer}.town", {}),
        (f"{employer}.address.postal_code", f"{at_employer}.postal_code", {}),
        (f"{employer}.country", f"{at_employer}.country_code", {}),
        ("work_information", "places_of_work", {"mandatory": True}),
        (f"{place}.company_name", f"{at_place}.company", {}),
        (f"{place}.flag_base_home", f"{at_place}.flag_base_home_state", {}),
        (f"{place}.company_id", f"{at_place}.company_id", {}),
        (f"{place}.id_type", f"{at_place}.id_type", {}),
        (f"{place}.street_address", f"{at_place}.street", {"join": "house_number"}),
        (f"{place}.locality", f"{at_place}.town", {}),
        (f"{place}.postal_code", f"{at_place}.postal_code", {}),
        (f"{place}.country", f"{at_place}.country_code", {}),
        ("work_information.no_fixed_place_of_work[]", "places_of_work.no_fixed_place[].country_code", {}),
        ("legislation_country", "legislation.member_state", {"mandatory": True}),
        ("transitional_rules", "legislation.transitional_rules", {}),
        ("starting_date", "legislation.starting_date", {"mandatory": True}),
        ("ending_date", "legislation.ending_date", {"mandatory": True}),
        ("status_confirmation", "status_confirmation", {"mandatory": True}),
        ("document_number", "document_id", {"mandatory": True}),
        ("authentic_source", "competent_institution", {"mandatory": True}),
        ("authentic_source.id", "competent_institution.institution_id", {"mandatory": True}),
        ("authentic_source.name", "competent_institution.institution_name", {}),
        ("issuing_country", "competent_institution.country_code", {"rendering": True}),
        ("authentic_source.country", "competent_institution.country_code", {}),
        ("date_of_issuance", "issuance_date", {"mandatory": True}),
        ("date_of_expiry", "expiry_date", {}),
        ("issuing_authority.name", "issuing_authority", {"mandatory": True}),
        ("issuing_country", "issuing_country", {"mandatory": True}),
    )
    return tuple(slot(fact, at, under=under, **options) for fact, at, options in rows)


def _own(fact: str, at: str | None = None) -> Slot:
    return slot(fact, at or fact, under=OWN_NAMESPACE)


_OWN_SLOTS = (
    _own("issuing_authority.id", "issuing_authority_id"),
    _own("holder.birth_date_precision", "birth_date_precision"),
    *(_own(f"{at}.{name}") for at in ("residence_address", "stay_address") for name in _ADDRESS),
    _own("duration_of_activity"),
    _own("provisional"),
    _own("exception_description"),
    *(_own(f"employer[].address.{name}", f"employer_addresses[].{name}") for name in ("house_number", "region", "formatted")),
    *(
        _own(f"work_information.work_address[].{name}", f"work_addresses[].{name}")
        for name in ("house_number", "region", "formatted")
    ),
    *(_own(f"authentic_source.address.{name}", f"institution_address.{name}") for name in _ADDRESS if name != "country"),
    *(_own(f"authentic_source.{name}", f"institution_{name}") for name in ("office_fax", "office_phone", "email")),
)
"""What the EUDI namespace has no element for; lists run in step with the EUDI ones."""

EUDI_MDOC = Profile(
    id="eudi-py-mdoc",
    document_type="pda1",
    format=MDOC,
    type_id=EUDI_DOCTYPE,
    table=TABLE,
    slots=(
        *eudi_slots(EUDI_DOCTYPE),
        *iso_slots(),
        slot("holder.family_name", "family_name", under=ISO_NAMESPACE),
        slot("holder.given_name", "given_name", under=ISO_NAMESPACE),
        *_OWN_SLOTS,
    ),
    dates="date",
    depth=2,
    detect=lambda namespaces: EUDI_DOCTYPE in namespaces or OWN_NAMESPACE in namespaces or ISO_NAMESPACE in namespaces,
    derive=source_country,
)
