"""Quality beside the cross-checks: what a turn marks, and which days it tells on `quality` (Art 10, 51).

Knows no client of Kafka. Supplies are marked as they are read, subjects as they are judged, pulses and refusals as they
come; everything is kept with the positions up to which it was read, so nothing counts twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bus.crosscheck.book import Book, Graded
from bus.freshness.desk import expected
from bus.topics import PULSE, QUALITY
from compliance.catalogue import wanted_fields
from compliance.crosschecks import CrossCheck
from compliance.outages import excuses_in
from compliance.profiles import Law
from compliance.quality import Dimension
from compliance.register.kept import calendar_with, kept_of, law_with
from compliance.rulings import Reckoning
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.batch import Outgoing
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import Subject
from processors.freshness.pauses import Pauses
from processors.freshness.targets import Limits
from processors.freshness.words import HOUR, day_number
from processors.quality.marks import (
    WHOLE,
    Cell,
    Counted,
    Wants,
    asked_resources,
    refusal_mark,
    standing_marks,
    supply_mark,
)
from processors.reports import refused_topic
from schemas.resource import envelope

_QUALITY = envelope(QUALITY.envelope or "")
_STANDING = 500
_SHOWN_DAYS = 7
# Clocks of two machines differ.
_AHEAD = HOUR


@dataclass(frozen=True, slots=True)
class Flow:
    """A pulse or a refusal: where it stands, and what was read in it; None where nobody could read it."""

    topic: str
    partition: int
    offset: int
    datum: Mapping[str, Any] | None


class Grading:
    """Marks over one store's book.

    Args:
        checks: the cross-checks.
        book: the sums.
        head: the frame head of `quality`.
        law: the clocks that bind, before what counties set.
        calendar: the working days that are packaged; the register's come to them.
        limits: the operator's numbers.
    """

    def __init__(
        self,
        checks: Sequence[CrossCheck],
        book: Book,
        head: bytes,
        law: Law,
        calendar: WorkCalendar,
        limits: Limits | None = None,
    ) -> None:
        self._book, self._head, self._limits = book, head, limits or Limits()
        self._packaged = law, calendar
        self._reckonings: tuple[Reckoning, ...] = ()
        self.wants = Wants({}, asked_resources(checks), {}, law, calendar)
        """What is asked of records now."""

    def want(self, view: RegisterView, now: int) -> None:
        """Take over what catalogue, owners and law ask for now; what was marked before stays as it was marked."""
        if view.reckonings() != self._reckonings:
            # Only then: due days are remembered by law and calendar.
            self._reckonings, (law, calendar) = view.reckonings(), self._packaged
            kept = kept_of(self._reckonings)
            self.wants = replace(self.wants, law=law_with(law, kept), calendar=calendar_with(calendar, kept))
        law, calendar = self.wants.law, self.wants.calendar
        fields = {entry.resource: wanted_fields(entry) for entry in view.entries()}
        targets = dict(expected(view, law, self._limits, datetime.fromtimestamp(now / 1000, UTC)))
        pauses = {agency: Pauses.of(found) for agency, found in excuses_in(view).items()}
        self.wants = Wants(fields, self.wants.asked, targets, law, calendar, pauses)

    # -- what a turn changes -------------------------------------------------------------------------------------------

    def supplied(self, graded: Graded, facts: Iterable[RecordFact], flow: Iterable[Flow], now: int) -> None:
        """Count what happened: supplies, pulses, refusals."""
        marks = (supply_mark(fact, self.wants) for fact in facts)
        graded.tally.count(mark for mark in marks if mark is not None)
        for one in flow:
            if one.datum is not None:
                self._flowed(graded, one, one.datum, now)

    def _flowed(self, graded: Graded, one: Flow, datum: Mapping[str, Any], now: int) -> None:
        if one.topic == PULSE.pattern:
            cell = Cell(datum["agency"], datum["resource"], day_number(datum["admitted_at"]), Dimension.CONFORMANCE)
            if datum["admitted"]:
                graded.tally.whole(cell, datum["admitted"])
            return
        try:
            mark = refusal_mark(datum, f"{one.topic}/{one.partition}@{one.offset}")
        except (ValueError, KeyError, TypeError):
            return
        # Agencies write here themselves: each for itself, of what the catalogue knows, and not of tomorrow.
        own = one.topic == refused_topic(mark.cell.agency) and mark.cell.resource in self.wants.fields
        if own and mark.at <= now + _AHEAD:
            graded.tally.count([mark])

    def judged(self, graded: Graded, subjects: Mapping[bytes, Subject]) -> None:
        """Count what stands, in place of what was counted of these subjects."""
        counted = self._book.marked(subjects)
        for token, subject in subjects.items():
            before = counted.get(token, ())
            # Of what lacks nothing the number is kept, not the record.
            after = tuple(
                mark if mark.value < WHOLE else Counted(mark.cell, "", WHOLE, "", 0)
                for mark in standing_marks(subject, self.wants)
            )
            if before != after:
                graded.tally.change(before, after)
                graded.marked[token] = after

    # -- what it tells -------------------------------------------------------------------------------------------------

    def due(self, graded: Graded, positions: Mapping[tuple[str, int], int], now: int) -> list[Outgoing]:
        """The messages of the days that changed since they were told, as the book stands."""
        found: list[Outgoing] = []
        # A store that was made anew reads again what was counted before.
        counted = self._book.counted()
        seen = {place: max(positions.get(place, 0), counted.get(place, 0)) for place in positions.keys() | counted}
        for place in self._book.due(_STANDING):
            datum = self._book.datum(place, seen, now)
            value = None if datum is None else self._head + _QUALITY.encode_physical(datum)
            found.append({"key": str(place).encode(), "value": value, "partition": 0})
            graded.told.append(place)
        return found

    def latest(self, now: int) -> dict[tuple[str, str, str], float]:
        """The scores of the last day on which anything came, by agency, resource and dimension."""
        return self._book.latest(day_number(now) - _SHOWN_DAYS)
