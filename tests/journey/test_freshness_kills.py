"""The freshness worker on real Kafka: what a lead missed is read in one go, and a kill changes nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer

from bus.freshness.backlog import Backlog
from bus.freshness.desk import Desk
from bus.freshness.shell import GROUP
from bus.freshness.worker import FreshnessWorker
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import ALARM, FRESHNESS, PULSE, heartbeat_topic
from bus.wire.clients import Principal, admin, producer
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.wire.transaction import COMMIT
from bus.workers.supervisor import environment_of
from compliance.workdays import WorkCalendar
from processors.batch import InMessage
from processors.freshness.targets import Limits
from schemas.codec import unframe
from schemas.resource import envelope
from tests.city import City
from tests.freshness_watch import beat, now_ms, rows, watched_city
from tests.killing import kill_at
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S, in_thread, ready, until

pytestmark = pytest.mark.kafka
PULSES, EVERY = 400, 4


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return watched_city(local_bus, tmp_path)


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


def test_a_backlog_is_what_was_committed_from_the_positions_to_the_end_of_then_in_order(city: City) -> None:
    principal = Principal.role(city.settings, "freshness")
    done, place = threading.Event(), (heartbeat_topic(city.owner), 0)
    done.set()
    pulsing(city, done)
    for _ in range(3):
        beat(city)
    mine = [one for one in city.read(PULSE.pattern) if one.key() == b"x"]
    start = (mine[9].offset() or 0) + 1
    found: list[InMessage] = []
    backlog = Backlog(city.settings, principal, {(PULSE.pattern, 0): start, place: 1}, found.append)
    beat(city)
    backlog.start()
    until(lambda: backlog.over, "the backlog's end")
    assert backlog.error is None
    assert [one.offset for one in found if one.topic == place[0]] == [1, 2]
    pulses = [one for one in found if one.topic == PULSE.pattern]
    expected = [
        one for one in city.read(PULSE.pattern) if start <= (one.offset() or 0) < backlog.ends[PULSE.pattern, 0]
    ]
    assert [(one.offset, one.value, one.append_ms) for one in pulses] == [
        (one.offset(), one.value(), one.timestamp()[1]) for one in expected
    ]
    assert len(pulses) >= PULSES * (EVERY - 1) // EVERY - 10
    assert backlog.read == len(found)
    ends = {(PULSE.pattern, 0): backlog.ends[PULSE.pattern, 0]}
    nothing = Backlog(city.settings, principal, ends, found.append)
    nothing.start()
    until(lambda: nothing.over, "an end without a beginning")
    assert (nothing.error, nothing.read) == (None, 0)


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
        with in_thread(FreshnessWorker(city.settings, limits=Limits()), ready) as third:
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
