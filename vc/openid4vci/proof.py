"""Proofs of the types `jwt` and `attestation` (OpenID4VCI 1.0 Appendix F): the only way a holder key enters an issuer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, from_numeric_date, to_numeric_date
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys import jwk
from vc.keys.ec import ALGORITHMS
from vc.keys.signer import Signer
from vc.openid4vci import key_attestation as key_attestations
from vc.openid4vci.key_attestation import KeyAttestation
from vc.x509 import certificate

TYP = "openid4vci-proof+jwt"
JWT, ATTESTATION = "jwt", "attestation"
MAX_LENGTH = 64 * 1024
MAX_AGE = timedelta(seconds=300)
_KEY_MEMBERS = ("jwk", "kid", "x5c", "jku", "x5u")

OpenAttestation = Callable[[str], KeyAttestation]
"""The verified and judged key attestation of a text; raises otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderKey:
    """A key whose possession was shown, or which a trusted attestation names. Only this module makes one.

    `nonce`: the one of the proof, to be spent by the caller.
    """

    public_key: ec.EllipticCurvePublicKey
    nonce: str


def create_jwt(
    holder: Signer,
    *,
    audience: str,
    nonce: str,
    issued_at: datetime,
    client_id: str | None = None,
    key_attestation: str | None = None,
    with_jwk: bool = True,
) -> str:
    """The wallet's proof for `audience` (the Credential Issuer Identifier) with the holder's public key as `jwk`.

    `client_id` None: anonymous access, no `iss` (VCI-CRED-5). `key_attestation`: goes into the header; `with_jwk` False then
    leaves it to name the key alone, which is its first one (EUDI TS3 v1.5 §2.2.2.1). ValueError for an empty nonce: a wallet
    whose nonce request failed stops (SECURITY W-4).
    """
    if not nonce:
        raise ValueError("a proof is made for a nonce")
    claims = {
        **({"iss": client_id} if client_id is not None else {}),
        "aud": audience,
        "iat": to_numeric_date(issued_at),
        "nonce": nonce,
    }
    header = {
        "typ": TYP,
        **({"jwk": jwk.from_public(holder.public_key)} if with_jwk else {}),
        **({"key_attestation": key_attestation} if key_attestation is not None else {}),
    }
    return jws.sign(header, json.dumps(claims), holder)


def _no_attestation(_: str) -> KeyAttestation:
    raise Refused("proof_attestation", "key attestations are not looked at here")


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
    open_attestation: OpenAttestation = _no_attestation,
    attestation_required: bool = False,
) -> HolderKey:
    """Check one proof of type `jwt` (VCI-CRED-4 to -6, -9) and give the key it proves.

    1 a `key_attestation` in the header is opened and judged, or refused when it is missing although required  2 the header names
    its key in exactly one way, as a public key inside the header (`jwk`, or the leaf of `x5c`: only its key is used, the
    certificate says nothing here) or as one of the attested keys (`kid`, or nothing at all: the first one); a key beside an
    attestation is one of the attested; nothing is ever fetched  3 `alg` is one of `algorithms` and the key's, no `crit`, `typ` is
    right  4 the signature fits that key  5 `aud` is `audience`, one text  6 `iss` is the client, absent for an anonymous one
    7 `iat` is in the window  8 there is a nonce, the attestation has the same if any, and `check_nonce` (last, and only for a
    genuine proof) raises for one that is not ours, spent or over.

    Raises with codes that begin with `proof_`, or with `nonce_missing`, `nonce_attestation` and whatever `check_nonce` raises.
    """
    if len(text) > MAX_LENGTH:
        raise Malformed("proof_malformed", "the proof is too long")
    try:
        unverified = jws.parse(text)
        claims = unverified.claims()
    except Malformed as exc:
        raise Malformed("proof_malformed", "the proof is not a JWT") from exc
    attestation = _attestation(unverified.header, open_attestation, attestation_required)
    key = _key(unverified.header, attestation)
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
    if attestation is not None and attestation.nonce not in (None, nonce):
        raise VerificationFailed("nonce_attestation", "the key attestation was made for another nonce than the proof")
    check_nonce(nonce)
    return HolderKey(public_key=key, nonce=nonce)


