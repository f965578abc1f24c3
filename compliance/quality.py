"""Quality of what an agency supplies, in five dimensions, each figure traceable to the records it came from (Art 10, 51).

A mark is what one record, or one case, says of one dimension on one day. Scores are means of marks; a record that is
marked again counts by its latest mark, so that a mended record mends the score. How the dimensions weigh is
configuration *(assumption: the regulation names what is judged, not how much it counts)*.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import fsum
from statistics import median
from typing import Self

from pydantic import Field, model_validator

from compliance.entry import Model
from compliance.profiles import Law
from compliance.workdays import WorkCalendar, day_of

_CORRECTION_CLOCK = "owner_correction"
_MOST_DAYS = 400


class Dimension(StrEnum):
    """What is judged.

    CONFORMANCE: admitted, not refused. COMPLETENESS: the fields that the catalogue wants are there. TIMELINESS:
    supplied in time. CONSISTENCY: no cross-check hit stands. CORRECTION: cases were corrected within their clock.
    """

    CONFORMANCE = "CONFORMANCE"
    COMPLETENESS = "COMPLETENESS"
    TIMELINESS = "TIMELINESS"
    CONSISTENCY = "CONSISTENCY"
    CORRECTION = "CORRECTION"


@dataclass(frozen=True, slots=True)
class Of:
    """What a mark is about: whose record, of which resource, on which day (Asia/Shanghai), under which id."""

    agency: str
    resource: str
    day: date
    record: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What one record says of one dimension.

    Attributes:
        of: which record; its id is an event id, for CORRECTION a case number.
        value: from 0 to 1.
        why: what took it down, in codes and field names, never a value of the data.
        measure: for TIMELINESS the seconds, for CORRECTION the working days that it took.
    """

    dimension: Dimension
    of: Of
    value: float
    why: str = ""
    measure: float | None = None

    def __post_init__(self) -> None:
        """Demand a share."""
        if not 0 <= self.value <= 1:
            raise ValueError("a mark lies from 0 to 1")


@dataclass(frozen=True, slots=True)
class Score:
    """The mean of marks.

    Attributes:
        value: from 0 to 1.
        records: the ids of all records it came from, sorted.
        below: the marks that took it down, by record.
        measure: the median of what was measured; None where nothing is.
    """

    value: float
    records: tuple[str, ...]
    below: tuple[Mark, ...]
    measure: float | None = None


class Weights(Model):
    """How the dimensions weigh in the total; a dimension without marks does not count."""

    conformance: float = Field(default=1, ge=0)
    completeness: float = Field(default=1, ge=0)
    timeliness: float = Field(default=1, ge=0)
    consistency: float = Field(default=1, ge=0)
    correction: float = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(self.of(dimension) for dimension in Dimension):
            raise ValueError("no dimension has a weight")
        return self

    def of(self, dimension: Dimension) -> float:
        """The weight of one dimension."""
        return float(getattr(self, dimension.value.lower()))


def conformance(of: Of, refused: str | None = None) -> Mark:
    """Whether a change was admitted; `refused` is the refusal's code."""
    return Mark(Dimension.CONFORMANCE, of, float(refused is None), refused or "")


def completeness(of: Of, wanted: Iterable[str], given: Iterable[str]) -> Mark:
    """The share of the wanted fields that are given."""
    fields, there = dict.fromkeys(wanted), frozenset(given)
    missing = [name for name in fields if name not in there]
    value = 1 - len(missing) / len(fields) if fields else 1.0
    return Mark(Dimension.COMPLETENESS, of, value, ", ".join(missing))


def timeliness(of: Of, business_time: datetime, supplied_at: datetime, due_at: datetime) -> Mark:
    """Whether a change was supplied before the first instant that is too late."""
    late = supplied_at >= due_at
    measure = max(0.0, (supplied_at - business_time) / timedelta(seconds=1))
    return Mark(Dimension.TIMELINESS, of, float(not late), "late" if late else "", measure)


def consistency(of: Of, hits: Iterable[str] = ()) -> Mark:
    """Whether a record disagrees with another source; `hits` are the ids of the checks that say so."""
    found = sorted(set(hits))
    return Mark(Dimension.CONSISTENCY, of, float(not found), ", ".join(found))


