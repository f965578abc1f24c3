"""What is marked of what flows (Art 10, 51): pure functions of a subject, a fact, a pulse, a refusal.

Two dimensions stand: COMPLETENESS and CONSISTENCY are of the records that there are, so a mended record mends them. Two
happened: TIMELINESS is of each supply and CONFORMANCE of each change, and nothing that comes later takes them back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from compliance.crosschecks import CrossCheck
from compliance.profiles import Law
from compliance.quality import Dimension, Mark, Of, completeness, consistency, timeliness
from compliance.workdays import WorkCalendar
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import RecordName, Subject
from processors.freshness.pauses import Pauses, overlap
from processors.freshness.quarters import due_of
from processors.freshness.words import Key, Targets, day_number, day_of_number, day_start, number_of_day, quarter_of
from schemas.refusals import RefusalCode
from schemas.words import FreshnessClass

WHOLE = 1_000_000
"""The value of a mark that lacks nothing: marks are counted in millionths, so that sums are exact."""
_NO_PAUSES = Pauses()
STANDS = (Dimension.COMPLETENESS, Dimension.CONSISTENCY)
HAPPENED = (Dimension.CONFORMANCE, Dimension.TIMELINESS)


class Cell(NamedTuple):
    """What is summed together: one dimension of an agency's part of a resource on a day (Asia/Shanghai)."""

    agency: str
    resource: str
    day: int
    dimension: Dimension


class Counted(NamedTuple):
    """A mark as it is counted.

    Attributes:
        record: the event id; of a refusal without one, its place as `topic/partition@offset`.
        value: in millionths.
        why: what took it down, in codes and field names.
        at: when the record was admitted or refused, milliseconds.
        took: for TIMELINESS the seconds from business time to admission.
    """

    cell: Cell
    record: str
    value: int
    why: str
    at: int
    took: int | None = None

    @classmethod
    def of(cls, mark: Mark, at: int) -> "Counted":
        """A mark of something that came at a time."""
        cell = Cell(mark.of.agency, mark.of.resource, number_of_day(mark.of.day), mark.dimension)
        took = None if mark.measure is None else int(mark.measure)
        return cls(cell, mark.of.record, round(mark.value * WHOLE), mark.why, at, took)


@dataclass(frozen=True, slots=True)
class Wants:
    """What is asked of records.

    Attributes:
        fields: by resource, what the catalogue wants; of a resource that is not there nothing is known to miss.
        asked: resources whose owner a cross-check can ask.
        targets: what each agency owes of a resource.
        law: the clocks that bind.
        calendar: the working days.
        pauses: by agency, the accepted outages, while which its clocks stand still.
    """

    fields: Mapping[str, tuple[str, ...]]
    asked: frozenset[str]
    targets: Mapping[Key, Targets]
    law: Law
    calendar: WorkCalendar
    pauses: Mapping[str, Pauses] = field(default_factory=dict)


def asked_resources(checks: Iterable[CrossCheck]) -> frozenset[str]:
    """The resources whose owner some cross-check can ask."""
    found: set[str] = set()
    for check in checks:
        side = check.right if check.asks == "RIGHT" and check.right is not None else check.left
        found.update(side.resources)
    return frozenset(found)


def standing_marks(subject: Subject, wants: Wants) -> tuple[Counted, ...]:
    """COMPLETENESS and CONSISTENCY of each record that a subject has, on the day of its admission.

    Of a record from before facts nobody knows what it lacks, nor whether it agrees: it has no mark.
    """
    hits: defaultdict[RecordName, list[str]] = defaultdict(list)
    for hit in subject.hits.values():
        hits[hit.asked.name].append(hit.check)
    found: list[Counted] = []
    for name, fact in subject.records.items():
        if not fact.present or fact.key_id is None:
            continue
        of, marks = _of(fact), []
        if fact.resource in wants.fields:
            # A field that was wanted when it came is missing, though the catalogue may want others now.
            wanted = dict.fromkeys((*wants.fields[fact.resource], *fact.missing))
            marks.append(completeness(of, wanted, wanted.keys() - set(fact.missing)))
        if fact.resource in wants.asked:
            marks.append(consistency(of, hits.get(name, ())))
        found += (Counted.of(mark, fact.admitted_at) for mark in marks)
    return tuple(found)


def supply_mark(fact: RecordFact, wants: Wants) -> Counted | None:
    """TIMELINESS of a version that has just come; None where it has no time to keep.

    Corrections, withdrawals and records that move are no supplies; what was true before the agency owed the resource is
    an initial load. DYNAMIC is held to the source's time and the bus's together, STATIC to the quarter's due day; an
    accepted outage adds its time to either.
    """
    targets = wants.targets.get(Key(fact.agency, fact.resource))
    if not fact.supplies or targets is None or fact.business_time < targets.duty_from:
        return None
    true_at = min(fact.business_time, fact.admitted_at)
    stretches = wants.pauses.get(fact.agency, _NO_PAUSES).stretches(fact.resource)
    if targets.freshness is FreshnessClass.STATIC:
        quarter, admitted_at = quarter_of(true_at), fact.admitted_at
        due = due_of(quarter, stretches, admitted_at, wants.law, wants.calendar, targets.division)
        late_from = day_start(number_of_day(due.day) + 1)
    elif targets.source_lag is None:
        return None
    else:
        paused = overlap(stretches, true_at, fact.admitted_at)
        late_from = true_at + targets.source_lag + (targets.bus_lag or 0) + paused + 1
    mark = timeliness(_of(fact), _instant(true_at), _instant(fact.admitted_at), _instant(late_from))
    return Counted.of(mark, fact.admitted_at)


def refusal_mark(datum: Mapping[str, Any], place: str) -> Counted:
    """CONFORMANCE of a refused change or submission.

    An agency writes refusals of its connectors itself, so what is no id and no code is not repeated.

    Args:
        datum: as `schemas/envelope/refusal.avsc`.
        place: of the message, as `topic/partition@offset`.

    Raises:
        ValueError: the code is none of the bus's.
    """
    at = datum["refused_at"]
    cell = Cell(datum["agency"], datum["resource"], day_number(at), Dimension.CONFORMANCE)
    return Counted(cell, _event_id(datum["event_id"]) or place, 0, RefusalCode(datum["code"]).value, at)


def _event_id(text: str | None) -> str | None:
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None


def _of(fact: RecordFact) -> Of:
    return Of(fact.agency, fact.resource, day_of_number(day_number(fact.admitted_at)), fact.event_id)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
