"""Status List Tokens (Token Status List §5): a signed bit list as JWT or CWT.

When a token is dead: at `exp` and after it (RFC 7519 §4.1.4, "on or after"), without tolerance: a publisher renews long before.
An `iat` may lie in the future by the clock tolerance, inclusive, and no more.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cbor2 import CBORTag
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.cose import sign1
from vc.encoding import base64url, cbor, json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.jose import jws
from vc.keys.signer import Signer
from vc.status.bits import MAX_PACKED, StatusList, StatusValue, decompress

JWT_TYPE = "statuslist+jwt"
CWT_TYPE = "application/statuslist+cwt"
MAX_TOKEN = 2 * MAX_PACKED
_SUB, _EXP, _IAT, _TTL, _STATUS_LIST = 2, 4, 6, 65534, 65533  # CWT claim keys, §5.2
_MAC0 = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedStatusToken:
    """A token taken apart; nothing in it may be believed. Exactly one of the two forms is there."""

    jwt: jws.UnverifiedJws | None = None
    cwt: sign1.UnverifiedSign1 | None = None

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The signer's certificates, leaf first, unchecked. Raises as `jws.chain_of` and `sign1.chain_of`."""
        if self.jwt is not None:
            return jws.chain_of(self.jwt)
        assert self.cwt is not None
        return sign1.chain_of(self.cwt)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusToken:
    """A verified token. `ttl`: seconds a copy may be used, as the publisher said it (None: not said); clamp it before use."""

    list: StatusList
    uri: str
    iat: datetime
    exp: datetime | None
    ttl: float | None
    aggregation_uri: str | None

    def status(self, idx: int) -> StatusValue:
        """The meaning of entry `idx`. Raises `VerificationFailed("status_index")` when the list does not reach that far."""
        return StatusValue.of(self.list.get(idx))

    def fresh_until(self, fetched: datetime, *, floor: timedelta, ceiling: timedelta) -> datetime:
        """The moment from which a copy fetched at `fetched` must be fetched anew (now >= moment).

        `ttl` is clamped between `floor` and `ceiling` (which also stands in for a missing one); `exp` outranks both.
        """
        seconds = ceiling.total_seconds() if self.ttl is None else self.ttl
        wait = timedelta(seconds=min(max(seconds, floor.total_seconds()), ceiling.total_seconds()))
        return fetched + wait if self.exp is None else min(fetched + wait, self.exp)


def sign_jwt(
    status_list: StatusList,
    *,
    uri: str,
    iat: datetime,
    exp: datetime | None,
    ttl: int | None,
    signer: Signer,
    aggregation_uri: str | None = None,
) -> str:
    """The token as compact JWS. `uri`: where it is served, byte for byte what credentials say; `ttl` in seconds, above 0."""
    entry = _entry(status_list.bits, base64url.encode(status_list.compress()), aggregation_uri)
    claims = {"sub": uri, "iat": to_numeric_date(iat), **_lifetime("exp", exp, "ttl", ttl), "status_list": entry}
    header: dict[str, Any] = {"typ": JWT_TYPE}
    if signer.chain:
        header["x5c"] = jws.x5c(signer.chain)
    return jws.sign(header, json.dumps(claims), signer)


def sign_cwt(
    status_list: StatusList,
    *,
    uri: str,
    iat: datetime,
    exp: datetime | None,
    ttl: int | None,
    signer: Signer,
    aggregation_uri: str | None = None,
) -> bytes:
    """The token as COSE_Sign1 in tag 18 without the CWT tag (TSL-4). Arguments as for `sign_jwt`."""
    entry = _entry(status_list.bits, status_list.compress(), aggregation_uri)
    claims = {_SUB: uri, _IAT: to_numeric_date(iat), **_lifetime(_EXP, exp, _TTL, ttl), _STATUS_LIST: entry}
    unprotected = {sign1.X5CHAIN: sign1.x5chain(signer.chain)} if signer.chain else {}
    structure = sign1.sign(cbor.dumps(claims), signer, protected={sign1.TYP: CWT_TYPE}, unprotected=unprotected)
    return cbor.dumps(CBORTag(18, structure))


def parse_jwt(token: str) -> UnverifiedStatusToken:
    """Take a JWT apart. Raises as `jws.parse`."""
    return UnverifiedStatusToken(jwt=jws.parse(token, max_length=MAX_TOKEN))


