"""The rights that provisioning gives hold on real Kafka: each certificate does its own work and nothing else."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bus.local.certificates import issue_agency
from bus.provision.binding import binding_of
from bus.provision.register import apply_register_file
from bus.provision.rights import READ, TOPIC, Right
from bus.wire.clients import Principal, admin, consumer, producer
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import until

pytestmark = pytest.mark.kafka
DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


class Town(City):
    """A city with a neighbour whose code begins with the owner's, which owns the resource elsewhere."""

    def __init__(self, bus: LocalBus, folder: Path) -> None:
        super().__init__(bus.settings, folder)
        self.neighbour = f"{self.owner}_b"
        issue_agency(self.settings.state_dir, self.neighbour)
        self.full, self.later = self.add_grant("full"), self.add_grant("later", state="PENDING")
        path = self.register_file()
        content = json.loads(path.read_text(encoding="utf-8"))
        content["agencies"].append({**content["agencies"][0], "code": self.neighbour, "certificates": []})
        content["catalogue"][0]["owners"].append({"agencies": [self.neighbour], "divisions": ["441200"]})
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        apply_register_file(self.settings, path)

    def corridor(self, agency: str) -> str:
        return f"change.{agency}.{self.resource}"

    def principal(self, name: str) -> Principal:
        """`admit` and `deliver` are the workers; everything else is an agency."""
        if name in ("admit", "deliver"):
            return Principal.role(self.settings, name)
        return Principal.agency(self.settings, name)


