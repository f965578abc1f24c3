"""The catalogue moves on, on real Kafka and registry: registry and catalogue never disagree, and no grant widens.

What is tried: a schema without a catalogue change, a next version that does not fit, one that does, a field that is
deprecated, a resource that changes its owner, and the register's own events of an older bus.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from bus import Change, Publisher
from bus.provision.actual import Cluster
from bus.provision.register import apply_register_file, init, read_register
from bus.publishing.assemble import Prepared, Signer, prepare, sign
from bus.wire.clients import Principal
from bus.wire.registry import Registry
from compliance.catalogue import schema_of
from compliance.entry import CatalogueEntry
from schemas.codec import Codec, frame_head
from schemas.errors import IncompatibleSchemaError, RegisterFileError
from schemas.resource import envelope
from schemas.words import Receipt
from tests.builders import permit
from tests.city import City, today
from tests.command import Command
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S, running, until

pytestmark = pytest.mark.kafka
CANARY = "canary-nickname"
NICKNAME = {
    "name": "nickname",
    "type": ["null", "string"],
    "default": None,
    "doc": "Another name.",
    "cn": "别名",
    "article": "19",
    "section": "identity",
    "sharing": "CONDITIONAL",
}
FIRST_REGISTER = Path(__file__).parents[1] / "data" / "register_catalogue_first.avsc"


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    """A city with a grant of every field that its resource has at first; the register is applied."""
    known = City(local_bus.settings, tmp_path)
    known.add_grant("full")
    known.apply()
    return known


def now() -> datetime:
    return datetime.now(UTC)


def with_field(city: City, *more: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The city's schema with further fields, or with attributes of the present ones changed."""
    avro: dict[str, Any] = json.loads(json.dumps(city.schema.avro))
    for spec in avro["fields"]:
        spec.update(changed.get(spec["name"], {}))
    avro["fields"] += more
    return avro


def registry_of(city: City) -> Registry:
    return Registry(city.settings, Principal.role(city.settings, "operator"))


def entry_of(city: City, version: int) -> CatalogueEntry:
    found = read_register(Cluster(city.settings)).entry_version(city.resource, version)
    assert found is not None
    return found


def change_topic(city: City) -> str:
    return f"change.{city.owner}.{city.resource}"


def standing(city: City) -> dict[str, Any]:
    """What registry, register and Kafka hold of the city's resource."""
    registry = registry_of(city)
    cluster = Cluster(city.settings)
    topics = sorted(name for name in cluster.topics() if city.suffix in name)
    versions = read_register(cluster).versions(city.resource)
    return {
        "schemas": {topic: registry.versions(topic) for topic in topics},
        "catalogue": [(entry.version, entry.state, entry.avro) for entry in versions],
        "topics": topics,
    }


def schemas_agree(city: City, grants: Sequence[str]) -> None:
    """The registry holds of each governed topic exactly the schemas of the catalogue's versions."""
    registry = registry_of(city)
    entries = read_register(Cluster(city.settings)).versions(city.resource)
    layouts = [schema_of(entry) for entry in entries]
    wanted = {
        change_topic(city): [layout.submission for layout in layouts],
        f"record.{city.resource}": [layout.record for layout in layouts],
        **{
            city.topic(grant): [layout.delivery(city.grants[grant]["fields"]) for layout in layouts] for grant in grants
        },
    }
    for topic, codecs in wanted.items():
        known = [json.loads(text) for text in registry.versions(topic)]
        distinct = list({codec.text: codec.schema for codec in codecs}.values())
        assert known == distinct, topic


def publish_as(city: City, entry: CatalogueEntry, rows: Sequence[dict[str, Any]], schema_id: int | None = None) -> str:
    """Send a submission that cites and is written with one version, as a publisher that knows no other; its id."""
    registry = registry_of(city)
    topic = change_topic(city)
    head = registry.head(topic, schema_of(entry).submission)
    prepared = [prepare(entry, Change(row, now()), today()) for row in rows]
    good = [change for change in prepared if isinstance(change, Prepared)]
    assert len(good) == len(rows)
    signer = Signer(city.settings.state_dir / "agencies" / city.owner)
    signed = sign(signer, city.owner, entry, "R-1", head, good, now())
    producer = Producer(LocalBus(city.settings).agency(city.owner))
    producer.produce(topic, value=signed.value, partition=signed.partition, headers=signed.headers)
    assert producer.flush(30) == 0
    assert schema_id is None or signed.value[1:5] == schema_id.to_bytes(4, "big")
    return signed.submission_id


def receipt(city: City, submission: str) -> dict[str, Any]:
    """The receipt of a submission, once admit has answered."""
    found: list[dict[str, Any]] = []

    def answered() -> bool:
        found[:] = [row for row in city.data(f"receipt.{city.owner}") if str(row["submission_id"]) == submission]
        return bool(found)

    until(answered, "the receipt")
    return found[0]


def publish(city: City, rows: Sequence[dict[str, Any]], agency: str = "") -> list[Receipt]:
    """Publish as an agency's program does, with the newest version; the receipts."""
    with Publisher(agency or city.owner, settings=city.settings) as publisher:
        return publisher.publish(city.resource, [Change(row, now()) for row in rows]).receipts()


