"""A register in each of the two databases: what holds of one must hold of the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance.register.database import open_engine
from compliance.register.migrate import migrate
from compliance.register.service import Register
from compliance.register.tables import METADATA
from tests.postgres import Postgres
from tests.register import register_on, sqlite_register


@pytest.fixture(scope="session")
def register_database(postgres: Postgres) -> Iterator[sa.Engine]:
    """One database of PostgreSQL that the migrations made; `postgres_engine` hands it out empty."""
    engine = open_engine(postgres.fresh())
    migrate(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def postgres_engine(register_database: sa.Engine) -> Iterator[sa.Engine]:
    """A migrated, empty database of PostgreSQL.

    Emptied and not made anew for each test: a database is a thousand files. What refuses to delete history is set
    aside for that, which only a superuser may do.
    """
    yield register_database
    with register_database.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for table in reversed(METADATA.sorted_tables):
            connection.execute(sa.delete(table))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def register(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Register]:
    """A register over SQLite, then over PostgreSQL."""
    if request.param == "sqlite":
        with sqlite_register(tmp_path) as made:
            yield made
    else:
        yield register_on(request.getfixturevalue("postgres_engine"))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Register]:
    """A register over SQLite alone, for what does not depend on the database."""
    with sqlite_register(tmp_path) as made:
        yield made
