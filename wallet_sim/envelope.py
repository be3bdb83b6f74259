"""How a credential request and its answer travel: encrypted wherever the issuer offers that (OpenID4VCI 1.0 §10; VCI-ENC)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from edge.outbound import Fetched
from vc.errors import Refused, VerificationFailed
from vc.openid4vci import encryption
from vc.openid4vci.encryption import RequestEncryption, ResponseEncryption
from vc.openid4vci.metadata import IssuerMetadata
from wallet_sim.transcript import json_object

_KID = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One request and its answer. `to` None: the request goes plain. `back` None: so does the answer, else it is for `key`."""

    to: RequestEncryption | None = None
    back: ResponseEncryption | None = None
    key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)

    def seal(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """`value` as the arguments `Caller.post` takes: a JWE or JSON."""
        return {"body": dict(value)} if self.to is None else {"encrypted": encryption.seal_request(value, self.to)}

    def open(self, answer: Fetched, *, what: str) -> dict[str, Any]:
        """The JSON object of a good answer.

        Raises `VerificationFailed("response_plain")` for one that came plain although encryption was asked for (VCI-ENC-4).
        """
        if self.back is None or self.key is None:
            return json_object(answer, what=what)
        if answer.media_type != encryption.JWT:
            raise VerificationFailed("response_plain", f"the {what} answer is not encrypted although that was asked for")
        return encryption.open_response(answer.body.decode("ascii", errors="replace"), self.key, self.back)


def envelope(issuer: IssuerMetadata, *, encrypted: bool = True) -> Envelope:
    """A fresh envelope for one request to `issuer`. `encrypted` False: everything plain, whatever the issuer wants.

    The answer is asked for encrypted whenever the request can be (VCI-ENC-2), with a key for this answer alone. Raises
    `Refused("encryption_unsupported")` when it must be encrypted and cannot.
    """
    to, answers = issuer.request_encryption, issuer.response_encryption
    if not encrypted:
        return Envelope()
    if to is None:
        if issuer.encryption_required:
            raise Refused("encryption_unsupported", "the issuer wants encrypted answers but takes no encrypted requests")
        return Envelope()
    if answers is None:
        return Envelope(to=to)
    key = ec.generate_private_key(ec.SECP256R1())
    back = ResponseEncryption(key=key.public_key(), kid=_KID, enc=answers.enc_values[-1], zip=answers.zip)
    return Envelope(to=to, back=back, key=key)
