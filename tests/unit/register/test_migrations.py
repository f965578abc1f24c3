"""Migrations: from nothing and from every earlier revision with data, to the tables that the program knows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from compliance.notice_kinds import NoticeKind, Way
from compliance.notices import Cause
from compliance.register.database import open_engine
from compliance.register.migrate import is_migrated, migrate
from compliance.register.noticebook import NoticeBook
from compliance.register.service import Register
from compliance.register.tables import METADATA
from compliance.workdays import WorkCalendar
from schemas.errors import UsageError
from tests.catalogue import agencies
from tests.postgres import Postgres
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, huizhou, moved, of

CAUSE = Cause(kind=NoticeKind.DEADLINE, agency="health", division=CITY, since=NOW, due=NOW.date())
VERSIONS = Path("compliance/register/migrations")
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory(str(VERSIONS.absolute())).walk_revisions()))]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        made, drop = open_engine(f"sqlite:///{tmp_path / 'r.db'}"), None
    else:
        server: Postgres = request.getfixturevalue("postgres")
        drop = (server, server.fresh())
        made = open_engine(drop[1])
    try:
        yield made
    finally:
        made.dispose()
        if drop is not None:
            drop[0].drop(drop[1])


def write_old_rows(engine: sa.Engine) -> None:
    """A matter with step, clock and fact, and a notice with its message, in whatever tables there are."""
    found = sa.MetaData()
    found.reflect(engine)
    at = NOW if engine.dialect.name == "postgresql" else NOW.replace(tzinfo=None)
    day, model = NOW.date(), agencies()[0]
    rows: dict[str, dict[str, Any]] = {
        "matter": {"number": "CPL-2026-00001", "workflow": "complaint", "state": "AT_AUTHORITY", "seq": 1}
        | {"division": CITY, "unit": "health", "opened_at": at, "facts": {"file": {}}, "flags": []},
        "step": {"matter": "CPL-2026-00001", "seq": 1, "action": "file", "source": "", "target": "AT_AUTHORITY"}
        | {"account": "a", "role": "LEADER", "at": at, "article": "58", "form": {}, "flags": []},
        "clock": {"matter": "CPL-2026-00001", "rule": "complaint_answer", "profile": "huizhou-2016"}
        | {"article": "58", "owes": "AUTHORITY_CITY", "division": CITY, "started": at, "counts_from": day}
        | {"nominal": day, "due": day, "provisional": False, "advisory": False, "state": "RUNNING"},
        "clock_change": {"clock": 1, "what": "STARTED", "at": at, "due": day} | {"provisional": False, "account": "a"},
        "fact": {"kind": "agency", "key": model.key, "version": 1, "at": at, "account": "a"}
        | {"role": "OPERATOR_CITY", "body": model.model_dump(mode="json", by_alias=True)},
        "outbox": {"fact": 1},
        "notice": {"id": str(UUID(int=1)), "cause": str(CAUSE.id), "kind": "DEADLINE", "level": "HANDLER"}
        | {"role": "SHARING_OFFICER", "agency": "health", "body": CAUSE.model_dump(mode="json", exclude_none=True)}
        | {"at": at, "send_at": at, "ways": "MAIL"},
        "intake_position": {"topic": "alarm", "partition": 0, "next": 7},
        "message": {"notice": 1, "way": "MAIL", "at": at, "problem": "TIMEOUT"},
    }
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for name, row in rows.items():
            if name in found.tables:
                connection.execute(sa.insert(found.tables[name]), row)


def test_the_migrations_leave_the_tables_that_the_program_knows(engine: sa.Engine) -> None:
    assert not is_migrated(engine)
    migrate(engine)
    assert is_migrated(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_migrating_again_changes_nothing(engine: sa.Engine) -> None:
    migrate(engine)
    register = Register(engine, huizhou(), WorkCalendar.packaged())
    register.put([agencies()[0]], OPERATOR, NOW)
    migrate(engine)
    assert register.view().agencies() == agencies()[:1]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_register_of_every_earlier_revision_goes_on_with_what_it_held(engine: sa.Engine, revision: str) -> None:
    migrate(engine, revision)
    write_old_rows(engine)
    migrate(engine)
    assert is_migrated(engine)
    register = Register(engine, huizhou(), WorkCalendar.packaged())
    assert register.view().agencies() == agencies()[:1]
    number = "CPL-2026-00001"
    assert [step.action for step in register.history(number)] == ["file"]
    assert [clock.due for clock in register.clocks()] == [NOW.date()]
    book = NoticeBook(register)
    waiting = [(one.notice.cause, one.way, one.attempts) for one in book.waiting(NOW + timedelta(minutes=1))]
    assert waiting == ([] if revision == "0001" else [(CAUSE, Way.MAIL, 1)])
    assert [one.cause.kind for one in book.tell([CAUSE], NOW)] == ([CAUSE.kind] if revision == "0001" else [])
    form = {"document": "1", "finding": "x"}
    assert moved(register.act(number, "answer_at_authority", form, AUTHORITY, NOW), "ANSWERED").matter.seq == 2
    assert register.clocks() == ()


def test_a_database_of_a_newer_program_is_refused_in_words(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert not is_migrated(engine)
    with pytest.raises(UsageError, match="made by a newer version"):
        migrate(engine)


@pytest.mark.parametrize("url", ["mysql://h/d", "no url", "oracle://h/d"])
def test_another_kind_of_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(UsageError, match="the register"):
        open_engine(url)


def test_a_naive_instant_is_refused(engine: sa.Engine) -> None:
    migrate(engine)
    register = Register(engine, huizhou(), WorkCalendar.packaged())
    with pytest.raises(sa.exc.StatementError, match="without its time zone"):
        register.open(
            "complaint",
            "file",
            {"about": "hr", "division": CITY, "statement": "x"},
            of("health"),
            NOW.replace(tzinfo=None),
        )
