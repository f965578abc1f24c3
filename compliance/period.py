"""A period that figures are of: a year, a quarter or a month, in days of Asia/Shanghai."""

import calendar
import re
from dataclasses import dataclass
from datetime import date

from schemas.errors import UsageError

_FORM = re.compile(r"(?P<year>[0-9]{4})(Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?", re.ASCII)
_QUARTER = 3


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included, and how it is written."""

    name: str
    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.first <= day <= self.last


def period(name: str) -> Period:
    """The period of that name: 2026, 2026Q3 or 2026-09.

    Raises:
        UsageError: it is none of these.
    """
    found = _FORM.fullmatch(name)
    if found is None or int(found["year"]) == 0:
        raise UsageError("a period is a year, a quarter or a month, as 2026, 2026Q3 or 2026-09")
    year, first, last = int(found["year"]), 1, 12
    if found["quarter"]:
        last = int(found["quarter"]) * _QUARTER
        first = last - _QUARTER + 1
    elif found["month"]:
        first = last = int(found["month"])
    return Period(name, date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1]))
