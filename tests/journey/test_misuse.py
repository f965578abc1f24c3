"""Programs that use Publisher and Subscriber wrongly are told so, and what else they handed over is not harmed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus import Change, Publisher, Subscriber
from schemas.errors import UsageError
from schemas.refusals import RefusalCode
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import running

pytestmark = pytest.mark.kafka

NOW = datetime.now(UTC)


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return City(local_bus.settings, tmp_path)


def test_a_change_of_a_wrong_shape_does_not_harm_those_beside_it(city: City) -> None:
    city.apply()
    wrong = [
        Change(permit(2), "2026-01-01"),  # type: ignore[arg-type]  # that is the test
        Change(permit(3), NOW, "CREATE"),  # type: ignore[arg-type]  # as above
        Change(None, NOW),  # type: ignore[arg-type]  # as above
    ]
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        first, *refused, last = publisher.publish(
            city.resource, [Change(permit(1), NOW), *wrong, Change(permit(4), NOW)]
        ).receipts()
        assert first.admitted
        assert last.admitted
        assert [(receipt.code, receipt.refused and receipt.refused.field) for receipt in refused] == [
            (RefusalCode.E_SCHEMA, name) for name in ("business_time", "operation", "data")
        ]
        with pytest.raises(UsageError, match="what is published is a Change, not a dict"):
            publisher.publish(city.resource, [permit(5)])  # type: ignore[list-item]  # as above


def test_who_asks_a_closed_publisher_for_receipts_is_told_at_once(city: City) -> None:
    city.apply()
    # No admit runs: nobody has answered when it is closed.
    with Publisher(city.owner, settings=city.settings) as publisher:
        publication = publisher.publish(city.resource, [Change(permit(1), NOW)])
    with pytest.raises(UsageError, match="the publisher was closed before these receipts came"):
        publication.receipts(timeout_s=600.0)
    with pytest.raises(UsageError, match="the publisher is closed"):
        publisher.publish(city.resource, [Change(permit(1), NOW)])


def test_a_closed_subscriber_says_so_and_may_be_closed_again(city: City) -> None:
    grant = city.add_grant("full")
    city.apply()
    subscriber = Subscriber(city.subscriber, grant=grant, settings=city.settings)
    subscriber.close()
    subscriber.close()
    subscriber.commit()
    with pytest.raises(UsageError, match="the subscriber is closed"):
        subscriber.poll()
