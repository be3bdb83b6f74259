"""Withdrawing a document: two dates, no way back (TSL-14, ARF-REV-3, DOMAIN 5.2).

`effective_from` is the business date, told to the institution only: it may lie in the past. The status turns at that moment when
it lies ahead, and at once otherwise; it is never turned back in time.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from issuer.institutions import Institution
from issuer.reasons import Reason
from issuer.store import authorizations, documents, grants
from issuer.store.documents import StoredDocument
from vc.errors import Refused


def revoke(
    connection: Connection,
    institution: Institution,
    document_id: str,
    *,
    reason: Reason,
    effective_from: datetime | None,
    now: datetime,
) -> StoredDocument:
    """Withdraw the document and give what is on record then. A second request changes nothing but may bring a future date nearer.

    Raises `Refused("not_found")` for an unknown document and for one of another institution.
    """
    document = documents.find(connection, institution.id, document_id, lock=True)
    if document is None:
        raise Refused("not_found", "there is no such document")
    effective = now if effective_from is None else effective_from
    changes_at = max(now, effective)
    if documents.revoke(
        connection,
        institution.id,
        document_id,
        reason=reason,
        effective_from=effective,
        status_changes_at=changes_at,
        now=now,
    ):
        if changes_at <= now:
            grants.withdraw(connection, document_id)
            authorizations.withdraw(connection, document_id, now)
        document = documents.find(connection, institution.id, document_id)
    if document is None:
        raise Refused("not_found", "there is no such document")
    return document


def shown(document: StoredDocument, now: datetime) -> dict[str, Any]:
    """The withdrawal as the institution sees it."""
    return {
        "document_id": document.document_id,
        "state": str(document.state(now)),
        "reason": document.revocation_reason,
        "revoked_at": text(document.revoked_at),
        "effective_from": text(document.effective_from),
        "status_changes_at": text(document.status_changes_at),
    }


def text(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
