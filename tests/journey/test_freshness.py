"""The freshness worker on real Kafka: who is silent is told and told clear, and a kill changes nothing (Art 16)."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer

from bus import Change, Publisher
from bus.freshness.backlog import Backlog
from bus.freshness.desk import Desk
from bus.freshness.shell import GROUP
from bus.freshness.worker import FreshnessWorker
from bus.provision.actual import Cluster
from bus.register.lock import relay_lock
from bus.register.place import law_of, opened
from bus.register.relay import Relay
from bus.settings import Settings
from bus.topics import ALARM, DELIVERY_PULSE, FRESHNESS, PROGRESS, PULSE, declaration_topic, heartbeat_topic
from bus.wire.clients import Principal, admin, producer
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.wire.transaction import COMMIT
from bus.workers.supervisor import environment_of
from compliance.catalogue import SHANGHAI
from compliance.roles import Actor
from compliance.workdays import WorkCalendar
from processors.batch import InMessage
from processors.freshness.targets import Limits
from processors.freshness.words import MINUTE, quarter_name, quarter_of
from schemas.codec import unframe
from schemas.errors import UsageError
from schemas.resource import envelope
from tests.builders import permit
from tests.city import City
from tests.killing import kill_at
from tests.local_cluster import LocalBus
from tests.register import AUTHORITY, moved, of
from tests.threads import WAIT_S, in_thread, leads, ready, running, until

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
def watching(settings: Settings, limits: Limits) -> Iterator[FreshnessWorker]:
    with in_thread(FreshnessWorker(settings, limits=limits), leads) as worker:
        yield worker


def say(city: City, kind: str, topic: str, datum: Mapping[str, Any], principal: Principal | None = None) -> None:
    """A word on a topic, under its speaker's own certificate: the city's owner's, unless another is named."""
    principal = principal or Principal.agency(city.settings, city.owner)
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


def grouped(city: City, code: str) -> list[tuple[str | None, bool]]:
    """The alarms of one code, in the order of their groups of fields: of which, and whether they were cleared."""
    found = [row for row in rows(city, ALARM.pattern) if row["code"] == code]
    told = [(row["field_group"], row["cleared_at"] is not None) for row in found]
    return sorted(told, key=lambda one: (one[0] or "", one[1]))


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


def test_what_waited_for_a_deliver_worker_is_a_lag_and_what_waited_for_a_resumed_grant_is_none(city: City) -> None:
    def took() -> list[int]:
        found = [row for row in rows(city, DELIVERY_PULSE.pattern) if row["grant"] == grant]
        return [round((row["delivered_at"] - row["admitted_at"]).total_seconds() * 1000) for row in found]

    def publish_without_deliver(seed: int) -> int:
        with running(city.settings, "admit"):
            publish_one(city, seed)
        return now_ms()

    grant = city.add_grant("full")
    city.apply()
    with running(city.settings, "deliver"):
        until(lambda: live(city, grant), "the grant")
    published_by = publish_without_deliver(1)
    with running(city.settings, "deliver"):
        until(lambda: len(took()) == 1, "what the delivery took")
    [row] = [row for row in rows(city, DELIVERY_PULSE.pattern) if row["grant"] == grant]
    assert row["admitted_at"].timestamp() * 1000 <= published_by
    assert row["records"] == 1
    city.grants[grant]["state"] = "SUSPENDED"
    with running(city.settings, "deliver"):
        city.apply()
        until(lambda: not live(city, grant), "the grant's stop")
    publish_without_deliver(2)
    city.grants[grant]["state"] = "ACTIVE"
    with running(city.settings, "deliver"):
        city.apply()
        until(lambda: len(city.data(city.topic(grant))) == 2, "what the resumed grant had missed")
        until(lambda: live(city, grant), "the resumed grant")
    assert len(took()) == 1


