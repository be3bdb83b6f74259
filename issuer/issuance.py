"""From a grant and proved holder keys to credentials: prepare, lint, record, sign, check.

1 the document stands  2 indices are drawn  3 each copy is prepared and linted  4 in one transaction, shared with other requests
of the moment: DPoP proof, nonces and uses claimed, document still standing, copies recorded, indices taken  5 when that is
durable, each copy is signed once and the signature checked  6 answered.
A crash before 4 leaves nothing; after 4 it leaves records of copies that can be withdrawn (SECURITY O-1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection

from issuer.drafting import Copy, Drafting
from issuer.grants import claim_proof
from issuer.institutions import Institution
from issuer.service import Service
from issuer.signing import SignatureUnusable
from issuer.store import deferred, documents, grants, issuances, status
from issuer.store.deferred import Promise
from issuer.store.documents import Basis, DocumentState
from issuer.store.grants import Grant
from vc.documents.catalogue import Configuration
from vc.documents.model import Document
from vc.encoding import base64url
from vc.errors import Refused, Unreachable, VcError
from vc.openid4vci.dpop import DpopProof

_TRIES = 8
_log = structlog.get_logger("issuer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What the wallet gets: credentials in their wire form, in the order of the keys."""

    credentials: tuple[str, ...] = field(repr=False)
    notification_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One request, as it is to be recorded."""

    institution: Institution
    grant: Grant
    configuration: Configuration
    nonces: Sequence[str]
    proof: DpopProof | None
    promise: Promise | None
    notification_id: str
    now: datetime


class _IndexTaken(Exception):
    """Another request took one of the drawn indices."""


class Issuance:
    """Issues credentials for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._drafting = Drafting(service)

    async def issue(
        self,
        institution: Institution,
        grant: Grant,
        configuration: Configuration,
        *,
        holders: Sequence[ec.EllipticCurvePublicKey],
        nonces: Sequence[str],
        now: datetime,
        proof: DpopProof | None = None,
        promise: Promise | None = None,
        basis: Basis | None = None,
        valid_until_cap: datetime | None = None,
    ) -> Issued:
        """One credential per holder key. `nonces`: those of the proofs, spent here. `proof`: the DPoP proof of the request, claimed
        here; None when there is none or it is claimed already.

        `promise`: a deferred issuance that is kept by this, once; what it costs was paid when it was made, so nothing is taken from
        the token. `basis`: what the caller has just read of the document, None when it has not. `valid_until_cap`: no credential
        ends later (EAA-I-9). Raises `Refused("transaction_unknown")` when the promise was kept meanwhile,
        `Refused("proof_attestation_ending")` when the cap leaves less than an hour.

        Raises `Refused` with code `document_revoked`, `nonce_spent`, `grant_exhausted`, `dpop_replay`; `LintFailed`;
        `Unreachable("certificate_ending")`; and when all was recorded, `SignatureUnusable`.
        """
        order = _Order(
            institution=institution,
            grant=grant,
            configuration=configuration,
            nonces=nonces,
            proof=proof,
            promise=promise,
            notification_id=base64url.encode(self._service.random_bytes(24)),
            now=now,
        )
        for _ in range(_TRIES):
            try:
                copies = await self._recorded(order, holders, basis, valid_until_cap)
            except _IndexTaken:
                continue
            ids = [copy.id for copy in copies]
            credentials = await self._sign(grant, copies)
            _log.info("credentials_issued", institution=institution.id, configuration=configuration.id, credential_ids=ids)
            return Issued(credentials=credentials, notification_id=order.notification_id)
        raise Unreachable("status_index", "no free status index could be taken")

    async def _recorded(
        self, order: _Order, holders: Sequence[ec.EllipticCurvePublicKey], basis: Basis | None, cap: datetime | None
    ) -> Sequence[Copy]:
        institution, grant, stored = order.institution, order.grant, basis
        if stored is None:
            with self._service.reader as connection:
                stored = documents.basis(connection, institution.id, grant.document_id)
        if stored is None or stored.standing.state(order.now) is DocumentState.REVOKED:
            raise _revoked()
        places = None
        if not institution.short_lived(stored.document_type):
            places = await self._draw(institution, len(holders), order.now)
        document = Document(type=stored.document_type, data=stored.document)
        copies = self._drafting.copies(institution, order.configuration, document, holders, places=places, cap=cap, now=order.now)
        await self._service.writer.run(lambda connection: _record(connection, order, copies, None if places is None else places[0]))
        return copies

    async def _draw(self, institution: Institution, count: int, now: datetime) -> tuple[str, list[int]]:
        """A list of the institution, and places of it that are free now; they are taken only by `_record`."""
        draw = self._service.random_bytes
        with self._service.reader as connection:
            found = status.draw_one(connection, institution.id, draw) if count == 1 else None
            if found is not None:
                return found[0], [found[1]]
            list_id = status.open_list(connection, institution.id)
        if list_id is None:
            list_id = await self._service.writer.run(lambda connection: status.add_list(connection, institution.id, now, draw))
        with self._service.reader as connection:
            return list_id, status.draw(connection, list_id, count, draw)

    async def _sign(self, grant: Grant, copies: Sequence[Copy]) -> tuple[str, ...]:
        signed: tuple[str, ...] | None = None
        try:
            signed = tuple(copy.linted.sign() for copy in copies)
            return signed
        except VcError as exc:
            raise SignatureUnusable(exc.code, exc.detail) from exc
        finally:
            if signed is None:
                await self._note_failure(grant, [copy.id for copy in copies])

    async def _note_failure(self, grant: Grant, credential_ids: list[str]) -> None:
        """None of the copies leaves; their indices are spent and show invalid (SECURITY O-4)."""
        now = self._service.clock()

        def note(connection: Connection) -> None:
            issuances.mark_failed(connection, credential_ids)
            status.invalidate(connection, credential_ids, now)
            documents.note(connection, grant.document_id, "signing_failed", now, credential_ids=credential_ids)

        await self._service.writer.run(note)
        _log.error("signing_failed", credential_ids=credential_ids)


