"""Deferred issuance (OpenID4VCI 1.0 §9): credentials of a held document are promised, for keys that are proved now.

Keys and proofs are fixed when the credential is asked for. What is checked again at delivery is everything that can change: the
token, the document, its state.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from issuer.grants import claim_proof
from issuer.institutions import Institution
from issuer.proving import Proved
from issuer.service import Service
from issuer.store import deferred, documents
from issuer.store import grants as store
from issuer.store.deferred import Promise
from issuer.store.documents import Basis, DocumentState, Standing
from issuer.store.grants import Grant
from vc.encoding import base64url
from vc.errors import Refused
from vc.openid4vci.dpop import DpopProof

_log = structlog.get_logger("issuer")


def basis(service: Service, institution: Institution, grant: Grant, now: datetime) -> Basis:
    """What credentials of the grant are made of; they have to wait when `is_held`. Raises `Refused` with `document_revoked`,
    `document_refused`."""
    with service.reader as connection:
        found = documents.basis(connection, institution.id, grant.document_id)
    _check(None if found is None else found.standing, now)
    assert found is not None  # as was checked
    return found


def is_held(basis: Basis) -> bool:
    """Whether credentials of the document have to wait."""
    return basis.standing.hold == documents.HELD


async def promise(
    service: Service,
    institution: Institution,
    grant: Grant,
    configuration_id: str,
    proved: Proved,
    *,
    proof: DpopProof | None,
    now: datetime,
) -> str:
    """Promise credentials for the proved keys; gives the transaction id. Nonces and uses of the token are spent here and now.

    Raises `Refused` with `dpop_replay`, `nonce_spent`, `grant_exhausted`, `document_revoked`, `document_refused`.
    """
    transaction_id = base64url.encode(service.random_bytes(24))
    nonces = [key.nonce for key in proved.keys]

    def keep(connection: Connection) -> None:
        if proof is not None:
            claim_proof(connection, proof, now)
        if not store.claim_nonces(connection, institution.id, nonces, now):
            raise Refused("nonce_spent", "a nonce was spent meanwhile")
        if not store.claim_uses(connection, grant, len(proved.keys), now):
            raise Refused("grant_exhausted", "the access token is not good for so many credentials")
        _standing(connection, institution, grant, now)
        deferred.add(
            connection,
            transaction_id,
            grant,
            configuration_id=configuration_id,
            holders=[key.public_key for key in proved.keys],
            not_after=proved.not_after,
            now=now,
            expires_at=now + timedelta(seconds=institution.deferred_seconds),
        )
        documents.note(
            connection,
            grant.document_id,
            "credentials_deferred",
            now,
            configuration_id=configuration_id,
            count=len(proved.keys),
        )

    await service.writer.run(keep)
    _log.info("credentials_deferred", institution=institution.id, configuration=configuration_id)
    return transaction_id


def look(service: Service, institution: Institution, grant: Grant, transaction_id: str, now: datetime) -> tuple[Promise, bool]:
    """What was promised under the id to whoever holds `grant`, and whether it still has to wait.

    Raises `Refused` with `transaction_unknown` (unknown, delivered, over, or promised to somebody else: not told apart),
    `scope_insufficient`, `document_revoked`, `document_refused`.
    """
    with service.reader as connection:
        found = deferred.find(connection, grant, transaction_id, now)
        if found is None:
            raise Refused("transaction_unknown", "no credentials are waiting under this transaction id for this access token")
        if found.configuration_id not in grant.configuration_ids:
            raise Refused("scope_insufficient", "the access token is not good for this credential configuration")
        held = _standing(connection, institution, grant, now).hold == documents.HELD
    return found, held


async def note_look(service: Service, institution: Institution, promise: Promise, now: datetime) -> None:
    """Remember that a wallet came to see, in vain."""
    every = institution.deferred_interval_seconds
    await service.writer.run(lambda connection: deferred.note_look(connection, promise, now, every=every))


def _standing(connection: Connection, institution: Institution, grant: Grant, now: datetime) -> Standing:
    return _check(documents.standing(connection, institution.id, grant.document_id), now)


def _check(document: Standing | None, now: datetime) -> Standing:
    if document is None or document.state(now) is DocumentState.REVOKED:
        raise Refused("document_revoked", "the document has been withdrawn")
    if document.hold == documents.REFUSED:
        raise Refused("document_refused", "the institution has decided not to give credentials of this document")
    return document
