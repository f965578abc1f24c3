"""A clock of the law as data: who owes what, how long, from when, by which article; and what a county sets instead.

A profile is the table of clocks of one legal text. What the text leaves open ("及时", in time; "定期", regularly) is a
`configured` target with a stated default; what is read into the text is an `assumption`.
"""

import re
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from compliance.entry import Model
from compliance.modelfile import read_model, text_of
from compliance.values import Day, Text, distinct
from schemas.errors import UsageError

FOLDER = "law"
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EVERY_MONTH_HAS = 28
_COUNTY = re.compile(r"[0-9]{4}(?!00)[0-9]{2}", re.ASCII)


class Role(StrEnum):
    """Who owes what a clock measures."""

    PROVIDER = "PROVIDER"
    REQUESTER = "REQUESTER"
    OWNER = "OWNER"
    UNIT = "UNIT"
    OPERATOR = "OPERATOR"
    AUTHORITY = "AUTHORITY"
    GOVERNMENT = "GOVERNMENT"
    SUPERVISION = "SUPERVISION"
    BOARD = "BOARD"


class Unit(StrEnum):
    """How a clock is counted.

    WORKING_DAYS and CALENDAR_DAYS after the day it starts; CALENDAR_DATE: the next such date; QUARTER_DAY: that day of
    the first month of the next quarter; SECONDS; YEARS: the corresponding day; CALENDAR_YEAR_FOLLOWING: to the end of
    a year that follows.
    """

    WORKING_DAYS = "WORKING_DAYS"
    CALENDAR_DATE = "CALENDAR_DATE"
    QUARTER_DAY = "QUARTER_DAY"
    SECONDS = "SECONDS"
    YEARS = "YEARS"
    CALENDAR_DAYS = "CALENDAR_DAYS"
    CALENDAR_YEAR_FOLLOWING = "CALENDAR_YEAR_FOLLOWING"


# Article 60 lets a county set other procedures; how long the text is valid and what a sanction is are none.
COUNTY_SETS = frozenset({Unit.WORKING_DAYS, Unit.CALENDAR_DAYS, Unit.QUARTER_DAY, Unit.SECONDS})
_MAY_ROLL = frozenset({Unit.CALENDAR_DATE, Unit.QUARTER_DAY, Unit.CALENDAR_DAYS})


class Level(StrEnum):
    """The rank of a legal text."""

    ADMINISTRATIVE_REGULATION = "ADMINISTRATIVE_REGULATION"
    MUNICIPAL_RULE = "MUNICIPAL_RULE"


def _county(code: str) -> str:
    if not _COUNTY.fullmatch(code):
        raise ValueError("is not the code of a county: six digits that do not end with 00 (GB/T 2260)")
    return code


ClockId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{2,39}$")]
ClockNumber = Annotated[str, StringConstraints(pattern=r"^D[1-9][0-9]?$")]
Articles = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]?(, [1-9][0-9]?)*$")]
ProfileId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,39}$")]
CountyCode = Annotated[str, AfterValidator(_county)]


class ClockRule(Model):
    """One clock.

    Attributes:
        id: its name in programs.
        number: its number in the list of deadlines, D1 to D15.
        article: of the profile's text, or of `law_zh` where that is given; several with comma and space.
        starts_zh: what starts it; `starts_en` likewise.
        owner: who owes what it measures.
        amount: how many units; for QUARTER_DAY the day of the month; CALENDAR_DATE has `month` and `day` instead.
        before: counted back from the day it is given (warnings before an end).
        at_least: a time to keep something, of which the longer is the stricter.
        extends: the clock that it lengthens, with consent.
        roll_rest_day: whether a last day that is a day of rest moves to the next working day (民法典 Art 203).
        after_zh: what follows when it runs out; `after_en` likewise.
        assumption: number or consequence are read into the text, and do not stand there.
        configured: the text has no number; this is a target that an operator may set.
    """

    id: ClockId
    number: ClockNumber | None = None
    law_zh: Text | None = None
    law_en: Text | None = None
    article: Articles
    title_zh: Text
    title_en: Text
    starts_zh: Text
    starts_en: Text
    owner: Role
    unit: Unit
    amount: int | None = Field(default=None, ge=1, le=100_000)
    month: int | None = Field(default=None, ge=1, le=12)
    day: int | None = Field(default=None, ge=1, le=31)
    before: bool = False
    at_least: bool = False
    extends: ClockId | None = None
    roll_rest_day: bool = False
    after_zh: Text
    after_en: Text
    assumption: bool = False
    configured: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.law_zh is None) != (self.law_en is None):
            raise ValueError("law_zh and law_en belong together: name both or neither")
        if self.unit is Unit.CALENDAR_DATE:
            if self.amount is not None or self.month is None or self.day is None:
                raise ValueError("CALENDAR_DATE wants month and day, and no amount")
            if self.day > _LAST_DAY[self.month - 1]:
                raise ValueError(f"month {self.month} has no day {self.day}")
            if (self.month, self.day) == (2, 29):
                raise ValueError("29 February does not come every year")
        elif self.amount is None or self.month is not None or self.day is not None:
            raise ValueError(f"{self.unit} wants an amount, and neither month nor day")
        if self.unit is Unit.QUARTER_DAY and self.amount is not None and self.amount > _EVERY_MONTH_HAS:
            raise ValueError(f"QUARTER_DAY is a day from 1 to {_EVERY_MONTH_HAS}")
        if self.before and self.unit is not Unit.CALENDAR_DAYS:
            raise ValueError("only CALENDAR_DAYS can be counted back")
        if self.roll_rest_day and (self.unit not in _MAY_ROLL or self.before):
            raise ValueError(f"a last day counted in {self.unit} is not moved from a day of rest")
        return self


class Profile(Model):
    """The clocks of one legal text."""

    id: ProfileId
    title_zh: Text
    title_en: Text
    level: Level
    effective_date: Day | None = None
    clocks: tuple[ClockRule, ...] = Field(min_length=1)

    @field_validator("clocks")
    @classmethod
    def _named_once(cls, clocks: tuple[ClockRule, ...]) -> tuple[ClockRule, ...]:
        distinct("clocks", (clock.id for clock in clocks))
        distinct("the numbers of the clocks", (clock.number for clock in clocks if clock.number is not None))
        for clock in clocks:
            if clock.extends is not None and clock.extends not in {other.id for other in clocks}:
                raise ValueError(f"{clock.id} extends {clock.extends}, which is not there")
        return clocks


class CountyOverride(Model):
    """What a county government set for its own bodies instead of the municipal rule's number (Art 60)."""

    division: CountyCode
    clock: ClockId
    amount: int = Field(ge=1, le=100_000)
    basis: Text | None = None


def packaged_profiles() -> tuple[str, ...]:
    """The ids of the packaged profiles."""
    names = (item.name for item in (files("compliance") / FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def packaged_profile(profile_id: str) -> Profile:
    """A packaged profile.

    Raises:
        UsageError: there is none of that id.
    """
    if profile_id not in packaged_profiles():
        raise UsageError(f"no packaged profile {profile_id}; there are: {', '.join(packaged_profiles())}")
    name = f"{profile_id}.yaml"
    return read_model((files("compliance") / FOLDER / name).read_text(encoding="utf-8"), name, Profile)


def read_profile(path: FilePath) -> Profile:
    """Read a profile file.

    Raises:
        RegisterFileError: listing every error as `file:line:column: where: what`.
    """
    return read_model(text_of(path, path.name), path.name, Profile)
