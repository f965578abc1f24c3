"""What deliveries took, told on `bus.delivery-pulse`: at most once a second for each owner, grant and worker (Art 16).

A pulse is written in the transaction of deliveries that it is about; of those of the second before it, it tells the
one that waited longest, so that no lag is lost between two pulses.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bus.topics import DELIVERY_PULSE
from processors.batch import Outgoing
from processors.deliver import DeliverOutcome, Waited
from schemas.resource import envelope

_EVERY_MS = 1_000
_CODEC = envelope(DELIVERY_PULSE.envelope or "")
_Place = tuple[str, str, str]


class _Wait(NamedTuple):
    delivered_at: int
    waited: Waited

    @property
    def lag(self) -> int:
        return self.delivered_at - self.waited.admitted_at

    def joined(self, other: "_Wait | None") -> "_Wait":
        """Both as one: the longer wait, and all records."""
        if other is None:
            return self
        longer = max(self, other, key=lambda one: (one.lag, one.delivered_at))
        records = self.waited.records + other.waited.records
        return longer._replace(waited=longer.waited._replace(records=records))


class Waits:
    """What one deliver worker has to tell of its deliveries.

    Args:
        head: frame head of the topic's values.
    """

    def __init__(self, head: bytes) -> None:
        self._head = head
        # By resource, grant and owner: when it was told last, and what was delivered since and is not told yet.
        self._told: dict[_Place, int] = {}
        self._kept: dict[_Place, _Wait] = {}
        self._changed: dict[_Place, _Wait | None] = {}
        self._now = 0

    def due(self, outcomes: Iterable[tuple[str, DeliverOutcome]], now_ms: int) -> dict[str, list[Outgoing]]:
        """The messages for a transaction with these outcomes, each of a resource; ends with `committed` or `aborted`."""
        self._now = now_ms
        changed: dict[_Place, _Wait] = {}
        for resource, outcome in outcomes:
            for (grant, agency), waited in outcome.waited.items():
                place = resource, grant, agency
                changed[place] = _Wait(now_ms, waited).joined(changed.get(place))
        for place, wait in changed.items():
            changed[place] = wait.joined(self._kept.get(place))
        for place, wait in self._kept.items():
            changed.setdefault(place, wait)
        telling = {place: wait for place, wait in changed.items() if now_ms - self._told.get(place, 0) >= _EVERY_MS}
        self._changed = {place: None if place in telling else wait for place, wait in changed.items()}
        found = [self._message(place, wait) for place, wait in telling.items()]
        return {DELIVERY_PULSE.pattern: found} if found else {}

    def _message(self, place: _Place, wait: _Wait) -> Outgoing:
        resource, grant, agency = place
        datum = {
            "agency": agency,
            "resource": resource,
            "grant": grant,
            "records": wait.waited.records,
            "delivered_at": wait.delivered_at,
            "admitted_at": wait.waited.admitted_at,
            "business_time": wait.waited.business_time,
        }
        return {
            "key": f"{agency}.{resource}".encode(),
            "value": self._head + _CODEC.encode_physical(datum),
            "partition": 0,
        }

    def committed(self) -> None:
        """What was due is on Kafka."""
        for place, wait in self._changed.items():
            if wait is None:
                self._told[place] = self._now
                self._kept.pop(place, None)
            else:
                self._kept[place] = wait
        self._changed = {}

    def aborted(self) -> None:
        """It is not; the deliveries it was about are undone too."""
        self._changed = {}

    def forget(self, grants: Mapping[str, object]) -> None:
        """Keep nothing of grants other than these."""
        for kept in (self._told, self._kept):
            for place in [place for place in kept if place[1] not in grants]:
                del kept[place]
