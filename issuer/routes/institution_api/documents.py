"""Documents: create, list, read, offer, withdraw, history."""

from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from issuer import offering, revocation
from issuer.institutions import Institution
from issuer.offering import Submission
from issuer.problems import MEDIA_TYPE
from issuer.publishing import list_uri
from issuer.routes.institution_api import door, holding, models
from issuer.routes.institution_api.answers import moment, once, own, reply, summary
from issuer.routes.institution_api.door import CallerDep
from issuer.store import deferred, documents, retention
from issuer.store.documents import DocumentState
from issuer.store.engine import reading
from issuer.store.idempotency import Answer
from issuer.store.issuances import FAILED
from vc.clock import to_numeric_date
from vc.documents.catalogue import CONFIGURATIONS

_log = structlog.get_logger("issuer")
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "a problem document", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}}}
}
router = APIRouter(prefix="/api/v1", responses={401: {"model": models.ProblemModel}, **_PROBLEMS})
router.include_router(holding.router)


@router.post("/documents", status_code=201, response_model=models.DocumentSummary, openapi_extra=door.described(models.NewDocument))
async def create_document(
    request: Request,
    caller: CallerDep,
    body: Annotated[models.NewDocument, Depends(door.body_of(models.NewDocument))],
) -> Response:
    """Put a document on record after checking it against the rules and code lists of its type."""
    door.only(request)
    submission = Submission(**body.model_dump())
    document = offering.accept(caller.institution, submission)
    now = caller.service.clock()

    def operation(connection: Connection) -> Answer:
        stored = offering.store_document(caller.service, connection, caller.institution, submission, document=document, now=now)
        _log.info("document_created", institution=caller.institution.id, document_id=stored.document_id, type=stored.document_type)
        return 201, summary(stored, now)

    return once(caller, ("documents", body.model_dump()), operation=operation, now=now)


@router.get("/documents", response_model=models.DocumentPage)
async def list_documents(request: Request, caller: CallerDep) -> Response:
    """The institution's documents in the order they came, page by page."""
    limit, after_id = door.page_of(request)
    now = caller.service.clock()
    with reading(caller.service.engine) as connection:
        after = 0
        if after_id is not None:
            last = documents.find(connection, caller.institution.id, after_id)
            if last is None:
                raise door.bad_cursor()
            after = last.seq
        found = documents.page(connection, caller.institution.id, after=after, limit=limit + 1)
    shown = found[:limit]
    cursor = door.cursor_after(shown[-1].document_id) if len(found) > limit else None
    return reply(200, {"documents": [summary(document, now) for document in shown], "next_cursor": cursor})


@router.get("/documents/{document_id}", response_model=models.DocumentDetail)
async def read_document(request: Request, document_id: str, caller: CallerDep) -> Response:
    """One document with its credentials and their status."""
    door.only(request)
    now = caller.service.clock()
    with reading(caller.service.engine) as connection:
        document = own(connection, caller.institution, document_id)
        rows = documents.issued(connection, document_id)
        promised = deferred.of_document(connection, document_id)
        reports = documents.reports(connection, document_id)
    withdrawn = document.state(now) is not DocumentState.VALID
    return reply(
        200,
        {
            **summary(document, now),
            "profile": document.profile,
            "document": document.document,
            "identity": document.identity,
            "paper_only": document.paper_only,
            "revocation": revocation.shown(document, now) if withdrawn else None,
            "credentials": [_credential(caller.institution, row, now) for row in rows],
            "deferred": [_promise(row, now) for row in promised],
            "reports": [
                {
                    "notification_id": row.notification_id,
                    "event": row.event,
                    "description": row.event_description,
                    "received_at": moment(row.received_at),
                }
                for row in reports
            ],
        },
    )


@router.post(
    "/documents/{document_id}/offers",
    status_code=201,
    response_model=models.OfferCreated,
    openapi_extra=door.described(models.NewOffer),
)
async def create_offer(
    request: Request,
    document_id: str,
    caller: CallerDep,
    body: Annotated[models.NewOffer, Depends(door.body_of(models.NewOffer))],
) -> Response:
    """Offer the document to its holder; again, as often as needed."""
    door.only(request)
    now = caller.service.clock()

    def operation(connection: Connection) -> Answer:
        created = offering.create_offer(
            caller.service,
            connection,
            caller.institution,
            document_id,
            formats=body.formats,
            profile=body.profile,
            with_tx_code=body.tx_code,
            by_value=body.by_value,
            wanted=body.grants,
            now=now,
        )
        _log.info("offer_created", institution=caller.institution.id, document_id=document_id, offer_id=created["offer_id"])
        return 201, created

    return once(caller, (f"offers/{document_id}", body.model_dump()), operation=operation, now=now)


@router.post(
    "/documents/{document_id}/revocation",
    response_model=models.RevocationRecord,
    openapi_extra=door.described(models.Revocation),
)
async def revoke_document(
    request: Request,
    document_id: str,
    caller: CallerDep,
    body: Annotated[models.Revocation, Depends(door.body_of(models.Revocation))],
) -> Response:
    """Withdraw the document and all its credentials, for good."""
    door.only(request)
    now = caller.service.clock()

    def operation(connection: Connection) -> Answer:
        document = revocation.revoke(
            connection, caller.institution, document_id, reason=body.reason, effective_from=body.effective, now=now
        )
        _log.info("document_revoked", institution=caller.institution.id, document_id=document_id)
        return 200, revocation.shown(document, now)

    return once(caller, (f"revocation/{document_id}", body.model_dump()), operation=operation, now=now)


@router.get("/documents/{document_id}/history", response_model=models.History)
async def read_history(request: Request, document_id: str, caller: CallerDep) -> Response:
    """What happened to the document: offers, collections, what wallets reported, withdrawal."""
    door.only(request)
    with reading(caller.service.engine) as connection:
        own(connection, caller.institution, document_id)
        events = documents.events(connection, document_id)
    return reply(200, {"document_id": document_id, "events": events})


@router.get("/statistics", response_model=models.Statistics)
async def read_statistics(request: Request, caller: CallerDep) -> Response:
    """Requests of wallets that were refused, counted by day, endpoint and error code."""
    door.only(request)
    with reading(caller.service.engine) as connection:
        return reply(200, {"refusals": retention.refusals_of(connection, caller.institution.id)})


def _promise(row: Any, now: datetime) -> dict[str, Any]:
    over = row.state == deferred.PENDING and row.expires_at <= to_numeric_date(now)
    return {
        "configuration_id": row.configuration_id,
        "state": "expired" if over else row.state,
        "asked_at": moment(row.created_at),
        "expires_at": moment(row.expires_at),
        "last_look_at": moment(row.last_polled_at),
    }


def _credential(institution: Institution, row: Any, now: datetime) -> dict[str, Any]:
    turned = bool(row.value) and row.changes_at is not None and row.changes_at <= to_numeric_date(now)
    configuration = CONFIGURATIONS.get(row.configuration_id)
    return {
        "credential_id": row.credential_id,
        "configuration_id": row.configuration_id,
        "format": None if configuration is None else configuration.format,
        "recorded_at": moment(row.recorded_at),
        "valid_from": moment(row.valid_from),
        "valid_until": moment(row.valid_until),
        "signed": row.state != FAILED,
        "status": "invalid" if turned else "valid",
        "short_lived": row.list_id is None,
        "status_list": None if row.list_id is None else list_uri(institution, row.list_id),
        "status_index": row.idx,
    }