@pytest.fixture(scope="module")
def town(local_bus: LocalBus, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(local_bus, tmp_path_factory.mktemp("town"))


def writable(town: Town, name: str, topics: Iterable[str]) -> set[str]:
    """The topics that the certificate may write to; every other one must have been denied."""
    writer = producer(town.settings, town.principal(name), None, **{"message.timeout.ms": 20_000})
    errors: dict[str, KafkaError | None] = {}

    def told(topic: str, error: KafkaError | None, _: Message) -> None:
        errors[topic] = error

    for topic in topics:
        writer.produce(topic, key=b"x", value=b"x", partition=0, on_delivery=partial(told, topic))
    assert writer.flush(30) == 0
    assert {error.code() for error in errors.values() if error is not None} <= {KafkaError.TOPIC_AUTHORIZATION_FAILED}
    return {topic for topic, error in errors.items() if error is None}


def denied(call: Callable[[], object]) -> int:
    """The code with which Kafka denied a call."""
    with pytest.raises(KafkaException) as refused:
        call()
    code = refused.value.args[0].code()
    assert code in DENIED, refused.value
    return int(code)


def reading(town: Town, name: str, topic: str, group: str) -> int | None:
    """The error with which the certificate's reading of a topic ends; None when a message came."""
    reader = consumer(town.settings, town.principal(name), group)
    seen: list[KafkaError | None] = []

    def answered() -> bool:
        message = reader.poll(0.2)
        if message is not None:
            seen.append(message.error())
        return bool(seen)

    try:
        reader.subscribe([topic])
        until(answered, f"an answer on {topic}")
        return seen[0].code() if seen[0] is not None else None
    finally:
        reader.close()


# -- writing -------------------------------------------------------------------------------------------------------


def test_an_agency_writes_its_own_corridor_and_no_topic_that_others_rely_on(town: Town) -> None:
    """Above all not the corridor of an agency whose code goes on where its own ends."""
    own = {town.corridor(town.owner), f"refused.{town.owner}", f"cursor.{town.owner}"}
    others = {
        town.corridor(town.neighbour),
        f"refused.{town.neighbour}",
        f"cursor.{town.neighbour}",
        f"receipt.{town.owner}",
        f"record.{town.resource}",
        town.topic(town.full),
        "register.agency",
        "register.catalogue",
        "register.grant",
        "pulse",
        "incident",
        "bus.delivery-progress",
    }
    assert writable(town, town.owner, own | others) == own
    assert writable(town, town.neighbour, own) == set()


def test_a_subscriber_does_not_write_to_its_own_delivery(town: Town) -> None:
    assert writable(town, town.subscriber, {town.topic(town.full)}) == set()


@pytest.mark.parametrize("worker", ["admit", "deliver"])
def test_each_worker_writes_what_is_its_own_to_write(town: Town, worker: str) -> None:
    by_admit = {f"record.{town.resource}", f"receipt.{town.owner}", f"refused.{town.owner}", "pulse", "incident"}
    by_deliver = {town.topic(town.full), "bus.delivery-progress"}
    nobodys = {town.corridor(town.owner), "register.agency", "register.grant", f"cursor.{town.owner}"}
    # Only asked, never written: rubbish on these topics would be everybody's.
    wanted = by_admit if worker == "admit" else by_deliver
    assert writable(town, worker, (by_admit | by_deliver | nobodys) - wanted) == set()


# -- reading -------------------------------------------------------------------------------------------------------


def test_nobody_but_admit_reads_the_corridor_and_nobody_but_deliver_the_records(town: Town) -> None:
    corridor, records = town.corridor(town.owner), f"record.{town.resource}"
    for name, topic, group in (
        (town.owner, corridor, f"{town.owner}.spy"),
        (town.owner, records, f"{town.owner}.spy"),
        (town.subscriber, records, f"{town.subscriber}.spy"),
        ("deliver", corridor, "bus-deliver.spy"),
        ("admit", records, "bus-admit.spy"),
        ("admit", town.topic(town.full), "bus-admit.spy"),
    ):
        assert reading(town, name, topic, group) == KafkaError.TOPIC_AUTHORIZATION_FAILED, (name, topic)


def test_a_grant_that_is_not_active_yet_has_no_topic_to_read(town: Town) -> None:
    group = f"{town.subscriber}.early"
    assert reading(town, town.subscriber, town.topic(town.later), group) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_an_agency_reads_the_open_register_but_not_who_else_receives_what(town: Town) -> None:
    group = f"agency-{town.owner}.register"
    assert reading(town, town.owner, "register.catalogue", group) is None
    assert reading(town, town.owner, "register.grant", group) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_group_is_its_owners_alone(town: Town) -> None:
    """Whoever joins another's group takes partitions from it."""
    for group in (
        "bus.admit",
        "bus.deliver",
        f"{town.neighbour}.publisher",
        f"agency-{town.neighbour}.register",
        "any",
    ):
        error = reading(town, town.owner, "register.agency", group)
        assert error == KafkaError.GROUP_AUTHORIZATION_FAILED, group


# -- transactions --------------------------------------------------------------------------------------------------


def test_a_transactional_id_is_its_owners_alone(town: Town) -> None:
    """Whoever starts another's transactional id fences it."""
    producer(town.settings, town.principal(town.owner), f"{town.owner}.connector").init_transactions(20)
    for name, transactional_id in (
        (town.owner, f"{town.neighbour}.connector"),
        (town.owner, "bus.admit-1.host"),
        (town.owner, "bus.deliver-1.host"),
        ("admit", "bus.deliver-1.host"),
        ("deliver", "bus.admit-1.host"),
        ("admit", f"{town.owner}.connector"),
    ):
        made = producer(town.settings, town.principal(name), transactional_id)
        code = denied(partial(made.init_transactions, 20))
        assert code == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, (name, transactional_id)


# -- administration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner", "admit", "deliver"])
def test_nobody_makes_topics_or_rights_or_changes_settings(town: Town, who: str) -> None:
    client = admin(town.settings, town.principal(town.owner if who == "owner" else who))
    name = f"made.by.{who}.{town.suffix}"
    denied(lambda: client.create_topics([NewTopic(name, 1, 1)])[name].result(20))
    right = Right(f"User:agency-{town.owner}", TOPIC, "record.", READ, prefixed=True)
    denied(lambda: next(iter(client.create_acls([binding_of(right)]).values())).result(20))
    denied(lambda: next(iter(client.delete_topics([f"record.{town.resource}"]).values())).result(20))
    assert name not in AdminClient(LocalBus(town.settings).operator()).list_topics(timeout=20).topics


def test_an_agency_does_not_purge_what_it_has_published(town: Town) -> None:
    client = admin(town.settings, town.principal(town.owner))
    place = TopicPartition(town.corridor(town.owner), 0, 0)
    assert denied(lambda: client.delete_records([place])[place].result(20)) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_certificate_that_the_register_does_not_know_may_do_nothing(town: Town) -> None:
    stranger = f"stranger_{town.suffix}"
    issue_agency(town.settings.state_dir, stranger)
    assert writable(town, stranger, {town.corridor(town.owner), f"change.{stranger}.{town.resource}"}) == set()
    assert reading(town, stranger, "register.agency", f"{stranger}.reader") in DENIED
    plain = Producer(LocalBus(town.settings).agency(stranger))
    assert set(plain.list_topics(timeout=20).topics) == set()