def test_a_schema_that_was_registered_without_a_catalogue_change_is_refused_by_admit(city: City) -> None:
    wider = with_field(city, NICKNAME)
    rogue = entry_of(city, 1).model_copy(update={"avro": json.dumps(wider, ensure_ascii=False)})
    schema_id = registry_of(city).register(change_topic(city), schema_of(rogue).submission)
    warnings = "\n".join(init(city.settings, dry_run=True).warnings)
    assert f"subject {change_topic(city)}-value has 1 schema(s) that no catalogue version knows (Art 40)" in warnings
    with running(city.settings, "admit"):
        publish_as(city, rogue, [{**permit(1), "nickname": CANARY}], schema_id)
        until(lambda: len(city.data(f"refused.{city.owner}")) == 1, "the refusal")
        [refused] = city.data(f"refused.{city.owner}")
        assert (refused["code"], refused["index"], refused["submission_id"]) == ("E_SCHEMA", -1, None)
        assert "in no approved catalogue version" in refused["detail"]
        assert [r.admitted for r in publish(city, [permit(2)])] == [True], "what is approved goes on"
    assert len(city.read(f"record.{city.resource}")) == 1


def test_a_next_version_that_does_not_fit_is_refused_and_nothing_changes(city: City) -> None:
    before = standing(city)
    city.add_version(with_field(city, registration_authority={"type": ["null", "int"]}))
    with pytest.raises(
        RegisterFileError, match=r"E_INCOMPATIBLE .*registration_authority has another type in version 1"
    ):
        city.apply()
    assert standing(city) == before


def test_what_the_registry_alone_knows_not_to_fit_is_refused_and_nothing_changes(city: City) -> None:
    """Somebody has registered a field of that name with another type: only the registry can know."""
    stranger = with_field(city, {**NICKNAME, "type": ["null", "int"]})
    rogue = entry_of(city, 1).model_copy(update={"avro": json.dumps(stranger, ensure_ascii=False)})
    registry_of(city).register(change_topic(city), schema_of(rogue).submission)
    before = standing(city)
    city.add_version(with_field(city, NICKNAME))
    for dry_run in (True, False):
        with pytest.raises(IncompatibleSchemaError, match=f"{change_topic(city)}-value: the registry refuses"):
            apply_register_file(city.settings, city.register_file(), dry_run=dry_run)
        assert standing(city) == before


def test_a_version_that_fits_appears_in_registry_and_catalogue_together_and_both_publishers_work(city: City) -> None:
    [full] = city.grants
    schemas_agree(city, [full])
    city.add_version(with_field(city, NICKNAME), published_at=now().isoformat())
    with running(city.settings, "admit", "deliver"):
        old = entry_of(city, 1)
        city.apply()
        schemas_agree(city, [full])
        assert [version for version, _, _ in standing(city)["catalogue"]] == [1, 2]
        answers = [receipt(city, publish_as(city, old, [permit(seed)])) for seed in (1, 2)]
        assert [(answer["admitted"], answer["refused"]) for answer in answers] == [(1, []), (1, [])]
        fresh = publish(city, [{**permit(seed), "nickname": CANARY} for seed in (3, 4)])
        assert [found.admitted for found in fresh] == [True, True]
        until(lambda: len(city.data(city.topic(full))) == 4, "four deliveries under the older grant")
        late = city.add_grant("late", ("sex_code", "nickname"))
        city.apply()
        until(lambda: len(city.data(city.topic(late))) == 4, "the current state under a grant of the new field")
    rows = city.data(city.topic(full))
    assert [set(row["data"]) for row in rows] == [set(city.schema.fields)] * 4
    assert {row["catalogue_version"] for row in rows} == {1, 2}
    assert not any(CANARY.encode() in (message.value() or b"") for message in city.read(city.topic(full)))
    nicknames = [row["data"]["nickname"] for row in city.data(city.topic(late))]
    assert sorted(nicknames, key=str) == [None, None, CANARY, CANARY]


def test_after_the_grace_the_older_version_is_refused(city: City) -> None:
    city.add_version(published_at=(now() - timedelta(days=1)).isoformat(), grace_days=0)
    old = entry_of(city, 1)
    city.apply()
    with running(city.settings, "admit"):
        answer = receipt(city, publish_as(city, old, [permit(1)]))
        assert [refused["code"] for refused in answer["refused"]] == ["E_VERSION"]
        assert [found.admitted for found in publish(city, [permit(2)])] == [True]


def test_a_deprecated_field_is_flagged_to_publisher_and_subscriber_and_never_refused(city: City) -> None:
    [full] = city.grants
    city.add_version(with_field(city, permit_issue_date={"deprecated": True}), published_at=now().isoformat())
    city.apply()
    with running(city.settings, "admit", "deliver"):
        with_it, without = publish(city, [permit(1), {**permit(2), "permit_issue_date": None}])
        assert (with_it.admitted, with_it.flags) == (True, ("permit_issue_date:deprecated",))
        assert (without.admitted, without.flags) == (True, ())
        until(lambda: len(city.data(city.topic(full))) == 2, "two deliveries")
    flags = {str(row["event_id"]): row["flags"] for row in city.data(city.topic(full))}
    assert flags == {with_it.event_id: ["permit_issue_date:deprecated"], without.event_id: []}


