"""Reading and verifying SD-JWTs and their key binding (RFC 9901 §7). The order is the order of trust: signature, then content."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, from_numeric_date
from vc.encoding import base64url, json
from vc.encoding.claims_path import Path
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.jose.jws import UnverifiedJws
from vc.keys.ec import ALGORITHMS
from vc.sdjwt import disclosure
from vc.sdjwt.disclosure import DEFAULT_HASH, HASHES, SD_ALG
from vc.sdjwt.processing import process

MAX_LENGTH = 128 * 1024
MAX_DISCLOSURES = 500
KEY_BINDING_MAX_AGE = timedelta(seconds=300)
KB_TYP = "kb+jwt"


class UnverifiedSdJwt(NamedTuple):
    """An SD-JWT taken apart, nothing believed.

    `payload`: as signed, with its digests. `disclosures`: text and decoded JSON by digest. `key_binding_claims`: decoded JSON of
    the key-binding JWT, of any kind. `hashed`: all up to and including the last `~`, what `sd_hash` covers. `hash_algorithm`:
    `_sd_alg`.
    """

    jws: UnverifiedJws
    payload: Mapping[str, Any]
    disclosures: Mapping[str, tuple[str, Any]]
    key_binding: UnverifiedJws | None
    key_binding_claims: Any
    hashed: str
    hash_algorithm: str


class SdJwt(NamedTuple):
    """An SD-JWT whose signature fits the given key and whose disclosures are in order.

    Not looked at here: who the key belongs to, `typ`, dates, status, key binding. `claims`: processed, without `_sd`,
    `_sd_alg` and placeholders. `disclosed`: concrete paths of the selectively disclosed claims. `hidden`: digests left without
    disclosure.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    disclosed: tuple[Path, ...]
    hidden: int


class KeyBinding(NamedTuple):
    """A verified key-binding JWT: the holder's key signed this presentation for this nonce and audience."""

    issued_at: datetime
    claims: Mapping[str, Any]


def parse(text: str, *, issued: bool = False) -> UnverifiedSdJwt:
    """Take `<jwt>~<disclosure>~…~[<kb-jwt>]` apart (RFC 9901 §4); the size limits are checked before any work.

    `issued=True` is the holder receiving it from an issuer: a key-binding JWT is then refused (`Refused("key_binding_present")`,
    RFC 9901 §7.2). Raises `Malformed` with `too_large`, `sd_jwt`, `sd_alg`, `digest_repeated`, or the code of the
    JWS, base64url or JSON fault.
    """
    if len(text) > MAX_LENGTH:
        raise Malformed("too_large", "the SD-JWT is too long")
    token, tilde, rest = text.partition("~")
    if not tilde:
        raise Malformed("sd_jwt", "an SD-JWT has at least one ~")
    disclosures = rest.split("~", MAX_DISCLOSURES + 1)
    if len(disclosures) > MAX_DISCLOSURES + 1:
        raise Malformed("too_large", "the SD-JWT has too many disclosures")
    last = disclosures.pop()
    if "" in disclosures:
        raise Malformed("sd_jwt", "an empty disclosure")
    if issued and last:
        raise Refused("key_binding_present", "an issuer does not deliver a key-binding JWT")
    issuer_signed = jws.parse(token)
    key_binding = jws.parse(last) if last else None
    octets = [base64url.decode(text) for text in disclosures]
    octets += (issuer_signed.payload,) if key_binding is None else (issuer_signed.payload, key_binding.payload)
    contents = json.loads_each(octets)
    payload = contents[len(disclosures)]
    if type(payload) is not dict:
        raise Malformed("json_object", "the payload is not a JSON object")
    algorithm = payload.get(SD_ALG, DEFAULT_HASH)
    if type(algorithm) is not str or algorithm not in HASHES:
        raise Malformed("sd_alg", "the hash algorithm of the disclosures is not understood")
    digests = disclosure.digests(disclosures, algorithm)
    by_digest = dict(zip(digests, zip(disclosures, contents)))  # noqa: B905 - contents goes on
    if len(by_digest) != len(disclosures):
        raise Malformed("digest_repeated", "the same disclosure is there twice")
    claims = contents[-1] if last else None
    hashed = text[: len(text) - len(last)]
    # The tuple is made directly, here and below: the constructors of a handful of named tuples are 3 % of a verification.
    return tuple.__new__(UnverifiedSdJwt, (issuer_signed, payload, by_digest, key_binding, claims, hashed, algorithm))


