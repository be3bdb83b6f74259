"""Proofs of possession of type `jwt` (OpenID4VCI 1.0 Appendix F.1): the only way a holder key enters an issuer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys import jwk
from vc.keys.ec import ALGORITHMS
from vc.keys.signer import Signer
from vc.x509 import certificate

TYP = "openid4vci-proof+jwt"
MAX_LENGTH = 32 * 1024
MAX_AGE = timedelta(seconds=300)
_KEY_MEMBERS = ("jwk", "kid", "x5c", "jku", "x5u")


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderKey:
    """A key whose possession was shown. Only `verify_jwt` makes one. `nonce`: the one of the proof, to be spent by the caller."""

    public_key: ec.EllipticCurvePublicKey
    nonce: str


def create_jwt(holder: Signer, *, audience: str, nonce: str, issued_at: datetime, client_id: str | None = None) -> str:
    """The wallet's proof for `audience` (the Credential Issuer Identifier) with the holder's public key as `jwk`.

    `client_id` None: anonymous access, no `iss` (VCI-CRED-5). ValueError for an empty nonce: a wallet whose nonce request
    failed stops (SECURITY W-4).
    """
    if not nonce:
        raise ValueError("a proof is made for a nonce")
    claims = {
        **({"iss": client_id} if client_id is not None else {}),
        "aud": audience,
        "iat": to_numeric_date(issued_at),
        "nonce": nonce,
    }
    return jws.sign({"typ": TYP, "jwk": jwk.from_public(holder.public_key)}, json.dumps(claims), holder)


def verify_jwt(
    text: str,
    *,
    audience: str,
    check_nonce: Callable[[str], None],
    now: datetime,
    client_id: str | None = None,
    algorithms: Sequence[str] = ALGORITHMS,
    max_age: timedelta = MAX_AGE,
    tolerance: timedelta = TOLERANCE,
) -> HolderKey:
    """Check one proof (VCI-CRED-4 to -6) and give the key it proves.

    1 the header names its key in exactly one way, as a public key inside the header (`jwk`, or the leaf of `x5c`: only its key
    is used, the certificate says nothing here); nothing is ever fetched  2 `alg` is one of `algorithms` and the key's, no
    `crit`, `typ` is right  3 the signature fits that key  4 `aud` is `audience`, one text  5 `iss` is the client, absent for an
    anonymous one  6 `iat` is in the window  7 there is a nonce, and `check_nonce` (last, and only for a genuine proof) raises
    for one that is not ours, spent or over.

    Raises with codes that begin with `proof_`, or with `nonce_missing` and whatever `check_nonce` raises.
    """
    if len(text) > MAX_LENGTH:
        raise Malformed("proof_malformed", "the proof is too long")
    try:
        unverified = jws.parse(text)
        claims = unverified.claims()
    except Malformed as exc:
        raise Malformed("proof_malformed", "the proof is not a JWT") from exc
    key = _key(unverified.header)
    try:
        jws.verify(unverified, key, typ=TYP, algorithms=algorithms)
    except VcError as exc:
        raise VerificationFailed(f"proof_{exc.code.removeprefix('jws_')}", exc.detail) from exc
    if not isinstance(claims.get("aud"), str) or claims["aud"] != audience:
        raise VerificationFailed("proof_audience", "aud is not this credential issuer")
    if "iss" in claims and (client_id is None or claims["iss"] != client_id):
        raise VerificationFailed("proof_issuer", "iss is not the client, or there is one although the client is anonymous")
    _check_time(claims, now, max_age, tolerance)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise VerificationFailed("nonce_missing", "the proof has no nonce")
    check_nonce(nonce)
    return HolderKey(public_key=key, nonce=nonce)


def verify_all(proofs: Sequence[str], **arguments: Any) -> tuple[HolderKey, ...]:
    """`verify_jwt` for a batch with the same arguments: all or nothing, and no key twice (VCI-CRED-10: `proof_key_repeated`)."""
    keys = tuple(verify_jwt(text, **arguments) for text in proofs)
    if len({jwk.thumbprint(key.public_key) for key in keys}) != len(keys):
        raise VerificationFailed("proof_key_repeated", "two proofs of a batch are for one key")
    return keys


def _key(header: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    named = [name for name in _KEY_MEMBERS if name in header]
    if len(named) != 1:
        raise Malformed("proof_key", "the header names the key in exactly one of jwk, kid and x5c")
    try:
        if named == ["jwk"]:
            return jwk.parse_public(header["jwk"])
        if named == ["x5c"]:
            return certificate.public_key(certificate.from_x5c(header["x5c"])[0])
    except VcError as exc:
        raise Malformed("proof_key", exc.detail) from exc
    raise Refused("proof_key", "a key that would have to be looked up is not supported; send it as jwk")


def _check_time(claims: Mapping[str, Any], now: datetime, max_age: timedelta, tolerance: timedelta) -> None:
    try:
        issued_at = from_numeric_date(claims.get("iat"))
    except Malformed as exc:
        raise Malformed("proof_time", "iat is missing or not a date") from exc
    if not now - max_age - tolerance <= issued_at <= now + tolerance:
        raise VerificationFailed("proof_time", "iat is too old or in the future")
