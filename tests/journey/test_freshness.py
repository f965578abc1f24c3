"""The freshness worker on real Kafka: who is silent is told and told clear, and a kill changes nothing (Art 16)."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer

from bus.freshness.desk import Desk
from bus.freshness.shell import GROUP
from bus.freshness.worker import FreshnessWorker
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import ALARM, FRESHNESS, PULSE, declaration_topic, heartbeat_topic
from bus.wire.clients import Principal, admin, producer
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.wire.transaction import COMMIT
from bus.workers.supervisor import environment_of
from compliance.workdays import WorkCalendar
from processors.batch import InMessage
from processors.freshness.targets import Limits
from processors.freshness.words import quarter_name, quarter_of
from schemas.codec import unframe
from schemas.resource import envelope
from tests.city import WAIT_S, City, until
from tests.killing import kill_at
from tests.local_cluster import LocalBus

pytestmark = pytest.mark.kafka
QUICK = Limits(silent_after=2_500)
PULSES, EVERY = 400, 4


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    """A city whose dead workers' partitions move soon."""
    city = City(local_bus.settings.model_copy(update={"session_timeout_ms": 6_000}), tmp_path)
    city.apply()
    return city


@contextmanager
def watching(
    settings: Settings, limits: Limits, begun: Callable[[FreshnessWorker], bool] = lambda worker: worker.leads
) -> Iterator[FreshnessWorker]:
    worker = FreshnessWorker(settings, limits=limits)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001  raised in the test
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        until(lambda: begun(worker) or bool(errors), "the worker")
        yield worker
    finally:
        worker.stop()
        thread.join(WAIT_S)
    if errors:
        raise errors[0]
    assert not thread.is_alive()


def say(city: City, kind: str, topic: str, datum: Mapping[str, Any], agency: str | None = None) -> None:
    """An agency's word on its own topic, under its own certificate."""
    principal = Principal.agency(city.settings, agency or city.owner)
    codec = envelope(kind)
    head = Registry(city.settings, Principal.role(city.settings, "operator")).head(topic, codec)
    writer = producer(city.settings, principal)
    writer.produce(topic, key=b"x", value=head + codec.encode_physical(datum), partition=0)
    assert writer.flush(WAIT_S) == 0


def beat(city: City) -> None:
    whose = {"agency": city.owner, "resource": city.resource, "field_group": None, "connector": "test"}
    datum = {**whose, "sent_at": now_ms(), "complete_until": None}
    say(city, "heartbeat", heartbeat_topic(city.owner), datum)


def rows(city: City, topic: str) -> list[dict[str, Any]]:
    return [row for row in city.data(topic) if row["agency"] == city.owner]


def alarms(city: City, code: str) -> list[tuple[str, bool]]:
    """The alarms of one code in their order: whose they are, and whether they were cleared."""
    return [(row["owner"], row["cleared_at"] is not None) for row in rows(city, ALARM.pattern) if row["code"] == code]


def test_a_silent_source_is_told_to_its_agency_until_it_is_heard_of_and_silence_is_told_again(city: City) -> None:
    with watching(city.settings, QUICK) as worker:
        until(lambda: alarms(city, "SILENT") == [(city.owner, False)], "an alarm about one who was never heard of")
        beat(city)
        until(lambda: alarms(city, "SILENT")[1:2] == [(city.owner, True)], "the alarm's end")
        until(lambda: alarms(city, "SILENT")[2:] == [(city.owner, False)], "an alarm about new silence")
        standing = worker.metrics.registry.get_sample_value(
            "bus_alarms_standing", {"code": "SILENT", "agency": city.owner, "owner": city.owner}
        )
        assert standing == 1
    [first, cleared, again] = [row for row in rows(city, ALARM.pattern) if row["code"] == "SILENT"]
    assert first["alarm_id"] == cleared["alarm_id"] != again["alarm_id"]
    assert rows(city, FRESHNESS.pattern)[-1]["status"] == "SILENT"


