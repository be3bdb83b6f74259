"""The table of claims: each row points where a PID really has the value, and the question asks for exactly the rows chosen."""

from typing import Any

import pytest

from vc.documents.catalogue import DOCUMENT_TYPES
from vc.openid4vp import dcql
from verifier.openid_provider.claims import CLAIMS, purpose, purpose_of, values
from verifier.purposes import FORMATS, PURPOSES, Format

HOLDER = {"family_name": "MARTIN", "given_name": "Camille", "birth_date": "1988-04-17", "nationality": ["FR"]}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", CLAIMS)
def test_a_row_names_the_place_the_pid_has(name: str, form: Format) -> None:
    profile = next(one for one in DOCUMENT_TYPES["pid"].profiles if one.format == form)
    path, fact = CLAIMS[name].path(form), CLAIMS[name].fact
    found = [slot.fact[: len(fact)] for slot in profile.slots if slot.at[: len(path)] == path]

    assert found == [fact]


def test_what_every_pid_has_is_what_the_pid_demands() -> None:
    mandatory = {slot.fact for slot in DOCUMENT_TYPES["pid"].profiles[0].slots if slot.mandatory}

    assert {claim.fact for claim in CLAIMS.values() if claim.always} == mandatory


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        (["family_name", "birthdate"], 1),
        (["family_name", "nationalities"], 2),
        (["personal_administrative_number"], 1),
        (list(CLAIMS), 2),
    ],
)
def test_a_question_asks_for_the_claims_and_nothing_else(names: list[str], sets: int) -> None:
    made = purpose(names)
    query = dcql.parse(made.to_dcql())

    assert made.roles == ("document",)
    assert len(query.credentials) == 2
    for ask in made.asks():
        assert ask.claims == tuple(CLAIMS[name].path(ask.format) for name in names)
        assert len(ask.alternatives) == sets
    assert purpose_of(made.id) == made


def test_other_purposes_stay_what_they_are() -> None:
    assert purpose_of("a1-inspection") is PURPOSES["a1-inspection"]
    assert PURPOSES["a1-inspection"].roles == ("pid", "document")


@pytest.mark.parametrize(("precision", "told"), [(None, "1988-04-17"), ("day", "1988-04-17"), ("month", "1988"), ("year", "1988")])
def test_a_birth_date_known_in_part_is_not_completed(precision: str | None, told: str) -> None:
    """OpenID Connect Core 1.0 §5.1: the year alone is allowed."""
    holder: dict[str, Any] = {**HOLDER, **({} if precision is None else {"birth_date_precision": precision})}

    assert values({"holder": holder}, ["birthdate"]) == {"birthdate": told}


def test_only_the_named_claims_leave_a_document() -> None:
    document = {"holder": HOLDER, "document_number": "1", "personal_administrative_number": "2"}

    assert values(document, ["nationalities", "personal_administrative_number", "birth_family_name"]) == {
        "nationalities": ["FR"], "personal_administrative_number": "2",
    }  # fmt: skip
    assert values({}, ["family_name", "birthdate"]) == {}