def verify_issuer(
    unverified: UnverifiedSdJwt,
    key: ec.EllipticCurvePublicKey,
    *,
    algorithms: Sequence[str] = ALGORITHMS,
    typ: str | Sequence[str] | None = None,
) -> SdJwt:
    """Check the signature with `key`, then process the disclosures (RFC 9901 §7.1).

    `typ=None` leaves the type to the caller (`sdjwt.vc.check` looks at it). Raises `Refused` (`jws_alg`, `jws_crit`,
    `jws_typ`), `VerificationFailed("signature")`, and what `processing.process` raises.
    """
    jws.verify(unverified.jws, key, typ=typ, algorithms=algorithms)
    processed = process(unverified.payload, unverified.disclosures)
    return tuple.__new__(SdJwt, (unverified.jws.header, processed.claims, processed.paths, processed.hidden))


def verify_key_binding(
    unverified: UnverifiedSdJwt,
    *,
    holder: ec.EllipticCurvePublicKey | None,
    nonce: str,
    audience: str,
    now: datetime,
    max_age: timedelta = KEY_BINDING_MAX_AGE,
    tolerance: timedelta = TOLERANCE,
    algorithms: Sequence[str] = ALGORITHMS,
) -> KeyBinding:
    """Check the key-binding JWT against the presentation it came with (RFC 9901 §7.3 step 5).

    `holder`: the key of the verified `cnf`; None fails. ValueError when nonce
    or audience is empty: without an expectation nothing is proved (SECURITY R-8).

    The cheap comparisons come first, the signature last; nothing is returned before both. Every refusal is
    `VerificationFailed` with `key_binding_missing`, `holder_key_missing`, `key_binding_alg`, `…_typ`,
    `…_crit`, `…_signature`, `…_malformed`, `…_time`, `…_nonce`, `…_audience` or `…_hash`.
    """
    if not nonce or not audience:
        raise ValueError("key binding is verified against a nonce and an audience")
    token = unverified.key_binding
    if token is None:
        raise VerificationFailed("key_binding_missing", "the presentation has no key-binding JWT")
    if holder is None:
        raise VerificationFailed("holder_key_missing", "the credential is bound to no key")
    claims = unverified.key_binding_claims
    if type(claims) is not dict:
        raise VerificationFailed("key_binding_malformed", "the key-binding JWT's payload is not a JSON object")
    try:
        issued_at = from_numeric_date(claims.get("iat"))
        expires = from_numeric_date(claims["exp"]) if "exp" in claims else now
    except Malformed as exc:
        raise VerificationFailed("key_binding_time", exc.detail) from exc
    if not now - max_age - tolerance <= issued_at <= now + tolerance or expires + tolerance < now:
        raise VerificationFailed("key_binding_time", "the key binding is too old, from the future or expired")
    if claims.get("nonce") != nonce:
        raise VerificationFailed("key_binding_nonce", "the key binding answers another challenge")
    if claims.get("aud") != audience:  # a single text (RFC 9901 §4.3): a list, even with us in it, names others too
        raise VerificationFailed("key_binding_audience", "the key binding is for another verifier")
    if claims.get("sd_hash") != disclosure.digest(unverified.hashed, unverified.hash_algorithm):
        raise VerificationFailed("key_binding_hash", "the key binding was made for another set of disclosures")
    try:
        jws.verify(token, holder, typ=KB_TYP, algorithms=algorithms)
    except VcError as exc:
        code = exc.code.removeprefix("jws_")  # jws_alg, jws_crit, jws_typ, signature
        raise VerificationFailed(f"key_binding_{code}", exc.detail) from exc
    return tuple.__new__(KeyBinding, (issued_at, claims))
