"""The main job on real Kafka: publish, admit, refuse, deliver, withdraw, revoke; and what must never be seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient

from bus import Change, Classification, Operation, Publisher, Subscriber
from bus.wire.clients import Principal, consumer
from bus.wire.table import end_offsets
from schemas.errors import NotProvisionedError, RefusedError
from tests.builders import canary_person, permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.main_job import at_work, changes, now
from tests.threads import WAIT_S, running, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return City(local_bus.settings, tmp_path)


@pytest.fixture
def open_city(city: City) -> Iterator[tuple[City, str, str]]:
    with at_work(city) as found:
        yield found


def test_what_is_published_is_admitted_or_refused_and_delivered_as_the_grants_say(
    open_city: tuple[City, str, str],
) -> None:
    city, full, county = open_city
    good = [Change(permit(index, registration_authority_division="441302"), now()) for index in range(20)]
    good += [Change(permit(index, registration_authority_division="441303"), now()) for index in range(20, 50)]
    wrong = Change({**permit(99), "id_number": "441302199003070010", "id_type": "111"}, now())
    foreign = Change(permit(98, registration_authority_division="440305"), now())
    with Publisher(city.owner, settings=city.settings) as publisher:
        publication = publisher.publish(city.resource, [*good, wrong, foreign])
        receipts = publication.receipts()
    assert [receipt.admitted for receipt in receipts] == [True] * 50 + [False, False]
    assert receipts[50].code == "E_ID_INVALID"
    assert receipts[51].code == "E_OWNER"
    assert receipts[51].article == "5, 11"
    assert "owner" in (receipts[51].reason or "")
    until(lambda: len(city.data(city.topic(full))) >= 50, "fifty deliveries")
    until(lambda: len(city.data(city.topic(county))) >= 20, "twenty deliveries")
    delivered = city.data(city.topic(full))
    assert {str(row["event_id"]) for row in delivered} == {receipt.event_id for receipt in receipts[:50]}
    assert {row["data"]["id_number"] for row in delivered} == {change.data["id_number"] for change in good}
    rows = city.data(city.topic(county))
    assert len(rows) == 20
    assert all(set(row["data"]) == {"sex_code", "residence_county"} for row in rows)
    # The official refusal stands on the agency's own topic, with the position and without the number.
    [refusal] = city.data(f"refused.{city.owner}")
    assert (refusal["code"], refusal["article"]) == ("E_OWNER", "5, 11")
    assert refusal["topic"] == f"change.{city.owner}.{city.resource}"


def test_a_new_grant_gets_the_current_state_and_then_what_comes(open_city: tuple[City, str, str]) -> None:
    city, full, _ = open_city
    with Publisher(city.owner, settings=city.settings) as publisher:
        assert all(r.admitted for r in publisher.publish(city.resource, changes(30)).receipts())
        newer = [Change(change.data, now()) for change in changes(10)]
        assert all(r.admitted for r in publisher.publish(city.resource, newer).receipts())
        gone = Change(changes(30)[29].data, now(), Operation.WITHDRAW)
        assert all(r.admitted for r in publisher.publish(city.resource, [gone]).receipts())
        until(lambda: len(city.data(city.topic(full))) == 41, "everything at the first grant")
        late = city.add_grant("late", ("name",))
        city.apply()
        until(lambda: len(city.data(city.topic(late))) >= 29, "the current state")
        assert all(r.admitted for r in publisher.publish(city.resource, changes(5, seed=500)).receipts())
        until(lambda: len(city.data(city.topic(late))) >= 34, "what came since")
    rows = city.data(city.topic(late))
    # The latest of each of the 29 that were not withdrawn, and the five new ones; no version twice.
    assert len(rows) == 34
    assert len({row["event_id"] for row in rows}) == 34
    assert all(row["operation"] != "WITHDRAW" for row in rows)


def test_nothing_is_delivered_under_a_revoked_grant_and_its_right_is_gone(open_city: tuple[City, str, str]) -> None:
    city, full, county = open_city
    with Publisher(city.owner, settings=city.settings) as publisher:
        here = [Change(permit(i, registration_authority_division="441302"), now()) for i in range(5)]
        publisher.publish(city.resource, here).receipts()
        until(lambda: len(city.data(city.topic(county))) == 5, "the deliveries before")
        with Subscriber(city.subscriber, grant=county, settings=city.settings) as before:
            until(lambda: before.poll(0.2) is not None, "a delivery to the subscriber")
            city.grants[county]["state"] = "REVOKED"
            city.apply()
            publisher.publish(city.resource, here).receipts()
            until(lambda: len(city.data(city.topic(full))) == 10, "the other grant's deliveries")
            assert len(city.data(city.topic(county))) == 5

            def ended() -> bool:
                try:
                    before.poll(0.2)
                except RefusedError:
                    return True
                return False

            until(ended, "the end of the subscription")
    with pytest.raises(RefusedError, match="no active grant"):
        Subscriber(city.subscriber, grant=county, settings=city.settings)


def test_a_record_that_leaves_the_rows_leaves_the_subscriber_with_a_reason(open_city: tuple[City, str, str]) -> None:
    city, _, county = open_city
    inside = permit(7, registration_authority_division="441302")
    with Publisher(city.owner, settings=city.settings) as publisher:
        publisher.publish(city.resource, [Change(inside, now())]).receipts()
        moved = {**inside, "registration_authority_division": "441303"}
        publisher.publish(city.resource, [Change(moved, now())]).receipts()
    until(lambda: len(city.read(city.topic(county))) == 3, "row, leave event, tombstone")
    values = [message.value() for message in city.read(city.topic(county))]
    assert values[2] is None
    assert [(row["operation"], row["reason"]) for row in city.data(city.topic(county))] == [
        ("UPDATE", None),
        ("WITHDRAW", "LEFT_ROWS"),
    ]


def test_classified_changes_are_refused_before_a_byte_is_written(open_city: tuple[City, str, str]) -> None:
    city, _, _ = open_city
    with Publisher(city.owner, settings=city.settings, classification=Classification.SECRET) as publisher:
        [receipt] = publisher.publish(city.resource, changes(1)).receipts()
    assert receipt.code == "E_STATE_SECRET"
    assert city.read(f"change.{city.owner}.{city.resource}") == []


def test_poison_is_refused_and_the_partition_goes_on(open_city: tuple[City, str, str]) -> None:
    city, full, _ = open_city
    topic = f"change.{city.owner}.{city.resource}"
    raw = Producer({**LocalBus(city.settings).agency(city.owner), "message.max.bytes": 16_000_000, "linger.ms": 5})
    poison = [b"", b"rubbish", b"\x00\x7f\xff\xff\xffnot a schema", b"\x00" + b"\x00" * 30, b"\x01" * 10_000_000]
    for value in poison:
        raw.produce(topic, value=value, partition=0)
    assert raw.flush(30) == 0
    with Publisher(city.owner, settings=city.settings) as publisher:
        assert all(r.admitted for r in publisher.publish(city.resource, changes(6)).receipts())
    until(lambda: len(city.data(city.topic(full))) == 6, "the good ones behind the poison")
    refusals = city.data(f"refused.{city.owner}")
    assert len(refusals) == len(poison)
    assert {row["index"] for row in refusals} == {-1}


def test_an_agency_can_neither_write_for_another_nor_read_what_is_not_its_own(open_city: tuple[City, str, str]) -> None:
    city, full, _ = open_city
    errors: list[KafkaError | None] = []
    stranger = Producer(LocalBus(city.settings).agency(city.other))
    stranger.produce(
        f"change.{city.owner}.{city.resource}", value=b"x", on_delivery=lambda error, _: errors.append(error)
    )
    stranger.flush(WAIT_S)
    assert errors[0] is not None
    assert errors[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    for topic in (city.topic(full), f"record.{city.resource}", f"refused.{city.owner}", "register.grant"):
        reader = consumer(city.settings, Principal.agency(city.settings, city.other), f"{city.other}.spy")
        reader.subscribe([topic])
        seen: list[int] = []

        def refused(reader: object = reader, seen: list[int] = seen) -> bool:
            message = reader.poll(0.2)  # type: ignore[attr-defined]
            if message is not None:
                assert message.error() is not None
                seen.append(message.error().code())
            return bool(seen)

        until(refused, f"the refusal on {topic}")
        assert seen[0] == KafkaError.TOPIC_AUTHORIZATION_FAILED
        reader.close()
    with pytest.raises(RefusedError):
        Subscriber(city.other, settings=city.settings)
    with pytest.raises(NotProvisionedError):
        Publisher("nobody", settings=city.settings)


def test_a_canary_identity_is_nowhere_but_in_the_corridor_and_the_granted_delivery(
    open_city: tuple[City, str, str],
) -> None:
    city, full, county = open_city
    canary = canary_person()
    number, name = str(canary["citizen_id_number"]), str(canary["name"])
    row = permit(
        3, id_type="111", id_number=number, name=name, birth_date=None, registration_authority_division="441302"
    )
    row["birth_date"] = permit(3)["birth_date"]
    bad = {**row, "sex_code": "7"}
    with Publisher(city.owner, settings=city.settings) as publisher:
        good = publisher.publish(city.resource, [Change(row, now())]).receipts()
        refused = publisher.publish(city.resource, [Change(bad, now())]).receipts()
    assert good[0].admitted
    assert refused[0].code == "E_CODE"
    until(lambda: len(city.data(city.topic(county))) >= 1, "the delivery without identity")
    until(lambda: len(city.data(city.topic(full))) >= 1, "the delivery with identity")
    marks = [number.encode(), name.encode()]
    admin = AdminClient(LocalBus(city.settings).operator())
    topics = [name for name in admin.list_topics(timeout=20).topics if not name.startswith("__")]
    seen = {
        message.topic()
        for message in city.read(*topics)
        if any(mark in (message.key() or b"") + (message.value() or b"") for mark in marks)
    }
    assert seen <= {f"change.{city.owner}.{city.resource}", city.topic(full)}
    assert city.topic(full) in seen
    for log in (city.settings.state_dir / "log").glob("*"):
        assert not any(mark in log.read_bytes() for mark in marks)


def test_the_corridor_is_purged_behind_the_committed_position(city: City) -> None:
    city.add_grant("full")
    city.apply()
    quick = city.settings.model_copy(update={"purge_interval_s": 0.2})
    topic = f"change.{city.owner}.{city.resource}"
    with running(quick, "admit"):
        with Publisher(city.owner, settings=city.settings) as publisher:
            publisher.publish(city.resource, changes(20)).receipts()
        until(lambda: city.read(topic) == [], "an empty corridor")
    admin = AdminClient(LocalBus(city.settings).operator())
    assert sum(end_offsets(admin, [(topic, 0), (topic, 1)], 20).values()) > 0


def test_an_unprovisioned_publisher_is_told_so(city: City) -> None:
    with pytest.raises(NotProvisionedError):
        Publisher(city.owner, settings=city.settings)
