"""`dc+sd-jwt` between documents and SD-JWT: what the table adds to both."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes

import pytest

from tests.support.pki import NOW, holder, root
from vc import formats
from vc.documents import catalogue
from vc.encoding import base64url
from vc.errors import Refused, VerificationFailed
from vc.formats import Challenge, Envelope, TranscriptChallenge
from vc.formats.model import PUB_EAA_CATEGORY
from vc.jose import jws
from vc.keys.signer import LocalSigner

HOLDER, SEAL = holder(), root().leaf()
CONFIGURATION = catalogue.CONFIGURATIONS["pda1_dc4eu-2_sd_jwt"]
_SAMPLE = json.loads((Path(__file__).parents[3] / "data" / "pda1-samples.json").read_text())[0]
DOCUMENT = catalogue.parse("pda1", _SAMPLE["document_data"], identity=_SAMPLE["identity"])
CHALLENGE = Challenge(nonce="n" * 22, audience="x509_hash:abc", response_uri="https://verifier.example/response")


def _issued(signer: LocalSigner = SEAL) -> str:
    envelope = Envelope(
        issuer="https://issuer.example/x",
        subject="s",
        attestation_id="a",
        issued_at=NOW,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=30),
        holder=HOLDER.public_key,
        status=None,
        category=PUB_EAA_CATEGORY,
    )
    return formats.sign(formats.prepare(CONFIGURATION, DOCUMENT, envelope, random_bytes=token_bytes), signer)


def test_issued_presented_verified() -> None:
    credential = formats.parse_issued("dc+sd-jwt", _issued()).verify_issuer(SEAL.public_key)
    assert (credential.short_lived, credential.status, credential.category) == (True, None, PUB_EAA_CATEGORY)
    shown = formats.present("dc+sd-jwt", _issued(), holder=HOLDER, disclose=[("document_number",)], challenge=CHALLENGE, now=NOW)
    presented = formats.parse_presented("dc+sd-jwt", shown)
    assert presented.has_binding
    verified = presented.verify_issuer(SEAL.public_key)
    assert verified.disclosed == {("document_number",)}
    verified.verify_holder(CHALLENGE, now=NOW)
    with pytest.raises(VerificationFailed, match="key_binding_nonce"):
        verified.verify_holder(replace(CHALLENGE, nonce="m" * 22), now=NOW)


def test_an_sd_jwt_is_not_bound_to_a_transcript() -> None:
    credential = formats.parse_issued("dc+sd-jwt", _issued()).verify_issuer(SEAL.public_key)
    with pytest.raises(VerificationFailed, match="key_binding_expectation"):
        credential.verify_holder(TranscriptChallenge(b""), now=NOW)


def test_technical_validity_has_two_ends_and_one_tolerance() -> None:
    credential = formats.parse_issued("dc+sd-jwt", _issued()).verify_issuer(SEAL.public_key)
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    end = NOW + timedelta(days=30)
    credential.check_validity(NOW - minute)
    credential.check_validity(end + minute - second)
    with pytest.raises(VerificationFailed, match="not_yet_valid"):
        credential.check_validity(NOW - minute - second)
    with pytest.raises(VerificationFailed, match="expired"):  # RFC 7519 §4.1.4: on or after
        credential.check_validity(end + minute)


def test_the_thumbprint_in_the_header_is_that_of_the_signer() -> None:
    """EAA-S-11, RFC 7515 §4.1.8: another `x5t#S256` beside a genuine chain is refused."""
    token, rest = _issued().split("~", 1)
    found = jws.parse(token)
    header = {name: value for name, value in found.header.items() if name != "alg"}
    forged = jws.sign({**header, "x5t#S256": base64url.encode(bytes(32))}, found.payload, SEAL)
    with pytest.raises(VerificationFailed, match="x5t"):
        formats.parse_issued("dc+sd-jwt", f"{forged}~{rest}").verify_issuer(SEAL.public_key)


def test_without_a_chain_there_is_none() -> None:
    assert formats.parse_issued("dc+sd-jwt", _issued(LocalSigner(SEAL.private_key))).chain == ()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(Refused, match="unknown_format"):
        formats.parse_issued("jwt_vc_json", "x")
