"""A register in each of the two databases: what holds of one must hold of the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance.register.database import open_engine
from compliance.register.migrate import migrate
from compliance.register.service import Register
from tests.postgres import Postgres
from tests.register import register_on, sqlite_register

TEMPLATE = "register_template"


def migrated(url: str) -> None:
    """A database that the migrations made."""
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres: Postgres) -> Iterator[sa.Engine]:
    """A migrated database of PostgreSQL."""
    engine = open_engine(postgres.fresh(postgres.template(TEMPLATE, migrated)))
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
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
