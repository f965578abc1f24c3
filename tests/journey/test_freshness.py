"""The freshness worker on real Kafka: who is silent or overdue is told, and told clear (Art 16)."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus import Publisher
from bus.provision.actual import Cluster
from bus.register.lock import relay_lock
from bus.register.place import opened
from bus.register.relay import Relay
from bus.topics import ALARM, FRESHNESS, declaration_topic, heartbeat_topic
from bus.wire.clients import Principal, producer
from compliance.catalogue import SHANGHAI
from compliance.roles import Actor
from processors.freshness.words import quarter_name, quarter_of
from schemas.errors import UsageError
from tests.city import City
from tests.freshness_watch import QUICK, alarms, beat, now_ms, rows, say, watched_city, watching
from tests.local_cluster import LocalBus
from tests.register import AUTHORITY, moved, of
from tests.threads import WAIT_S, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return watched_city(local_bus, tmp_path)


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
