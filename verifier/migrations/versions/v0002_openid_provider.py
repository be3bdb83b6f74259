"""Sign-ins of the OpenID Provider, and what brings the browser of the same device back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("verifier_transactions", sa.Column("return_uri", sa.Text, nullable=True))
    op.add_column("verifier_transactions", sa.Column("response_code_sha256", sa.String(64), nullable=True))
    op.create_index("ux_verifier_transactions_response_code", "verifier_transactions", ["response_code_sha256"], unique=True)
    op.create_table(
        "verifier_authorizations",
        sa.Column("authorization_id", sa.String(64), primary_key=True),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=True),
        sa.Column("nonce", sa.Text, nullable=True),
        sa.Column("code_challenge", sa.String(64), nullable=False),
        sa.Column("session_sha256", sa.String(64), nullable=False),
        sa.Column("same_device_id", sa.String(64), nullable=False, unique=True),
        sa.Column("cross_device_id", sa.String(64), nullable=False, unique=True),
        sa.Column("code_sha256", sa.String(64), nullable=True, unique=True),
        sa.Column("claims", sa.JSON, nullable=True),
        sa.Column("auth_time", sa.BigInteger, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_verifier_authorizations_expires_at", "verifier_authorizations", ["expires_at"])


def downgrade() -> None:
    op.drop_table("verifier_authorizations")
    op.drop_index("ux_verifier_transactions_response_code", "verifier_transactions")
    op.drop_column("verifier_transactions", "response_code_sha256")
    op.drop_column("verifier_transactions", "return_uri")
