"""Whose document is it? A person who signed in gets the documents about this person, and no other (VCI-OFF-9, SECURITY A-15)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from issuer.sign_in.person import NUMBERS, Person, normal_number
from issuer.store import documents
from issuer.store.documents import DocumentState, StoredDocument
from vc.documents.calendar import full_date
from vc.documents.identity import compare_identity
from vc.documents.model import Document
from vc.documents.outcome import Result

PARTLY = "identity_partly"


def find_documents(
    connection: Connection,
    institution_id: str,
    document_type: str,
    person: Person,
    *,
    document_id: str | None,
    now: datetime,
) -> Sequence[StoredDocument]:
    """The standing documents of that type about this person.

    1 birth date  2 neither withdrawn nor refused  3 personal numbers, where both sides have some, share one  4 names and birth
    date agree as documents and proofs of identity do; a forename more or less is allowed with a number that agrees only.

    `document_id`: only that one, as when it was offered; else those that have run out are left aside.
    """
    found = documents.born_on(connection, institution_id, document_type, person.birth_date)
    return [
        document
        for document in found
        if (document.document_id == document_id if document_id is not None else not _has_run_out(document, now))
        and document.state(now) is not DocumentState.REVOKED
        and document.hold != documents.REFUSED
        and is_about(document, person)
    ]


def is_about(document: StoredDocument, person: Person) -> bool:
    """Whether the document is about this person, beyond doubt."""
    stored = _numbers(document)
    agreeing = bool(stored & person.numbers)
    if stored and person.numbers and not agreeing:
        return False
    shown = Document(
        type="pid",
        data={
            "holder": {
                "family_name": person.family_name,
                "given_name": person.given_name,
                "birth_date": person.birth_date,
            }
        },
    )
    answer = compare_identity(shown, Document(type=document.document_type, data=document.document))
    if answer.result is Result.PASSED:
        return True
    return agreeing and answer.finding is not None and answer.finding.code == PARTLY


def _numbers(document: StoredDocument) -> frozenset[str]:
    stated = [document.document.get(name) for name in NUMBERS] + [(document.identity or {}).get(name) for name in NUMBERS]
    return frozenset(number for number in map(normal_number, stated) if number)


def _has_run_out(document: StoredDocument, now: datetime) -> bool:
    last = document.document.get("date_of_expiry")
    return isinstance(last, str) and full_date(last) < now.date()