def test_a_quarter_that_nobody_declared_is_told_and_a_declaration_clears_it(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    city = City(local_bus.settings, tmp_path)
    city.versions.clear()
    city.add_version(freshness="STATIC", update_frequency="每季度")
    city.apply()
    topic = declaration_topic(city.owner)
    datum = {
        "declaration_id": str(uuid.uuid4()),
        "agency": city.owner,
        "resource": city.resource,
        "field_group": None,
        "declared_at": now_ms(),
        "quarter": quarter_name(quarter_of(now_ms())),
        "says": "HIGH_WATER",
        "mark": now_ms(),
    }
    with watching(city.settings, QUICK) as worker:
        until(lambda: bool(alarms(city, "STATIC_OVERDUE")), "an alarm about a quarter")
        told = alarms(city, "STATIC_OVERDUE")
        assert set(told) == {(city.owner, False)}
        # Another agency's name on one's own topic, and bytes that are no declaration, say nothing.
        say(city, "declaration", declaration_topic(city.other), datum, city.other)
        writer = producer(city.settings, Principal.agency(city.settings, city.owner))
        writer.produce(topic, key=b"x", value=b"rubbish", partition=0)
        assert writer.flush(WAIT_S) == 0
        sample = ("bus_freshness_passed_over_total", {"kind": "declaration"})
        until(lambda: worker.metrics.registry.get_sample_value(*sample) == 2, "what was passed over")
        assert alarms(city, "STATIC_OVERDUE") == told
        say(city, "declaration", topic, datum)
        until(lambda: len(alarms(city, "STATIC_OVERDUE")) == 2 * len(told), "the alarms' end")
    assert set(alarms(city, "STATIC_OVERDUE")[len(told) :]) == {(city.owner, True)}


def recomputed(city: City, at: int) -> dict[str, Any]:
    """What a desk knows that reads everything from its beginning, without any worker."""
    principal = Principal.role(city.settings, "operator")
    registry = Registry(city.settings, principal)
    feed = RegisterFeed(city.settings, principal, registry)
    feed.open()
    frames = {FRESHNESS.pattern: b"", ALARM.pattern: b""}
    desk = Desk(law_of(city.settings), WorkCalendar.packaged(), Limits(), frames)
    desk.expect(feed.view, at)
    feed.close()
    for message in city.read(PULSE.pattern, heartbeat_topic(city.owner)):
        topic, framed = message.topic() or "", unframe(message.value())
        assert framed is not None
        datum = envelope(topic.split(".", maxsplit=1)[0]).decode_physical(framed[1])
        where = InMessage(
            topic, message.partition() or 0, message.offset() or 0, message.timestamp()[1], None, None, {}
        )
        desk.observe(where, datum)
    [value] = [
        row["value"]
        for row in desk.due(at)[FRESHNESS.pattern]
        if row["key"] == f"{city.owner}.{city.resource}".encode()
    ]
    return envelope("freshness").decode_physical(value or b"")


def pulsing(city: City, done: threading.Event) -> None:
    """Pulses as admit writes them, each a transaction; each fourth is aborted and must count nowhere."""
    settings, principal = city.settings, Principal.role(city.settings, "operator")
    head = Registry(settings, principal).head(PULSE.pattern, envelope("pulse"))
    writer: Producer = producer(settings, principal, f"test.pulse.{city.suffix}")
    writer.init_transactions(WAIT_S)
    for number in range(1, PULSES + 1):
        at = now_ms()
        datum = {
            "agency": city.owner,
            "resource": city.resource,
            "admitted": number,
            "refused": 0,
            "withdrawn": 0,
            "corrected": 0,
            "earliest_business_time": at - 50,
            "latest_business_time": at - 40,
            "latest_published_at": at - 30,
            "earliest_appended_at": at - 20,
            "admitted_at": at,
        }
        writer.begin_transaction()
        writer.produce(PULSE.pattern, key=b"x", value=head + envelope("pulse").encode_physical(datum), partition=0)
        if number % EVERY:
            writer.commit_transaction(WAIT_S)
        else:
            writer.flush(WAIT_S)
            writer.abort_transaction(WAIT_S)
        # Slowly until the last worker leads, so that each of them meets some.
        done.wait(0.1)


def counted(city: City) -> int:
    """How many changes the table knows of the city's source."""
    found = rows(city, FRESHNESS.pattern)
    return sum(day[0] for day in found[-1]["state"]["traffic"].values()) if found else 0


@contextmanager
def another_process(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bus", "run", "freshness"], env={**os.environ, **environment_of(settings)}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(WAIT_S)


def test_killed_leads_lose_nothing_count_nothing_twice_and_no_offset_is_ever_committed(city: City) -> None:
    """Gaps of transactions on `pulse`, of aborted ones too: what faust-streaming's issue 606 is about."""
    done = threading.Event()
    thread = threading.Thread(target=pulsing, args=(city, done), daemon=True)
    thread.start()
    # The first kills itself before its commit.
    kill_at(city.settings, "freshness", COMMIT)
    with another_process(city.settings) as second:
        until(lambda: counted(city) > 0, "what the second wrote")
        with watching(city.settings, Limits(), lambda worker: worker.health.ready) as third:
            assert not third.leads
            second.send_signal(signal.SIGKILL)
            until(lambda: third.leads, "the lead of the one that stood by")
            done.set()
            thread.join(WAIT_S)
            sums = sum(number for number in range(1, PULSES + 1) if number % EVERY)
            until(lambda: counted(city) == sums, "every pulse, counted once")
    last = rows(city, FRESHNESS.pattern)[-1]
    again = recomputed(city, int(last["judged_at"].timestamp() * 1000))
    assert last["state"] == again["state"]
    assert last["status"] == again["status"]
    assert [one["code"] for one in last["alarms"]] == [one["code"] for one in again["alarms"]]
    asks = admin(city.settings, Principal.role(city.settings, "operator"))
    [answer] = asks.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)]).values()
    assert [one for one in answer.result(WAIT_S).topic_partitions or () if one.offset >= 0] == []
