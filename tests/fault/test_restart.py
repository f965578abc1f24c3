"""Kafka and the registry go away and come back: whoever was there before goes on, nobody hangs, nobody is lost.

A broker that stops or starts answers with an empty list of brokers for a moment. Clients that ask four times a second,
here called nervous, meet that moment at nearly every restart, where others meet it once in many.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from bus import Change, Publisher, Subscriber
from bus.local import cluster
from bus.settings import Settings
from bus.topics import PULSE
from bus.wire.clients import Principal, admin, consumer
from bus.wire.membership import Membership
from bus.wire.table import end_offsets
from bus.wire.transaction import AbortedError, Transactions
from bus.workers.supervisor import environment_of
from schemas.errors import DeadlineError
from tests.builders import permit
from tests.city import City
from tests.threads import WAIT_S, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

LONG_S = 90.0
NERVOUS = {"topic.metadata.refresh.interval.ms": 250}


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
        # A client that lost brokers may not be let go in its time: its worker is cut off then, and the code says so.
        assert process.wait(WAIT_S) in {0, DeadlineError.exit_code}


def committed(transactions: Transactions, group: Membership, offsets: dict[tuple[str, int], int]) -> bool:
    """Whether a transaction with the group's offsets went through, as a worker's loop runs it."""
    group.reader.poll(0.1)
    transactions.renew()
    try:
        transactions.run({}, offsets, group)
    except AbortedError:
        return False
    return True


def reads_up_to(reader: Consumer, end: int) -> bool:
    """Whether the reader, which goes on where it was, has come to an offset."""
    return any(not message.error() and (message.offset() or 0) + 1 >= end for message in reader.consume(1_000, 0.1))


def test_everybody_goes_on_after_kafka_and_the_registry_were_restarted(own_bus: Settings, tmp_path: Path) -> None:
    city = City(own_bus, tmp_path)
    grant = city.add_grant("full")
    city.apply()
    operator = Principal.role(own_bus, "operator")
    receipts, pulse = (f"receipt.{city.owner}", 0), (PULSE.pattern, 0)
    old_admin = admin(own_bus, operator)
    nervous = consumer(own_bus, operator, "test.nervous", **NERVOUS)
    nervous.assign([TopicPartition(*receipts, 0)])
    group = consumer(own_bus, operator, "test.group", **NERVOUS)
    group.subscribe([pulse[0]])
    until(lambda: group.poll(0.1) is None and bool(group.assignment()), "the group's partitions")
    transactions = Transactions(own_bus, operator, "test.transactions")
    transactions.start()

    def publish(publisher: Publisher, seed: int) -> str:
        [receipt] = publisher.publish(city.resource, [Change(permit(seed), datetime.now(UTC))]).receipts(LONG_S)
        assert receipt.admitted
        return receipt.event_id

    with (
        supervised(city.settings),
        Publisher(city.owner, settings=city.settings) as publisher,
        Subscriber(city.subscriber, grant=grant, settings=city.settings) as subscriber,
        Subscriber(city.subscriber, grant=grant, settings=city.settings, positions={}) as keeps_its_own,
    ):
        events = [publish(publisher, 1)]
        found = [record.event_id for record in subscriber.batch(1, LONG_S)]
        assert [record.event_id for record in keeps_its_own.batch(1, LONG_S)] == events
        assert committed(transactions, Membership(group), {pulse: 1})
        before = end_offsets(old_admin, [receipts], WAIT_S)[receipts]
        cluster.down(own_bus)
        cluster.up(own_bus.model_copy(update={"local_start_timeout_s": 2 * LONG_S}))
        assert end_offsets(old_admin, [receipts], WAIT_S)[receipts] == before
        for seed in (2, 3):
            events.append(publish(publisher, seed))
            found += [record.event_id for record in subscriber.batch(1, LONG_S)]
        assert found == events
        # The two may lie on two partitions, and both are there: they come in any order.
        assert {record.event_id for _ in range(2) for record in keeps_its_own.batch(1, LONG_S)} == set(events[1:])
        until(lambda: committed(transactions, Membership(group), {pulse: 2}), "a transaction of the group", LONG_S)
        until(lambda: reads_up_to(nervous, before + 2), "the last receipt, by a nervous reader")
        nervous.close()
        [place] = group.committed([TopicPartition(*pulse)], WAIT_S)
        assert place.offset == 2
        group.close()
