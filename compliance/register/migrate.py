"""Brings the register's database to the newest revision; an empty one is made, one of a newer program is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from schemas.errors import UsageError


@contextmanager
def _scripts() -> Iterator[Config]:
    with as_file(files("compliance.register") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        yield config


def is_migrated(engine: sa.Engine) -> bool:
    """Whether the database is of the newest revision."""
    with _scripts() as config, engine.connect() as connection:
        return revision_of(connection) == ScriptDirectory.from_config(config).get_current_head()


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a database is of; None while it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Run the migrations that the database lacks, in one transaction.

    Raises:
        UsageError: the database is of a newer version of the program.
    """
    with _scripts() as config:
        scripts = ScriptDirectory.from_config(config)
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                # Two programs may start at once: one migrates, the other waits and finds it done.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            present = revision_of(connection)
            if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
                raise UsageError("the register's database was made by a newer version of the bus; use that version")
            if present == scripts.get_current_head() and revision == "head":
                return
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


_LOCK = 4_413_002_016
