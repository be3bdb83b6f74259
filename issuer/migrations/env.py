"""Alembic's entry: migrate over the connection that `issuer.migrations.upgrade` hands in, inside its transaction."""

from alembic import context

from issuer.migrations import VERSION_TABLE
from issuer.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
