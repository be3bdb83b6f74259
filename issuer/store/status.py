"""Status lists: which index belongs to which credential, and the tokens that were published last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuer.store.engine import changed
from issuer.store.prepared import Prepared
from issuer.store.tables import status_entries, status_lists, status_tokens
from vc.clock import to_numeric_date

LIST_SIZE = 1 << 20
# An open list is closed at three quarters: the last free places of a full one would be guessed from outside (SECURITY P-5).
LIST_CAPACITY = LIST_SIZE // 4 * 3
_DRAWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A status list token as it was signed. `issued_at`: its `iat`."""

    version: int
    issued_at: int
    token: bytes


def open_list(connection: Connection, institution_id: str) -> str | None:
    """The id of the institution's list that takes new entries; None when there is none with room."""
    row = _OPEN_LIST.one(connection, institution=institution_id)
    return None if row is None else str(row[0])


_WITH_ROOM = (
    select(status_lists.c.list_id)
    .where(
        status_lists.c.institution_id == bindparam("institution"),
        status_lists.c.is_open.is_(True),
        status_lists.c.used < LIST_CAPACITY,
    )
    .order_by(status_lists.c.created_at, status_lists.c.list_id)
    .limit(1)
)
_OPEN_LIST = Prepared(_WITH_ROOM)
_OPEN_PLACE = Prepared(
    _WITH_ROOM.add_columns(
        exists().where(status_entries.c.list_id == status_lists.c.list_id, status_entries.c.idx == bindparam("place"))
    )
)


