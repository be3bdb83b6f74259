"""The table of curves: JOSE names, COSE numbers, hash and coordinate size; and raw ECDSA over it.

RFC 7518 §3.4 and §6.2.1, RFC 9053 §2.1 and §7.1, RFC 9864 (fully specified COSE algorithms).
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vc.errors import Malformed, Refused, VerificationFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One row: `size` is the length in octets of a coordinate and of each half of a raw signature."""

    name: str  # JOSE `crv`
    alg: str  # JOSE `alg`
    cose_crv: int
    cose_alg: int  # the polymorphic number of RFC 9053, which everybody emits
    cose_alg_specified: int  # RFC 9864
    size: int
    curve: ec.EllipticCurve
    ecdsa: ec.ECDSA


CURVES = (
    Curve(
        name="P-256", alg="ES256", cose_crv=1, cose_alg=-7, cose_alg_specified=-9,
        size=32, curve=ec.SECP256R1(), ecdsa=ec.ECDSA(hashes.SHA256()),
    ),
    Curve(
        name="P-384", alg="ES384", cose_crv=2, cose_alg=-35, cose_alg_specified=-51,
        size=48, curve=ec.SECP384R1(), ecdsa=ec.ECDSA(hashes.SHA384()),
    ),
    Curve(
        name="P-521", alg="ES512", cose_crv=3, cose_alg=-36, cose_alg_specified=-52,
        size=66, curve=ec.SECP521R1(), ecdsa=ec.ECDSA(hashes.SHA512()),
    ),
)  # fmt: skip

_BY_CURVE_NAME = {row.curve.name: row for row in CURVES}
BY_CRV = {row.name: row for row in CURVES}
BY_COSE_CRV = {row.cose_crv: row for row in CURVES}
ALGORITHMS = tuple(row.alg for row in CURVES)
"""JOSE names of the asymmetric algorithms this product signs and verifies with (ECCG ACM v2, EAA-P-10)."""


def curve_of(key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> Curve:
    """The row of a key's curve. Raises `Refused("key_curve")` for a curve outside the table."""
    row = _BY_CURVE_NAME.get(key.curve.name)
    if row is None:
        raise Refused("key_curve", "the curve is not P-256, P-384 or P-521")
    return row


def public_key(row: Curve, x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    """The public key with these coordinates. Raises `Malformed("key_point")` for a wrong length or a point off the curve."""
    if len(x) != row.size or len(y) != row.size:
        raise Malformed("key_point", "a coordinate has not the length of the curve")
    return _point(row.name, b"\x04" + x + y)


@lru_cache(maxsize=1024)
def _point(name: str, encoded: bytes) -> ec.EllipticCurvePublicKey:
    """A key from its point, remembered: one wallet key is met at token, credential and notification endpoint, in proof and lint,
    and the first use of a new key object costs a third of a verification."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(BY_CRV[name].curve, encoded)
    except ValueError as exc:
        raise Malformed("key_point", "the point is not on the curve") from exc


def coordinates(key: ec.EllipticCurvePublicKey) -> tuple[bytes, bytes]:
    """x and y of `key`, each of the curve's length."""
    encoded = point(key)
    middle = len(encoded) // 2 + 1
    return encoded[1:middle], encoded[middle:]


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point: 04, x and y (SEC 1 §2.3.3)."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign_raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """ECDSA signature of `message` as r‖s with the hash of the key's curve (RFC 7518 §3.4)."""
    row = curve_of(key)
    return _raw_from_der(key.sign(message, row.ecdsa), row.size)


def verify_raw(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Check an r‖s signature. Raises `VerificationFailed("signature")`, also for a wrong length and for zero values."""
    row = curve_of(key)
    if len(signature) != 2 * row.size:
        raise VerificationFailed("signature", "the signature has not the length of the algorithm")
    try:
        key.verify(_der_from_raw(signature, row.size), message, row.ecdsa)
    except InvalidSignature as exc:
        raise VerificationFailed("signature", "the signature does not fit the key and the content") from exc


def _der_from_raw(raw: bytes, size: int) -> bytes:
    """SEQUENCE { INTEGER r, INTEGER s } from r‖s. A zero r or s becomes an empty INTEGER, which no verifier accepts."""
    r, s = raw[:size].lstrip(b"\x00"), raw[size:].lstrip(b"\x00")
    r, s = b"\x00" + r if r[:1] >= b"\x80" else r, b"\x00" + s if s[:1] >= b"\x80" else s
    body = b"\x02%c%b\x02%c%b" % (len(r), r, len(s), s)
    return (b"\x30%c%b" if len(body) < 0x80 else b"\x30\x81%c%b") % (len(body), body)


def _raw_from_der(der: bytes, size: int) -> bytes:
    """r‖s from SEQUENCE { INTEGER r, INTEGER s } by slicing: the DER comes from our own library and is well formed."""
    at = 4 if der[1] < 0x80 else 5  # P-521 has a long-form length
    r_length = der[at - 1]
    r = der[at : at + r_length]
    s = der[at + r_length + 2 :]
    return r[-size:].rjust(size, b"\x00") + s[-size:].rjust(size, b"\x00")
