"""DPoP proofs (RFC 9449): an access token that only the holder of a key can use. Replay memory is the caller's."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys import jwk
from vc.keys.ec import ALGORITHMS
from vc.keys.signer import Signer

TYP = "dpop+jwt"
MAX_LENGTH = 8 * 1024
MAX_AGE = timedelta(seconds=120)
NONCE_AGE = timedelta(seconds=300)
_NONCE_DOMAIN = b"DPoP nonce\0"
_NONCE_SECRET = 32
_DEFAULT_PORTS = {"https": 443, "http": 80}
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class DpopProof:
    """A verified proof. `thumbprint`: base64url of the RFC 7638 thumbprint (`jkt`). `jti`: to be remembered by the caller for
    `MAX_AGE` and twice the tolerance, and refused when it comes again (RFC 9449 §11.1)."""

    key: ec.EllipticCurvePublicKey
    thumbprint: str
    jti: str


def create(
    key: Signer,
    *,
    method: str,
    url: str,
    now: datetime,
    jti: str,
    nonce: str | None = None,
    access_token: str | None = None,
) -> str:
    """The value of the `DPoP` header for one request. `jti`: fresh and random for every request."""
    claims = {
        "jti": jti,
        "htm": method,
        "htu": _without_query(url),
        "iat": to_numeric_date(now),
        **({"ath": access_token_hash(access_token)} if access_token is not None else {}),
        **({"nonce": nonce} if nonce is not None else {}),
    }
    return jws.sign({"typ": TYP, "jwk": jwk.from_public(key.public_key)}, json.dumps(claims), key)


def verify(
    header_values: Sequence[str],
    *,
    method: str,
    url: str,
    now: datetime,
    access_token: str | None = None,
    thumbprint: str | None = None,
    nonce: str | None = None,
    check_nonce: Callable[[str | None], None] | None = None,
    algorithms: Sequence[str] = ALGORITHMS,
    max_age: timedelta = MAX_AGE,
    tolerance: timedelta = TOLERANCE,
) -> DpopProof:
    """Check the `DPoP` header of one request (RFC 9449 §4.3, VCI-DPOP-1 and -2).

    `header_values`: every value the request had under that name. `url`: this endpoint as published, not as the request says it.
    `access_token` and `thumbprint`: at a resource, the token shown and the key it is bound to. `nonce`: the one we demand;
    `check_nonce`: or what judges the one in the proof, None when there is none (see `nonce_check`).

    1 one header  2 a JWT  3 a public `jwk` in the header  4 `alg`, no `crit`, `typ`  5 signature  6 `jti`  7 `htm`  8 `htu`
    9 `iat` window  10 `nonce` when demanded  11 `ath` when a token is shown  12 the key the token is bound to.

    Raises `Refused("dpop_nonce")` when only the nonce is missing or another, else codes that begin with `dpop_`.
    """
    if len(header_values) != 1:
        raise Malformed("dpop_header", "exactly one DPoP header is needed")
    text = header_values[0]
    if len(text) > MAX_LENGTH:
        raise Malformed("dpop_malformed", "the DPoP proof is too long")
    try:
        unverified = jws.parse(text)
        claims = unverified.claims()
        key = jwk.parse_public(unverified.header.get("jwk"))
    except (Malformed, Refused) as exc:
        raise Malformed("dpop_malformed", "the DPoP proof is not a JWT with a public key in its header") from exc
    try:
        jws.verify(unverified, key, typ=TYP, algorithms=algorithms)
    except VcError as exc:
        raise VerificationFailed(f"dpop_{exc.code.removeprefix('jws_')}", exc.detail) from exc
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 256:
        raise Malformed("dpop_jti", "jti is missing or too long")
    if claims.get("htm") != method:
        raise VerificationFailed("dpop_method", "htm is not the method of the request")
    if _normalised(claims.get("htu")) != _normalised(url):
        raise VerificationFailed("dpop_url", "htu is not the URL of the endpoint")
    _check_time(claims, now, max_age, tolerance)
    if nonce is not None and claims.get("nonce") != nonce:
        raise Refused("dpop_nonce", "a nonce of this server is needed in the DPoP proof")
    if check_nonce is not None:
        shown = claims.get("nonce")
        check_nonce(shown if isinstance(shown, str) else None)
    if access_token is not None and claims.get("ath") != access_token_hash(access_token):
        raise VerificationFailed("dpop_token_hash", "ath is not the hash of the access token")
    found = base64url.encode(jwk.thumbprint(key))
    if thumbprint is not None and not compare_digest(found, thumbprint):
        raise VerificationFailed("dpop_key", "the access token is bound to another key")
    return DpopProof(key=key, thumbprint=found, jti=jti)


def nonce_make(secret: bytes, now: datetime) -> str:
    """The value of `DPoP-Nonce` (RFC 9449 §8): the time, and an authentication code over it, so that nothing need be stored.

    `secret`: at least 32 random octets, shared by all who check; ValueError for fewer.
    """
    if len(secret) < _NONCE_SECRET:
        raise ValueError("the secret of DPoP nonces has at least 32 octets")
    time = to_numeric_date(now).to_bytes(8, "big")
    return base64url.encode(time + hmac.digest(secret, _NONCE_DOMAIN + time, "sha256"))


def nonce_check(secrets: Sequence[bytes], nonce: str | None, now: datetime, *, max_age: timedelta = NONCE_AGE) -> None:
    """Whether `nonce` was made by one of `secrets`, at most `max_age` ago (VCI-DPOP-3).

    Raises `Refused("dpop_nonce")` for none, an invented, an old one, and one from the future: the wallet tries again with the
    nonce it is told.
    """
    refused = Refused("dpop_nonce", "a nonce of this server is needed in the DPoP proof")
    try:
        octets = base64url.decode(nonce or "")
    except Malformed as exc:
        raise refused from exc
    time, code = octets[:8], octets[8:]
    if not any(compare_digest(code, hmac.digest(secret, _NONCE_DOMAIN + time, "sha256")) for secret in secrets):
        raise refused
    age = to_numeric_date(now) - int.from_bytes(time, "big")
    if not -TOLERANCE.total_seconds() <= age <= max_age.total_seconds():
        raise refused


def access_token_hash(access_token: str) -> str:
    """`ath`: base64url of SHA-256 over the ASCII of the token (RFC 9449 §4.2)."""
    return base64url.encode(hashlib.sha256(access_token.encode("utf-8")).digest())


def _check_time(claims: Mapping[str, Any], now: datetime, max_age: timedelta, tolerance: timedelta) -> None:
    try:
        issued_at = from_numeric_date(claims.get("iat"))
    except Malformed as exc:
        raise Malformed("dpop_time", "iat is missing or not a date") from exc
    if not now - max_age - tolerance <= issued_at <= now + tolerance:
        raise VerificationFailed("dpop_time", "iat is too old or in the future")


def _without_query(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _normalised(value: object) -> tuple[str, str, int | None, str]:
    """A URL for comparison: no query and fragment, and RFC 3986 §6.2.2 and §6.2.3 applied (RFC 9449 §4.3 step 9)."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise Malformed("dpop_url", "htu is missing or not a URL")
    return _of_url(value)


@lru_cache(maxsize=256)  # every wallet of an issuer names the same few; faults are not remembered
def _of_url(value: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(_without_query(value))
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise Malformed("dpop_url", "htu is not a URL") from exc
    if not host or "@" in parts.netloc:
        raise Malformed("dpop_url", "htu is not an absolute URL without user information")
    path = _without_dots(_ESCAPE.sub(_unescaped, parts.path)) or "/"
    return parts.scheme, host, port or _DEFAULT_PORTS.get(parts.scheme), path


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4 for an absolute path."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            kept = kept[:-1] if len(kept) > 1 else kept
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept) + ("/" if segments[-1] in (".", "..") else "")
