"""`mso_mdoc` between documents and ISO mdoc: what the table adds to both."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes

import pytest

from tests.support.pki import NOW, holder, root
from vc import formats
from vc.documents import catalogue
from vc.errors import VerificationFailed
from vc.formats import Challenge, Envelope, TranscriptChallenge
from vc.formats.model import PUB_EAA_CATEGORY
from vc.keys.signer import LocalSigner
from vc.mdoc import handover
from vc.mdoc.verify import ETSI_NAMESPACE
from vc.status.reference import StatusReference

HOLDER, SIGNER = holder(), root().leaf()
CONFIGURATION = catalogue.CONFIGURATIONS["eu.europa.ec.eudi.ehic_mdoc"]
_SAMPLE = json.loads((Path(__file__).parents[3] / "data" / "ehic-samples.json").read_text())[0]
DOCUMENT = catalogue.parse("ehic", _SAMPLE["document_data"], identity=_SAMPLE["identity"])
CHALLENGE = Challenge(nonce="n" * 22, audience="x509_hash:abc", response_uri="https://verifier.example/response")
NUMBER = (CONFIGURATION.type_id, "document_id")


def _issued(*, status: StatusReference | None = None, category: str | None = PUB_EAA_CATEGORY, signer: LocalSigner = SIGNER) -> str:
    envelope = Envelope(
        issuer="https://issuer.example/x",
        subject="pseudonym",
        attestation_id="a",
        issued_at=NOW,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=30),
        holder=HOLDER.public_key,
        status=status,
        category=category,
        certificate_url="https://issuer.example/x.cer",
    )
    return formats.sign(formats.prepare(CONFIGURATION, DOCUMENT, envelope, random_bytes=token_bytes), signer)


def test_issued_presented_verified() -> None:
    shown = formats.present("mso_mdoc", _issued(), holder=HOLDER, disclose=[NUMBER], challenge=CHALLENGE, now=NOW)
    presented = formats.parse_presented("mso_mdoc", shown)
    assert (presented.has_binding, presented.type_id, presented.chain) == (True, CONFIGURATION.type_id, SIGNER.chain)
    verified = presented.verify_issuer(SIGNER.public_key)
    assert verified.disclosed == {NUMBER}
    verified.verify_holder(CHALLENGE, now=NOW)
    transcript = handover.redirect(CHALLENGE.audience, CHALLENGE.nonce, None, CHALLENGE.response_uri)
    verified.verify_holder(TranscriptChallenge(transcript), now=NOW)
    with pytest.raises(VerificationFailed):
        verified.verify_holder(replace(CHALLENGE, nonce="m" * 22), now=NOW)


def test_a_document_nobody_presented_proves_no_holder() -> None:
    issued = formats.parse_issued("mso_mdoc", _issued())
    assert not issued.has_binding
    with pytest.raises(VerificationFailed, match="key_binding_missing"):
        issued.verify_issuer(SIGNER.public_key).verify_holder(CHALLENGE, now=NOW)


def test_what_the_attestation_says_of_itself() -> None:
    """EAA-M-3, EAA-M-5: category and pseudonym; `shortLived` exactly where there is no status."""
    short = formats.parse_issued("mso_mdoc", _issued()).verify_issuer(SIGNER.public_key)
    assert short.claims[ETSI_NAMESPACE] == {"category": PUB_EAA_CATEGORY, "also_known_as": "pseudonym", "shortLived": True}
    assert (short.category, short.short_lived, short.status) == (PUB_EAA_CATEGORY, True, None)
    reference = StatusReference(uri="https://issuer.example/status/1", idx=7)
    listed = formats.parse_issued("mso_mdoc", _issued(status=reference)).verify_issuer(SIGNER.public_key)
    assert "shortLived" not in listed.claims[ETSI_NAMESPACE]
    assert (listed.status, listed.short_lived) == (reference, False)
    plain = formats.parse_issued("mso_mdoc", _issued(status=reference, category=None)).verify_issuer(SIGNER.public_key)
    assert (plain.category, ETSI_NAMESPACE in plain.claims) == (None, False)


def test_the_last_moment_of_validity_is_inside() -> None:
    """ISO/IEC 18013-5 §9.1.2.4 validUntil, with the one tolerance of a minute."""
    credential = formats.parse_issued("mso_mdoc", _issued()).verify_issuer(SIGNER.public_key)
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    end = NOW + timedelta(days=30)
    credential.check_validity(NOW - minute)
    credential.check_validity(end + minute)
    with pytest.raises(VerificationFailed, match="not_yet_valid"):
        credential.check_validity(NOW - minute - second)
    with pytest.raises(VerificationFailed, match="expired"):
        credential.check_validity(end + minute + second)


def test_without_a_chain_there_is_none() -> None:
    assert formats.parse_issued("mso_mdoc", _issued(signer=LocalSigner(SIGNER.private_key))).chain == ()
