"""Marks summed by agency, resource, day and dimension; what comes is added, what stands no more is taken away.

Sums are of whole numbers, so neither order nor the way in which marks came and went changes them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from compliance.quality import Dimension
from processors.quality.marks import WHOLE, Cell, Counted

TOOK_S = (60, 900, 3_600, 86_400, 604_800, 2_678_400, 7_948_800)
"""The classes of time that supplies took, each up to so many seconds, and one for what took longer."""
LISTED = 500
"""So many of the marks that took a score down are told, the newest."""


@dataclass(slots=True)
class Sum:
    """The sum of marks.

    Attributes:
        records: how many.
        value: in millionths.
        below: how many of them lack something.
        took: how many fall into each class of `TOOK_S`, the last for what took longer.
    """

    records: int = 0
    value: int = 0
    below: int = 0
    took: list[int] = field(default_factory=lambda: [0] * (len(TOOK_S) + 1))

    def add(self, other: "Sum") -> None:
        """Add another sum."""
        self.records += other.records
        self.value += other.value
        self.below += other.below
        self.took = [mine + more for mine, more in zip(self.took, other.took, strict=True)]

    @property
    def empty(self) -> bool:
        """Whether nothing is summed."""
        return not (self.records or self.value or self.below or any(self.took))


@dataclass(slots=True)
class Tally:
    """Sums by cell, and the marks below the whole value, each as often as it was counted: a total or a change of one."""

    sums: dict[Cell, Sum] = field(default_factory=dict)
    below: Counter[Counted] = field(default_factory=Counter)

    def count(self, marks: Iterable[Counted], times: int = 1) -> None:
        """Count marks; with -1 take them away."""
        for mark in marks:
            cell = mark.cell
            known = self.sums.get(cell)
            if known is None:
                known = self.sums[cell] = Sum()
            known.records += times
            known.value += times * mark.value
            if mark.took is not None:
                known.took[bisect_left(TOOK_S, mark.took)] += times
            if mark.value < WHOLE:
                known.below += times
                self._below(mark, times)
            # Where as many came as went, all of it may be nothing.
            if not known.records and known.empty:
                del self.sums[cell]

    def change(self, before: Iterable[Counted], after: Iterable[Counted]) -> None:
        """Count some marks in place of others."""
        self.count(before, -1)
        self.count(after)

    def whole(self, cell: Cell, number: int) -> None:
        """Count marks of the whole value of which only the number is known."""
        self._add(cell, Sum(number, number * WHOLE))

    def add(self, other: "Tally") -> None:
        """Add a change to a total."""
        for cell, one in other.sums.items():
            self._add(cell, one)
        for mark, times in other.below.items():
            self._below(mark, times)

    def _add(self, cell: Cell, one: Sum) -> None:
        known = self.sums.setdefault(cell, Sum())
        known.add(one)
        if known.empty:
            del self.sums[cell]

    def _below(self, mark: Counted, times: int) -> None:
        self.below[mark] += times
        if not self.below[mark]:
            del self.below[mark]


class Place(NamedTuple):
    """What one message of `quality` is about."""

    agency: str
    resource: str
    day: int

    def __str__(self) -> str:
        """`psb.residence_permit.20715`: the key of the message."""
        return f"{self.agency}.{self.resource}.{self.day}"


def quality_datum(
    place: Place,
    sums: Mapping[Dimension, Sum],
    below: Mapping[Dimension, Sequence[Counted]],
    seen: Mapping[str, int],
    at: int,
) -> dict[str, Any]:
    """The physical datum of `schemas/envelope/quality.avsc`.

    Args:
        place: agency, resource and day.
        sums: of each dimension that has marks.
        below: what took each down, the newest first; `LISTED` of them are told.
        seen: by topic/partition the offset up to which the sums of what happened are folded.
        at: when, milliseconds.
    """
    return {
        "agency": place.agency,
        "resource": place.resource,
        "day": place.day,
        "scores": [
            {
                "dimension": dimension.value,
                "records": one.records,
                "value": one.value,
                "took": list(one.took),
                "below": [
                    {"record": mark.record, "why": mark.why, "value": mark.value, "at": mark.at}
                    for mark in below.get(dimension, ())[:LISTED]
                ],
                "below_total": one.below,
            }
            for dimension, one in sorted(sums.items())
        ],
        "seen": dict(seen),
        "told_at": at,
    }


def tally_of(datum: Mapping[str, Any]) -> Tally:
    """The sums and listed marks of one message."""
    found = Tally()
    for score in datum["scores"]:
        cell = Cell(datum["agency"], datum["resource"], datum["day"], Dimension(score["dimension"]))
        found.sums[cell] = Sum(score["records"], score["value"], score["below_total"], list(score["took"]))
        for one in score["below"]:
            # Two versions may lack the same; each is told.
            found.below[Counted(cell, one["record"], one["value"], one["why"], one["at"])] += 1
    return found
