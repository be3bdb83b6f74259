"""The story's bookkeeping: what counts as expected, and that a failing step neither stops nor passes."""

from datetime import date, timedelta
from typing import Any, cast

import pytest

from demo import documents, story
from demo.state import DemoError
from demo.story import Row, Stage, Step, told
from vc.documents import catalogue
from vc.errors import Unreachable

TODAY = date(2026, 11, 24)


def check(id: str, result: str) -> dict[str, str]:
    return {"id": id, "result": result, "detail": ""}


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        ({"outcome": "accept", "checks": [check("status", "passed")], "reasons": []}, "accept"),
        ({"outcome": "accept-with-warning", "checks": [], "reasons": [{"code": "status_from_cache"}]}, "accept-with-warning"),
        (
            {"outcome": "reject", "checks": [check("status", "failed"), check("pid.status", "failed")], "reasons": []},
            "reject: status",
        ),
        (
            {
                "outcome": "undetermined",
                "checks": [check("trust_listed", "not_checked")],
                "reasons": [{"code": "trust_list_expired"}],
            },
            "undetermined: trust_list_expired",
        ),
    ],
    ids=["accept", "warning", "reject-names-checks-once", "undetermined-names-reasons"],
)
def test_a_verdict_in_one_line(verdict: dict[str, Any], line: str) -> None:
    assert told(verdict) == line


def test_a_failing_step_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_: Stage) -> str:
        raise Unreachable("timeout", "no answer in time")

    def broken(_: Stage) -> str:
        raise DemoError("the verifier has no verdict")

    steps = (
        Step(name="one", expected="accept", act=unreachable),
        Step(name="two", expected="accept", act=broken),
        Step(name="three", expected="accept", act=lambda _: "accept"),
    )
    monkeypatch.setattr(story, "STEPS", steps)
    rows = list(story.play(cast(Stage, None)))
    assert [(row.step, row.got, row.as_expected) for row in rows] == [
        ("one", "failed: timeout: no answer in time", False),
        ("two", "failed: the verifier has no verdict", False),
        ("three", "accept", True),
    ]


def test_a_row_differs_unless_it_says_the_same() -> None:
    assert not Row(step="s", expected="reject: status", got="reject: status, period", ms=1).as_expected


def test_every_refusal_of_the_issue_is_in_the_story() -> None:
    told_of = {step.name: step.expected for step in story.STEPS}
    for name in (
        "revoked A1",
        "host country not covered",
        "day after the end",
        "issuer removed from the list",
        "altered disclosure",
    ):
        assert told_of[name].startswith("reject: "), name
    assert told_of["replay"].startswith("reject: ")
    assert told_of["list server down, last list has run out"].startswith("undetermined")


@pytest.mark.parametrize("today", [TODAY, date(2028, 2, 29), date(2027, 1, 1)])
def test_the_samples_keep_the_rules_of_their_type_on_any_day(today: date) -> None:
    for submission in (documents.pda1(today), documents.ehic(today)):
        data = submission["document_data"]
        document_type = catalogue.guess_type(data)
        parsed = catalogue.parse(document_type, data, identity=submission["identity"])
        assert parsed.issuing_country == "FR"
        assert data["ending_date"] == (today + timedelta(days=120)).isoformat()
