"""Authorization code flow, refresh, deferred issuance: new tables; tokens belong to grants, documents are found by birth date."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _extend_documents()
    _generalise_tokens()  # before the offers: its reference to them goes
    with op.batch_alter_table("issuer_offers") as batch:
        batch.add_column(sa.Column("grants", sa.JSON, nullable=False, server_default='["pre-authorized_code"]'))
        batch.alter_column("code_sha256", existing_type=sa.String(64), nullable=True)
        batch.add_column(sa.Column("issuer_state_sha256", sa.String(64), nullable=True))
        batch.add_column(sa.Column("issuer_state", sa.String(64), nullable=True))
        batch.create_unique_constraint("uq_issuer_offers_issuer_state", ["issuer_state_sha256"])
    op.alter_column("issuer_issuances", "offer_id", new_column_name="grant_id")
    op.add_column("issuer_nonces", sa.Column("purpose", sa.String(16), nullable=False, server_default="c_nonce"))
    _add_tables()


def _extend_documents() -> None:
    """Columns only: a table that others refer to is not made anew."""
    for column in (
        sa.Column("birth_date", sa.String(10), nullable=True),
        sa.Column("hold", sa.String(16), nullable=True),
        sa.Column("hold_reason", sa.String(64), nullable=True),
    ):
        op.add_column("issuer_documents", column)
    documents = sa.table("issuer_documents", sa.column("document", sa.JSON), sa.column("birth_date", sa.String))
    op.execute(sa.update(documents).values(birth_date=documents.c.document[("holder", "birth_date")].as_string()))
    op.create_index("ix_issuer_documents_birth_date", "issuer_documents", ["institution_id", "birth_date"])


def _generalise_tokens() -> None:
    op.create_table(
        "issuer_grant_tokens",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("grant_id", sa.String(32), nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("configuration_ids", sa.JSON, nullable=False),
        sa.Column("credential_identifiers", sa.JSON, nullable=True),
        sa.Column("client_id", sa.String(512), nullable=True),
        sa.Column("instance_thumbprint", sa.String(64), nullable=True),
        sa.Column("not_after", sa.BigInteger, nullable=True),
        sa.Column("dpop_thumbprint", sa.String(64), nullable=True),
        sa.Column("remaining", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    kept = "token_sha256, {}, document_id, institution_id, configuration_ids, credential_identifiers, client_id, dpop_thumbprint, remaining, created_at, expires_at"  # noqa: E501
    op.execute(
        f"INSERT INTO issuer_grant_tokens ({kept.format('grant_id')}) SELECT {kept.format('offer_id')} FROM issuer_tokens"  # noqa: S608
    )
    op.drop_table("issuer_tokens")
    op.rename_table("issuer_grant_tokens", "issuer_tokens")
    for column in ("grant_id", "document_id", "expires_at"):
        op.create_index(f"ix_issuer_tokens_{column}", "issuer_tokens", [column])


def _add_tables() -> None:
    op.create_table(
        "issuer_authorizations",
        sa.Column("authorization_id", sa.String(32), primary_key=True),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("request_uri_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("client_id", sa.String(512), nullable=False),
        sa.Column("instance_thumbprint", sa.String(64), nullable=True),
        sa.Column("dpop_thumbprint", sa.String(64), nullable=True),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=True),
        sa.Column("code_challenge", sa.String(64), nullable=False),
        sa.Column("configuration_ids", sa.JSON, nullable=False),
        sa.Column("uses_details", sa.Boolean, nullable=False),
        sa.Column("offer_id", sa.String(32), nullable=True),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("browser_sha256", sa.String(64), nullable=True),
        sa.Column("upstream", sa.JSON, nullable=True),
        sa.Column("code_sha256", sa.String(64), nullable=True, unique=True),
        sa.Column("document_id", sa.String(32), nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "issuer_refresh_tokens",
        sa.Column("refresh_sha256", sa.String(64), primary_key=True),
        sa.Column("grant_id", sa.String(32), nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("configuration_ids", sa.JSON, nullable=False),
        sa.Column("credential_identifiers", sa.JSON, nullable=True),
        sa.Column("client_id", sa.String(512), nullable=False),
        sa.Column("instance_thumbprint", sa.String(64), nullable=True),
        sa.Column("dpop_thumbprint", sa.String(64), nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "issuer_deferred",
        sa.Column("transaction_sha256", sa.String(64), primary_key=True),
        sa.Column("grant_id", sa.String(32), nullable=False),
        sa.Column("institution_id", sa.String(32), nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("configuration_id", sa.String(128), nullable=False),
        sa.Column("holder_keys", sa.JSON, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=True),
        sa.Column("client_id", sa.String(512), nullable=True),
        sa.Column("instance_thumbprint", sa.String(64), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("last_polled_at", sa.BigInteger, nullable=True),
    )
    for table, columns in {
        "issuer_authorizations": ("document_id", "expires_at"),
        "issuer_refresh_tokens": ("grant_id", "document_id", "expires_at"),
        "issuer_deferred": ("document_id", "expires_at"),
    }.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_table(
        "issuer_secrets",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("grants by authorization cannot be kept in the first schema")