def test_an_outage_that_the_authority_accepts_lets_the_clocks_stand_still_and_its_end_lets_them_go_on(
    city: City,
) -> None:
    """By the register's own way: decided in its database, told on `register.outage` by its relay."""
    today = datetime.now(SHANGHAI).date().isoformat()
    notice = {"division": "441300", "started_on": today, "reason": "水浸", "remedy": "抢修", "document": "1"}
    whose = of(city.owner)
    with watching(city.settings, QUICK):
        until(lambda: alarms(city, "SILENT") == [(city.owner, False)], "silence")
        with opened(city.settings) as register:

            def act(number: str, action: str, form: Mapping[str, Any], actor: Actor) -> None:
                moved(register.act(number, action, form, actor, datetime.now(UTC)))
                with relay_lock(register.engine, WAIT_S):
                    Relay(Cluster(city.settings), register).run()

            number = moved(register.open("outage", "report", notice, whose, datetime.now(UTC))).matter.number
            act(number, "accept", {"reason": "属实"}, AUTHORITY)
            until(lambda: alarms(city, "SILENT")[1:] == [(city.owner, True)], "the alarm's end")
            assert rows(city, FRESHNESS.pattern)[-1]["status"] == "PAUSED"
            act(number, "restore", {"restored_on": today, "remedy": "已修复"}, whose)
            until(lambda: alarms(city, "SILENT")[2:] == [(city.owner, False)], "silence again")


def live(city: City, grant: str) -> bool:
    """Whether a grant is delivered to on every partition."""
    found = {row["partition"]: row["state"] for row in city.data(PROGRESS.pattern) if row["grant"] == grant}
    return found == dict.fromkeys(range(city.partitions), "LIVE")


def told_of(city: City) -> set[str]:
    """The grants of which a deliver worker told what deliveries took."""
    return {row["grant"] for row in rows(city, DELIVERY_PULSE.pattern)}


def publish_one(city: City, seed: int) -> None:
    with Publisher(city.owner, settings=city.settings) as publisher:
        [receipt] = publisher.publish(city.resource, [Change(permit(seed), datetime.now(UTC))]).receipts()
    assert receipt.admitted


def test_what_deliveries_took_is_told_and_judged_and_what_a_new_grant_catches_up_with_is_not(city: City) -> None:
    """A target of a millisecond: every delivery is late."""
    first = city.add_grant("first")
    city.apply()
    with watching(city.settings, Limits(delivery_lag=1)), running(city.settings, "admit", "deliver"):
        until(lambda: live(city, first), "the first grant")
        publish_one(city, 1)
        until(lambda: told_of(city) == {first}, "what the delivery took")
        second = city.add_grant("second")
        city.apply()
        until(lambda: live(city, second) and len(city.data(city.topic(second))) == 1, "the second grant, caught up")
        publish_one(city, 2)
        until(lambda: told_of(city) == {first, second}, "what the second grant's delivery took")
        until(lambda: alarms(city, "DELIVERY_LAG") == 2 * [("operator", False)], "the operator's alarms")
        until(lambda: (rows(city, FRESHNESS.pattern)[-1]["age_ms"] or 0) > 0, "how old the data were")
        for grant in (first, second):
            # Minutes later, as far as the clock of who delivers goes, and in time.
            at = now_ms() + 3 * MINUTE
            whose = {"agency": city.owner, "resource": city.resource, "grant": grant, "records": 1}
            datum = {**whose, "delivered_at": at, "admitted_at": at, "business_time": None}
            say(city, "delivery_pulse", DELIVERY_PULSE.pattern, datum, Principal.role(city.settings, "operator"))
        until(lambda: alarms(city, "DELIVERY_LAG")[2:] == 2 * [("operator", True)], "the alarms' end")
    # Of the second grant one record alone: the other one it caught up with.
    assert [row["records"] for row in rows(city, DELIVERY_PULSE.pattern) if row["grant"] == second] == [1, 1]


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
        say(city, "declaration", declaration_topic(city.other), datum, Principal.agency(city.settings, city.other))
        writer = producer(city.settings, Principal.agency(city.settings, city.owner))
        writer.produce(topic, key=b"x", value=b"rubbish", partition=0)
        assert writer.flush(WAIT_S) == 0
        sample = ("bus_freshness_passed_over_total", {"kind": "declaration"})
        until(lambda: worker.metrics.registry.get_sample_value(*sample) == 2, "what was passed over")
        assert alarms(city, "STATIC_OVERDUE") == told
        say(city, "declaration", topic, datum)
        until(lambda: len(alarms(city, "STATIC_OVERDUE")) == 2 * len(told), "the alarms' end")
    assert set(alarms(city, "STATIC_OVERDUE")[len(told) :]) == {(city.owner, True)}


