"""Checks 8 to 10: the answer as a whole, and the document's own rules. The numbers are those of `verifier.checks`."""

from collections.abc import Sequence

from vc.documents import catalogue
from vc.documents.document import Document, compare_identity
from vc.documents.outcome import Finding, Outcome
from vc.errors import VcError
from vc.formats import Credential
from vc.openid4vp import dcql
from vc.openid4vp.dcql import DcqlQuery, View
from verifier.credential import PID, Judged
from verifier.reasons import reason
from verifier.report import Report
from verifier.sources import Control
from verifier.verdict import Check, Reason, Result


def check_query(main: Judged, judged: Sequence[Judged], query: DcqlQuery | None, control: Control) -> None:
    """8: the query was met and nothing else kept (VP-DCQL-3, -4, -7, -11); without one, the document fits the purpose."""
    report = main.report
    if main.document is None:
        report.not_checked("query", "not reached: an earlier check failed")
    elif main.shown.role == "document" and control.purpose is not None and main.document.type != control.purpose.document_type:
        report.failed("query", "document_type_unexpected", f"{control.purpose.id} is about {control.purpose.document_type}")
    elif query is None:
        report.not_checked("query", "nothing was asked: the document was handed in")
    elif not all(one.report.holds("structure", "holder_binding") for one in judged):
        report.not_checked("query", "not reached: an earlier check failed")
    else:
        _compare_with_query(report, judged, query)


def _compare_with_query(report: Report, judged: Sequence[Judged], query: DcqlQuery) -> None:
    views = {one.shown.ask.id: [_view(one.credential)] for one in judged if one.shown.ask and one.credential}
    try:
        dcql.check_answer(query, views)
    except VcError as error:
        report.failed_with("query", error)
        return
    surplus = sum(len(one.unasked) for one in judged)
    if surplus:
        report.passed("query", f"{surplus} claim(s) more than asked for were dropped", because="unasked_claims")
    else:
        report.passed("query", "all that was asked for, and nothing else")


def _view(credential: Credential) -> View:
    return View(
        format=credential.format,
        type_ids=frozenset({credential.type_id}),
        claims=credential.claims,
        disclosed=credential.disclosed,
    )


def check_same_holder(main: Judged, pid: Judged | None, challenge: object) -> None:
    """9: both proofs answer one nonce in one response, and the names agree where the document carries them (DOMAIN 6.1 rule 9)."""
    report = main.report
    if main.document is None:
        report.not_checked("same_holder", "not reached: an earlier check failed")
    elif main.document.type == PID:
        report.not_checked("same_holder", "only a proof of identity was shown")
    elif pid is None:
        report.not_checked("same_holder", "no proof of identity was shown", because="bearer_identity_not_checked")
    elif challenge is None or pid.document is None:
        report.not_checked("same_holder", "not reached: an earlier check failed")
    elif not (report.holds("holder_binding") and pid.report.holds("holder_binding")):
        report.failed("same_holder", "same_holder_not_proved", "one of the two proofs of possession is missing")
    else:
        _compare_identity(report, pid.document, main.document)


def _compare_identity(report: Report, pid: Document, document: Document) -> None:
    """Two proofs over one nonce already tie the two together; where the document names a person, it must be the same one."""
    names = compare_identity(pid, document)
    silent = names.result is Result.NOT_CHECKED and (names.finding is None or names.finding.outcome is Outcome.ACCEPT)
    result = Result.PASSED if silent else names.result
    check = Check(id="same_holder", result=result, detail=f"both proved in one answer; {names.detail}")
    report.add(check, _finding(names.finding))


def check_rules(one: Judged, control: Control) -> None:
    """10: the rules of the document's own declaration, one check each; for a PID beside a document under its prefix."""
    if one.document is None:
        return
    kind = catalogue.DOCUMENT_TYPES[one.document.type]
    assessment = kind.assess(one.document, catalogue.Control(on=control.on, country=control.country, now=control.now))
    for rule in assessment.results:
        one.report.add(Check(id=rule.id, result=rule.result, detail=rule.detail), _finding(rule.finding))
    if control.country is None and one.document.type != PID:
        one.report.reasons.append(reason("host_country_not_given"))


def _finding(finding: Finding | None) -> Reason | None:
    if finding is None:
        return None
    return Reason(code=finding.code, outcome=finding.outcome, text=finding.text, next=finding.next)
