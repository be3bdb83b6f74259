"""Is the person of the PID the person of the document: names as offices write them, dates known in part, representation."""

from typing import Any

import pytest

from tests.support.documents import document, profile, sample
from vc.documents import catalogue
from vc.documents.document import compare_identity
from vc.documents.model import Document
from vc.documents.names import Likeness, compare
from vc.documents.outcome import Outcome

SAME = [
    ("Müller", "MUELLER"),
    ("Müller", "Muller"),
    ("Groß-Weißenfels", "GROSS WEISSENFELS"),
    ("Jürgen Hans-Günther", "JUERGEN HANS GUENTHER"),
    ("Sørensen", "Soerensen"),
    ("Sørensen", "Sorensen"),
    ("Åse", "Aase"),
    ("Åse", "Ase"),
    ("Bjørn Ærø", "Bjorn Aero"),
    ("O’Connor-Smythe", "OCONNOR SMYTHE"),
    ("O'Connor", "O´Connor"),
    ("Ó Súilleabháin", "O Suilleabhain"),
    ("Van den Bossche", "VANDENBOSSCHE"),
    ("Łukasz Świętosław", "LUKASZ SWIETOSLAW"),
    ("Ibáñez Núñez", "IBANEZ NUNEZ"),
    ("Þórður", "Thordur"),
    ("Đorđe", "Dorde"),
    ("Yıldız", "YILDIZ"),
    ("Lefe\u0300vre", "Lefèvre"),
    ("Παπαδοπούλου", "ΠΑΠΑΔΟΠΟΥΛΟΥ"),
    ("Ελένης", "ΕΛΕΝΗΣ"),
    ("Анна", "АННА"),
    ("გიორგი", "გიორგი"),
    ("St. Clair", "St Clair"),
]
PART = [
    ("Jürgen", "Jürgen Hans-Günther"),
    ("Van den Bossche-Lefèvre", "Lefevre"),
    ("Wolfeschlegelsteinhausen-Bergerdorff von", "Wolfeschlegelsteinhausen-Bergerdorff von Hohentwiel"),
    ("Maximiliane Theresia Sidonie Walpur", "Maximiliane Theresia Sidonie Walpurga Anna"),
]
OTHER_SCRIPT = [
    ("Παπαδοπούλου", "Papadopoulou"),
    ("Анна", "Anna"),
    ("Pаul", "Paul"),  # the first with a Cyrillic letter
    ("Pаul", "Pаula"),
    ("გიორგი", "Giorgi"),
    ("გიორგი", "ნინო"),
    ("!!", "Paul"),
]
DIFFERENT = [("Müller", "Möller"), ("Martin", "Martinez"), ("Anna", "Hanna"), ("J", "Jürgen"), ("Anna Maria", "Anna Elise")]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(*pair, likeness) for pairs, likeness in (
        (SAME, Likeness.SAME), (PART, Likeness.PART), (OTHER_SCRIPT, Likeness.OTHER_SCRIPT), (DIFFERENT, Likeness.DIFFERENT),
    ) for pair in pairs],
)  # fmt: skip
def test_names(one: str, other: str, expected: Likeness) -> None:
    assert compare(one, other) is expected
    assert compare(other, one) is expected


HOLDER = {"family_name": "Groß-Weißenfels", "given_name": "Jürgen", "birth_date": "1970-12-24"}


def pid(**changes: Any) -> Document:
    return Document(type="pid", data={"holder": {name: value for name, value in (HOLDER | changes).items() if value is not None}})


def mdoc_a1(**changes: Any) -> Document:
    return Document(type="pda1", data={"holder": {name: value for name, value in (HOLDER | changes).items() if value is not None}})


