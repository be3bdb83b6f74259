"""What was issued: recorded before the key is used, reported on by wallets afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuer.store.prepared import Prepared
from issuer.store.tables import credentials, issuances, notifications
from vc.clock import to_numeric_date

RECORDED, FAILED = "recorded", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One credential about to be signed. `content_sha256`: hex digest over the prepared content."""

    credential_id: str
    holder_thumbprint: str
    content_sha256: str
    valid_from: datetime
    valid_until: datetime


def record(
    connection: Connection,
    *,
    notification_id: str,
    institution_id: str,
    grant_id: str,
    document_id: str,
    configuration_id: str,
    records: Sequence[Record],
    now: datetime,
) -> None:
    """Write down one answer of the credential endpoint and every copy in it."""
    at = to_numeric_date(now)
    _ISSUANCE.run(
        connection,
        notification_id=notification_id,
        institution_id=institution_id,
        grant_id=grant_id,
        document_id=document_id,
        configuration_id=configuration_id,
        created_at=at,
    )
    common = {
        "notification_id": notification_id,
        "document_id": document_id,
        "configuration_id": configuration_id,
        "state": RECORDED,
        "recorded_at": at,
    }
    _CREDENTIAL.run_each(
        connection,
        [
            {
                "credential_id": row.credential_id,
                "holder_thumbprint": row.holder_thumbprint,
                "content_sha256": row.content_sha256,
                "valid_from": to_numeric_date(row.valid_from),
                "valid_until": to_numeric_date(row.valid_until),
                **common,
            }
            for row in records
        ],
    )


_ISSUANCE, _CREDENTIAL = Prepared(insert(issuances)), Prepared(insert(credentials))


def mark_failed(connection: Connection, credential_ids: Sequence[str]) -> None:
    """The signature of these did not come about or was not good: they never left."""
    connection.execute(update(credentials).where(credentials.c.credential_id.in_(credential_ids)).values(state=FAILED))


def document_of(connection: Connection, institution_id: str, grant_id: str, notification_id: str) -> str | None:
    """The document a notification id belongs to; None when the id is unknown or not of this grant (SECURITY I-16)."""
    query = select(issuances.c.document_id).where(
        issuances.c.notification_id == notification_id,
        issuances.c.institution_id == institution_id,
        issuances.c.grant_id == grant_id,
    )
    document_id: str | None = connection.execute(query).scalar_one_or_none()
    return document_id


def notify(connection: Connection, notification_id: str, event: str, description: str | None, now: datetime) -> bool:
    """Store a wallet's report. False when the same event was reported before: nothing changes then (VCI-NOT-1)."""
    try:
        with connection.begin_nested():
            connection.execute(
                insert(notifications).values(
                    notification_id=notification_id,
                    event=event,
                    event_description=description,
                    received_at=to_numeric_date(now),
                )
            )
    except IntegrityError:
        return False
    return True
