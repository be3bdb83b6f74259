"""Prepared credentials that passed the lint, each good for one signature."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from issuer.lint import Expected, fingerprint, lint
from vc import formats
from vc.errors import VcError, VerificationFailed
from vc.formats import PreparedCredential
from vc.keys.signer import LocalSigner, Signer
from vc.x509.certificate import public_key


class SignatureUnusable(VerificationFailed):
    """The signer answered, but what it gave is not a good signature over what was prepared; it must not leave."""


class Throwaway:
    """Keys made at start and used for the lint only, one per curve, shown with the chain of the signer they stand in for."""

    def __init__(self) -> None:
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def instead_of(self, signer: Signer) -> LocalSigner:
        """A signer with the same curve and chain as `signer` and a key nobody trusts."""
        key = self._keys.setdefault(signer.curve.name, ec.generate_private_key(signer.curve.curve))
        return LocalSigner(key, signer.chain)


class LintedCredential:
    """A prepared credential seen with the verifier's eyes. Made by the lint alone, signed once at most."""

    def __init__(
        self, prepared: PreparedCredential, expected: Expected, *, signer: Signer, throwaway: Throwaway, now: datetime
    ) -> None:
        """Raises `LintFailed`."""
        seen = lint(prepared, expected, throwaway=throwaway.instead_of(signer), now=now)
        self._prepared: PreparedCredential | None = prepared
        self._signer = signer
        self.fingerprint = fingerprint(seen)

    def sign(self) -> str:
        """The signed credential, its signature checked and its content compared with what the lint saw (SECURITY O-10).

        Raises `SignatureUnusable`, and whatever the signer raises. A second call raises RuntimeError: sign once.
        """
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            raise RuntimeError("a prepared credential is signed once")
        text = formats.sign(prepared, self._signer)
        try:
            signed = formats.parse_issued(prepared.format, text).verify_issuer(public_key(self._signer.chain[0]))
        except VcError as exc:
            raise SignatureUnusable("signature_unusable", exc.detail) from exc
        if fingerprint(signed) != self.fingerprint:
            raise SignatureUnusable("signature_unusable", "what was signed is not what was examined")
        return text
