"""Publishes at a steady pace: `python -m bus.bench.pace bus|raw RATE EVENTS`, every 20 ms a fiftieth of the rate.

Everything is made and signed beforehand, under the instant at which it is planned to be sent, and that instant is what
latency is measured from: a sender that falls behind its plan makes the events later, not the load smaller.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from bus.bench.city import OWNER, PARTITIONS, RAW_TOPIC, RESOURCE, Maker, Submission
from bus.settings import Settings, load
from bus.topics import change_topic
from bus.wire.clients import Principal, producer
from bus.wire.registry import Registry
from schemas.errors import DeadlineError
from schemas.resource import packaged_text, resource_schema

_TICK = timedelta(milliseconds=20)
_PEOPLE = 2_000
RECORD_BYTES = 550
# The plan's first instant lies as far ahead as making and signing may take: measured on some, with room.
_TRIED, _ROOM, _LEAD_S = 20, 3, 1.0


def plan(rate: int, events: int, lead_s: float = _LEAD_S) -> Iterator[tuple[datetime, int, int]]:
    """Instant, partition and number of events of each sending."""
    at = datetime.now(UTC) + timedelta(seconds=lead_s)
    each = max(1, int(rate * _TICK.total_seconds()) // PARTITIONS)
    for sent in range(0, events, each * PARTITIONS):
        for partition in range(PARTITIONS):
            yield at + _TICK * (sent // (each * PARTITIONS)), partition, each


def submissions(settings: Settings, principal: Principal, rate: int, events: int) -> list[tuple[float, Submission]]:
    """Every submission, signed, and the second at which it is due."""
    topic = change_topic(OWNER, RESOURCE)
    head = Registry(settings, principal).head(topic, resource_schema(packaged_text(RESOURCE)).submission)
    maker = Maker(settings, head, _PEOPLE)
    begun = time.monotonic()
    for at, partition, size in islice(plan(rate, events), _TRIED):
        maker.one(partition, size, at)
    sendings = sum(1 for _ in plan(rate, events))
    lead_s = _LEAD_S + (time.monotonic() - begun) / _TRIED * sendings * _ROOM
    return [(at.timestamp(), maker.one(partition, size, at)) for at, partition, size in plan(rate, events, lead_s)]


def copies(rate: int, events: int) -> list[tuple[float, Submission]]:
    """Single events for the raw copy: the planned instant in nanoseconds, then zeros."""
    return [
        (
            at.timestamp(),
            Submission(partition, int(at.timestamp() * 1e9).to_bytes(8, "big") + bytes(RECORD_BYTES - 8), [], 1),
        )
        for at, partition, size in plan(rate, events, _LEAD_S + _ROOM)
        for _ in range(size)
    ]


def main() -> None:
    """Publish, then end."""
    kind, rate, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    settings = load()
    principal = Principal.role(settings, "operator")
    writer = producer(settings, principal)
    topic = change_topic(OWNER, RESOURCE) if kind == "bus" else RAW_TOPIC
    planned = submissions(settings, principal, rate, events) if kind == "bus" else copies(rate, events)
    if planned[0][0] < time.time():
        raise DeadlineError(f"{events} events were not made within the time that the plan left for it")
    for due, made in planned:
        # The pace is the point here.
        while (ahead := due - time.time()) > 0:
            writer.poll(0)
            time.sleep(ahead)
        writer.produce(topic, value=made.value, partition=made.partition, headers=made.headers)  # type: ignore[arg-type]  # its list is declared invariant
    writer.flush(settings.request_timeout_s)


if __name__ == "__main__":
    main()
