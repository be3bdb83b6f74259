"""Documents as the institutions gave them, their withdrawal and history. Every query names the institution (SECURITY D-1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, or_, select, update

from issuer.store import status
from issuer.store.engine import changed
from issuer.store.prepared import Prepared
from issuer.store.tables import credentials, documents, history, issuances, notifications, status_entries
from vc.clock import to_numeric_date
from vc.documents.model import value_at

HELD, REFUSED = "held", "refused"


class DocumentState(StrEnum):
    """Valid, or withdrawn with the date ahead, or withdrawn."""

    VALID = "valid"
    REVOCATION_SCHEDULED = "revocation_scheduled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides whether credentials are given. Members as in `StoredDocument`."""

    status_changes_at: datetime | None
    hold: str | None

    def state(self, now: datetime) -> DocumentState:
        """The state at `now`: the status turns at its moment, the first second included."""
        return _state(self.status_changes_at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What credentials are made of. Members as in `StoredDocument`."""

    document_type: str
    document: Mapping[str, Any]
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """`document` is the inner model as JSON. `status_changes_at` is None until the document is withdrawn.

    `birth_date`: of the holder, as stored beside the document for finding it. `hold`: "held" (credentials come later), "refused"
    (never), None (at once); `hold_reason` goes with it.
    """

    seq: int
    document_id: str
    institution_id: str
    document_type: str
    profile: str | None
    document: Mapping[str, Any]
    identity: Mapping[str, Any] | None
    created_at: datetime
    paper_only: Mapping[str, Any] | None = None
    revoked_at: datetime | None = None
    status_changes_at: datetime | None = None
    effective_from: datetime | None = None
    revocation_reason: str | None = None
    birth_date: str | None = None
    hold: str | None = None
    hold_reason: str | None = None

    def state(self, now: datetime) -> DocumentState:
        """The state at `now`: the status turns at its moment, the first second included."""
        return _state(self.status_changes_at, now)


def _state(changes_at: datetime | None, now: datetime) -> DocumentState:
    if changes_at is None:
        return DocumentState.VALID
    return DocumentState.REVOKED if changes_at <= now else DocumentState.REVOCATION_SCHEDULED


_TIMES = ("created_at", "revoked_at", "status_changes_at", "effective_from")


def add(connection: Connection, document: StoredDocument) -> None:
    """Store a new one (`seq` is given by the database, `birth_date` by the document) and begin its history."""
    row = {name: getattr(document, name) for name in StoredDocument.__slots__ if name != "seq"}
    row["birth_date"] = value_at(document.document, ("holder", "birth_date"))
    row |= {name: None if row[name] is None else to_numeric_date(row[name]) for name in _TIMES}
    connection.execute(insert(documents).values(**row))
    note(connection, document.document_id, "document_created", document.created_at)


def find(connection: Connection, institution_id: str, document_id: str, *, lock: bool = False) -> StoredDocument | None:
    """The institution's own document; None for an unknown one and for another institution's alike.

    `lock`: the row stays as it is until the transaction ends.
    """
    row = (_FIND_LOCKED if lock else _FIND).one(connection, institution=institution_id, document=document_id)
    return None if row is None else _document(zip(_COLUMNS, row, strict=True))


_FINDING = select(documents).where(
    documents.c.institution_id == bindparam("institution"), documents.c.document_id == bindparam("document")
)
_COLUMNS = tuple(column.name for column in _FINDING.selected_columns)
_FIND, _FIND_LOCKED = Prepared(_FINDING), Prepared(_FINDING.with_for_update())


def standing(connection: Connection, institution_id: str, document_id: str) -> Standing | None:
    """How the institution's own document stands; it stays so until the transaction ends."""
    row = _STANDING.one(connection, institution=institution_id, document=document_id)
    if row is None:
        return None
    return _standing(*row)


def basis(connection: Connection, institution_id: str, document_id: str) -> Basis | None:
    """What credentials of the institution's own document are made of, as it stands at this moment."""
    row = _BASIS.one(connection, institution=institution_id, document=document_id)
    if row is None:
        return None
    document_type, document, *rest = row
    return Basis(document_type=document_type, document=document, standing=_standing(*rest))


def _standing(changes_at: int | None, hold: str | None) -> Standing:
    return Standing(status_changes_at=None if changes_at is None else datetime.fromtimestamp(changes_at, UTC), hold=hold)


_WHICH = (documents.c.institution_id == bindparam("institution"), documents.c.document_id == bindparam("document"))
_STANDING = Prepared(select(documents.c.status_changes_at, documents.c.hold).where(*_WHICH).with_for_update())
_BASIS = Prepared(
    select(documents.c.document_type, documents.c.document, documents.c.status_changes_at, documents.c.hold).where(*_WHICH)
)


def page(connection: Connection, institution_id: str, *, after: int, limit: int) -> Sequence[StoredDocument]:
    """Up to `limit` documents of the institution in the order of their coming, those after serial number `after`."""
    query = (
        select(documents)
        .where(documents.c.institution_id == institution_id, documents.c.seq > after)
        .order_by(documents.c.seq)
        .limit(limit)
    )
    return [_document(zip(_COLUMNS, row, strict=True)) for row in connection.execute(query)]


def born_on(connection: Connection, institution_id: str, document_type: str, birth_date: str) -> Sequence[StoredDocument]:
    """The institution's documents of that type whose holder was born on that ISO date, withdrawn ones too."""
    table = documents.c
    query = select(documents).where(
        table.institution_id == institution_id, table.birth_date == birth_date, table.document_type == document_type
    )
    return [_document(zip(_COLUMNS, row, strict=True)) for row in connection.execute(query.order_by(table.seq))]


def revoke(
    connection: Connection,
    institution_id: str,
    document_id: str,
    *,
    reason: str,
    effective_from: datetime,
    status_changes_at: datetime,
    now: datetime,
) -> bool:
    """Withdraw the document and every credential of it. False when that changes nothing: withdrawal has no way back (TSL-14).

    A withdrawal whose moment lies ahead may be brought forward, never put off.
    """
    table, changes_at = documents.c, to_numeric_date(status_changes_at)
    sooner = (table.status_changes_at > to_numeric_date(now)) & (table.status_changes_at > changes_at)
    statement = (
        update(documents)
        .where(*_own(institution_id, document_id), or_(table.status_changes_at.is_(None), sooner))
        .values(
            revoked_at=to_numeric_date(now),
            revocation_reason=reason,
            effective_from=to_numeric_date(effective_from),
            status_changes_at=changes_at,
        )
    )
    if not changed(connection.execute(statement)):
        return False
    mine = select(credentials.c.credential_id).where(credentials.c.document_id == document_id)
    connection.execute(
        update(status_entries).where(status_entries.c.credential_id.in_(mine)).values(value=1, changes_at=changes_at)
    )
    status.touch(connection, mine)
    note(
        connection,
        document_id,
        "document_revoked",
        now,
        reason=reason,
        effective_from=_text(effective_from),
        status_changes_at=_text(status_changes_at),
    )
    return True


def end_hold(
    connection: Connection, institution_id: str, document_id: str, *, refused: bool, reason: str | None, now: datetime
) -> bool:
    """Decide about a held document: its credentials are given (and may be collected), or never. False when it is not held."""
    hold = REFUSED if refused else None
    statement = (
        update(documents)
        .where(*_own(institution_id, document_id), documents.c.hold == HELD)
        .values(hold=hold, hold_reason=reason if refused else None)
    )
    if not changed(connection.execute(statement)):
        return False
    details = {"reason": reason} if reason is not None else {}
    note(connection, document_id, "document_refused" if refused else "document_released", now, **details)
    return True


def note(connection: Connection, document_id: str, event: str, at: datetime, **details: Any) -> None:
    """One line of history: an event word, ids and codes."""
    _NOTE.run(connection, document_id=document_id, at=to_numeric_date(at), event=event, details=details)


_NOTE = Prepared(insert(history).values({name: bindparam(name) for name in ("document_id", "at", "event", "details")}))


def events(connection: Connection, document_id: str) -> list[dict[str, Any]]:
    """The history of a document, oldest first: `at` (UTC text), `event`, and its details."""
    query = select(history.c.at, history.c.event, history.c.details).where(history.c.document_id == document_id)
    return [
        {"at": _text(datetime.fromtimestamp(at, UTC)), "event": event, **details}
        for at, event, details in connection.execute(query.order_by(history.c.seq))
    ]


def issued(connection: Connection, document_id: str) -> Sequence[Row[Any]]:
    """One row per credential of the document: its own columns, and those of its status entry, None when short-lived."""
    query = (
        select(credentials, status_entries.c.list_id, status_entries.c.idx, status_entries.c.value, status_entries.c.changes_at)
        .outerjoin(status_entries, status_entries.c.credential_id == credentials.c.credential_id)
        .where(credentials.c.document_id == document_id)
        .order_by(credentials.c.recorded_at, credentials.c.credential_id)
    )
    return connection.execute(query).all()


def reports(connection: Connection, document_id: str) -> Sequence[Row[Any]]:
    """What wallets reported about credentials of the document (OpenID4VCI 1.0 §11)."""
    query = (
        select(notifications)
        .join(issuances, issuances.c.notification_id == notifications.c.notification_id)
        .where(issuances.c.document_id == document_id)
        .order_by(notifications.c.received_at, notifications.c.event)
    )
    return connection.execute(query).all()


def _own(institution_id: str, document_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return documents.c.institution_id == institution_id, documents.c.document_id == document_id


def _document(row: Iterable[tuple[str, Any]]) -> StoredDocument:
    values = dict(row)
    for name in _TIMES:
        values[name] = None if values[name] is None else datetime.fromtimestamp(values[name], UTC)
    return StoredDocument(**values)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
