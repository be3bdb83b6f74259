"""The signer protocol: who signs, with which algorithm, under which certificate chain; and the in-memory signer."""

from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.keys.ec import Curve, curve_of, sign_raw


class Signer(Protocol):
    """Something that signs without showing its key: a file key here, a hardware module later.

    `chain`: certificate of the key first, then intermediates, never the trust anchor (HAIP 1.0 §4.5.1, §6.1); empty for a bare key.
    """

    @property
    def curve(self) -> Curve: ...
    @property
    def public_key(self) -> ec.EllipticCurvePublicKey: ...
    @property
    def chain(self) -> tuple[x509.Certificate, ...]: ...
    def sign(self, message: bytes) -> bytes:
        """The raw r‖s signature over `message` with the hash of the curve."""
        ...


@dataclass(frozen=True, slots=True)
class LocalSigner:
    """A private key held in memory, with its chain. For demo, tests and wallets."""

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def curve(self) -> Curve:
        return curve_of(self.private_key)

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.private_key.public_key()

    def sign(self, message: bytes) -> bytes:
        return sign_raw(self.private_key, message)
