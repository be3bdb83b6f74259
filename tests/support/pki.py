"""Certificates and signers for tests, in words that read like the case: `root.signs(leaf)`. Keys are made at run time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.keys.signer import LocalSigner
from vc.x509.build import CertificateSpec, issue

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_serials = count(1000)


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """A fresh private key, P-256 unless told."""
    return ec.generate_private_key(curve or ec.SECP256R1())


def holder() -> LocalSigner:
    """A holder's bare key."""
    return LocalSigner(new_key())


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its certificate, its key, and what it signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = field(default=())  # intermediates between this CA and the root, this CA first

    def authority(self, common_name: str, **changes: Any) -> "Authority":
        """An intermediate CA."""
        key = new_key()
        spec = replace(_ca_spec(common_name), **changes)
        certificate = issue(spec, key.public_key(), signer=self.key, issuer=self.certificate, serial=next(_serials))
        return Authority(certificate, key, (certificate, *self.above))

    def leaf(
        self, *, key: ec.EllipticCurvePrivateKey | None = None, subject: dict[str, str] | None = None, **changes: Any
    ) -> LocalSigner:
        """An end-entity signer with its chain (leaf and intermediates, never the root)."""
        key = key or new_key()
        spec = CertificateSpec(
            subject=subject or {"C": "FR", "O": "Test Institution", "CN": "Test leaf"},
            not_before=NOW - timedelta(days=30),
            not_after=NOW + timedelta(days=300),
        )
        spec = replace(spec, **changes)
        certificate = issue(spec, key.public_key(), signer=self.key, issuer=self.certificate, serial=next(_serials))
        return LocalSigner(key, (certificate, *self.above))


def root(common_name: str = "Test root", **changes: Any) -> Authority:
    """A self-signed CA, valid a year around `NOW`."""
    key = new_key()
    spec = replace(_ca_spec(common_name), path_length=2, **changes)
    return Authority(issue(spec, key.public_key(), signer=key, issuer=None, serial=next(_serials)), key)


def _ca_spec(common_name: str) -> CertificateSpec:
    usages: Sequence[str] = ("key_cert_sign", "crl_sign")
    return CertificateSpec(
        subject={"C": "FR", "O": "Test Authority", "CN": common_name},
        not_before=NOW - timedelta(days=60),
        not_after=NOW + timedelta(days=365),
        ca=True,
        path_length=1,
        usages=usages,
    )
