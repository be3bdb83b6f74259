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
    Column("return_uri", Text, nullable=True),  # where the wallet sends the browser of the same device (OpenID4VP 1.0 §8.2)
    Column("response_code_sha256", String(64), nullable=True),
    Index("ux_verifier_transactions_response_code", "response_code_sha256", unique=True),
    Index("ix_verifier_transactions_expires_at", "expires_at"),
)

authorizations = Table(
    "verifier_authorizations",
    metadata,
    Column("authorization_id", String(64), primary_key=True),  # in addresses of one browser's own pages
    Column("client_id", String(200), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("state", Text, nullable=True),
    Column("nonce", Text, nullable=True),
    Column("code_challenge", String(64), nullable=False),
    Column("session_sha256", String(64), nullable=False),
    Column("same_device_id", String(64), nullable=False, unique=True),  # the transaction behind the link
    Column("cross_device_id", String(64), nullable=False, unique=True),  # the transaction behind the QR code
    Column("code_sha256", String(64), nullable=True, unique=True),  # set once the person is known
    Column("claims", JSON(none_as_null=True), nullable=True),  # personal; erased with the code
    Column("auth_time", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_verifier_authorizations_expires_at", "expires_at"),
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

SCHEMA_TABLES = (transactions, authorizations, status_tokens)
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


__all__ = ["SCHEMA_TABLES", "authorizations", "connect", "metadata", "status_tokens", "transactions"]
