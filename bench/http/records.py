"""Durable issue records: what the product writes for each answer, by 16 callers at once, against one row for each commit."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from issuer import migrations
from issuer.store import connect, documents, issuances, status
from issuer.store.documents import StoredDocument
from issuer.store.engine import writing
from issuer.store.issuances import Record
from issuer.store.writer import Writer

CALLERS = 16
_TABLE = "CREATE TABLE record (id TEXT PRIMARY KEY, document TEXT, at INTEGER, content TEXT)"
_ROW = "INSERT INTO record VALUES (?, ?, ?, ?)"


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """The reference: sqlite3 alone, WAL, FULL, one row of about 180 octets with a key and two indices."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        _TABLE,
        "CREATE INDEX by_document ON record (document)",
        "CREATE INDEX by_time ON record (at)",
    ):
        connection.execute(statement)
    yield connection
    connection.close()


def plain_rate(connection: sqlite3.Connection, count: int) -> float:
    """Rows per second, one commit each."""
    begun = time.perf_counter()
    for _ in range(count):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_ROW, (secrets.token_hex(24), secrets.token_hex(16), 1, secrets.token_hex(32)))
        connection.execute("COMMIT")
    return count / (time.perf_counter() - begun)


class Ours:
    """The issuer's own database and writer: issuance, credential, status entry with its count, and a line of history."""

    def __init__(self, directory: Path) -> None:
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._engine = connect(f"sqlite:///{directory / 'records.db'}")
        migrations.upgrade(self._engine)
        with writing(self._engine) as connection:
            documents.add(
                connection,
                StoredDocument(
                    seq=0,
                    document_id="d" * 32,
                    institution_id="bench",
                    document_type="pda1",
                    profile=None,
                    document={},
                    identity=None,
                    created_at=self._now,
                ),
            )
            self._list = status.add_list(connection, "bench", self._now, secrets.token_bytes)

    def rate(self, count: int) -> float:
        """Records per second, each answered when it is durable."""
        return asyncio.run(self._rate(count))

    def close(self) -> None:
        """Give the file back."""
        self._engine.dispose()

    async def _rate(self, count: int) -> float:
        writer, left = Writer(self._engine), iter(range(count))

        async def caller() -> None:
            for _ in left:
                await writer.run(self._record)

        begun = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        spent = time.perf_counter() - begun
        await writer.close()
        return count / spent

    def _record(self, connection: Connection) -> None:
        credential_id, end = f"urn:uuid:{secrets.token_hex(18)}", self._now + timedelta(days=90)
        issuances.record(
            connection,
            notification_id=secrets.token_urlsafe(24),
            institution_id="bench",
            grant_id="g" * 32,
            document_id="d" * 32,
            configuration_id="pda1_dc4eu-2_sd_jwt",
            records=[
                Record(
                    credential_id=credential_id,
                    holder_thumbprint=secrets.token_urlsafe(32),
                    content_sha256=secrets.token_hex(32),
                    valid_from=self._now,
                    valid_until=end,
                )
            ],
            now=self._now,
        )
        (place,) = status.draw(connection, self._list, 1, secrets.token_bytes)
        if not status.take(connection, self._list, {place: credential_id}, changes_at=None):
            raise RuntimeError("a place that was free is taken")
        documents.note(connection, "d" * 32, "credentials_issued", self._now, credential_ids=[credential_id])
