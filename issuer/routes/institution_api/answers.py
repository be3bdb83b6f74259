"""What operations on documents have in common: asked once or twice the same, and a document as it is shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from issuer.institutions import Institution
from issuer.problems import Problem
from issuer.revocation import text
from issuer.routes.institution_api.door import Caller
from issuer.store import documents
from issuer.store.documents import StoredDocument
from issuer.store.idempotency import Answer
from issuer.store.idempotency import once as once_in
from vc.encoding import json


def once(caller: Caller, request: tuple[str, Any], *, operation: Callable[[Connection], Answer], now: datetime) -> Response:
    """The answer of `operation`, or the one it gave before under the same Idempotency-Key."""
    keep = timedelta(seconds=caller.service.settings.idempotency_seconds)
    status, body = once_in(
        caller.service.engine,
        operation,
        institution_id=caller.institution.id,
        key=caller.key,
        request=request,
        now=now,
        keep=keep,
    )
    return reply(status, body)


def own(connection: Connection, institution: Institution, document_id: str) -> StoredDocument:
    """The institution's own document. Raises a 404 `Problem`."""
    document = documents.find(connection, institution.id, document_id)
    if document is None:
        raise Problem(404, "not_found", "there is no such document")
    return document


def summary(document: StoredDocument, now: datetime) -> dict[str, Any]:
    """A document in few words."""
    return {
        "document_id": document.document_id,
        "type": document.document_type,
        "state": str(document.state(now)),
        "hold": document.hold,
        "hold_reason": document.hold_reason,
        "created_at": text(document.created_at),
    }


def moment(seconds: int | None) -> str | None:
    """A stored time as RFC 3339 in UTC."""
    return None if seconds is None else text(datetime.fromtimestamp(seconds, UTC))


def reply(status: int, body: Any) -> Response:
    """A JSON response."""
    return Response(json.dumps(body), status, media_type="application/json")