def verify_all(
    proof_type: str,
    proofs: Sequence[str],
    *,
    audience: str,
    check_nonce: Callable[[str], None],
    now: datetime,
    batch_size: int,
    client_id: str | None = None,
    attestation_required: bool = False,
    judge: Callable[[KeyAttestation], None] | None = None,
    algorithms: Sequence[str] = ALGORITHMS,
    attestation_algorithms: Sequence[str] = ALGORITHMS,
    max_age: timedelta = MAX_AGE,
    tolerance: timedelta = TOLERANCE,
) -> tuple[HolderKey, ...]:
    """The keys of one request's proofs, at most `batch_size`: all proofs are good or none is (VCI-CRED-3 to -11).

    Keys with a proof of their own come first, then the other keys of the attestations in their order: an issuer gives one
    credential per attested key (Appendix F.1, F.3). No key twice in the answer; one that is proved twice is refused.

    `judge`: called once per different attestation before any of its keys is used; it raises `proof_attestation_…` unless the
    chain is trusted, the status good and the level reached. None: there is nobody to trust, attestations are refused.

    Raises as `verify_jwt` and `key_attestation.verify`, with `proof_type`, `proof_count` and `proof_key_repeated`.
    """
    opened: dict[str, KeyAttestation] = {}

    def open_attestation(text: str) -> KeyAttestation:
        if text not in opened:
            opened[text] = _judged(
                text, judge, in_jwt_proof=proof_type == JWT, check_nonce=check_nonce, now=now,
                algorithms=attestation_algorithms, tolerance=tolerance,
            )  # fmt: skip
        return opened[text]

    if not 0 < len(proofs) <= (batch_size if proof_type == JWT else 1):
        raise Malformed("proof_count", "no proof, more than the batch size, or more than one attestation")
    if proof_type == ATTESTATION:
        attestation = open_attestation(proofs[0])
        return tuple(HolderKey(public_key=key, nonce=_nonce_of(attestation)) for key in attestation.keys[:batch_size])
    if proof_type != JWT:
        raise Malformed("proof_type", "a proof is of type jwt or attestation")
    proved = [
        verify_jwt(
            text, audience=audience, check_nonce=check_nonce, now=now, client_id=client_id, algorithms=algorithms, max_age=max_age,
            tolerance=tolerance, open_attestation=open_attestation, attestation_required=attestation_required,
        )
        for text in proofs
    ]  # fmt: skip
    keys = {jwk.thumbprint(key.public_key): key for key in proved}
    if len(keys) != len(proved):
        raise VerificationFailed("proof_key_repeated", "two proofs of a batch are for one key")
    for attestation in opened.values():
        for public_key in attestation.keys:
            keys.setdefault(jwk.thumbprint(public_key), HolderKey(public_key=public_key, nonce=proved[0].nonce))
    return tuple(keys.values())[:batch_size]


def _judged(text: str, judge: Callable[[KeyAttestation], None] | None, **arguments: Any) -> KeyAttestation:
    if judge is None:
        raise Refused("proof_attestation", "no wallet provider is trusted here, so key attestations are not taken")
    attestation = key_attestations.verify(text, **arguments)
    judge(attestation)
    return attestation


def _nonce_of(attestation: KeyAttestation) -> str:
    """The nonce of an attestation that is a proof of its own, where `key_attestation.verify` demands one."""
    assert attestation.nonce is not None
    return attestation.nonce


def _attestation(header: Mapping[str, Any], open_attestation: OpenAttestation, required: bool) -> KeyAttestation | None:
    if "key_attestation" not in header:
        if required:
            raise VerificationFailed("proof_attestation_missing", "a proof for this credential carries a key attestation")
        return None
    text = header["key_attestation"]
    if not isinstance(text, str):
        raise Malformed("proof_attestation_malformed", "the key attestation is not a text")
    return open_attestation(text)


def _key(header: Mapping[str, Any], attestation: KeyAttestation | None) -> ec.EllipticCurvePublicKey:
    named = [name for name in _KEY_MEMBERS if name in header]
    if not named and attestation is not None:  # EUDI TS3 v1.5 §2.2.2.1, PROTOCOLS 8, conflict 3
        return attestation.keys[0]
    if len(named) != 1:
        raise Malformed("proof_key", "the header names the key in exactly one of jwk, kid and x5c")
    if named == ["kid"] and attestation is not None:
        return _named(header["kid"], attestation)
    key = _inside(header, named[0])
    if attestation is not None and jwk.thumbprint(key) not in map(jwk.thumbprint, attestation.keys):
        raise VerificationFailed("proof_attestation_key", "the key of the proof is not one of the attested keys")
    return key


def _inside(header: Mapping[str, Any], name: str) -> ec.EllipticCurvePublicKey:
    try:
        if name == "jwk":
            return jwk.parse_public(header["jwk"])
        if name == "x5c":
            return certificate.public_key(certificate.from_x5c(header["x5c"])[0])
    except VcError as exc:
        raise Malformed("proof_key", exc.detail) from exc
    raise Refused("proof_key", "a key that would have to be looked up is not supported; send it as jwk")


def _named(kid: object, attestation: KeyAttestation) -> ec.EllipticCurvePublicKey:
    """The attested key that `kid` means: by its own `kid`, its place in the list (TS3 before v1.5) or its thumbprint."""
    names = [name or str(place) for place, name in enumerate(attestation.key_names)]
    for key, name in zip(attestation.keys, names, strict=True):
        if kid in (name, base64url.encode(jwk.thumbprint(key))):
            return key
    raise VerificationFailed("proof_attestation_key", "kid names none of the attested keys")


def _check_time(claims: Mapping[str, Any], now: datetime, max_age: timedelta, tolerance: timedelta) -> None:
    try:
        issued_at = from_numeric_date(claims.get("iat"))
    except Malformed as exc:
        raise Malformed("proof_time", "iat is missing or not a date") from exc
    if not now - max_age - tolerance <= issued_at <= now + tolerance:
        raise VerificationFailed("proof_time", "iat is too old or in the future")
