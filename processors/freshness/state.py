"""What is known of one source, folded from its events; nothing is judged here.

The state is made of sums, latest values and sets alone, so events of different partitions may come in any order and the
state is the same. Within one partition Kafka's order is needed: a repeat is known by its offset, and changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from processors.freshness.words import (
    DAY,
    MINUTE,
    At,
    Declaration,
    DeliveryLag,
    Event,
    Heartbeat,
    Key,
    Pulse,
    day_number,
    last_day_of,
    number_of_day,
    quarter_name,
    quarter_number,
    quarter_of,
)

KEEP_QUARTERS = 8
KEEP_DAYS = 35
KEEP_DELIVERIES = 7 * DAY
NOTHING = -1
# So many values were kept of a day's supply before the broker's times were.
_SUPPLIED_ONCE = 3
V = TypeVar("V")


@dataclass(frozen=True, slots=True, order=True)
class Supply:
    """The latest publication: admitted, published, its business times, in the bus since; NOTHING where unknown."""

    admitted_at: int = NOTHING
    published_at: int = NOTHING
    earliest: int = NOTHING
    latest: int = NOTHING
    appended_at: int = NOTHING


@dataclass(frozen=True, slots=True, order=True)
class Sign:
    """The latest heartbeat: when the broker had it, when the source sent it, up to when its data are complete."""

    received_at: int = NOTHING
    sent_at: int = NOTHING
    complete_until: int = NOTHING


@dataclass(frozen=True, slots=True, order=True)
class Declared:
    """The latest declaration of a quarter; `mark` NOTHING says that nothing changed."""

    declared_at: int
    mark: int = NOTHING


@dataclass(frozen=True, slots=True)
class Supplied:
    """What was admitted on one day for one quarter: how many changes, first and last admission.

    `said_first` and `said_last` are when the broker had them: against these a declaration is held, which bears the
    broker's time too. Where admit stood still, what was said before a declaration may be admitted after it.
    """

    changes: int
    first: int
    last: int
    said_first: int
    said_last: int

    @classmethod
    def of(cls, values: Sequence[int]) -> "Supplied":
        """From what is kept; where the broker's times were not, admission stands for them."""
        return cls(*values, *values[len(values) - 2 :]) if len(values) == _SUPPLIED_ONCE else cls(*values)

    def joined(self, other: "Supplied") -> "Supplied":
        """Both together."""
        return Supplied(
            self.changes + other.changes,
            min(self.first, other.first),
            max(self.last, other.last),
            min(self.said_first, other.said_first),
            max(self.said_last, other.said_last),
        )


@dataclass(frozen=True, slots=True)
class Traffic:
    """One day's changes; `refused_at` is the first refusal, NOTHING without one."""

    admitted: int = 0
    refused: int = 0
    withdrawn: int = 0
    corrected: int = 0
    refused_at: int = NOTHING


