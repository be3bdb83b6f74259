"""What both formats have in common: the envelope going in, the credential coming out, the challenge it is bound to."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, check_within
from vc.documents.catalogue import Configuration
from vc.encoding.claims_path import Path
from vc.keys.signer import Signer
from vc.status.reference import StatusReference

PUB_EAA_CATEGORY = "urn:etsi:esi:eaa:eu:pub"
"""ETSI TS 119 472-1 V1.2.1 §5.2.2 (SD-JWT VC) and §6.2.2 (mdoc): a public sector body's attestation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What surrounds a document's claims in one credential.

    `issuer`: credential issuer identifier. `subject`: a pseudonym of the holder for this copy (EAA-S-5). `valid_from`,
    `valid_until`: technical validity; whether the last moment itself is good differs by format (`Credential.end_inside`).
    `status` None makes it short-lived (EAA-S-6). `category` None for a PID.
    `certificate_url`: where the signing certificate can be fetched (x5u, EAA-S-11). `registration_id`: EN 319 412-1 identifier.
    """

    issuer: str
    subject: str
    attestation_id: str
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    holder: ec.EllipticCurvePublicKey
    status: StatusReference | None
    category: str | None = None
    certificate_url: str | None = None
    vct_integrity: str | None = None
    registration_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCredential:
    """A credential without its signature. `inner` is the format's own prepared object."""

    format: str
    type_id: str
    inner: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What an OpenID4VP presentation must be bound to, taken from the signed request.

    `audience`: the full client_id with prefix. `encryption_thumbprint`: raw RFC 7638 thumbprint of the key the response was
    encrypted to, None when it was not encrypted (OpenID4VP 1.0 §B.2.6.1).
    """

    nonce: str
    audience: str
    response_uri: str
    encryption_thumbprint: bytes | None = None


@dataclass(frozen=True, slots=True)
class TranscriptChallenge:
    """An mdoc session transcript (CBOR) from elsewhere: proximity, or a recorded presentation."""

    session_transcript: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential whose issuer signature fits the given key and whose content is what was signed.

    Not looked at yet: who the key belongs to, validity, status, holder. `claims`: SD-JWT, the processed payload; mdoc, namespace →
    element → value, dates as ISO text. `disclosed`: concrete paths of what the holder chose to show (mdoc: every element).
    `end_inside`: whether `valid_until` itself is still good, which the formats see differently.
    """

    format: str
    type_id: str
    claims: Mapping[str, Any] = field(repr=False)
    issuer: str | None
    issued_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    end_inside: bool
    status: StatusReference | None
    short_lived: bool
    holder: ec.EllipticCurvePublicKey | None
    category: str | None
    disclosed: frozenset[Path] = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    _verify_holder: "HolderCheck" = field(repr=False)

    def check_validity(self, now: datetime, *, tolerance: timedelta = TOLERANCE) -> None:
        """Technical validity at `now` with the one clock tolerance (`vc.clock.check_within`).

        Raises `VerificationFailed` with code `not_yet_valid` or `expired`.
        """
        check_within(now, start=self.valid_from, end=self.valid_until, end_inside=self.end_inside, tolerance=tolerance)

    def verify_holder(self, challenge: Challenge | TranscriptChallenge, *, now: datetime) -> None:
        """Check that the holder's key signed this very presentation for `challenge` (SDJ-10, MDOC-VER-7).

        Raises `VerificationFailed` with the exact reason.
        """
        self._verify_holder(challenge, now)


HolderCheck = Callable[[Challenge | TranscriptChallenge, datetime], None]


class UnverifiedCredential(Protocol):
    """A credential taken apart: `type_id` and `chain` are claims of whoever made it."""

    @property
    def format(self) -> str: ...
    @property
    def type_id(self) -> str: ...
    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Certificates that came along, leaf first; empty when none did."""
        ...

    @property
    def has_binding(self) -> bool:
        """Whether a proof of the holder came along, good or bad."""
        ...

    def verify_issuer(self, key: ec.EllipticCurvePublicKey) -> Credential:
        """Check signature and content with `key`. Raises `Malformed`, `Refused`, `VerificationFailed`."""
        ...


class Format(Protocol):
    """One row of the table."""

    def prepare(
        self, configuration: Configuration, claims: Mapping[str, Any], envelope: Envelope, *, random_bytes: Callable[[int], bytes]
    ) -> PreparedCredential: ...
    def sign(self, prepared: PreparedCredential, signer: Signer) -> str: ...
    def parse_issued(self, text: str) -> UnverifiedCredential: ...
    def parse_presented(self, text: str) -> UnverifiedCredential: ...
    def present(self, text: str, *, holder: Signer, disclose: Collection[Path], challenge: Challenge, now: datetime) -> str: ...
