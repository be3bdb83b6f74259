"""The keys a credential is asked for: proved by the wallet, or attested by a wallet provider that is believed.

Verifying a proof is `vc.openid4vci.proof`; here stands what only the issuer knows: its nonces, its profile, whom it believes.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from issuer import attestations
from issuer.institutions import Institution
from issuer.service import Service
from issuer.store import grants
from issuer.store.engine import reading
from issuer.store.grants import Grant
from vc.errors import Refused
from vc.openid4vci import key_attestation, proof
from vc.openid4vci.credential import CredentialRequest
from vc.openid4vci.key_attestation import KeyAttestation
from vc.openid4vci.proof import HolderKey

_SHORT_HEADER = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Keys in the order credentials are made for them. `not_after`: until when the wallet provider keeps the status of these keys
    up; nothing issued for them lives longer (EAA-I-9). None where nothing bounds it."""

    keys: tuple[HolderKey, ...]
    not_after: datetime | None


async def proved(service: Service, institution: Institution, grant: Grant, asked: CredentialRequest, now: datetime) -> Proved:
    """The keys of a request's proofs: all proofs are good or none is. Spends nothing.

    Raises what `proof.verify_all` raises, `Refused("nonce_unknown")`, and for attestations what `attestations.judge_key` and
    `key_attestation.check_level` raise.
    """
    if service.wallet_trust is None or not _may_attest(asked):
        with service.reader as connection:
            return _proved(service, institution, grant, asked, now, connection=connection)
    # A key attestation may make us ask for a status list: not on the event loop.
    return await asyncio.to_thread(_proved_aside, service, institution, grant, asked, now)


def _may_attest(asked: CredentialRequest) -> bool:
    """Whether a wallet provider may have to be judged: a header too short for a certificate has no attestation to judge."""
    return asked.proof_type == proof.ATTESTATION or any(text.find(".") > _SHORT_HEADER for text in asked.proofs)


def _proved_aside(service: Service, institution: Institution, grant: Grant, asked: CredentialRequest, now: datetime) -> Proved:
    with reading(service.engine) as connection:
        return _proved(service, institution, grant, asked, now, connection=connection)


def _proved(
    service: Service, institution: Institution, grant: Grant, asked: CredentialRequest, now: datetime, *, connection: Connection
) -> Proved:
    profile, required = institution.profile, institution.profile.key_attestation
    ends: list[datetime] = []

    def judge(attestation: KeyAttestation) -> None:
        attestations.judge_key(service, institution, attestation, now)
        if required is not None:
            key_attestation.check_level(
                attestation, key_storage=required.key_storage, user_authentication=required.user_authentication
            )
        if attestation.status_expires is not None:
            ends.append(attestation.status_expires)

    def check_nonce(nonce: str) -> None:
        if not grants.knows_nonces(connection, institution.id, [nonce], now):
            raise Refused("nonce_unknown", "the nonce is not one of ours, or spent, or over; fetch a new one")

    keys = proof.verify_all(
        asked.proof_type,
        asked.proofs,
        audience=institution.credential_issuer,
        check_nonce=check_nonce,
        now=now,
        batch_size=service.settings.batch_size,
        client_id=grant.client_id,
        attestation_required=required is not None,
        judge=judge if profile.attested_clients else None,
        algorithms=profile.proof_algorithms,
        attestation_algorithms=profile.attestation_algorithms,
    )
    return Proved(keys=keys, not_after=earliest(*ends))


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of the moments there are."""
    return min((moment for moment in moments if moment is not None), default=None)
