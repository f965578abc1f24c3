"""Working days: which days count, the nth from a day, and what a date becomes when it falls on a day of rest.

Counting (民法典 Art 200 to 204): the day on which a clock starts is not counted, days are those of Asia/Shanghai, and
the last one ends at 24:00. Days of rest are weekends and the State Council's holidays without the make-up workdays.

A year whose notice is not loaded is *provisional*: its weekends and statutory holidays are known, its make-up
workdays and days off in lieu are not. A due date that could still move says so, and is computed again when the notice
is loaded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import MappingProxyType

from compliance.calendaryear import (
    ONE_DAY,
    SATURDAY,
    CalendarYear,
    MovableHolidays,
    Notice,
    RestPeriod,
    Suspension,
    packaged_movable,
    packaged_years,
    read_calendar_year,
    statutory_holidays,
)
from compliance.catalogue import SHANGHAI, end_of
from compliance.divisions import DivisionSet
from schemas.errors import UsageError

DECEMBER = 12
# The notices for 2006, 2008 and 2019 moved days from the 29th of the December before.
_OPEN_FROM = 29
_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Due:
    """The day by whose end something must be done.

    Attributes:
        day: the last day, in Asia/Shanghai; it ends at 24:00.
        nominal: the day that was counted or named before a day of rest moved it.
        provisional: whether a notice that is not loaded yet could still move it.
    """

    day: date
    nominal: date
    provisional: bool

    @property
    def ends_at(self) -> datetime:
        """24:00 of the day, in UTC: the first instant that is too late."""
        return end_of(self.day)


def day_of(moment: date | datetime) -> date:
    """The day in Asia/Shanghai of an aware instant; a date is one already.

    Raises:
        UsageError: the instant has no time zone, or lies outside the calendar.
    """
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise UsageError("an instant without time zone has no day in Asia/Shanghai")
    try:
        return moment.astimezone(SHANGHAI).date()
    except OverflowError:
        raise UsageError("the instant lies outside the years 1 to 9999") from None


class WorkCalendar:
    """The working days, as far as they are known. Immutable: `with_…` answer new calendars.

    Args:
        years: at most one for each year.
        suspensions: days on which local offices do not work.
        movable: statutory holidays that move, for years without a notice.
    """

    __slots__ = ("_local", "_marked", "_movable", "_suspensions", "_years")

    def __init__(
        self,
        years: Iterable[CalendarYear] = (),
        suspensions: Iterable[Suspension] = (),
        movable: Iterable[MovableHolidays] = (),
    ) -> None:
        self._years = {year.year: year for year in sorted(years, key=lambda year: year.year)}
        self._suspensions = tuple(suspensions)
        self._movable = {entry.year: entry for entry in movable}
        # A later year's notice has the last word on the December before it.
        self._marked = {day: worked for year in self._years.values() for day, worked in year.marked.items()}
        self._local = tuple(
            (one.first, one.last, None if one.division is None else DivisionSet((one.division,)))
            for one in self._suspensions
        )

    @classmethod
    def packaged(cls) -> "WorkCalendar":
        """The calendar of the packaged notices, 2016 and later."""
        return _packaged()

    @property
    def years(self) -> Mapping[int, CalendarYear]:
        """The years whose notice is loaded."""
        return MappingProxyType(self._years)

    @property
    def suspensions(self) -> tuple[Suspension, ...]:
        """The suspensions that are counted as days of rest."""
        return self._suspensions

    def with_year(self, year: CalendarYear) -> "WorkCalendar":
        """With a year's notice, which replaces what was known of that year."""
        kept = [known for known in self._years.values() if known.year != year.year]
        return WorkCalendar((*kept, year), self._suspensions, self._movable.values())

    def with_suspensions(self, suspensions: Iterable[Suspension]) -> "WorkCalendar":
        """With these suspensions beside those that it has."""
        return WorkCalendar(self._years.values(), (*self._suspensions, *suspensions), self._movable.values())

    def is_provisional(self, year: int) -> bool:
        """Whether the notice for a year is not loaded."""
        return year not in self._years

    def may_change(self, day: date | datetime) -> bool:
        """Whether a notice that is not loaded could make a day of rest of a working day, or the other way round.

        That is every day of a provisional year, and 29 to 31 December before one.
        """
        on = day_of(day)
        next_year_moves_it = on.month == DECEMBER and on.day >= _OPEN_FROM and self.is_provisional(on.year + 1)
        return self.is_provisional(on.year) or next_year_moves_it

    def missing_notice(self, day: date | datetime) -> int | None:
        """The year whose notice ought to be loaded on a day: this one, and from 1 December the next; None if it is."""
        on = day_of(day)
        wanted = (on.year, on.year + 1) if on.month == DECEMBER else (on.year,)
        return next((year for year in wanted if self.is_provisional(year)), None)

    def is_workday(self, day: date | datetime, division: str | None = None) -> bool:
        """Whether offices work on a day.

        Args:
            day: a day, or an aware instant.
            division: where the office is; without one, only suspensions that bind everybody count.

        Raises:
            UsageError: an instant without time zone.
        """
        on = day_of(day)
        for first, last, bound in self._local:
            if first <= on <= last and (bound is None or bound.covers(division)):
                return False
        marked = self._marked.get(on)
        if marked is not None:
            return marked
        if on.weekday() >= SATURDAY:
            return False
        return not self.is_provisional(on.year) or on not in statutory_holidays(on.year, self._movable.get(on.year))

    def nth_workday(self, start: date | datetime, n: int, division: str | None = None) -> Due:
        """The nth working day after the day on which a clock starts, which is not counted itself.

        Raises:
            UsageError: n is less than 1, an instant without time zone, or the day lies ten years away or after 9999.
        """
        if n < 1:
            raise UsageError(f"the {n}th working day after a day does not exist; count from 1")
        day, left, provisional = day_of(start), n, False
        for _ in range(_MOST_DAYS):
            day = _next(day)
            provisional = provisional or self.may_change(day)
            left -= self.is_workday(day, division)
            if not left:
                return Due(day, day, provisional)
        raise UsageError(f"{n} working days take more than ten years")

    def roll_rest_day(self, nominal: date | datetime, division: str | None = None) -> Due:
        """The day itself, or the next working day when it is a day of rest (民法典 Art 203).

        Raises:
            UsageError: an instant without time zone, or no working day follows within ten years.
        """
        first = day = day_of(nominal)
        provisional = self.may_change(day)
        for _ in range(_MOST_DAYS):
            if self.is_workday(day, division):
                return Due(day, first, provisional)
            day = _next(day)
            provisional = provisional or self.may_change(day)
        raise UsageError("no working day follows within ten years")


def _next(day: date) -> date:
    if day == date.max:
        raise UsageError("the day lies after the year 9999")
    return day + ONE_DAY


@cache
def _packaged() -> WorkCalendar:
    return WorkCalendar(packaged_years(), movable=packaged_movable())


__all__ = [
    "CalendarYear",
    "Due",
    "MovableHolidays",
    "Notice",
    "RestPeriod",
    "Suspension",
    "WorkCalendar",
    "day_of",
    "read_calendar_year",
]
