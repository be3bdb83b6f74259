"""From a grant and proved holder keys to credentials: prepare, lint, record, sign, check.

1 the document stands  2 indices are drawn  3 each copy is prepared and linted  4 in one transaction: nonces and uses claimed,
document still standing, copies recorded, indices taken  5 each copy is signed once and the signature checked  6 answered.
A crash before 4 leaves nothing; after 4 it leaves records of copies that can be withdrawn (SECURITY O-1).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from issuer import type_metadata
from issuer.institutions import Institution
from issuer.lint import Expected
from issuer.publishing import list_uri
from issuer.service import Service
from issuer.signing import LintedCredential, Throwaway
from issuer.store import deferred, documents, grants, issuances, status
from issuer.store.deferred import Promise
from issuer.store.documents import DocumentState, StoredDocument
from issuer.store.engine import reading, writing
from issuer.store.grants import Grant
from issuer.store.issuances import Record
from vc import formats
from vc.clock import from_numeric_date, to_numeric_date
from vc.documents.catalogue import DOCUMENT_TYPES, Configuration
from vc.documents.model import Document
from vc.encoding import base64url
from vc.errors import Refused, Unreachable
from vc.formats import Envelope
from vc.formats.model import PUB_EAA_CATEGORY
from vc.keys import jwk
from vc.keys.signer import Signer
from vc.status.reference import StatusReference
from vc.x509.certificate import sha256

_CATEGORIES = {"PuB-EAA": PUB_EAA_CATEGORY}
_TRIES = 8
_DAY = 86_400
_SHORTEST = timedelta(hours=1)
_log = structlog.get_logger("issuer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What the wallet gets: credentials in their wire form, in the order of the keys."""

    credentials: tuple[str, ...] = field(repr=False)
    notification_id: str