@dataclass(frozen=True, slots=True)
class Delivered:
    """Of the latest minute with deliveries under a grant the one that waited longest, and the minute's before it.

    Several workers deliver to a grant: the latest delivery alone would be one worker's now and another's then.

    Attributes:
        at: when it was delivered.
        lag: how long after its admission.
        age: how old the data were; NOTHING where unknown.
        lag_before: the longest lag of the minute just before; NOTHING where nothing was delivered.
    """

    at: int
    lag: int
    age: int = NOTHING
    lag_before: int = NOTHING

    @property
    def minute(self) -> int:
        """The minute that it lies in."""
        return self.at // MINUTE

    @property
    def longest(self) -> int:
        """The longest lag of both minutes."""
        return max(self.lag, self.lag_before)

    def joined(self, other: "Delivered") -> "Delivered":
        """What is known of both, whichever came first."""
        earlier, later = sorted((self, other), key=lambda one: one.minute)
        if earlier.minute == later.minute:
            longer = max(earlier, later, key=lambda one: (one.lag, one.at, one.age))
            return replace(longer, lag_before=max(earlier.lag_before, later.lag_before))
        if earlier.minute == later.minute - 1:
            return replace(later, lag_before=max(later.lag_before, earlier.lag))
        return later


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one source.

    Attributes:
        seen: by partition, the offset that was read last.
        supply: the latest publication that brought something new.
        published: the latest publication at all, corrections too.
        sign: the latest heartbeat; `complete` the latest that said up to when the data are complete.
        declared: by quarter.
        supplied: by quarter of the earliest business time, by day of admission.
        traffic: by day.
        delivered: by grant.
    """

    key: Key
    seen: Mapping[str, int] = field(default_factory=dict)
    supply: Supply = field(default_factory=Supply)
    published: Supply = field(default_factory=Supply)
    sign: Sign = field(default_factory=Sign)
    complete: Sign = field(default_factory=Sign)
    declared: Mapping[int, Declared] = field(default_factory=dict)
    supplied: Mapping[int, Mapping[int, Supplied]] = field(default_factory=dict)
    traffic: Mapping[int, Traffic] = field(default_factory=dict)
    delivered: Mapping[str, Delivered] = field(default_factory=dict)

    def to_datum(self) -> dict[str, Any]:
        """As the record `state` of `schemas/envelope/freshness.avsc`, physical."""
        return {
            "seen": dict(self.seen),
            "supply": _values(self.supply),
            "published": _values(self.published),
            "sign": _values(self.sign),
            "complete": _values(self.complete),
            "declared": {quarter_name(quarter): _values(one) for quarter, one in sorted(self.declared.items())},
            "supplied": {
                quarter_name(quarter): {str(day): _values(one) for day, one in sorted(days.items())}
                for quarter, days in sorted(self.supplied.items())
            },
            "traffic": {str(day): _values(one) for day, one in sorted(self.traffic.items())},
            "delivered": {grant: _values(one) for grant, one in sorted(self.delivered.items())},
        }

    @classmethod
    def from_datum(cls, key: Key, datum: Mapping[str, Any]) -> "State":
        """Back from `to_datum`."""
        return cls(
            key,
            dict(datum["seen"]),
            Supply(*datum["supply"]),
            Supply(*datum["published"]),
            Sign(*datum["sign"]),
            Sign(*datum["complete"]),
            {quarter_number(name): Declared(*one) for name, one in datum["declared"].items()},
            {
                quarter_number(name): {int(day): Supplied.of(one) for day, one in days.items()}
                for name, days in datum["supplied"].items()
            },
            {int(day): Traffic(*one) for day, one in datum["traffic"].items()},
            {grant: Delivered(*one) for grant, one in datum["delivered"].items()},
        )


def observe(state: State, event: Event, at: At) -> State:
    """The state with one event more; a repeat, by its place on Kafka, changes nothing.

    Raises:
        ValueError: the event is about another source.
    """
    if event.key != state.key:
        raise ValueError(f"an event of {event.key} was handed to {state.key}")
    if at.offset <= state.seen.get(at.partition, NOTHING):
        return state
    if isinstance(event, Pulse):
        changes = _pulse(state, event)
    elif isinstance(event, Heartbeat):
        changes = _heartbeat(state, event, at.ms)
    elif isinstance(event, Declaration):
        changes = _declaration(state, event, at.ms)
    else:
        changes = _delivery(state, event)
    return replace(state, seen={**state.seen, at.partition: at.offset}, **changes)


def _pulse(state: State, pulse: Pulse) -> dict[str, Any]:
    now = pulse.admitted_at
    today = state.traffic.get(day_number(now), Traffic())
    refused_at = min(
        (ms for ms in (today.refused_at, now if pulse.refused else NOTHING) if ms != NOTHING), default=NOTHING
    )
    traffic = Traffic(
        today.admitted + pulse.admitted,
        today.refused + pulse.refused,
        today.withdrawn + pulse.withdrawn,
        today.corrected + pulse.corrected,
        refused_at,
    )
    # Whose fields a row changed it does not show: its day and quarter are counted at the resource alone.
    of_rows = not state.key.group
    changes: dict[str, Any] = {}
    if of_rows:
        changes["traffic"] = _newest(state.traffic, day_number(now), traffic, KEEP_DAYS)
    if not pulse.admitted:
        return changes
    times = (pulse.published_at, pulse.earliest, pulse.latest, pulse.appended_at)
    found = Supply(now, *(NOTHING if ms is None else ms for ms in times))
    changes["published"] = max(state.published, found)
    if pulse.earliest is None:
        return changes
    changes["supply"] = max(state.supply, found)
    if not of_rows:
        return changes
    # A time that lies ahead is a wrong clock's, and must not push out what is known.
    quarter = quarter_of(min(pulse.earliest, now))
    # Nothing is late before its quarter is over: those days need not be told apart.
    day = max(day_number(now), number_of_day(last_day_of(quarter)))
    days = state.supplied.get(quarter, {})
    new = pulse.admitted - pulse.withdrawn - pulse.corrected
    said = _said(pulse, quarter)
    came = Supplied(new, now, now, said, said)
    supplied = {**days, day: days[day].joined(came) if day in days else came}
    changes["supplied"] = _newest(state.supplied, quarter, supplied, KEEP_QUARTERS)
    return changes


def _said(pulse: Pulse, quarter: int) -> int:
    """When the broker had the last change of a pulse's quarter, as far as the pulse can tell.

    Where it holds changes of two quarters the last may be of the other: then the first that it can have been.
    """
    if pulse.supplied_at is None:
        return pulse.admitted_at
    mixed = pulse.latest is not None and quarter_of(min(pulse.latest, pulse.admitted_at)) != quarter
    return pulse.appended_at if mixed and pulse.appended_at is not None else pulse.supplied_at


def _heartbeat(state: State, heartbeat: Heartbeat, received_at: int) -> dict[str, Any]:
    complete = NOTHING if heartbeat.complete_until is None else heartbeat.complete_until
    found = Sign(received_at, heartbeat.sent_at, complete)
    changes = {"sign": max(state.sign, found)}
    if complete != NOTHING:
        changes["complete"] = max(state.complete, found)
    return changes


def _declaration(state: State, declaration: Declaration, declared_at: int) -> dict[str, Any]:
    if declaration.quarter > quarter_of(declared_at):
        return {}
    # Nobody knows today that all of tomorrow's changes have been supplied.
    mark = NOTHING if declaration.mark is None else min(declaration.mark, declared_at)
    found = Declared(declared_at, mark)
    known = state.declared.get(declaration.quarter)
    latest = found if known is None else max(known, found)
    return {"declared": _newest(state.declared, declaration.quarter, latest, KEEP_QUARTERS)}


def _delivery(state: State, delivery: DeliveryLag) -> dict[str, Any]:
    at = delivery.delivered_at
    age = NOTHING if delivery.business_time is None else max(0, at - delivery.business_time)
    found = Delivered(at, max(0, at - delivery.admitted_at), age)
    known = state.delivered.get(delivery.grant)
    delivered = {**state.delivered, delivery.grant: found if known is None else known.joined(found)}
    oldest = max(one.at for one in delivered.values()) - KEEP_DELIVERIES
    return {"delivered": {grant: one for grant, one in delivered.items() if one.at >= oldest}}


def _newest(known: Mapping[int, V], number: int, value: V, keep: int) -> Mapping[int, V]:
    """With one value more, and without what lies `keep` or more before the newest: whatever the order, the same."""
    found = {**known, number: value}
    if len(found) <= 1:
        return found
    oldest = max(found) - keep
    return found if min(found) > oldest else {key: one for key, one in found.items() if key > oldest}


def _values(one: object) -> list[int]:
    return [getattr(one, name) for name in one.__slots__]  # type: ignore[attr-defined]
