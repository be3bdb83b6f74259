"""Shapes of the PD A1 that others issue and we only read: the EUDI reference issuer's SD-JWT, webuild-1.0, dc4eu-0."""

from collections.abc import Iterable, Mapping
from typing import Any

from vc.documents.pda1_claims import TABLE
from vc.documents.pda1_profiles import SPELLINGS, eudi_slots
from vc.documents.profile import Profile
from vc.documents.public_body import SD_JWT, one_institution
from vc.documents.settle import source_country
from vc.documents.slot import Slot, slot

_PLACE = "work_information.work_address[]"
_NO_PLACE = "work_information.no_fixed_place_of_work[]"

EUDI_SD_JWT = Profile(
    id="eudi-py",
    document_type="pda1",
    format=SD_JWT,
    type_id="urn:eu.europa.ec.eudi:pda1:1",
    table=TABLE,
    slots=eudi_slots(),
    issuable=False,
    detect=lambda claims: bool({"employment_details", "credential_holder", "legislation"} & claims.keys()),
    renames=SPELLINGS,
    derive=source_country,
)


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _elements(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _address(at: str, fact: str) -> tuple[Slot, ...]:
    """A WE BUILD address: one line for street and number."""
    names = {"streetAndNumber": "street_address", "town": "locality", "postcode": "postal_code", "countryCode": "country"}
    known = TABLE.by_path
    slots = (slot(f"{fact}.{ours}", f"{at}.{theirs}") for theirs, ours in names.items())
    return tuple(entry for entry in slots if entry.fact in known)


def _webuild(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """`placesOfWork` is keyed by country, an empty array there meaning no fixed place; as two lists it fits the slots."""
    places: list[dict[str, Any]] = []
    countries: list[str] = []
    for code, sites in _members(claims.get("placesOfWork")).items():
        if sites == []:
            countries.append(code)
        places += [{"countryCode": code, **_members(site)} for site in _elements(sites)]
    return {**claims, "fixedPlaces": places, "noFixedPlaces": countries}


WEBUILD = Profile(
    id="webuild-1.0",
    document_type="pda1",
    format=SD_JWT,
    type_id="eu.we-build.pda1.1",
    table=TABLE,
    issuable=False,
    slots=(
        slot("personal_administrative_number", "subject.pin"),
        slot("holder.sex", "subject.gender"),
        slot("holder.family_name", "subject.names.surnames"),
        slot("holder.given_name", "subject.names.forenames"),
        slot("holder.birth_family_name", "subject.names.surnameAtBirth"),
        slot("holder.birth_given_name", "subject.names.forenamesAtBirth"),
        slot("holder.birth_date", "subject.dateOfBirth"),
        slot("holder.nationality[]", "subject.nationalities[]"),
        slot("holder.birth_place", "subject.placeOfBirth.town"),
        slot("holder.birth_country", "subject.placeOfBirth.countryCode"),
        *_address("subject.address.stateOfResidence[]", "residence_address"),
        *_address("subject.address.stateOfResidence", "residence_address"),
        *_address("subject.address.stateOfStay[]", "stay_address"),
        *_address("subject.address.stateOfStay", "stay_address"),
        slot("legislation_country", "memberstateAppliedLegislation.memberstate"),
        slot("starting_date", "memberstateAppliedLegislation.startDate"),
        slot("ending_date", "memberstateAppliedLegislation.endDate"),
        slot("duration_of_activity", "memberstateAppliedLegislation.certificateAppliesForDuranceOfStay"),
        slot("provisional", "memberstateAppliedLegislation.determinationIsProvisional"),
        slot("transitional_rules", "memberstateAppliedLegislation.transitionRulesApplyAccordingEG"),
        slot("employer[].type", "employmentSituations[].typeOfEmployment"),
        slot("employer[].name", "employmentSituations[].name"),
        slot("employer[].id", "employmentSituations[].employerID"),
        slot("employer[].id_type", "employmentSituations[].typeOfID"),
        slot("employer[].country", "employmentSituations[].address.countryCode"),
        *_address("employmentSituations[].address", "employer[].address"),
        slot(f"{_PLACE}.company_name", "fixedPlaces[].companyOrVesselName"),
        slot(f"{_PLACE}.flag_base_home", "fixedPlaces[].flagBaseHomeState"),
        slot(f"{_PLACE}.company_id", "fixedPlaces[].companyID"),
        slot(f"{_PLACE}.id_type", "fixedPlaces[].typeOfID"),
        slot(f"{_PLACE}.country", "fixedPlaces[].countryCode"),
        *_address("fixedPlaces[].address", _PLACE),
        slot(_NO_PLACE, "noFixedPlaces[]"),
        slot("status_confirmation", "statusConfirmation.statusConfirmationCode"),
        slot("exception_description", "statusConfirmation.exceptionDescription"),
        slot("document_number", "documentID"),
        slot("authentic_source.id", "competentInstitution.institutionID"),
        slot("authentic_source.name", "competentInstitution.institutionName"),
        slot("authentic_source.country", "competentInstitution.countryCode"),
        *_address("competentInstitution.address", "authentic_source.address"),
        slot("authentic_source.office_fax", "competentInstitution.officeFaxNumber"),
        slot("authentic_source.office_phone", "competentInstitution.officePhoneNumber"),
        slot("authentic_source.email", "competentInstitution.email"),
    ),
    detect=lambda claims: "memberstateAppliedLegislation" in claims,
    reshape=_webuild,
    derive=one_institution,
)

_FIXED = ("a_fixed_place_of_work_exist", "a_fixed_place_of_work_exists")


def _is_fixed(entry: Mapping[str, Any]) -> bool:
    """Whether a country entry of dc4eu-0 has fixed places; one spelling in the wild says the opposite."""
    if "no_fixed_place_of_work_exist" in entry:
        return entry["no_fixed_place_of_work_exist"] is not True
    return any(entry.get(name) is True for name in _FIXED)


def _first_id(ids: Iterable[Any], name: str) -> dict[str, Any]:
    """The first identifier of a list; the inner model keeps one."""
    first = next((_members(entry) for entry in ids), {})
    return {"id": first.get(name), "id_type": first.get("type_of_id")}


def _dc4eu_0(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Places nest under countries and identifiers under employers; as flat lists they fit the slots."""
    places: list[dict[str, Any]] = []
    countries: list[Any] = []
    for entry in map(_members, _elements(claims.get("places_of_work"))):
        sites = [_members(site) for site in _elements(entry.get("place_of_work"))]
        if not _is_fixed(entry):
            countries.append(entry.get("country_work"))
        elif not sites:
            sites = [{}]
        for site in sites:
            place = {**site, **_first_id(_elements(site.get("ids_of_company")), "company_id"), "country": entry.get("country_work")}
            places.append(place)
    employers = [
        {**_members(entry), **_first_id(_elements(_members(entry).get("ids_of_employer")), "employer_id")}
        for entry in _elements(claims.get("details_of_employment"))
    ]
    decision = _members(claims.get("decision_legislation_applicable"))
    ending = {"ending_date": decision["ending_date"] if "ending_date" in decision else _open_end(decision)}
    return {
        **claims,
        "places": places,
        "countries": countries,
        "employers": employers,
        "decision_legislation_applicable": {**decision, **ending},
    }


def _open_end(decision: Mapping[str, Any]) -> str | None:
    """The schema's default for a decision without an end; a decision that was not shown has none."""
    return "2499-01-01" if "starting_date" in decision else None


DC4EU_0 = Profile(
    id="dc4eu-0",
    document_type="pda1",
    format=SD_JWT,
    type_id="PDA1Credential",
    table=TABLE,
    issuable=False,
    slots=(
        slot("personal_administrative_number", "social_security_pin"),
        slot("holder.nationality[]", "nationality[]"),
        slot("employer[].type", "employers[].type_of_employment"),
        slot("employer[].name", "employers[].name"),
        slot("employer[].id", "employers[].id"),
        slot("employer[].id_type", "employers[].id_type"),
        slot("employer[].address.street_address", "employers[].address.street"),
        slot("employer[].address.locality", "employers[].address.town"),
        slot("employer[].address.postal_code", "employers[].address.postal_code"),
        slot("employer[].country", "employers[].address.country"),
        slot(f"{_PLACE}.company_name", "places[].company_vessel_name"),
        slot(f"{_PLACE}.flag_base_home", "places[].flag_state_home_base"),
        slot(f"{_PLACE}.company_id", "places[].id"),
        slot(f"{_PLACE}.id_type", "places[].id_type"),
        slot(f"{_PLACE}.street_address", "places[].address.street"),
        slot(f"{_PLACE}.locality", "places[].address.town"),
        slot(f"{_PLACE}.postal_code", "places[].address.postal_code"),
        slot(f"{_PLACE}.country", "places[].country"),
        slot(_NO_PLACE, "countries[]"),
        slot("legislation_country", "decision_legislation_applicable.member_state_which_legislation_applies"),
        slot("transitional_rules", "decision_legislation_applicable.transitional_rules_apply"),
        slot("starting_date", "decision_legislation_applicable.starting_date"),
        slot("ending_date", "decision_legislation_applicable.ending_date"),
        slot("status_confirmation", "status_confirmation"),
        slot("document_number", "unique_number_of_issued_document"),
        slot("authentic_source.id", "competent_institution.institution_id"),
        slot("authentic_source.name", "competent_institution.institution_name"),
        slot("authentic_source.country", "competent_institution.country_code"),
    ),
    detect=lambda claims: "decision_legislation_applicable" in claims or "details_of_employment" in claims,
    renames=SPELLINGS,
    reshape=_dc4eu_0,
    derive=one_institution,
)
