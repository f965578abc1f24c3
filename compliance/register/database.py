"""The register's database: PostgreSQL, or an SQLite file as the embedded default."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from schemas.errors import UsageError

_BUSY_MS = 30_000


def open_engine(url: str) -> sa.Engine:
    """An engine for the register.

    SQLite waits for other writers instead of failing, and takes its lock when a transaction begins: a reader that
    turned writer in the middle could be refused. Readers do not wait for writers (write-ahead log).

    Raises:
        UsageError: the URL is of no database that the register knows.
    """
    try:
        found = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UsageError("the register's URL is not a database URL, as sqlite:///register.db") from None
    if found.get_backend_name() not in {"sqlite", "postgresql"}:
        raise UsageError("the register lives in PostgreSQL or SQLite; its URL names another database")
    engine = sa.create_engine(found, pool_pre_ping=found.get_backend_name() == "postgresql")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _: object) -> None:  # noqa: ANN401  the driver's own class
    # pysqlite would begin transactions itself, and too late.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def serialise(connection: sa.Connection) -> None:
    """Let decisions be taken one after the other: their transaction waits here for the one before it to end.

    So every rule sees what the decision before it left, and facts become visible in the order of their numbers, which
    whoever follows them counts on. SQLite does the same of itself (`_begin`).
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DECISIONS})


_DECISIONS = 4_413_002_017
