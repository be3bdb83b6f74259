"""Shapes others issue: recognised by their structure, read with their defects, brought to the one inner model."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.support.documents import control, document, load, profile
from vc.documents import catalogue
from vc.documents.model import Document
from vc.documents.reading import MAX_ELEMENTS
from vc.errors import Refused

PDA1, EHIC = "urn:eudi:pda1:1", "urn:eudi:ehic:1"


def told(one: Document) -> list[tuple[str, str]]:
    return [(note.pointer, note.code) for note in one.notes]


WEBUILD: dict[str, Any] = {
    "subject": {
        "pin": "65241270W999",
        "gender": "1",
        "names": {"surnames": "Groß", "forenames": "Jürgen", "surnameAtBirth": "Test", "forenamesAtBirth": "Hans"},
        "dateOfBirth": "1970-12-24",
        "nationalities": ["DE", "FR"],
        "placeOfBirth": {"town": "Köln", "countryCode": "DE"},
        "address": {
            "stateOfResidence": [{"streetAndNumber": "Weg 1", "town": "Bonn", "postcode": "53111", "countryCode": "DE"}],
            "stateOfStay": [{"streetAndNumber": "Rue 2", "town": "Metz", "postcode": "57000", "countryCode": "FR"}],
        },
    },
    "memberstateAppliedLegislation": {
        "memberstate": "DE",
        "startDate": "2026-02-01",
        "endDate": "2028-01-31",
        "certificateAppliesForDuranceOfStay": True,
        "determinationIsProvisional": False,
        "transitionRulesApplyAccordingEG": False,
    },
    "employmentSituations": [
        {
            "typeOfEmployment": "01",
            "name": "Prüfamt (fiktiv)",
            "employerID": "BBNR9",
            "typeOfID": "02",
            "address": {"streetAndNumber": "Allee 3", "town": "Berlin", "postcode": "10115", "countryCode": "DE"},
        }
    ],
    "placesOfWork": {
        "FR": [
            {
                "companyOrVesselName": "Chantier (fictif)",
                "flagBaseHomeState": "FR",
                "companyID": "C1",
                "typeOfID": "01",
                "address": {"streetAndNumber": "Avenue 4", "town": "Strasbourg", "postcode": "67000", "countryCode": "FR"},
            },
            {"companyOrVesselName": "Dépôt (fictif)", "address": {"town": "Nancy", "countryCode": "FR"}},
        ],
        "LU": [],
    },
    "statusConfirmation": {"statusConfirmationCode": "11", "exceptionDescription": "Art. 16"},
    "documentID": "DE-A1-9",
    "competentInstitution": {
        "institutionID": "DE:200001",
        "institutionName": "DSRV (Test)",
        "countryCode": "DE",
        "address": {"streetAndNumber": "Platz 5", "town": "Würzburg", "postcode": "97070", "countryCode": "DE"},
        "officeFaxNumber": "+49931",
        "officePhoneNumber": "+49930",
        "email": "a1@test.example",
    },
}


def test_webuild() -> None:
    shape = catalogue.recognise("dc+sd-jwt", "eu.we-build.pda1.1", WEBUILD)
    assert shape.id == "webuild-1.0"
    found = shape.normalise(WEBUILD)
    assert told(found) == []
    assert found.data == {
        "personal_administrative_number": "65241270W999",
        "holder": {
            "sex": "1",
            "family_name": "Groß",
            "given_name": "Jürgen",
            "birth_family_name": "Test",
            "birth_given_name": "Hans",
            "birth_date": "1970-12-24",
            "nationality": ["DE", "FR"],
            "birth_place": "Köln",
            "birth_country": "DE",
        },
        "residence_address": {"street_address": "Weg 1", "locality": "Bonn", "postal_code": "53111", "country": "DE"},
        "stay_address": {"street_address": "Rue 2", "locality": "Metz", "postal_code": "57000", "country": "FR"},
        "legislation_country": "DE",
        "starting_date": "2026-02-01",
        "ending_date": "2028-01-31",
        "duration_of_activity": True,
        "provisional": False,
        "transitional_rules": False,
        "employer": [
            {
                "type": "01",
                "name": "Prüfamt (fiktiv)",
                "id": "BBNR9",
                "id_type": "02",
                "country": "DE",
                "address": {"street_address": "Allee 3", "locality": "Berlin", "postal_code": "10115"},
            }
        ],
        "work_information": {
            "work_address": [
                {
                    "country": "FR",
                    "company_name": "Chantier (fictif)",
                    "flag_base_home": "FR",
                    "company_id": "C1",
                    "id_type": "01",
                    "street_address": "Avenue 4",
                    "locality": "Strasbourg",
                    "postal_code": "67000",
                },
                {"country": "FR", "company_name": "Dépôt (fictif)", "locality": "Nancy"},
            ],
            "no_fixed_place_of_work": ["LU"],
        },
        "status_confirmation": "11",
        "exception_description": "Art. 16",
        "document_number": "DE-A1-9",
        "authentic_source": {
            "id": "DE:200001",
            "name": "DSRV (Test)",
            "address": {"street_address": "Platz 5", "locality": "Würzburg", "postal_code": "97070"},
            "office_fax": "+49931",
            "office_phone": "+49930",
            "email": "a1@test.example",
        },
        "issuing_country": "DE",
    }


def test_webuild_place_country_comes_from_the_key_and_the_address() -> None:
    """A site whose address says another country than its key is contradictory, and then its country is not known."""
    odd = WEBUILD | {"placesOfWork": {"FR": [{"companyOrVesselName": "X", "address": {"town": "Kehl", "countryCode": "DE"}}]}}
    found = profile("pda1", "webuild-1.0").normalise(odd)
    assert [code for _, code in told(found)] == ["contradiction"]
    assert found.get("work_information", "work_address", 0, "country") is None


@pytest.mark.parametrize("places", [None, "FR", [], {"FR": "Paris"}, {"FR": [None, "x"]}])
def test_webuild_with_odd_places(places: Any) -> None:
    found = profile("pda1", "webuild-1.0").normalise(WEBUILD | {"placesOfWork": places})
    assert found.get("document_number") == "DE-A1-9"
    assert found.get("work_information", "no_fixed_place_of_work") is None


EUDI_A1: dict[str, Any] = {
    "credential_holder": {"family_name": "Test", "given_name": "Ana", "birth_date": "1990-01-01"},
    "social_security_pin": "12345",
    "employment_details": [
        {
            "employment_type": "01",
            "name": "N",
            "employer_id": "E1",
            "id_type": "01",
            "street": "S 1",
            "town": "T",
            "postal_code": "1",
            "country_code": "PT",
        }
    ],
    "places_of_work": {
        "place_of_work": [
            {
                "company": "C",
                "company_id": "C1",
                "id_type": "03",
                "flag_base_home_state": "PT",
                "street": "R 2",
                "town": "U",
                "postal_code": "2",
                "country_code": "ES",
            }
        ],
        "no_fixed_place": [{"country_code": "FR"}, {"country_code": "EL"}],
    },
    "legislation": {"member_state": "PT", "transitional_rules": True, "starting_date": "2026-01-01", "ending_date": "2026-12-31"},
    "status_confirmation": "02",
    "document_id": "PT-1",
    "competent_institution": {"institution_id": "PT:1234", "institution_name": "ISS (test)", "country_code": "PT"},
    "issuance_date": "2026-01-01",
    "expiry_date": "2026-12-31",
    "issuing_authority": "ISS (test)",
    "issuing_country": "PT",
}


@pytest.mark.parametrize("type_id", ["urn:eu.europa.ec.eudi:pda1:1", PDA1])
def test_eudi_sd_jwt(type_id: str) -> None:
    shape = catalogue.recognise("dc+sd-jwt", type_id, EUDI_A1)
    assert shape.id == "eudi-py"
    found = shape.normalise(EUDI_A1)
    assert found.get("work_information", "no_fixed_place_of_work") == ["FR", "GR"]
    assert told(found) == [("/places_of_work/no_fixed_place/1/country_code", "country_spelling")]
    assert found.get("employer", 0, "address") == {"street_address": "S 1", "locality": "T", "postal_code": "1"}
    assert found.get("holder", "given_name") == "Ana"
    assert found.get("transitional_rules") is True


def test_every_claim_of_the_eudi_table_is_read() -> None:
    table = {tuple(row["path"]) for row in load("pda1-claims.json") if row["profile"] == "eudi-py"}
    assert table <= {entry.at for entry in profile("pda1", "eudi-py").slots} | {("places_of_work",), ("employment_details",)}
    card = {tuple(row["path"]) for row in load("ehic-claims.json") if row["profile"] == "eudi-py-mdoc"}
    assert card <= {entry.at for entry in profile("ehic", "eudi-py-sdjwt-old").slots}


DC4EU_0: dict[str, Any] = {
    "social_security_pin": "12345",
    "nationality": ["EL", "XS"],
    "details_of_employment": [
        {
            "type_of_employment": "02",
            "name": "N",
            "ids_of_employer": [{"employer_id": "E1", "type_of_id": "03"}, {"employer_id": "E2"}],
            "address": {"street": "S", "town": "T", "postal_code": "1", "country": "EL"},
        },
        {"type_of_employment": "01", "name": "M"},
    ],
    "places_of_work": [
        {"a_fixed_place_of_work_exist": False, "country_work": "UK"},
        {
            "a_fixed_place_of_work_exist": True,
            "country_work": "DE",
            "place_of_work": [
                {
                    "company_vessel_name": "C",
                    "flag_state_home_base": "GR",
                    "ids_of_company": [{"company_id": "C1", "type_of_id": "01"}],
                    "address": {"street": "R", "town": "U", "post_code": "2"},
                }
            ],
        },
        {"a_fixed_place_of_work_exists": True, "country_work": "AT"},
        {"no_fixed_place_of_work_exist": True, "country_work": "IT"},
        {"no_fixed_place_of_work_exist": False, "country_work": "ES", "place_of_work": [{"address": {"town": "Irun"}}]},
    ],
    "decision_legislation_applicable": {
        "member_state_which_legislation_applies": "EL",
        "transitional_rule_apply": True,
        "starting_date": "2024-01-01",
    },
    "status_confirmation": "04",
    "unique_number_of_issued_document": "EL-1",
    "competent_institution": {"institution_id": "EL:101010", "institution_name": "e-EFKA", "country_code": "EL"},
}


def test_dc4eu_0() -> None:
    shape = catalogue.recognise("dc+sd-jwt", "PDA1Credential", DC4EU_0)
    assert shape.id == "dc4eu-0"
    found = shape.normalise(DC4EU_0)
    assert found.data == {
        "personal_administrative_number": "12345",
        "holder": {"nationality": ["GR", "XS"]},
        "employer": [
            {
                "type": "02",
                "name": "N",
                "id": "E1",
                "id_type": "03",
                "address": {"street_address": "S", "locality": "T", "postal_code": "1"},
                "country": "GR",
            },
            {"type": "01", "name": "M"},
        ],
        "work_information": {
            "work_address": [
                {
                    "company_name": "C",
                    "flag_base_home": "GR",
                    "company_id": "C1",
                    "id_type": "01",
                    "street_address": "R",
                    "locality": "U",
                    "postal_code": "2",
                    "country": "DE",
                },
                {"country": "AT"},
                {"locality": "Irun", "country": "ES"},
            ],
            "no_fixed_place_of_work": ["GB", "IT"],
        },
        "legislation_country": "GR",
        "transitional_rules": True,
        "starting_date": "2024-01-01",
        "ending_date": "open",
        "status_confirmation": "04",
        "document_number": "EL-1",
        "authentic_source": {"id": "EL:101010", "name": "e-EFKA"},
        "issuing_country": "GR",
    }
    assert {code for _, code in told(found)} == {"country_spelling", "spelling"}


def test_dc4eu_0_of_which_little_was_disclosed() -> None:
    claims = {"social_security_pin": "12345", "status_confirmation": "04"}
    shape = catalogue.recognise("dc+sd-jwt", "PDA1Credential", claims)
    assert shape.id == "dc4eu-0"
    assert shape.normalise(claims).data == {"personal_administrative_number": "12345", "status_confirmation": "04"}
    stated = {"decision_legislation_applicable": {"starting_date": "2024-01-01", "ending_date": "2024-12-31"}}
    assert shape.normalise(stated).get("ending_date") == "2024-12-31"


def test_dc4eu_2_with_the_defects_of_the_wild() -> None:
    claims = document_claims("pda1-01", "dc4eu-2")
    claims["authentic_source"]["id"] = "FR: 7500001"
    claims["legislation_country"] = "FR "
    site = claims["work_information"]["work_address"][0]
    site["building_number"] = site.pop("house_number")
    site["post_code"] = site.pop("postal_code")
    found = profile("pda1", "dc4eu-2").normalise(claims)
    assert {name: value for name, value in found.data.items() if name != "holder"} == {
        name: value for name, value in document("pda1-01").data.items() if name != "holder"
    }
    assert sorted(told(found)) == [
        ("/authentic_source/id", "institution_id"),
        ("/legislation_country", "country_spelling"),
        ("/work_information/work_address/0/building_number", "spelling"),
        ("/work_information/work_address/0/post_code", "spelling"),
    ]


def test_a_proper_spelling_wins_over_a_wild_one() -> None:
    claims = document_claims("pda1-01", "dc4eu-2")
    claims["work_information"]["work_address"][0]["building_number"] = "99"
    found = profile("pda1", "dc4eu-2").normalise(claims)
    assert found.get("work_information", "work_address", 0, "house_number") == "12"
    assert told(found) == []


def document_claims(id: str, shape: str) -> dict[str, Any]:
    return profile(id.partition("-")[0], shape).project(document(id))


READINGS = {
    "boolean name": (("authentic_source", "name"), True, "unreadable"),
    "no date": (("starting_date",), "01.09.2026", "unreadable"),
    "no such day": (("ending_date",), "2027-02-30", "unreadable"),
    "date as number": (("date_of_issuance",), 20260820, "unreadable"),
    "country in words": (("legislation_country",), "France", "unreadable"),
    "country as list": (("legislation_country",), ["FR"], "unreadable"),
    "empty text": (("issuing_authority", "name"), "  ", "unreadable"),
    "text for object": (("work_information",), "Stuttgart", "unreadable"),
    "text for list": (("employer",), "Toitures", "unreadable"),
    "object for text": (("document_number",), {"value": "1"}, "unreadable"),
    "flag as text": (("transitional_rules",), "false", "unreadable"),
    "other issuing country": (("issuing_country",), "DE", "contradiction"),
    "text that turns round": (("document_number",), "FR-\u202e123", "characters"),
    "institution of no form": (("authentic_source", "id"), "7500001", "institution_id"),
}


@pytest.mark.parametrize("case", READINGS)
def test_what_cannot_be_read_is_left_out_and_said(case: str) -> None:
    path, value, code = READINGS[case]
    claims = document_claims("pda1-01", "dc4eu-2")
    (claims[path[0]] if len(path) == 2 else claims)[path[-1]] = value
    found = profile("pda1", "dc4eu-2").normalise(claims)
    assert code in [note.code for note in found.notes]
    if code == "unreadable":
        assert found.get(*path) is None
    assert found.get("status_confirmation") == "01"


def test_forbidden_characters_are_marked() -> None:
    claims = document_claims("pda1-01", "dc4eu-2") | {"document_number": "FR-\u202e1\u00a02"}
    assert profile("pda1", "dc4eu-2").normalise(claims).get("document_number") == "FR-\ufffd1\u00a02"


def test_the_country_sample_of_the_wild_is_read() -> None:
    """Sample data in the wild has country `EU` and an employer called `02` (DOMAIN 1.5)."""
    claims = document_claims("pda1-06", "dc4eu-1")
    claims["employer"] |= {"country": "EU", "name": "02"}
    found = profile("pda1", "dc4eu-1").normalise(claims)
    assert found.get("employer", 0) == {"id": "BBNR99999906", "name": "02", "country": "EU", "type": "01"}


def test_the_third_statement_of_a_contradiction_does_not_settle_it() -> None:
    shape = profile("pda1", "eudi-py-mdoc")
    claims = shape.project(document("pda1-01"))
    claims["eu.europa.ec.eudi.pda1.1"]["document_id"] = "ONE-1"
    claims["org.iso.23220.1"]["document_number"] = "TWO-2"
    claims["org.iso.23220.1"]["issuing_authority"] = claims["org.iso.23220.1"]["issuing_authority_unicode"] + " X"
    claims["eu.europa.ec.eudi.pda1.1"]["issuing_authority"] = "Y"
    found = shape.normalise(claims)
    assert found.get("document_number") is None
    assert found.get("issuing_authority", "name") is None
    assert [code for _, code in told(found)] == ["contradiction", "contradiction"]


def test_a_list_is_read_to_a_limit() -> None:
    claims = document_claims("pda1-01", "dc4eu-2")
    claims["employer"] *= MAX_ELEMENTS + 1
    found = profile("pda1", "dc4eu-2").normalise(claims)
    assert len(found.get("employer")) == MAX_ELEMENTS
    assert told(found) == [("/employer", "elements")]


def test_dates_as_date_objects_are_read() -> None:
    moment = datetime(2026, 8, 20, 12, tzinfo=UTC)
    claims = document_claims("pda1-01", "dc4eu-2") | {"starting_date": date(2026, 9, 1), "date_of_issuance": moment}
    found = profile("pda1", "dc4eu-2").normalise(claims)
    assert (found.get("starting_date"), found.get("date_of_issuance")) == ("2026-09-01", "2026-08-20")


# --- EHIC

FLAT: dict[str, Any] = {
    "personal_administrative_number": "12345",
    "issuing_authority": {"id": "PT:1", "name": "I"},
    "issuing_country": "PT",
    "authentic_source": {"id": "PT:1234", "name": "I"},
    "date_of_issuance": "2026-01-01",
    "date_of_expiry": "2027-01-01",
    "starting_date": "2026-01-01",
    "ending_date": "2027-01-01",
}
CATEGORY = {"attestation_legal_category": "PuB-EAA"}
OLD: dict[str, Any] = {
    "credential_holder": {"family_name": "A", "given_name": "B", "birth_date": "1990-01-01"},
    "subject": {"family_name": "A", "given_name": "B", "birth_date": "1990-01-01"},
    "social_security_pin": "12345",
    "competent_institution": {"institution_id": "PT:1234", "institution_name": "I", "country_code": "PT"},
    "document_id": "80620000000000000001",
    "issuing_country": "PT",
}


@pytest.mark.parametrize(
    ("type_id", "claims", "expected"),
    [
        (EHIC, FLAT | CATEGORY, "dc4eu-1"),
        (EHIC, FLAT | CATEGORY | {"document_number": "1234"}, "dc4eu-1"),
        (EHIC, FLAT | {"document_number": "1234"}, "dc4eu-1"),
        (EHIC, FLAT, "eudi-py-sdjwt"),
        (EHIC, FLAT | {"issuing_authority": {"id": "PT:1", "name": "I", "country": "PT"}}, "dc4eu-2"),
        (EHIC, FLAT | {"subject": {"forenames": "E"}}, "dc4eu-2"),
        (EHIC, OLD, "eudi-py-sdjwt-old"),
        ("urn:eu.europa.ec.eudi:ehic:1", OLD, "eudi-py-sdjwt-old"),
        ("EHICCredential", {"period_entitlement": {"starting_date": "2026-01-01"}}, "dc4eu-0"),
        (EHIC, {"period_entitlement": {}}, "dc4eu-0"),
        (EHIC, {"personal_administrative_number": "12345"}, "dc4eu-1"),
        (PDA1, {"employer": []}, "dc4eu-2"),
        (PDA1, {"work_information": {}}, "dc4eu-2"),
        (PDA1, {"employer": {}}, "dc4eu-1"),
        (PDA1, {"work_address": {}}, "dc4eu-1"),
        (PDA1, {"document_number": "1234"}, "dc4eu-2"),
        (PDA1, WEBUILD, "webuild-1.0"),
        ("urn:eudi:pid:arf-1.5:1", {"family_name": "A"}, "pid"),
        ("urn:eudi:pid:arf-1.8:1", {}, "pid"),
    ],
)
def test_recognised_by_structure(type_id: str, claims: dict[str, Any], expected: str) -> None:
    assert catalogue.recognise("dc+sd-jwt", type_id, claims).id == expected


@pytest.mark.parametrize("namespace", ["eu.europa.ec.eudi.ehic.1", "org.iso.23220.1", "eu.portadoc.ehic.1"])
def test_mdoc_is_recognised_by_any_of_its_namespaces(namespace: str) -> None:
    assert catalogue.recognise("mso_mdoc", "eu.europa.ec.eudi.ehic.1", {namespace: {}}).document_type == "ehic"


@pytest.mark.parametrize(
    ("format", "type_id", "claims", "code"),
    [
        ("dc+sd-jwt", "urn:eudi:diploma:1", FLAT, "unknown_type"),
        ("dc+sd-jwt", "eu.europa.ec.eudi.ehic.1", FLAT, "unknown_type"),
        ("mso_mdoc", EHIC, FLAT, "unknown_type"),
        ("jwt_vc_json", EHIC, FLAT, "unknown_type"),
        ("dc+sd-jwt", EHIC, {}, "unknown_structure"),
        ("dc+sd-jwt", PDA1, {"credentialSubject": {"section1": {}}}, "unknown_structure"),
        ("mso_mdoc", "eu.europa.ec.eudi.ehic.1", {"org.example": {}}, "unknown_structure"),
    ],
)
def test_not_recognised(format: str, type_id: str, claims: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        catalogue.recognise(format, type_id, claims)
    assert caught.value.code == code


def test_the_eudi_card_without_its_number() -> None:
    found = profile("ehic", "eudi-py-sdjwt").normalise(FLAT)
    assert found.get("document_number") is None
    codes = [finding.code for finding in catalogue.DOCUMENT_TYPES["ehic"].assess(found, control()).findings]
    assert codes == ["reimbursement_data_missing"]


def test_the_old_eudi_card() -> None:
    found = profile("ehic", "eudi-py-sdjwt-old").normalise(OLD)
    assert found.get("subject") is None
    assert found.get("holder", "family_name") == "A"
    assert found.get("authentic_source") == {"id": "PT:1234", "name": "I"}


def test_dc4eu_0_card() -> None:
    claims = {
        "subject": {"forename": "B", "family_name": "A", "date_of_birth": "1990-01-01"},
        "social_security_pin": "12345",
        "period_entitlement": {"starting_date": "2026-01-01", "ending_date": "2026-12-31"},
        "document_id": "80300000000000000001",
        "competent_institution": {"institution_id": "EL:1010", "institution_name": "I", "institution_country": "EL"},
    }
    table = {tuple(row["path"]) for row in load("ehic-claims.json") if row["profile"] == "dc4eu-0"}
    assert table == {
        (name,) if not isinstance(member, dict) else (name, inner)
        for name, member in claims.items()
        for inner in (member if isinstance(member, dict) else [""])
    }
    found = profile("ehic", "dc4eu-0").normalise(claims)
    assert found.data == {
        "holder": {"given_name": "B", "family_name": "A", "birth_date": "1990-01-01"},
        "personal_administrative_number": "12345",
        "starting_date": "2026-01-01",
        "ending_date": "2026-12-31",
        "document_number": "80300000000000000001",
        "authentic_source": {"id": "EL:1010", "name": "I"},
        "issuing_country": "GR",
    }
    assert "issuing_country" not in profile("ehic", "dc4eu-0").normalise({"document_id": "1234"}).data


def test_dc4eu_2_card_that_states_its_country_twice() -> None:
    claims = FLAT | {"issuing_authority": {"id": "PT:1", "name": "I", "country": "ES"}}
    found = profile("ehic", "dc4eu-2").normalise(claims)
    assert found.issuing_country is None
    assert [code for _, code in told(found)] == ["contradiction"]


def test_a_card_whose_issuing_authority_is_text() -> None:
    assert catalogue.recognise("dc+sd-jwt", EHIC, FLAT | CATEGORY | {"issuing_authority": "ISS"}).id == "dc4eu-1"


# --- PID


def test_older_pids() -> None:
    old = {
        "family_name": "A",
        "birth_date": "1990-01-01",
        "nationality": "EL",
        "birth_place": "Pireas",
        "expiry_date": "2030-01-01",
        "sex": 2,
    }
    found = profile("pid", "pid").normalise(old)
    assert found.get("holder") == {
        "family_name": "A", "birth_date": "1990-01-01", "nationality": ["GR"], "birth_place": "Pireas", "sex": "2",
    }  # fmt: skip
    assert found.get("date_of_expiry") == "2030-01-01"
    assert profile("pid", "pid").normalise({"nationalities": "FR", "place_of_birth": "Lyon"}).get("holder") == {
        "nationality": ["FR"],
        "birth_place": "Lyon",
    }


def test_older_mdoc_pids() -> None:
    shape = profile("pid", "pid-mdoc")
    found = shape.normalise({"eu.europa.ec.eudi.pid.1": {"nationality": "FR", "birth_place": "Lyon"}})
    assert found.get("holder") == {"nationality": ["FR"], "birth_place": "Lyon"}
    assert shape.normalise({"eu.europa.ec.eudi.pid.1": "x", "other": {}}).data == {}


# --- the catalogue


def test_accepted_types() -> None:
    assert catalogue.accepted_types("pda1", "dc+sd-jwt") == [
        PDA1,
        "urn:eu.europa.ec.eudi:pda1:1",
        "eu.we-build.pda1.1",
        "PDA1Credential",
    ]
    assert catalogue.accepted_types("pda1", "mso_mdoc") == ["eu.europa.ec.eudi.pda1.1"]
    assert catalogue.accepted_types("ehic", "dc+sd-jwt") == [EHIC, "urn:eu.europa.ec.eudi:ehic:1", "EHICCredential"]
    assert catalogue.accepted_types("pid", "dc+sd-jwt") == ["urn:eudi:pid:1", "urn:eudi:pid:arf-1.5:1", "urn:eudi:pid:arf-1.8:1"]


def test_every_profile_of_the_domain_is_known() -> None:
    listed = {
        kind: {entry["id"] for entry in entries if entry["id"] != "ebsi-essp"}
        for kind, entries in load("profiles.json").items()
        if kind in ("pda1", "ehic")
    }
    known = {kind: {entry.id for entry in catalogue.DOCUMENT_TYPES[kind].profiles} for kind in listed}
    assert all(listed[kind] <= known[kind] for kind in listed)
    for kind in listed:
        for entry in load("profiles.json")[kind]:
            if entry["id"] in known[kind]:
                assert (entry.get("vct") or entry["doctype"]) in catalogue.accepted_types(
                    kind, "mso_mdoc" if "doctype" in entry else "dc+sd-jwt"
                )


def test_configurations() -> None:
    assert {
        id: (entry.document_type, entry.format, entry.type_id, entry.profile.id) for id, entry in catalogue.CONFIGURATIONS.items()
    } == {
        "pda1_dc4eu-2_sd_jwt": ("pda1", "dc+sd-jwt", PDA1, "dc4eu-2"),
        "pda1_dc4eu-1_sd_jwt": ("pda1", "dc+sd-jwt", PDA1, "dc4eu-1"),
        "eu.europa.ec.eudi.pda1_mdoc": ("pda1", "mso_mdoc", "eu.europa.ec.eudi.pda1.1", "eudi-py-mdoc"),
        "ehic_dc4eu-1_sd_jwt": ("ehic", "dc+sd-jwt", EHIC, "dc4eu-1"),
        "ehic_dc4eu-2_sd_jwt": ("ehic", "dc+sd-jwt", EHIC, "dc4eu-2"),
        "eu.europa.ec.eudi.ehic_mdoc": ("ehic", "mso_mdoc", "eu.europa.ec.eudi.ehic.1", "eudi-py-mdoc"),
        "pid_sd_jwt": ("pid", "dc+sd-jwt", "urn:eudi:pid:1", "pid"),
        "pid_mdoc": ("pid", "mso_mdoc", "eu.europa.ec.eudi.pid.1", "pid-mdoc"),
    }
    assert all(entry.scope == entry.id == id for id, entry in catalogue.CONFIGURATIONS.items())
    assert all(entry.profile.issuable for entry in catalogue.CONFIGURATIONS.values())


def test_the_profile_for_a_document() -> None:
    card, a1 = catalogue.DOCUMENT_TYPES["ehic"], catalogue.DOCUMENT_TYPES["pda1"]
    assert card.choose("dc+sd-jwt", document("ehic-01")).id == "dc4eu-1"
    assert card.choose("dc+sd-jwt", document("ehic-03")).id == "dc4eu-2"
    assert card.choose("mso_mdoc", document("ehic-03")).id == "eudi-py-mdoc"
    with pytest.raises(Refused, match="projection_loses"):
        a1.choose("dc+sd-jwt", document("pda1-01", provisional=True))
    with pytest.raises(Refused, match="unknown_profile"):
        a1.choose("jwt_vc_json", document("pda1-01"))
    for format, id in (("dc+sd-jwt", "dc4eu-9"), ("jwt_vc_json", None)):
        with pytest.raises(Refused, match="unknown_profile"):
            a1.profile(format, id)
    assert a1.profile("dc+sd-jwt").id == "dc4eu-2"
    assert a1.profile("dc+sd-jwt", "webuild-1.0").id == "webuild-1.0"
