"""COSE_Sign1 (RFC 9052 §4.2): build and verify, attached and detached, with an explicit list of algorithms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cbor2 import CBORTag
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import cbor
from vc.errors import Malformed, Refused, VerificationFailed
from vc.keys.ec import CURVES, curve_of, verify_raw
from vc.keys.signer import Signer
from vc.x509.certificate import MAX_CHAIN, der, from_der

ALG, CRIT, KID, TYP, X5CHAIN, X5T, X5U = 1, 2, 4, 16, 33, 34, 35
COSE_ALGORITHMS = tuple(number for row in CURVES for number in (row.cose_alg, row.cose_alg_specified))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedSign1:
    """A parsed structure whose signature nobody has looked at yet. `payload` is None when detached."""

    protected_bytes: bytes
    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes | None
    signature: bytes


def sign(
    payload: bytes,
    signer: Signer,
    *,
    protected: Mapping[int, Any] | None = None,
    unprotected: Mapping[int, Any] | None = None,
    detached: bool = False,
) -> list[Any]:
    """The COSE_Sign1 array (untagged) over `payload`; `alg` is set from the signer and put first in the protected header."""
    protected_bytes = cbor.dumps({ALG: signer.curve.cose_alg, **(protected or {})})
    signature = signer.sign(to_be_signed(protected_bytes, payload))
    return [protected_bytes, dict(unprotected or {}), None if detached else payload, signature]


def parse(value: object) -> UnverifiedSign1:
    """Take a decoded COSE_Sign1 apart, tagged (18) or not. Raises `Malformed("cose_sign1")`."""
    if isinstance(value, CBORTag) and value.tag == 18:
        value = value.value
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise Malformed("cose_sign1", "COSE_Sign1 is an array of four")
    protected_bytes, unprotected, payload, signature = value
    if not isinstance(protected_bytes, bytes) or not _is_map(unprotected) or not isinstance(signature, bytes):
        raise Malformed("cose_sign1", "a member of COSE_Sign1 has the wrong type")
    if payload is not None and not isinstance(payload, bytes):
        raise Malformed("cose_sign1", "the payload is neither bytes nor nil")
    protected = header(protected_bytes)
    if not protected.keys().isdisjoint(unprotected):  # RFC 9052 §3: a label occurs once over both headers
        raise Malformed("cose_header_twice", "a header parameter stands in both headers")
    return UnverifiedSign1(
        protected_bytes=protected_bytes, protected=protected, unprotected=unprotected, payload=payload, signature=signature
    )


def header(protected_bytes: bytes) -> Mapping[Any, Any]:
    """The protected header in `protected_bytes`, read-only. Raises `Malformed("cose_sign1")` when it is not a map.

    Short ones are remembered: whoever signs much writes the same header each time.
    """
    return _short_header(protected_bytes) if len(protected_bytes) <= _SHORT else _header(protected_bytes)


def _header(protected_bytes: bytes) -> Mapping[Any, Any]:
    value = cbor.decode(protected_bytes) if protected_bytes else {}
    if not _is_map(value):
        raise Malformed("cose_sign1", "the protected header is not a map")
    return MappingProxyType(value)


def _is_map(value: object) -> bool:
    return type(value) is dict or isinstance(value, Mapping)  # the first is the usual case and much cheaper to see


_SHORT = 512
_short_header = lru_cache(maxsize=512)(_header)


def verify(
    unverified: UnverifiedSign1,
    key: ec.EllipticCurvePublicKey,
    *,
    payload: bytes | None = None,
    algorithms: Sequence[int] = COSE_ALGORITHMS,
) -> bytes:
    """Check the signature and return the payload that was signed.

    `payload` is given for a detached structure and only then: both or neither is `Refused("cose_payload")`. Raises
    `Refused("cose_alg")` (missing, not listed, not the key's, or only unprotected), `Refused("cose_crit")`,
    `VerificationFailed("signature")`.
    """
    row = curve_of(key)
    alg = unverified.protected.get(ALG)
    if type(alg) is not int or alg not in algorithms or alg not in (row.cose_alg, row.cose_alg_specified):
        raise Refused("cose_alg", "the algorithm is not allowed or not that of the key")
    if CRIT in unverified.protected or CRIT in unverified.unprotected:
        raise Refused("cose_crit", "the structure asks for an extension that is not understood")
    content = unverified.payload if payload is None else payload
    if content is None or (payload is not None and unverified.payload is not None):
        raise Refused("cose_payload", "the payload is attached where it must be detached, or missing")
    verify_raw(key, unverified.signature, to_be_signed(unverified.protected_bytes, content))
    return content


def x5chain(chain: Sequence[x509.Certificate]) -> bytes | list[bytes]:
    """The `x5chain` value: one byte string for one certificate, else an array, leaf first (RFC 9360 §2)."""
    encoded = [der(certificate) for certificate in chain]
    return encoded[0] if len(encoded) == 1 else encoded


def chain_of(unverified: UnverifiedSign1) -> tuple[x509.Certificate, ...]:
    """The certificates of `x5chain`, leaf first, from either header; nothing about them is checked here.

    Raises `VerificationFailed("x5chain_missing")` or `Malformed("x5chain")`.
    """
    value = unverified.unprotected.get(X5CHAIN, unverified.protected.get(X5CHAIN))
    if value is None:
        raise VerificationFailed("x5chain_missing", "the signature names no certificate")
    entries = [value] if isinstance(value, bytes) else value
    if not isinstance(entries, list | tuple) or not 0 < len(entries) <= MAX_CHAIN or not all(isinstance(e, bytes) for e in entries):
        raise Malformed("x5chain", f"x5chain is one certificate or a list of up to {MAX_CHAIN}")
    return tuple(from_der(entry) for entry in entries)


def to_be_signed(protected_bytes: bytes, payload: bytes) -> bytes:
    """The encoded Sig_structure (RFC 9052 §4.4): what the signature is over."""
    # ["Signature1", protected, external_aad, payload]; external_aad is empty throughout
    heads = cbor.head(cbor.BYTES, len(protected_bytes)), cbor.head(cbor.BYTES, len(payload))
    return b"".join((b"\x84\x6aSignature1", heads[0], protected_bytes, b"\x40", heads[1], payload))
