"""What provisioning refuses, puts right and takes away again, on real Kafka and a real registry."""

import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.cimpl import NewPartitions, NewTopic
from confluent_kafka.schema_registry import Schema

from bus.provision.actual import Cluster
from bus.provision.apply import delete_topics, set_config
from bus.provision.register import apply_register_file, init
from bus.provision.rights import READ, TOPIC, WRITE, Right
from bus.wire.clients import Principal, producer
from bus.wire.registry import Registry
from compliance.difference import Action
from schemas.errors import IncompatibleSchemaError, RefusedError, RegisterFileError
from tests.city import City
from tests.local_cluster import LocalBus
from tests.provisioning import (
    actions,
    change_rights,
    edited,
    next_version,
    picture,
    registry_of,
    schema_file,
)
from tests.threads import until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    made = City(local_bus.settings, tmp_path)
    made.add_grant("full")
    return made


# -- what is refused -----------------------------------------------------------------------------------------------


def test_another_number_of_partitions_in_the_file_is_refused_in_words(city: City) -> None:
    city.apply()
    before = picture(city.settings)
    path = edited(city, lambda file: next_version(file, partitions=3))
    with pytest.raises(RegisterFileError, match=r"E_PARTITIONS \(Art 40\): .* a topic is never re-parti"):
        apply_register_file(city.settings, path)
    assert picture(city.settings) == before


def test_a_topic_that_somebody_re_partitioned_stops_every_change_until_it_is_put_right(city: City) -> None:
    city.apply()
    records = f"record.{city.resource}"
    cluster = Cluster(city.settings)
    [future] = cluster.admin.create_partitions([NewPartitions(records, 3)]).values()
    future.result(20)
    until(lambda: cluster.topics()[records].partitions == 3, "a third partition")
    before = picture(city.settings)
    more = city.add_grant("more", ("sex_code",))
    try:
        for attempt in (city.apply, lambda: init(city.settings), lambda: init(city.settings, dry_run=True)):
            with pytest.raises(RefusedError) as refused:
                attempt()
            assert str(refused.value) == (
                f"topic {records} has 3 partitions and its catalogue entry says 2: the number never changes after "
                "creation, or a subject's order would break (decisions 17)"
            )
        assert picture(city.settings) == before
    finally:
        delete_topics(cluster, [records])
        city.apply()
    after = picture(city.settings)
    assert after.topics[records].partitions == 2
    assert city.topic(more) in after.topics


def test_a_version_that_breaks_readers_is_refused_with_its_field_and_nothing_changes(city: City) -> None:
    city.apply()
    before = picture(city.settings)
    name, number = "household_address", list(city.schema.fields).index("household_address")
    wrong = schema_file(city, "wrong.avsc", lambda schema: schema["fields"][number].update(type=["null", "bytes"]))
    city.add_grant("more", ("sex_code",))
    path = edited(city, lambda file: next_version(file, schema=wrong))
    told = rf"edited\.yaml:\d+:3: .*E_INCOMPATIBLE \(Art 38, 40\): .*: {name} has another type in version 1"
    for dry_run in (True, False):
        with pytest.raises(RegisterFileError, match=told):
            apply_register_file(city.settings, path, dry_run=dry_run)
    assert picture(city.settings) == before


def test_a_schema_that_the_registry_refuses_is_told_before_anything_changes(city: City) -> None:
    """Somebody registered a schema of his own under the name of a topic that is still to come."""
    subject = f"record.{city.resource}-value"
    odd = {"type": "record", "name": "Odd", "fields": [{"name": "must", "type": "string"}]}
    registry_of(city.settings).register_schema(subject, Schema(json.dumps(odd), "AVRO"))
    before = picture(city.settings)
    for dry_run in (True, False):
        with pytest.raises(IncompatibleSchemaError) as refused:
            apply_register_file(city.settings, city.register_file(), dry_run=dry_run)
        assert str(refused.value) == (
            f"{subject}: the registry refuses the schema as incompatible with an earlier version (Art 40)"
        )
    assert picture(city.settings) == before


def test_a_version_that_every_reader_understands_is_registered_beside_the_first(city: City) -> None:
    city.apply()
    more = {
        "name": "nickname",
        "type": ["null", "string"],
        "default": None,
        "cn": "曾用名",
        "section": "open",
        "sharing": "CONDITIONAL",
    }
    wider = schema_file(city, "wider.avsc", lambda schema: schema["fields"].append(more))
    path = edited(city, lambda file: next_version(file, schema=wider))
    report = apply_register_file(city.settings, path)
    assert actions(report)[f"catalogue {city.resource}@2"] is Action.ADD
    registry = Registry(city.settings, Principal.role(city.settings, "operator"))
    for topic in (f"change.{city.owner}.{city.resource}", f"record.{city.resource}"):
        assert len(registry.versions(topic)) == 2
    assert apply_register_file(city.settings, path).steps == ()


