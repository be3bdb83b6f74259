"""Prepare, lint, sign once: each rule of the lint has a case that must stop issuance (SECURITY 1.1, O-10)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from issuer import type_metadata
from issuer.lint import Blank, Examined, Examiner, Expected, LintFailed, fingerprint
from issuer.signing import LintedCredential, SignatureUnusable
from tests.support.issuer import IDENTITY, PDA1
from tests.support.pki import NOW, holder, root
from vc import formats
from vc.documents.catalogue import CONFIGURATIONS, parse
from vc.documents.model import Document
from vc.errors import VcError, VerificationFailed
from vc.formats import Envelope
from vc.formats.model import PUB_EAA_CATEGORY
from vc.keys.ec import Curve
from vc.keys.signer import LocalSigner, Signer
from vc.sdjwt import type_metadata as tm
from vc.sdjwt import verify as sd_jwt
from vc.status.reference import StatusReference
from vc.x509.certificate import public_key
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER

SIGNER = root().leaf(eku=(MDOC_DOCUMENT_SIGNER,))
OTHER = root().leaf(eku=(MDOC_DOCUMENT_SIGNER,))
BOTH = ["pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc"]


def _expected(configuration_id: str = BOTH[0], **changes: Any) -> Expected:
    envelope: dict[str, Any] = {
        "issuer": "https://issuer.test/fr-urssaf",
        "subject": "urn:uuid:1",
        "attestation_id": "urn:uuid:2",
        "issued_at": NOW,
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=30),
        "holder": holder().public_key,
        "status": StatusReference(uri="https://issuer.test/fr-urssaf/status/1", idx=7),
        "category": PUB_EAA_CATEGORY,
        "certificate_url": "https://issuer.test/x.cer",
        "vct_integrity": type_metadata.integrity(configuration_id),
        "registration_id": "NTRFR-TEST",
    }
    return Expected(
        configuration=CONFIGURATIONS[configuration_id],
        document=parse("pda1", PDA1, identity=IDENTITY),
        envelope=Envelope(**{**envelope, **changes}),
    )


def _prepared(expected: Expected) -> formats.PreparedCredential:
    return formats.prepare(expected.configuration, expected.document, expected.envelope, random_bytes=secrets.token_bytes)


def _lint(prepared: formats.PreparedCredential, expected: Expected, *, signer: Signer = SIGNER) -> Examined:
    return Examiner().lint(prepared, expected, signer=signer, now=NOW)


@pytest.mark.parametrize("configuration_id", BOTH)
def test_what_is_right_passes(configuration_id: str) -> None:
    expected = _expected(configuration_id)
    examined = _lint(_prepared(expected), expected)
    assert examined.credential.type_id == expected.configuration.type_id


def _envelope(**changes: Any) -> Callable[[Expected], Expected]:
    return lambda expected: replace(expected, envelope=replace(expected.envelope, **changes))


def _document(change: Callable[[dict[str, Any]], None]) -> Callable[[Expected], Expected]:
    def changed(expected: Expected) -> Expected:
        data = expected.document.to_json()
        change(data)
        return replace(expected, document=Document(type="pda1", data=data))

    return changed


def _profile(**changes: Any) -> Callable[[Expected], Expected]:
    def changed(expected: Expected) -> Expected:
        configuration = expected.configuration
        return replace(expected, configuration=replace(configuration, profile=replace(configuration.profile, **changes)))

    return changed


_CASES: list[tuple[str, Callable[[Expected], Expected]]] = [
    ("lint_holder", _envelope(holder=holder().public_key)),
    ("lint_status", _envelope(status=None)),
    ("lint_status", _envelope(status=StatusReference(uri="https://issuer.test/fr-urssaf/status/1", idx=8))),
    ("lint_status", _envelope(status=StatusReference(uri="https://issuer.test/fr-cnam/status/1", idx=7))),
    ("lint_category", _envelope(category="urn:etsi:esi:eaa:eu:qualified")),
    ("lint_validity", _envelope(issued_at=NOW + timedelta(seconds=1))),
    ("lint_validity", _envelope(valid_from=NOW - timedelta(seconds=1))),
    ("lint_validity", _envelope(valid_until=NOW + timedelta(days=31))),
    ("lint_facts", _document(lambda data: data.update(status_confirmation="02"))),
    ("lint_facts", _document(lambda data: data["employer"].append({**data["employer"][0], "id": "other"}))),
    ("lint_facts", _document(lambda data: data["work_information"]["work_address"][-1].update(country="AT"))),
    ("lint_type", _profile(type_id="urn:eudi:other:1")),
    ("lint_profile", _profile(detect=lambda _: False)),
]


@pytest.mark.parametrize("configuration_id", BOTH)
@pytest.mark.parametrize(("code", "change"), _CASES)
def test_a_credential_that_says_something_else_is_stopped(
    configuration_id: str, code: str, change: Callable[[Expected], Expected]
) -> None:
    meant = _expected(configuration_id)
    with pytest.raises(LintFailed) as caught:
        _lint(_prepared(meant), change(meant))
    assert caught.value.code == code


def test_another_issuer_is_stopped() -> None:
    meant = _expected()
    with pytest.raises(LintFailed, match="lint_issuer"):
        _lint(_prepared(meant), _envelope(issuer="https://issuer.test/fr-cnam")(meant))


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("lint_expired", {"valid_until": NOW - timedelta(minutes=2)}),
        ("lint_not_yet_valid", {"valid_from": NOW + timedelta(minutes=2)}),
    ],
)
def test_a_credential_that_is_not_valid_now_is_stopped(code: str, changes: dict[str, Any]) -> None:
    expected = _expected(**changes)
    with pytest.raises(LintFailed, match=code):
        _lint(_prepared(expected), expected)


def test_a_credential_without_certificates_is_stopped() -> None:
    expected = _expected()
    with pytest.raises(LintFailed, match="lint_chain"):
        _lint(_prepared(expected), expected, signer=holder())


@pytest.mark.parametrize(("sd", "name"), [("never", "personal_administrative_number"), ("always", "status_confirmation")])
def test_a_claim_hidden_against_its_declaration_is_stopped(sd: Any, name: str) -> None:
    """SDVC-3, TM-4: what is declared hidden is hidden, what is declared open is open."""
    meant = _expected()
    slots = tuple(replace(slot, sd=sd) if slot.at == (name,) else slot for slot in meant.configuration.profile.slots)
    with pytest.raises(LintFailed, match="lint_disclosure"):
        _lint(_prepared(_profile(slots=slots)(meant)), meant)


def test_a_value_no_verifier_could_read_is_stopped() -> None:
    """Data that went around the document's rules is caught at the last moment."""
    broken = _document(lambda data: data.update(starting_date="2026-02-30"))(_expected())
    with pytest.raises(LintFailed):
        _lint(_prepared(broken), broken)


