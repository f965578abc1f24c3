"""Killed at every step of its numbered sequence, admit neither loses nor repeats anything, and keeps the order.

What is visible is judged read-committed. The successor is a new worker, as a supervisor would start it.
"""

from pathlib import Path

import pytest

from tests.city import City
from tests.killing import STEPS, SUBJECTS, VERSIONS, count, kill_at, orders, publish_versions, quick_city
from tests.local_cluster import LocalBus
from tests.threads import running, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return quick_city(local_bus, tmp_path)


@pytest.mark.parametrize("step", STEPS)
def test_admit_killed_at_a_step_loses_and_repeats_nothing(city: City, step: int) -> None:
    city.apply()
    published = publish_versions(city)
    kill_at(city.settings, "admit", step)
    topic = f"record.{city.resource}"
    with running(city.settings, "admit"):
        until(lambda: count(city, topic) >= SUBJECTS * VERSIONS, "every record")
    assert sorted(orders(city, topic).values()) == sorted(published.values())
    receipts = city.data(f"receipt.{city.owner}")
    assert sum(receipt["admitted"] for receipt in receipts) == SUBJECTS * VERSIONS
    assert len({(r["topic"], r["partition"], r["offset"]) for r in receipts}) == len(receipts)


def test_two_workers_of_a_kind_share_the_partitions_and_hand_them_over(city: City) -> None:
    grant = city.add_grant("full")
    city.apply()
    with running(city.settings, "admit", "deliver"):
        with running(city.settings, "admit", "deliver"):
            published = publish_versions(city)
            until(lambda: count(city, city.topic(grant)) >= SUBJECTS, "some deliveries")
        until(lambda: count(city, city.topic(grant)) >= SUBJECTS * VERSIONS, "every delivery")
    assert sorted(orders(city, city.topic(grant)).values()) == sorted(published.values())
