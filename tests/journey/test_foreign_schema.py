"""What others put into the registry or the register stops nobody: admit refuses what it cannot read and goes on."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference

from bus import Change, Publisher
from bus.provision.register import apply_register_file
from schemas.codec import frame
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.provisioning import edited, registry_of
from tests.sm2 import SM2
from tests.threads import running

pytestmark = pytest.mark.kafka
DRAFT = '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}'


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return City(local_bus.settings, tmp_path)


def changes(count: int) -> list[Change]:
    return [Change(permit(seed), datetime.now(UTC)) for seed in range(count)]


def test_a_submission_that_cites_a_schema_of_another_kind_is_refused_and_the_next_is_admitted(city: City) -> None:
    """One that refers to a schema elsewhere, whose types no text of its own explains; and one that is no Avro at all."""
    city.apply()
    registry = registry_of(city.settings)
    inner = {"type": "record", "name": "Inner", "namespace": "elsewhere", "fields": [{"name": "a", "type": "string"}]}
    outer = {"type": "record", "name": "Outer", "fields": [{"name": "inner", "type": "elsewhere.Inner"}]}
    base = f"elsewhere-{city.suffix}"
    registry.register_schema(base, Schema(json.dumps(inner), "AVRO"))
    reference = SchemaReference("elsewhere.Inner", base, 1)
    referring = registry.register_schema(f"referring-{city.suffix}", Schema(json.dumps(outer), "AVRO", [reference]))
    other = registry.register_schema(f"json-{city.suffix}", Schema(DRAFT, "JSON"))
    raw = Producer(LocalBus(city.settings).agency(city.owner))
    for schema_id in (referring, other, 2**31 - 1):
        raw.produce(f"change.{city.owner}.{city.resource}", value=frame(schema_id, b"\x02a"), partition=0)
    assert raw.flush(30) == 0
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        assert all(receipt.admitted for receipt in publisher.publish(city.resource, changes(8)).receipts())
    assert len(city.data(f"refused.{city.owner}")) == 3


def test_an_agency_with_a_certificate_of_another_algorithm_beside_its_own_is_served(city: City) -> None:
    path = edited(city, lambda file: file["agencies"][0]["certificates"].insert(0, {"pem": SM2}))
    apply_register_file(city.settings, path)
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        assert all(receipt.admitted for receipt in publisher.publish(city.resource, changes(3)).receipts())