def add_list(connection: Connection, institution_id: str, now: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """The id of a list with room, made now unless another worker just made one. Call it in a writing transaction."""
    found = open_list(connection, institution_id)
    if found is not None:
        return found
    list_id = random_bytes(16).hex()
    connection.execute(
        insert(status_lists).values(
            list_id=list_id,
            institution_id=institution_id,
            size=LIST_SIZE,
            used=0,
            version=1,
            is_open=True,
            created_at=to_numeric_date(now),
        )
    )
    return list_id


def close_lists(connection: Connection) -> int:
    """Close every open list: after a restore from a backup, indices given out since must not be given again (SECURITY O-6)."""
    return changed(connection.execute(update(status_lists).where(status_lists.c.is_open.is_(True)).values(is_open=False)))


def draw_one(connection: Connection, institution_id: str, random_bytes: Callable[[int], bytes]) -> tuple[str, int] | None:
    """The open list, and a random index of it that is free now: the usual case of `open_list` and `draw`, in one statement.

    None when there is no list with room, or the index is not free.
    """
    candidate = int.from_bytes(random_bytes(4), "big") % LIST_SIZE  # 2^20 divides 2^32
    row = _OPEN_PLACE.one(connection, institution=institution_id, place=candidate)
    return None if row is None or row[1] else (str(row[0]), candidate)


def draw(connection: Connection, list_id: str, count: int, random_bytes: Callable[[int], bytes]) -> list[int]:
    """`count` different random indices of the list that are free now (TSL-13). They are taken only by `take`."""
    drawn: dict[int, None] = {}
    for _ in range(_DRAWS):
        octets = random_bytes(8 * count)
        candidates = [
            int.from_bytes(octets[at : at + 4], "big") % LIST_SIZE for at in range(0, len(octets), 4)
        ]  # 2^20 divides 2^32
        for candidate in candidates:
            if _TAKEN.one(connection, list=list_id, place=candidate) is None:
                drawn[candidate] = None
            if len(drawn) == count:
                return list(drawn)
    raise RuntimeError("a status list under its capacity has no free place")


_TAKEN = Prepared(
    select(status_entries.c.idx).where(status_entries.c.list_id == bindparam("list"), status_entries.c.idx == bindparam("place"))
)


def take(connection: Connection, list_id: str, entries: dict[int, str], *, changes_at: datetime | None) -> bool:
    """Give the indices to the credentials for good. False when one was taken meanwhile; the caller then rolls back and draws again.

    `changes_at`: when the withdrawal of the document, already ordered, will show; None for a document that stands.
    """
    value, moment = (0, None) if changes_at is None else (1, to_numeric_date(changes_at))
    rows = [
        {"list_id": list_id, "idx": idx, "credential_id": credential_id, "value": value, "changes_at": moment}
        for idx, credential_id in entries.items()
    ]
    try:
        _TAKE.run_each(connection, rows)
    except IntegrityError:
        return False
    _COUNT.run(connection, list=list_id, more=len(rows), turned=0 if changes_at is None else 1)
    return True


_TAKE = Prepared(insert(status_entries))
_COUNT = Prepared(
    update(status_lists)
    .where(status_lists.c.list_id == bindparam("list"))
    .values(
        used=status_lists.c.used + bindparam("more", type_=Integer),
        version=status_lists.c.version + bindparam("turned", type_=Integer),
    )
)


def invalidate(connection: Connection, credential_ids: list[str], now: datetime) -> None:
    """Mark entries of credentials that never left (the signature failed): not valid, by rule and not by accident (SECURITY O-4)."""
    entries = status_entries.c
    connection.execute(
        update(status_entries).where(entries.credential_id.in_(credential_ids)).values(value=1, changes_at=to_numeric_date(now))
    )
    touch(connection, credential_ids)


def touch(connection: Connection, credential_ids: Any) -> None:
    """Raise the version of every list that holds one of the credentials (ids, or a select of them): it must be published anew."""
    touched = select(status_entries.c.list_id).where(status_entries.c.credential_id.in_(credential_ids))
    connection.execute(update(status_lists).where(status_lists.c.list_id.in_(touched)).values(version=status_lists.c.version + 1))


def version_of(connection: Connection, institution_id: str, list_id: str) -> int | None:
    """The version of one of the institution's lists; None when it has no such list."""
    query = select(status_lists.c.version).where(status_lists.c.institution_id == institution_id, status_lists.c.list_id == list_id)
    version: int | None = connection.execute(query).scalar_one_or_none()
    return version


def lists_of(connection: Connection, institution_id: str) -> list[str]:
    """The ids of the institution's lists, oldest first."""
    query = select(status_lists.c.list_id).where(status_lists.c.institution_id == institution_id)
    return list(connection.execute(query.order_by(status_lists.c.created_at, status_lists.c.list_id)).scalars())


def values_of(connection: Connection, list_id: str, now: datetime) -> dict[int, int]:
    """Every index whose value is not 0 at `now`."""
    query = select(status_entries.c.idx, status_entries.c.value).where(
        status_entries.c.list_id == list_id,
        status_entries.c.value != 0,
        status_entries.c.changes_at <= to_numeric_date(now),
    )
    return {row.idx: row.value for row in connection.execute(query)}


def published(connection: Connection, list_id: str, kind: str) -> Published | None:
    """The last token of the list in that form (`jwt` or `cwt`)."""
    row = connection.execute(
        select(status_tokens).where(status_tokens.c.list_id == list_id, status_tokens.c.kind == kind)
    ).one_or_none()
    return None if row is None else Published(version=row.version, issued_at=row.issued_at, token=bytes(row.token))


def publish(connection: Connection, list_id: str, kind: str, new: Published) -> None:
    """Replace the last token by a newer one; an older one never replaces a newer one (SECURITY O-9, S-8)."""
    table = status_tokens.c
    row = {"version": new.version, "issued_at": new.issued_at, "token": new.token}
    statement = update(status_tokens).where(
        table.list_id == list_id, table.kind == kind, table.version <= new.version, table.issued_at <= new.issued_at
    )
    if changed(connection.execute(statement.values(**row))) == 0 and published(connection, list_id, kind) is None:
        connection.execute(insert(status_tokens).values(list_id=list_id, kind=kind, **row))
