"""Checks 1 to 7: one credential by itself. The numbers are those of `verifier.checks`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trust_list.status_lists import StatusAnswer
from vc import formats
from vc.documents import catalogue
from vc.documents.document import Document
from vc.documents.outcome import Result
from vc.encoding.claims_path import Path
from vc.errors import VcError
from vc.formats import Challenge, Credential, TranscriptChallenge
from vc.status.bits import StatusValue
from vc.x509 import chain as paths
from vc.x509.certificate import public_key
from vc.x509.profiles import DOCUMENT_SIGNER, SEAL, check_leaf
from verifier.report import CREDENTIAL_CHECKS, Report, describe
from verifier.sources import Checked, Control, Shown, StatusSource, TrustAnswer, TrustSource
from verifier.surplus import unasked, without

PID = "pid"


@dataclass(slots=True)
class Judged:
    """One credential on its way through the pipeline."""

    shown: Shown
    report: Report
    credential: Credential | None = None
    document: Document | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    unasked: frozenset[Path] = frozenset()


def judge(
    shown: Shown,
    *,
    control: Control,
    challenge: Challenge | TranscriptChallenge | None,
    trust: TrustSource,
    status: StatusSource,
) -> Judged:
    """Everything that can be said about `shown` alone; later checks wait for the earlier ones they need."""
    report = Report(pid=shown.role == "pid")
    one = Judged(shown=shown, report=report)
    _open(one)
    if one.credential is None or one.document is None:
        report.fill(CREDENTIAL_CHECKS, "not reached: an earlier check failed")
        return one
    answer = trust.issuer(one.credential, one.document, now=control.now)
    one.facts = answer.facts
    for check_id, (result, because, detail) in answer.checks.items():
        report.put(check_id, result, detail, because)
    _check_certificate(report, one.credential, answer.revocation)
    _check_technical_validity(report, one.credential, control.now)
    _check_holder(report, one.credential, challenge, control.now)
    _check_status(one, answer, status, control.now)
    return one


def _open(one: Judged) -> None:
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
    one.unasked = unasked(credential, shown.ask)
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
_CONTENT_REASONS = {"unknown_type": "document_type_unknown"}


def _check_certificate(report: Report, credential: Credential, revocation: Checked | None) -> None:
    """3: HAIP 1.0 §6.1.1 for what was sent; the rule set of the format for the leaf, its time when it signed, its revocation.

    The path to a listed certificate is the trust list's answer; where there is none to compare with, the leaf is still judged.
    """
    if report.fails("certificate_path"):
        return
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
    elif revocation is not None and revocation.result is not Result.PASSED:
        report.put("certificate_path", revocation.result, revocation.detail, revocation.because)
    else:
        looked_at = "" if revocation is None else f"; {revocation.detail}"
        report.passed("certificate_path", f"valid when signed on {signed_at:%Y-%m-%d}{looked_at}")


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
        report.not_checked("holder_binding", "what the proof must be bound to was not given in full", because="bearer_not_proved")
        return
    try:
        credential.verify_holder(challenge, now=now)
    except VcError as error:
        report.failed_with("holder_binding", error)
    else:
        report.passed("holder_binding", "the holder's key signed this request")


def _check_status(one: Judged, answer: TrustAnswer, status: StatusSource, now: datetime) -> None:
    """6: nothing is fetched for a credential that does not stand anyway (TSL-7)."""
    report, credential, document = one.report, one.credential, one.document
    if credential is None or document is None:
        return
    if credential.status is None and credential.short_lived:
        report.passed("status", "short-lived: withdrawal is not provided for")
    elif credential.status is None:
        because = "status_missing_identity" if document.type == PID else "status_missing"
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
