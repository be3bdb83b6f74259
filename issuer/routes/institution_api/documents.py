"""Documents: create, list, read, offer, withdraw, history."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from issuer import offering, revocation
from issuer.institutions import Institution
from issuer.offering import Submission
from issuer.problems import MEDIA_TYPE, Problem
from issuer.publishing import list_uri
from issuer.revocation import text
from issuer.routes.institution_api import door, models
from issuer.routes.institution_api.door import Caller, CallerDep
from issuer.store import documents, retention
from issuer.store.documents import DocumentState, StoredDocument
from issuer.store.engine import reading
from issuer.store.idempotency import Answer, once
from issuer.store.issuances import FAILED
from vc.clock import to_numeric_date
from vc.documents.catalogue import CONFIGURATIONS
from vc.encoding import json

_log = structlog.get_logger("issuer")
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "a problem document", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}}}
}
router = APIRouter(prefix="/api/v1", responses={401: {"model": models.ProblemModel}, **_PROBLEMS})


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
        return 201, _summary(stored, now)

    return _once(caller, ("documents", body.model_dump()), operation=operation, now=now)


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
    return _json(200, {"documents": [_summary(document, now) for document in shown], "next_cursor": cursor})


@router.get("/documents/{document_id}", response_model=models.DocumentDetail)
async def read_document(request: Request, document_id: str, caller: CallerDep) -> Response:
    """One document with its credentials and their status."""
    door.only(request)
    now = caller.service.clock()
    with reading(caller.service.engine) as connection:
        document = _own(connection, caller.institution, document_id)
        rows = documents.issued(connection, document_id)
        reports = documents.reports(connection, document_id)
    withdrawn = document.state(now) is not DocumentState.VALID
    return _json(
        200,
        {
            **_summary(document, now),
            "profile": document.profile,
            "document": document.document,
            "identity": document.identity,
            "paper_only": document.paper_only,
            "revocation": revocation.shown(document, now) if withdrawn else None,
            "credentials": [_credential(caller.institution, row, now) for row in rows],
            "reports": [
                {
                    "notification_id": row.notification_id,
                    "event": row.event,
                    "description": row.event_description,
                    "received_at": _time(row.received_at),
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
            now=now,
        )
        _log.info("offer_created", institution=caller.institution.id, document_id=document_id, offer_id=created["offer_id"])
        return 201, created

    return _once(caller, (f"offers/{document_id}", body.model_dump()), operation=operation, now=now)


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

    return _once(caller, (f"revocation/{document_id}", body.model_dump()), operation=operation, now=now)


@router.get("/documents/{document_id}/history", response_model=models.History)
async def read_history(request: Request, document_id: str, caller: CallerDep) -> Response:
    """What happened to the document: offers, collections, what wallets reported, withdrawal."""
    door.only(request)
    with reading(caller.service.engine) as connection:
        _own(connection, caller.institution, document_id)
        events = documents.events(connection, document_id)
    return _json(200, {"document_id": document_id, "events": events})


@router.get("/statistics", response_model=models.Statistics)
async def read_statistics(request: Request, caller: CallerDep) -> Response:
    """Requests of wallets that were refused, counted by day, endpoint and error code."""
    door.only(request)
    with reading(caller.service.engine) as connection:
        return _json(200, {"refusals": retention.refusals_of(connection, caller.institution.id)})


def _once(caller: Caller, request: tuple[str, Any], *, operation: Callable[[Connection], Answer], now: datetime) -> Response:
    keep = timedelta(seconds=caller.service.settings.idempotency_seconds)
    status, body = once(
        caller.service.engine,
        operation,
        institution_id=caller.institution.id,
        key=caller.key,
        request=request,
        now=now,
        keep=keep,
    )
    return _json(status, body)


def _own(connection: Connection, institution: Institution, document_id: str) -> StoredDocument:
    document = documents.find(connection, institution.id, document_id)
    if document is None:
        raise Problem(404, "not_found", "there is no such document")
    return document


def _summary(document: StoredDocument, now: datetime) -> dict[str, Any]:
    return {
        "document_id": document.document_id,
        "type": document.document_type,
        "state": str(document.state(now)),
        "created_at": text(document.created_at),
    }


def _credential(institution: Institution, row: Any, now: datetime) -> dict[str, Any]:
    invalid = row.value != 0 and row.changes_at is not None and row.changes_at <= to_numeric_date(now)
    configuration = CONFIGURATIONS.get(row.configuration_id)
    return {
        "credential_id": row.credential_id,
        "configuration_id": row.configuration_id,
        "format": None if configuration is None else configuration.format,
        "recorded_at": _time(row.recorded_at),
        "valid_from": _time(row.valid_from),
        "valid_until": _time(row.valid_until),
        "signed": row.state != FAILED,
        "status": "invalid" if invalid else "valid",
        "status_list": list_uri(institution, row.list_id),
        "status_index": row.idx,
    }


def _time(seconds: int) -> str | None:
    return text(datetime.fromtimestamp(seconds, UTC))


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
