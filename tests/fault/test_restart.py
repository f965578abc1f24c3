"""Kafka goes away and comes back: whoever was idle meanwhile goes on, or ends and is started again; nobody hangs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus import Change, Publisher, Subscriber
from bus.local import cluster
from bus.settings import Settings
from bus.workers.supervisor import environment_of
from tests.builders import permit
from tests.city import WAIT_S, City

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

LONG_S = 90.0


@contextmanager
def supervised(settings: Settings) -> Iterator[None]:
    """`bus run all`, as an operator runs it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bus", "run", "all"], env={**os.environ, **environment_of(settings)}
    )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(WAIT_S) == 0


def test_everybody_goes_on_after_kafka_and_the_registry_were_restarted(own_bus: Settings, tmp_path: Path) -> None:
    city = City(own_bus, tmp_path)
    grant = city.add_grant("full")
    city.apply()

    def publish(publisher: Publisher, seed: int) -> str:
        [receipt] = publisher.publish(city.resource, [Change(permit(seed), datetime.now(UTC))]).receipts(LONG_S)
        assert receipt.admitted
        return receipt.event_id

    with (
        supervised(city.settings),
        Publisher(city.owner, settings=city.settings) as publisher,
        Subscriber(city.subscriber, grant=grant, settings=city.settings) as subscriber,
    ):
        events = [publish(publisher, 1)]
        found = [record.event_id for record in subscriber.batch(1, LONG_S)]
        cluster.down(own_bus)
        cluster.up(own_bus)
        for seed in (2, 3):
            events.append(publish(publisher, seed))
            found += [record.event_id for record in subscriber.batch(1, LONG_S)]
        assert found == events