def correction(
    of: Of,
    notified: date | datetime,
    corrected: date | datetime | None,
    now: date | datetime,
    law: Law,
    calendar: WorkCalendar,
    division: str | None = None,
) -> Mark | None:
    """Whether the owner answered a case within its clock (Art 56); None while the clock still runs.

    Args:
        of: the case.
        notified: when the owner was told.
        corrected: when it corrected or confirmed; None when it has not.
        now: the day that is asked about.
        law: the clocks that bind.
        calendar: the working days.
        division: where the owner is.
    """
    due = law.due(_CORRECTION_CLOCK, notified, calendar, division)
    answered = None if corrected is None else day_of(corrected)
    return kept(of, day_of(notified), due.day, answered, day_of(now), calendar, division)


def kept(
    of: Of, start: date, due: date, end: date | None, today: date, calendar: WorkCalendar, division: str | None = None
) -> Mark | None:
    """Whether a case's clock was kept, whichever it was under; None while it still runs.

    Args:
        of: the case.
        start: the day that is not counted.
        due: the last day, as the clock stands.
        end: when it was answered; None when it was not.
        today: the day that is asked about.
        calendar: the working days.
        division: where the owner is.
    """
    last = today if end is None else end
    if end is None and last <= due:
        return None
    late = last > due
    why = "" if not late else "late" if end is not None else "open"
    return Mark(Dimension.CORRECTION, of, float(not late), why, float(_workdays(start, last, calendar, division)))


def _workdays(start: date, end: date, calendar: WorkCalendar, division: str | None) -> int:
    days = min((end - start).days, _MOST_DAYS)
    return sum(calendar.is_workday(start + timedelta(days=number), division) for number in range(1, days + 1))


def score(marks: Iterable[Mark]) -> Score | None:
    """The mean of marks of one dimension, each record by its latest mark; None without marks."""
    latest: dict[tuple[str, str, str], Mark] = {}
    for mark in marks:
        key = (mark.of.agency, mark.of.resource, mark.of.record)
        known = latest.get(key)
        if known is None or _rank(mark) > _rank(known):
            latest[key] = mark
    if not latest:
        return None
    found = sorted(latest.values(), key=lambda mark: (mark.of.record, mark.of.agency, mark.of.resource))
    measures = [mark.measure for mark in found if mark.measure is not None]
    return Score(
        fsum(mark.value for mark in found) / len(found),
        tuple(mark.of.record for mark in found),
        tuple(mark for mark in found if mark.value < 1),
        median(measures) if measures else None,
    )


def _rank(mark: Mark) -> tuple[date, float, str, float]:
    """The later mark counts; of one day's the worse, so that the order in which marks come does not matter."""
    return mark.of.day, -mark.value, mark.why, mark.measure or 0.0


def scores(marks: Iterable[Mark]) -> dict[tuple[str, str], dict[Dimension, Score]]:
    """By agency and resource, every dimension that has marks."""
    sorted_out: dict[tuple[str, str], dict[Dimension, list[Mark]]] = {}
    for mark in marks:
        sorted_out.setdefault((mark.of.agency, mark.of.resource), {}).setdefault(mark.dimension, []).append(mark)
    return {
        key: {dimension: found for dimension in Dimension if (found := score(by.get(dimension, ()))) is not None}
        for key, by in sorted(sorted_out.items())
    }


def total(by_dimension: Mapping[Dimension, Score], weights: Weights) -> float | None:
    """One figure out of the dimensions that have marks; None when none of them weighs."""
    return weighed({dimension: found.value for dimension, found in by_dimension.items()}, weights)


def weighed(values: Mapping[Dimension, float], weights: Weights) -> float | None:
    """The weighted mean of the dimensions that have a value; None when none of them weighs."""
    weight = fsum(weights.of(dimension) for dimension in values)
    return fsum(weights.of(one) * value for one, value in values.items()) / weight if weight else None


def trend(marks: Iterable[Mark], dimension: Dimension, agency: str, resource: str) -> tuple[tuple[date, Score], ...]:
    """Day by day, the score of that day's marks alone; days without marks are left out."""
    days: dict[date, list[Mark]] = {}
    for mark in marks:
        if mark.dimension is dimension and (mark.of.agency, mark.of.resource) == (agency, resource):
            days.setdefault(mark.of.day, []).append(mark)
    found = ((day, score(those)) for day, those in sorted(days.items()))
    return tuple((day, one) for day, one in found if one is not None)
