"""Documents come in from institutions and are offered to their holders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from issuer.institutions import Institution
from issuer.revocation import text
from issuer.service import Service
from issuer.store import documents, grants, rates
from issuer.store.documents import DocumentState, StoredDocument
from issuer.store.grants import Offer, OfferState
from vc.documents import catalogue
from vc.documents.catalogue import CONFIGURATIONS, DOCUMENT_TYPES, Configuration
from vc.documents.model import Document
from vc.encoding import base64url
from vc.errors import Malformed, Refused
from vc.openid4vci import offer as protocol

SD_JWT, MDOC = "dc+sd-jwt", "mso_mdoc"
FORMATS = (SD_JWT, MDOC)
TX_CODE_LENGTH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A document as an institution sends it. `type` None: told by the shape of the data.

    `hold`: credentials of it are promised but not given before the institution releases it.
    """

    document_data: Mapping[str, Any]
    identity: Mapping[str, Any] | None
    paper_only: Mapping[str, Any] | None = None
    type: str | None = None
    profile: str | None = None
    hold: bool = False


def accept(institution: Institution, submission: Submission) -> Document:
    """The document a submission states.

    Raises `Refused("type_not_entitled")`, `DocumentInvalid` with every fault, `Refused("country_not_entitled")` for a
    document of another country than the institution's, and what `configurations` raises when a profile was asked for.
    """
    document_type = submission.type or _guess(institution, submission.document_data)
    if document_type not in institution.types:
        raise Refused("type_not_entitled", "the institution is not entitled to issue documents of this type", pointer="/type")
    data = {**_stated_by_provider(institution, document_type), **submission.document_data}
    document = catalogue.parse(document_type, data, identity=submission.identity)
    if document.issuing_country not in (None, institution.country):
        raise Refused(
            "country_not_entitled",
            "the institution issues documents of its own country only",
            pointer="/document_data/issuing_country",
        )
    if submission.profile is not None:
        configurations(document, FORMATS, profile=submission.profile)
    return document


def _stated_by_provider(institution: Institution, document_type: str) -> dict[str, str]:
    """What a PID says beside the person comes from its provider, so its document data may be empty."""
    return {"issuing_authority": institution.name, "issuing_country": institution.country} if document_type == "pid" else {}


def _guess(institution: Institution, data: Mapping[str, Any]) -> str:
    """The type by the shape of the data; where that says nothing (missing members, a PID), the institution's only type."""
    if institution.types == ("pid",):
        return "pid"
    try:
        return catalogue.guess_type(data)
    except Malformed:
        if len(institution.types) > 1:
            raise
        return institution.types[0]


def configurations(document: Document, formats: Sequence[str], *, profile: str | None) -> list[Configuration]:
    """One configuration per format that carries the whole document; `profile` names the shape wanted where the format knows it.

    Raises `ProjectionLoses` or `ProjectionLacks` naming the facts (SECURITY I-21), `Refused("unknown_profile")`.
    """
    document_type = DOCUMENT_TYPES[document.type]
    wanted = [p for p in document_type.profiles if p.id == profile and p.issuable]
    if profile is not None and not wanted:
        raise Refused("unknown_profile", "documents of this type are not issued in such a profile", pointer="/profile")
    chosen = []
    for name in formats:
        named = [p for p in wanted if p.format == name]
        if named:
            named[0].project(document)
        projection = named[0] if named else document_type.choose(name, document)
        matching = [c for c in CONFIGURATIONS.values() if c.profile is projection]
        if not matching:
            raise Refused("unknown_profile", "documents of this type are not issued in such a profile", pointer="/profile")
        chosen.append(matching[0])
    return chosen


def store_document(
    service: Service, connection: Connection, institution: Institution, submission: Submission, *, document: Document, now: datetime
) -> StoredDocument:
    """Put an accepted document on record."""
    rates.claim(connection, institution.id, "documents", service.settings.writes_per_minute, now)
    document_id = service.opaque_id()
    documents.add(
        connection,
        StoredDocument(
            seq=0,
            document_id=document_id,
            institution_id=institution.id,
            document_type=document.type,
            profile=submission.profile,
            document=document.to_json(),
            identity=submission.identity,
            paper_only=submission.paper_only,
            created_at=now,
            hold=documents.HELD if submission.hold else None,
        ),
    )
    stored = documents.find(connection, institution.id, document_id)
    if stored is None:
        raise RuntimeError("a document just written is not there")
    return stored