def test_the_stand_in_shows_the_real_chain_and_its_signature_fits_nothing() -> None:
    """Headers are the final ones; what it gave is worth nothing to anybody."""
    blank, expected = Blank(SIGNER), _expected()
    text = formats.sign(_prepared(expected), blank)
    unverified = formats.parse_issued(expected.configuration.format, text)
    assert unverified.chain == SIGNER.chain
    with pytest.raises(VerificationFailed, match="signature"):
        unverified.verify_issuer(public_key(SIGNER.chain[0]))


@pytest.mark.parametrize("configuration_id", BOTH)
@pytest.mark.parametrize(("code", "change"), _CASES)
def test_what_is_remembered_of_a_document_lets_nothing_else_through(
    configuration_id: str, code: str, change: Callable[[Expected], Expected]
) -> None:
    """Decision 0015: every rule holds for the second copy of a document as for the first."""
    meant, examiner = _expected(configuration_id), Examiner()
    for _ in range(2):
        examiner.lint(_prepared(meant), meant, signer=SIGNER, now=NOW)
        with pytest.raises(LintFailed) as caught:
            examiner.lint(_prepared(meant), change(meant), signer=SIGNER, now=NOW)
        assert caught.value.code == code


@pytest.mark.parametrize("configuration_id", BOTH)
@pytest.mark.parametrize(("code", "change"), [case for case in _CASES if case[0] != "lint_profile"])  # that one prepares the same
def test_a_copy_that_says_something_else_than_the_first_is_stopped(
    configuration_id: str, code: str, change: Callable[[Expected], Expected]
) -> None:
    meant, examiner = _expected(configuration_id), Examiner()
    examiner.lint(_prepared(meant), meant, signer=SIGNER, now=NOW)
    with pytest.raises(VcError):  # some cannot even be prepared
        examiner.lint(_prepared(change(meant)), meant, signer=SIGNER, now=NOW)


@pytest.mark.parametrize(("sd", "name"), [("never", "personal_administrative_number"), ("always", "status_confirmation")])
def test_a_copy_hidden_otherwise_than_the_first_is_stopped(sd: Any, name: str) -> None:
    meant, examiner = _expected(), Examiner()
    slots = tuple(replace(slot, sd=sd) if slot.at == (name,) else slot for slot in meant.configuration.profile.slots)
    examiner.lint(_prepared(meant), meant, signer=SIGNER, now=NOW)
    with pytest.raises(LintFailed, match="lint_disclosure"):
        examiner.lint(_prepared(_profile(slots=slots)(meant)), meant, signer=SIGNER, now=NOW)


