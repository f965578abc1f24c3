"""Killed at every step of its numbered sequence, a worker neither loses nor repeats anything, and keeps the order.

What is visible is judged read-committed. The successor is a new worker, as a supervisor would start it.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import yaml
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, insert

from bus import Change, Publisher
from bus.demo.people import Maker
from bus.settings import Settings
from bus.workers.connect import read_config
from bus.workers.supervisor import environment_of
from connectors.table import SHANGHAI
from tests.builders import permit
from tests.city import WAIT_S, City, running, until
from tests.local_cluster import LocalBus

pytestmark = pytest.mark.kafka

STEPS = range(1, 9)
CATCH_UP_STEPS = (14, 15, 16, 17, 18)
SUBJECTS, VERSIONS = 12, 3


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    # A dead worker's partitions move soon, and its transaction is aborted soon.
    quick = local_bus.settings.model_copy(update={"session_timeout_ms": 2_000, "batch_max_messages": 10})
    return City(quick, tmp_path)


def kill_at(settings: Settings, kind: str, step: int, *more: str) -> None:
    """Run a victim until it has killed itself at a step; steps that idle turns take too are met a few times first."""
    occurrence = "4" if step in (1, 2) else "1"
    if kind == "connector" and step == 1:
        occurrence = "1"
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.fault.victim", kind, str(step), occurrence, *more],
        env={**os.environ, **environment_of(settings)},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, errors = victim.communicate(timeout=WAIT_S)
    finally:
        victim.kill()
    assert victim.returncode == -signal.SIGKILL, errors[-2000:]


def publish_versions(city: City) -> dict[str, list[str]]:
    """Publish several versions of several permits without waiting; event ids by permit, in order."""
    order: dict[str, list[str]] = defaultdict(list)
    with Publisher(city.owner, settings=city.settings) as publisher:
        for version in range(VERSIONS):
            batch = []
            for subject in range(SUBJECTS):
                row = permit(subject)
                event_id = f"{version:08x}-0000-4000-8000-{subject:012x}"
                order[str(row["residence_permit_number"])].append(event_id)
                batch.append(Change(row, datetime.now(UTC), event_id=event_id))
            publisher.publish(city.resource, batch)
            publisher.flush()
    return order


def orders(city: City, topic: str) -> dict[bytes, list[str]]:
    """Event ids by Kafka key, in the order of the topic."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for key, row in city.decoded(topic):
        found[key].append(str(row.get("event_id") or row["change"]["event_id"]))
    return found


def count(city: City, topic: str) -> int:
    return len(city.data(topic))


@pytest.mark.parametrize("step", STEPS)
def test_admit_killed_at_a_step_loses_and_repeats_nothing(city: City, step: int) -> None:
    city.apply()
    published = publish_versions(city)
    kill_at(city.settings, "admit", step)
    topic = f"record.{city.resource}"
    with running(city.settings, "admit"):
        until(lambda: count(city, topic) >= SUBJECTS * VERSIONS, "every record")
    assert sorted(orders(city, topic).values()) == sorted(published.values())
    receipts = city.data(f"receipt.{city.owner}")
    assert sum(receipt["admitted"] for receipt in receipts) == SUBJECTS * VERSIONS
    assert len({(r["topic"], r["partition"], r["offset"]) for r in receipts}) == len(receipts)


@pytest.mark.parametrize("step", STEPS)
def test_deliver_killed_at_a_step_loses_and_repeats_nothing(city: City, step: int) -> None:
    grant = city.add_grant("full")
    city.apply()
    with running(city.settings, "admit", "deliver"):
        # The grant is live before the victim comes.
        with Publisher(city.owner, settings=city.settings) as publisher:
            publisher.publish(city.resource, [Change(permit(900), datetime.now(UTC))]).receipts()
        until(lambda: count(city, city.topic(grant)) == 1, "the grant's first delivery")
    with running(city.settings, "admit"):
        published = publish_versions(city)
        until(lambda: count(city, f"record.{city.resource}") > SUBJECTS * VERSIONS, "every record")
    kill_at(city.settings, "deliver", step)
    with running(city.settings, "deliver"):
        until(lambda: count(city, city.topic(grant)) > SUBJECTS * VERSIONS, "every delivery")
    found = [events for events in orders(city, city.topic(grant)).values() if len(events) > 1]
    assert sorted(found) == sorted(published.values())
    assert count(city, city.topic(grant)) == SUBJECTS * VERSIONS + 1


@pytest.mark.parametrize("step", CATCH_UP_STEPS)
def test_deliver_killed_while_a_grant_catches_up_loses_and_repeats_nothing(city: City, step: int) -> None:
    city.apply()
    with running(city.settings, "admit"):
        published = publish_versions(city)
        until(lambda: count(city, f"record.{city.resource}") == SUBJECTS * VERSIONS, "every record")
    with running(city.settings, "deliver"):
        # Deliver has passed these records before the grant exists.
        until(lambda: _group_is_behind(city) == 0, "deliver at the end")
    grant = city.add_grant("late")
    city.apply()
    kill_at(city.settings, "deliver", step)
    with running(city.settings, "deliver"):
        until(lambda: count(city, city.topic(grant)) >= SUBJECTS, "the current state")
        with Publisher(city.owner, settings=city.settings) as publisher, running(city.settings, "admit"):
            publisher.publish(city.resource, [Change(permit(901), datetime.now(UTC))]).receipts()
            until(lambda: count(city, city.topic(grant)) >= SUBJECTS + 1, "what came since")
    events = Counter(str(row["event_id"]) for row in city.data(city.topic(grant)))
    assert set(events.values()) == {1}
    assert {versions[-1] for versions in published.values()} <= set(events)
    assert len(events) == SUBJECTS + 1


