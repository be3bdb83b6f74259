"""The seams of receiving: where an honest wallet does the right thing, and where a test may put something else (SECURITY W-6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.keys.signer import LocalSigner
from vc.openid4vci import proof, wallet_attestation
from wallet_sim.provider import WalletProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPart:
    """One proof of possession about to be made. `audience`: the credential issuer identifier. `client_id` None: anonymous.

    `key_attestation`: what the wallet provider says of the key, None when nobody asked.
    """

    holder: LocalSigner
    audience: str
    nonce: str
    now: datetime
    client_id: str | None = None
    key_attestation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePart:
    """A wallet attestation about to be had for the instance with this key."""

    provider: WalletProvider
    key: ec.EllipticCurvePublicKey
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PopPart:
    """A proof of possession of the instance key about to be made. `audience`: the authorization server's identifier.

    `issuer`: what `iss` says, None to leave it out. `last`: the one sent before, if any.
    """

    instance: LocalSigner
    audience: str
    now: datetime
    challenge: str | None
    issuer: str | None = None
    last: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPart:
    """A key attestation about to be had."""

    provider: WalletProvider
    keys: Sequence[ec.EllipticCurvePublicKey]
    nonce: str
    now: datetime


def prove(part: ProofPart) -> str:
    """The proof of `part`; without `iss` from an anonymous client (VCI-CRED-5)."""
    return proof.create_jwt(
        part.holder,
        audience=part.audience,
        nonce=part.nonce,
        issued_at=part.now,
        client_id=part.client_id,
        key_attestation=part.key_attestation,
    )


def attest_instance(part: InstancePart) -> str:
    """A fresh attestation."""
    return part.provider.attest_instance(part.key, now=part.now)


def prove_instance(part: PopPart) -> str:
    """The proof of possession that goes with a wallet attestation (VCI-WIA-3, -6)."""
    return wallet_attestation.create_pop(
        part.instance,
        audience=part.audience,
        now=part.now,
        jti=token_urlsafe(24),
        challenge=part.challenge,
        issuer=part.issuer,
    )


def attest_keys(part: KeysPart) -> str:
    """A fresh attestation of the keys."""
    return part.provider.attest_keys(part.keys, nonce=part.nonce, now=part.now)


def _same_text(text: str) -> str:
    return text


def _one_try(tx_code: str | None) -> tuple[str | None, ...]:
    return (tx_code,)


def _same_form(form: Mapping[str, str]) -> dict[str, str]:
    return dict(form)


def _same_request(request: Mapping[str, Any]) -> dict[str, Any]:
    return dict(request)


def _same_key(key: LocalSigner) -> LocalSigner:
    return key


def _wanted(wanted: int, _batch_size: int) -> int:
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivingSeams:
    """What each step does.

    `nonce`: the c_nonce to prove with. `tx_codes`: the transaction codes to try, one after the other. `form`: the token request.
    `copies`: from the number wanted and the issuer's batch size, the number of keys; `proof_per_key`: each with a proof of its own,
    also where one attestation names them all. `request`: the credential request.
    `resource_key`: the DPoP key of requests with the access token; `refresh_key`: that of a refresh. `instance`: the instance key.
    `pushed`: the authorization request is pushed. `redeem_again`: the grant is redeemed a second time. `encrypted`: requests are
    encrypted when the issuer takes that. `repeat_dpop`: the credential request is sent again under the DPoP proof used before.
    `polls`: how often a deferred credential is asked for at once.
    """

    nonce: Callable[[str], str] = _same_text
    proof: Callable[[ProofPart], str] = prove
    tx_codes: Callable[[str | None], Sequence[str | None]] = _one_try
    attest_instance: Callable[[InstancePart], str] = attest_instance
    prove_instance: Callable[[PopPart], str] = prove_instance
    attest_keys: Callable[[KeysPart], str] = attest_keys
    form: Callable[[Mapping[str, str]], dict[str, str]] = _same_form
    copies: Callable[[int, int], int] = _wanted
    request: Callable[[Mapping[str, Any]], dict[str, Any]] = _same_request
    resource_key: Callable[[LocalSigner], LocalSigner] = _same_key
    refresh_key: Callable[[LocalSigner], LocalSigner] = _same_key
    instance: Callable[[LocalSigner], LocalSigner] = _same_key
    proof_per_key: bool = False
    pushed: bool = True
    redeem_again: bool = False
    encrypted: bool = True
    repeat_dpop: bool = False
    polls: int = 1


HONEST_RECEIVING = ReceivingSeams()