def parse_cwt(token: bytes) -> UnverifiedStatusToken:
    """Take a CWT apart, with or without tag 18. Raises `Refused("status_mac")` for COSE_Mac0, else as `sign1.parse`."""
    value = cbor.loads(token, max_bytes=MAX_TOKEN)
    if isinstance(value, CBORTag) and value.tag == _MAC0:
        raise Refused("status_mac", "the token is not signed but sealed with a shared key")
    return UnverifiedStatusToken(cwt=sign1.parse(value))


def verify(
    unverified: UnverifiedStatusToken,
    key: ec.EllipticCurvePublicKey,
    *,
    uri: str,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> StatusToken:
    """Check a token fetched from `uri` (Token Status List §8.3): type, signature, `sub`, dates, list.

    Not checked here: whose key it is. Raises `Refused` and `VerificationFailed` as `jws.verify` and `sign1.verify`,
    `Refused("status_typ")`, `Malformed("status_list")` for members of the wrong shape, `VerificationFailed` with code
    `status_sub`, `status_future`, `status_expired`, and as `decompress`.
    """
    if unverified.jwt is not None:
        jws.verify(unverified.jwt, key, typ=JWT_TYPE)
        claims: Any = json.loads_object(unverified.jwt.payload, max_bytes=MAX_TOKEN)
        sub, iat, exp, ttl, entry = (claims.get(name) for name in ("sub", "iat", "exp", "ttl", "status_list"))
        present = claims.keys()
        names: tuple[Any, Any] = ("exp", "ttl")
    else:
        assert unverified.cwt is not None
        if unverified.cwt.protected.get(sign1.TYP) != CWT_TYPE:
            raise Refused("status_typ", f"the token type is not {CWT_TYPE}")
        claims = cbor.loads(sign1.verify(unverified.cwt, key), max_bytes=MAX_TOKEN)
        if not isinstance(claims, Mapping):
            raise Malformed("status_list", "the claims are not a map")
        sub, iat, exp, ttl, entry = (claims.get(name) for name in (_SUB, _IAT, _EXP, _TTL, _STATUS_LIST))
        present = claims.keys()
        names = (_EXP, _TTL)
    if not isinstance(sub, str) or sub != uri:
        raise VerificationFailed("status_sub", "the token is about another list")
    issued = from_numeric_date(iat, pointer="/iat")
    expires = from_numeric_date(exp, pointer="/exp") if names[0] in present else None
    if issued > now + tolerance:
        raise VerificationFailed("status_future", "the token was issued in the future")
    if expires is not None and now >= expires:
        raise VerificationFailed("status_expired", "the token has expired")
    if names[1] in present and not _positive(ttl):
        raise Malformed("status_list", "ttl is not a number above 0", pointer="/ttl")
    if not isinstance(entry, Mapping):
        raise Malformed("status_list", "there is no status list", pointer="/status_list")
    aggregation_uri = entry.get("aggregation_uri")
    if aggregation_uri is not None and not isinstance(aggregation_uri, str):
        raise Malformed("status_list", "not a text", pointer="/status_list/aggregation_uri")
    lst = entry.get("lst")
    if not isinstance(lst, str if unverified.jwt is not None else bytes):
        raise Malformed("status_list", "lst has the wrong type", pointer="/status_list/lst")
    packed = base64url.decode(lst, pointer="/status_list/lst") if isinstance(lst, str) else lst
    bits: Any = entry.get("bits")
    return StatusToken(
        list=decompress(packed, bits),
        uri=sub,
        iat=issued,
        exp=expires,
        ttl=ttl,
        aggregation_uri=aggregation_uri,
    )


def _positive(ttl: object) -> bool:
    return isinstance(ttl, int | float) and not isinstance(ttl, bool) and math.isfinite(ttl) and ttl > 0


def _entry(bits: int, lst: str | bytes, aggregation_uri: str | None) -> dict[str, Any]:
    return {"bits": bits, "lst": lst} | ({} if aggregation_uri is None else {"aggregation_uri": aggregation_uri})


def _lifetime(exp_name: Any, exp: datetime | None, ttl_name: Any, ttl: int | None) -> dict[Any, int]:
    if ttl is not None and ttl <= 0:
        raise ValueError("ttl is a number of seconds above 0")
    times = {exp_name: None if exp is None else to_numeric_date(exp), ttl_name: ttl}
    return {name: value for name, value in times.items() if value is not None}