def test_a_document_is_projected_once_and_read_back_once() -> None:
    """PERFORMANCE: what a copy costs does not depend on the rules of its document."""
    calls: list[str] = []

    def detect(claims: Any) -> bool:
        calls.append("read")
        return True

    meant, examiner = _profile(detect=detect)(_expected()), Examiner()
    for _ in range(3):
        examiner.lint(_prepared(meant), meant, signer=SIGNER, now=NOW)
        assert examiner.projection(meant.configuration, meant.document) is examiner.projection(meant.configuration, meant.document)
    assert calls == ["read"]


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuer.lint.REMEMBERED", 2)
    examiner, meant = Examiner(), _expected()
    first = examiner.projection(meant.configuration, meant.document)
    for number in ("3", "4"):
        other = _document(lambda data, n=number: data.update(document_number=n))(meant)  # type: ignore[misc]
        examiner.projection(other.configuration, other.document)
    assert examiner.projection(meant.configuration, meant.document) is not first


def _linted(configuration_id: str = BOTH[0], signer: Signer = SIGNER, examiner: Examiner | None = None) -> LintedCredential:
    expected = _expected(configuration_id)
    return LintedCredential(_prepared(expected), expected, signer=signer, examiner=examiner or Examiner(), now=NOW)


@pytest.mark.parametrize("configuration_id", BOTH)
def test_a_linted_credential_is_signed_once(configuration_id: str) -> None:
    linted = _linted(configuration_id)
    text = linted.sign()
    verified = formats.parse_issued(CONFIGURATIONS[configuration_id].format, text).verify_issuer(public_key(SIGNER.chain[0]))
    assert fingerprint(verified) == linted.fingerprint
    with pytest.raises(RuntimeError, match="once"):
        linted.sign()


@pytest.mark.parametrize("configuration_id", BOTH)
def test_a_signature_by_another_key_does_not_leave(configuration_id: str) -> None:
    """SECURITY O-10: the certificate's key decides."""
    linted = _linted(configuration_id, LocalSigner(OTHER.private_key, SIGNER.chain))
    with pytest.raises(SignatureUnusable):
        linted.sign()


@dataclass
class _Watched:
    """A signer that remembers what it was asked to sign."""

    real: LocalSigner
    asked: list[bytes]

    @property
    def curve(self) -> Curve:
        return self.real.curve

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.real.public_key

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return self.real.chain

    def sign(self, message: bytes) -> bytes:
        self.asked.append(message)
        return self.real.sign(message)


@pytest.mark.parametrize("configuration_id", BOTH)
def test_the_key_sees_what_was_examined_and_nothing_else(configuration_id: str) -> None:
    """SECURITY O-10: content that changed after the lint is not even signed."""
    signer = _Watched(SIGNER, [])
    linted = _linted(configuration_id, signer)
    linted._prepared = _prepared(_expected(configuration_id))
    with pytest.raises(SignatureUnusable, match="examined"):
        linted.sign()
    assert signer.asked == []
    _linted(configuration_id, signer).sign()
    assert len(signer.asked) == 1


@pytest.mark.parametrize(
    "configuration_id", [name for name, configuration in CONFIGURATIONS.items() if configuration.format == "dc+sd-jwt"]
)
def test_type_metadata_describe_their_credentials(configuration_id: str) -> None:
    """TM-1 … TM-4: what we publish, read by the consumer's rules."""
    rendered = type_metadata.rendered(configuration_id)
    integrity = type_metadata.integrity(configuration_id)
    assert integrity is not None
    tm.check_integrity(rendered, integrity)
    read = tm.parse(rendered, vct=CONFIGURATIONS[configuration_id].type_id)
    assert read.claims
    assert read.display


def test_an_issued_pda1_keeps_its_type_metadata() -> None:
    """TM-4: every `always` is hidden, every `never` is open, nothing mandatory is missing."""
    text = _linted().sign()
    unverified = sd_jwt.parse(text, issued=True)
    signed = sd_jwt.verify_issuer(unverified, public_key(SIGNER.chain[0]))
    tm.check_claims(tm.parse(type_metadata.rendered(BOTH[0])), signed)


def test_mdoc_has_no_type_metadata() -> None:
    assert type_metadata.integrity("eu.europa.ec.eudi.pda1_mdoc") is None
    assert type_metadata.document("eu.europa.ec.eudi.pda1.1", None) is None