def create_offer(
    service: Service,
    connection: Connection,
    institution: Institution,
    document_id: str,
    *,
    formats: Sequence[str],
    profile: str | None,
    with_tx_code: bool,
    by_value: bool,
    wanted: Sequence[str] | None = None,
    now: datetime,
) -> dict[str, Any]:
    """Offer a document to its holder: the answer of the institution API, secrets included.

    `wanted`: grants the offer is to carry, by their short names; None: every one the institution has that serves this document.
    `with_tx_code` concerns the pre-authorized code only.

    Raises `Refused` with `not_found`, `document_revoked`, `document_refused`, `grant_unavailable`; what `configurations` raises.
    """
    stored = documents.find(connection, institution.id, document_id, lock=True)
    if stored is None:
        raise Refused("not_found", "there is no such document")
    if stored.state(now) is DocumentState.REVOKED:
        raise Refused("document_revoked", "a withdrawn document is not offered")
    if stored.hold == documents.REFUSED:
        raise Refused("document_refused", "a refused document is not offered")
    rates.claim(connection, institution.id, "offers", service.settings.writes_per_minute, now)
    document = Document(type=stored.document_type, data=stored.document)
    chosen = configurations(document, formats, profile=profile or stored.profile)
    carried = _grants(institution, stored, wanted)
    code = base64url.encode(service.random_bytes(32)) if grants.PRE_AUTHORIZED in carried else None
    issuer_state = base64url.encode(service.random_bytes(32)) if grants.AUTHORIZATION_CODE in carried else None
    tx_code = _tx_code(service) if with_tx_code and code is not None else None
    offer = Offer(
        offer_id=service.opaque_id(),
        document_id=document_id,
        institution_id=institution.id,
        configuration_ids=tuple(configuration.id for configuration in chosen),
        by_value=by_value,
        code=code,
        issuer_state=issuer_state,
        needs_tx_code=tx_code is not None,
        state=OfferState.OPEN,
        created_at=now,
        expires_at=now + timedelta(seconds=service.settings.offer_seconds),
    )
    grants.add_offer(connection, offer, tx_code=tx_code)
    documents.note(
        connection,
        document_id,
        "offer_created",
        now,
        offer_id=offer.offer_id,
        configuration_ids=list(offer.configuration_ids),
        expires_at=text(offer.expires_at),
    )
    return {
        "offer_id": offer.offer_id,
        "document_id": document_id,
        "credential_offer_uri": link(institution, offer),
        "credential_offer": message(institution, offer),
        "tx_code": tx_code,
        "expires_at": text(offer.expires_at),
        "qr_svg": f"{offer_url(institution, offer)}/qr.svg",
        "qr_png": f"{offer_url(institution, offer)}/qr.png",
    }


def _grants(institution: Institution, document: StoredDocument, wanted: Sequence[str] | None) -> Sequence[str]:
    """The grants the offer carries. By sign-in nobody can be found for a document that does not say whose it is."""
    profile = institution.profile
    available = [
        name
        for name, there in (
            (grants.PRE_AUTHORIZED, profile.pre_authorized),
            (grants.AUTHORIZATION_CODE, profile.authorization_code and document.birth_date is not None),
        )
        if there
    ]
    carried = available if wanted is None else [name for name in wanted if name in available]
    if not carried or (wanted is not None and len(carried) != len(wanted)):
        raise Refused("grant_unavailable", "the document cannot be offered with this grant", pointer="/grants")
    return carried


def _tx_code(service: Service) -> str:
    return f"{int.from_bytes(service.random_bytes(16), 'big') % 10**TX_CODE_LENGTH:0{TX_CODE_LENGTH}d}"


def offer_url(institution: Institution, offer: Offer) -> str:
    """Where the offer is fetched by reference (VCI-OFF-3)."""
    return f"{institution.credential_issuer}/offers/{offer.offer_id}"


def message(institution: Institution, offer: Offer) -> dict[str, Any]:
    """The Credential Offer object (OpenID4VCI 1.0 §4.1.1). Raises `Refused("offer_closed")` when its secrets are gone."""
    if offer.code is None and offer.issuer_state is None:
        raise Refused("offer_closed", "the offer can no longer be used")
    return protocol.create(
        credential_issuer=institution.credential_issuer,
        configuration_ids=offer.configuration_ids,
        pre_authorized_code=offer.code,
        tx_code={"input_mode": "numeric", "length": TX_CODE_LENGTH} if offer.needs_tx_code else None,
        authorization_code=offer.issuer_state is not None,
        issuer_state=offer.issuer_state,
    )


def link(institution: Institution, offer: Offer) -> str:
    """The whole `openid-credential-offer://` link, by value or by reference (VCI-OFF-1)."""
    if offer.by_value:
        return protocol.link_by_value(message(institution, offer))
    return protocol.link_by_reference(offer_url(institution, offer))
