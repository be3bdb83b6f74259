"""What wallet providers attest, judged: of wallet instances (client attestations) and of the keys inside them (key attestations).

The texts themselves are verified by `vc.openid4vci`; here it is asked whether the provider is believed, whether it has withdrawn
the attestation, and whether a proof of possession is fresh (VCI-WIA-4, -6, -11, EAA-I-8, SECURITY A-14).
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from issuer.institutions import Institution
from issuer.service import Service
from issuer.store import grants as store
from issuer.store.engine import reading
from issuer.store.grants import Purpose
from issuer.wallet_trust import Provider
from vc.clock import TOLERANCE
from vc.errors import Refused
from vc.openid4vci.key_attestation import KeyAttestation
from vc.openid4vci.wallet_attestation import MAX_AGE, WalletAttestation

_CLIENT, _KEY = "attestation", "proof_attestation"


def judge_wallet(service: Service, institution: Institution, attestation: WalletAttestation, now: datetime) -> Provider:
    """The provider of a verified wallet attestation, if it is believed and has not withdrawn it.

    May wait for the network: call it outside of the event loop. Raises as `WalletTrust.believe` with codes that begin with
    `attestation_`: `attestation_untrusted`, `attestation_revoked`, `attestation_status` (`Refused`, each with the exact reason),
    and `Unreachable` when a list cannot be relied upon at present.
    """
    return _believe(service, attestation, _CLIENT, now)


def judge_key(service: Service, institution: Institution, attestation: KeyAttestation, now: datetime) -> Provider:
    """As `judge_wallet` for a key attestation, with codes that begin with `proof_attestation_` (EAA-I-8)."""
    return _believe(service, attestation, _KEY, now)


def _believe(service: Service, attestation: WalletAttestation | KeyAttestation, family: str, now: datetime) -> Provider:
    if service.wallet_trust is None:
        raise Refused(f"{family}_untrusted", "this issuer was given no list of wallet providers, so that none is believed")
    return service.wallet_trust.believe(attestation.chain, attestation.statuses, family=family, now=now)


def challenge_check(service: Service, institution: Institution, now: datetime) -> Callable[[str], None]:
    """For `wallet_attestation.verify`: raises `Refused("attestation_challenge")` for a challenge that is not one of ours for this
    purpose, or spent, or over. Spends nothing: `claim` does."""

    def check(challenge: str) -> None:
        with reading(service.engine) as connection:
            if not store.knows_nonces(connection, institution.id, [challenge], now, purpose=Purpose.ATTESTATION):
                raise _challenge()

    return check


def claim(connection: Connection, institution: Institution, attestation: WalletAttestation, now: datetime) -> None:
    """Spend the challenge and remember the proof of possession for as long as it could be shown again, both at once.

    Belongs into the transaction of what the attestation authenticates. Raises `Refused("attestation_challenge")` when the
    challenge was spent meanwhile and `Refused("attestation_replay")` for a proof that was shown before, here or at another
    worker (VCI-WIA-11).
    """
    challenge = attestation.pop_challenge
    if challenge is not None and not store.claim_nonces(connection, institution.id, [challenge], now, purpose=Purpose.ATTESTATION):
        raise _challenge()
    remembered = store.digest("pop", attestation.instance_thumbprint)
    if not store.claim_proof(connection, remembered, attestation.pop_jti, now + MAX_AGE + 2 * TOLERANCE):
        raise Refused("attestation_replay", "this proof of possession was used before")


def _challenge() -> Refused:
    return Refused("attestation_challenge", "the challenge is not one of ours, or spent, or over; use the new one")
