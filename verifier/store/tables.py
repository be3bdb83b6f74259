"""The tables (SQLAlchemy Core) and the engine. Times are whole seconds since 1970; the migrations create the same tables."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    create_engine,
    event,
)

metadata = MetaData()

transactions = Table(
    "verifier_transactions",
    metadata,
    Column("transaction_id", String(64), primary_key=True),  # known to the verifier's own side only (VP-RSP-5)
    Column("request_id", String(64), nullable=False, unique=True),  # travels in URLs to the wallet
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("question", JSON, nullable=False),  # purpose, place, date, format
    Column("request", JSON, nullable=False),  # the claims of the request object
    Column("request_object", Text, nullable=False),  # signed once, so that fetching twice gives the same
    Column("request_state", String(64), nullable=False),
    Column("encryption_key", JSON, nullable=True),  # private JWK, erased when the transaction ends
    Column("session_sha256", String(64), nullable=True),
    Column("result", JSON, nullable=True),
    Column("last_refusal", JSON, nullable=True),
    Index("ix_verifier_transactions_expires_at", "expires_at"),
)

status_tokens = Table(
    "verifier_status_tokens",
    metadata,
    Column("uri", Text, nullable=False),
    Column("kind", String(8), nullable=False),  # jwt or cwt
    Column("issued_at", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    PrimaryKeyConstraint("uri", "kind"),
)

SCHEMA_TABLES = (transactions, status_tokens)
_BUSY_MILLISECONDS = 5000


def connect(url: str) -> Engine:
    """An engine for `url`; SQLite gets write-ahead logging, a waiting time for locks, and erases what is deleted (P-6)."""
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS:d}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    return engine


__all__ = ["SCHEMA_TABLES", "connect", "metadata", "status_tokens", "transactions"]
