"""The PostgreSQL that tests of databases run on: real, apart from one another, gone at the end."""

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.postgres import Postgres, PostgresMissingError, find_programs, running_postgres
from tests.processes import processes_of


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements in one transaction; the rows of the last one, if it gives any."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_what_is_written_is_read_in_its_own_database_alone(postgres: Postgres) -> None:
    one, other = postgres.fresh(), postgres.fresh()
    run(one, "CREATE TABLE agency (code text PRIMARY KEY, name text)", "INSERT INTO agency VALUES ('hrss', '人社局')")
    assert run(one, "SELECT code, name FROM agency") == [("hrss", "人社局")]
    assert run(other, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_template_is_made_once_and_each_copy_changes_alone(postgres: Postgres) -> None:
    made: list[str] = []

    def make(url: str) -> None:
        made.append(url)
        # Left connected on purpose, as an engine's pool is.
        create_engine(url).connect().close()
        run(url, "CREATE TABLE step (number int)", "INSERT INTO step VALUES (1)")

    names = {postgres.template("fixture_template", make) for _ in range(2)}
    assert names == {"fixture_template"}
    assert made == [postgres.url("fixture_template")]
    one, other = postgres.fresh("fixture_template"), postgres.fresh("fixture_template")
    run(one, "INSERT INTO step VALUES (2)")
    assert run(one, "SELECT number FROM step ORDER BY number") == [(1,), (2,)]
    assert run(other, "SELECT number FROM step") == [(1,)]


def test_a_dropped_database_is_gone(postgres: Postgres) -> None:
    url = postgres.fresh()
    postgres.drop(url)
    name = url.partition("@/")[2].partition("?")[0]
    assert run(postgres.fresh(), f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == [(0,)]  # noqa: S608  our own name


def test_nothing_is_left_of_a_server_that_was_stopped_while_somebody_was_connected() -> None:
    with running_postgres() as server:
        folder = server.folder
        assert processes_of(folder) != []
        held = create_engine(server.fresh()).connect()
    held.invalidate()
    assert processes_of(folder) == []
    assert not folder.exists()


def test_a_machine_without_postgresql_is_told_which_package_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(PostgresMissingError, match="apt-get install postgresql"):
        find_programs(tmp_path, os.fspath(tmp_path))
