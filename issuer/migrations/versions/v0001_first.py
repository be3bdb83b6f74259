"""Documents, offers, grants, issuances, status lists, history: the first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "issuer_documents",
        sa.Column("seq", _serial, primary_key=True, autoincrement=True),
        sa.Column("document_id", sa.String(32), nullable=False, unique=True),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("document_type", sa.String(32), nullable=False),
        sa.Column("profile", sa.String(64), nullable=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("identity", sa.JSON, nullable=True),
        sa.Column("paper_only", sa.JSON, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.Column("status_changes_at", sa.BigInteger, nullable=True),
        sa.Column("effective_from", sa.BigInteger, nullable=True),
        sa.Column("revocation_reason", sa.String(64), nullable=True),
    )
    op.create_index("ix_issuer_documents_institution_seq", "issuer_documents", ["institution_id", "seq"])
    op.create_table(
        "issuer_offers",
        sa.Column("offer_id", sa.String(32), primary_key=True),
        sa.Column("document_id", sa.String(32), sa.ForeignKey("issuer_documents.document_id"), nullable=False),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("configuration_ids", sa.JSON, nullable=False),
        sa.Column("by_value", sa.Boolean, nullable=False),
        sa.Column("code_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("tx_code_sha256", sa.String(64), nullable=True),
        sa.Column("wrong_guesses", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issuer_offers_document_id", "issuer_offers", ["document_id"])
    op.create_index("ix_issuer_offers_expires_at", "issuer_offers", ["expires_at"])
    op.create_table(
        "issuer_tokens",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("offer_id", sa.String(32), sa.ForeignKey("issuer_offers.offer_id"), nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("configuration_ids", sa.JSON, nullable=False),
        sa.Column("credential_identifiers", sa.JSON, nullable=True),
        sa.Column("client_id", sa.String(512), nullable=True),
        sa.Column("dpop_thumbprint", sa.String(64), nullable=True),
        sa.Column("remaining", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issuer_tokens_document_id", "issuer_tokens", ["document_id"])
    op.create_index("ix_issuer_tokens_expires_at", "issuer_tokens", ["expires_at"])
    op.create_table(
        "issuer_nonces",
        sa.Column("nonce_sha256", sa.String(64), primary_key=True),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issuer_nonces_expires_at", "issuer_nonces", ["expires_at"])
    op.create_table(
        "issuer_dpop_proofs",
        sa.Column("proof_sha256", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issuer_dpop_proofs_expires_at", "issuer_dpop_proofs", ["expires_at"])
    op.create_table(
        "issuer_issuances",
        sa.Column("notification_id", sa.String(64), primary_key=True),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("offer_id", sa.String(32), nullable=False),
        sa.Column("document_id", sa.String(32), sa.ForeignKey("issuer_documents.document_id"), nullable=False),
        sa.Column("configuration_id", sa.String(128), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "issuer_notifications",
        sa.Column("notification_id", sa.String(64), sa.ForeignKey("issuer_issuances.notification_id"), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("event_description", sa.Text, nullable=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("notification_id", "event"),
    )
    op.create_table(
        "issuer_credentials",
        sa.Column("credential_id", sa.String(64), primary_key=True),
        sa.Column("notification_id", sa.String(64), sa.ForeignKey("issuer_issuances.notification_id"), nullable=False),
        sa.Column("document_id", sa.String(32), sa.ForeignKey("issuer_documents.document_id"), nullable=False),
        sa.Column("configuration_id", sa.String(128), nullable=False),
        sa.Column("holder_thumbprint", sa.String(64), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issuer_credentials_document_id", "issuer_credentials", ["document_id"])
    op.create_table(
        "issuer_status_lists",
        sa.Column("list_id", sa.String(32), primary_key=True),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issuer_status_lists_institution_id", "issuer_status_lists", ["institution_id"])
    op.create_table(
        "issuer_status_entries",
        sa.Column("list_id", sa.String(32), sa.ForeignKey("issuer_status_lists.list_id"), nullable=False),
        sa.Column("idx", sa.Integer, nullable=False),
        sa.Column("credential_id", sa.String(64), sa.ForeignKey("issuer_credentials.credential_id"), nullable=False, unique=True),
        sa.Column("value", sa.Integer, nullable=False),
        sa.Column("changes_at", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("list_id", "idx"),
    )
    op.create_index("ix_issuer_status_entries_value", "issuer_status_entries", ["list_id", "value"])
    op.create_table(
        "issuer_status_tokens",
        sa.Column("list_id", sa.String(32), sa.ForeignKey("issuer_status_lists.list_id"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("list_id", "kind"),
    )
    op.create_table(
        "issuer_history",
        sa.Column("seq", _serial, primary_key=True, autoincrement=True),
        sa.Column("document_id", sa.String(32), sa.ForeignKey("issuer_documents.document_id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
    )
    op.create_index("ix_issuer_history_document_id", "issuer_history", ["document_id", "seq"])
    op.create_table(
        "issuer_idempotency",
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("response", sa.JSON, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("institution_id", "key_sha256"),
    )
    op.create_index("ix_issuer_idempotency_expires_at", "issuer_idempotency", ["expires_at"])
    op.create_table(
        "issuer_refusals",
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("endpoint", sa.String(32), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("institution_id", "day", "endpoint", "code"),
    )
    op.create_table(
        "issuer_rates",
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("window", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("institution_id", "kind"),
    )


def downgrade() -> None:
    for table in (
        "issuer_rates",
        "issuer_refusals",
        "issuer_idempotency",
        "issuer_history",
        "issuer_status_tokens",
        "issuer_status_entries",
        "issuer_status_lists",
        "issuer_credentials",
        "issuer_notifications",
        "issuer_issuances",
        "issuer_dpop_proofs",
        "issuer_nonces",
        "issuer_tokens",
        "issuer_offers",
        "issuer_documents",
    ):
        op.drop_table(table)
