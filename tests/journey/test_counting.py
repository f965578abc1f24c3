"""What the bus counted, read from the topics: the rows that figures take are what was published and delivered."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus import Change, Operation, Publisher
from bus.provision.actual import Cluster
from bus.provision.register import read_register
from bus.register.counting import count
from compliance.busfacts import facts_json, read_facts
from compliance.catalogue import local_date
from compliance.period import period
from schemas.refusals import RefusalCode
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import running, until

pytestmark = pytest.mark.kafka


def test_a_period_is_counted_as_it_flowed_and_another_one_is_empty(local_bus: LocalBus, tmp_path: Path) -> None:
    city = City(local_bus.settings, tmp_path)
    grant = city.add_grant("full")
    city.apply()
    today = datetime.now(UTC)
    good = [Change(permit(index, registration_authority_division="441302"), today) for index in range(8)]
    foreign = Change(permit(98, registration_authority_division="440305"), today)
    with running(city.settings, "admit", "deliver"), Publisher(city.owner, settings=city.settings) as publisher:
        first = publisher.publish(city.resource, [*good, foreign]).receipts()
        corrected = Change(
            permit(0, registration_authority_division="441302"),
            today,
            operation=Operation.CORRECT,
            supersedes=first[0].event_id,
        )
        publisher.publish(city.resource, [corrected]).receipts()
        until(lambda: len(city.data(city.topic(grant))) == 9, "every delivery")
    view = read_register(Cluster(city.settings))
    rows = count(city.settings, view, period(str(local_date(today).year)))
    ours = {(row.agency, row.resource): row for row in rows if row.resource == city.resource}
    assert set(ours) == {(city.owner, city.resource), (city.subscriber, city.resource)}
    supplied, received = ours[city.owner, city.resource], ours[city.subscriber, city.resource]
    assert (supplied.supplied, supplied.admitted, supplied.corrections) == (10, 9, 1)
    assert supplied.refused == {RefusalCode.E_OWNER: 1}
    assert (received.supplied, received.delivered) == (0, 9)
    assert f"{city.topic(grant)}/" in received.source
    assert "pulse/" in supplied.source
    file = tmp_path / "facts.json"
    file.write_text(facts_json(rows), encoding="utf-8")
    assert read_facts(file) == rows
    assert count(city.settings, view, period("2020")) == ()
