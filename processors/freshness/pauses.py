"""Clocks that stand still: the outages of one agency whose notice the authority accepted (Art 47(e), decisions 44).

An outage is known by its id; its acceptance and its end may be read in any order. Until it is accepted it pauses
nothing. *(assumption: the regulation knows the notice, not what it does to the clocks)*
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from compliance.catalogue import start_of
from compliance.outages import Excuse
from processors.freshness.words import At, OutageAccepted, OutageEvent, millis

FOREVER = 1 << 62
Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage; `started_at` None until it is accepted, `restored_at` None until it is over."""

    started_at: int | None = None
    restored_at: int | None = None
    resources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pauses:
    """The outages of an agency, and how far each partition has been read."""

    outages: Mapping[str, Outage] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)

    def stretches(self, resource: str) -> Stretches:
        """When the clocks of a resource stood still: from and until, in order and apart; one that lasts ends never."""
        found = sorted(
            (one.started_at, FOREVER if one.restored_at is None else one.restored_at)
            for one in self.outages.values()
            if one.started_at is not None and (not one.resources or resource in one.resources)
        )
        joined: list[tuple[int, int]] = []
        for start, end in found:
            if end <= start:
                continue
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return tuple(joined)

    def to_datum(self) -> dict[str, Any]:
        """As plain values that Avro and JSON can keep."""
        return {
            "seen": dict(self.seen),
            "outages": {
                name: {"started_at": one.started_at, "restored_at": one.restored_at, "resources": sorted(one.resources)}
                for name, one in self.outages.items()
            },
        }

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any]) -> "Pauses":
        """Back from `to_datum`."""
        outages = {
            name: Outage(one["started_at"], one["restored_at"], frozenset(one["resources"]))
            for name, one in datum["outages"].items()
        }
        return cls(outages, dict(datum["seen"]))

    @classmethod
    def of(cls, excuses: Iterable[Excuse]) -> "Pauses":
        """The accepted outages as the register has them, by whole days in Asia/Shanghai."""
        return cls(
            {
                one.matter: Outage(
                    millis(start_of(one.since)),
                    None if one.until is None else millis(start_of(one.until)),
                    one.resources,
                )
                for one in excuses
            }
        )


def observe_outage(pauses: Pauses, event: OutageEvent, at: At) -> Pauses:
    """The outages with one event more; a repeat changes nothing."""
    if at.offset <= pauses.seen.get(at.partition, -1):
        return pauses
    known = pauses.outages.get(event.outage, Outage())
    if isinstance(event, OutageAccepted):
        known = replace(known, started_at=event.started_at, resources=event.resources)
    else:
        known = replace(known, restored_at=event.restored_at)
    return Pauses({**pauses.outages, event.outage: known}, {**pauses.seen, at.partition: at.offset})


def overlap(stretches: Stretches, start: int, end: int) -> int:
    """How much of a time the clocks stood still."""
    return sum(max(0, min(until, end) - max(since, start)) for since, until in stretches)


def paused_since(stretches: Stretches, at: int) -> int | None:
    """Since when the clocks stand still; None when they go."""
    return next((since for since, until in stretches if since <= at < until), None)


def last_restored(stretches: Stretches, at: int) -> int:
    """When the clocks last went on again; 0 when they never stood still."""
    return max((until for _, until in stretches if until <= at), default=0)
