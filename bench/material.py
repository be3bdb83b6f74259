"""What is issued and verified: 25 synthetic claims, real keys, a certificate chain of one."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.keys.jwk import from_public
from vc.keys.signer import LocalSigner
from vc.x509.build import CertificateSpec, issue
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER

NOW = datetime.now(UTC).replace(microsecond=0)
UNTIL = NOW + timedelta(days=90)
NONCE, AUDIENCE = secrets.token_urlsafe(24), "x509_hash:" + secrets.token_urlsafe(32)
DOCTYPE = NAMESPACE = "eu.europa.ec.eudi.pda1.1"
CLAIMS = 25
SHOWN = 6
NAMES = tuple(f"claim_{number:02}" for number in range(CLAIMS))


def values() -> dict[str, Any]:
    """25 claims of the sizes a PDA1 has: numbers, dates, names, one address."""
    texts = ("FR-A1-TEST-0000001", "2026-09-01", "Toitures du Rhône SAS (fictive)", "FR", "01")
    claims: dict[str, Any] = {name: f"{texts[number % len(texts)]} {number}" for number, name in enumerate(NAMES)}
    claims[NAMES[-1]] = {"street_address": "Musterstraße 12", "postal_code": "70173", "locality": "Stuttgart", "country": "DE"}
    return claims


def _signer(*, eku: tuple[x509.ObjectIdentifier, ...] = ()) -> tuple[LocalSigner, x509.Certificate]:
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    span: dict[str, Any] = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=400)}
    root_spec = CertificateSpec(
        subject={"C": "FR", "CN": "Bench CA (test)"}, ca=True, path_length=0, usages=("key_cert_sign",), **span
    )
    root = issue(root_spec, root_key.public_key(), signer=root_key, issuer=None, serial=x509.random_serial_number())
    leaf_spec = CertificateSpec(subject={"C": "FR", "O": "Bench (test)", "CN": "Bench signer (test)"}, eku=eku, **span)
    leaf = issue(leaf_spec, leaf_key.public_key(), signer=root_key, issuer=root, serial=x509.random_serial_number())
    return LocalSigner(leaf_key, (leaf,)), root


SEAL, SEAL_CA = _signer()
DOCUMENT_SIGNER, IACA = _signer(eku=(MDOC_DOCUMENT_SIGNER,))
HOLDER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
HOLDER_JWK = from_public(HOLDER.public_key)