CASES: dict[str, tuple[Document, Document, str, str | None, str]] = {
    "the same": (pid(), mdoc_a1(), "passed", None, ""),
    "written otherwise": (pid(family_name="GROSS WEISSENFELS"), mdoc_a1(given_name="JUERGEN"), "passed", None, ""),
    "other surname": (pid(family_name="Klein"), mdoc_a1(), "failed", "identity_mismatch", "surname"),
    "other forenames": (pid(given_name="Uwe"), mdoc_a1(), "failed", "identity_mismatch", "forenames"),
    "other day of birth": (pid(birth_date="1970-12-25"), mdoc_a1(), "failed", "identity_mismatch", "date of birth"),
    "all different": (
        pid(family_name="Klein", given_name="Uwe", birth_date="1971-12-24"), mdoc_a1(), "failed", "identity_mismatch",
        "surname and forenames and date of birth",
    ),
    "one forename": (pid(given_name="Jürgen Hans"), mdoc_a1(), "failed", "identity_partly", ""),
    "other script": (pid(family_name="Παπά"), mdoc_a1(), "not_checked", "identity_other_script", ""),
    "other script and other day": (
        pid(family_name="Παπά", birth_date="1970-12-25"), mdoc_a1(), "failed", "identity_mismatch", "date of birth",
    ),
    "year known, same date": (pid(), mdoc_a1(birth_date_precision="year"), "passed", None, ""),
    "year known, other day": (
        pid(birth_date="1970-03-05"), mdoc_a1(birth_date="1970-01-01", birth_date_precision="year"), "not_checked",
        "identity_birth_date_in_part", "",
    ),
    "year known in the PID": (
        pid(birth_date="1970-01-01", birth_date_precision="year"), mdoc_a1(), "not_checked", "identity_birth_date_in_part", "",
    ),
    "year known, other year": (
        pid(birth_date="1971-01-01"), mdoc_a1(birth_date="1970-01-01", birth_date_precision="year"), "failed", "identity_mismatch",
        "date of birth",
    ),
    "month known, other month": (
        pid(birth_date="1970-11-01"), mdoc_a1(birth_date_precision="month"), "failed", "identity_mismatch", "date of birth",
    ),
    "month known, other day": (
        pid(birth_date="1970-12-01"), mdoc_a1(birth_date_precision="month"), "not_checked", "identity_birth_date_in_part", "",
    ),
    "no names in the document": (pid(), Document(type="pda1", data={}), "not_checked", None, ""),
    "no names in the PID": (pid(family_name=None), mdoc_a1(), "not_checked", "identity_not_shown", ""),
    "no birth date in the PID": (pid(birth_date=None), mdoc_a1(), "not_checked", "identity_not_shown", ""),
    "only the surname in the document": (
        pid(birth_date=None, given_name=None), mdoc_a1(given_name=None, birth_date=None), "passed", None, "",
    ),
}  # fmt: skip

OUTCOMES = {
    "identity_mismatch": Outcome.REJECT,
    "identity_partly": Outcome.REVIEW,
    "identity_other_script": Outcome.REVIEW,
    "identity_birth_date_in_part": Outcome.REVIEW,
    "identity_not_shown": Outcome.REVIEW,
}


@pytest.mark.parametrize("case", CASES)
def test_compare_identity(case: str) -> None:
    identity, one, result, code, what = CASES[case]
    found = compare_identity(identity, one)
    assert (found.id, str(found.result), found.finding.code if found.finding else None) == ("identity", result, code)
    if found.finding:
        assert found.finding.outcome is OUTCOMES[found.finding.code]
        assert what in found.finding.text


def test_nothing_of_the_person_is_repeated() -> None:
    for identity, one, *_ in CASES.values():
        text = repr(compare_identity(identity, one))
        assert not any(value in text for value in ("Groß", "GROSS", "Jürgen", "Klein", "Uwe", "1970", "1971"))


def of(id: str) -> Document:
    return catalogue.parse("pid", {}, identity=sample(id)["identity"])


@pytest.mark.parametrize("shape", ["dc4eu-2", "eudi-py-mdoc"])
def test_in_representation_the_person_entitled_is_not_compared(shape: str) -> None:
    """The PID is the parent's, the card is the child's (DOMAIN 6.2 rule 5)."""
    found_shape = profile("ehic", shape)
    card = found_shape.normalise(found_shape.project(document("ehic-03")))
    found = compare_identity(of("ehic-03"), card)
    assert (str(found.result), found.finding) == ("passed" if shape == "eudi-py-mdoc" else "not_checked", None)
    assert found.detail.endswith("the person entitled is another one and was not compared")


@pytest.mark.parametrize("id", ["pda1-02", "pda1-04", "pda1-06", "pda1-12"])
def test_the_samples_agree_with_their_own_pid(id: str) -> None:
    shape = profile("pda1", "eudi-py-mdoc")
    assert str(compare_identity(of(id), shape.normalise(shape.project(document(id)))).result) == "passed"


def test_the_birth_date_known_by_year_agrees_with_itself() -> None:
    shape = profile("ehic", "eudi-py-mdoc")
    card = shape.normalise(shape.project(document("ehic-08")))
    assert card.get("holder", "birth_date_precision") == "year"
    assert str(compare_identity(of("ehic-08"), card).result) == "passed"


def test_two_persons() -> None:
    shape = profile("pda1", "eudi-py-mdoc")
    found = compare_identity(of("pda1-02"), shape.normalise(shape.project(document("pda1-01"))))
    assert found.finding is not None
    assert found.finding.outcome is Outcome.REJECT
