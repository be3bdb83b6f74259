"""One certificate at a time: reading it strictly and the small facts about it that others compare."""

import hashlib
from base64 import b64decode
from binascii import Error as BinasciiError
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vc.errors import Malformed, Refused

MAX_CHAIN = 6
MAX_DER = 16 * 1024


@lru_cache(maxsize=256)
def from_der(der: bytes) -> x509.Certificate:
    """The certificate of `der`. Raises `Malformed("certificate")` also for trailing bytes and over-long input.

    Remembers the last ones: a verifier meets the same issuers' certificates again and again, and reading one costs as much as
    verifying a signature. Bounded by `MAX_DER` times the number kept; faults are not remembered.
    """
    if len(der) > MAX_DER:
        raise Malformed("certificate", "the certificate is too long")
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Lazily parsed members: look now, so that nobody who holds a certificate meets a surprise later.
        _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.public_key()
        return certificate
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
    ) as exc:
        raise Malformed("certificate", "not a readable X.509 certificate") from exc


def from_x5c(value: object) -> tuple[x509.Certificate, ...]:
    """The certificates of a JOSE `x5c` value (RFC 7515 §4.1.6). Raises `Malformed("x5c")` or `Malformed("certificate")`."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_CHAIN or not {str}.issuperset(map(type, value)):
        raise Malformed("x5c", f"x5c is a list of 1 to {MAX_CHAIN} texts")
    try:
        return tuple([_from_text(item) for item in value])
    except (BinasciiError, UnicodeEncodeError) as exc:
        raise Malformed("x5c", "an entry is not standard base64") from exc


@lru_cache(maxsize=256)
def _from_text(text: str) -> x509.Certificate:
    """A certificate from standard base64; remembered like `from_der`."""
    return from_der(b64decode(text.encode("ascii"), validate=True))


def der(certificate: x509.Certificate) -> bytes:
    """The DER octets."""
    return certificate.public_bytes(Encoding.DER)


@lru_cache(maxsize=256)  # telling two certificates apart costs a tenth of writing one down
def sha256(certificate: x509.Certificate) -> bytes:
    """SHA-256 over the DER octets, as in `x5t#S256` and `x509_hash:`."""
    return hashlib.sha256(der(certificate)).digest()


def public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The EC key. Raises `Refused("key_type")` for another kind of key."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("key_type", "the certificate's key is not an EC key")
    return key


def ski(certificate: x509.Certificate) -> bytes:
    """The subject key identifier computed from the key itself (RFC 5280 §4.2.1.2 method 1), not read from an extension."""
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def spki(certificate: x509.Certificate) -> bytes:
    """DER of SubjectPublicKeyInfo."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def subject_value(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    """The only value of one subject attribute; None when it is absent or present more than once."""
    values = certificate.subject.get_attributes_for_oid(oid)
    return str(values[0].value) if len(values) == 1 else None


def is_ca(certificate: x509.Certificate) -> bool:
    """True when basicConstraints says CA; absence means no (RFC 5280 §4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """True when the key of `issuer`, under the issuer's name, signed `certificate`. Says nothing about whether it may."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
