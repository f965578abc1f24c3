"""Quality day by day, as the bus summed it, and the figures made of it: scores, their trend, what took them down.

The bus knows what flowed and what stands; how soon owners corrected is the register's (`compliance/corrections.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from compliance.catalogue import local_date
from compliance.figures import Cell, Figures, columns
from compliance.modelfile import read_model, text_of
from compliance.quality import Dimension, Mark, Weights, score, weighed

WHOLE = 1_000_000
_EPOCH = date(1970, 1, 1)
_NAMES = (("agency", "单位", "agency"), ("resource", "信息资源", "resource"))
_SCORES = (
    ("conformance", "符合性", "conformance"),
    ("completeness", "完整性", "completeness"),
    ("timeliness", "及时性", "timeliness"),
    ("consistency", "一致性", "consistency"),
    ("correction", "更正", "correction"),
    ("total", "总分", "total"),
)
_RECORDS = ("records", "依据记录", "records")


@dataclass(frozen=True, slots=True)
class Below:
    """A record that took a score down: its event id, or where its refusal stands, and why."""

    record: str
    why: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class DayScore:
    """One dimension of a day: how many records, the sum of their marks, and the newest of those that took it down."""

    records: int
    value: float
    below: tuple[Below, ...] = ()
    below_total: int = 0


@dataclass(frozen=True, slots=True)
class DayQuality:
    """What the bus summed of an agency's part of a resource that came on one day."""

    agency: str
    resource: str
    day: date
    by: Mapping[Dimension, DayScore] = field(default_factory=dict)

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any]) -> "DayQuality":
        """From the physical datum of `schemas/envelope/quality.avsc`."""
        by = {
            Dimension(one["dimension"]): DayScore(
                one["records"],
                one["value"] / WHOLE,
                tuple(
                    Below(
                        row["record"], row["why"], row["value"] / WHOLE, datetime.fromtimestamp(row["at"] / 1000, UTC)
                    )
                    for row in one["below"]
                ),
                one["below_total"],
            )
            for one in datum["scores"]
        }
        return cls(datum["agency"], datum["resource"], _EPOCH + timedelta(days=datum["day"]), by)

    @property
    def name(self) -> str:
        """What a figure names as the record that it comes from."""
        return f"quality:{self.agency}.{self.resource}.{self.day.isoformat()}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the figures is asked for; None is all.

    Attributes:
        first, last: days, both included.
    """

    agency: str | None = None
    resource: str | None = None
    first: date | None = None
    last: date | None = None

    def takes(self, agency: str, resource: str, day: date) -> bool:
        """Whether something is of the asked part."""
        return (
            self.agency in (None, agency)
            and self.resource in (None, resource)
            and (self.first is None or self.first <= day)
            and (self.last is None or day <= self.last)
        )

    @property
    def facts(self) -> dict[str, str]:
        """What was asked, for the figures' head."""
        named = {"agency": self.agency, "resource": self.resource, "from": self.first, "to": self.last}
        return {name: str(value) for name, value in named.items() if value is not None}


def read_quality_weights(path: Path) -> Weights:
    """The weights of the dimensions from a YAML file, by their names in small letters.

    Raises:
        RegisterFileError: with line and column of what is wrong.
        UsageError: the file cannot be read.
    """
    return read_model(text_of(path, path.name), path.name, Weights)


_Rows = dict[tuple[str, str], tuple[list[DayQuality], list[Mark]]]


def _sorted(days: Iterable[DayQuality], corrections: Iterable[Mark], asked: Asked) -> _Rows:
    found: _Rows = {}
    for one in days:
        if asked.takes(one.agency, one.resource, one.day):
            found.setdefault((one.agency, one.resource), ([], []))[0].append(one)
    for mark in corrections:
        if asked.takes(mark.of.agency, mark.of.resource, mark.of.day):
            found.setdefault((mark.of.agency, mark.of.resource), ([], []))[1].append(mark)
    return dict(sorted(found.items()))