def test_an_owner_changes_through_a_version_at_the_instant_that_it_names(city: City) -> None:
    def owners(at: datetime) -> list[dict[str, Any]]:
        city_wide = {"divisions": ["441300"]}
        return [
            {"agencies": [city.owner], **city_wide, "effective_until": at.isoformat()},
            {"agencies": [city.other], **city_wide, "effective_from": at.isoformat()},
        ]

    city.reviewed.append(city.other)
    city.add_version(owners=[{"agencies": [city.other], "divisions": ["441300"]}], published_at=now().isoformat())
    with pytest.raises(RegisterFileError, match="E_OWNER_TIME"):
        city.apply()
    city.versions.pop()
    city.add_version(owners=owners(now() + timedelta(hours=1)), published_at=now().isoformat())
    city.apply()
    with running(city.settings, "admit"):
        assert [r.code for r in publish(city, [permit(1)])] == [None]
        assert [r.code for r in publish(city, [permit(1)], city.other)] == ["E_OWNER"]
        city.add_version(owners=owners(now() + timedelta(seconds=20)), published_at=now().isoformat())
        city.apply()
        told = "the new owner's first admitted change"
        until(lambda: publish(city, [permit(1)], city.other)[0].admitted, told, 2 * WAIT_S)
        assert [r.code for r in publish(city, [permit(1)])] == ["E_OWNER"]
    owned = [row["submission"]["agency"] for row in city.data(f"record.{city.resource}")]
    assert owned == [city.owner, city.other], "before it the old owner, from it on the new one"


def test_the_registry_takes_the_grown_catalogue_event_beside_the_first_one(local_bus: LocalBus) -> None:
    registry = Registry(local_bus.settings, Principal.role(local_bus.settings, "operator"))
    init(local_bus.settings)
    first = Codec(FIRST_REGISTER.read_text(encoding="utf-8"))
    for older, newer in ((first, envelope("register_catalogue")), (envelope("register_catalogue"), first)):
        topic = f"scratch.{uuid.uuid4().hex}"
        registry.register(topic, older)
        assert registry.fits(topic, newer)


def test_the_registry_takes_records_of_before_and_after_something_was_compared_beside_each_other(city: City) -> None:
    registry = registry_of(city)
    before, now_ = city.schema.record_before, city.schema.record
    for older, newer in ((before, now_), (now_, before)):
        topic = f"scratch.{uuid.uuid4().hex}"
        registry.register(topic, older)
        assert registry.fits(topic, newer)


def test_the_commands_read_the_register_on_kafka(
    city: City, bus_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = city.settings
    monkeypatch.setenv("BUS_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("BUS_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("BUS_REGISTRY_URL", settings.registry_url)
    [shown] = json.loads(bus_command("catalogue", "show", city.resource, "--json").out)
    assert (shown["resource"], shown["versions"]) == (city.resource, [1])
    city.add_version(with_field(city, NICKNAME), published_at=now().isoformat())
    ran = bus_command("catalogue", "diff", city.register_file(), "--json")
    assert ran.code == 0, ran.err
    [changes] = json.loads(ran.out)["entries"]
    assert (changes["old"], changes["new"], changes["added"]) == (1, 2, ["nickname"])
    city.apply()
    target = tmp_path / "c.xlsx"
    assert bus_command("catalogue", "export", "--format", "xlsx", target).code == 0
    back = tmp_path / "back.yaml"
    ran = bus_command("catalogue", "import", target)
    back.write_text(ran.out, encoding="utf-8")
    assert bus_command("catalogue", "diff", back).out == "the file changes nothing in the catalogue\n"


def test_a_reader_decodes_by_the_schema_that_wrote_and_asks_for_an_unknown_id_once(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [{"name": "count", "type": "long"}]
    first = Codec(json.dumps({"type": "record", "name": "Word", "fields": fields}))
    fields.insert(0, {"name": "said", "type": "string", "default": ""})
    second = Codec(json.dumps({"type": "record", "name": "Word", "fields": fields}))
    writer, topic = registry_of(city), f"words-{city.suffix}"
    for codec in (first, second):
        writer.register(topic, codec)
    old = writer.head(topic, first) + first.encode_physical({"count": 7})
    new = writer.head(topic, second) + second.encode_physical({"said": "测试", "count": 8})
    asked: list[int] = []
    text = Registry.text
    monkeypatch.setattr(Registry, "text", lambda self, number: asked.append(number) or text(self, number))
    reader = registry_of(city)
    assert reader.datum(old) == {"count": 7}
    assert reader.datum(new) == {"said": "测试", "count": 8}
    nobodys = frame_head(2**31 - 1)
    for value in (None, b"", b"rubbish", nobodys, nobodys, old[:-1], new + b"\0", writer.head(topic, second)):
        assert reader.datum(value) is None
    assert asked.count(2**31 - 1) == 1
