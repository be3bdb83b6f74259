"""Public EC keys as JWK (RFC 7517, RFC 7518 §6.2) and their thumbprint (RFC 7638)."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import base64url
from vc.errors import Malformed, Refused
from vc.keys.ec import BY_CRV, coordinates, curve_of, point, public_key

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def parse_public(jwk: object, *, pointer: str = "") -> ec.EllipticCurvePublicKey:
    """The key of a public EC JWK; other members (`kid`, `use`, `alg`…) are not looked at.

    Raises `Refused("key_private")` when private or symmetric material is present, `Refused("key_type")` for another
    `kty` or curve, `Malformed("key_point")` / `Malformed("base64url")` for bad coordinates.
    """
    if type(jwk) is not dict and not isinstance(jwk, Mapping):  # the first is the usual case and much cheaper to see
        raise Malformed("key", "a JWK is an object", pointer=pointer)
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise Refused("key_private", "the JWK carries private or symmetric key material", pointer=pointer)
    crv = jwk.get("crv")
    row = BY_CRV.get(crv) if jwk.get("kty") == "EC" and isinstance(crv, str) else None
    if row is None:
        raise Refused("key_type", "only EC keys on P-256, P-384 or P-521 are accepted", pointer=pointer)
    x, y = jwk.get("x"), jwk.get("y")
    if not isinstance(x, str) or not isinstance(y, str):
        raise Malformed("key_point", "x and y are required", pointer=pointer)
    return public_key(row, base64url.decode(x, pointer=pointer), base64url.decode(y, pointer=pointer))


def from_public(key: ec.EllipticCurvePublicKey, **members: Any) -> dict[str, Any]:
    """The minimal public JWK of `key` (`kty`, `crv`, `x`, `y`) followed by `members` such as `kid`, `alg`, `use`."""
    x, y = coordinates(key)
    return {"kty": "EC", "crv": curve_of(key).name, "x": base64url.encode(x), "y": base64url.encode(y), **members}


def thumbprint(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 32 raw octets of the SHA-256 JWK thumbprint (RFC 7638 §3)."""
    return _thumbprint(curve_of(key).name, point(key))


@lru_cache(maxsize=1024)  # one wallet key is met several times in a request
def _thumbprint(crv: str, encoded: bytes) -> bytes:
    middle = len(encoded) // 2 + 1
    x, y = base64url.encode(encoded[1:middle]), base64url.encode(encoded[middle:])
    return hashlib.sha256(f'{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}'.encode("ascii")).digest()
