"""Brings the register's database to the newest revision; an empty one is made, one of a newer program is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from schemas.errors import UsageError


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest revision, and all that this program knows; the scripts are files of the program."""
    with _scripts() as config:
        scripts = ScriptDirectory.from_config(config)
        return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


@contextmanager
def _scripts() -> Iterator[Config]:
    with as_file(files("compliance.register") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        yield config


def is_migrated(engine: sa.Engine) -> bool:
    """Whether the database is of the newest revision."""
    with engine.connect() as connection:
        return revision_of(connection) == _revisions()[0]


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a database is of; None while it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Run the migrations that the database lacks, in one transaction.

    Raises:
        UsageError: the database is of a newer version of the program.
    """
    newest, known = _revisions()
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # Two programs may start at once: one migrates, the other waits and finds it done.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        present = revision_of(connection)
        if present is not None and present not in known:
            raise UsageError("the register's database was made by a newer version of the bus; use that version")
        if present == newest and revision == "head":
            return
        with _scripts() as config:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


_LOCK = 4_413_002_016
