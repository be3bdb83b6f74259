"""Documents that are held: an institution has them on record, but decides later whether credentials of them are given.

held ──release──► free          held ──refusal──► refused, for good

Wallets that ask meanwhile are promised the credentials and come back (OpenID4VCI 1.0 §9). A free document is never held again:
what was given could not be taken back by holding, only by withdrawing.
"""

from datetime import datetime

from sqlalchemy import Connection

from issuer.institutions import Institution
from issuer.store import documents, grants
from issuer.store.documents import DocumentState, StoredDocument
from vc.errors import Refused


def release(connection: Connection, institution: Institution, document_id: str, *, now: datetime) -> StoredDocument:
    """From now on credentials are given. A second request changes nothing.

    Raises `Refused` with `not_found`, `document_refused`, `document_revoked`.
    """
    document = _find(connection, institution, document_id)
    if document.hold == documents.REFUSED:
        raise Refused("document_refused", "a refused document cannot be released; put a new one on record")
    if document.state(now) is DocumentState.REVOKED:
        raise Refused("document_revoked", "a withdrawn document is not released")
    documents.end_hold(connection, institution.id, document_id, refused=False, reason=None, now=now)
    return _find(connection, institution, document_id)


def refuse(connection: Connection, institution: Institution, document_id: str, *, reason: str, now: datetime) -> StoredDocument:
    """No credential of the document will be given, and it is offered no more. A second request changes nothing.

    Raises `Refused` with `not_found`, and `document_not_held` for one that was free already: that one can be withdrawn.
    """
    document = _find(connection, institution, document_id)
    if document.hold is None:
        raise Refused("document_not_held", "the document is not held; what was given is taken back by withdrawing it")
    if documents.end_hold(connection, institution.id, document_id, refused=True, reason=reason, now=now):
        grants.close_offers(connection, document_id)
    return _find(connection, institution, document_id)


def _find(connection: Connection, institution: Institution, document_id: str) -> StoredDocument:
    document = documents.find(connection, institution.id, document_id, lock=True)
    if document is None:
        raise Refused("not_found", "there is no such document")
    return document
