"""What the streams found goes into the register exactly once, on real Kafka: alarms, hits, waivers, and kills."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bus.intake.words import Taken
from bus.intake.worker import ASSIGN, BEGUN, COMMIT, READ, TAKEN, TELL, TOPICS, IntakeWorker
from bus.provision.actual import ActualTopic, Cluster
from bus.provision.register import read_register
from bus.register.place import opened
from bus.register.worker import RegisterWorker
from bus.topics import ALARM, DIFFERENCE, HIT
from bus.wire.clients import Principal, producer
from bus.wire.registry import Registry
from bus.workers.supervisor import environment_of
from compliance.notice_kinds import NoticeKind
from compliance.register.intake import positions, take_in, without_case
from compliance.register.noticebook import NoticeBook, Told
from compliance.register.service import Register
from compliance.workflow import Matter
from schemas.resource import envelope
from tests.city import City
from tests.findings import alarm, difference, hit, millis, side
from tests.killing import kill_at
from tests.local_cluster import LocalBus
from tests.postgres import Postgres
from tests.procedures import RIGHT_EVENT
from tests.register import OPERATOR, moved
from tests.threads import WAIT_S, in_thread, until

pytestmark = pytest.mark.kafka


def city_over(local_bus: LocalBus, folder: Path, database: str) -> City:
    """A city whose register is a database of its own: each test reads the shared topics from their beginning."""
    settings = local_bus.settings.model_copy(update={"register_url": database, "session_timeout_ms": 6_000})
    city = City(settings, folder)
    city.apply()
    return city


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return city_over(local_bus, tmp_path, f"sqlite:///{tmp_path / 'register.db'}")


def say(city: City, kind: str, key: str, datum: Mapping[str, Any] | bytes) -> None:
    """A message as whoever finds it writes it."""
    principal = Principal.role(city.settings, "operator")
    value = datum
    if not isinstance(datum, bytes):
        head = Registry(city.settings, principal).head(kind, envelope(kind))
        value = head + envelope(kind).encode_physical(dict(datum))
    writer = producer(city.settings, principal)
    writer.produce(kind, key=key.encode(), value=value, partition=0)
    assert writer.flush(WAIT_S) == 0


def say_alarm(city: City, since: datetime, cleared: datetime | None = None) -> None:
    datum = alarm(since, cleared, agency=city.owner, owner=city.owner, resource=city.resource)
    say(city, ALARM.pattern, f"SILENT|{city.owner}.{city.resource}|", datum)


def hit_of(city: City, at: datetime, **changes: Any) -> dict[str, Any]:
    """A hit about the city's own resource."""
    own = {"resource": city.resource, "agency": city.owner}
    sides = {"left": side(str(uuid4()), **own), "right": side(str(uuid4()), **own)}
    values = {"fields": ["sex_code"], "check": "permit_household", "opened_at": millis(at), **sides}
    return hit(at, **{"pair": str(uuid4()), **values, **changes})


def say_hit(city: City, datum: Mapping[str, Any]) -> None:
    say(city, HIT.pattern, datum["pair"], datum)


def notices(city: City, register: Register) -> list[Told]:
    told = NoticeBook(register).listed(agency=city.owner)
    return [one for one in told if one.notice.cause.kind is NoticeKind.SILENT]


def cases(city: City, register: Register) -> tuple[Matter, ...]:
    return register.matters("data_case", resource=city.resource)


def counted(worker: IntakeWorker, topic: str, taken: Taken) -> float:
    labels = {"topic": topic, "result": taken.value}
    return worker.metrics.registry.get_sample_value("bus_intake_total", labels) or 0.0


def test_an_alarm_on_the_topic_is_a_notice_until_it_is_cleared_and_a_second_worker_stands_by(city: City) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    with opened(city.settings) as register, in_thread(IntakeWorker(city.settings)) as worker:
        say(city, ALARM.pattern, "x", b"rubbish")
        say_alarm(city, since)
        until(lambda: len(notices(city, register)) == 1, "the notice")
        assert counted(worker, "alarm", Taken.UNREADABLE) >= 1
        listed = subprocess.run(
            [sys.executable, "-m", "bus", "notice", "list", "--standing", "--agency", city.owner, "--json"],
            env={**os.environ, **environment_of(city.settings)},
            capture_output=True,
            check=True,
        )
        assert [row["kind"] for row in json.loads(listed.stdout)] == ["SILENT"]
        with in_thread(IntakeWorker(city.settings)) as second:
            until(lambda: second.health.ready, "the second worker")
            say_alarm(city, since, datetime.now(UTC))
            until(lambda: len(notices(city, register)) == 2, "the withdrawal")
    assert sorted(one.notice.withdraws is None for one in notices(city, register)) == [False, True]
    assert [one.notice for one in notices(city, register) if not one.withdrawn and not one.notice.withdraws] == []


