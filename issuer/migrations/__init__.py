"""The schema and its changes (Alembic): bring a database up to date, or say whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from issuer.store.engine import reading, writing

VERSION_TABLE = "issuer_schema_version"


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema, in one transaction: an interrupted one changed nothing (SECURITY O-18).

    Workers that start together take turns; doing it twice changes nothing.
    """
    with writing(engine) as connection:
        command.upgrade(_config(connection), "head")


def is_current(engine: Engine) -> bool:
    """True when the database has exactly the schema this code expects (O-17)."""
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision() == ScriptDirectory.from_config(_config(connection)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