def test_a_program_says_that_it_is_there_and_declares_its_quarters(city: City) -> None:
    present = quarter_of(now_ms())
    static = city.add_resource("disability", freshness="STATIC", update_frequency="每季度")
    looks = {"fields": ["sex_code"], "freshness": "STATIC", "update_frequency": "每季度"}
    city.add_version(field_groups={"looks": looks, "rest": {"fields": ["name"]}})
    city.apply()
    with Publisher(city.owner, settings=city.settings) as publisher, watching(city.settings, QUICK):
        until(lambda: grouped(city, "SILENT") == [(None, False), ("rest", False)], "silence")
        until(lambda: ("looks", False) in grouped(city, "STATIC_OVERDUE"), "an overdue quarter of a group")
        until(lambda: (None, False) in grouped(city, "STATIC_OVERDUE"), "an overdue quarter")
        publisher.heartbeat(city.resource, group="rest")
        until(lambda: ("rest", True) in grouped(city, "SILENT"), "the end of a group's silence")
        assert (None, True) not in grouped(city, "SILENT")
        publisher.declare(city.resource, quarter_name(present - 1), group="looks")
        until(
            lambda: ("looks", True) in grouped(city, "STATIC_OVERDUE"), "the end of what a group's declaration clears"
        )
        assert (None, True) not in grouped(city, "STATIC_OVERDUE")
        complete_until = datetime.now(UTC) - timedelta(minutes=1)
        publisher.heartbeat(city.resource, complete_until)
        publisher.declare(static, quarter_name(present - 1))
        until(lambda: (None, True) in grouped(city, "SILENT"), "the silence's end")
        until(lambda: (None, True) in grouped(city, "STATIC_OVERDUE"), "the end of what was overdue")
        publisher.declare(static, quarter_name(present - 1), unchanged=True)
        for wrong in (
            lambda: publisher.declare(static, quarter_name(present)),
            lambda: publisher.declare(static, "2026-1"),
            lambda: publisher.declare(city.resource, quarter_name(present - 1)),
            lambda: publisher.declare(city.resource, quarter_name(present - 1), group="rest"),
            lambda: publisher.heartbeat(city.resource, group="lokos"),
            lambda: publisher.heartbeat("nothing_such"),
            lambda: publisher.heartbeat(city.resource, datetime.now(UTC) + timedelta(minutes=1)),
            lambda: publisher.heartbeat(city.resource, datetime(2026, 1, 1)),  # noqa: DTZ001  that is what is wrong
        ):
            with pytest.raises(UsageError):
                wrong()
    with pytest.raises(UsageError, match="closed"):
        publisher.heartbeat(city.resource)
    of_group, beat_ = rows(city, heartbeat_topic(city.owner))
    assert (of_group["field_group"], beat_["field_group"]) == ("rest", None)
    assert (beat_["resource"], beat_["connector"], beat_["complete_until"]) == (
        city.resource,
        "publisher",
        complete_until.replace(microsecond=complete_until.microsecond // 1000 * 1000),
    )
    assert [(row["says"], row["field_group"]) for row in rows(city, declaration_topic(city.owner))] == [
        ("HIGH_WATER", "looks"),
        ("HIGH_WATER", None),
        ("NO_CHANGE", None),
    ]
    standing = {row["field_group"] for row in rows(city, FRESHNESS.pattern) if row["resource"] == city.resource}
    assert standing == {None, "looks", "rest"}


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