# -- what others changed -------------------------------------------------------------------------------------------


def test_what_somebody_changed_is_put_right_and_what_is_his_own_is_told_and_left(city: City) -> None:
    city.apply()
    init(city.settings)
    before = picture(city.settings)
    cluster = Cluster(city.settings)
    corridor = f"change.{city.owner}.{city.resource}"
    set_config(cluster, corridor, {"retention.ms": "604800000"})
    lost = Right(f"User:agency-{city.owner}", TOPIC, f"receipt.{city.owner}", READ)
    given = Right(f"User:agency-{city.owner}", TOPIC, "record.", READ, prefixed=True)
    foreign = Right(f"User:stranger-{city.suffix}", TOPIC, "record.", READ, prefixed=True)
    denied = Right(f"User:agency-{city.owner}", TOPIC, corridor, WRITE, permission="DENY")
    change_rights(cluster, [given, foreign, denied], [lost])
    until(lambda: lost not in cluster.rights() and foreign in cluster.rights(), "the change of rights")
    try:
        report = init(city.settings)
        assert report.steps == (
            f"configure topic {corridor}: retention.ms 604800000 → {city.settings.corridor_retention_ms}",
            f"allow {lost}",
            f"take away {given}",
        )
        told = "\n".join(report.warnings)
        for right in (foreign, denied):
            assert f"foreign principal {right.principal} has rights that the register does not know (Art 10)" in told
        now = picture(city.settings)
        assert now.rights == before.rights | {foreign, denied}
        assert now.configs == before.configs
        assert init(city.settings).steps == ()
    finally:
        change_rights(cluster, [], [foreign, denied])


# -- the end of a grant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("disposal", "there", "left"), [("DELETE", False, 0), ("PURGE", True, 0), ("RETAIN", True, 3)])
def test_an_ended_grant_loses_its_right_and_its_topic_goes_as_the_grant_says(
    city: City, disposal: str, *, there: bool, left: int
) -> None:
    grant = city.add_grant("ends", ("sex_code",), disposal=disposal)
    city.apply()
    topic = city.topic(grant)
    right = Right(f"User:agency-{city.subscriber}", TOPIC, topic, READ)
    writer = producer(city.settings, Principal.role(city.settings, "operator"))
    for number in range(3):
        writer.produce(topic, key=str(number).encode(), value=b"x", partition=number % 2)
    assert writer.flush(20) == 0
    assert right in Cluster(city.settings).rights()
    city.grants[grant]["state"] = "REVOKED"
    city.apply()
    cluster = Cluster(city.settings)
    assert right not in cluster.rights()
    assert (topic in cluster.topics()) is there
    if there:
        assert sum(cluster._left({topic: 2}).values()) == left
    assert city.apply().steps == ()


def test_a_suspended_grant_loses_its_right_for_as_long_as_it_is_suspended(city: City) -> None:
    full = next(iter(city.grants))
    city.apply()
    right = Right(f"User:agency-{city.subscriber}", TOPIC, city.topic(full), READ)
    for state, may in (("SUSPENDED", False), ("ACTIVE", True)):
        city.grants[full]["state"] = state
        city.apply()
        cluster = Cluster(city.settings)
        assert (right in cluster.rights()) is may
        assert city.topic(full) in cluster.topics()


# -- names that Kafka takes for one --------------------------------------------------------------------------------


def test_kafka_itself_takes_a_dot_and_an_underscore_for_the_same(city: City) -> None:
    client = Cluster(city.settings).admin
    one, other = f"dots.{city.suffix}.and_bars", f"dots.{city.suffix}_and.bars"
    client.create_topics([NewTopic(one, 1, 1)])[one].result(20)
    with pytest.raises(KafkaException, match=rf"Topic '{other}' collides with existing topic: {one}"):
        client.create_topics([NewTopic(other, 1, 1)])[other].result(20)


def test_codes_whose_topics_would_collide_are_refused_in_words_before_anything_is_made(city: City) -> None:
    resource = f"b_{city.resource}"
    schema = schema_file(city, "second.avsc", lambda content: content.update(resource=resource, name="Second"))

    def collide(file: dict[str, Any]) -> None:
        file["agencies"].append({**file["agencies"][0], "code": f"{city.owner}_b", "certificates": []})
        first = file["catalogue"][0]
        file["catalogue"].append({**first, "resource": resource, "schema": schema})
        first["owners"] = [{"agencies": [f"{city.owner}_b"]}]

    before = picture(city.settings)
    with pytest.raises(RefusedError) as refused:
        apply_register_file(city.settings, edited(city, collide))
    assert str(refused.value) == (
        f"topic change.{city.owner}.{resource} cannot be beside topic change.{city.owner}_b.{city.resource}: Kafka "
        "takes `.` and `_` in a name for the same; choose another code for the agency or the resource"
    )
    assert picture(city.settings) == before
