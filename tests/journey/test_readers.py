"""Who reads a delivery on real Kafka: Subscriber, sink, Kafka's console consumer, Confluent's own deserializer."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from sqlalchemy import create_engine, text

from bus import Change, Operation, Publisher, Subscriber
from bus.local.artifacts import install, java
from bus.workers.sink import SinkConfig, SinkWorker
from tests.city import City
from tests.local_cluster import LocalBus, tool_properties
from tests.main_job import at_work, changes, now
from tests.threads import in_thread, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return City(local_bus.settings, tmp_path)


@pytest.fixture
def open_city(city: City) -> Iterator[tuple[City, str, str]]:
    with at_work(city) as found:
        yield found


def test_the_subscriber_gets_typed_records_with_provenance_and_no_repeats(open_city: tuple[City, str, str]) -> None:
    city, full, _ = open_city
    rows = changes(10)
    with Publisher(city.owner, settings=city.settings) as publisher:
        receipts = publisher.publish(city.resource, rows).receipts()
    found = []
    with Subscriber(city.subscriber, grant=full, settings=city.settings) as subscriber:
        for record in subscriber:
            found.append(record)
            if len(found) == 10:
                break
        subscriber.commit()
    assert {record.event_id for record in found} == {receipt.event_id for receipt in receipts}
    assert {record.owner for record in found} == {city.owner}
    assert {record.catalogue_version for record in found} == {1}
    birth = {change.data["id_number"]: change.data["birth_date"] for change in rows}
    assert all(record.data and birth[record.data["id_number"]] == record.data["birth_date"] for record in found)
    assert str(rows[0].data["id_number"]) not in repr(found)


def test_a_plain_console_consumer_reads_a_delivery(open_city: tuple[City, str, str], tmp_path: Path) -> None:
    city, full, _ = open_city
    with Publisher(city.owner, settings=city.settings) as publisher:
        publisher.publish(city.resource, changes(3)).receipts()
    until(lambda: len(city.data(city.topic(full))) == 3, "three deliveries")
    folder = city.settings.state_dir / "agencies" / city.subscriber
    config = tool_properties(folder, tmp_path)
    program = install(city.settings.cache_dir, "kafka")
    command = [
        java(),
        "-cp",
        f"{program.folder}/*",
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        "--bootstrap-server",
        city.settings.bootstrap_servers,
        "--topic",
        city.topic(full),
        "--group",
        f"{city.subscriber}.console",
        "--from-beginning",
        "--max-messages",
        "3",
        "--timeout-ms",
        "60000",
        "--command-config",
        str(config),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert b"Processed a total of 3 messages" in done.stderr + done.stdout
    assert full.encode() in done.stdout


def test_confluents_own_deserializer_reads_a_delivery(open_city: tuple[City, str, str]) -> None:
    city, full, _ = open_city
    row = changes(1)
    with Publisher(city.owner, settings=city.settings) as publisher:
        publisher.publish(city.resource, row).receipts()
    until(lambda: len(city.data(city.topic(full))) == 1, "a delivery")
    folder = city.settings.state_dir / "agencies" / city.subscriber
    registry = SchemaRegistryClient(
        {
            "url": city.settings.registry_url,
            "ssl.ca.location": str(folder / "ca.crt"),
            "ssl.certificate.location": str(folder / "tls.crt"),
            "ssl.key.location": str(folder / "tls.key"),
        }
    )
    read = AvroDeserializer(registry)
    [message] = city.read(city.topic(full))
    value = read(message.value(), SerializationContext(city.topic(full), MessageField.VALUE))
    assert value["data"]["id_number"] == row[0].data["id_number"]
    assert value["data"]["birth_date"] == row[0].data["birth_date"]


def test_a_sink_keeps_the_current_rows_in_a_table_exactly_once(
    open_city: tuple[City, str, str], tmp_path: Path
) -> None:
    city, full, _ = open_city
    config = SinkConfig(
        agency=city.subscriber, grant=full, url=f"sqlite:///{tmp_path / 'copy.sqlite'}", table="permits"
    )
    rows = changes(6)

    def copied() -> set[object]:
        with create_engine(config.url).connect() as connection:
            return set(connection.execute(text("select residence_permit_number from permits")).scalars())

    def numbers(*wanted: Change) -> set[object]:
        return {change.data["residence_permit_number"] for change in wanted}

    with Publisher(city.owner, settings=city.settings) as publisher:
        publisher.publish(city.resource, rows).receipts()
        with in_thread(SinkWorker(city.settings, config)):
            until(lambda: copied() == numbers(*rows), "six rows")
        # While the sink is down: a new version, a withdrawal, two new records.
        publisher.publish(city.resource, [Change(rows[0].data, now())]).receipts()
        publisher.publish(city.resource, [Change(rows[1].data, now(), Operation.WITHDRAW)]).receipts()
        newest = publisher.publish(city.resource, changes(2, seed=700)).receipts()
        with in_thread(SinkWorker(city.settings, config)):
            # Seven are there also before the withdrawal, when one of the two new ones has come alone.
            wanted = numbers(rows[0], *rows[2:], *changes(2, seed=700))
            until(lambda: copied() == wanted, "the seven rows that stand")
    with create_engine(config.url).connect() as connection:
        events = set(connection.execute(text("select bus_event_id from permits")).scalars())
        assert connection.execute(text("select count(*) from permits")).scalar() == len(wanted) == 7
    assert {receipt.event_id for receipt in newest} <= events
