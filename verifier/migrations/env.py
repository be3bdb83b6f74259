"""Alembic's entry: migrate over the connection that `verifier.migrations.upgrade` hands in."""

from alembic import context

from verifier.migrations import VERSION_TABLE
from verifier.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
