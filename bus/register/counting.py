"""Counts what flowed in a period from the topics themselves: pulses, refusals, deliveries.

They give the rows that figures take, and each row names the stretches it was counted in, so that it can be counted
again as long as the topics keep them. Pulses are kept for days: what was admitted and late earlier stands in `quality`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bus.register.qualityread import read_quality
from bus.settings import Settings
from bus.topics import PULSE, QUALITY
from bus.wire.clients import Principal, admin, consumer
from bus.wire.errors import unavailable
from bus.wire.registry import Registry
from bus.wire.scan import Place, read_stretches
from bus.wire.table import end_offsets
from compliance.busfacts import BusFacts
from compliance.catalogue import end_of, start_of
from compliance.period import Period
from compliance.quality import Dimension
from compliance.qualitydays import DayQuality
from compliance.view import RegisterView
from processors.reports import refused_topic
from schemas.codec import unframe
from schemas.refusals import RefusalCode

_GROUP = "bus.count"
_LONGEST_SOURCE = 2_000


def count(settings: Settings, view: RegisterView, period: Period) -> tuple[BusFacts, ...]:
    """One row for each agency and resource of which anything flowed in a period.

    A submission that was refused as a whole counts as one refused change: nobody could read how many it held. Look-ups
    are not counted here. What a topic no longer keeps is missing; its first offset stands in `source`.

    Raises:
        KafkaUnavailableError, RegistryUnavailableError, DeadlineError: not all of it could be read.
    """
    operator = Principal.role(settings, "operator")
    registry = Registry(settings, operator)
    reader = consumer(settings, operator, _GROUP, **{"enable.partition.eof": True})
    counted = _Counted(view)
    try:
        known = reader.list_topics(timeout=settings.request_timeout_s).topics
        wanted = [PULSE.pattern, *counted.refusals, *counted.deliveries]
        places = [(topic, part) for topic in wanted if topic in known for part in known[topic].partitions]
        ends = end_offsets(admin(settings, operator), places, settings.request_timeout_s)
        stretches = _stretches(reader, ends, start_of(period.first), end_of(period.last), settings.request_timeout_s)
        for batch in read_stretches(reader, stretches, settings.request_timeout_s):
            for message in batch:
                counted.take(message, registry)
    except KafkaException as error:
        raise unavailable("cannot count what flowed", error) from None
    finally:
        reader.close()
    for day in read_quality(settings):
        if period.holds(day.day):
            counted.take_day(day)
    return counted.rows(stretches)


def _stretches(
    reader: Consumer, ends: Mapping[Place, int], first: datetime, after: datetime, timeout_s: float
) -> dict[Place, tuple[int, int]]:
    """First offset and end of what was written in a period, by the messages' own times."""
    bounds = []
    for at in (first, after):
        asked = [TopicPartition(*place, _ms(at)) for place in ends]
        found = reader.offsets_for_times(asked, timeout_s) if asked else []
        # A negative offset means that nothing was written since.
        bounds.append(
            {(tp.topic, tp.partition): tp.offset if tp.offset >= 0 else ends[tp.topic, tp.partition] for tp in found}
        )
    return {place: (bounds[0][place], min(bounds[1][place], end)) for place, end in ends.items()}


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class _Counted:
    """The sums while topics are read."""

    def __init__(self, view: RegisterView) -> None:
        self.refusals = frozenset(refused_topic(agency.code) for agency in view.agencies())
        self.deliveries = {grant.topic: (grant.subscriber, grant.resource) for grant in view.grants()}
        self._admitted: Counter[tuple[str, str]] = Counter()
        self._corrected: Counter[tuple[str, str]] = Counter()
        self._delivered: Counter[tuple[str, str]] = Counter()
        self._refused: dict[tuple[str, str], Counter[RefusalCode]] = defaultdict(Counter)
        self._judged: Counter[tuple[str, str]] = Counter()
        self._timed: Counter[tuple[str, str]] = Counter()
        self._late: Counter[tuple[str, str]] = Counter()

    def take(self, message: Message, registry: Registry) -> None:
        """Count one message; tombstones are no deliveries."""
        topic, framed = message.topic() or "", unframe(message.value())
        if framed is None:
            return
        if topic in self.deliveries:
            self._delivered[self.deliveries[topic]] += 1
            return
        codec = registry.codec(framed[0])
        if codec is None:
            return
        datum = codec.decode(framed[1])
        key = (datum["agency"], datum["resource"])
        if topic in self.refusals:
            self._refused[key][RefusalCode(datum["code"])] += 1
        else:
            self._admitted[key] += datum["admitted"]
            self._corrected[key] += datum["corrected"]

    def take_day(self, day: DayQuality) -> None:
        """Count what was summed of one day."""
        key = (day.agency, day.resource)
        conforms, timely = day.by.get(Dimension.CONFORMANCE), day.by.get(Dimension.TIMELINESS)
        # The day's refusals are those that took its conformance down, each by the whole.
        self._judged[key] += 0 if conforms is None else conforms.records - conforms.below_total
        self._timed[key] += 0 if timely is None else timely.records
        self._late[key] += 0 if timely is None else timely.below_total

    def _supplied(self, key: tuple[str, str]) -> int:
        """What was admitted: pulses, sums and timed supplies are of the same changes, and each may lack the latest."""
        return max(self._admitted[key], self._judged[key], self._timed[key])

    def rows(self, stretches: Mapping[Place, tuple[int, int]]) -> tuple[BusFacts, ...]:
        """The sums, with where they were counted."""
        keys = sorted({*self._admitted, *self._refused, *self._delivered, *self._judged})
        return tuple(
            BusFacts(
                agency=agency,
                resource=resource,
                supplied=self._supplied((agency, resource)) + self._refused[agency, resource].total(),
                refused=dict(self._refused[agency, resource]),
                late=self._late[agency, resource],
                timed=self._timed[agency, resource],
                corrections=self._corrected[agency, resource],
                delivered=self._delivered[agency, resource],
                source=_source(stretches, self._topics(agency, resource), judged=(agency, resource) in self._judged),
            )
            for agency, resource in keys
        )

    def _topics(self, agency: str, resource: str) -> list[str]:
        own = [topic for topic, pair in self.deliveries.items() if pair == (agency, resource)]
        return [PULSE.pattern, refused_topic(agency), *own]


def _source(stretches: Mapping[Place, tuple[int, int]], topics: Iterable[str], *, judged: bool) -> str:
    chosen = set(topics)
    named = [
        f"{topic}/{part} from {first} to before {end}"
        for (topic, part), (first, end) in sorted(stretches.items())
        if topic in chosen and first < end
    ]
    named += [f"{QUALITY.pattern}, by day"] if judged else []
    return "; ".join(named)[:_LONGEST_SOURCE] or "no message of the period is kept"
