"""Public EC keys as COSE_Key (RFC 9052 §7, RFC 9053 §7.1)."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.errors import Malformed, Refused
from vc.keys.ec import BY_COSE_CRV, coordinates, curve_of, public_key

_KTY, _EC2, _CRV, _X, _Y, _D = 1, 2, -1, -2, -3, -4


def parse_public(value: object, *, pointer: str = "") -> ec.EllipticCurvePublicKey:
    """The key of a decoded COSE_Key map.

    Raises `Refused("key_private")` when `d` is present, `Refused("key_type")` for anything but EC2 on a known curve or a
    compressed point, `Malformed("key_point")` for bad coordinates.
    """
    if type(value) is not dict and not isinstance(value, Mapping):  # the first is the usual case and much cheaper to see
        raise Malformed("key", "a COSE_Key is a map", pointer=pointer)
    if _D in value:
        raise Refused("key_private", "the COSE_Key carries private key material", pointer=pointer)
    crv = value.get(_CRV)
    row = BY_COSE_CRV.get(crv) if value.get(_KTY) == _EC2 and type(crv) is int else None
    if row is None:
        raise Refused("key_type", "only EC2 keys on P-256, P-384 or P-521 are accepted", pointer=pointer)
    x, y = value.get(_X), value.get(_Y)
    if not isinstance(x, bytes) or not isinstance(y, bytes):
        raise Malformed("key_point", "x and y are required as byte strings", pointer=pointer)
    return public_key(row, x, y)


def from_public(key: ec.EllipticCurvePublicKey) -> dict[int, Any]:
    """The COSE_Key map `{1: 2, -1: crv, -2: x, -3: y}` of `key` (ISO/IEC 18013-5 §9.1.2.4 deviceKey)."""
    x, y = coordinates(key)
    return {_KTY: _EC2, _CRV: curve_of(key).cose_crv, _X: x, _Y: y}
