"""The tables (SQLAlchemy Core). Times are whole seconds since 1970; the migrations create the same tables, a test compares."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER only

documents = Table(
    "issuer_documents",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("document_id", String(32), nullable=False, unique=True),
    Column("institution_id", String(32), nullable=False),
    Column("document_type", String(32), nullable=False),
    Column("profile", String(64), nullable=True),  # the institution's wish for its SD-JWT VC; None means the default
    Column("document", JSON, nullable=False),
    Column("identity", JSON, nullable=True),
    Column("paper_only", JSON, nullable=True),  # boxes of the paper form that the institution keeps beside the document
    Column("created_at", BigInteger, nullable=False),
    # Two dates (DOMAIN 5.2): when the status turns, and from when the withdrawal has effect as a matter of law.
    Column("revoked_at", BigInteger, nullable=True),
    Column("status_changes_at", BigInteger, nullable=True),
    Column("effective_from", BigInteger, nullable=True),
    Column("revocation_reason", String(64), nullable=True),
    # How a person who signed in is found: the birth date first, then names are compared.
    Column("birth_date", String(10), nullable=True),
    Column("hold", String(16), nullable=True),  # "held": credentials come later; "refused": never; none: at once
    Column("hold_reason", String(64), nullable=True),
    Index("ix_issuer_documents_institution_seq", "institution_id", "seq"),
    Index("ix_issuer_documents_birth_date", "institution_id", "birth_date"),
)

offers = Table(
    "issuer_offers",
    metadata,
    Column("offer_id", String(32), primary_key=True),
    Column("document_id", String(32), ForeignKey("issuer_documents.document_id"), nullable=False),
    Column("institution_id", String(32), nullable=False),
    Column("configuration_ids", JSON, nullable=False),
    Column("by_value", Boolean, nullable=False),
    Column("grants", JSON, nullable=False, server_default='["pre-authorized_code"]'),  # by their short names
    Column("code_sha256", String(64), nullable=True, unique=True),
    Column("code", String(64), nullable=True),  # needed while the offer may be fetched; erased when it is spent, dead or withdrawn
    Column("tx_code_sha256", String(64), nullable=True),
    Column("issuer_state_sha256", String(64), nullable=True),
    Column("issuer_state", String(64), nullable=True),  # as `code`
    Column("wrong_guesses", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    UniqueConstraint("issuer_state_sha256", name="uq_issuer_offers_issuer_state"),
    Index("ix_issuer_offers_document_id", "document_id"),
    Index("ix_issuer_offers_expires_at", "expires_at"),
)

authorizations = Table(
    "issuer_authorizations",
    metadata,
    Column("authorization_id", String(32), primary_key=True),
    Column("institution_id", String(32), nullable=False),
    Column("request_uri_sha256", String(64), nullable=False, unique=True),
    Column("client_id", String(512), nullable=False),
    Column("instance_thumbprint", String(64), nullable=True),  # of the attested wallet instance
    Column("dpop_thumbprint", String(64), nullable=True),  # of the key the code is bound to (RFC 9449 §10)
    Column("redirect_uri", Text, nullable=False),
    Column("state", Text, nullable=True),
    Column("code_challenge", String(64), nullable=False),
    Column("configuration_ids", JSON, nullable=False),
    Column("uses_details", Boolean, nullable=False),  # asked by authorization_details, and so answered by identifiers
    Column("offer_id", String(32), nullable=True),
    Column("stage", String(16), nullable=False),
    Column("browser_sha256", String(64), nullable=True),  # of the cookie of the browser that began (SECURITY A-16)
    Column("upstream", JSON, nullable=True),  # what the sign-in must come back with; erased when it is over
    Column("code_sha256", String(64), nullable=True, unique=True),
    Column("document_id", String(32), nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_issuer_authorizations_document_id", "document_id"),
    Index("ix_issuer_authorizations_expires_at", "expires_at"),
)

tokens = Table(
    "issuer_tokens",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("grant_id", String(32), nullable=False),  # the offer, or the authorization, it came from
    Column("document_id", String(32), nullable=False),
    Column("institution_id", String(32), nullable=False),
    Column("configuration_ids", JSON, nullable=False),
    Column("credential_identifiers", JSON, nullable=True),  # identifier → configuration id, when authorization_details were used
    Column("client_id", String(512), nullable=True),
    Column("instance_thumbprint", String(64), nullable=True),
    Column("not_after", BigInteger, nullable=True),  # how long the status of the wallet instance is kept up (EAA-I-9)
    Column("dpop_thumbprint", String(64), nullable=True),
    Column("remaining", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_issuer_tokens_grant_id", "grant_id"),
    Index("ix_issuer_tokens_document_id", "document_id"),
    Index("ix_issuer_tokens_expires_at", "expires_at"),
)

refresh_tokens = Table(
    "issuer_refresh_tokens",
    metadata,
    Column("refresh_sha256", String(64), primary_key=True),
    Column("grant_id", String(32), nullable=False),
    Column("document_id", String(32), nullable=False),
    Column("institution_id", String(32), nullable=False),
    Column("configuration_ids", JSON, nullable=False),
    Column("credential_identifiers", JSON, nullable=True),
    Column("client_id", String(512), nullable=False),
    Column("instance_thumbprint", String(64), nullable=True),
    Column("dpop_thumbprint", String(64), nullable=False),  # never without: it is not rotated (FAPI 2.0 §5.3.2.1)
    Column("revoked_at", BigInteger, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_issuer_refresh_tokens_grant_id", "grant_id"),
    Index("ix_issuer_refresh_tokens_document_id", "document_id"),
    Index("ix_issuer_refresh_tokens_expires_at", "expires_at"),
)

deferred = Table(
    "issuer_deferred",
    metadata,
    Column("transaction_sha256", String(64), primary_key=True),
    Column("grant_id", String(32), nullable=False),
    Column("institution_id", String(32), nullable=False),
    Column("document_id", String(32), nullable=False),
    Column("configuration_id", String(128), nullable=False),
    Column("holder_keys", JSON, nullable=False),  # public JWKs, proved when the credential was asked for
    Column("not_after", BigInteger, nullable=True),  # how long the status of the keys is kept up (EAA-I-9)
    Column("client_id", String(512), nullable=True),
    Column("instance_thumbprint", String(64), nullable=True),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_polled_at", BigInteger, nullable=True),
    Index("ix_issuer_deferred_document_id", "document_id"),
    Index("ix_issuer_deferred_expires_at", "expires_at"),
)

nonces = Table(
    "issuer_nonces",
    metadata,
    Column("nonce_sha256", String(64), primary_key=True),
    Column("institution_id", String(32), nullable=False),
    Column("purpose", String(16), nullable=False, server_default="c_nonce"),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_issuer_nonces_expires_at", "expires_at"),
)

dpop_proofs = Table(
    "issuer_dpop_proofs",
    metadata,
    Column("proof_sha256", String(64), primary_key=True),  # over key thumbprint and jti; of attestation PoPs too
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_issuer_dpop_proofs_expires_at", "expires_at"),
)

issuances = Table(
    "issuer_issuances",
    metadata,
    Column("notification_id", String(64), primary_key=True),
    Column("institution_id", String(32), nullable=False),
    Column("grant_id", String(32), nullable=False),
    Column("document_id", String(32), ForeignKey("issuer_documents.document_id"), nullable=False),
    Column("configuration_id", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

notifications = Table(
    "issuer_notifications",
    metadata,
    Column("notification_id", String(64), ForeignKey("issuer_issuances.notification_id"), nullable=False),
    Column("event", String(32), nullable=False),
    Column("event_description", Text, nullable=True),
    Column("received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("notification_id", "event"),
)

credentials = Table(
    "issuer_credentials",
    metadata,
    Column("credential_id", String(64), primary_key=True),  # the attestation id (`jti`) of this copy
    Column("notification_id", String(64), ForeignKey("issuer_issuances.notification_id"), nullable=False),
    Column("document_id", String(32), ForeignKey("issuer_documents.document_id"), nullable=False),
    Column("configuration_id", String(128), nullable=False),
    Column("holder_thumbprint", String(64), nullable=False),
    Column("content_sha256", String(64), nullable=False),  # over what was prepared, written before the key is used
    Column("state", String(16), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Index("ix_issuer_credentials_document_id", "document_id"),
)

status_lists = Table(
    "issuer_status_lists",
    metadata,
    Column("list_id", String(32), primary_key=True),
    Column("institution_id", String(32), nullable=False),
    Column("size", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # raised by each change of a value
    Column("is_open", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_issuer_status_lists_institution_id", "institution_id"),
)

status_entries = Table(
    "issuer_status_entries",
    metadata,
    Column("list_id", String(32), ForeignKey("issuer_status_lists.list_id"), nullable=False),
    Column("idx", Integer, nullable=False),
    Column("credential_id", String(64), ForeignKey("issuer_credentials.credential_id"), nullable=False, unique=True),
    Column("value", Integer, nullable=False),
    Column("changes_at", BigInteger, nullable=True),  # from then on `value` is shown, before it 0
    PrimaryKeyConstraint("list_id", "idx"),  # an index is given out once, by constraint and not by luck (SECURITY O-3)
    Index("ix_issuer_status_entries_value", "list_id", "value"),
)

status_tokens = Table(
    "issuer_status_tokens",
    metadata,
    Column("list_id", String(32), ForeignKey("issuer_status_lists.list_id"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    PrimaryKeyConstraint("list_id", "kind"),
)

history = Table(
    "issuer_history",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("document_id", String(32), ForeignKey("issuer_documents.document_id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", String(32), nullable=False),
    Column("details", JSON, nullable=False),  # ids and codes only
    Index("ix_issuer_history_document_id", "document_id", "seq"),
)

idempotency = Table(
    "issuer_idempotency",
    metadata,
    Column("institution_id", String(32), nullable=False),
    Column("key_sha256", String(64), nullable=False),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("response", JSON, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("institution_id", "key_sha256"),
    Index("ix_issuer_idempotency_expires_at", "expires_at"),
)

refusals = Table(
    "issuer_refusals",
    metadata,
    Column("institution_id", String(32), nullable=False),
    Column("day", BigInteger, nullable=False),  # days since 1970
    Column("endpoint", String(32), nullable=False),
    Column("code", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("institution_id", "day", "endpoint", "code"),
)

rates = Table(
    "issuer_rates",
    metadata,
    Column("institution_id", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("window", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("institution_id", "kind"),
)

secrets = Table(
    "issuer_secrets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),  # made once by the first worker that needs it, shared by all
    Column("created_at", BigInteger, nullable=False),
)
