"""Bad proofs of possession and bad key attestations."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.clock import to_numeric_date
from vc.encoding import base64url, json
from vc.jose import jws
from vc.keys.jwk import from_public
from vc.keys.signer import LocalSigner
from vc.openid4vci import proof
from wallet_sim.issuance_seams import KeysPart, ProofPart, attest_keys, prove
from wallet_sim.mischief.providers import unlisted
from wallet_sim.provider import KeyLevels


def _header(part: ProofPart) -> dict[str, Any]:
    attestation = {} if part.key_attestation is None else {"key_attestation": part.key_attestation}
    return {"typ": proof.TYP, "jwk": from_public(part.holder.public_key), **attestation}


def _claims(part: ProofPart) -> dict[str, Any]:
    return {
        **({} if part.client_id is None else {"iss": part.client_id}),
        "aud": part.audience,
        "iat": to_numeric_date(part.now),
        "nonce": part.nonce,
    }


def _signed(header: Mapping[str, Any], claims: Mapping[str, Any], signer: LocalSigner) -> str:
    return jws.sign(header, json.dumps(dict(claims)), signer)


def _new_signer() -> LocalSigner:
    return LocalSigner(ec.generate_private_key(ec.SECP256R1()))


def foreign_key(part: ProofPart) -> str:
    """The header names our key, another one signs."""
    return _signed(_header(part), _claims(part), _new_signer())


def other_audience(part: ProofPart) -> str:
    """Meant for another issuer."""
    return prove(replace(part, audience=f"{part.audience}/other"))


def without(name: str, part: ProofPart) -> str:
    """Without the claim `name`."""
    return _signed(_header(part), {claim: value for claim, value in _claims(part).items() if claim != name}, part.holder)


def symmetric(part: ProofPart) -> str:
    """HS256 with the public key's own text as secret, which a careless library would take."""
    header = base64url.encode(json.dumps({**_header(part), "alg": "HS256"}))
    signed = f"{header}.{base64url.encode(json.dumps(_claims(part)))}"
    mac = hmac.digest(json.dumps(from_public(part.holder.public_key)), signed.encode("ascii"), "sha256")
    return f"{signed}.{base64url.encode(mac)}"


def weak_attestation(part: KeysPart) -> str:
    """Keys whose storage withstands next to nothing."""
    levels = KeyLevels(key_storage=("iso_18045_basic",), user_authentication=("iso_18045_basic",))
    return part.provider.attest_keys(part.keys, nonce=part.nonce, now=part.now, levels=levels)


def unlisted_attestation(part: KeysPart) -> str:
    """From a provider nobody listed."""
    return attest_keys(replace(part, provider=unlisted(part.provider, part.now)))


def attestation_of_other_keys(part: KeysPart) -> str:
    """A good attestation, of keys that are not those of the proof."""
    return attest_keys(replace(part, keys=[_new_signer().public_key for _ in part.keys]))


def attestation_for_other_nonce(part: KeysPart) -> str:
    """A good attestation, made for another nonce."""
    return attest_keys(replace(part, nonce=token_urlsafe(32)))
