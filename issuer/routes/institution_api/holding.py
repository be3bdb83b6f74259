"""Release and refusal of documents that are held."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from issuer import holding
from issuer.routes.institution_api import door, models
from issuer.routes.institution_api.answers import once, summary
from issuer.routes.institution_api.door import CallerDep
from issuer.store.idempotency import Answer

_log = structlog.get_logger("issuer")
router = APIRouter()


@router.post(
    "/documents/{document_id}/release",
    response_model=models.DocumentSummary,
    openapi_extra=door.described(models.Release),
)
async def release_document(
    request: Request,
    document_id: str,
    caller: CallerDep,
    body: Annotated[models.Release, Depends(door.body_of(models.Release))],
) -> Response:
    """Let wallets have the credentials of a held document, those that asked already among them."""
    door.only(request)
    now = caller.service.clock()

    def operation(connection: Connection) -> Answer:
        document = holding.release(connection, caller.institution, document_id, now=now)
        _log.info("document_released", institution=caller.institution.id, document_id=document_id)
        return 200, summary(document, now)

    return once(caller, (f"release/{document_id}", body.model_dump()), operation=operation, now=now)


@router.post(
    "/documents/{document_id}/refusal",
    response_model=models.DocumentSummary,
    openapi_extra=door.described(models.Refusal),
)
async def refuse_document(
    request: Request,
    document_id: str,
    caller: CallerDep,
    body: Annotated[models.Refusal, Depends(door.body_of(models.Refusal))],
) -> Response:
    """Give no credential of a held document, for good; wallets that wait are told so at their next look."""
    door.only(request)
    now = caller.service.clock()

    def operation(connection: Connection) -> Answer:
        document = holding.refuse(connection, caller.institution, document_id, reason=body.reason, now=now)
        _log.info("document_refused", institution=caller.institution.id, document_id=document_id)
        return 200, summary(document, now)

    return once(caller, (f"refusal/{document_id}", body.model_dump()), operation=operation, now=now)
