"""Wallet attestations as client authentication: OpenID4VCI 1.0 Appendix E, HAIP 1.0 §4.4.1, EUDI TS3 v1.5 §2.

OAuth attestation-based client authentication draft-07, tolerant of -08 to -10: `iss` is optional in both tokens (PROTOCOLS 8, 2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import TOLERANCE, to_numeric_date
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys import jwk
from vc.keys.ec import ALGORITHMS
from vc.keys.signer import Signer
from vc.openid4vci import attestation as attestations
from vc.openid4vci import members
from vc.status.reference import StatusReference

METHOD = "attest_jwt_client_auth"
HEADER = "oauth-client-attestation"
POP_HEADER = "oauth-client-attestation-pop"
CHALLENGE_HEADER = "oauth-client-attestation-challenge"
TYP, POP_TYP = "oauth-client-attestation+jwt", "oauth-client-attestation-pop+jwt"
MAX_LENGTH, MAX_POP_LENGTH = 32 * 1024, 8 * 1024
MAX_LIFETIME = timedelta(hours=24)
"""TS3 §2.2.1.1: an attestation lives for less than this."""
MAX_AGE = timedelta(seconds=120)
"""How old a proof of possession may be; its `jti` is remembered for this and twice the tolerance."""
_CLIENT_STATUS = "client_status"
_MAX_CLIENT_ID, _MAX_JTI = 512, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletAttestation:
    """A wallet instance that showed its attestation and possession of its key; only `verify` makes one.

    Still the caller's: whether `chain` leads to a trusted Wallet Provider, what every one of `statuses` says, and that `pop_jti`
    was never seen with this key (VCI-WIA-11). `instance_thumbprint`: base64url of the RFC 7638 thumbprint. `status_expires`: until
    when the provider keeps the first status up, which bounds what is issued on it (EAA-I-9).
    """

    client_id: str
    instance_key: ec.EllipticCurvePublicKey
    instance_thumbprint: str
    chain: tuple[x509.Certificate, ...]
    issued_at: datetime | None
    expires: datetime
    issuer: str | None
    wallet_name: str | None
    wallet_version: str | None
    wallet_link: str | None
    certification_information: Any
    statuses: tuple[StatusReference, ...]
    status_expires: datetime | None
    pop_jti: str
    pop_challenge: str | None

    @property
    def status(self) -> StatusReference | None:
        """The status of the wallet instance (`client_status`), else that of the attestation."""
        return self.statuses[0] if self.statuses else None


def create(
    provider: Signer,
    *,
    client_id: str,
    instance_key: ec.EllipticCurvePublicKey,
    now: datetime,
    expires: datetime,
    issuer: str | None = None,
    wallet_name: str | None = None,
    wallet_version: str | None = None,
    wallet_link: str | None = None,
    wallet_solution_certification_information: Any = None,
    client_status_expires: datetime | None = None,
    status: StatusReference | None = None,
) -> str:
    """The Wallet Provider's attestation of `instance_key`. With `client_status_expires`, `status` goes into `client_status` (TS3).

    `issuer`: only for servers that still follow draft-07. ValueError for a lifetime of a day or more.
    """
    if not now < expires < now + MAX_LIFETIME:
        raise ValueError("a wallet attestation lives for less than 24 hours")
    optional = {
        "iss": issuer,
        "wallet_name": wallet_name,
        "wallet_version": wallet_version,
        "wallet_link": wallet_link,
        "wallet_solution_certification_information": wallet_solution_certification_information,
    }
    claims = {
        "sub": client_id,
        "iat": to_numeric_date(now),
        "exp": to_numeric_date(expires),
        "cnf": {"jwk": jwk.from_public(instance_key)},
        **{name: value for name, value in optional.items() if value is not None},
        **attestations.status_claims(status, client_status_expires, _CLIENT_STATUS),
    }
    return attestations.seal(claims, provider, typ=TYP)


def create_pop(
    instance: Signer, *, audience: str, now: datetime, jti: str, challenge: str | None = None, issuer: str | None = None
) -> str:
    """The wallet's proof of possession for one request. `audience`: the authorization server's issuer identifier.

    `jti`: fresh and random for every request. `issuer`: the client_id, only for servers that still follow draft-07.
    """
    claims = {
        **({"iss": issuer} if issuer is not None else {}),
        "aud": audience,
        "jti": jti,
        "iat": to_numeric_date(now),
        **({"challenge": challenge} if challenge is not None else {}),
    }
    return jws.sign({"typ": POP_TYP}, json.dumps(claims), instance)


def verify(
    attestation_values: Sequence[str],
    pop_values: Sequence[str],
    *,
    audience: str,
    now: datetime,
    client_id: str | None,
    challenge_required: bool,
    check_challenge: Callable[[str], None],
    algorithms: Sequence[str] = ALGORITHMS,
    max_lifetime: timedelta = MAX_LIFETIME,
    max_age: timedelta = MAX_AGE,
    tolerance: timedelta = TOLERANCE,
) -> WalletAttestation:
    """Check the two headers of one request (VCI-WIA-1 to -7, -10).

    `attestation_values`, `pop_values`: every value the request had under the header's name. `audience`: our issuer identifier as
    authorization server. `client_id`: the parameter of the request, None when it had none. `check_challenge`: raises
    `Refused("attestation_challenge")` for a challenge that is not ours or over; asked last, and only for a genuine proof.

    1 one header each  2 attestation: signed by the certificate in it  3 `sub`, `cnf.jwk`, times, lifetime, status  4 `client_id`
    5 proof: signed by `cnf.jwk`, `typ`, `aud`, `iss` if any, `jti`, times  6 challenge.

    Raises with codes beginning with `attestation_`, of which `attestation_expired` and `attestation_stale` ask for a fresh one and
    `attestation_challenge` for a challenge; `client_id_mismatch`.
    """
    text, pop = _only(attestation_values, "attestation"), _only(pop_values, "attestation_pop")
    opened = attestations.open_signed(text, typ=TYP, algorithms=algorithms, max_length=MAX_LENGTH, prefix="attestation")
    claims = opened.claims
    subject, key = _subject(claims), _instance_key(claims)
    issued_at, expires = _times(claims, now, max_lifetime, tolerance)
    statuses, status_expires = attestations.statuses(claims, _CLIENT_STATUS, prefix="attestation")
    if attestations.is_over(status_expires, now, tolerance):
        raise VerificationFailed("attestation_stale", "the status of the wallet is no longer kept up; get a fresh attestation")
    if client_id is not None and client_id != subject:  # VCI-WIA-5
        raise VerificationFailed("client_id_mismatch", "client_id is not the subject of the wallet attestation")
    shown = _verify_pop(
        pop, key, subject=subject, audience=audience, now=now, algorithms=algorithms, max_age=max_age, tolerance=tolerance
    )
    challenge = members.text(shown, "challenge", "attestation_pop_malformed")
    if challenge is not None:
        check_challenge(challenge)
    elif challenge_required:
        raise Refused("attestation_challenge", "the proof of possession needs a challenge of this server")
    return WalletAttestation(
        client_id=subject,
        instance_key=key,
        instance_thumbprint=base64url.encode(jwk.thumbprint(key)),
        chain=opened.chain,
        issued_at=issued_at,
        expires=expires,
        issuer=_text(claims, "iss"),
        wallet_name=_text(claims, "wallet_name"),
        wallet_version=_text(claims, "wallet_version"),
        wallet_link=_text(claims, "wallet_link"),
        certification_information=claims.get("wallet_solution_certification_information"),
        statuses=statuses,
        status_expires=status_expires,
        pop_jti=shown["jti"],
        pop_challenge=challenge,
    )


def _only(values: Sequence[str], prefix: str) -> str:
    """VCI-WIA-1: exactly one header of each name."""
    if not values:
        raise Refused(f"{prefix}_missing", "a wallet attestation and its proof of possession are needed, each in its header")
    if len(values) != 1:
        raise Malformed(f"{prefix}_repeated", "the header of the wallet attestation or its proof was sent more than once")
    return values[0]


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    return members.text(claims, name, "attestation_malformed")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = _text(claims, "sub")
    if subject is None or len(subject) > _MAX_CLIENT_ID or not (subject.isascii() and subject.isprintable()):  # RFC 6749 App. A.1
        raise Malformed("attestation_subject", "sub is missing, too long or not printable")
    return subject


def _instance_key(claims: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    try:
        return jwk.parse_public(members.an_object(claims.get("cnf"), "attestation_cnf").get("jwk"))
    except VcError as exc:
        raise Malformed("attestation_cnf", "cnf.jwk is not a public EC key") from exc


def _times(
    claims: Mapping[str, Any], now: datetime, max_lifetime: timedelta, tolerance: timedelta
) -> tuple[datetime | None, datetime]:
    begin = attestations.check_not_before(claims, now, tolerance, prefix="attestation")
    expires = attestations.moment(claims, "exp", prefix="attestation")
    if expires is None:
        raise Malformed("attestation_time", "exp is missing")
    if attestations.is_over(expires, now, tolerance):
        raise VerificationFailed("attestation_expired", "the wallet attestation has expired; get a fresh one")
    if expires - (begin or now) >= max_lifetime:
        raise VerificationFailed("attestation_lifetime", "the wallet attestation lives for too long")
    return begin, expires


def _verify_pop(
    text: str,
    key: ec.EllipticCurvePublicKey,
    *,
    subject: str,
    audience: str,
    now: datetime,
    algorithms: Sequence[str],
    max_age: timedelta,
    tolerance: timedelta,
) -> Mapping[str, Any]:
    """The claims of a proof of possession made with `key` (VCI-WIA-3)."""
    if len(text) > MAX_POP_LENGTH:
        raise Malformed("attestation_pop_malformed", "the proof of possession is too long")
    try:
        unverified = jws.parse(text)
        claims = unverified.claims()
    except Malformed as exc:
        raise Malformed("attestation_pop_malformed", "the proof of possession is not a JWT") from exc
    try:
        jws.verify(unverified, key, typ=POP_TYP, algorithms=algorithms)
    except VcError as exc:
        raise VerificationFailed(f"attestation_pop_{exc.code.removeprefix('jws_')}", exc.detail) from exc
    if not isinstance(claims.get("aud"), str) or claims["aud"] != audience:
        raise VerificationFailed("attestation_pop_audience", "aud is not the issuer identifier of this authorization server")
    if "iss" in claims and claims["iss"] != subject:
        raise VerificationFailed("attestation_pop_issuer", "iss is not the subject of the wallet attestation")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise Malformed("attestation_pop_jti", "jti is missing or too long")
    issued_at = attestations.moment(claims, "iat", prefix="attestation_pop")
    if issued_at is None or not now - max_age - tolerance <= issued_at <= now + tolerance:
        raise VerificationFailed("attestation_pop_time", "iat is missing, too old or in the future")
    attestations.check_not_before(claims, now, tolerance, prefix="attestation_pop")
    if attestations.is_over(attestations.moment(claims, "exp", prefix="attestation_pop"), now, tolerance):
        raise VerificationFailed("attestation_pop_time", "the proof of possession has expired")
    return claims
