"""Transactions and status list tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verifier_transactions",
        sa.Column("transaction_id", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(64), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("question", sa.JSON, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("request_object", sa.Text, nullable=False),
        sa.Column("request_state", sa.String(64), nullable=False),
        sa.Column("encryption_key", sa.JSON, nullable=True),
        sa.Column("session_sha256", sa.String(64), nullable=True),
        sa.Column("result", sa.JSON, nullable=True),
        sa.Column("last_refusal", sa.JSON, nullable=True),
    )
    op.create_index("ix_verifier_transactions_expires_at", "verifier_transactions", ["expires_at"])
    op.create_table(
        "verifier_status_tokens",
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("fetched_at", sa.BigInteger, nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("uri", "kind"),
    )


def downgrade() -> None:
    op.drop_table("verifier_status_tokens")
    op.drop_table("verifier_transactions")
