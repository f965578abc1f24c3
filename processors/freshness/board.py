"""All sources side by side: which event goes to which, who is judged again when, what is raised and cleared.

The board holds what it is told in memory and reads no clock: whoever runs it hands in events with their places, and the
time. A source that is expected and never heard of is on the board too.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.alarms import Alarm, settle
from processors.freshness.groups import born
from processors.freshness.judge import Verdict, judge
from processors.freshness.pauses import Pauses, observe_outage
from processors.freshness.report import freshness_datum, standing_of
from processors.freshness.state import State, observe
from processors.freshness.words import At, Event, Key, OutageAccepted, OutageEvent, OutageRestored, Targets


@dataclass(frozen=True, slots=True)
class Told:
    """What one source has to tell after an event or when its time came."""

    key: Key
    verdict: Verdict
    raised: tuple[Alarm, ...]
    cleared: tuple[Alarm, ...]


class Board:
    """The sources of a city.

    Args:
        law: the clocks that bind.
        calendar: the working days.
    """

    def __init__(self, law: Law, calendar: WorkCalendar) -> None:
        self._law = law
        self._calendar = calendar
        self._targets: dict[Key, Targets] = {}
        self._states: dict[Key, State] = {}
        self._standing: dict[Key, Mapping[str, Alarm]] = {}
        self._pauses: dict[str, Pauses] = {}
        self._next: dict[Key, int] = {}
        self._wakes: list[tuple[int, Key]] = []
        # Partitions are read at different speeds: time only goes on.
        self._now = 0

    @property
    def next_at(self) -> int | None:
        """When time alone will change something; None when nothing will."""
        while self._wakes and self._next.get(self._wakes[0][1]) != self._wakes[0][0]:
            heapq.heappop(self._wakes)
        return self._wakes[0][0] if self._wakes else None

    @property
    def keys(self) -> Iterable[Key]:
        """Every source that is expected."""
        return self._targets.keys()

    def state(self, key: Key) -> State:
        """What is known of a source; of a group that was named just now, what is known of its resource."""
        known = self._states.get(key)
        if known is None:
            return born(key, self.state(key.whole)) if key.group else State(key)
        return known

    def standing(self, key: Key) -> tuple[Alarm, ...]:
        """The alarms of a source that stand now."""
        return tuple(self._standing.get(key, {}).values())

    def expect(self, key: Key, targets: Targets, at: int) -> Told:
        """A source as the register has it now; what was observed of it before is kept."""
        self._targets[key] = targets
        return self._judge(key, at)

    def forget(self, key: Key, at: int) -> Told:
        """A source that owes nothing any more: its alarms are cleared."""
        cleared = self.standing(key)
        verdict = judge(self.state(key), Pauses(), self._targets.pop(key), self._law, self._calendar, at)
        self._standing.pop(key, None)
        self._next.pop(key, None)
        if key.group:
            # What is said of the whole meanwhile is not told to it: named again, it begins anew.
            self._states.pop(key, None)
        return Told(key, verdict, (), cleared)

    def observe(self, event: Event | OutageEvent, at: At) -> tuple[Told, ...]:
        """One event: the sources that it concerns, judged at its time. A repeat tells nothing."""
        if isinstance(event, OutageAccepted | OutageRestored):
            known = self._pauses.get(event.agency, Pauses())
            changed = observe_outage(known, event, at)
            if changed is known:
                return ()
            return self.pause(event.agency, changed, at.ms)
        before = self.state(event.key)
        after = observe(before, event, at)
        if after is before:
            return ()
        self._states[event.key] = after
        return (self._judge(event.key, at.ms),) if event.key in self._targets else ()

    def pause(self, agency: str, pauses: Pauses, at: int) -> tuple[Told, ...]:
        """An agency's outages as the register has them now, in place of those that were observed."""
        self._pauses[agency] = pauses
        return tuple(self._judge(key, at) for key in self._targets if key.agency == agency)

    def reckon(self, law: Law, calendar: WorkCalendar, at: int) -> tuple[Told, ...]:
        """How deadlines are counted from here on; every source is judged anew."""
        self._law, self._calendar = law, calendar
        return tuple(self._judge(key, at) for key in self._targets)

    def tick(self, now: int) -> Iterator[Told]:
        """The sources whose time has come, each judged at its instant, until `now`."""
        while (when := self.next_at) is not None and when <= now:
            _, key = heapq.heappop(self._wakes)
            self._next.pop(key)
            yield self._judge(key, when)

    def verdict(self, key: Key, at: int) -> Verdict:
        """How a source stands, without telling anybody."""
        pauses = self._pauses.get(key.agency, Pauses())
        return judge(self.state(key), pauses, self._targets[key], self._law, self._calendar, at)

    def _judge(self, key: Key, at: int) -> Told:
        self._now = max(self._now, at)
        verdict = self.verdict(key, self._now)
        settled = settle(self._standing.get(key, {}), verdict.alarms)
        self._standing[key] = settled.standing
        if verdict.next_at is None:
            self._next.pop(key, None)
        elif self._next.get(key) != verdict.next_at:
            self._next[key] = verdict.next_at
            heapq.heappush(self._wakes, (verdict.next_at, key))
        return Told(key, verdict, settled.raised, settled.cleared)

    def to_datum(self, key: Key, at: int) -> dict[str, Any]:
        """The physical datum of `schemas/envelope/freshness.avsc`: the verdict, and what is needed to go on."""
        return freshness_datum(self.state(key), self._targets[key], self.verdict(key, at), self.standing(key), at)

    def restore(self, key: Key, datum: Mapping[str, Any]) -> None:
        """Take up what `to_datum` kept, before the source is expected."""
        self._states[key] = State.from_datum(key, datum["state"])
        alarms = standing_of(key, datum)
        self._standing[key] = {alarm.name: alarm for alarm in alarms}
        self._now = max(self._now, datum["judged_at"])
