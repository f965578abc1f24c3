"""What was told to whom, when and by which way: kept beside the register, so that a restart tells nothing twice.

A notice stands as a message in the register from the moment it is decided. By other ways it leaves when its hour has
come; what does not leave is tried again after waits that grow. An attempt is noted when it is over: one that a kill cut
off is made again, under the same id, by which whoever receives it knows a repeat.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from compliance.annual import to_remind
from compliance.catalogue import local_date
from compliance.models import ContactRole
from compliance.notice_causes import NEAR, annual_causes, calendar_causes, clock_causes, law_causes, vacancy_causes
from compliance.notice_kinds import NoticeKind, NoticeLevel, SendProblem, Way
from compliance.notices import WORKING_HOURS, Cause, Hours, Notice, Recipient, to_tell, withdrawal
from compliance.register.service import Register
from compliance.register.tables import MESSAGE, NOTICE
from compliance.roles import Role

REGISTER_KINDS = frozenset(
    {
        NoticeKind.DEADLINE,
        NoticeKind.VACANCY,
        NoticeKind.ANNUAL_REPORT,
        NoticeKind.CALENDAR_MISSING,
        NoticeKind.LAW_EXPIRES,
    }
)
"""What the register itself knows to be so or not."""
ALARM_KINDS = frozenset(NoticeKind) - REGISTER_KINDS
"""What the `alarm` topic says."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=4)
_DOUBLINGS = 8
_CHUNK = 500
T = TypeVar("T")
_New = tuple[Notice, int | None]
_TAKEN_BACK = NOTICE.alias("taken_back")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that is to leave by one way now; `attempts` failed before."""

    notice: Notice
    way: Way
    attempts: int


@dataclass(frozen=True, slots=True)
class Told:
    """A message in the register.

    Attributes:
        withdrawn: whether it was taken back since.
        sent: by which ways it left, and when.
    """

    notice: Notice
    withdrawn: bool
    sent: tuple[tuple[Way, datetime], ...] = ()


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: a minute, doubled with each, four hours at the most."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, _DOUBLINGS)), LONGEST_WAIT)


def register_causes(register: Register, at: datetime) -> tuple[Cause, ...]:
    """All that stands of `REGISTER_KINDS` at an instant."""
    today = local_date(at)
    law, calendar = register.law, register.calendar
    clocks = register.clocks(due_before=today + NEAR + timedelta(days=1))
    reminded = to_remind(register, today.year, at)
    return (
        *clock_causes(clocks, at),
        *vacancy_causes(register.view()),
        *annual_causes(reminded, today.year, law, calendar, at),
        *calendar_causes(calendar, at),
        *law_causes(law, at),
    )


class NoticeBook:
    """The notices of a register.

    Args:
        register: whose persons on file, calendar and database it takes.
        ways: by which notices leave that are decided from now on, beside the register.
        hours: working time.
    """

    def __init__(self, register: Register, ways: Iterable[Way] = (), hours: Hours = WORKING_HOURS) -> None:
        self._register = register
        self._ways = tuple(ways)
        self._hours = hours

    # -- deciding -----------------------------------------------------------------------------------------------

    def tell(self, causes: Iterable[Cause], at: datetime) -> tuple[Notice, ...]:
        """Take down what is to be told of causes that stand; what was told is not told again."""
        with self._register.engine.connect() as connection:
            found = self._to_tell(connection, causes, at)
        return self._take_down(found)

    def clear(self, causes: Collection[UUID], at: datetime) -> tuple[Notice, ...]:
        """Take back what was told of causes that are no more; returns the withdrawals."""
        with self._register.engine.connect() as connection:
            rows = [
                row
                for names in _chunks(sorted(map(str, causes)))
                for row in self._open(connection, NOTICE.c.cause.in_(names))
            ]
        return self._take_down(self._to_withdraw(rows, at))

    def settle(self, at: datetime) -> tuple[Notice, ...]:
        """Hold what was told against what stands in the register: tell what is new, take back what is no more.

        Nobody's decision waits for that; what was decided meanwhile is seen by the next look.
        """
        return self.hold(REGISTER_KINDS, register_causes(self._register, at), at)

    def hold(self, kinds: Collection[NoticeKind], causes: Sequence[Cause], at: datetime) -> tuple[Notice, ...]:
        """Hold what was told of some kinds against all causes of these kinds that are to be told by now."""
        standing = {str(cause.id) for cause in causes}
        with self._register.engine.connect() as connection:
            told = self._open(connection, NOTICE.c.kind.in_(sorted(kind.value for kind in kinds)))
            gone = [row for row in told if row["cause"] not in standing]
            found = self._to_tell(connection, causes, at)
        return self._take_down([*self._to_withdraw(gone, at), *found])

    # -- sending ------------------------------------------------------------------------------------------------

    def waiting(self, at: datetime, ways: Iterable[Way] = Way, *, also_later: bool = False) -> tuple[Waiting, ...]:
        """What is to leave now, oldest first; on demand also what is tried again later.

        A notice that was taken back before it left does not leave, and its withdrawal leaves by those ways alone by
        which it had left.
        """
        found = []
        with self._register.engine.connect() as connection:
            for way in ways:
                for row in connection.execute(_unsent(way, at)).mappings():
                    tried = row["attempts"] and not also_later
                    if tried and row["last"] + wait_after(row["attempts"]) > at:
                        continue
                    found.append((row["seq"], Waiting(_notice_of(row), way, row["attempts"])))
        return tuple(one for _, one in sorted(found, key=lambda each: each[0]))

    def note(self, attempt: Waiting, at: datetime, problem: SendProblem | None = None) -> None:
        """Note how an attempt ended; without a problem it was sent."""
        of = sa.select(NOTICE.c.seq).where(NOTICE.c.id == str(attempt.notice.id)).scalar_subquery()
        values = {"way": attempt.way.value, "at": at, "problem": None if problem is None else problem.value}
        engine = self._register.engine
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(sa.insert(MESSAGE).values(notice=of, **values))

    # -- looking ------------------------------------------------------------------------------------------------

    def listed(
        self, *, agency: str | None = None, standing: bool = False, limit: int | None = None
    ) -> tuple[Told, ...]:
        """The messages in the register, newest first.

        Args:
            agency: to roles of this agency alone.
            standing: only what was not taken back, and no withdrawals.
            limit: so many at the most.
        """
        query = _select().order_by(NOTICE.c.seq.desc()).limit(limit)
        if agency is not None:
            query = query.where(NOTICE.c.agency == agency)
        if standing:
            query = query.where(NOTICE.c.withdraws.is_(None), _TAKEN_BACK.c.seq.is_(None))
        with self._register.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
            sent: dict[int, list[tuple[Way, datetime]]] = {row["seq"]: [] for row in rows}
            for numbers in _chunks(list(sent)):
                left = sa.select(MESSAGE.c.notice, MESSAGE.c.way, MESSAGE.c.at).where(
                    MESSAGE.c.problem.is_(None), MESSAGE.c.notice.in_(numbers)
                )
                for notice, way, at in connection.execute(left.order_by(MESSAGE.c.id)):
                    sent[notice].append((Way(way), at))
        return tuple(Told(_notice_of(row), row["back"] is not None, tuple(sent[row["seq"]])) for row in rows)

    # -- within -------------------------------------------------------------------------------------------------

    def _to_tell(self, connection: sa.Connection, causes: Iterable[Cause], at: datetime) -> list[_New]:
        known = {str(cause.id): cause for cause in causes}
        told: dict[UUID, set[NoticeLevel]] = {}
        for names in _chunks(list(known)):
            query = sa.select(NOTICE.c.cause, NOTICE.c.level).where(NOTICE.c.cause.in_(names))
            for cause, level in connection.execute(query):
                told.setdefault(UUID(cause), set()).add(NoticeLevel(level))
        register = self._register
        found = to_tell(known.values(), told, register.view(), register.calendar, at, self._hours)
        return [(notice, None) for notice in found]

    def _to_withdraw(self, rows: Iterable[sa.RowMapping], at: datetime) -> list[_New]:
        calendar = self._register.calendar
        return [(withdrawal(_notice_of(row), calendar, at, self._hours), row["seq"]) for row in rows]

    def _take_down(self, found: Sequence[_New]) -> tuple[Notice, ...]:
        """Add notices, some at a time, so that no decision waits long; one that somebody else added stays as it is."""
        engine = self._register.engine
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        for some in _chunks(found):
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                rows = [self._row(notice, withdraws) for notice, withdraws in some]
                connection.execute(insert(NOTICE).on_conflict_do_nothing(), rows)
        return tuple(notice for notice, _ in found)

    def _open(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> Sequence[sa.RowMapping]:
        query = _select().where(which, NOTICE.c.withdraws.is_(None), _TAKEN_BACK.c.seq.is_(None))
        return connection.execute(query.order_by(NOTICE.c.seq)).mappings().all()

    def _row(self, notice: Notice, withdraws: int | None) -> dict[str, Any]:
        return {
            "id": str(notice.id),
            "cause": str(notice.cause.id),
            "kind": notice.cause.kind.value,
            "level": notice.level.value,
            "role": notice.to.role.value,
            "agency": notice.to.agency,
            "division": notice.to.division,
            "instead_of": None if notice.to.instead_of is None else notice.to.instead_of.value,
            "body": notice.cause.model_dump(mode="json", exclude_none=True),
            "at": notice.decided_at,
            "send_at": notice.send_at,
            "ways": ",".join(self._ways),
            "withdraws": withdraws,
        }


def _select() -> sa.Select[Any]:
    """Notices, each with `back`: the number of what takes it back; `original`: the id of what it takes back."""
    original = NOTICE.alias("original")
    of = sa.select(original.c.id).where(original.c.seq == NOTICE.c.withdraws).scalar_subquery()
    return sa.select(NOTICE, _TAKEN_BACK.c.seq.label("back"), of.label("original")).outerjoin(
        _TAKEN_BACK, _TAKEN_BACK.c.withdraws == NOTICE.c.seq
    )


def _unsent(way: Way, at: datetime) -> sa.Select[Any]:
    of_way = sa.and_(MESSAGE.c.notice == NOTICE.c.seq, MESSAGE.c.way == way.value)
    attempts = sa.select(sa.func.count()).where(of_way).scalar_subquery().label("attempts")
    last = sa.select(MESSAGE.c.at).where(of_way).order_by(MESSAGE.c.id.desc()).limit(1).scalar_subquery().label("last")
    sent = sa.exists().where(of_way, MESSAGE.c.problem.is_(None))
    left_before = sa.exists().where(
        MESSAGE.c.notice == NOTICE.c.withdraws, MESSAGE.c.way == way.value, MESSAGE.c.problem.is_(None)
    )
    first = sa.and_(NOTICE.c.withdraws.is_(None), _TAKEN_BACK.c.seq.is_(None), NOTICE.c.ways.contains(way.value))
    return _select().add_columns(attempts, last).where(NOTICE.c.send_at <= at, ~sent, sa.or_(first, left_before))


def _notice_of(row: sa.RowMapping) -> Notice:
    role = ContactRole(row["role"]) if row["agency"] is not None else Role(row["role"])
    instead_of = None if row["instead_of"] is None else ContactRole(row["instead_of"])
    return Notice(
        UUID(row["id"]),
        Cause.model_validate(row["body"]),
        NoticeLevel(row["level"]),
        Recipient(role, row["agency"], row["division"], instead_of),
        row["at"],
        row["send_at"],
        None if row["original"] is None else UUID(row["original"]),
    )


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """SQLite takes no more than so many values in one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
