"""Notification endpoint (OpenID4VCI 1.0 §11): what became of the credentials, kept for the institution."""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from issuer.institutions import Institution
from issuer.routes.answers import NO_STORE
from issuer.routes.wallet import door
from issuer.service import Service
from issuer.store import documents, issuances
from issuer.store.engine import writing
from vc.errors import Refused
from vc.openid4vci import notification

_log = structlog.get_logger("issuer")


async def take(request: Request, service: Service, institution: Institution) -> Response:
    """204, also when the same was told before (VCI-NOT-1). The id must come from an issuance of this token's grant."""
    now = service.clock()
    grant = await door.grant_of(request, service, institution, now)
    told = notification.parse(await door.json_body(request, code="notification"))
    with writing(service.engine) as connection:
        document_id = issuances.document_of(connection, institution.id, grant.grant_id, told.notification_id)
        if document_id is None:
            raise Refused("notification_id", "no such notification id was given out with this token")
        if issuances.notify(connection, told.notification_id, told.event, told.description, now):
            documents.note(connection, document_id, str(told.event), now, notification_id=told.notification_id)
    _log.info("notified", institution=institution.id, document_id=document_id, event_told=str(told.event))
    return Response(status_code=204, headers=NO_STORE)
