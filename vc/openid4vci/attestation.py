"""What wallet attestations and key attestations have in common: a JWT signed by a Wallet Provider that names itself in `x5c`.

OpenID4VCI 1.0 Appendices D and E, HAIP 1.0 §4.4.1 and §4.5.1, EUDI TS3 v1.5 §2.2 to §2.4. Whether the provider is trusted, and
what its status list says, is for the caller: nothing here is fetched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys.signer import Signer
from vc.openid4vci import members
from vc.status import reference
from vc.status.reference import StatusReference
from vc.x509 import certificate, chain

# Other ways to name the key: a place to fetch from, or a key nobody has certified. Only `x5c` is read (HAIP 1.0 §4.5.1).
_FOREIGN_KEYS = ("jku", "x5u", "jwk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An attestation whose signature fits the first certificate of its own `chain`; nothing says yet that the chain is trusted."""

    claims: Mapping[str, Any]
    chain: tuple[x509.Certificate, ...]


def seal(claims: Mapping[str, Any], provider: Signer, *, typ: str) -> str:
    """The attestation, with the provider's chain in `x5c`. ValueError for a provider without certificates."""
    if not provider.chain:
        raise ValueError("a wallet provider signs under a certificate")
    return jws.sign({"typ": typ, "x5c": jws.x5c(provider.chain)}, json.dumps(dict(claims)), provider)


def open_signed(text: str, *, typ: str, algorithms: Sequence[str], max_length: int, prefix: str) -> Opened:
    """Read one attestation and check that it is signed by the certificate it carries.

    1 length  2 a JWT  3 `x5c` and no other key (nothing is fetched), leaf not self-signed, no anchor inside  4 `alg` is one of
    `algorithms` and the key's, no `crit`, `typ`  5 signature. Raises with codes that begin with `prefix` and an underscore.
    """
    if len(text) > max_length:
        raise Malformed(f"{prefix}_malformed", "the attestation is too long")
    try:
        unverified = jws.parse(text)
        claims = unverified.claims()
    except Malformed as exc:
        raise Malformed(f"{prefix}_malformed", "the attestation is not a JWT") from exc
    if any(name in unverified.header for name in _FOREIGN_KEYS):
        raise Refused(f"{prefix}_key", "the key of an attestation is named by x5c only")
    try:
        presented = jws.chain_of(unverified)
        chain.check_presented(presented)
        key = certificate.public_key(presented[0])
    except VcError as exc:
        raise VerificationFailed(f"{prefix}_certificate", exc.detail) from exc
    try:
        jws.verify(unverified, key, typ=typ, algorithms=algorithms)
    except VcError as exc:
        raise VerificationFailed(f"{prefix}_{exc.code.removeprefix('jws_')}", exc.detail) from exc
    return Opened(claims=claims, chain=presented)


def moment(claims: Mapping[str, Any], name: str, *, prefix: str) -> datetime | None:
    """A NumericDate, or None when it is absent. Raises `Malformed` with code `<prefix>_time`."""
    if name not in claims:
        return None
    try:
        return from_numeric_date(claims[name])
    except Malformed as exc:
        raise Malformed(f"{prefix}_time", f"{name} is not a date") from exc


def check_not_before(claims: Mapping[str, Any], now: datetime, tolerance: timedelta, *, prefix: str) -> datetime | None:
    """The beginning as `iat` (else `nbf`) says it, None for neither; neither may lie in the future."""
    issued_at, not_before = moment(claims, "iat", prefix=prefix), moment(claims, "nbf", prefix=prefix)
    for begin in (issued_at, not_before):
        if begin is not None and begin > now + tolerance:
            raise VerificationFailed(f"{prefix}_time", "iat or nbf lies in the future")
    return issued_at or not_before


def is_over(end: datetime | None, now: datetime, tolerance: timedelta = TOLERANCE) -> bool:
    """Whether `now` is at or after `end`, give the tolerance (RFC 7519 §4.1.4); no end is never over."""
    return end is not None and now - tolerance >= end


def status_claims(status: StatusReference | None, expires: datetime | None, wrapper: str) -> dict[str, Any]:
    """The claim that points to a status: `wrapper` with the time it is kept up to (TS3 §2.3), else a plain `status`."""
    if status is None:
        return {}
    claim = reference.to_claim(status)
    return {"status": claim} if expires is None else {wrapper: {"status": claim, "exp": to_numeric_date(expires)}}


def statuses(claims: Mapping[str, Any], wrapper: str, *, prefix: str) -> tuple[tuple[StatusReference, ...], datetime | None]:
    """Every status the attestation points to, the one in `wrapper` first, and until when the provider keeps that one up.

    Raises `Malformed` with code `<prefix>_status` for a status that cannot be read: it could not be checked either.
    """
    code = f"{prefix}_status"
    found: list[StatusReference] = []
    expires = None
    try:
        if wrapper in claims:
            kept = members.an_object(claims[wrapper], code)
            found.append(reference.from_claim(kept.get("status")))
            expires = from_numeric_date(kept.get("exp"))
        if "status" in claims:
            found.append(reference.from_claim(claims["status"]))
    except VcError as exc:
        raise Malformed(code, "the status of the attestation cannot be read") from exc
    return tuple(dict.fromkeys(found)), expires
