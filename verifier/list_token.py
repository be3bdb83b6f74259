"""The verdict on a status list token by itself: authentic, in its time, signed by a status service on a trust list?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trust_list.status_lists import StatusSigner
from vc.documents.outcome import Result
from vc.encoding import base64url, cbor
from vc.errors import Malformed, VcError
from vc.formats import Artefact, Kind
from vc.status import token as tokens
from vc.status.token import StatusToken, UnverifiedStatusToken
from vc.x509.certificate import public_key
from verifier.report import Report, conclude, describe
from verifier.sources import TrustAnswer
from verifier.status import SignerJudge
from verifier.verdict import Period, Validity, Verdict

CHECKS = (
    "structure",
    "issuer_signature",
    "certificate_path",
    "trust_listed",
    "trust_identity",
    "trust_scope",
    "trust_content",
    "technical_validity",
)
_SIGNATURE = frozenset({"signature", "jws_alg", "jws_crit", "jws_typ", "cose_alg", "cose_crit", "status_typ"})
_VALIDITY = {"status_expired": "status_list_expired", "status_future": "status_list_invalid"}
_LISTS = ("pda1", "pid")  # a document type of each list on which status services stand


def check_list(found: Artefact, *, judge: SignerJudge, now: datetime) -> Verdict:
    """The verdict. Whose documents the list speaks about is not known here, so that question stays open."""
    report = Report()
    try:
        unverified, uri = _parse(found)
        chain = unverified.chain
    except VcError as error:
        report.failed("structure", "presentation_malformed", describe(error))
        return _verdict(report, None, {})
    try:
        token = tokens.verify(unverified, public_key(chain[0]), uri=uri, now=now)
    except VcError as error:
        if error.code in _SIGNATURE:
            report.failed_with("issuer_signature", error)
        elif error.code in _VALIDITY:
            report.passed("structure")
            report.passed("issuer_signature")
            report.not_checked("technical_validity", describe(error), because=_VALIDITY[error.code])
        else:
            report.failed_with("structure", error)
        return _verdict(report, None, {})
    report.passed("structure", f"{token.list.size} entries of {token.list.bits} bit(s)")
    report.passed("issuer_signature", "signed with the key of the certificate that came along")
    report.passed("technical_validity", "no end stated" if token.exp is None else f"until {token.exp:%Y-%m-%d %H:%M:%S} UTC")
    answer = _signer(judge, StatusSigner(chain=chain, signed_at=token.iat), now)
    for check_id, (result, because, detail) in answer.checks.items():
        if check_id in ("trust_scope", "trust_content"):
            report.not_checked(check_id, "it is not known whose documents this list speaks about")
        else:
            report.put(check_id, result, detail, because)
    return _verdict(report, token, answer.facts)


def _parse(found: Artefact) -> tuple[UnverifiedStatusToken, str]:
    """The token and the address it says it is served at, which here can only be compared with itself."""
    if found.kind is Kind.STATUS_LIST_JWT:
        unverified = tokens.parse_jwt(found.text)
        claims: object = unverified.jwt.claims() if unverified.jwt else None
        subject = claims.get("sub") if isinstance(claims, Mapping) else None
    else:
        unverified = tokens.parse_cwt(base64url.decode(found.text))
        claims = cbor.loads(unverified.cwt.payload or b"", max_bytes=tokens.MAX_TOKEN) if unverified.cwt else None
        subject = claims.get(2) if isinstance(claims, Mapping) else None
    if not isinstance(subject, str):
        raise Malformed("status_list", "the list does not say at which address it is served")
    return unverified, subject


def _signer(judge: SignerJudge, signer: StatusSigner, now: datetime) -> TrustAnswer:
    """The answer of the list that knows the signer, else that of the first."""
    answers = [judge.status_signer(signer, document_type, entity_id=None, now=now) for document_type in _LISTS]
    return next((answer for answer in answers if answer.checks["trust_listed"][0] is Result.PASSED), answers[0])


def _verdict(report: Report, token: StatusToken | None, facts: Mapping[str, Any]) -> Verdict:
    report.fill(CHECKS, "not reached: an earlier check failed")
    outcome, reasons = conclude(report.reasons, report.checks(), needed=frozenset(CHECKS) - {"trust_scope", "trust_content"})
    if token is None:
        return Verdict(outcome=outcome, reasons=reasons, checks=report.checks(), trust=facts)
    until = None if token.exp is None else token.exp.strftime("%Y-%m-%dT%H:%M:%SZ")
    technical = Period(start=token.iat.strftime("%Y-%m-%dT%H:%M:%SZ"), until=until)
    document = {"type": "status_list", "uri": token.uri, "bits": token.list.bits, "entries": token.list.size}
    return Verdict(
        outcome=outcome,
        reasons=reasons,
        checks=report.checks(),
        validity=Validity(technical=technical),
        document=document,
        trust=facts,
    )
