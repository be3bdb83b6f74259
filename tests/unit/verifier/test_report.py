"""Putting results together: the worst reason wins, and what nobody looked at is never accepted."""

import pytest

from vc.documents.outcome import Outcome, Result
from vc.errors import VerificationFailed
from verifier.report import CREDENTIAL_CHECKS, Report, conclude
from verifier.verdict import EXIT_CODES, Check


def all_passed(*, pid: bool = False) -> Report:
    report = Report(pid=pid)
    for check_id in CREDENTIAL_CHECKS:
        report.passed(check_id)
    return report


def outcome_of(report: Report) -> Outcome:
    return conclude(report.reasons, report.checks())[0]


def test_all_passed_is_accept() -> None:
    assert outcome_of(all_passed()) is Outcome.ACCEPT


@pytest.mark.parametrize("check_id", [name for name in CREDENTIAL_CHECKS if name != "trust_content"])
@pytest.mark.parametrize("pid", [False, True])
def test_a_core_check_that_nobody_made_is_never_accepted(check_id: str, pid: bool) -> None:
    report = all_passed(pid=pid)
    report.not_checked(check_id, "forgotten, without a reason")

    assert outcome_of(report) is Outcome.UNDETERMINED


def test_no_checks_at_all_is_never_accepted() -> None:
    assert conclude([], [])[0] is Outcome.UNDETERMINED
    assert conclude([], [Check(id="period", result=Result.PASSED)])[0] is Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("codes", "outcome"),
    [
        (["unasked_claims"], Outcome.ACCEPT_WITH_WARNING),
        (["unasked_claims", "bearer_identity_not_checked"], Outcome.REVIEW),
        (["bearer_identity_not_checked", "status_unreachable"], Outcome.UNDETERMINED),
        (["status_unreachable", "technically_expired"], Outcome.REFRESH),
        (["technically_expired", "revoked", "unasked_claims"], Outcome.REJECT),
    ],
)
def test_the_worst_reason_wins_and_comes_first(codes: list[str], outcome: Outcome) -> None:
    report = all_passed()
    for code in codes:
        report.passed("query", because=code)

    found, reasons = conclude(report.reasons, report.checks())

    assert found is outcome
    assert reasons[0].outcome is outcome
    assert {reason.code for reason in reasons} == set(codes)


def test_a_reason_is_said_once() -> None:
    report = all_passed()
    report.failed("status", "revoked")
    report.failed("status", "revoked")

    assert [reason.code for reason in conclude(report.reasons, report.checks())[1]] == ["revoked"]


def test_checks_come_in_the_order_of_the_verdict_with_rules_last() -> None:
    report = Report()
    report.add(Check(id="period", result=Result.PASSED), None)
    report.passed("query")
    report.passed("status")
    report.passed("structure")

    assert [check.id for check in report.checks()] == ["structure", "status", "query", "period"]


def test_the_pid_is_prefixed() -> None:
    report = Report(pid=True)
    report.failed("status", "revoked", "detail")

    assert report.result("status") is Result.FAILED
    assert report.checks()[0].id == "pid.status"
    assert report.reasons[0].code == "pid.revoked"


def test_fill_leaves_results_alone() -> None:
    report = Report()
    report.failed("structure", "presentation_malformed")
    report.fill(["structure", "status"], "not reached")

    assert report.fails("structure")
    assert report.result("status") is Result.NOT_CHECKED
    assert not report.holds("structure", "status")


def test_an_error_is_described_by_code_and_place() -> None:
    report = Report()
    report.failed_with("technical_validity", VerificationFailed("expired", "the digital copy has expired", pointer="/exp"))

    assert report.checks()[0].detail == "the digital copy has expired at /exp [expired]"
    assert report.reasons[0].code == "technically_expired"


def test_exit_codes_cover_every_outcome() -> None:
    assert dict(EXIT_CODES) == {
        Outcome.ACCEPT: 0,
        Outcome.ACCEPT_WITH_WARNING: 0,
        Outcome.REJECT: 1,
        Outcome.REFRESH: 1,
        Outcome.REVIEW: 2,
        Outcome.UNDETERMINED: 2,
    }
