"""Grants and their lives: a pre-authorized code becomes an access token, an access token is shown, a nonce is given and spent."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from issuer import tokens
from issuer.clients import Client
from issuer.institutions import Institution
from issuer.service import Service
from issuer.store import documents, rates
from issuer.store import grants as store
from issuer.store.engine import reading, writing
from issuer.store.grants import Grant, Offer, OfferState, Purpose
from issuer.tokens import AccessToken
from vc.clock import TOLERANCE
from vc.encoding import base64url
from vc.errors import Refused
from vc.openid4vci.dpop import MAX_AGE, DpopProof

_log = structlog.get_logger("issuer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """What a wallet asks for at the token endpoint. `configuration_ids` None: everything that was offered, without identifiers."""

    code: str = field(repr=False)
    tx_code: str | None = field(repr=False)
    configuration_ids: tuple[str, ...] | None


def redeem(
    service: Service, institution: Institution, client: Client, asked: Redemption, *, proof: DpopProof | None, now: datetime
) -> AccessToken:
    """Exchange a pre-authorized code (OpenID4VCI 1.0 §6). The code is spent by success alone, and by one caller alone.

    An attested wallet instance that uses DPoP gets a refresh token with it, where the profile has any.

    Raises `Refused` with code `code_unknown` (unknown, expired, spent, dead, another institution's: not told apart),
    `tx_code_missing`, `tx_code_unexpected`, `tx_code_wrong`, `configuration_not_offered`, `dpop_replay`.
    """
    with reading(service.engine) as connection:
        offer = store.open_offer_by_code(connection, institution.id, asked.code, now)
    if offer is None:
        raise _unknown()
    if offer.needs_tx_code and asked.tx_code is None:
        raise Refused("tx_code_missing", "a transaction code is required")
    if not offer.needs_tx_code and asked.tx_code is not None:
        raise Refused("tx_code_unexpected", "no transaction code was announced for this offer")
    granted = asked.configuration_ids or offer.configuration_ids
    if not set(granted) <= set(offer.configuration_ids):
        raise Refused("configuration_not_offered", "a credential configuration is asked for that was not offered")
    grant = _grant(service, offer, client, asked, proof=proof, now=now)
    with_refresh = institution.profile.refresh and client.attestation is not None
    made = tokens.make(service, grant, with_refresh=with_refresh, now=now)
    with writing(service.engine) as connection:
        client.claim(connection, institution, now)
        if proof is not None:
            claim_proof(connection, proof, now)
        state = store.redeem(connection, offer.offer_id, code=asked.code, tx_code=asked.tx_code, now=now)
        if state is OfferState.SPENT:
            tokens.keep(service, connection, made, now)
            documents.note(connection, offer.document_id, "offer_redeemed", now, offer_id=offer.offer_id)
        elif state is OfferState.DEAD:
            documents.note(connection, offer.document_id, "offer_dead", now, offer_id=offer.offer_id)
    # The transaction is over: a wrong guess is counted although the caller gets an error.
    if state is None:
        raise _unknown()
    if state is not OfferState.SPENT:
        raise Refused("tx_code_wrong", "the transaction code is wrong")
    _log.info("offer_redeemed", institution=institution.id, offer_id=offer.offer_id)
    return made


def _grant(service: Service, offer: Offer, client: Client, asked: Redemption, *, proof: DpopProof | None, now: datetime) -> Grant:
    identifiers = None if asked.configuration_ids is None else tokens.identifiers_for(service, asked.configuration_ids)
    return Grant(
        token_sha256="",  # set with the token
        grant_id=offer.offer_id,
        document_id=offer.document_id,
        institution_id=offer.institution_id,
        configuration_ids=asked.configuration_ids or offer.configuration_ids,
        credential_identifiers=identifiers,
        client_id=client.client_id,
        instance_thumbprint=client.instance_thumbprint,
        not_after=client.not_after,
        dpop_thumbprint=None if proof is None else proof.thumbprint,
        expires_at=now,
    )


def claim_proof(connection: Connection, proof: DpopProof, now: datetime) -> None:
    """Remember a DPoP proof for as long as it could be shown again. Raises `Refused("dpop_replay")` (SECURITY A-11)."""
    if not store.claim_proof(connection, proof.thumbprint, proof.jti, now + MAX_AGE + 2 * TOLERANCE):
        raise Refused("dpop_replay", "this DPoP proof was used before")


async def give_nonce(service: Service, institution: Institution, now: datetime, *, purpose: Purpose = Purpose.C_NONCE) -> str:
    """A fresh nonce of the institution, remembered until it is spent or over. Raises `Refused("rate_limit")`."""
    nonce = base64url.encode(service.random_bytes(24))
    expires_at = now + timedelta(seconds=service.settings.nonce_seconds)

    def remember(connection: Connection) -> None:
        rates.claim(connection, institution.id, "nonces", service.settings.nonces_per_minute, now)
        store.add_nonce(connection, institution.id, nonce, expires_at, purpose=purpose)

    await service.writer.run(remember)
    return nonce


def _unknown() -> Refused:
    return Refused("code_unknown", "the pre-authorized code is not valid")
