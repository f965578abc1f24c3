"""Two numbers, one subject, on real Kafka: what stood under the old number goes on under the new one (Art 15)."""

from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bus import Change, Operation, Publisher, Subscriber
from bus.demo.people import TODAY, Maker, Row
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S, running, until

pytestmark = pytest.mark.kafka
LINK = "identity_link"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    city = City(local_bus.settings, tmp_path)
    city.add_resource("birth_certificate")
    city.add_resource(LINK)
    return city


def link(old: tuple[str, str], new: tuple[str, str], kind: str = "NUMBER_ASSIGNED") -> Row:
    return {
        "old_id_type": old[0],
        "old_id_number": old[1],
        "new_id_type": new[0],
        "new_id_number": new[1],
        "kind": kind,
        "effective_on": TODAY,
        "basis": None,
    }


def publish(city: City, resource: str, *rows: Row, operation: Operation = Operation.UPDATE) -> list[str | None]:
    with Publisher(city.owner, settings=city.settings) as publisher:
        changes = [Change(row, now(), operation=operation) for row in rows]
        return [receipt.code for receipt in publisher.publish(resource, changes).receipts()]


def standing(city: City, topic: str) -> dict[bytes, dict[str, Any]]:
    """What compaction would leave on a topic."""
    last = dict(city.entries(topic))
    return {key: row for key, row in last.items() if row is not None}


def newborn(seed: int) -> tuple[Row, tuple[str, str], tuple[str, str]]:
    """A birth certificate, its own number and the citizen number that the child is given."""
    maker = Maker(Random(seed))  # noqa: S311  tests must repeat
    row = maker.row("birth_certificate")
    number = maker.citizen_number("441302", row["birth_date"], row["sex_code"])
    return row, ("117", row["birth_certificate_number"]), ("111", number)


def test_a_newborn_gets_a_citizen_number_and_every_subscriber_sees_one_subject(city: City) -> None:
    births = f"birth_certificate_{city.suffix}"
    grant = city.add_grant("births", resource=births)
    permits = city.add_grant("permits")
    city.apply()
    row, certificate, citizen = newborn(1)
    child = permit(5, id_type="111", id_number=citizen[1], birth_date=row["birth_date"])
    with running(city.settings, "admit", "deliver", "relocate"):
        assert publish(city, births, row) == [None]
        assert publish(city, city.resource, child) == [None]
        until(lambda: len(city.data(city.topic(grant))) == 1, "the birth under its certificate")
        assert publish(city, f"{LINK}_{city.suffix}", link(certificate, citizen)) == [None]
        until(lambda: len(city.data(city.topic(grant))) == 3, "the birth under the citizen number")
        # What is published under the old number afterwards finds its way too.
        corrected = {**row, "mother_name": "林小云"}
        assert publish(city, births, corrected) == [None]
        until(lambda: len(city.data(city.topic(grant))) == 4, "the corrected birth")
        until(lambda: len(city.data(city.topic(permits))) == 1, "the child's permit")
    events = city.decoded(city.topic(grant))
    [first] = [
        event for event in events if event[1]["moved_at"] is None and event[1]["data"]["mother_name"] != "林小云"
    ]
    [left] = [event for event in events if event[1]["operation"] == "WITHDRAW"]
    [moved] = [event for event in events if event[1]["moved_at"] and event[1]["data"]]
    [later] = [event for event in events if event[1]["data"] and event[1]["data"]["mother_name"] == "林小云"]
    assert left[0] == first[0]
    assert left[1]["reason"] == "IDENTITY_LINK"
    assert left[1]["data"] is None
    assert moved[1]["event_id"] == first[1]["event_id"]
    assert moved[1]["data"] == first[1]["data"]
    assert left[1]["moved_to"] == moved[1]["subject"] != first[1]["subject"]
    assert later[1]["subject"] == moved[1]["subject"]
    # One subject across the subscriber's grants: the child's permit stands under the same pseudonym.
    [(_, permit_row)] = city.decoded(city.topic(permits))
    assert permit_row["subject"] == moved[1]["subject"]
    assert list(standing(city, city.topic(grant))) == [moved[0]]
    with Subscriber(city.subscriber, grant=grant, settings=city.settings) as subscriber:
        seen = [record for _ in range(4) for record in subscriber.batch(1, timeout_s=WAIT_S)]
    assert {record.operation for record in seen if record.reason == "IDENTITY_LINK"} == {"WITHDRAW"}
    # The two numbers may lie on two partitions, which a subscriber reads in any order; each keeps its own.
    at_home = [record for record in seen if record.subject == moved[1]["subject"]]
    assert [record.data and record.data["mother_name"] for record in at_home] == [row["mother_name"], "林小云"]


def test_a_wrong_number_is_corrected_in_a_chain_and_the_later_publication_stays(city: City) -> None:
    grant = city.add_grant("all")
    city.apply()
    maker = Maker(Random(3))  # noqa: S311  tests must repeat
    numbers = [maker.citizen_number("441302", date(1990, 1, 1), "1") for _ in range(3)]
    rows = [permit(7, id_type="111", id_number=number, residence_permit_number="441302000000077") for number in numbers]
    links = f"{LINK}_{city.suffix}"
    with running(city.settings, "admit", "deliver", "relocate"):
        for index, row in enumerate(rows):
            assert publish(city, city.resource, {**row, "residence_committee": f"第{index}版"}) == [None]
        until(lambda: len(standing(city, f"record.{city.resource}")) == 3, "three records")
        # 0 → 1 and then 1 → 2: everything ends under 2, with what was published last.
        assert publish(city, links, link(("111", numbers[0]), ("111", numbers[1]), "CORRECTED")) == [None]
        assert publish(city, links, link(("111", numbers[1]), ("111", numbers[2]), "CORRECTED")) == [None]
        until(lambda: len(standing(city, f"record.{city.resource}")) == 1, "one record")

        def delivered() -> list[str]:
            return [row["data"]["residence_committee"] for row in standing(city, city.topic(grant)).values()]

        # One alone may also be the first, while deliver is still on its way to the others.
        until(lambda: delivered() == ["第2版"], "one delivered record, the last one")


def test_a_link_that_contradicts_one_that_stands_is_refused(city: City) -> None:
    city.apply()
    links = f"{LINK}_{city.suffix}"
    maker = Maker(Random(9))  # noqa: S311  tests must repeat
    old, new, other = (("111", maker.citizen_number("441302", date(1985, 5, 5), "2")) for _ in range(3))
    with running(city.settings, "admit"):
        assert publish(city, links, link(old, new, "CORRECTED")) == [None]
        assert publish(city, links, link(old, new, "CORRECTED")) == [None]
        assert publish(city, links, link(old, other, "CORRECTED")) == ["E_LINK"]
        assert publish(city, links, link(new, new, "CORRECTED")) == ["E_LINK"]
        assert publish(city, links, link(old, ("111", "441302199003070010"), "CORRECTED")) == ["E_ID_INVALID"]
        assert publish(city, links, link(old, new, "CORRECTED"), operation=Operation.WITHDRAW) == [None]
        assert publish(city, links, link(old, other, "CORRECTED")) == [None]
