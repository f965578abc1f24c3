"""The freshness worker in a city on real Kafka: words on its topics, and what was told of the city's sources."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bus.freshness.worker import FreshnessWorker
from bus.settings import Settings
from bus.topics import ALARM, heartbeat_topic
from bus.wire.clients import Principal, producer
from bus.wire.registry import Registry
from processors.freshness.targets import Limits
from schemas.resource import envelope
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S, in_thread, leads

QUICK = Limits(silent_after=2_500)


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def watched_city(local_bus: LocalBus, folder: Path) -> City:
    """A city whose dead workers' partitions move soon."""
    city = City(local_bus.settings.model_copy(update={"session_timeout_ms": 6_000}), folder)
    city.apply()
    return city


@contextmanager
def watching(settings: Settings, limits: Limits) -> Iterator[FreshnessWorker]:
    """The worker in this process, until the block ends; it leads."""
    with in_thread(FreshnessWorker(settings, limits=limits), leads) as worker:
        yield worker


def say(city: City, kind: str, topic: str, datum: Mapping[str, Any], principal: Principal | None = None) -> None:
    """A word on a topic, under its speaker's own certificate: the city's owner's, unless another is named."""
    principal = principal or Principal.agency(city.settings, city.owner)
    codec = envelope(kind)
    head = Registry(city.settings, Principal.role(city.settings, "operator")).head(topic, codec)
    writer = producer(city.settings, principal)
    writer.produce(topic, key=b"x", value=head + codec.encode_physical(datum), partition=0)
    assert writer.flush(WAIT_S) == 0


def beat(city: City) -> None:
    """A heartbeat of the city's source."""
    whose = {"agency": city.owner, "resource": city.resource, "field_group": None, "connector": "test"}
    datum = {**whose, "sent_at": now_ms(), "complete_until": None}
    say(city, "heartbeat", heartbeat_topic(city.owner), datum)


def rows(city: City, topic: str) -> list[dict[str, Any]]:
    """What a topic says of the city's owner."""
    return [row for row in city.data(topic) if row["agency"] == city.owner]


def alarms(city: City, code: str) -> list[tuple[str, bool]]:
    """The alarms of one code in their order: whose they are, and whether they were cleared."""
    return [(row["owner"], row["cleared_at"] is not None) for row in rows(city, ALARM.pattern) if row["code"] == code]
