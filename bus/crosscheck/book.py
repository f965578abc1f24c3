"""The sums of quality in the cross-check worker's own store, in the transaction of the records that they are of.

Sums of what stands are made anew with the store. Those of what happened cannot be: pulses are kept for days, and
compaction takes earlier versions. So they are taken up from `quality`, whose messages say up to where they are folded;
for that all of them that changed go out in one transaction.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from compliance.quality import Dimension
from processors.freshness.words import day_number
from processors.quality.marks import HAPPENED, WHOLE, Cell, Counted
from processors.quality.sums import LISTED, TOOK_S, Place, Sum, Tally, quality_datum, tally_of

KEPT_DAYS = 400
"""Of so many days sums are kept."""
_MANY = 500
_TOOK = [f"took_{number}" for number in range(len(TOOK_S) + 1)]
_SUMS = ("records", "value", "below", *_TOOK)
_CELL = "(agency, resource, day, dimension) = (?, ?, ?, ?)"
_PLACE = "(agency, resource, day) = (?, ?, ?)"
TABLES = f"""
CREATE TABLE marked (token BLOB PRIMARY KEY, marks TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE quality_sum (
  agency TEXT, resource TEXT, day INTEGER, dimension TEXT, {", ".join(f"{name} INTEGER NOT NULL" for name in _SUMS)},
  PRIMARY KEY (agency, resource, day, dimension)
) WITHOUT ROWID;
CREATE INDEX quality_sum_day ON quality_sum (day);
CREATE TABLE quality_below (
  agency TEXT, resource TEXT, day INTEGER, dimension TEXT, at INTEGER, record TEXT, value INTEGER, why TEXT,
  times INTEGER NOT NULL, PRIMARY KEY (agency, resource, day, dimension, at, record, value, why)
) WITHOUT ROWID;
CREATE TABLE quality_due (
  agency TEXT, resource TEXT, day INTEGER, happened INTEGER NOT NULL, PRIMARY KEY (agency, resource, day)
) WITHOUT ROWID;
CREATE TABLE quality_from (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part)) WITHOUT ROWID;
"""
NAMES = ("marked", "quality_sum", "quality_below", "quality_due", "quality_from")
_ADDED = (
    f"INSERT INTO quality_sum VALUES (?, ?, ?, ?, {', '.join('?' * len(_SUMS))}) ON CONFLICT DO UPDATE SET "  # noqa: S608  our own names
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)
)
_NEWEST = f"SELECT at FROM quality_below WHERE {_CELL} ORDER BY at DESC LIMIT 1 OFFSET {LISTED - 1}"  # noqa: S608  our own names


@dataclass(slots=True)
class Graded:
    """What a turn changes of quality.

    Attributes:
        marked: by subject, the marks that are counted of it now; none: it is gone.
        tally: what to add to the sums.
        told: the days that were written as the sums stood.
    """

    marked: dict[bytes, tuple[Counted, ...]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    told: list[Place] = field(default_factory=list)


class Book:
    """The tables of quality; whoever changes them holds the transaction.

    Args:
        connection: of the store.
        said: around what is asked, so that trouble with the file is told as the store's.
    """

    def __init__(self, connection: sqlite3.Connection, said: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection, self._said = connection, said

    # -- what it knows -------------------------------------------------------------------------------------------------

    def marked(self, tokens: Iterable[bytes]) -> dict[bytes, tuple[Counted, ...]]:
        """The marks that are counted of subjects; those that lack nothing are told without their record."""
        left, found = list(tokens), {}
        with self._said():
            for at in range(0, len(left), _MANY):
                part = left[at : at + _MANY]
                query = f"SELECT token, marks FROM marked WHERE token IN ({', '.join('?' * len(part))})"  # noqa: S608  our own names
                for token, marks in self._connection.execute(query, part):
                    found[token] = tuple(_mark(*one) for one in json.loads(marks))
        return found

    def counted(self) -> dict[tuple[str, int], int]:
        """By topic and partition, the offset before which what happened stands in the sums that were taken up."""
        with self._said():
            return {(topic, part): at for topic, part, at in self._connection.execute("SELECT * FROM quality_from")}

    def due(self, standing: int) -> list[Place]:
        """The days that changed since they were told: all on which something happened, of the others so many."""
        query = "SELECT agency, resource, day FROM quality_due WHERE"
        with self._said():
            found = [Place(*row) for row in self._connection.execute(f"{query} happened")]
            return found + [
                Place(*row) for row in self._connection.execute(f"{query} NOT happened LIMIT ?", (standing,))
            ]

    def datum(self, place: Place, seen: Mapping[tuple[str, int], int], at: int) -> dict[str, Any] | None:
        """The message of a day; None where nothing is left of it.

        Args:
            place: agency, resource and day.
            seen: up to where what happened is counted.
            at: milliseconds.
        """
        query = f"SELECT dimension, {', '.join(_SUMS)} FROM quality_sum WHERE {_PLACE}"  # noqa: S608  our own names
        with self._said():
            sums = {
                Dimension(row[0]): Sum(row[1], row[2], row[3], list(row[4:]))
                for row in self._connection.execute(query, place)
            }
            below = {dimension: self._below(Cell(*place, dimension)) for dimension, one in sums.items() if one.below}
        if not sums:
            return None
        own = (f"record.{place.resource}", f"refused.{place.agency}", "pulse")
        mine = {f"{topic}/{part}": offset for (topic, part), offset in seen.items() if topic in own}
        return quality_datum(place, sums, below, mine, at)

    def _below(self, cell: Cell) -> list[Counted]:
        query = f"SELECT record, value, why, at, times FROM quality_below WHERE {_CELL} ORDER BY at DESC LIMIT {LISTED}"  # noqa: S608  our own names
        rows = self._connection.execute(query, cell)
        return [Counted(cell, record, value, why, at) for record, value, why, at, times in rows for _ in range(times)]

    def latest(self, since: int) -> dict[tuple[str, str, str], float]:
        """The score of each dimension, by agency and resource, of the last day on which anything came since a day."""
        query = "SELECT agency, resource, dimension, records, value FROM quality_sum WHERE day >= ? ORDER BY day"
        with self._said():
            rows = self._connection.execute(query, (since,)).fetchall()
        return {(agency, resource, kind): value / records / WHOLE for agency, resource, kind, records, value in rows}

    # -- what it takes over --------------------------------------------------------------------------------------------

    def keep(self, graded: Graded, at: int) -> None:
        """Take a turn's changes over."""
        many = self._connection.executemany
        # First: what the turn changes was not told.
        many(f"DELETE FROM quality_due WHERE {_PLACE}", graded.told)  # noqa: S608  our own names
        many("DELETE FROM marked WHERE token = ?", [(token,) for token, marks in graded.marked.items() if not marks])
        many(
            "INSERT OR REPLACE INTO marked VALUES (?, ?)",
            [(token, _text(marks)) for token, marks in graded.marked.items() if marks],
        )
        first = day_number(at) - KEPT_DAYS
        self._add(graded.tally, first)
        self._forget(first)

    def _add(self, tally: Tally, first: int) -> None:
        sums = {cell: one for cell, one in tally.sums.items() if cell.day >= first}
        many = self._connection.executemany
        many(_ADDED, [(*cell, one.records, one.value, one.below, *one.took) for cell, one in sums.items()])
        nothing = " AND ".join(f"{name} = 0" for name in _SUMS)
        many(f"DELETE FROM quality_sum WHERE {_CELL} AND {nothing}", sums)  # noqa: S608  our own names
        below = {mark: times for mark, times in tally.below.items() if mark.cell.day >= first}
        rows = [(*mark.cell, mark.at, mark.record, mark.value, mark.why) for mark in below]
        many(
            "INSERT INTO quality_below VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET times = times + excluded.times",
            [(*row, times) for row, times in zip(rows, below.values(), strict=True)],
        )
        many(f"DELETE FROM quality_below WHERE {_CELL} AND (at, record, value, why) = (?, ?, ?, ?) AND times = 0", rows)  # noqa: S608  our own names
        # What happened is never taken back, so what nobody is told need not be kept.
        happened = {mark.cell for mark in below if mark.cell.dimension in HAPPENED}
        many(f"DELETE FROM quality_below WHERE {_CELL} AND at < ({_NEWEST})", [(*cell, *cell) for cell in happened])  # noqa: S608  our own names
        due: Counter[Place] = Counter()
        for cell in (*sums, *(mark.cell for mark in below)):
            due[Place(*cell[:3])] += int(cell.dimension in HAPPENED)
        self._due((place, int(bool(times))) for place, times in due.items())

    def _due(self, places: Iterable[tuple[Place, int]]) -> None:
        self._connection.executemany(
            "INSERT INTO quality_due VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET happened = max(happened, excluded.happened)",
            [(*place, happened) for place, happened in places],
        )

    def _forget(self, before: int) -> None:
        """Forget the days before a day; their tombstones are due."""
        query = "SELECT DISTINCT agency, resource, day FROM quality_sum WHERE day < ?"
        gone = [Place(*row) for row in self._connection.execute(query, (before,))]
        for table in ("quality_sum", "quality_below"):
            self._connection.executemany(f"DELETE FROM {table} WHERE {_PLACE}", gone)  # noqa: S608  our own names
        self._due((place, 1) for place in gone)

    def take_up(self, data: Sequence[Mapping[str, Any]]) -> None:
        """Go on from what was told: the latest message of each day, into an empty book.

        What stood is counted anew from the records; what happened is not, up to where the messages say.
        """
        counted: Counter[tuple[str, int]] = Counter()
        for datum in data:
            found = tally_of(datum)
            kept = Tally(
                {cell: one for cell, one in found.sums.items() if cell.dimension in HAPPENED},
                Counter({mark: times for mark, times in found.below.items() if mark.cell.dimension in HAPPENED}),
            )
            self._add(kept, 0)
            self._due([(Place(datum["agency"], datum["resource"], datum["day"]), 0)])
            for place, at in datum["seen"].items():
                topic, part = place.rsplit("/", maxsplit=1)
                counted[topic, int(part)] = max(counted[topic, int(part)], at)
        # As it was told, nothing of it has changed.
        self._connection.execute("UPDATE quality_due SET happened = 0")
        self._connection.executemany(
            "INSERT OR REPLACE INTO quality_from VALUES (?, ?, ?)", [(*place, at) for place, at in counted.items()]
        )


def _text(marks: Iterable[Counted]) -> str:
    return json.dumps([list(_row(mark)) for mark in marks], ensure_ascii=False, separators=(",", ":"))


def _row(mark: Counted) -> Iterator[object]:
    yield from mark.cell
    if mark.value < WHOLE:
        yield from (mark.record, mark.value, mark.why, mark.at)


def _mark(
    agency: str,
    resource: str,
    day: int,
    dimension: str,
    record: str = "",
    value: int = WHOLE,
    why: str = "",
    at: int = 0,
) -> Counted:
    return Counted(Cell(agency, resource, day, Dimension(dimension)), record, value, why, at)
