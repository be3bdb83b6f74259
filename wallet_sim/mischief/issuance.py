"""What a hostile or broken wallet does when it receives, by name."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from secrets import token_urlsafe
from typing import Any

from wallet_sim.issuance_seams import ReceivingSeams
from wallet_sim.mischief import clients, proofs
from wallet_sim.mischief.rows import IssuanceMischief, Need, not_applicable

POLLS = 20
"""Questions in a row of a wallet that does not wait."""


def _guesses(tx_code: str | None) -> list[str | None]:
    """Five wrong codes, then the right one."""
    if tx_code is None:
        raise not_applicable("the offer asks for no transaction code")
    wrong = [f"{number:0{len(tx_code)}d}" for number in range(6)]
    return [*[guess for guess in wrong if guess != tx_code][:5], tx_code]


def _wrong_verifier(form: Mapping[str, str]) -> dict[str, str]:
    return {**form, "code_verifier": token_urlsafe(32)} if "code_verifier" in form else dict(form)


def _unknown_configuration(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: "no-such-credential" if name.startswith("credential_") and isinstance(value, str) else value
            for name, value in request.items()}  # fmt: skip


def _one_too_many(_wanted: int, batch_size: int) -> int:
    return batch_size + 1


def _row(
    name: str, breaks: str, rule: str, expected: str, *refusals: str, needs: Collection[Need] = (), **seams: Any
) -> IssuanceMischief:
    """`refusals`: the codes of a sound issuer; when none is given, the last word of `expected`."""
    return IssuanceMischief(
        name=name, breaks=breaks, rule=rule, expected=expected, refusals=frozenset(refusals or expected.split()[-1:]),
        needs=frozenset(needs), seams=replace(ReceivingSeams(), **seams),
    )  # fmt: skip


_PROOFS = (
    _row("stale-c-nonce", "the proof has a c_nonce the issuer never gave", "VCI-NONCE-3", "400 invalid_nonce",
         nonce=lambda _: token_urlsafe(32)),
    _row("proof-without-nonce", "the proof has no nonce", "VCI-CRED-4, W-4", "400 invalid_proof or invalid_nonce",
         "invalid_proof", "invalid_nonce", needs={Need.JWT}, proof=partial(proofs.without, "nonce")),
    _row("foreign-proof-key", "the proof names one key and is signed by another", "VCI-CRED-6", "400 invalid_proof",
         needs={Need.JWT}, proof=proofs.foreign_key),
    _row("wrong-proof-audience", "the proof is meant for another issuer", "VCI-CRED-4", "400 invalid_proof",
         needs={Need.JWT}, proof=proofs.other_audience),
    _row("proof-without-audience", "the proof is meant for nobody", "VCI-CRED-4", "400 invalid_proof",
         needs={Need.JWT}, proof=partial(proofs.without, "aud")),
    _row("symmetric-proof", "the proof is a MAC under the public key's text", "VCI-CRED-4", "400 invalid_proof",
         needs={Need.JWT}, proof=proofs.symmetric),
    _row("batch-over-size", "one proof more than the batch may have", "VCI-META-8, VCI-CRED-3", "400 invalid_proof",
         needs={Need.JWT}, copies=_one_too_many, proof_per_key=True),
    _row("weak-key-attestation", "the keys lie where next to nothing protects them", "VCI-CRED-8", "400 invalid_proof",
         needs={Need.KEY_ATTESTATION, Need.LEVELS}, attest_keys=proofs.weak_attestation),
    _row("unlisted-key-attestation", "a provider nobody listed vouches for the keys", "VCI-CRED-7", "400 invalid_proof",
         needs={Need.KEY_ATTESTATION}, attest_keys=proofs.unlisted_attestation),
    _row("key-attestation-of-other-keys", "the attested keys are not those of the proof", "VCI-CRED-9", "400 invalid_proof",
         needs={Need.KEY_ATTESTATION, Need.JWT}, attest_keys=proofs.attestation_of_other_keys),
    _row("key-attestation-for-other-nonce", "the key attestation was made for another nonce", "VCI-CRED-7", "400 invalid_nonce",
         needs={Need.KEY_ATTESTATION}, attest_keys=proofs.attestation_for_other_nonce),
)  # fmt: skip
_REQUESTS = (
    _row("unknown-configuration", "a credential is asked for that the issuer does not have", "VCI-CRED-2",
         "400 unknown_credential_configuration or unknown_credential_identifier",
         "unknown_credential_configuration", "unknown_credential_identifier", request=_unknown_configuration),
    _row("plain-request", "a request goes plain although encryption is required", "VCI-ENC-3, VCI-ENC-5",
         "400 invalid_encryption_parameters", needs={Need.ENCRYPTION}, encrypted=False),
    _row("dpop-replay", "a DPoP proof is used twice", "VCI-DPOP-2", "401 invalid_dpop_proof",
         needs={Need.DPOP}, repeat_dpop=True),
    _row("dpop-other-key", "the access token is used with the DPoP proof of another key", "VCI-DPOP-4", "401 invalid_dpop_proof",
         needs={Need.DPOP}, resource_key=clients.new_key),
    _row("deferred-hammering", f"a deferred credential is asked for {POLLS} times without waiting", "VCI-DEF-2",
         "202 with the interval each time, or 429", "deferred", "temporarily_unavailable", polls=POLLS),
)  # fmt: skip
_GRANTS = (
    _row("tx-code-guessing", "five wrong transaction codes are tried before the right one", "VCI-TOK-3, R-1", "400 invalid_grant",
         tx_codes=_guesses),
    _row("code-twice", "a code is redeemed twice", "VCI-OFF-6, VCI-AUTHZ-7", "400 invalid_grant", redeem_again=True),
    _row("wrong-verifier", "the code verifier is not that of the request", "VCI-AUTHZ-5", "400 invalid_grant",
         needs={Need.CODE}, form=_wrong_verifier),
    _row("no-par", "the authorization request is not pushed", "VCI-AUTHZ-4", "an error page, nobody is redirected", "sign_in",
         needs={Need.CODE}, pushed=False),
)  # fmt: skip
_CLIENTS = (
    _row("expired-attestation", "the wallet attestation is over", "VCI-WIA-2", "400 use_fresh_attestation",
         needs={Need.ATTESTED}, attest_instance=clients.expired_attestation),
    _row("unlisted-provider", "a provider nobody listed vouches for the wallet", "VCI-WIA-4", "401 invalid_client",
         needs={Need.ATTESTED}, attest_instance=clients.unlisted_provider),
    _row("foreign-client-id", "client_id is not the subject of the wallet attestation", "VCI-WIA-5, VCI-AUTHZ-10",
         "401 invalid_client", needs={Need.ATTESTED}, form=clients.other_client_id),
    _row("pop-wrong-audience", "the proof of the instance key is meant for another server", "VCI-WIA-3", "401 invalid_client",
         needs={Need.ATTESTED}, prove_instance=clients.other_audience),
    _row("pop-foreign-key", "the proof of the instance key is signed by another key", "VCI-WIA-3", "401 invalid_client",
         needs={Need.ATTESTED}, prove_instance=clients.other_key),
    _row("pop-old", "the proof of the instance key was made an hour ago", "VCI-WIA-3", "401 invalid_client",
         needs={Need.ATTESTED}, prove_instance=clients.old),
    _row("pop-replay", "the proof of the instance key is used twice", "VCI-WIA-11",
         "401 invalid_client or 400 use_attestation_challenge", "invalid_client", "use_attestation_challenge",
         needs={Need.ATTESTED, Need.CODE}, prove_instance=clients.replayed),
    _row("challenge-missing", "the proof of the instance key has no challenge", "VCI-WIA-6", "400 use_attestation_challenge",
         needs={Need.CHALLENGE}, prove_instance=clients.without_challenge),
    _row("challenge-spent", "a challenge is used twice", "VCI-WIA-6", "400 use_attestation_challenge",
         needs={Need.CHALLENGE, Need.CODE}, prove_instance=clients.spent_challenge),
    _row("refresh-other-instance", "another instance of the wallet uses the refresh token", "VCI-TOK-10, EAA-I-10",
         "400 invalid_grant", needs={Need.RENEWAL, Need.ATTESTED}, instance=clients.new_key),
    _row("refresh-other-dpop-key", "the refresh token is used with another DPoP key", "VCI-TOK-10",
         "400 invalid_grant or invalid_dpop_proof", "invalid_grant", "invalid_dpop_proof",
         needs={Need.RENEWAL, Need.DPOP}, refresh_key=clients.new_key),
)  # fmt: skip

RECEIVING: Mapping[str, IssuanceMischief] = {row.name: row for row in (*_PROOFS, *_REQUESTS, *_GRANTS, *_CLIENTS)}
"""Misbehaviours of `receive`, `request` and `renew`, by name."""
