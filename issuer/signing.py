"""Credentials that passed the lint, each good for one signature."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from issuer.lint import Examined, Examiner, Expected, fingerprint
from vc import formats
from vc.errors import VcError, VerificationFailed
from vc.formats import PreparedCredential
from vc.keys.ec import verify_raw
from vc.keys.signer import Signer
from vc.x509.certificate import public_key


class SignatureUnusable(VerificationFailed):
    """The signer answered, but what it gave is not a good signature over what was prepared; it must not leave."""


class LintedCredential:
    """A prepared credential seen with the verifier's eyes. Made by the lint alone, signed once at most."""

    def __init__(
        self, prepared: PreparedCredential, expected: Expected, *, signer: Signer, examiner: Examiner, now: datetime
    ) -> None:
        """Raises `LintFailed`."""
        self._examined: Examined = examiner.lint(prepared, expected, signer=signer, now=now)
        self._prepared: PreparedCredential | None = prepared
        self._signer = signer
        self.fingerprint = fingerprint(self._examined.credential)

    def sign(self) -> str:
        """The signed credential (SECURITY O-10): the key sees what the lint saw and nothing else, and the signature is checked.

        Raises `SignatureUnusable`, and whatever the signer raises. A second call raises RuntimeError: sign once.
        """
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            raise RuntimeError("a prepared credential is signed once")
        return formats.sign(prepared, _Checked(self._signer, self._examined.message))


class _Checked:
    """A signer for one message: `message`. What it gives was verified with the key of the certificate it is shown with."""

    def __init__(self, signer: Signer, message: bytes) -> None:
        self._signer, self._message = signer, message
        self.curve, self.chain = signer.curve, signer.chain

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._signer.public_key

    def sign(self, message: bytes) -> bytes:
        """The signature. Raises `SignatureUnusable` before the key is used when `message` is another one, after it when the
        signature does not fit."""
        if message != self._message:
            raise SignatureUnusable("signature_unusable", "what is to be signed is not what was examined")
        signature = self._signer.sign(message)
        try:
            verify_raw(public_key(self.chain[0]), signature, message)
        except VcError as exc:
            raise SignatureUnusable("signature_unusable", exc.detail) from exc
        return signature
