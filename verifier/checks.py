"""The numbered pipeline: presentations in, verdict out. Pure but for what is handed in: trust, status and the time.

For each credential (OpenID4VP 1.0 §8.6, ISO/IEC 18013-5 §9.3.1, DOMAIN 6):

 1  structure           it can be read, nothing in it is loose, and it is a document we know
 2  issuer_signature    the issuer's key signed all of it
 3  certificate_path    that key's certificate may sign such documents and was valid when it did
 4  trust_listed …      the trust list names the signer (listed), as the institution on the document (identity), for this
    trust_content       kind and country (scope), and the content stays within that (content)
 5  technical_validity  this digital copy is in its time
 6  status              it was not withdrawn; asked only when 1 to 5 and 7 do not fail (Token Status List §8.3)
 7  holder_binding      the wallet proved the holder's key for this very request
and for the answer as a whole:
 8  query               everything asked for is there, once; what was not asked for is dropped
 9  same_holder         identity and document belong together
10  the document's own rules, as of the day and place of the control
"""

from collections.abc import Sequence
from datetime import datetime

from vc.documents.document import Document
from vc.formats import Challenge, Credential, TranscriptChallenge
from vc.openid4vp.dcql import DcqlQuery
from verifier import exchange
from verifier.credential import Judged, judge
from verifier.report import CREDENTIAL_CHECKS, EXCHANGE_CHECKS, Report, conclude
from verifier.sources import Control, Shown, StatusSource, TrustSource
from verifier.verdict import Period, Validity, Verdict


def run(
    presented: Sequence[Shown],
    *,
    control: Control,
    challenge: Challenge | TranscriptChallenge | None,
    query: DcqlQuery | None = None,
    trust: TrustSource,
    status: StatusSource,
) -> Verdict:
    """Judge what was presented together: one document, and at most one proof of identity beside it.

    `challenge` None means the presentations were not made for us: holder binding is then not checked, never passed.
    `query`: the DCQL query these presentations answer; its shape (VP-DCQL-5, -6) was checked before.
    """
    judged = [judge(shown, control=control, challenge=challenge, trust=trust, status=status) for shown in presented]
    by_role = {one.shown.role: one for one in judged}
    main, pid = by_role["document"], by_role.get("pid")
    exchange.check_query(main, judged, query, control)
    exchange.check_same_holder(main, pid, challenge)
    for one in judged:
        exchange.check_rules(one, control)
    return _verdict(main, pid, judged)


def refused(check_id: str, because: str, detail: str) -> Verdict:
    """The verdict on an answer that was turned away as a whole before any credential was looked at (VP-RSP-8)."""
    report = Report()
    report.failed(check_id, because, detail)
    report.fill((*CREDENTIAL_CHECKS, *EXCHANGE_CHECKS), "the answer was refused as a whole")
    outcome, reasons = conclude(report.reasons, report.checks())
    return Verdict(outcome=outcome, reasons=reasons, checks=report.checks())


def _verdict(main: Judged, pid: Judged | None, judged: Sequence[Judged]) -> Verdict:
    checks = [*main.report.checks(), *(pid.report.checks() if pid is not None else ())]
    outcome, reasons = conclude([reason for one in judged for reason in one.report.reasons], checks)
    kept = main.document if _stands(main) else None
    identity = pid.document if pid is not None and _stands(pid) else None
    return Verdict(
        outcome=outcome,
        reasons=reasons,
        checks=checks,
        validity=_validity(main.credential, kept),
        document=None if kept is None else kept.to_json(),
        identity=None if identity is None else identity.to_json().get("holder"),
        trust={**main.facts, **({"pid": pid.facts} if pid is not None else {})},
    )


def _stands(one: Judged) -> bool:
    """Whether content may be shown: what is not authentic or not the presenter's own is discarded (VP-RSP-8)."""
    return one.document is not None and one.report.holds("structure", "issuer_signature") and not one.report.fails("holder_binding")


def _validity(credential: Credential | None, document: Document | None) -> Validity:
    if credential is None or document is None:
        return Validity()
    return Validity(
        technical=Period(start=_stamp(credential.valid_from or credential.issued_at), until=_stamp(credential.valid_until)),
        document=Period(start=document.get("date_of_issuance"), until=document.get("date_of_expiry")),
        cover=Period(start=document.get("starting_date"), until=document.get("ending_date")),
    )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
