"""A connector speaks for its source by itself: heartbeats all the time, and one declaration a quarter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from bus.topics import PULSE
from bus.wire.transaction import PROCESS
from bus.workers.supervisor import environment_of
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.judge import Status, judge
from processors.freshness.pauses import Pauses
from processors.freshness.state import State, observe
from processors.freshness.words import (
    MINUTE,
    At,
    Declaration,
    Event,
    Heartbeat,
    Key,
    Pulse,
    Targets,
    millis,
    quarter_name,
    quarter_of,
    quarter_start,
)
from schemas.codec import unframe
from schemas.resource import envelope
from schemas.words import FreshnessClass
from tests.city import City
from tests.command import Command
from tests.local_cluster import LocalBus
from tests.source_table import connecting, write_table
from tests.threads import running, until

pytestmark = pytest.mark.kafka

ROWS = 25
LAW = Law.packaged("huizhou-2016", "state-council-2025", effective_date=date(2025, 1, 1))
CALENDAR = WorkCalendar.packaged()
QUICK = {
    "connector_batch_rows": 10,
    "connector_poll_ms": 50,
    "connector_heartbeat_s": 0.1,
    "connector_declare_after_s": 0.5,
}
GRACE_MS = 500


class Told:
    """What stands on the topics about the city's resource."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.key = Key(city.owner, city.resource)

    def _messages(self, topic: str, name: str) -> Iterator[tuple[Message, dict[str, Any]]]:
        for message in self._city.read(topic):
            framed = unframe(message.value())
            assert framed is not None
            datum = envelope(name).decode_physical(framed[1])
            if (datum["agency"], datum["resource"]) == (self.key.agency, self.key.resource):
                yield message, datum

    def heartbeats(self) -> list[tuple[int, dict[str, Any]]]:
        """With the broker's time."""
        topic = f"heartbeat.{self.key.agency}"
        return [(message.timestamp()[1], datum) for message, datum in self._messages(topic, "heartbeat")]

    def declarations(self) -> list[dict[str, Any]]:
        return [datum for _, datum in self._messages(f"declaration.{self.key.agency}", "declaration")]

    def state(self) -> State:
        """Folded from everything that the freshness worker reads of the source."""
        state = State(self.key)
        sources: list[tuple[str, str, type[Pulse | Heartbeat | Declaration]]] = [
            (PULSE.pattern, "pulse", Pulse),
            (f"heartbeat.{self.key.agency}", "heartbeat", Heartbeat),
            (f"declaration.{self.key.agency}", "declaration", Declaration),
        ]
        for topic, name, word in sources:
            for message, datum in self._messages(topic, name):
                event: Event = word.from_datum(datum)
                state = observe(state, event, At(message.timestamp()[1], topic, message.offset() or 0))
        return state


