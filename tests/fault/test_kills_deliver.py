"""Killed at every step of its numbered sequence, deliver neither loses nor repeats anything, and keeps the order.

What is visible is judged read-committed. The successor is a new worker, as a supervisor would start it.
"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus import Change, Publisher
from tests.builders import permit
from tests.city import City
from tests.killing import STEPS, SUBJECTS, VERSIONS, count, kill_at, orders, publish_versions, quick_city
from tests.local_cluster import LocalBus
from tests.threads import running, until

pytestmark = pytest.mark.kafka

CATCH_UP_STEPS = (14, 15, 16, 17, 18)


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return quick_city(local_bus, tmp_path)


@pytest.mark.parametrize("step", STEPS)
def test_deliver_killed_at_a_step_loses_and_repeats_nothing(city: City, step: int) -> None:
    grant = city.add_grant("full")
    city.apply()
    with running(city.settings, "admit", "deliver"):
        # The grant is live before the victim comes.
        with Publisher(city.owner, settings=city.settings) as publisher:
            publisher.publish(city.resource, [Change(permit(900), datetime.now(UTC))]).receipts()
        until(lambda: count(city, city.topic(grant)) == 1, "the grant's first delivery")
    with running(city.settings, "admit"):
        published = publish_versions(city)
        until(lambda: count(city, f"record.{city.resource}") > SUBJECTS * VERSIONS, "every record")
    kill_at(city.settings, "deliver", step)
    with running(city.settings, "deliver"):
        until(lambda: count(city, city.topic(grant)) > SUBJECTS * VERSIONS, "every delivery")
    found = [events for events in orders(city, city.topic(grant)).values() if len(events) > 1]
    assert sorted(found) == sorted(published.values())
    assert count(city, city.topic(grant)) == SUBJECTS * VERSIONS + 1


@pytest.mark.parametrize("step", CATCH_UP_STEPS)
def test_deliver_killed_while_a_grant_catches_up_loses_and_repeats_nothing(city: City, step: int) -> None:
    city.apply()
    with running(city.settings, "admit"):
        published = publish_versions(city)
        until(lambda: count(city, f"record.{city.resource}") == SUBJECTS * VERSIONS, "every record")
    with running(city.settings, "deliver"):
        # Deliver has passed these records before the grant exists.
        until(lambda: _group_is_behind(city) == 0, "deliver at the end")
    grant = city.add_grant("late")
    city.apply()
    kill_at(city.settings, "deliver", step)
    with running(city.settings, "deliver"):
        until(lambda: count(city, city.topic(grant)) >= SUBJECTS, "the current state")
        with Publisher(city.owner, settings=city.settings) as publisher, running(city.settings, "admit"):
            publisher.publish(city.resource, [Change(permit(901), datetime.now(UTC))]).receipts()
            until(lambda: count(city, city.topic(grant)) >= SUBJECTS + 1, "what came since")
    events = Counter(str(row["event_id"]) for row in city.data(city.topic(grant)))
    assert set(events.values()) == {1}
    assert {versions[-1] for versions in published.values()} <= set(events)
    assert len(events) == SUBJECTS + 1


def _group_is_behind(city: City) -> int:
    """Record messages that deliver's group has not committed yet."""
    from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition  # noqa: PLC0415  used here alone
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415  as above

    from bus.wire.table import end_offsets  # noqa: PLC0415  as above

    admin = AdminClient(LocalBus(city.settings).operator())
    topic = f"record.{city.resource}"
    places = [(topic, part) for part in range(city.partitions)]
    request = ConsumerGroupTopicPartitions("bus.deliver", [TopicPartition(*place) for place in places])
    known = admin.list_consumer_group_offsets([request])["bus.deliver"].result(20).topic_partitions
    ends = end_offsets(admin, places, 20)
    # The last offset of a partition is the transaction's own marker.
    return sum(max(0, ends[tp.topic, tp.partition] - 1 - max(tp.offset, 0)) for tp in known)
