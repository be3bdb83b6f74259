"""Compact JWS (RFC 7515) with an explicit list of algorithms, and the JWT rules every token here shares (RFC 7519, RFC 8725)."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.keys.ec import ALGORITHMS, curve_of, verify_raw
from vc.keys.signer import Signer
from vc.x509.certificate import from_x5c

MAX_TOKEN = 512 * 1024


class UnverifiedJws(NamedTuple):
    """A parsed token whose signature nobody has looked at yet: nothing in it may be believed."""

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object (strict); raises `Malformed`."""
        return json.loads_object(self.payload)


def sign(header: Mapping[str, Any], payload: bytes, signer: Signer) -> str:
    """The compact JWS over `payload`; `alg` is set from the signer's curve and put first."""
    return seal(base64url.encode(json.dumps({"alg": signer.curve.alg, **header})), payload, signer)


def seal(protected: str, payload: bytes, signer: Signer) -> str:
    """As `sign`, with the protected header already encoded: for callers that use one header many times."""
    signing_input = f"{protected}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode('ascii')))}"


def parse(token: str, *, max_length: int = MAX_TOKEN) -> UnverifiedJws:
    """Take a compact JWS apart (RFC 7515 §7.1). Raises `Malformed` with code `jws`, `base64url`, `json…` or `too_large`."""
    if len(token) > max_length:
        raise Malformed("too_large", "the token is too long")
    signed, _, signature = token.rpartition(".")
    header, dot, payload = signed.partition(".")
    if not dot or "." in payload:
        raise Malformed("jws", "a compact JWS has three parts")
    # The tuple is made directly: a verifier reads two or three of these for every presentation.
    return tuple.__new__(
        UnverifiedJws,
        (
            _header(header) if len(header) <= _USUAL_HEADER else _read_header(header),
            base64url.decode(payload),
            signed.encode("ascii"),
            base64url.decode(signature),
        ),
    )


def _read_header(encoded: str) -> Mapping[str, Any]:
    return MappingProxyType(json.loads_object(base64url.decode(encoded)))


# One issuer's tokens share their protected header, certificates included: reading it once is half the parsing time.
_USUAL_HEADER = 8 * 1024
_header = lru_cache(maxsize=256)(_read_header)


def verify(
    unverified: UnverifiedJws,
    key: ec.EllipticCurvePublicKey,
    *,
    typ: str | Sequence[str] | None,
    algorithms: Sequence[str] = ALGORITHMS,
) -> None:
    """Check header rules and signature of `unverified` against `key`.

    Raises `Refused("jws_alg")` (algorithm not in the list or not the key's: `none` and HMAC never are), `Refused("jws_crit")`
    for any `crit` or `b64` (RFC 7515 §4.1.11: none is understood here), `Refused("jws_typ")` when `typ` (a media type
    without `application/`, compared case-insensitively, RFC 8725 §3.11) differs, `VerificationFailed("signature")`.
    `typ=None` means the caller checks it.
    """
    header = unverified.header
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algorithms or alg != curve_of(key).alg:
        raise Refused("jws_alg", "the algorithm is not allowed or not that of the key")
    if "crit" in header or "b64" in header:
        raise Refused("jws_crit", "the token asks for an extension that is not understood")
    if typ is not None:
        expected = (typ,) if isinstance(typ, str) else typ
        found = header.get("typ")
        if not isinstance(found, str) or found.lower().removeprefix("application/") not in expected:
            raise Refused("jws_typ", f"the token type is not {' or '.join(expected)}")
    verify_raw(key, unverified.signature, unverified.signing_input)


def x5c(chain: Sequence[x509.Certificate]) -> list[str]:
    """The `x5c` header value of a chain: standard base64 of DER, leaf first (RFC 7515 §4.1.6)."""
    return [b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii") for certificate in chain]


def chain_of(unverified: UnverifiedJws) -> tuple[x509.Certificate, ...]:
    """The certificates of the protected `x5c` header, leaf first; nothing about them is checked here.

    Raises `VerificationFailed("x5c_missing")` or `Malformed("x5c")`.
    """
    if "x5c" not in unverified.header:
        raise VerificationFailed("x5c_missing", "the token names no certificate in its protected header")
    return from_x5c(unverified.header["x5c"])
