"""The quarterly duty of static information: when it is due, what is overdue, late or contradicted (Art 16).

The bus cannot see a change that nobody reported, so each quarter the source declares up to when everything has been
supplied, or that nothing changed (decisions 28). Without a declaration by the due day the quarter is overdue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from compliance.profiles import Law
from compliance.workdays import Due, WorkCalendar
from processors.freshness.pauses import Stretches, overlap
from processors.freshness.state import KEEP_QUARTERS, NOTHING, Declared, State
from processors.freshness.words import (
    DAY,
    Targets,
    day_start,
    last_day_of,
    number_of_day,
    quarter_of,
    quarter_start,
)

CLOCK = "static_update"


@dataclass(frozen=True, slots=True)
class Quarter:
    """How a source stands with one quarter.

    Attributes:
        due: the last day, moved by days of rest and by outages; `ends_at` its end, the first instant too late.
        covered: whether a declaration covers the quarter.
        overdue_since: None when nothing is overdue.
        late: how many changes were supplied too late; `late_since`, `late_last` the first and the last time.
        contradicted_since: when the broker had the first change after the declaration; None when none did.
    """

    quarter: int
    due: Due
    ends_at: int
    covered: bool = False
    overdue_since: int | None = None
    late: int = 0
    late_since: int = NOTHING
    late_last: int = NOTHING
    contradicted_since: int | None = None


@lru_cache(maxsize=4096)
def plain_due(quarter: int, law: Law, calendar: WorkCalendar, division: str | None) -> Due:
    """The due day of a quarter's changes, as the binding clock has it."""
    return law.due(CLOCK, last_day_of(quarter), calendar, division)


def due_of(quarter: int, stretches: Stretches, at: int, law: Law, calendar: WorkCalendar, division: str | None) -> Due:
    """The due day with the days added on which the clock stood still, until `at` where it still does."""
    due = plain_due(quarter, law, calendar, division)
    if not stretches:
        return due
    start, moved, provisional = quarter_start(quarter + 1), due, due.provisional
    while True:
        paused = overlap(stretches, start, min(_end(moved), at))
        longer = calendar.roll_rest_day(due.day + timedelta(days=-(-paused // DAY)), division)
        if longer.day <= moved.day:
            return Due(moved.day, due.nominal, provisional)
        moved, provisional = longer, provisional or longer.provisional


def quarters(
    state: State, targets: Targets, stretches: Stretches, law: Law, calendar: WorkCalendar, at: int
) -> Iterator[Quarter]:
    """Every quarter that is over and not forgotten, oldest first, as it stands at an instant."""
    first = max(quarter_of(targets.duty_from), quarter_of(at) - KEEP_QUARTERS)
    covered_until = max((one.mark for one in state.declared.values()), default=NOTHING)
    for quarter in range(first, quarter_of(at)):
        due = due_of(quarter, stretches, at, law, calendar, targets.division)
        yield _quarter(state, quarter, due, covered_until, at)


def _quarter(state: State, quarter: int, due: Due, covered_until: int, at: int) -> Quarter:
    ends_at, over_at = _end(due), quarter_start(quarter + 1)
    declared = state.declared.get(quarter)
    covered = covered_until >= over_at - 1 or _says_unchanged(declared, over_at)
    late, late_since, late_last, contradicted = 0, NOTHING, NOTHING, None
    for day, supplied in sorted(state.supplied.get(quarter, {}).items()):
        if day > number_of_day(due.day):
            late += supplied.changes
            late_since = supplied.first if late_since == NOTHING else late_since
            late_last = supplied.last
        if declared is not None and _covers(declared, over_at) and supplied.said_last > declared.declared_at:
            after = supplied.said_first if supplied.said_first > declared.declared_at else supplied.said_last
            contradicted = after if contradicted is None else contradicted
    overdue = None if covered or at < ends_at else ends_at
    return Quarter(quarter, due, ends_at, covered, overdue, late, late_since, late_last, contradicted)


def _covers(declared: Declared, over_at: int) -> bool:
    return declared.mark >= over_at - 1 or _says_unchanged(declared, over_at)


def _says_unchanged(declared: Declared | None, over_at: int) -> bool:
    """Whether it says that nothing changed; a quarter that is not over can still change."""
    return declared is not None and declared.mark == NOTHING and declared.declared_at >= over_at


def _end(due: Due) -> int:
    return day_start(number_of_day(due.day) + 1)


def late_until(quarter: Quarter) -> int:
    """How long a late supply is shown: to the end of the quarter in which it came, the one it is counted in."""
    return quarter_start(quarter_of(quarter.late_last) + 1)
