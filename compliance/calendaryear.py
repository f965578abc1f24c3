"""A year of working days as data: what the State Council's notice says, what a city suspends, what moves by the moon.

The General Office of the State Council names each year, mostly in November, the rest days of the next one and the
weekend days that are worked in exchange (make-up workdays 调休). A year file holds that notice, in the notice's form.
"""

from datetime import date, timedelta
from functools import cached_property
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from compliance.entry import Model
from compliance.modelfile import read_model, text_of
from compliance.values import Day, DivisionCode, Text, distinct, ordered

FOLDER = "calendar"
SATURDAY = 5
ONE_DAY = timedelta(days=1)
# Longer than any rest that a notice ever named; a slip of the month is an error, not a month of rest.
_LONGEST_REST = 15
_LONGEST_SUSPENSION = 366
# 全国年节及纪念日放假办法, in force 2025-01-01 (State Council Order 795), Art 2: the days that do not move.
_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
# Those of them that every notice since 2016 names.
_ALWAYS_NAMED = ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3))


def _of_the_gregorian_age(year: int) -> int:
    if not 1950 <= year <= 2200:  # noqa: PLR2004  the bounds are the rule
        raise ValueError("is not a year from 1950 to 2200")
    return year


Year = Annotated[int, AfterValidator(_of_the_gregorian_age)]


class Notice(Model):
    """The notice that a year's days come from; `number` and `published_at` (the day it bears) where they are known."""

    title: Text
    number: Text | None = None
    published_at: Day | None = None


class RestPeriod(Model):
    """Days of rest in one piece, weekends within them included, as the notice names them; `last` belongs to them."""

    name: Text
    first: Day
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ordered("first", self.first, "last", self.last)
        if (self.last - self.first).days >= _LONGEST_REST:
            raise ValueError(f"lasts longer than {_LONGEST_REST} days")
        return self

    @property
    def days(self) -> tuple[date, ...]:
        """Each day of it."""
        return tuple(self.first + ONE_DAY * n for n in range((self.last - self.first).days + 1))


def _in_year(day: date, info: ValidationInfo) -> None:
    year = info.data.get("year")
    if year is not None and not date(year - 1, 12, 1) <= day <= date(year, 12, 31):
        raise ValueError(f"{day} lies neither in {year} nor in the December before it")


def _period(period: RestPeriod, info: ValidationInfo) -> RestPeriod:
    _in_year(period.first, info)
    _in_year(period.last, info)
    return period


def _makeup(day: date, info: ValidationInfo) -> date:
    _in_year(day, info)
    if day.weekday() < SATURDAY:
        raise ValueError(f"{day} is no Saturday or Sunday, so it cannot be a make-up workday")
    if any(period.first <= day <= period.last for period in info.data.get("rest_days", ())):
        raise ValueError(f"{day} is a day of rest already")
    return day


class CalendarYear(Model):
    """What the notice for a year says.

    Its days lie in that year or in December before it: a New Year's rest may begin there (2018-12-30).
    """

    year: Year
    notices: tuple[Notice, ...] = Field(min_length=1)
    rest_days: tuple[Annotated[RestPeriod, AfterValidator(_period)], ...] = Field(min_length=1)
    makeup_workdays: tuple[Annotated[Day, AfterValidator(_makeup)], ...] = ()

    @field_validator("rest_days")
    @classmethod
    def _whole(cls, periods: tuple[RestPeriod, ...], info: ValidationInfo) -> tuple[RestPeriod, ...]:
        rest = [day for period in periods for day in period.days]
        distinct("rest_days", rest)
        for month, number in _ALWAYS_NAMED if "year" in info.data else ():
            day = date(info.data["year"], month, number)
            if day not in rest:
                raise ValueError(f"the statutory holiday {day} is not named")
        return periods

    @field_validator("makeup_workdays")
    @classmethod
    def _once(cls, days: tuple[date, ...]) -> tuple[date, ...]:
        distinct("makeup_workdays", days)
        return days

    @cached_property
    def marked(self) -> dict[date, bool]:
        """The days that the notice names, and whether each is worked."""
        found = dict.fromkeys((day for period in self.rest_days for day in period.days), False)
        return found | dict.fromkeys(self.makeup_workdays, True)


class Suspension(Model):
    """Work suspended 停工 by a local government, as in a typhoon: these days are not counted.

    `division` None binds everybody; else it binds who belongs to a division under that code. *(assumption: the
    regulation does not know suspensions; days on which no office works are counted as rest days)*
    """

    first: Day
    last: Day
    division: DivisionCode | None = None
    reason: Text

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ordered("first", self.first, "last", self.last)
        if (self.last - self.first).days >= _LONGEST_SUSPENSION:
            raise ValueError(f"lasts longer than {_LONGEST_SUSPENSION} days")
        return self


class MovableHolidays(Model):
    """The statutory holidays of a year that move."""

    year: Year
    spring_festival: Day
    qingming: Day
    dragon_boat: Day
    mid_autumn: Day


class MovableTable(Model):
    """The file of movable holidays."""

    years: tuple[MovableHolidays, ...]


def statutory_holidays(year: int, movable: MovableHolidays | None) -> frozenset[date]:
    """The 13 statutory holidays of a year, without days off in lieu, which only a notice can place.

    Where the movable ones are not known they are left out; the caller calls such a year provisional in either case.
    """
    fixed = {date(year, month, day) for month, day in _FIXED}
    if movable is None:
        return frozenset(fixed)
    eve = movable.spring_festival - ONE_DAY
    return frozenset(
        fixed | {eve + ONE_DAY * n for n in range(4)} | {movable.qingming, movable.dragon_boat, movable.mid_autumn}
    )


def read_calendar_year(path: FilePath) -> CalendarYear:
    """Read a year file.

    Raises:
        RegisterFileError: listing every error as `file:line:column: where: what`.
    """
    return read_model(text_of(path, path.name), path.name, CalendarYear)


def packaged_years() -> tuple[CalendarYear, ...]:
    """The years whose notice is packaged."""
    folder = files("compliance") / FOLDER
    names = sorted(item.name for item in folder.iterdir() if item.name.removesuffix(".yaml").isdecimal())
    return tuple(read_model((folder / name).read_text(encoding="utf-8"), name, CalendarYear) for name in names)


def packaged_movable() -> tuple[MovableHolidays, ...]:
    """The movable holidays of the years to come."""
    name = "movable.yaml"
    return read_model((files("compliance") / FOLDER / name).read_text(encoding="utf-8"), name, MovableTable).years
