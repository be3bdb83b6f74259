"""Document data from an institution: what is accepted, and every problem named at once with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import SAMPLES, document, kind_of, load, sample
from vc.documents import calendar, catalogue, codes, country
from vc.documents.document import Document, DocumentInvalid
from vc.documents.form import MAX_PROBLEMS
from vc.documents.model import put
from vc.errors import Malformed, Refused

SITE = "/work_information/work_address/0"


def problems(id: str, path: list[str | int], value: Any) -> list[tuple[str, str]]:
    """What is wrong with a sample after one change, as (pointer, code)."""
    entry = sample(id)
    put(entry, path, value)
    with pytest.raises(DocumentInvalid) as caught:
        catalogue.parse(kind_of(id), entry["document_data"], identity=entry["identity"])
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize("id", SAMPLES)
def test_every_sample_is_a_document(id: str) -> None:
    entry = sample(id)
    found = catalogue.parse(kind_of(id), entry["document_data"], identity=entry["identity"])
    assert found.type == kind_of(id)
    assert found.get("holder", "family_name") == entry["identity"]["family_name"]
    assert found.issuing_country == entry["document_data"]["issuing_country"]
    assert found.notes == ()


WRONG: dict[str, tuple[str, Any, str]] = {
    "too short": ("document_number", "ABC", "length"),
    "too long": ("document_number", "A" * 51, "length"),
    "much too long": ("document_number", "A" * 10_000, "length"),
    "blank": ("document_number", "      ", "length"),
    "number for text": ("document_number", 12345, "type"),
    "missing": ("document_number", None, "missing"),
    "null character": ("document_number", "FR\x00-A1", "characters"),
    "line break": ("document_number", "FR-A1\n2", "characters"),
    "bidi override": ("document_number", "FR\u202e-A1", "characters"),
    "bidi isolate": ("document_number", "FR\u2066-A1", "characters"),
    "zero width": ("document_number", "FR\u200b-A1", "characters"),
    "pile of marks": ("document_number", "FR-A1 e\u0335\u0336\u0337\u0338", "combining"),
    "look-alike letter": ("document_number", "FR-p\u0430ss", "mixed_script"),
    "code": ("status_confirmation", "13", "code_list"),
    "code as number": ("status_confirmation", 1, "type"),
    "no such State": ("legislation_country", "US", "code_list"),
    "small letters": ("legislation_country", "fr", "code_list"),
    "no such day": ("date_of_issuance", "2026-02-29", "date"),
    "no such month": ("date_of_issuance", "2026-13-01", "date"),
    "other form of date": ("date_of_issuance", "20.08.2026", "date"),
    "week date": ("date_of_issuance", "2026-W34-4", "date"),
    "other digits": ("date_of_issuance", "２０２６-08-20", "date"),
    "long ago": ("date_of_issuance", "1899-12-31", "date"),
    "stand-in date elsewhere": ("starting_date", "2500-01-01", "date"),
    "date as number": ("starting_date", 20260901, "type"),
    "end before start": ("ending_date", "2026-08-31", "order"),
    "expiry before issuance": ("date_of_expiry", "2026-08-19", "order"),
    "flag as text": ("transitional_rules", "true", "type"),
    "flag as number": ("provisional", 1, "type"),
    "text of exception without code 11": ("exception_description", "Art. 16", "depends"),
    "other legal category": ("attestation_legal_category", "QEAA", "code_list"),
    "no employer": ("employer", [], "items"),
    "employer as object": ("employer", {"type": "01"}, "type"),
    "too many employers": ("employer", [{}] * 51, "items"),
    "issuer as text": ("issuing_authority", "Urssaf", "type"),
    "unknown member": ("holder_colour", "red", "unknown_member"),
    "the person in the data": ("holder", {"family_name": "X"}, "unknown_member"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_fault_is_found_where_it_is(case: str) -> None:
    name, value, code = WRONG[case]
    assert problems("pda1-01", ["document_data", name], value) == [(f"/{name}", code)]


DEEP: dict[str, tuple[list[str | int], Any, str, str]] = {
    "employer without name": (["employer", 0, "name"], None, "/employer/0/name", "missing"),
    "employer as text": (["employer", 0], "Toitures", "/employer/0", "type"),
    "type of employment": (["employer", 0, "type"], "03", "/employer/0/type", "code_list"),
    "country of nowhere": (["employer", 0, "country"], "ZZ", "/employer/0/country", "code_list"),
    "registered address without town": (
        ["employer", 0, "address"],
        {"postal_code": "1"},
        "/employer/0/address/locality",
        "missing",
    ),
    "second employer twice": (
        ["employer", 1],
        {"type": "01", "id": "SIRET99999999900011", "name": "Toitures Rhône-Alpes SAS (fictive)", "country": "FR"},
        "/employer/1",
        "duplicate",
    ),
    "null employer": (["employer", 1], None, "/employer/1", "type"),
    "site outside the coordination": (["work_information", "work_address", 0, "country"], "US", f"{SITE}/country", "code_list"),
    "unknown member of a site": (["work_information", "work_address", 0, "floor"], "3", f"{SITE}/floor", "unknown_member"),
    "member name with slash": (["work_information", "work_address", 0, "a/b~c"], "3", f"{SITE}/a~1b~0c", "unknown_member"),
    "no fixed place in nowhere": (
        ["work_information", "no_fixed_place_of_work"],
        ["DE", "XX"],
        "/work_information/no_fixed_place_of_work/1",
        "code_list",
    ),
    "one no fixed place in nowhere": (
        ["work_information", "no_fixed_place_of_work"],
        "XX",
        "/work_information/no_fixed_place_of_work",
        "code_list",
    ),
    "no fixed place twice": (
        ["work_information", "no_fixed_place_of_work"],
        ["DE", "DE"],
        "/work_information/no_fixed_place_of_work/1",
        "duplicate",
    ),
    "institution without prefix": (["authentic_source", "id"], "7500001", "/authentic_source/id", "institution_id"),
    "institution with a blank": (["authentic_source", "id"], "FR: 7500001", "/authentic_source/id", "institution_id"),
    "institution too short": (["authentic_source", "id"], "FR:123", "/authentic_source/id", "institution_id"),
    "institution too long": (["authentic_source", "id"], "FR:12345678901", "/authentic_source/id", "institution_id"),
    "institution of another country": (["authentic_source", "id"], "DE:7500001", "/authentic_source/id", "contradiction"),
    "two issuing countries": (["issuing_authority", "country"], "DE", "/issuing_authority/country", "contradiction"),
    "wrong issuing country": (["issuing_authority", "country"], "ZZ", "/issuing_authority/country", "code_list"),
}


@pytest.mark.parametrize("case", DEEP)
def test_a_fault_deep_inside_is_found_where_it_is(case: str) -> None:
    path, value, pointer, code = DEEP[case]
    assert problems("pda1-01", ["document_data", *path], value) == [(pointer, code)]


@pytest.mark.parametrize(
    ("member", "value", "pointer", "code"),
    [
        ("family_name", None, "/identity/family_name", "missing"),
        ("given_name", "", "/identity/given_name", "length"),
        ("birth_date", "1988-02-30", "/identity/birth_date", "date"),
        ("nationality", ["FR", "ZZ"], "/identity/nationality/1", "code_list"),
        ("nationality", 5, "/identity/nationality", "type"),
        ("sex", "7", "/identity/sex", "code_list"),
        ("sex", True, "/identity/sex", "type"),
        ("birth_date_precision", "week", "/identity/birth_date_precision", "code_list"),
        ("shoe_size", "43", "/identity/shoe_size", "unknown_member"),
        ("authentic_source_person_id", "x" * 256, "/identity/authentic_source_person_id", "length"),
        ("authentic_source_person_id", "a\u202eb", "/identity/authentic_source_person_id", "characters"),
        ("schema", {"name": "a\x00"}, "/identity/schema/name", "characters"),
    ],
)
def test_the_identity_block_is_read_as_strictly(member: str, value: Any, pointer: str, code: str) -> None:
    assert problems("pda1-01", ["identity", member], value) == [(pointer, code)]


def test_a_wrong_issuing_country_is_one_problem_not_two() -> None:
    assert problems("ehic-01", ["document_data", "issuing_country"], "ZZ") == [("/issuing_country", "code_list")]


def test_members_that_only_find_the_person_may_be_of_any_kind() -> None:
    """They are kept, not read: numbers and switches in them are no fault."""
    entry = sample("pda1-01")
    identity = entry["identity"] | {"schema": {"version": 1, "current": True}, "email_address": None}
    assert catalogue.parse("pda1", entry["document_data"], identity=identity)


def test_an_identity_that_is_no_object_is_a_problem() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        catalogue.parse("pid", {}, identity=["Martin"])  # type: ignore[arg-type]  # what JSON may bring
    assert [problem.pointer for problem in caught.value.problems] == ["/identity"]


def test_spellings_and_helpers_of_the_identity_block() -> None:
    identity = sample("pda1-04")["identity"] | {
        "family_name_at_birth": "Δοκιμή",
        "given_name_birth": "Άννα",
        "nationality": "EL",
        "sex": 2,
    }
    holder = catalogue.parse("pid", {}, identity=identity).get("holder")
    assert holder["birth_family_name"] == "Δοκιμή"
    assert holder["birth_given_name"] == "Άννα"
    assert holder["nationality"] == ["GR"]
    assert holder["sex"] == "2"
    assert not {"latin", "schema", "authentic_source_person_id"} & holder.keys()


def test_all_problems_come_at_once() -> None:
    found = problems("pda1-01", ["document_data"], {"starting_date": "x", "employer": [{"type": "9"}], "zzz": 1})
    assert {pointer for pointer, _ in found} >= {
        "/zzz", "/personal_administrative_number", "/document_number", "/starting_date", "/ending_date", "/employer/0/type",
        "/employer/0/id", "/work_information", "/issuing_authority", "/authentic_source", "/issuing_country",
    }  # fmt: skip
    assert len(found) == len(set(found))


def test_problems_are_bounded() -> None:
    found = problems("pda1-01", ["document_data"], {f"x{number}": 1 for number in range(1000)})
    assert len(found) == MAX_PROBLEMS


def test_problems_never_repeat_a_value() -> None:
    entry = sample("pda1-01")
    secret = "Geheim\u202e"
    entry["document_data"] |= {"document_number": secret, "status_confirmation": secret, "starting_date": secret}
    entry["document_data"]["authentic_source"]["id"] = secret
    with pytest.raises(DocumentInvalid) as caught:
        catalogue.parse("pda1", entry["document_data"], identity=entry["identity"])
    told = [str(caught.value), *(f"{p.pointer} {p.code} {p.detail}" for p in caught.value.problems)]
    assert len(caught.value.problems) == 4
    assert not any("Geheim" in text for text in told)


def test_neither_place_of_work_is_a_problem() -> None:
    assert problems("pda1-01", ["document_data", "work_information"], {}) == [("/work_information", "alternative")]
    assert problems("pda1-01", ["document_data", "work_information"], None) == [("/work_information", "missing")]


@pytest.mark.parametrize("data", [None, [], "text", 7, True])
def test_data_that_is_no_object(data: Any) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        catalogue.parse("ehic", data)
    assert (caught.value.problems[0].pointer, caught.value.problems[0].code) == ("", "type")


def test_the_pid_needs_an_identity() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        catalogue.parse("pid", {})
    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [("/identity", "missing")]


def test_pid_dates_in_order() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        catalogue.parse(
            "pid",
            {"date_of_issuance": "2026-01-02", "date_of_expiry": "2026-01-01"},
            identity=sample("pda1-01")["identity"],
        )
    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [("/date_of_expiry", "order")]


def test_unknown_document_type() -> None:
    with pytest.raises(Refused, match="unknown_type"):
        catalogue.parse("s1", {})


@pytest.mark.parametrize("name", ["date_of_expiry", "starting_date", "ending_date"])
def test_an_ehic_always_states_its_dates(name: str) -> None:
    assert problems("ehic-01", ["document_data", name], None) == [(f"/{name}", "missing")]


def test_a_half_described_subject() -> None:
    assert problems("ehic-03", ["document_data", "subject"], {"forenames": "Ebba"}) == [
        ("/subject/familynames", "missing"),
        ("/subject/date_of_birth", "missing"),
    ]


def test_the_inner_form_of_an_a1() -> None:
    found = document(
        "pda1-04",
        issuing_country="EL",
        ending_date="2499-01-01",
        legislation_country="EL",
        personal_administrative_number=" 01078599999\u00a0",
        work_information={"no_fixed_place_of_work": "UK"},
        authentic_source={"id": "GR:101010", "name": "e-\u0395ΦΚΑ", "country": "GR"},
    )
    assert found.issuing_country == "GR"
    assert found.get("legislation_country") == "GR"
    assert found.get("ending_date") == "open"
    assert found.get("personal_administrative_number") == "01078599999"
    assert found.get("work_information", "no_fixed_place_of_work") == ["GB"]
    assert found.get("authentic_source") == {"id": "EL:101010", "name": "e-ΕΦΚΑ"}
    assert found.get("issuing_authority") == {"id": "EL:101010", "name": "e-ΕΦΚΑ (δοκιμή)"}
    assert found.get("attestation_legal_category") is None
    assert found.period.open_end
    assert found.period.end is None
    assert found.institution_ids == ("EL:101010",)


def test_text_is_nfc() -> None:
    decomposed = "Zu\u0308rich Bau"
    employer = [{"type": "01", "id": "X1", "name": decomposed, "country": "CH"}]
    assert document("pda1-06", employer=employer).get("employer", 0, "name") == "Zürich Bau"


def test_an_unstated_country_of_the_top_is_taken_from_the_issuer() -> None:
    assert document("pda1-01", issuing_country=None).issuing_country == "FR"
    assert document("ehic-01").issuing_country == "FR"


def test_the_extra_members_of_the_whole_form() -> None:
    found = document(
        "pda1-01",
        status_confirmation="11",
        exception_description="Agreement under Article 16",
        provisional=True,
        duration_of_activity=False,
        residence_address={"locality": "Lyon", "country": "FR"},
        stay_address={"locality": "Stuttgart", "country": "DE"},
        authentic_source={
            "id": "FR:7500001",
            "name": "Urssaf (test)",
            "country": "BE",
            "address": {"locality": "Paris"},
            "office_phone": "+33 1 00 00 00 00",
            "office_fax": "+33 1 00 00 00 01",
            "email": "a1@test.example",
        },
    )
    assert found.get("provisional") is True
    assert found.get("duration_of_activity") is False
    assert found.get("authentic_source", "country") == "BE"
    assert found.get("stay_address", "locality") == "Stuttgart"


def test_a_document_does_not_show_its_data() -> None:
    assert "MARTIN" not in repr(document("pda1-01"))


def test_to_json_is_a_copy() -> None:
    found = document("pda1-01")
    found.to_json()["employer"].clear()
    assert len(found.get("employer")) == 1
    assert found.get("employer", 7, "name") is None
    assert found.get("document_number", "x") is None
    assert found.get("issuing_country", 0) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"employer": []}, "pda1"),
        ({"work_information": {}}, "pda1"),
        ({"document_number": "1", "status_confirmation": "01"}, "pda1"),
        ({"date_of_expiry": "2026-01-01"}, "ehic"),
        ({"authentic_source": {}}, "ehic"),
    ],
)
def test_the_type_is_guessed_from_the_members(data: dict[str, Any], expected: str) -> None:
    assert catalogue.guess_type(data) == expected


@pytest.mark.parametrize("data", [{}, {"family_name": "X"}, None, [], "employer"])
def test_the_type_cannot_be_guessed_from_nothing(data: Any) -> None:
    with pytest.raises(Malformed, match="document_type_unclear"):
        catalogue.guess_type(data)


def test_samples_have_the_type_that_is_guessed() -> None:
    assert {id: catalogue.guess_type(entry["document_data"]) for id, entry in SAMPLES.items()} == {
        id: kind_of(id) for id in SAMPLES
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(["pda1", "ehic", "pid"]), _JSON, st.none() | st.dictionaries(st.text(max_size=10), _JSON, max_size=4))
def test_any_json_gives_a_document_or_our_error(kind: str, data: Any, identity: Any) -> None:
    try:
        found: Document | DocumentInvalid = catalogue.parse(kind, data, identity=identity)
    except DocumentInvalid as exc:
        found = exc
    assert isinstance(found, Document) or found.problems


@given(st.data())
def test_a_sample_with_any_member_replaced_gives_a_document_or_our_error(choice: st.DataObject) -> None:
    entry = sample(choice.draw(st.sampled_from(sorted(SAMPLES))))
    name = choice.draw(st.sampled_from(sorted(entry["document_data"])))
    entry["document_data"][name] = choice.draw(_JSON)
    try:
        told: Any = catalogue.parse(kind_of(entry["id"]), entry["document_data"], identity=entry["identity"]).to_json()
    except DocumentInvalid as exc:
        told = [problem.pointer for problem in exc.problems]
    assert json.loads(json.dumps(told)) == told
    assert told


def test_the_code_lists_are_those_of_the_form() -> None:
    lists = load("code-lists.json")
    assert {row["code"]: row["title"] for row in lists["status_confirmation"]} == codes.STATUS_CONFIRMATION
    assert lists["employment_type"] == codes.EMPLOYMENT
    assert lists["id_type"] == codes.ID_TYPE
    assert lists["sex_iso5218"].items() <= codes.SEX.items()
    assert set(lists["pda1_states_iso"]) == country.STATES
    assert lists["ehic_iso_numeric"] == country.ISO_NUMERIC
    assert lists["open_end_sentinel"] == calendar.OPEN_END
    assert all(country.to_iso(theirs) == iso for theirs, iso in lists["country_aliases"]["to_iso"].items())
