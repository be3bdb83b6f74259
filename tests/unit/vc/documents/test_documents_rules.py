"""The document rules: every sample's expected outcome, and for each rule the cases on both sides of its line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.documents import SAMPLES, control, document, kind_of, load, sample
from vc.documents import catalogue
from vc.documents.model import Document, Problem
from vc.documents.outcome import Outcome, Result, RuleResult, combine
from vc.documents.rules import Assessment, Control

STATUS_MATTER = {"ehic-10"}  # revoked: the document itself is in order, the status list says no
CHECKS = [(id, check) for id, entry in SAMPLES.items() for check in entry["checks"]]


def assess(one: Document, at: Control) -> Assessment:
    return catalogue.DOCUMENT_TYPES[one.type].assess(one, at)


def rule(found: Assessment, id: str) -> RuleResult:
    return next(result for result in found.results if result.id == id)


def answer(one: Document, id: str, at: Control | None = None) -> tuple[str, str | None]:
    """Result of one rule and the code of its finding."""
    found = rule(assess(one, at or control()), id)
    return str(found.result), found.finding.code if found.finding else None


def a1(**data: Any) -> Document:
    return Document(type="pda1", data=data)


@pytest.mark.parametrize(("id", "check"), CHECKS, ids=[f"{id}-{check['reason'][:30]}" for id, check in CHECKS])
def test_every_sample_has_its_expected_outcome(id: str, check: dict[str, str]) -> None:
    day = check.get("inspection_date") or check["treatment_date"]
    place = check.get("host_country") or check["treating_country"]
    outcome = assess(document(id), control(day, place)).outcome
    assert outcome == ("accept" if id in STATUS_MATTER else check["expected"])


def test_the_samples_are_all_there() -> None:
    assert len(CHECKS) == sum(len(entry["checks"]) for kind in ("pda1", "ehic") for entry in load(f"{kind}-samples.json")) > 20


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-08-31", ("failed", "before_period")),
        ("2026-09-01", ("passed", None)),
        ("2027-02-28", ("passed", None)),
        ("2027-03-01", ("failed", "after_period")),
    ],
)
def test_period(day: str, expected: tuple[str, str | None]) -> None:
    assert answer(document("pda1-01"), "period", control(day)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ("not_checked", "period_unknown")),
        ({"starting_date": "2026-01-01"}, ("not_checked", "period_unknown")),
        ({"ending_date": "2027-01-01"}, ("not_checked", "period_unknown")),
        ({"ending_date": "open"}, ("not_checked", "period_unknown")),
        ({"starting_date": "2026-12-01"}, ("failed", "before_period")),
        ({"ending_date": "2026-01-01"}, ("failed", "after_period")),
        ({"starting_date": "2026-01-01", "ending_date": "open"}, ("passed", None)),
    ],
)
def test_period_as_far_as_it_is_shown(data: dict[str, str], expected: tuple[str, str | None]) -> None:
    assert answer(a1(**data), "period") == expected


def test_a_period_that_is_not_shown_cannot_be_accepted() -> None:
    assert assess(a1(), control()).outcome is Outcome.UNDETERMINED


def test_an_open_end_is_never_shown_as_a_date() -> None:
    found = assess(document("pda1-09"), control("2031-05-05", "LU"))
    assert rule(found, "period").detail == "the day lies in the period, which has no end date"
    assert "2499" not in repr(found) + repr(document("pda1-09").to_json())


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, "host_not_listed" if code in ("01", "03") else "host_not_listed_maybe") for code in [f"{n:02}" for n in range(1, 13)]],
)
def test_a_host_country_that_is_not_listed(code: str, expected: str) -> None:
    one = a1(status_confirmation=code, legislation_country="FR", work_information={"work_address": [{"country": "DE"}]})
    assert answer(one, "host_country", control(country="AT")) == ("failed", expected)
    assert answer(one, "host_country", control(country="DE")) == ("passed", None)
    outcome = Outcome.REJECT if expected == "host_not_listed" else Outcome.REVIEW
    finding = rule(assess(one, control(country="AT")), "host_country").finding
    assert finding is not None
    assert finding.outcome is outcome
    assert "Austria" in finding.text


@pytest.mark.parametrize(
    ("data", "country", "expected"),
    [
        ({"no_fixed_place_of_work": ["DE", "AT"]}, "AT", ("passed", None)),
        ({"no_fixed_place_of_work": ["DE"], "work_address": [{"country": "CZ"}]}, "CZ", ("passed", None)),
        ({"work_address": [{"country": "CZ"}, {"locality": "Wien"}]}, "AT", ("not_checked", "places_unknown")),
        ({"work_address": [{"country": "CZ"}, {"locality": "Wien"}]}, "CZ", ("passed", None)),
        ({}, "AT", ("not_checked", "places_unknown")),
        ({"work_address": [{"country": "CZ"}]}, None, ("not_checked", None)),
        ({"work_address": [{"country": "CZ"}]}, "FR", ("not_checked", None)),
    ],
)
def test_host_country(data: dict[str, Any], country: str | None, expected: tuple[str, str | None]) -> None:
    one = a1(status_confirmation="01", legislation_country="FR", work_information=data)
    assert answer(one, "host_country", control(country=country)) == expected


@pytest.mark.parametrize("code", ["unreadable", "elements", "contradiction"])
def test_a_list_that_could_not_be_read_to_the_end_lacks_nothing(code: str) -> None:
    note = Problem(pointer="/work_information", code=code, detail="")
    one = Document(
        type="pda1",
        data={"status_confirmation": "01", "work_information": {"no_fixed_place_of_work": ["DE"]}},
        notes=(note,),
    )
    assert answer(one, "host_country", control(country="AT")) == ("not_checked", "places_unknown")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("contradiction", ("failed", "document_contradicts_itself")),
        ("unreadable", ("failed", "document_partly_unreadable")),
        ("elements", ("failed", "document_partly_unreadable")),
        ("spelling", ("passed", None)),
        ("country_spelling", ("passed", None)),
    ],
)
@pytest.mark.parametrize("kind", ["pda1", "ehic", "pid"])
def test_readable(kind: str, code: str, expected: tuple[str, str | None]) -> None:
    one = Document(type=kind, data={}, notes=(Problem(pointer="/x", code=code, detail=""),))
    assert answer(one, "readable") == expected


def test_home_country() -> None:
    one = document("pda1-01")
    assert answer(one, "home_country", control(country="FR")) == ("passed", "a1_not_needed")
    assert answer(one, "home_country", control(country="DE")) == ("passed", None)
    assert answer(one, "home_country", control(country=None)) == ("not_checked", None)
    assert answer(a1(), "home_country") == ("not_checked", None)
    assert assess(one, control(country="FR")).outcome is Outcome.ACCEPT


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"legislation_country": "FR", "issuing_country": "FR"}, ("passed", None)),
        ({"legislation_country": "FR", "issuing_country": "BE"}, ("failed", "legislation_not_of_issuer")),
        ({"legislation_country": "FR"}, ("not_checked", None)),
        ({"issuing_country": "FR"}, ("not_checked", None)),
    ],
)
def test_legislation_of_issuer(data: dict[str, str], expected: tuple[str, str | None]) -> None:
    assert answer(a1(**data), "legislation_of_issuer") == expected


@pytest.mark.parametrize(
    ("code", "start", "end", "expected"),
    [
        ("01", "2026-09-01", "2028-08-31", ("passed", None)),
        ("01", "2026-09-01", "2028-09-01", ("failed", "posting_over_24_months")),
        ("03", "2024-02-29", "2026-02-27", ("passed", None)),
        ("03", "2024-02-29", "2026-02-28", ("failed", "posting_over_24_months")),
        ("01", "2026-09-01", "open", ("failed", "posting_over_24_months")),
        ("01", "2026-09-01", None, ("not_checked", None)),
        ("01", None, "2026-09-01", ("not_checked", None)),
        ("05", "2026-09-01", "2036-09-01", ("not_checked", None)),
        ("11", "2026-09-01", "2031-09-01", ("not_checked", None)),
    ],
)
def test_posting_length(code: str, start: str | None, end: str | None, expected: tuple[str, str | None]) -> None:
    stated = {"status_confirmation": code, "starting_date": start, "ending_date": end}
    assert answer(a1(**{name: value for name, value in stated.items() if value}), "posting_length") == expected


def test_a_long_posting_is_a_warning_only() -> None:
    found = assess(document("pda1-01", ending_date="2029-02-28"), control())
    assert found.outcome is Outcome.ACCEPT_WITH_WARNING


@pytest.mark.parametrize(
    ("code", "legislation", "bases", "expected"),
    [
        ("07", "GR", ["GR"], ("passed", None)),
        ("07", "GR", ["EL"], ("passed", None)),
        ("07", "GR", ["MT"], ("failed", "flag_differs")),
        ("07", "GR", ["PA"], ("failed", "flag_differs")),
        ("10", "IE", ["IE - Dublin"], ("passed", None)),
        ("10", "IE", ["IE - Dublin", "ES - Málaga"], ("failed", "base_differs")),
        ("10", "IE", ["Dublin"], ("not_checked", None)),
        ("10", "IE", ["IEx"], ("not_checked", None)),
        ("10", "IE", [], ("not_checked", None)),
        ("10", None, ["IE"], ("not_checked", None)),
        ("01", "IE", ["ES"], ("not_checked", None)),
    ],
)
def test_situation(code: str, legislation: str | None, bases: list[str], expected: tuple[str, str | None]) -> None:
    places = [{"country": "ES"}, *({"flag_base_home": base} for base in bases)]
    data: dict[str, Any] = {"status_confirmation": code, "work_information": {"work_address": places}}
    if legislation:
        data["legislation_country"] = legislation
    assert answer(a1(**data), "situation") == expected


def test_provisional() -> None:
    assert answer(a1(provisional=True), "provisional") == ("passed", "provisional")
    assert answer(a1(provisional=False), "provisional") == ("passed", None)
    assert answer(a1(), "provisional") == ("not_checked", None)
    assert assess(document("pda1-01", provisional=True), control()).outcome is Outcome.ACCEPT_WITH_WARNING


@pytest.mark.parametrize(
    ("legislation", "host", "expected"),
    [
        ("GB", "FR", "basis_eu_uk"),
        ("FR", "GB", "basis_eu_uk"),
        ("GB", "CH", "basis_eu_uk"),
        ("CH", "FR", "basis_switzerland"),
        ("FR", "CH", "basis_switzerland"),
        ("NO", "FR", "basis_eea"),
        ("FR", "IS", "basis_eea"),
        ("FR", "DE", None),
        ("FR", None, None),
    ],
)
def test_legal_basis(legislation: str, host: str | None, expected: str | None) -> None:
    assert answer(a1(legislation_country=legislation), "legal_basis", control(country=host)) == ("passed", expected)


def test_numbers() -> None:
    one = document("pda1-01")
    assert answer(one, "numbers") == ("passed", None)
    for name in ("document_number", "personal_administrative_number"):
        hidden = Document(type="pda1", data={key: value for key, value in one.data.items() if key != name})
        assert answer(hidden, "numbers") == ("not_checked", "numbers_not_shown")
        assert assess(hidden, control()).outcome is Outcome.ACCEPT


# --- EHIC


def card(**data: Any) -> Document:
    return Document(type="ehic", data=data)


def test_card_expiry() -> None:
    one = document("ehic-01", ending_date="2030-01-01")
    assert answer(one, "card_expiry", control("2028-02-29")) == ("passed", None)
    assert answer(one, "card_expiry", control("2028-03-01")) == ("failed", "card_expired")
    assert answer(card(), "card_expiry") == ("not_checked", None)
    assert assess(one, control("2028-03-01")).outcome is Outcome.REJECT


def test_the_treating_country() -> None:
    one = document("ehic-01")
    assert answer(one, "other_country", control(country="FR")) == ("failed", "national_scheme")
    assert answer(one, "other_country", control(country="IT")) == ("passed", None)
    assert answer(one, "other_country", control(country=None)) == ("not_checked", None)
    assert answer(card(), "other_country") == ("not_checked", None)
    assert answer(one, "coordination_country", control(country="US")) == ("failed", "outside_territory")
    assert answer(one, "coordination_country", control(country="GB")) == ("passed", None)
    assert answer(one, "coordination_country", control(country=None)) == ("not_checked", None)


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("80250000019900000101", "FR", ("passed", None)),
        ("80 250 00001 9900000101", "FR", ("passed", None)),
        ("80246000019900000101", "FR", ("failed", "card_number_unusual")),
        ("90250000019900000101", "FR", ("failed", "card_number_unusual")),
        ("8025000001990000010", "FR", ("failed", "card_number_unusual")),
        ("80999000019900000101", None, ("passed", None)),
        (None, "FR", ("not_checked", None)),
    ],
)
def test_card_number(number: str | None, country: str | None, expected: tuple[str, str | None]) -> None:
    stated = {"document_number": number, "issuing_country": country}
    assert answer(card(**{name: value for name, value in stated.items() if value}), "card_number") == expected


@pytest.mark.parametrize("path", [("authentic_source", "id"), ("document_number",), ("personal_administrative_number",)])
def test_reimbursement(path: tuple[str, ...]) -> None:
    data = document("ehic-01").to_json()
    assert answer(card(**data), "reimbursement") == ("passed", None)
    (data[path[0]] if len(path) == 2 else data).pop(path[-1])
    assert answer(card(**data), "reimbursement") == ("failed", "reimbursement_data_missing")
    assert assess(card(**data), control()).outcome is Outcome.ACCEPT_WITH_WARNING


def test_representation() -> None:
    assert answer(document("ehic-03"), "representation") == ("passed", "representation")
    assert answer(document("ehic-01"), "representation") == ("passed", None)


def test_a_retrospective_check_holds_although_the_cover_has_ended() -> None:
    late = Control(on=control("2026-06-15").on, country="DE", now=datetime(2027, 3, 1, tzinfo=UTC))
    assert assess(document("ehic-05"), late).outcome is Outcome.ACCEPT


def test_an_expired_pid() -> None:
    identity = sample("pda1-01")["identity"]
    one = catalogue.parse("pid", {"date_of_expiry": "2026-10-14"}, identity=identity)
    assert answer(one, "pid_expiry") == ("failed", "pid_expired")
    assert answer(catalogue.parse("pid", {"date_of_expiry": "2026-10-15"}, identity=identity), "pid_expiry") == ("passed", None)
    assert answer(catalogue.parse("pid", {}, identity=identity), "pid_expiry") == ("not_checked", None)


# --- words


@pytest.mark.parametrize("kind", ["pda1", "ehic", "pid"])
def test_every_reason_has_its_words(kind: str) -> None:
    declared = catalogue.DOCUMENT_TYPES[kind]
    assert len({entry.id for entry in declared.rules}) == len(declared.rules)
    for code, wording in declared.wordings.items():
        assert code.isascii()
        assert wording.text.endswith(".")
        assert wording.next.endswith(".")
        assert "wrong" not in wording.text + wording.next  # an A1 binds until its issuer withdraws it


def test_a_finding_names_its_check_and_fills_its_words() -> None:
    found = assess(document("pda1-01"), control("2027-03-01", "AT"))
    assert [(finding.code, finding.check) for finding in found.findings] == [
        ("after_period", "period"),
        ("host_not_listed", "host_country"),
    ]
    assert found.findings[0].text == "The document does not cover 1 March 2027: its period ended on 28 February 2027."
    assert not any("{" in finding.text + finding.next for finding in found.findings)


def test_findings_hold_no_personal_data() -> None:
    for id in SAMPLES:
        text = repr(assess(document(id), control("2035-01-01", "US")))
        told = [SAMPLES[id]["identity"]["family_name"], SAMPLES[id]["document_data"]["document_number"]]
        assert not any(value in text for value in told), kind_of(id)


def test_combine() -> None:
    order = ["accept", "accept-with-warning", "review", "undetermined", "refresh", "reject"]
    assert [str(outcome) for outcome in Outcome] == order
    for place, outcome in enumerate(order):
        assert combine([Outcome(name) for name in order[: place + 1]]) == outcome
    assert combine([]) is Outcome.UNDETERMINED


def test_nothing_looked_at_is_not_accepted() -> None:
    nothing = RuleResult(id="x", result=Result.NOT_CHECKED, detail="")
    assert Assessment(results=(nothing,)).outcome is Outcome.UNDETERMINED
