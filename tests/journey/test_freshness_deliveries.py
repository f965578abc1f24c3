"""The freshness worker and real deliveries: what they took is told and judged, what waited for a grant is not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus import Change, Publisher
from bus.topics import DELIVERY_PULSE, FRESHNESS, PROGRESS
from bus.wire.clients import Principal
from processors.freshness.targets import Limits
from processors.freshness.words import MINUTE
from tests.builders import permit
from tests.city import City
from tests.freshness_watch import alarms, now_ms, rows, say, watched_city, watching
from tests.local_cluster import LocalBus
from tests.threads import running, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return watched_city(local_bus, tmp_path)


def live(city: City, grant: str) -> bool:
    """Whether a grant is delivered to on every partition."""
    found = {row["partition"]: row["state"] for row in city.data(PROGRESS.pattern) if row["grant"] == grant}
    return found == dict.fromkeys(range(city.partitions), "LIVE")


def told_of(city: City) -> set[str]:
    """The grants of which a deliver worker told what deliveries took."""
    return {row["grant"] for row in rows(city, DELIVERY_PULSE.pattern)}


def publish_one(city: City, seed: int) -> None:
    with Publisher(city.owner, settings=city.settings) as publisher:
        [receipt] = publisher.publish(city.resource, [Change(permit(seed), datetime.now(UTC))]).receipts()
    assert receipt.admitted


def test_what_waited_for_a_deliver_worker_is_a_lag_and_what_waited_for_a_resumed_grant_is_none(city: City) -> None:
    def took() -> list[int]:
        found = [row for row in rows(city, DELIVERY_PULSE.pattern) if row["grant"] == grant]
        return [round((row["delivered_at"] - row["admitted_at"]).total_seconds() * 1000) for row in found]

    def publish_without_deliver(seed: int) -> int:
        with running(city.settings, "admit"):
            publish_one(city, seed)
        return now_ms()

    grant = city.add_grant("full")
    city.apply()
    with running(city.settings, "deliver"):
        until(lambda: live(city, grant), "the grant")
    published_by = publish_without_deliver(1)
    with running(city.settings, "deliver"):
        until(lambda: len(took()) == 1, "what the delivery took")
    [row] = [row for row in rows(city, DELIVERY_PULSE.pattern) if row["grant"] == grant]
    assert row["admitted_at"].timestamp() * 1000 <= published_by
    assert row["records"] == 1
    city.grants[grant]["state"] = "SUSPENDED"
    with running(city.settings, "deliver"):
        city.apply()
        until(lambda: not live(city, grant), "the grant's stop")
    publish_without_deliver(2)
    city.grants[grant]["state"] = "ACTIVE"
    with running(city.settings, "deliver"):
        city.apply()
        until(lambda: len(city.data(city.topic(grant))) == 2, "what the resumed grant had missed")
        until(lambda: live(city, grant), "the resumed grant")
    assert len(took()) == 1


def test_what_deliveries_took_is_told_and_judged_and_what_a_new_grant_catches_up_with_is_not(city: City) -> None:
    """A target of a millisecond: every delivery is late."""
    first = city.add_grant("first")
    city.apply()
    with watching(city.settings, Limits(delivery_lag=1)), running(city.settings, "admit", "deliver"):
        until(lambda: live(city, first), "the first grant")
        publish_one(city, 1)
        until(lambda: told_of(city) == {first}, "what the delivery took")
        second = city.add_grant("second")
        city.apply()
        until(lambda: live(city, second) and len(city.data(city.topic(second))) == 1, "the second grant, caught up")
        publish_one(city, 2)
        until(lambda: told_of(city) == {first, second}, "what the second grant's delivery took")
        until(lambda: alarms(city, "DELIVERY_LAG") == 2 * [("operator", False)], "the operator's alarms")
        until(lambda: (rows(city, FRESHNESS.pattern)[-1]["age_ms"] or 0) > 0, "how old the data were")
        for grant in (first, second):
            # Minutes later, as far as the clock of who delivers goes, and in time.
            at = now_ms() + 3 * MINUTE
            whose = {"agency": city.owner, "resource": city.resource, "grant": grant, "records": 1}
            datum = {**whose, "delivered_at": at, "admitted_at": at, "business_time": None}
            say(city, "delivery_pulse", DELIVERY_PULSE.pattern, datum, Principal.role(city.settings, "operator"))
        until(lambda: alarms(city, "DELIVERY_LAG")[2:] == 2 * [("operator", True)], "the alarms' end")
    # Of the second grant one record alone: the other one it caught up with.
    assert [row["records"] for row in rows(city, DELIVERY_PULSE.pattern) if row["grant"] == second] == [1, 1]
