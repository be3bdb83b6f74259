"""The shapes we issue: their claims as the tables of the specifications say, nothing lost, and back again unchanged."""

import re
from datetime import date
from typing import Any

import pytest

from tests.support.documents import SAMPLES, document, kind_of, load, profile, sample
from vc.documents import catalogue
from vc.documents.model import Document
from vc.documents.profile import ProjectionLacks, ProjectionLoses
from vc.errors import Refused

ENVELOPE = {"vct", "iss", "iat", "nbf", "exp", "cnf", "jti", "sub", "status"}
DC4EU = [("pda1", "dc4eu-2"), ("pda1", "dc4eu-1"), ("ehic", "dc4eu-1"), ("ehic", "dc4eu-2")]


def rows(kind: str, id: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of one profile in the claims table. dc4eu-2 of the EHIC is told there as what differs from dc4eu-1."""
    table = load(f"{kind}-claims.json")
    found = {tuple(row["path"]): row for row in table if row["profile"] == id}
    if (kind, id) == ("ehic", "dc4eu-2"):
        found = {path: row for path, row in rows("ehic", "dc4eu-1").items() if path != ("issuing_country",)} | found
    return {path: row for path, row in found.items() if path[0] not in ENVELOPE}


@pytest.mark.parametrize(("kind", "id"), DC4EU)
def test_claims_are_those_of_the_table(kind: str, id: str) -> None:
    declared = {claim.path: (claim.sd, claim.mandatory) for claim in profile(kind, id).claims}
    expected = {
        path: ("always" if row["sd"] == "always" else "never", row["mandatory"] is True) for path, row in rows(kind, id).items()
    }
    parents = {path[:end] for path in expected for end in range(1, len(path))} | {
        (*path[:-1],) for path in expected if None in path
    }
    assert {path: rule for path, rule in declared.items() if path in expected} == expected
    assert set(declared) - set(expected) <= parents  # only objects whose members the table lists


def conforms(value: Any, row: dict[str, Any]) -> bool:
    """Whether a value has the type the table gives, in the table's own words."""
    kind = row["type"]
    if row["enum"] and value not in row["enum"]:
        return False
    if kind.startswith("string ^") or kind.startswith("^"):
        return isinstance(value, str) and re.fullmatch(re.search(r"\^(.*)\$", kind)[1], value) is not None  # type: ignore[index]
    if found := re.match(r"string (\d+)\.\.(\d+)", kind):
        return isinstance(value, str) and int(found[1]) <= len(value) <= int(found[2])
    if kind == "full-date":
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    return isinstance(value, {"array": list, "object": dict, "boolean": bool, "string": str}[re.split("[^a-z]", kind)[0]])


def nodes(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every value of a tree with its pattern, containers included."""
    inside = tree.items() if isinstance(tree, dict) else ((None, element) for element in tree) if isinstance(tree, list) else ()
    return [*([(at, tree)] if at else []), *(found for step, value in inside for found in nodes(value, (*at, step)))]


def projections(kind: str, id: str) -> list[tuple[str, Document]]:
    """The samples this profile carries."""
    found = []
    for name in SAMPLES:
        if kind_of(name) == kind:
            try:
                profile(kind, id).project(document(name))
            except ProjectionLoses:
                continue
            found.append((name, document(name)))
    return found


@pytest.mark.parametrize(("kind", "id"), DC4EU)
def test_what_is_issued_keeps_to_the_table(kind: str, id: str) -> None:
    table, carried = rows(kind, id), projections(kind, id)
    assert carried
    for _, one in carried:
        claims = profile(kind, id).project(one)
        for path, value in nodes(claims):
            if path in table:
                assert conforms(value, table[path]), path
        named = {path for path, _ in nodes(claims)}
        required = [path for path, row in table.items() if row["mandatory"] is True and None not in path and len(path) == 1]
        assert set(required) <= named
        assert {path[0] for path in named} <= {path[0] for path in table}


def test_dc4eu_2_gives_back_what_the_institution_sent() -> None:
    for id in SAMPLES:
        if kind_of(id) == "pda1":
            assert profile("pda1", "dc4eu-2").project(document(id)) == sample(id)["document_data"]


def test_dc4eu_1_of_the_ehic_gives_back_what_the_institution_sent() -> None:
    for id in SAMPLES:
        if kind_of(id) == "ehic" and id != "ehic-03":
            assert profile("ehic", "dc4eu-1").project(document(id)) == sample(id)["document_data"]


CARRIED = {
    ("pda1", "dc4eu-2"): {"pda1-01", "pda1-02", "pda1-04", "pda1-05", "pda1-06", "pda1-09", "pda1-12"},
    ("pda1", "dc4eu-1"): {"pda1-06", "pda1-12"},
    ("pda1", "eudi-py-mdoc"): {"pda1-01", "pda1-02", "pda1-04", "pda1-05", "pda1-06", "pda1-09", "pda1-12"},
    ("ehic", "dc4eu-1"): {"ehic-01", "ehic-02", "ehic-05", "ehic-06", "ehic-08", "ehic-10"},
    ("ehic", "dc4eu-2"): {"ehic-01", "ehic-02", "ehic-03", "ehic-05", "ehic-06", "ehic-08", "ehic-10"},
    ("ehic", "eudi-py-mdoc"): {"ehic-01", "ehic-02", "ehic-03", "ehic-05", "ehic-06", "ehic-08", "ehic-10"},
}


@pytest.mark.parametrize(("kind", "id"), CARRIED)
def test_which_samples_each_profile_carries(kind: str, id: str) -> None:
    assert {name for name, _ in projections(kind, id)} == CARRIED[(kind, id)]


TWO_STATES = {"no_fixed_place_of_work": ["DE", "AT"]}
LOST: dict[str, tuple[str, str, dict[str, Any], list[str]]] = {
    "two no fixed places in dc4eu-2": (
        "pda1-05", "dc4eu-2", {"work_information": TWO_STATES}, ["/work_information/no_fixed_place_of_work/1"],
    ),
    "provisional in dc4eu-2": ("pda1-01", "dc4eu-2", {"provisional": True}, ["/provisional"]),
    "duration in dc4eu-2": ("pda1-01", "dc4eu-2", {"duration_of_activity": True}, ["/duration_of_activity"]),
    "residence in dc4eu-2": (
        "pda1-01", "dc4eu-2", {"residence_address": {"locality": "Lyon", "country": "FR"}},
        ["/residence_address/locality", "/residence_address/country"],
    ),
    "kind of identifier in dc4eu-2": (
        "pda1-01", "dc4eu-2", {"employer": [{"type": "01", "id": "X1", "id_type": "03", "name": "N", "country": "FR"}]},
        ["/employer/0/id_type"],
    ),
    "two employers in dc4eu-1": (
        "pda1-06", "dc4eu-1",
        {"employer": [{"type": "01", "id": str(n), "name": "N", "country": "DE"} for n in (1, 2)]},
        ["/employer/1/type", "/employer/1/id", "/employer/1/name", "/employer/1/country"],
    ),
    "two sites in dc4eu-1": (
        "pda1-06", "dc4eu-1",
        {"work_information": {"work_address": [{"locality": town, "country": "FR"} for town in ("Metz", "Nancy")]}},
        ["/work_information/work_address/1/locality", "/work_information/work_address/1/country"],
    ),
    "no fixed place in dc4eu-1": (
        "pda1-06", "dc4eu-1",
        {"work_information": {"no_fixed_place_of_work": "FR"}},
        ["/work_information/no_fixed_place_of_work/0"],
    ),
    "transitional rules in dc4eu-1": ("pda1-06", "dc4eu-1", {"transitional_rules": True}, ["/transitional_rules"]),
    "employment type against the code in dc4eu-1": (
        "pda1-06", "dc4eu-1", {"employer": [{"type": "02", "id": "1", "name": "N", "country": "DE"}]}, ["/employer/0/type"],
    ),
    "employment type the code leaves open in dc4eu-1": ("pda1-06", "dc4eu-1", {"status_confirmation": "12"}, ["/employer/0/type"]),
    "subject in dc4eu-1": ("ehic-03", "dc4eu-1", {}, ["/subject/familynames", "/subject/forenames", "/subject/date_of_birth"]),
    "institution of another country in dc4eu-1": (
        "ehic-01", "dc4eu-1", {"authentic_source": {"id": "EU:33100", "name": "N", "country": "BE"}}, ["/authentic_source/country"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOST)
def test_a_projection_that_would_lose_a_fact_refuses_and_names_it(case: str) -> None:
    id, shape, changes, facts = LOST[case]
    with pytest.raises(ProjectionLoses) as caught:
        profile(kind_of(id), shape).project(document(id, **changes))
    assert caught.value.facts == facts
    assert caught.value.code == "projection_loses"


@pytest.mark.parametrize(
    "changes",
    [
        {"provisional": False, "duration_of_activity": False},
        {"employer": [{"type": "01", "id": "X1", "id_type": "98", "name": "N", "country": "DE"}]},
        {"transitional_rules": False},
    ],
)
def test_an_unticked_box_is_no_fact(changes: dict[str, Any]) -> None:
    claims = profile("pda1", "dc4eu-1").project(document("pda1-06", **changes))
    assert not {"provisional", "duration_of_activity", "transitional_rules"} & claims.keys()


def test_mdoc_needs_the_identity() -> None:
    nameless = catalogue.parse("pda1", sample("pda1-01")["document_data"])
    assert profile("pda1", "dc4eu-2").project(nameless)["document_number"]
    with pytest.raises(ProjectionLacks) as caught:
        profile("pda1", "eudi-py-mdoc").project(nameless)
    assert caught.value.facts == ["/identity", "/identity/family_name", "/identity/given_name", "/identity/birth_date"]


def test_a_shape_that_is_only_read_is_not_written() -> None:
    with pytest.raises(Refused, match="profile_read_only"):
        profile("pda1", "webuild-1.0").project(document("pda1-01"))


def test_the_elements_of_the_a1_mdoc() -> None:
    claims = profile("pda1", "eudi-py-mdoc").project(document("pda1-01"))
    eudi = claims["eu.europa.ec.eudi.pda1.1"]
    assert eudi["credential_holder"] == {"family_name": "MARTIN", "given_name": "Camille", "birth_date": date(1988, 4, 17)}
    assert eudi["legislation"] == {
        "member_state": "FR",
        "starting_date": date(2026, 9, 1),
        "ending_date": date(2027, 2, 28),
        "transitional_rules": False,
    }
    assert eudi["places_of_work"]["place_of_work"] == [
        {
            "company": "Muster Bau GmbH (fiktiv)",
            "company_id": "HRB999999",
            "street": "Musterstraße 12",
            "town": "Stuttgart",
            "postal_code": "70173",
            "country_code": "DE",
        }
    ]
    assert eudi["competent_institution"]["country_code"] == "FR"
    assert claims["eu.portadoc.pda1.1"]["work_addresses"][0]["house_number"] == "12"
    assert claims["eu.portadoc.pda1.1"]["issuing_authority_id"] == "FR:7500001"
    assert claims["org.iso.23220.1"] == {
        "document_number": "FR-A1-2026-0000001",
        "issue_date": date(2026, 8, 20),
        "expiry_date": date(2027, 2, 28),
        "issuing_authority_unicode": "Urssaf Île-de-France (test)",
        "issuing_country": "FR",
        "family_name": "MARTIN",
        "given_name": "Camille",
    }


def test_an_open_end_travels_as_the_stand_in_date() -> None:
    assert profile("pda1", "dc4eu-2").project(document("pda1-09"))["ending_date"] == "2499-01-01"
    mdoc = profile("pda1", "eudi-py-mdoc").project(document("pda1-09"))
    assert mdoc["eu.europa.ec.eudi.pda1.1"]["legislation"]["ending_date"] == date(2499, 1, 1)


def test_the_eudi_namespace_alone_reads_well() -> None:
    """Without our namespace street and number stay together, and nothing is in doubt."""
    shape = profile("pda1", "eudi-py-mdoc")
    claims = shape.project(document("pda1-01"))
    found = shape.normalise({"eu.europa.ec.eudi.pda1.1": claims["eu.europa.ec.eudi.pda1.1"]})
    site = found.get("work_information", "work_address", 0)
    assert site["street_address"] == "Musterstraße 12"
    assert "house_number" not in site
    assert found.notes == ()
    assert found.get("authentic_source", "country") is None


def test_an_institution_of_another_country_than_the_issuer_is_kept_in_the_mdoc() -> None:
    shape = profile("ehic", "eudi-py-mdoc")
    one = document("ehic-01", authentic_source={"id": "EU:33100", "name": "N", "country": "BE"})
    claims = shape.project(one)
    assert claims["eu.europa.ec.eudi.ehic.1"]["competent_institution"]["country_code"] == "BE"
    assert shape.normalise(claims).get("authentic_source", "country") == "BE"


def test_representation_in_the_mdoc() -> None:
    shape = profile("ehic", "eudi-py-mdoc")
    claims = shape.project(document("ehic-03"))
    assert claims["eu.europa.ec.eudi.ehic.1"]["credential_holder"]["given_name"] == "Linnéa"
    assert claims["eu.europa.ec.eudi.ehic.1"]["subject"]["given_name"] == "Ebba Åsa"
    assert claims["org.iso.23220.1"]["given_name"] == "Ebba Åsa"
    assert shape.normalise(claims).get("subject", "date_of_birth") == "2018-06-15"
    assert "subject" not in shape.project(document("ehic-01"))["eu.europa.ec.eudi.ehic.1"]


def test_a_subject_who_is_the_holder_is_no_representation() -> None:
    shape = profile("ehic", "eudi-py-mdoc")
    claims = shape.project(document("ehic-01"))
    claims["eu.europa.ec.eudi.ehic.1"]["subject"] = claims["eu.europa.ec.eudi.ehic.1"]["credential_holder"]
    assert shape.normalise(claims).get("subject") is None


def test_the_pid_in_both_formats() -> None:
    one = catalogue.parse(
        "pid",
        {"issuing_country": "FR", "issuing_authority": "Test", "date_of_expiry": "2030-01-01"},
        identity=sample("pda1-01")["identity"],
    )
    assert profile("pid", "pid").project(one) == {
        "family_name": "MARTIN",
        "given_name": "Camille",
        "birthdate": "1988-04-17",
        "nationalities": ["FR"],
        "place_of_birth": {"locality": "Lyon"},
        "sex": 2,
        "issuing_country": "FR",
        "issuing_authority": "Test",
        "date_of_expiry": "2030-01-01",
    }
    assert profile("pid", "pid-mdoc").project(one) == {
        "eu.europa.ec.eudi.pid.1": {
            "family_name": "MARTIN",
            "given_name": "Camille",
            "birth_date": date(1988, 4, 17),
            "nationality": ["FR"],
            "place_of_birth": {"locality": "Lyon"},
            "sex": 2,
            "issuing_country": "FR",
            "issuing_authority": "Test",
            "expiry_date": date(2030, 1, 1),
        }
    }


def test_claims_of_an_mdoc_are_its_elements() -> None:
    for configuration in catalogue.CONFIGURATIONS.values():
        if configuration.format == "mso_mdoc":
            assert {len(claim.path) for claim in configuration.profile.claims} == {2}
            assert all(claim.sd == "always" for claim in configuration.profile.claims)


def test_every_claim_has_an_english_label() -> None:
    for configuration in catalogue.CONFIGURATIONS.values():
        assert configuration.profile.claims
        assert all(claim.labels["en"] for claim in configuration.profile.claims)


def test_what_is_disclosable() -> None:
    assert set(profile("pda1", "dc4eu-2").disclosable) == {
        ("personal_administrative_number",),
        ("document_number",),
        ("transitional_rules",),
    }
    assert set(profile("ehic", "dc4eu-1").disclosable) == {("personal_administrative_number",), ("document_number",)}
    assert ("place_of_birth",) in profile("pid", "pid").disclosable
