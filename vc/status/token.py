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
_CWT_CLAIMS = {"sub": 2, "exp": 4, "iat": 6, "ttl": 65534, "status_list": 65533}  # §5.2
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
    lst = base64url.encode(status_list.compress())
    claims = _claims(uri=uri, iat=iat, exp=exp, ttl=ttl, bits=status_list.bits, lst=lst, aggregation_uri=aggregation_uri)
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
    lst = status_list.compress()
    claims = _claims(uri=uri, iat=iat, exp=exp, ttl=ttl, bits=status_list.bits, lst=lst, aggregation_uri=aggregation_uri)
    payload = cbor.dumps({_CWT_CLAIMS[name]: value for name, value in claims.items()})
    unprotected = {sign1.X5CHAIN: sign1.x5chain(signer.chain)} if signer.chain else {}
    structure = sign1.sign(payload, signer, protected={sign1.TYP: CWT_TYPE}, unprotected=unprotected)
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
    claims = _verified_claims(unverified, key)
    if claims.get("sub") != uri:
        raise VerificationFailed("status_sub", "the token is about another list")
    issued = from_numeric_date(claims.get("iat"), pointer="/iat")
    expires = from_numeric_date(claims["exp"], pointer="/exp") if "exp" in claims else None
    if issued > now + tolerance:
        raise VerificationFailed("status_future", "the token was issued in the future")
    if expires is not None and now >= expires:
        raise VerificationFailed("status_expired", "the token has expired")
    ttl = claims.get("ttl")
    if "ttl" in claims and not _positive(ttl):
        raise Malformed("status_list", "ttl is not a number above 0", pointer="/ttl")
    entry = claims.get("status_list")
    if not isinstance(entry, Mapping):
        raise Malformed("status_list", "there is no status list", pointer="/status_list")
    aggregation_uri = entry.get("aggregation_uri")
    if aggregation_uri is not None and not isinstance(aggregation_uri, str):
        raise Malformed("status_list", "not a text", pointer="/status_list/aggregation_uri")
    lst = entry.get("lst")
    if not isinstance(lst, str if unverified.jwt is not None else bytes):
        raise Malformed("status_list", "lst has the wrong type", pointer="/status_list/lst")
    packed = base64url.decode(lst, pointer="/status_list/lst") if isinstance(lst, str) else lst
    return StatusToken(
        list=decompress(packed, entry.get("bits")),
        uri=uri,
        iat=issued,
        exp=expires,
        ttl=ttl,
        aggregation_uri=aggregation_uri,
    )


def _verified_claims(unverified: UnverifiedStatusToken, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """The claims by their JWT names, after type and signature have been checked."""
    if unverified.jwt is not None:
        jws.verify(unverified.jwt, key, typ=JWT_TYPE)
        return json.loads_object(unverified.jwt.payload, max_bytes=MAX_TOKEN)
    assert unverified.cwt is not None
    if unverified.cwt.protected.get(sign1.TYP) != CWT_TYPE:
        raise Refused("status_typ", f"the token type is not {CWT_TYPE}")
    claims = cbor.loads(sign1.verify(unverified.cwt, key), max_bytes=MAX_TOKEN)
    if not isinstance(claims, Mapping):
        raise Malformed("status_list", "the claims are not a map")
    return {name: claims[number] for name, number in _CWT_CLAIMS.items() if number in claims}


def _positive(ttl: object) -> bool:
    return isinstance(ttl, int | float) and not isinstance(ttl, bool) and math.isfinite(ttl) and ttl > 0


def _claims(
    *, uri: str, iat: datetime, exp: datetime | None, ttl: int | None, bits: int, lst: str | bytes, aggregation_uri: str | None
) -> dict[str, Any]:
    if ttl is not None and ttl <= 0:
        raise ValueError("ttl is a number of seconds above 0")
    entry = {"bits": bits, "lst": lst, "aggregation_uri": aggregation_uri}
    claims = {
        "sub": uri,
        "iat": to_numeric_date(iat),
        "exp": None if exp is None else to_numeric_date(exp),
        "ttl": ttl,
        "status_list": {name: value for name, value in entry.items() if value is not None},
    }
    return {name: value for name, value in claims.items() if value is not None}