@pytest.mark.parametrize("step", [3, 4, 5, 6, 7, 8])
def test_relocate_killed_at_a_step_moves_everything_once(city: City, step: int) -> None:
    links = city.add_resource("identity_link")
    city.apply()
    # Other people at every step: the cities share one cluster, and so its links.
    maker = Maker(Random(step))  # noqa: S311  tests must repeat
    born = date(1980 + step, 1, 1)
    given_up, new = ([maker.citizen_number("441302", born, "1") for _ in range(SUBJECTS)] for _ in range(2))
    old = [permit(subject, id_type="111", id_number=number) for subject, number in enumerate(given_up)]
    topic = f"record.{city.resource}"
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        admitted = publisher.publish(city.resource, [Change(row, datetime.now(UTC)) for row in old]).receipts()
        pairs = [Change(_link(*numbers), datetime.now(UTC)) for numbers in zip(given_up, new, strict=True)]
        linked = publisher.publish(links, pairs).receipts()
    assert all(receipt.admitted for receipt in (*admitted, *linked))
    kill_at(city.settings, "relocate", step)
    with running(city.settings, "relocate"):
        until(lambda: len(_touched(city, topic, left=True)) >= SUBJECTS, "every move")
    moved, left = (Counter(_touched(city, topic, left=gone)) for gone in (False, True))
    assert moved == left == Counter(str(receipt.event_id) for receipt in admitted)
    standing = {message.key(): message.value() for message in city.read(topic)}
    assert sum(value is not None for value in standing.values()) == SUBJECTS


def _touched(city: City, topic: str, *, left: bool) -> list[str]:
    """The event ids of what the relocate worker wrote: at the old keys, or at the homes."""
    changes = [row["change"] for row in city.data(topic) if row["change"]["moved_at"]]
    return [str(change["event_id"]) for change in changes if (change["operation"] == "MOVE") is left]


def _link(old: str, new: str) -> dict[str, object]:
    numbers = {"old_id_type": "111", "old_id_number": old, "new_id_type": "111", "new_id_number": new}
    return {**numbers, "kind": "CORRECTED", "effective_on": None, "basis": None}


def _group_is_behind(city: City) -> int:
    """Record messages that deliver's group has not committed yet."""
    from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition  # noqa: PLC0415  used here alone
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415  as above

    from bus.wire.table import end_offsets  # noqa: PLC0415  as above

    admin = AdminClient(LocalBus(city.settings).operator())
    topic = f"record.{city.resource}"
    places = [(topic, part) for part in range(city.partitions)]
    request = ConsumerGroupTopicPartitions("bus.deliver", [TopicPartition(*place) for place in places])
    known = admin.list_consumer_group_offsets([request])["bus.deliver"].result(20).topic_partitions
    ends = end_offsets(admin, places, 20)
    # The last offset of a partition is the transaction's own marker.
    return sum(max(0, ends[tp.topic, tp.partition] - 1 - max(tp.offset, 0)) for tp in known)


@contextmanager
def connecting(settings: Settings, file: Path) -> Iterator[None]:
    """A connector as a process, ended in good order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bus", "run", "connector", str(file)], env={**os.environ, **environment_of(settings)}
    )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(WAIT_S) == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_connector_killed_at_a_step_loses_and_repeats_no_row(city: City, tmp_path: Path, step: int) -> None:
    city.apply()
    quick = city.settings.model_copy(update={"connector_batch_rows": 10, "connector_poll_ms": 50})
    file = write_table(city, tmp_path, 35)
    kill_at(quick, "connector", step, str(file))
    topic = f"change.{city.owner}.{city.resource}"

    def numbers() -> list[str]:
        return [change["data"]["residence_permit_number"] for row in city.data(topic) for change in row["changes"]]

    with connecting(quick, file):
        until(lambda: len(numbers()) >= 35, "every row")
    assert Counter(numbers()) == Counter(str(permit(seed)["residence_permit_number"]) for seed in range(35))


def write_table(city: City, folder: Path, rows: int) -> Path:
    """A SQLite table of permits and the connector file for it."""
    names = list(city.schema.fields)
    engine = create_engine(f"sqlite:///{folder / 'source.sqlite'}")
    table = Table(
        "permits",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("updated_at", DateTime),
        *(Column(name, String) for name in names),
    )
    table.metadata.create_all(engine)
    # All of one instant: the key alone tells the rows apart.
    at = (datetime.now(UTC) - timedelta(minutes=1)).astimezone(SHANGHAI).replace(tzinfo=None)
    values = [
        {"updated_at": at, **{name: None if value is None else str(value) for name, value in permit(seed).items()}}
        for seed in range(rows)
    ]
    with engine.begin() as connection:
        connection.execute(insert(table), values)
    engine.dispose()
    config = {
        "name": f"permits-{city.suffix}",
        "agency": city.owner,
        "resource": city.resource,
        "source": {
            "url": f"sqlite:///{folder / 'source.sqlite'}",
            "table": "permits",
            "key": ["id"],
            "updated_at": "updated_at",
            "columns": {name: name for name in names},
        },
    }
    path = folder / "connector.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == config
    assert read_config(path).resource == city.resource
    return path


def test_two_workers_of_a_kind_share_the_partitions_and_hand_them_over(city: City) -> None:
    grant = city.add_grant("full")
    city.apply()
    with running(city.settings, "admit", "deliver"):
        with running(city.settings, "admit", "deliver"):
            published = publish_versions(city)
            until(lambda: count(city, city.topic(grant)) >= SUBJECTS, "some deliveries")
        until(lambda: count(city, city.topic(grant)) >= SUBJECTS * VERSIONS, "every delivery")
    assert sorted(orders(city, city.topic(grant)).values()) == sorted(published.values())