class _IndexTaken(Exception):
    """Another request took one of the drawn indices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    envelope: Envelope = field(repr=False)
    index: int
    linted: LintedCredential


class Issuance:
    """Issues credentials for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._throwaway = Throwaway()

    def issue(
        self,
        institution: Institution,
        grant: Grant,
        configuration: Configuration,
        *,
        holders: Sequence[ec.EllipticCurvePublicKey],
        nonces: Sequence[str],
        now: datetime,
        promise: Promise | None = None,
        valid_until_cap: datetime | None = None,
    ) -> Issued:
        """One credential per holder key. `nonces`: those of the proofs, spent here.

        `promise`: a deferred issuance that is kept by this, once; what it costs was paid when it was made, so nothing is taken from
        the token. `valid_until_cap`: no credential ends later (EAA-I-9). Raises `Refused("transaction_unknown")` when the promise
        was kept meanwhile, `Refused("proof_attestation_ending")` when the cap leaves less than an hour.

        Raises `Refused` with code `document_revoked`, `nonce_spent`, `grant_exhausted`; `LintFailed`; `SignatureUnusable` and
        what the signer raises; `Unreachable("certificate_ending")`.
        """
        for _ in range(_TRIES):
            try:
                return self._issue(
                    institution,
                    grant,
                    configuration,
                    holders=holders,
                    nonces=nonces,
                    now=now,
                    promise=promise,
                    valid_until_cap=valid_until_cap,
                )
            except _IndexTaken:
                continue
        raise Unreachable("status_index", "no free status index could be taken")

    def _issue(
        self,
        institution: Institution,
        grant: Grant,
        configuration: Configuration,
        *,
        holders: Sequence[ec.EllipticCurvePublicKey],
        nonces: Sequence[str],
        now: datetime,
        promise: Promise | None,
        valid_until_cap: datetime | None,
    ) -> Issued:
        times = self._times(institution.signer_for(configuration.format), now, valid_until_cap)
        stored, list_id, indices = self._draw(institution, grant, len(holders), now)
        document = Document(type=stored.document_type, data=stored.document)
        signer = institution.signer_for(configuration.format)
        copies = [
            self._copy(
                institution,
                configuration,
                document,
                signer=signer,
                holder=holder,
                list_id=list_id,
                index=index,
                times=times,
                now=now,
            )
            for holder, index in zip(holders, indices, strict=True)
        ]
        notification_id = base64url.encode(self._service.random_bytes(24))
        with writing(self._service.engine) as connection:
            if not grants.claim_nonces(connection, institution.id, nonces, now):
                raise Refused("nonce_spent", "a nonce was spent meanwhile")
            if promise is not None:
                if not deferred.deliver(connection, promise, now):
                    raise Refused("transaction_unknown", "the credentials were collected meanwhile")
            elif not grants.claim_uses(connection, grant, len(copies), now):
                raise Refused("grant_exhausted", "the access token is not good for so many credentials")
            standing = documents.find(connection, institution.id, grant.document_id, lock=True)
            if standing is None or standing.state(now) is DocumentState.REVOKED:
                raise _revoked()
            if standing.hold is not None:  # it was looked at before; nothing is given for a document that is not free
                raise Refused("document_refused", "the institution has not released this document")
            issuances.record(
                connection,
                notification_id=notification_id,
                institution_id=institution.id,
                grant_id=grant.grant_id,
                document_id=grant.document_id,
                configuration_id=configuration.id,
                records=[_record(copy) for copy in copies],
                now=now,
            )
            entries = {copy.index: copy.envelope.attestation_id for copy in copies}
            if not status.take(connection, list_id, entries, changes_at=standing.status_changes_at):
                raise _IndexTaken
            ids = [copy.envelope.attestation_id for copy in copies]
            documents.note(
                connection, grant.document_id, "credentials_issued", now, configuration_id=configuration.id, credential_ids=ids
            )
        credentials = self._sign(grant, copies)
        _log.info("credentials_issued", institution=institution.id, configuration=configuration.id, credential_ids=ids)
        return Issued(credentials=credentials, notification_id=notification_id)

    def _draw(self, institution: Institution, grant: Grant, count: int, now: datetime) -> tuple[StoredDocument, str, list[int]]:
        draw = self._service.random_bytes
        with reading(self._service.engine) as connection:
            stored = documents.find(connection, institution.id, grant.document_id)
            list_id = status.open_list(connection, institution.id)
            indices = [] if list_id is None else status.draw(connection, list_id, count, draw)
        if stored is None or stored.state(now) is DocumentState.REVOKED:
            raise _revoked()
        if list_id is None:
            with writing(self._service.engine) as connection:
                list_id = status.add_list(connection, institution.id, now, draw)
                indices = status.draw(connection, list_id, count, draw)
        return stored, list_id, indices

    def _copy(
        self,
        institution: Institution,
        configuration: Configuration,
        document: Document,
        *,
        signer: Signer,
        holder: ec.EllipticCurvePublicKey,
        list_id: str,
        index: int,
        times: tuple[datetime, datetime],
        now: datetime,
    ) -> _Copy:
        issued_at, valid_until = times
        envelope = Envelope(
            issuer=institution.credential_issuer,
            subject=self._uuid(),  # a pseudonym per copy: two copies must not be joined by it (EAA-I-5)
            attestation_id=self._uuid(),
            issued_at=issued_at,
            valid_from=issued_at,
            valid_until=valid_until,
            holder=holder,
            status=StatusReference(uri=list_uri(institution, list_id), idx=index),
            category=_CATEGORIES.get(DOCUMENT_TYPES[configuration.document_type].legal_category),
            certificate_url=certificate_url(institution, signer),
            vct_integrity=type_metadata.integrity(configuration.id),
            registration_id=institution.registration_id,
        )
        prepared = formats.prepare(configuration, document, envelope, random_bytes=self._service.random_bytes)
        expected = Expected(configuration=configuration, document=document, envelope=envelope)
        linted = LintedCredential(prepared, expected, signer=signer, throwaway=self._throwaway, now=now)
        return _Copy(envelope=envelope, index=index, linted=linted)

    def _times(self, signer: Signer, now: datetime, cap: datetime | None) -> tuple[datetime, datetime]:
        """Issue time and technical end, the same for all credentials of one span of time, so that they join nobody (EAA-I-5, P-3).

        The issue time is rounded down, but not before the certificate; the end is a midnight, but not after the certificate
        (SECURITY O-14), nor after `cap`, itself rounded down. Raises `Unreachable("certificate_ending")` when less than an hour is
        left by the certificate, `Refused("proof_attestation_ending")` when by the cap.
        """
        begins = max(certificate.not_valid_before_utc for certificate in signer.chain)
        ends = min(certificate.not_valid_after_utc for certificate in signer.chain)
        step = self._service.settings.time_rounding_seconds
        issued_at = max(from_numeric_date(to_numeric_date(now) // step * step), begins.replace(microsecond=0))
        end = (to_numeric_date(now) // _DAY + self._service.settings.credential_days) * _DAY
        valid_until = min(datetime.fromtimestamp(end, UTC), ends.replace(microsecond=0))
        if issued_at > now or valid_until < now + _SHORTEST:
            raise Unreachable("certificate_ending", "the signing certificate is not valid for long enough")
        if cap is not None:
            valid_until = min(valid_until, from_numeric_date(to_numeric_date(cap) // step * step))
            if valid_until < now + _SHORTEST:
                raise Refused(
                    "proof_attestation_ending", "the status of the keys is not kept up long enough; get a fresh attestation"
                )
        return issued_at, valid_until

    def _uuid(self) -> str:
        return uuid.UUID(bytes=self._service.random_bytes(16), version=4).urn

    def _sign(self, grant: Grant, copies: Sequence[_Copy]) -> tuple[str, ...]:
        signed: tuple[str, ...] | None = None
        try:
            signed = tuple(copy.linted.sign() for copy in copies)
            return signed
        finally:
            if signed is None:
                self._note_failure(grant, [copy.envelope.attestation_id for copy in copies])

    def _note_failure(self, grant: Grant, credential_ids: list[str]) -> None:
        """None of the copies leaves; their indices are spent and show invalid (SECURITY O-4)."""
        now = self._service.clock()
        with writing(self._service.engine) as connection:
            issuances.mark_failed(connection, credential_ids)
            status.invalidate(connection, credential_ids, now)
            documents.note(connection, grant.document_id, "signing_failed", now, credential_ids=credential_ids)
        _log.error("signing_failed", credential_ids=credential_ids)


def certificate_url(institution: Institution, signer: Signer) -> str:
    """Where the signing certificate is downloaded (x5u, EAA-S-11)."""
    return f"{institution.credential_issuer}/certificates/{sha256(signer.chain[0]).hex()}.cer"


def _record(copy: _Copy) -> Record:
    return Record(
        credential_id=copy.envelope.attestation_id,
        holder_thumbprint=base64url.encode(jwk.thumbprint(copy.envelope.holder)),
        content_sha256=copy.linted.fingerprint,
        valid_from=copy.envelope.valid_from,
        valid_until=copy.envelope.valid_until,
    )


def _revoked() -> Refused:
    return Refused("document_revoked", "the document has been withdrawn")