def _record(connection: Connection, order: _Order, copies: Sequence[Copy], list_id: str | None) -> None:
    """Claim what the request spends and write down what it gets, all of it or (the writer undoes it) nothing."""
    institution, grant, now = order.institution, order.grant, order.now
    if order.proof is not None:
        claim_proof(connection, order.proof, now)
    if not grants.claim_nonces(connection, institution.id, order.nonces, now):
        raise Refused("nonce_spent", "a nonce was spent meanwhile")
    if order.promise is not None:
        if not deferred.deliver(connection, order.promise, now):
            raise Refused("transaction_unknown", "the credentials were collected meanwhile")
    elif not grants.claim_uses(connection, grant, len(copies), now):
        raise Refused("grant_exhausted", "the access token is not good for so many credentials")
    standing = documents.standing(connection, institution.id, grant.document_id)
    if standing is None or standing.state(now) is DocumentState.REVOKED:
        raise _revoked()
    if standing.hold is not None:  # it was looked at before; nothing is given for a document that is not free
        raise Refused("document_refused", "the institution has not released this document")
    issuances.record(
        connection,
        notification_id=order.notification_id,
        institution_id=institution.id,
        grant_id=grant.grant_id,
        document_id=grant.document_id,
        configuration_id=order.configuration.id,
        records=[copy.record for copy in copies],
        now=now,
    )
    if list_id is not None:
        entries = {copy.index: copy.id for copy in copies if copy.index is not None}
        if not status.take(connection, list_id, entries, changes_at=standing.status_changes_at):
            raise _IndexTaken
    documents.note(
        connection,
        grant.document_id,
        "credentials_issued",
        now,
        configuration_id=order.configuration.id,
        credential_ids=[copy.id for copy in copies],
    )


def _revoked() -> Refused:
    return Refused("document_revoked", "the document has been withdrawn")