def _values(days: Iterable[DayQuality], corrections: Iterable[Mark]) -> dict[Dimension, float]:
    records: defaultdict[Dimension, int] = defaultdict(int)
    value: defaultdict[Dimension, float] = defaultdict(float)
    for one in days:
        for dimension, found in one.by.items():
            records[dimension] += found.records
            value[dimension] += found.value
    values = {dimension: value[dimension] / number for dimension, number in records.items() if number}
    answered = score(corrections)
    if answered is not None:
        values[Dimension.CORRECTION] = answered.value
    return values


def _cells(days: list[DayQuality], corrections: list[Mark], weights: Weights) -> tuple[Cell, ...]:
    values = _values(days, corrections)
    shown = tuple(_short(values.get(dimension)) for dimension in Dimension)
    named = sorted(one.name for one in days)
    # Of many days the first and the last are named: those between are of the same kind.
    told = named if len(named) <= 2 else [f"{named[0]} .. {named[-1]}"]  # noqa: PLR2004  first and last
    cases = sorted({mark.of.record for mark in corrections})
    return (*shown, _short(weighed(values, weights)), (*told, *cases))


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def quality(
    days: Iterable[DayQuality], corrections: Iterable[Mark], asked: Asked, weights: Weights, at: datetime
) -> Figures:
    """The five figures of each agency and resource, and their weighted mean."""
    rows = [
        (agency, resource, *_cells(those, marks, weights))
        for (agency, resource), (those, marks) in _sorted(days, corrections, asked).items()
    ]
    named = columns(*_NAMES, *_SCORES, _RECORDS)
    return Figures("quality", "数据质量", "quality of data", "10, 51", named, rows, _facts(asked, at))


def quality_trend(
    days: Iterable[DayQuality], corrections: Iterable[Mark], asked: Asked, weights: Weights, at: datetime
) -> Figures:
    """The same day by day, each by what came on it; days on which nothing came are left out."""
    rows: list[tuple[Cell, ...]] = []
    for (agency, resource), (those, marks) in _sorted(days, corrections, asked).items():
        for day in sorted({one.day for one in those} | {mark.of.day for mark in marks}):
            today, answered = [one for one in those if one.day == day], [one for one in marks if one.of.day == day]
            rows.append((agency, resource, day, *_cells(today, answered, weights)))
    named = columns(*_NAMES, ("day", "日期", "day"), *_SCORES, _RECORDS)
    return Figures("quality_trend", "数据质量趋势", "quality day by day", "10, 51", named, rows, _facts(asked, at))


def quality_below(days: Iterable[DayQuality], corrections: Iterable[Mark], asked: Asked, at: datetime) -> Figures:
    """What took the scores down: the newest of each day by event id, cases by number; how many more there are stands last."""
    rows: list[tuple[Cell, ...]] = []
    for (agency, resource), (those, marks) in _sorted(days, corrections, asked).items():
        found = [*_records_below(those), *_cases_below(marks)]
        rows += ((agency, resource, *one) for one in sorted(found, key=lambda one: (one[0], one[1], one[2])))
    named = columns(
        *_NAMES,
        ("day", "日期", "day"),
        ("dimension", "维度", "dimension"),
        ("record", "记录", "record"),
        ("value", "数值", "value"),
        ("why", "原因", "why"),
    )
    return Figures("quality_below", "扣分记录", "what took scores down", "10, 51", named, rows, _facts(asked, at))


_Row = tuple[date, str, str, float | None, str]


def _records_below(days: Iterable[DayQuality]) -> Iterator[_Row]:
    for one in days:
        for dimension, found in one.by.items():
            for row in found.below:
                yield one.day, dimension.value, row.record, _short(row.value), row.why
            more = found.below_total - len(found.below)
            if more > 0:
                yield one.day, dimension.value, "", None, f"另有 {more} 条未列出 ({more} more)"


def _cases_below(marks: Iterable[Mark]) -> Iterator[_Row]:
    answered = score(marks)
    for mark in () if answered is None else answered.below:
        yield mark.of.day, mark.dimension.value, mark.of.record, mark.value, mark.why


def _facts(asked: Asked, at: datetime) -> dict[str, str]:
    return {**asked.facts, "as_of": local_date(at).isoformat()}
