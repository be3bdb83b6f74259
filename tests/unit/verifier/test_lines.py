"""Questions from options and lines; many artefacts in one run, each with its own verdict, in order (R-17)."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.support.pki import NOW
from vc.encoding import json
from vc.formats import Challenge, TranscriptChallenge
from verifier import checks
from verifier.bare import Case
from verifier.lines import MAX_LINE, Asked, instant, verdicts
from verifier.question import QuestionInvalid
from verifier.verdict import Verdict

LATE = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)


def test_the_day_is_that_of_the_host_country_at_the_time_judged() -> None:
    assert Asked(host_country="GR").case(b"", LATE).on == date(2026, 11, 25)
    assert Asked(host_country="GR", at="2026-06-30T21:30:00Z").case(b"", LATE).on == date(2026, 7, 1)
    assert Asked(host_country="GR", on="2026-01-02").case(b"", LATE).on == date(2026, 1, 2)
    assert Asked().case(b"", LATE).on == date(2026, 11, 24)


def test_a_question_becomes_values() -> None:
    case = Asked(purpose="a1-inspection", host_country="UK", nonce="n", audience="a").case(b"x", NOW)

    assert case.purpose is not None
    assert case.purpose.id == "a1-inspection"
    assert case.country == "GB"
    assert case.now == NOW
    assert case.challenge == Challenge(nonce="n", audience="a", response_uri="")
    assert Asked(transcript="83f6f6").case(b"x", NOW).challenge == TranscriptChallenge(bytes.fromhex("83f6f6"))
    assert Asked().case(b"x", NOW).challenge is None


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(purpose="tax"), "unknown_purpose"),
        (Asked(host_country="US"), "unknown_country"),
        (Asked(on="1 May"), "invalid_date"),
        (Asked(at="yesterday"), "invalid_time"),
        (Asked(at="2026-11-24T12:00:00"), "invalid_time"),
        (Asked(at="9" * 30), "invalid_time"),
        (Asked(nonce="n"), "invalid_challenge"),
        (Asked(audience="a"), "invalid_challenge"),
        (Asked(nonce="", audience="a"), "invalid_challenge"),
        (Asked(nonce="n", audience=""), "invalid_challenge"),
        (Asked(transcript="xyz"), "invalid_challenge"),
        (Asked(transcript="83", nonce="n", audience="a"), "invalid_challenge"),
    ],
)
def test_a_question_that_cannot_be_understood_names_what(asked: Asked, code: str) -> None:
    """R-8: half an expectation is none."""
    with pytest.raises(QuestionInvalid) as caught:
        asked.case(b"", NOW)

    assert caught.value.code == code


@pytest.mark.parametrize("text", ["2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00Z", "2026-11-24T12:00:00.9Z", "1795521600"])
def test_times_are_whole_seconds_of_utc(text: str) -> None:
    assert instant(text) == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def run(lines: bytes, **asked: str) -> tuple[list[dict[str, Any]], list[Case]]:
    """The output values, and the cases that reached the check; the check itself calls everything revoked."""
    seen: list[Case] = []

    def check(case: Case) -> Verdict:
        seen.append(case)
        return checks.refused("status", "revoked", "by the test")

    out = verdicts(io.BytesIO(lines), asked=Asked(**asked), check=check, clock=lambda: NOW)
    return [json.loads(line) for line in out], seen


def test_each_line_has_a_verdict_in_order_and_may_ask_its_own_question() -> None:
    lines = (
        b'{"name":"a","artefact":"one","host_country":"DE"}\n'
        b"\n"
        b'{"name":"b","artefact":"two","on":"2026-01-01","at":"2026-01-02T00:00:00Z","nonce":"n","audience":"x"}\n'
        b'{"artefact":"three"}'
    )

    out, seen = run(lines, host_country="FR")

    assert [line["name"] for line in out] == ["a", "b", None]
    assert [case.artefact for case in seen] == [b"one", b"two", b"three"]
    assert [case.country for case in seen] == ["DE", "FR", "FR"]
    assert seen[1].on == date(2026, 1, 1)
    assert seen[1].now == datetime(2026, 1, 2, tzinfo=UTC)
    assert seen[1].challenge is not None
    assert seen[2].challenge is None
    assert all(line["outcome"] == "reject" for line in out)


HOSTILE = [
    b"junk",
    b"[]",
    b"{}",
    b'{"artefact":1}',
    b'{"artefact":"x","artefact":"y"}',
    b'{"artefact":"x","purpose":{}}',
    b'{"artefact":"x","purpose":"tax"}',
    b'{"artefact":"x","nonce":"n"}',
    b'{"artefact":"x","at":"never"}',
    b'{"name":NaN,"artefact":"x"}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"artefact":"' + b"a" * (MAX_LINE + 100) + b'"}',
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda line: repr(line[:24]))
def test_a_hostile_line_costs_itself_only(hostile: bytes) -> None:
    lines = b'{"name":"before","artefact":"x"}\n' + hostile + b'\n{"name":"after","artefact":"y"}\n'

    out, seen = run(lines)

    assert [line["name"] for line in out] == ["before", None, "after"]
    assert [case.artefact for case in seen] == [b"x", b"y"]
    assert out[1]["outcome"] in ("reject", "undetermined")
    assert out[1]["reasons"][0]["code"] in ("presentation_malformed", "question_invalid")
