"""From a document and holder keys to copies that wait for their signature: envelope, times, place in a status list, lint."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from issuer import type_metadata
from issuer.institutions import SHORT_LIVED_SECONDS, Institution
from issuer.lint import Examiner, Expected
from issuer.publishing import list_uri
from issuer.service import Service
from issuer.signing import LintedCredential
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
_DAY, _SHORT_STEP = 86_400, 3600
_SHORTEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One credential, examined and not yet signed. `index`: its place in a status list, None when it is short-lived."""

    envelope: Envelope = field(repr=False)
    index: int | None
    linted: LintedCredential

    @property
    def id(self) -> str:
        """The attestation id."""
        return self.envelope.attestation_id

    @property
    def record(self) -> Record:
        """What is written down before the key is used."""
        return Record(
            credential_id=self.id,
            holder_thumbprint=base64url.encode(jwk.thumbprint(self.envelope.holder)),
            content_sha256=self.linted.fingerprint,
            valid_from=self.envelope.valid_from,
            valid_until=self.envelope.valid_until,
        )


class Drafting:
    """Makes the copies of one service; remembers what depends on document and configuration alone."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._examiner = Examiner()

    def copies(
        self,
        institution: Institution,
        configuration: Configuration,
        document: Document,
        holders: Sequence[ec.EllipticCurvePublicKey],
        *,
        places: tuple[str, Sequence[int]] | None,
        cap: datetime | None,
        now: datetime,
    ) -> list[Copy]:
        """One copy per holder key. `places`: list id and one index per copy, None for short-lived ones. `cap`: none ends later.

        Raises `LintFailed`, and as `_times`.
        """
        signer = institution.signer_for(configuration.format)
        times = self._times(signer, now, cap, short=places is None)
        list_id, indices = (None, [None] * len(holders)) if places is None else places
        return [
            self._copy(institution, configuration, document, holder, list_id=list_id, index=index, times=times, now=now)
            for holder, index in zip(holders, indices, strict=True)
        ]

    def _copy(
        self,
        institution: Institution,
        configuration: Configuration,
        document: Document,
        holder: ec.EllipticCurvePublicKey,
        *,
        list_id: str | None,
        index: int | None,
        times: tuple[datetime, datetime],
        now: datetime,
    ) -> Copy:
        issued_at, valid_until = times
        signer = institution.signer_for(configuration.format)
        status = None
        if list_id is not None and index is not None:
            status = StatusReference(uri=list_uri(institution, list_id), idx=index)
        envelope = Envelope(
            issuer=institution.credential_issuer,
            subject=self._uuid(),  # a pseudonym per copy: two copies must not be joined by it (EAA-I-5)
            attestation_id=self._uuid(),
            issued_at=issued_at,
            valid_from=issued_at,
            valid_until=valid_until,
            holder=holder,
            status=status,
            category=_CATEGORIES.get(DOCUMENT_TYPES[configuration.document_type].legal_category),
            certificate_url=certificate_url(institution, signer),
            vct_integrity=type_metadata.integrity(configuration.id),
            registration_id=institution.registration_id,
        )
        expected = Expected(configuration=configuration, document=document, envelope=envelope)
        prepared = formats.prepare(
            configuration,
            document,
            envelope,
            random_bytes=self._service.random_bytes,
            claims=self._examiner.projection(configuration, document),
        )
        linted = LintedCredential(prepared, expected, signer=signer, examiner=self._examiner, now=now)
        return Copy(envelope=envelope, index=index, linted=linted)

    def _times(self, signer: Signer, now: datetime, cap: datetime | None, *, short: bool) -> tuple[datetime, datetime]:
        """Issue time and technical end, the same for all credentials of one span of time, so that they join nobody (EAA-I-5, P-3).

        The issue time is rounded down, but not before the certificate. The end is a midnight, or (`short`) a day after the issue
        time; but not after the certificate (SECURITY O-14), nor after `cap`, itself rounded down. Raises
        `Unreachable("certificate_ending")` when less than an hour is left by the certificate,
        `Refused("proof_attestation_ending")` when by the cap.
        """
        begins, ends = _span(signer.chain)
        step, at = self._service.settings.time_rounding_seconds, to_numeric_date(now)
        step = min(step, _SHORT_STEP) if short else step
        issued_at = max(from_numeric_date(at // step * step), begins)
        if short:  # EAA-S-6: no status list can say anything about it, so a day at most
            end = issued_at + timedelta(seconds=SHORT_LIVED_SECONDS)
        else:
            end = datetime.fromtimestamp((at // _DAY + self._service.settings.credential_days) * _DAY, UTC)
        valid_until = min(end, ends)
        if issued_at > now or valid_until < now + _SHORTEST:
            raise Unreachable("certificate_ending", "the signing certificate is not valid for long enough")
        if cap is not None:
            valid_until = min(valid_until, from_numeric_date(to_numeric_date(cap) // step * step))
            if valid_until < now + _SHORTEST:
                raise Refused(
                    "proof_attestation_ending", "the status of the wallet or its keys ends too soon; get a fresh attestation"
                )
        return issued_at, valid_until

    def _uuid(self) -> str:
        return uuid.UUID(bytes=self._service.random_bytes(16), version=4).urn


def certificate_url(institution: Institution, signer: Signer) -> str:
    """Where the signing certificate is downloaded (x5u, EAA-S-11)."""
    return f"{institution.credential_issuer}/certificates/{_digest(signer.chain[0])}.cer"


# Certificates compare and hash by their octets, which costs as much as a digest; the few of a service are told apart quickly.
@lru_cache(maxsize=256)
def _digest(certificate: x509.Certificate) -> str:
    return sha256(certificate).hex()


@lru_cache(maxsize=256)
def _span(chain: tuple[x509.Certificate, ...]) -> tuple[datetime, datetime]:
    """First and last whole second at which every certificate of the chain is valid."""
    begins = max(certificate.not_valid_before_utc for certificate in chain)
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    return begins.replace(microsecond=0), ends.replace(microsecond=0)
