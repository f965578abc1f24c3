"""A register of its own for a test: a migrated database, offices, agencies, and time as an argument.

SQLite databases are copies of one migrated file and share a few engines, PostgreSQL's are made from one migrated template.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Any

import sqlalchemy as sa

from compliance.profiles import Law
from compliance.register.database import open_engine
from compliance.register.decision import Moved
from compliance.register.migrate import migrate
from compliance.register.service import Register
from compliance.roles import Actor, Role
from compliance.workdays import WorkCalendar
from schemas.refusals import RefusalCode, Refused

CITY = "441300"
COUNTY = "441322"
NOW = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
"""A Tuesday, nine in the morning in Huizhou."""
IN_FORCE = NOW.date() - timedelta(days=365)


def huizhou(**changes: Any) -> Law:
    """The municipal profile alone, in force for a year."""
    return Law.packaged("huizhou-2016", effective_date=IN_FORCE, **changes)


def both() -> Law:
    """Both profiles, the municipal one in force for a year."""
    return Law.packaged("huizhou-2016", "state-council-2025", effective_date=IN_FORCE)


@cache
def _migrated() -> Path:
    folder = Path(mkdtemp(prefix="register-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    path = folder / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


def state_with_register(folder: Path) -> Path:
    """A state directory for the `bus` command whose register is migrated and empty."""
    folder.mkdir(mode=0o700)
    copyfile(_migrated(), folder / "register.db")
    return folder


@contextmanager
def sqlite_register(folder: Path, law: Law | None = None) -> Iterator[Register]:
    """A register in an SQLite file of its own."""
    with copied(_migrated(), folder / "register.db") as engine:
        yield register_on(engine, law)


@dataclass
class _Lent:
    """An engine that is lent again and again, with the SQL that it compiled before, each time over another file."""

    path: Path
    engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = open_engine(f"sqlite:///{self.path}")
        sa.event.listen(self.engine, "do_connect", self._connect)
        # It need not survive a crash.
        sa.event.listen(self.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))

    def _connect(self, _dialect: object, _record: object, arguments: list[Any], _named: object) -> None:
        arguments[0] = str(self.path)


_FREE: list[_Lent] = []


@contextmanager
def copied(source: Path, path: Path) -> Iterator[sa.Engine]:
    """An engine over a copy of an SQLite file; until it is given back it is nobody else's."""
    # An example that failed may have left them.
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copyfile(source, path)
    lent = _FREE.pop() if _FREE else _Lent(path)
    lent.path, lent.engine.url = path, sa.make_url(f"sqlite:///{path}")
    try:
        yield lent.engine
    finally:
        lent.engine.dispose()
        _FREE.append(lent)


def register_on(engine: sa.Engine, law: Law | None = None) -> Register:
    """A register over a migrated database."""
    return Register(engine, law or huizhou(), WorkCalendar.packaged())


def of(agency: str, role: Role = Role.SHARING_OFFICER) -> Actor:
    """A person of an agency."""
    return Actor(account=f"{agency}-{role.value.lower()}", role=role, agency=agency)


def office(role: Role, division: str | None = None) -> Actor:
    """An office that is no agency of a matter."""
    return Actor(account=role.value.lower(), role=role, division=division)


OPERATOR = office(Role.OPERATOR_CITY)
AUTHORITY = office(Role.AUTHORITY_CITY)
GOVERNMENT = office(Role.GOVERNMENT_CITY)
SUPERVISION = office(Role.SUPERVISION)
STAFFING = office(Role.STAFFING)


def moved(answer: Moved | Refused, state: str | None = None) -> Moved:
    """What was done; a refusal fails the test with its reason."""
    assert isinstance(answer, Moved), answer.reason_en
    if state is not None:
        assert answer.matter.state == state
    return answer


def refused(answer: Moved | Refused, code: RefusalCode) -> Refused:
    """The refusal, which must be of that code."""
    assert isinstance(answer, Refused), f"{answer.transition.action} led to {answer.matter.state}"
    assert answer.code is code, answer.reason_en
    return answer
