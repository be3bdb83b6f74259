"""Entity statements (OpenID Federation 1.0 §3): what one entity says about itself or about the one below it, signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import check_within, from_numeric_date
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys import jwk

Keys = Mapping[str, ec.EllipticCurvePublicKey]
"""Public keys by `kid`."""

TYP = "entity-statement+jwt"
MEDIA_TYPE = f"application/{TYP}"
MAX_STATEMENT = 64 * 1024
MAX_HINTS = 8
_MAX_KEYS = 16
_MAX_IDENTIFIER = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An entity statement whose signature has not been looked at. An entity configuration where `iss` is `sub`."""

    iss: str
    sub: str
    iat: datetime
    exp: datetime
    keys: Keys = field(repr=False)
    authority_hints: tuple[str, ...]
    metadata: Mapping[str, Mapping[str, Any]] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    token: jws.UnverifiedJws = field(repr=False)

    def check(self, keys: Keys, moments: Sequence[datetime]) -> None:
        """Signed by one of `keys` and in force at all `moments` (§3.2.1). Raises `VerificationFailed` or `Refused`."""
        check_signature(self.token, keys, TYP)
        check_time(self.iat, self.exp, moments)


def parse(body: bytes) -> Statement:
    """Read an entity statement; nothing is verified. Raises `Malformed("federation_statement")`.

    What it asks for and we do not do refuses it: claims named critical (§3.1.1 `crit`, `federation_crit`) and metadata policies
    (§6.1, `federation_policy`).
    """
    try:
        token = jws.parse(body.decode("ascii"), max_length=MAX_STATEMENT)
        claims = token.claims()
        iss, sub = identifier(claims.get("iss")), identifier(claims.get("sub"))
        hints = claims.get("authority_hints", [])
        if not isinstance(hints, list) or len(hints) > MAX_HINTS:
            raise Malformed("federation_statement", "authority_hints is no list, or too long a one")
        read = Statement(
            iss=iss,
            sub=sub,
            iat=from_numeric_date(claims.get("iat")),
            exp=from_numeric_date(claims.get("exp")),
            keys=keys_of(claims.get("jwks")),
            authority_hints=tuple(identifier(hint) for hint in hints),
            metadata=_metadata(claims.get("metadata", {})),
            claims=claims,
            token=token,
        )
    except (UnicodeDecodeError, VcError) as exc:
        raise Malformed("federation_statement", f"not an entity statement: {getattr(exc, 'detail', 'not ASCII')}") from exc
    if "crit" in claims:
        raise Refused("federation_crit", "an entity statement calls a claim critical that is not understood here")
    if "metadata_policy" in claims or "metadata_policy_crit" in claims:
        raise Refused("federation_policy", "an entity statement carries a metadata policy, and policies are not processed here")
    return read


def identifier(value: object) -> str:
    """An entity identifier (§1.2): an https URL with a host, without user, query and fragment. Raises `Malformed`."""
    if isinstance(value, str) and len(value) <= _MAX_IDENTIFIER and value.isascii() and value.isprintable():
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and not {"?", "#", " "} & set(value):
            return value
    raise Malformed("federation_identifier", "an entity identifier is an https URL without user, query and fragment")


def keys_of(value: object) -> Keys:
    """The EC keys of a JWK set by `kid`; keys of other kinds are passed over, since nothing they sign is believed.

    Raises `Malformed("federation_keys")` for a set that is none, holds no usable key, or the same `kid` twice (§3.1.1 `jwks`).
    """
    listed = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise Malformed("federation_keys", "jwks is no JWK set, or too long a one")
    found: dict[str, ec.EllipticCurvePublicKey] = {}
    for one in listed:
        kid = one.get("kid") if isinstance(one, dict) else None
        if not isinstance(kid, str) or kid in found:
            raise Malformed("federation_keys", "a key has no kid, or two have the same")
        if one.get("kty") == "EC":
            found[kid] = jwk.parse_public(one)
    if not found:
        raise Malformed("federation_keys", "the JWK set holds no EC key")
    return found


def check_signature(token: jws.UnverifiedJws, keys: Keys, typ: str) -> None:
    """`token` is of type `typ` and signed by the key its `kid` names. Raises `VerificationFailed("federation_signature")`."""
    kid = token.header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise VerificationFailed("federation_signature", "signed with a key that its superior does not name")
    try:
        jws.verify(token, key, typ=typ)
    except VcError as exc:
        raise VerificationFailed("federation_signature", f"the signature does not hold: {exc.detail or exc.code}") from exc


def check_time(iat: datetime, exp: datetime, moments: Sequence[datetime]) -> None:
    """In force at all `moments`. Raises `VerificationFailed` with code `federation_expired` or `federation_not_yet_valid`."""
    for moment in moments:
        try:
            check_within(moment, start=iat, end=exp, end_inside=False)
        except VerificationFailed as exc:
            raise VerificationFailed(f"federation_{exc.code}", "a statement or mark is not in force at this time") from exc


def _metadata(value: object) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        raise Malformed("federation_statement", "metadata is not an object of objects")
    return value
