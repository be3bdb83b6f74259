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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from vc.documents.document import Document, compare_identity

from vc import formats
from vc.documents import catalogue
from vc.encoding.claims_path import Path
from vc.errors import VcError
from vc.formats import Challenge, Credential, TranscriptChallenge
from vc.openid4vp import dcql
from vc.openid4vp.dcql import DcqlQuery, View
from vc.status.token import StatusValue
from vc.x509 import chain as paths
from vc.x509.certificate import public_key
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL, check_leaf
from verifier.purposes import Ask, Purpose, Role
from verifier.report import CREDENTIAL_CHECKS, EXCHANGE_CHECKS, Report, conclude, describe
from verifier.verdict import Check, Period, Reason, Result, Validity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The question behind the verdict: what for, where, as of which day; `now` is the time of checking."""

    purpose: Purpose | None
    country: str | None
    on: date
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One presentation as received. `ask`: the query it answers, None for a bare artefact."""

    role: Role
    format: str
    text: str
    ask: Ask | None = None
    issued: bool = False  # as an issuer delivers it, without any proof of a holder


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnswer:
    """What the trust list says about a signer: one result per question with a reason code when it did not pass."""

    axes: Mapping[str, tuple[Result, str | None, str]]  # trust_listed … → result, reason code, detail
    entity_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trusted(self) -> bool:
        return bool(self.axes) and all(result is Result.PASSED for result, _, _ in self.axes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAnswer:
    """What the status list says: `value` None when nothing can be said; `because` is the code of a reason or warning."""

    value: StatusValue | None
    detail: str
    because: str | None = None


class TrustSource(Protocol):
    """Answers from accepted trust lists; never raises for an outage."""

    def issuer(self, credential: Credential, document: Document, *, now: datetime) -> TrustAnswer:
        """The four questions about the signer of a credential."""
        ...


class StatusSource(Protocol):
    """Answers from status lists; never raises for an outage."""

    def look_up(self, credential: Credential, document: Document, *, entity_id: str | None, now: datetime) -> StatusAnswer:
        """The status of a credential that has a status reference; its list must be signed by the same trusted entity."""
        ...


@dataclass(slots=True)
class _Judged:
    """One credential on its way through the pipeline."""

    shown: Shown
    report: Report
    credential: Credential | None = None
    document: Document | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    unasked: frozenset[Path] = frozenset()


def run(
    presented: Sequence[Shown],
    *,
    control: Control,
    challenge: Challenge | TranscriptChallenge | None,
    query: DcqlQuery | None = None,
    trust: TrustSource,
    status: StatusSource,
) -> Verdict:
    """Judge what was presented together.

    `challenge` None means the presentations were not made for us: holder binding is then not checked, never passed.
    `query`: the DCQL query these presentations answer; its shape (VP-DCQL-5, -6) was checked before.
    """
    judged = [_judge(shown, control=control, challenge=challenge, trust=trust, status=status) for shown in presented]
    by_role = {one.shown.role: one for one in judged}
    main = by_role.get("document") or by_role["pid"]
    pid = by_role.get("pid")
    _check_query(main, judged, query, control)
    _check_same_holder(main, pid, challenge)
    _check_rules(main, control)
    return _verdict(main, pid if pid is not main else None, judged)


def refused(check_id: str, because: str, detail: str) -> Verdict:
    """The verdict on an answer that was turned away as a whole before any credential was looked at (VP-RSP-8)."""
    report = Report()
    report.failed(check_id, because, detail)
    report.fill((*CREDENTIAL_CHECKS, *EXCHANGE_CHECKS), "the answer was refused as a whole")
    outcome, reasons = conclude(report.reasons, report.checks())
    return Verdict(outcome=outcome, reasons=reasons, checks=report.checks())


def _judge(
    shown: Shown,
    *,
    control: Control,
    challenge: Challenge | TranscriptChallenge | None,
    trust: TrustSource,
    status: StatusSource,
) -> _Judged:
    report = Report(pid=shown.role == "pid" and shown.ask is not None)
    one = _Judged(shown=shown, report=report)
    _open(one)
    if one.credential is None or one.document is None:
        report.fill(CREDENTIAL_CHECKS, "not reached: an earlier check failed")
        return one
    _check_certificate(report, one.credential)
    answer = trust.issuer(one.credential, one.document, now=control.now)
    one.facts = answer.facts
    for check_id, (result, because, detail) in answer.axes.items():
        report.put(check_id, result, detail, because)
    report.fill([f"trust_{axis}" for axis in ("listed", "identity", "scope", "content")], "not reached: the signer is not known")
    _check_technical_validity(report, one.credential, control.now)
    _check_holder(report, one.credential, challenge, control.now)
    _check_status(one, answer, status, control.now)
    return one


def _open(one: _Judged) -> None:
    """1 and 2: parse, verify the issuer's signature with the key of the leaf, drop what was not asked, recognise the document."""
    report, shown = one.report, one.shown
    try:
        parse = formats.parse_issued if shown.issued else formats.parse_presented
        unverified = parse(shown.format, shown.text)
    except VcError as error:
        report.failed_with("structure", error)
        return
    try:
        if not unverified.chain:
            report.failed("issuer_signature", "certificate_missing", "no certificate came with the document")
            report.not_checked("structure", "not finished: the signature could not be checked")
            return
        credential = unverified.verify_issuer(public_key(unverified.chain[0]))
    except VcError as error:
        if error.code in _SIGNATURE_ERRORS:
            report.failed_with("issuer_signature", error)
            report.not_checked("structure", "not finished: the signature does not hold")
        else:
            report.failed_with("structure", error)
        return
    report.passed("issuer_signature", "signed with the key of the certificate that came along")
    one.unasked = _unasked(credential, shown.ask)
    claims = without(credential.claims, one.unasked)
    try:
        profile = catalogue.recognise(credential.format, credential.type_id, claims)
        one.document = profile.normalise(claims)
    except VcError as error:
        report.failed("structure", _CONTENT_REASONS.get(error.code, "document_unreadable"), describe(error))
        return
    one.credential = credential
    report.passed("structure", f"{one.document.type}, profile {profile.id}, {credential.format}")


_SIGNATURE_ERRORS = frozenset({"signature", "jws_alg", "jws_crit", "jws_typ", "cose_alg", "cose_crit", "key_type", "key_curve"})
_CONTENT_REASONS = {"document_type_unknown": "document_type_unknown", "unknown_type": "document_type_unknown"}


def _unasked(credential: Credential, ask: Ask | None) -> frozenset[Path]:
    """What was disclosed although no claim of the query covers it: neither it, nor a part of it, nor what contains it."""
    if ask is None:
        return frozenset()
    return frozenset(path for path in credential.disclosed if not any(_touches(asked, path) for asked in ask.claims))


def without(claims: Mapping[str, Any], paths: frozenset[Path]) -> dict[str, Any]:
    """A copy of `claims` less the elements at `paths`; array elements are blanked out from the end so that places stay right."""
    if not paths:
        return dict(claims)
    return {
        key: _prune(value, frozenset(path[1:] for path in paths if path[0] == key))
        for key, value in claims.items()
        if (key,) not in paths
    }


def _prune(value: Any, paths: frozenset[Path]) -> Any:
    if not paths:
        return value
    if isinstance(value, Mapping):
        return without(value, paths)
    if isinstance(value, list):
        return [
            _prune(item, frozenset(path[1:] for path in paths if path[0] == index))
            for index, item in enumerate(value)
            if (index,) not in paths
        ]
    return value


def _check_certificate(report: Report, credential: Credential) -> None:
    """3: HAIP 1.0 §6.1.1 for what was sent, the rule set of the format for the leaf, and the leaf's time when it signed."""
    leaf, signed_at = credential.chain[0], credential.issued_at
    try:
        paths.check_presented(credential.chain)
        check_leaf(leaf, DOCUMENT_SIGNER if credential.format == "mso_mdoc" else SEAL)
    except VcError as error:
        report.failed_with("certificate_path", error)
        return
    if signed_at is None:
        report.failed("certificate_path", "validity_malformed", "the document does not say when it was signed")
    elif not leaf.not_valid_before_utc <= signed_at <= leaf.not_valid_after_utc:
        report.failed("certificate_path", "certificate_expired", "signed outside the life of the certificate")
    else:
        report.passed("certificate_path", f"valid when signed on {signed_at:%Y-%m-%d}")


def _check_technical_validity(report: Report, credential: Credential, now: datetime) -> None:
    """5: exp passed is a matter of a fresh copy, not of cover (DOMAIN 6.1 rule 3)."""
    try:
        credential.check_validity(now)
    except VcError as error:
        report.failed_with("technical_validity", error)
    else:
        until = credential.valid_until
        report.passed("technical_validity", "no end stated" if until is None else f"until {until:%Y-%m-%d %H:%M:%S} UTC")


def _check_holder(report: Report, credential: Credential, challenge: Challenge | TranscriptChallenge | None, now: datetime) -> None:
    """7: an expectation that is missing never passes (R-8)."""
    if challenge is None:
        report.not_checked("holder_binding", "nonce and audience were not given", because="bearer_not_proved")
        return
    try:
        credential.verify_holder(challenge, now=now)
    except VcError as error:
        report.failed_with("holder_binding", error)
    else:
        report.passed("holder_binding", "the holder's key signed this request")


def _check_status(one: _Judged, answer: TrustAnswer, status: StatusSource, now: datetime) -> None:
    """6: nothing is fetched for a credential that does not stand anyway (TSL-7)."""
    report, credential, document = one.report, one.credential, one.document
    if credential is None or document is None:
        return
    if credential.status is None and credential.short_lived:
        report.passed("status", "short-lived: withdrawal is not provided for")
    elif credential.status is None:
        because = "status_missing_identity" if one.shown.role == "pid" else "status_missing"
        report.not_checked("status", "the document names no status list", because=because)
    elif not report.holds("structure", "issuer_signature", "certificate_path", "technical_validity") or report.fails(
        "holder_binding"
    ):
        report.not_checked("status", "not asked: an earlier check failed")
    elif not answer.trusted:
        report.not_checked("status", "not asked: without a trusted issuer nobody may sign its status list")
    else:
        found = status.look_up(credential, document, entity_id=answer.entity_id, now=now)
        _report_status(report, found)


def _report_status(report: Report, found: StatusAnswer) -> None:
    if found.value is None:
        report.not_checked("status", found.detail, because=found.because or "status_list_invalid")
    elif found.value is StatusValue.INVALID:
        report.failed("status", "revoked", found.detail)
    elif found.value is StatusValue.SUSPENDED:
        report.failed("status", "suspended", found.detail)
    elif found.value is not StatusValue.VALID:
        report.not_checked("status", found.detail, because="status_value_unknown")  # TSL-8: unknown is not valid
    elif found.because == "status_stale":
        report.not_checked("status", found.detail, because="status_stale")  # DOMAIN 6.1 rule 4
    else:
        report.passed("status", found.detail, because=found.because)


def _check_query(main: _Judged, judged: Sequence[_Judged], query: DcqlQuery | None, control: Control) -> None:
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


def _compare_with_query(report: Report, judged: Sequence[_Judged], query: DcqlQuery) -> None:
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


def _check_same_holder(main: _Judged, pid: _Judged | None, challenge: object) -> None:
    """9: both proofs answer one nonce in one response, and the names agree where the document carries them (DOMAIN 6.1 rule 9)."""
    report = main.report
    if pid is main:
        report.not_checked("same_holder", "only a proof of identity was shown")
    elif pid is None:
        report.not_checked("same_holder", "no proof of identity was shown", because="bearer_identity_not_checked")
    elif challenge is None or main.document is None or pid.document is None:
        report.not_checked("same_holder", "not reached: an earlier check failed")
    elif not (report.holds("holder_binding") and pid.report.holds("holder_binding")):
        report.failed("same_holder", "same_holder_not_proved", "one of the two proofs of possession is missing")
    else:
        names = compare_identity(pid.document, main.document)
        report.add(
            Check(id="same_holder", result=names.result, detail=f"both proved in one answer; {names.detail}"),
            _finding(names.finding),
        )


def _check_rules(main: _Judged, control: Control) -> None:
    """10: the rules of the document's own declaration, one check each."""
    if main.document is None or main.shown.role == "pid":
        return
    kind = catalogue.DOCUMENT_TYPES[main.document.type]
    assessment = kind.assess(main.document, catalogue.Control(on=control.on, country=control.country, now=control.now))
    for rule in assessment.results:
        main.report.add(Check(id=rule.id, result=rule.result, detail=rule.detail), _finding(rule.finding))


def _finding(finding: Any) -> Reason | None:
    if finding is None:
        return None
    return Reason(code=finding.code, outcome=finding.outcome, text=finding.text, next=finding.next)


def _verdict(main: _Judged, pid: _Judged | None, judged: Sequence[_Judged]) -> Verdict:
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


def _stands(one: _Judged) -> bool:
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
