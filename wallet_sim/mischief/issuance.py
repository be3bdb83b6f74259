"""What a hostile or broken wallet does when it receives."""

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
from wallet_sim.mischief.rows import IssuanceMischief, not_applicable
from wallet_sim.seams import ProofPart, ReceivingSeams, prove


def _proof(header: Mapping[str, Any], claims: Mapping[str, Any], signer: LocalSigner) -> str:
    return jws.sign({"typ": proof.TYP, **header}, json.dumps(dict(claims)), signer)


def _claims(part: ProofPart) -> dict[str, Any]:
    return {"aud": part.audience, "iat": to_numeric_date(part.now)}


def _foreign_proof_key(part: ProofPart) -> str:
    """The header names our key, another one signs."""
    other = LocalSigner(ec.generate_private_key(part.holder.private_key.curve))
    return _proof({"jwk": from_public(part.holder.public_key)}, {**_claims(part), "nonce": part.nonce}, other)


def _wrong_proof_audience(part: ProofPart) -> str:
    return prove(replace(part, audience=f"{part.audience}/other"))


def _proof_without_nonce(part: ProofPart) -> str:
    return _proof({"jwk": from_public(part.holder.public_key)}, _claims(part), part.holder)


def _symmetric_proof(part: ProofPart) -> str:
    """HS256 with the public key's own text as secret, which a careless library would take."""
    jwk = from_public(part.holder.public_key)
    header = base64url.encode(json.dumps({"alg": "HS256", "typ": proof.TYP, "jwk": jwk}))
    signed = f"{header}.{base64url.encode(json.dumps({**_claims(part), 'nonce': part.nonce}))}"
    mac = hmac.digest(json.dumps(jwk), signed.encode("ascii"), "sha256")
    return f"{signed}.{base64url.encode(mac)}"


def _guesses(tx_code: str | None) -> list[str | None]:
    """Five wrong codes, then the right one."""
    if tx_code is None:
        raise not_applicable("the offer asks for no transaction code")
    wrong = [f"{number:0{len(tx_code)}d}" for number in range(6)]
    return [*[guess for guess in wrong if guess != tx_code][:5], tx_code]


def _issuance_row(name: str, breaks: str, rule: str, expected: str, **seams: Any) -> IssuanceMischief:
    return IssuanceMischief(name=name, breaks=breaks, rule=rule, expected=expected, seams=ReceivingSeams(**seams))


RECEIVING: Mapping[str, IssuanceMischief] = {
    row.name: row
    for row in (
        _issuance_row("stale-c-nonce", "the proof has a c_nonce the issuer never gave", "VCI-NONCE-3", "400 invalid_nonce",
                      nonce=lambda _: token_urlsafe(32)),
        _issuance_row("proof-without-nonce", "the proof has no nonce", "VCI-CRED-4, W-4", "400 invalid_proof or invalid_nonce",
                      proof=_proof_without_nonce),
        _issuance_row("foreign-proof-key", "the proof names one key and is signed by another", "VCI-CRED-6", "400 invalid_proof",
                      proof=_foreign_proof_key),
        _issuance_row("wrong-proof-audience", "the proof is meant for another issuer", "VCI-CRED-4", "400 invalid_proof",
                      proof=_wrong_proof_audience),
        _issuance_row("symmetric-proof", "the proof is a MAC under the public key's text", "VCI-CRED-4", "400 invalid_proof",
                      proof=_symmetric_proof),
        _issuance_row("dpop-replay", "a DPoP proof is used twice", "VCI-DPOP-2", "401 invalid_dpop_proof", repeat_dpop=True),
        _issuance_row("tx-code-guessing", "five wrong transaction codes are tried before the right one", "VCI-TOK-3, R-1",
                      "400 invalid_grant", tx_codes=_guesses),
    )
}  # fmt: skip
"""Misbehaviours of `receive`, by name."""
