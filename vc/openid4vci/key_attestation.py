"""Key attestations: a Wallet Provider vouches for where a wallet's keys live (OpenID4VCI 1.0 Appendix D, EUDI TS3 v1.5 §2.3.2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, to_numeric_date
from vc.errors import Malformed, VcError, VerificationFailed
from vc.keys import jwk
from vc.keys.ec import ALGORITHMS
from vc.keys.signer import Signer
from vc.openid4vci import attestation as attestations
from vc.openid4vci import members
from vc.status.reference import StatusReference

TYP = "key-attestation+jwt"
MAX_LENGTH = 48 * 1024
LEVELS = ("iso_18045_basic", "iso_18045_enhanced-basic", "iso_18045_moderate", "iso_18045_high")
"""Attack potential resistance, weakest first (Appendix D.2). Other values are compared as they are."""
_PREFIX = "proof_attestation"
_KEY_STORAGE_STATUS = "key_storage_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttestation:
    """Attested keys; only `verify` makes one. `key_names`: the `kid` each key has in the attestation, if any.

    Still the caller's: whether `chain` leads to a trusted Wallet Provider, what every one of `statuses` says, and `check_level`.
    Unless the chain is trusted the attestation says nothing at all. `status_expires`: until when the provider keeps the first
    status up, which bounds what is issued on it (EAA-I-9).
    """

    keys: tuple[ec.EllipticCurvePublicKey, ...]
    key_names: tuple[str | None, ...]
    chain: tuple[x509.Certificate, ...]
    issued_at: datetime
    expires: datetime | None
    nonce: str | None
    key_storage: tuple[str, ...]
    user_authentication: tuple[str, ...]
    certification: Any
    statuses: tuple[StatusReference, ...]
    status_expires: datetime | None

    @property
    def status(self) -> StatusReference | None:
        """The status of the key storage (`key_storage_status`), else that of the attestation."""
        return self.statuses[0] if self.statuses else None


def create(
    provider: Signer,
    *,
    keys: Sequence[ec.EllipticCurvePublicKey],
    now: datetime,
    expires: datetime | None,
    nonce: str | None = None,
    key_storage: Sequence[str] = (),
    user_authentication: Sequence[str] = (),
    status: StatusReference | None = None,
    key_storage_status_expires: datetime | None = None,
    certification: Any = None,
) -> str:
    """The Wallet Provider's attestation of `keys`: the text of a proof of type `attestation`, or for the header of a `jwt` proof.

    `nonce`: the issuer's c_nonce, needed for the former; `expires`: needed for the latter. With `key_storage_status_expires`,
    `status` goes into `key_storage_status` (TS3). ValueError without keys.
    """
    if not keys:
        raise ValueError("an attestation is made for keys")
    optional = {
        "nonce": nonce,
        "key_storage": list(key_storage) or None,
        "user_authentication": list(user_authentication) or None,
        "certification": certification,
        "exp": None if expires is None else to_numeric_date(expires),
    }
    claims = {
        "iat": to_numeric_date(now),
        "attested_keys": [jwk.from_public(key) for key in keys],
        **{name: value for name, value in optional.items() if value is not None},
        **attestations.status_claims(status, key_storage_status_expires, _KEY_STORAGE_STATUS),
    }
    return attestations.seal(claims, provider, typ=TYP)


def verify(
    text: str,
    *,
    in_jwt_proof: bool,
    check_nonce: Callable[[str], None],
    now: datetime,
    algorithms: Sequence[str] = ALGORITHMS,
    tolerance: timedelta = TOLERANCE,
) -> KeyAttestation:
    """Check one key attestation (VCI-CRED-7).

    1 signed by the certificate in it  2 `iat` there and not in the future, not expired; `exp` there when it is `in_jwt_proof`
    3 `attested_keys`: at least one, all public, none twice  4 levels and status readable, the status still kept up  5 `nonce`:
    there when it is a proof of its own; `check_nonce` (last) raises for one that is not ours, spent or over.

    Raises with codes that begin with `proof_attestation_`, or with `nonce_missing` and whatever `check_nonce` raises.
    """
    opened = attestations.open_signed(text, typ=TYP, algorithms=algorithms, max_length=MAX_LENGTH, prefix=_PREFIX)
    claims = opened.claims
    attestations.check_not_before(claims, now, tolerance, prefix=_PREFIX)
    issued_at = attestations.moment(claims, "iat", prefix=_PREFIX)
    expires = attestations.moment(claims, "exp", prefix=_PREFIX)
    if issued_at is None or (in_jwt_proof and expires is None):
        raise Malformed(f"{_PREFIX}_time", "iat is missing, or exp inside a proof of type jwt")
    if attestations.is_over(expires, now, tolerance):
        raise VerificationFailed(f"{_PREFIX}_expired", "the key attestation has expired")
    keys, names = _keys(claims)
    statuses, status_expires = attestations.statuses(claims, _KEY_STORAGE_STATUS, prefix=_PREFIX)
    if attestations.is_over(status_expires, now, tolerance):
        raise VerificationFailed(f"{_PREFIX}_stale", "the status of the key storage is no longer kept up")
    storage, authentication = _levels(claims, "key_storage"), _levels(claims, "user_authentication")
    nonce = claims.get("nonce")
    if "nonce" in claims or not in_jwt_proof:
        if not isinstance(nonce, str) or not nonce:
            raise VerificationFailed("nonce_missing", "the key attestation has no nonce")
        check_nonce(nonce)
    return KeyAttestation(
        keys=keys,
        key_names=names,
        chain=opened.chain,
        issued_at=issued_at,
        expires=expires,
        nonce=nonce,
        key_storage=storage,
        user_authentication=authentication,
        certification=claims.get("certification"),
        statuses=statuses,
        status_expires=status_expires,
    )


def check_level(attestation: KeyAttestation, *, key_storage: Sequence[str], user_authentication: Sequence[str]) -> None:
    """Whether the attestation reaches what `key_attestations_required` asks for (VCI-CRED-8); an empty list asks for nothing.

    Each list names accepted levels, one of which must be reached: the value itself, or one above it in `LEVELS`. Raises
    `VerificationFailed("proof_attestation_level")`.
    """
    for name, accepted, shown in (
        ("key_storage", key_storage, attestation.key_storage),
        ("user_authentication", user_authentication, attestation.user_authentication),
    ):
        if accepted and not any(_reaches(value, level) for value in shown for level in accepted):
            raise VerificationFailed(f"{_PREFIX}_level", f"{name} of the key attestation is not one that is accepted here")


def _reaches(value: str, level: str) -> bool:
    if value not in LEVELS or level not in LEVELS:
        return value == level
    return LEVELS.index(value) >= LEVELS.index(level)


def _keys(claims: Mapping[str, Any]) -> tuple[tuple[ec.EllipticCurvePublicKey, ...], tuple[str | None, ...]]:
    code = f"{_PREFIX}_keys"
    try:
        entries = members.array(claims, "attested_keys", code) or []
        keys = tuple(jwk.parse_public(entry) for entry in entries)
        names = tuple(members.text(entry, "kid", code) for entry in entries)
    except VcError as exc:
        raise Malformed(code, "attested_keys is not a list of public EC keys") from exc
    if not keys or len({jwk.thumbprint(key) for key in keys}) != len(keys):
        raise Malformed(code, "attested_keys is empty, or has one key twice")
    return keys, names


def _levels(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return members.texts(claims, name, f"{_PREFIX}_level") or ()
