"""The seal on a list: compact JAdES baseline B-B (ETSI TS 119 182-1 V1.2.1; TS 119 602 clause 6.8).

Written: what a header profile says (`jades_profiles`). Read with the tolerance the field needs: other `typ` values, `sigT`
instead of `iat`, no signing time at all, one of `x5c` and `x5t#S256` alone; each is reported as a note. Never tolerated: an
unpinned signer, `x5t`, a detached payload, `none` and HMAC, an unknown critical header, duplicate members.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from trust_list.jades_profiles import HeaderProfile, header
from trust_list.model import MAX_LIST
from vc.clock import from_numeric_date
from vc.encoding import base64url
from vc.errors import Malformed, Refused, VerificationFailed
from vc.jose import jws
from vc.keys.ec import ALGORITHMS, curve_of, verify_raw
from vc.keys.signer import Signer
from vc.x509.certificate import from_x5c, public_key, sha256
from vc.x509.profiles import LIST_SIGNER, check_leaf

FUTURE = timedelta(minutes=5)
"""How far a signing or issue time may lie ahead of our clock (TRUST 7.2 rule 2)."""
_TYPES = frozenset({"jose", "jades", "jwt", "trustlist+jwt"})
_UNDERSTOOD_CRITICAL = frozenset({"sigT"})  # JAdES before V1.2.1 had to mark it critical
_DETACHED = frozenset({"sigD", "b64"})
MAX_JWS = MAX_LIST * 4 // 3 + 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A payload whose seal was verified. `signed_at` is the signer's own claim, None when it makes none."""

    payload: bytes
    signer: x509.Certificate
    signed_at: datetime | None
    notes: tuple[str, ...]


def sign(payload: bytes, signer: Signer, *, at: datetime, profile: HeaderProfile = HeaderProfile.BASELINE) -> str:
    """The compact JWS over `payload`, its headers after `profile`; `at` becomes `iat`."""
    return jws.sign(header(signer.chain[0], at=at, profile=profile), payload, signer)


def verify(token: bytes, *, pinned: frozenset[bytes], known: Mapping[bytes, x509.Certificate], now: datetime) -> Sealed:
    """Check the seal of one list.

    `pinned`: SHA-256 of the DER of every certificate that may seal this list type. `known`: certificates by that digest,
    for seals that carry none. `now`: the time at which the certificate must be valid.

    Raises `Malformed` (`jws`, `base64url`, `json…`, `x5c`, `certificate`, `too_large`, `jades_header`), `Refused`
    (`jades_alg`, `jades_crit`, `jades_typ`, `jades_x5t`, `jades_detached`), `VerificationFailed` (`list_signer_unpinned`,
    `list_signer_unknown`, `list_signer_mismatch`, `list_signer_expired`, the codes of `check_leaf`, `signature`,
    `signed_in_future`).
    """
    try:
        text = token.decode("ascii").strip("\r\n")
    except UnicodeDecodeError as exc:
        raise Malformed("jws", "a compact JWS is ASCII text") from exc
    unverified = jws.parse(text, max_length=MAX_JWS)
    stated = unverified.header
    notes: list[str] = []
    _check_type(stated, notes)
    if not _DETACHED.isdisjoint(stated) or not unverified.payload:
        raise Refused("jades_detached", "the list is not inside its seal")
    certificate = _signer(stated, pinned, known)
    alg = stated.get("alg")
    if alg not in ALGORITHMS or alg != curve_of(public_key(certificate)).alg:
        raise Refused("jades_alg", "the algorithm is not allowed or not that of the pinned key")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise VerificationFailed("list_signer_expired", "the signer's certificate is not valid at this time")
    check_leaf(certificate, LIST_SIGNER)
    verify_raw(public_key(certificate), unverified.signature, unverified.signing_input)
    signed_at = _signed_at(stated, notes)
    if signed_at is not None and signed_at > now + FUTURE:
        raise VerificationFailed("signed_in_future", "the list claims to be signed in the future")
    return Sealed(payload=unverified.payload, signer=certificate, signed_at=signed_at, notes=tuple(notes))


def _check_type(header: Mapping[str, Any], notes: list[str]) -> None:
    typ = header.get("typ", "JOSE")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        raise Refused("jades_typ", "the token type is not that of a sealed list")
    if typ != "JOSE":
        notes.append("typ is not JOSE")
    if "crit" in header:
        critical = header["crit"]
        if (
            not isinstance(critical, list)
            or not critical
            or not all(isinstance(name, str) and name in _UNDERSTOOD_CRITICAL and name in header for name in critical)
        ):
            raise Refused("jades_crit", "the seal marks a header as critical that is not understood or not there")
    if "x5t" in header:  # TS 119 182-1: SHA-1 is forbidden
        raise Refused("jades_x5t", "the seal names its certificate by SHA-1")


def _signer(header: Mapping[str, Any], pinned: frozenset[bytes], known: Mapping[bytes, x509.Certificate]) -> x509.Certificate:
    """The pinned certificate the header names. Where both headers are given they must name the same one."""
    stated = header.get("x5t#S256")
    if "x5t#S256" in header and not isinstance(stated, str):
        raise Malformed("jades_header", "x5t#S256 is not a text")
    digest = base64url.decode(stated) if isinstance(stated, str) else None
    certificate = known.get(digest) if digest is not None else None
    if "x5c" in header:
        certificate = from_x5c(header["x5c"])[0]
        if digest is not None and digest != sha256(certificate):
            raise VerificationFailed("list_signer_mismatch", "x5t#S256 and x5c name different certificates")
        digest = sha256(certificate)
    elif digest is None:
        raise VerificationFailed("list_signer_unknown", "the seal names its certificate in no way that is supported")
    if digest not in pinned:
        raise VerificationFailed("list_signer_unpinned", "the certificate of the seal is not pinned for this list type")
    if certificate is None:
        raise VerificationFailed("list_signer_unknown", "the seal carries no certificate and none is at hand")
    return certificate


def _signed_at(header: Mapping[str, Any], notes: list[str]) -> datetime | None:
    """`iat` (required in new seals), else `sigT` (forbidden in new seals but still to be parsed)."""
    signed_at = None
    if "sigT" in header:
        notes.append("sigT is given, which new seals may not carry")
        try:
            signed_at = datetime.strptime(header["sigT"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except (ValueError, TypeError) as exc:
            raise Malformed("jades_header", "sigT is not a UTC time") from exc
    if "iat" in header:
        if type(header["iat"]) is not int:
            raise Malformed("jades_header", "iat is not an integer")
        signed_at = from_numeric_date(header["iat"])
    if "iat" not in header:
        notes.append("iat is missing")
    return signed_at