def test_a_connector_sends_heartbeats_and_declares_a_quarter_once(local_bus: LocalBus, tmp_path: Path) -> None:
    city = City(local_bus.settings, tmp_path)
    city.versions[0] |= {"freshness": "STATIC", "update_frequency": "每季度"}
    city.apply()
    quick = city.settings.model_copy(update=QUICK)
    file, told = write_table(city, tmp_path, ROWS), Told(city)

    processed: list[int] = []

    def on_step(step: int) -> None:
        """Before each batch of rows is sent: nobody has said yet that they are there."""
        if step == PROCESS:
            beats = told.heartbeats()
            processed.append(len(beats))
            assert [beat["complete_until"] for _, beat in beats] == [None] * len(beats)
            assert told.declarations() == []

    with running(city.settings, "admit"):
        with connecting(quick, file, on_step):
            until(lambda: bool(told.declarations()), "a declaration")
        until(lambda: sum(day.admitted for day in told.state().traffic.values()) == ROWS, "the admission of every row")
        second_run = millis(datetime.now(UTC))
        with connecting(quick, file):

            def has_had_its_chance() -> bool:
                """Whether the second run has looked beyond the time after which it would declare."""
                since = [beat["sent_at"] for _, beat in told.heartbeats() if beat["sent_at"] >= second_run]
                return bool(since) and since[-1] > since[0] + 2 * GRACE_MS

            until(has_had_its_chance, "heartbeats of the second run")

    # Three batches at least. A commit that came back may not be seen at once; the last batch followed two others.
    assert len(processed) >= 3
    assert processed[-1] > 0
    [declaration], (_, last) = told.declarations(), told.heartbeats()[-1]
    assert last["connector"] == f"permits-{city.suffix}"
    assert last["sent_at"] - last["complete_until"] < MINUTE
    # The mark lies behind the quarter's end, so it covers all that were open.
    assert declaration["says"] == "HIGH_WATER"
    assert declaration["quarter"] == quarter_name(quarter_of(declaration["declared_at"]) - 1)
    assert quarter_start(quarter_of(declaration["declared_at"])) <= declaration["mark"] <= declaration["declared_at"]

    state = told.state()
    last_at = state.sign.received_at
    since = quarter_start(quarter_of(last_at) - 3)
    static = judge(state, Pauses(), Targets(FreshnessClass.STATIC, since), LAW, CALENDAR, last_at)
    assert (static.status, static.alarms) == (Status.FRESH, ())
    assert [one.covered for one in static.quarters] == [True, True, True]
    watched = Targets(FreshnessClass.DYNAMIC, since, source_lag=15 * MINUTE, silent_after=15 * MINUTE)
    soon = judge(state, Pauses(), watched, LAW, CALENDAR, last_at + 15 * MINUTE - 1)
    assert (soon.status, soon.alarms, soon.last_sign) == (Status.FRESH, (), last_at)


def test_of_a_dynamic_resource_a_connector_declares_the_static_group_alone(local_bus: LocalBus, tmp_path: Path) -> None:
    city = City(local_bus.settings, tmp_path)
    group = {"fields": ["residence_permit_number"], "freshness": "STATIC", "update_frequency": "每季度"}
    city.versions[0]["field_groups"] = {"number": group}
    city.apply()
    file, told = write_table(city, tmp_path, 1), Told(city)
    with connecting(city.settings.model_copy(update=QUICK), file):
        until(lambda: bool(told.declarations()), "a declaration of the group")
        since = len(told.heartbeats())
        until(lambda: len(told.heartbeats()) > since + 3, "further looks at the source")
    [declaration] = told.declarations()
    assert (declaration["field_group"], declaration["says"]) == ("number", "HIGH_WATER")
    assert declaration["quarter"] == quarter_name(quarter_of(declaration["declared_at"]) - 1)
    assert {beat["field_group"] for _, beat in told.heartbeats()} == {None}


def test_a_person_declares_a_quarter_once_it_is_over(
    local_bus: LocalBus, tmp_path: Path, bus_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(local_bus.settings, tmp_path)
    city.versions[0] |= {"freshness": "STATIC", "update_frequency": "每季度"}
    city.apply()
    for name, value in environment_of(city.settings).items():
        monkeypatch.setenv(name, value)
    told, running_quarter = Told(city), quarter_of(millis(datetime.now(UTC)))
    last, present = quarter_name(running_quarter - 1), quarter_name(running_quarter)

    refused = bus_command("declare", city.owner, city.resource, present, "--no-change")
    assert (refused.code, told.declarations()) == (2, [])
    assert f"{present} is not over" in refused.err
    assert bus_command("declare", city.other, city.resource, last, "--complete").code == 2
    unnamed = bus_command("declare", city.owner, city.resource, last, "--complete", "--group", "number")
    assert (unnamed.code, unnamed.err) == (
        2,
        f"error: the entry {city.resource} names no group of fields number\n",
    )
    done = bus_command("declare", city.owner, city.resource, last, "--complete")
    assert (done.code, done.out) == (0, f"{city.owner} declared {last} of {city.resource} complete\n")
    [declaration] = told.declarations()
    assert (declaration["quarter"], declaration["says"]) == (last, "HIGH_WATER")
    assert told.state().declared[running_quarter - 1].mark == quarter_start(running_quarter) - 1