def test_a_hit_is_a_case_that_the_owners_correction_closes_and_a_waiver_stands_on_its_topic(city: City) -> None:
    now = datetime.now(UTC)
    first, second = hit_of(city, now), hit_of(city, now + timedelta(seconds=1))
    with opened(city.settings) as register, in_thread(IntakeWorker(city.settings)):
        say_hit(city, first)
        until(lambda: [case.state for case in cases(city, register)] == ["NOTIFIED"], "the case")
        wrong = first["left"]["event_id"]
        correction = {"resource": city.resource, "agency": city.owner}
        correction |= {"wrong_event_id": wrong, "right_event_id": RIGHT_EVENT}
        end = {"state": "CLOSED", "reason": "CORRECTED", "superseded": correction}
        say_hit(city, {**first, **end, "told_at": millis(now) + 500})
        until(lambda: [case.state for case in cases(city, register)] == ["OWNER_DONE"], "the correction")
        [case] = cases(city, register)
        assert case.facts["see_corrected"] == {"wrong_event": wrong, "correcting_event": RIGHT_EVENT}
        datum = difference(now, agency=city.owner, resource=city.resource, since=millis(now))
        say(city, DIFFERENCE.pattern, f"{city.owner}.{city.resource}", datum)
        until(lambda: [case.state for case in cases(city, register)] == ["OWNER_DONE", "RECEIVED"], "the difference")
        say_hit(city, second)
        until(lambda: len(cases(city, register)) == 3, "the second hit")
        [waived] = [case for case in cases(city, register) if case.state == "NOTIFIED"]
        moved(register.act(waived.number, "waive", {"reason": "写法不同，含义一致"}, OPERATOR, datetime.now(UTC)))
        with in_thread(RegisterWorker(city.settings)):
            key = f"{second['pair']}.{second['compared'].hex()}"
            until(lambda: key.encode() in [found for found, _ in city.entries("register.waiver")], "the waiver")
    [row] = [row for found, row in city.decoded("register.waiver") if found == key.encode()]
    assert (row["pair"], row["case"], row["role"]) == (second["pair"], waived.number, "OPERATOR_CITY")


def test_what_finds_no_entry_becomes_a_case_when_there_is_one(city: City, tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    later, now = City(city.settings, tmp_path / "later"), datetime.now(UTC)
    with opened(city.settings) as register, in_thread(IntakeWorker(city.settings)) as worker:
        say_hit(later, hit_of(later, now))
        # What others left on the shared topics may be refused, too.
        until(lambda: later.resource in {one.body["left"]["resource"] for one in without_case(register.engine)}, "it")
        assert counted(worker, "hit", Taken.REFUSED) >= 1
        later.apply()
        # Whatever comes makes it look again at once.
        say_alarm(city, now)
        until(lambda: [case.state for case in cases(later, register)] == ["NOTIFIED"], "the case")


def test_a_topic_that_was_made_anew_is_read_from_its_beginning_and_what_was_known_is_a_repeat(city: City) -> None:
    first, second = (hit_of(city, datetime.now(UTC)) for _ in range(2))
    with opened(city.settings) as register:
        with in_thread(IntakeWorker(city.settings)):
            say_hit(city, first)
            until(lambda: len(cases(city, register)) == 1, "the case")
        with register.deciding(datetime.now(UTC)) as decision:
            for topic in TOPICS:
                assert take_in(decision.connection, (topic, 0), 1_000_000)
        with in_thread(IntakeWorker(city.settings)) as worker:
            say_hit(city, second)
            until(lambda: len(cases(city, register)) == 2, "the second case")
            assert counted(worker, "hit", Taken.REPEATED) >= 1
        assert positions(register.engine)[HIT.pattern, 0] < 1_000_000


def test_a_kafka_of_before_waivers_still_tells_its_register(city: City) -> None:
    class Older(Cluster):
        """A cluster on which `bus init` was not run since."""

        def topics(self) -> dict[str, ActualTopic]:
            return {name: topic for name, topic in super().topics().items() if name != "register.waiver"}

    assert read_register(Older(city.settings)).agency(city.owner) is not None


@pytest.mark.parametrize("step", [ASSIGN, READ, BEGUN, COMMIT, TAKEN, TELL])
def test_killed_at_a_step_it_neither_loses_nor_repeats(city: City, step: int) -> None:
    kill_and_go_on(city, step)


@pytest.mark.parametrize("step", [BEGUN, COMMIT, TAKEN])
def test_killed_at_a_step_over_postgresql_it_neither_loses_nor_repeats(
    local_bus: LocalBus, tmp_path: Path, postgres: Postgres, step: int
) -> None:
    kill_and_go_on(city_over(local_bus, tmp_path, postgres.fresh()), step)


def kill_and_go_on(city: City, step: int) -> None:
    """Kill it among hits and an alarm, let another go on, and look at what stands and at what was done."""
    now = datetime.now(UTC)
    hits = [hit_of(city, now) for _ in range(4)]
    for each in hits:
        say_hit(city, each)
    say_hit(city, {**hits[0], "state": "CLOSED", "reason": "WITHDRAWN", "told_at": millis(now) + 1})
    say_alarm(city, now - timedelta(hours=1))
    kill_at(city.settings, "intake", step)
    with opened(city.settings) as register:
        with in_thread(IntakeWorker(city.settings)):
            until(lambda: len(notices(city, register)) == 1 and len(cases(city, register)) == len(hits), "all of it")
            say_hit(city, {**hits[1], "state": "CLOSED", "reason": "WITHDRAWN", "told_at": millis(now) + 1})
            until(lambda: Counter(case.state for case in cases(city, register))["OWNER_DONE"] == 2, "the last")
        pairs = Counter(str(case.fact("report_cross_check", "pair")) for case in cases(city, register))
        assert pairs == Counter(str(each["pair"]) for each in hits)
        [one] = [case for case in cases(city, register) if case.fact("report_cross_check", "pair") == hits[0]["pair"]]
        actions = [found.action for found in register.history(one.number)]
        assert actions == ["report_cross_check", "notify_owner", "see_resolved"]
        assert len(notices(city, register)) == 1
