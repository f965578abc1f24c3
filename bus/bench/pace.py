"""Publishes at a steady pace: `python -m bus.bench.pace bus|raw RATE EVENTS`, every 20 ms a fiftieth of the rate."""

import sys
import time

from bus.bench.city import OWNER, PARTITIONS, RESOURCE, Maker
from bus.settings import load
from bus.topics import change_topic
from bus.wire.clients import Principal, producer
from bus.wire.registry import Registry
from schemas.resource import packaged_text, resource_schema

_TICK_S = 0.02
_PEOPLE = 2_000
RECORD_BYTES = 550


def main() -> None:
    """Publish, then end."""
    kind, rate, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    settings = load()
    principal = Principal.role(settings, "operator")
    writer = producer(settings, principal)
    topic = change_topic(OWNER, RESOURCE)
    registry = Registry(settings, principal)
    head = registry.head(topic, resource_schema(packaged_text(RESOURCE)).submission)
    maker = Maker(settings, head, _PEOPLE) if kind == "bus" else None
    each = max(1, int(rate * _TICK_S) // PARTITIONS)
    sent, tick = 0, time.monotonic()
    while sent < events:
        for partition in range(PARTITIONS):
            if maker is not None:
                made = maker.one(partition, each)
                writer.produce(topic, value=made.value, partition=partition, headers=made.headers)  # type: ignore[arg-type]  # its list is declared invariant
            else:
                for _ in range(each):
                    value = time.time_ns().to_bytes(8, "big") + bytes(RECORD_BYTES - 8)
                    writer.produce("bench.raw.in", value=value, partition=partition)
            sent += each
        writer.poll(0)
        tick += _TICK_S
        # The pace is the point here: what is left of the tick is waited for.
        time.sleep(max(0.0, tick - time.monotonic()))
    writer.flush(settings.request_timeout_s)


if __name__ == "__main__":
    main()
