"""The cross-check worker on real Kafka: hits open, change and close once, whoever is killed in between (Art 5, 28)."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from bus import Change, Operation, Publisher
from bus.bench.scene import RecordWriter, Said, event_ids
from bus.cli.main import bus
from bus.crosscheck.worker import CrossCheckWorker
from bus.settings import Settings
from bus.topics import HIT, record_topic
from bus.wire.clients import Principal, producer
from bus.wire.registry import Registry
from bus.wire.transaction import AFTER, COMMIT
from bus.workers.supervisor import environment_of
from compliance.crosschecks import CrossCheck, CrossChecks, packaged_crosschecks
from processors.crosscheck.facts import Digester
from processors.keying import TOKEN_BYTES
from schemas.codec import unframe
from schemas.resource import ResourceSchema, envelope, packaged_text
from tests.builders import person, rows
from tests.city import City
from tests.killing import kill_at
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S, in_thread, leads, ready, running, until

pytestmark = pytest.mark.kafka
WHO = {"name": "测试甲", "sex_code": "1", "ethnicity_code": "01"}
HOME = {**WHO, "household_status": "NORMAL", "cancellation_reason": None}
ENDED = {**WHO, "cancellation_date": 20_000}


def hits_of(city: City) -> list[dict[str, Any]]:
    """Everything that was told on the cluster."""
    framed = [unframe(message.value()) for message in city.read(HIT.pattern)]
    return [envelope("hit").decode_physical(found[1]) for found in framed if found is not None]


@dataclass
class Registrars:
    """A city with households, permits and deaths, and the packaged checks over them, under the city's own names."""

    city: City
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        city = self.city
        self.names = {"residence_permit": city.resource}
        for resource in ("household_registration", "death_certificate"):
            self.names[resource] = city.add_resource(resource)
        city.apply()
        self.checks = tuple(
            self._ours(check)
            for check in packaged_crosschecks().checks
            if check.id in ("death_household", "name_by_number", "permit_household", "permit_beside_household")
        )
        registry = Registry(city.settings, Principal.role(city.settings, "operator"))
        rng, digester = Random(1), Digester("c1", bytes(32))  # noqa: S311  a test repeats
        schemas = {city.resource: city.schema, **city.others}
        self._writers = {
            packaged: RecordWriter(
                schemas[name],
                self.checks,
                digester,
                registry.head(record_topic(name), schemas[name].record),
                city.partitions,
                rng,
                packaged,
            )
            for packaged, name in self.names.items()
        }
        self._ids = event_ids(hash(city.suffix))

    def _ours(self, check: CrossCheck) -> CrossCheck:
        sides = {
            name: {**side.model_dump(), "resources": [self.names[one] for one in side.resources if one in self.names]}
            for name, side in (("left", check.left), ("right", check.right))
            if side is not None
        }
        return CrossCheck.model_validate({**check.model_dump(), **sides})

    def token(self, number: int) -> bytes:
        return self.city.suffix.encode().ljust(TOKEN_BYTES - 1, b"\0") + bytes([number])

    def say(self, number: int, resource: str, row: dict[str, Any], **more: Any) -> str:
        """One record as admit would write it; its event id."""
        event_id = next(self._ids)
        word = Said(self.names[resource], row, agency=f"{resource}_office")
        partition, key, value = self._writers[resource].write(self.token(number), word, event_id, **more)
        writer = producer(self.city.settings, Principal.role(self.city.settings, "operator"))
        topic = record_topic(self.names[resource])
        writer.produce(topic, key=key, value=value, partition=partition)
        if more.get("operation") == "WITHDRAW":
            writer.produce(topic, key=key, value=None, partition=partition)
        assert writer.flush(WAIT_S) == 0
        return event_id

    def told(self) -> list[dict[str, Any]]:
        """What was told of the city's subjects, in order."""
        return [row for row in hits_of(self.city) if row["token"].startswith(self.city.suffix.encode())]

    def words(self, number: int) -> list[tuple[str, str, str | None]]:
        token = self.token(number)
        return [(row["check"], row["state"], row["reason"]) for row in self.told() if row["token"] == token]

    def file(self) -> Path:
        """The checks as a file for another process."""
        path = self.city.folder / "checks.yaml"
        path.write_text(CrossChecks(checks=self.checks).model_dump_json(), encoding="utf-8")
        return path


def empty_store(settings: Settings) -> None:
    store = settings.state_dir / "crosscheck"
    for file in store.iterdir() if store.is_dir() else ():
        file.unlink()


@pytest.fixture
def registrars(local_bus: LocalBus, tmp_path: Path) -> Registrars:
    """A city of its own, with a store of its own, whose dead workers' partitions move soon."""
    settings = local_bus.settings.model_copy(update={"session_timeout_ms": 6_000})
    empty_store(settings)
    return Registrars(City(settings, tmp_path))


@contextmanager
def checking(settings: Settings, checks: Sequence[CrossCheck]) -> Iterator[CrossCheckWorker]:
    with in_thread(CrossCheckWorker(settings, checks=checks), leads) as worker:
        yield worker


def test_a_hit_opens_is_corrected_and_closes_and_the_command_shows_it(registrars: Registrars) -> None:
    city = registrars.city
    home = registrars.say(1, "household_registration", HOME)
    wrong = registrars.say(1, "residence_permit", {**ENDED, "name": "测试乙"})
    with checking(city.settings, registrars.checks) as worker:
        # What was there before the worker.
        until(lambda: registrars.words(1) == [("name_by_number", "OPEN", None)], "a hit")
        [opened] = registrars.told()
        sides = (opened["left"], opened["right"])
        assert [side["event_id"] for side in sides] == [wrong, home]
        assert [side["division"] for side in sides] == ["441302", "441302"]
        assert (opened["fields"], opened["asks_right"]) == (["@name"], False)
        runner = CliRunner(env=environment_of(city.settings))
        shown = json.loads(runner.invoke(bus, ["crosscheck", "list", "--json"]).output)
        [row] = [row for row in shown if row["pair"] == opened["pair"]]
        assert (row["asked"], row["left"]["event_id"]) == ("residence_permit_office", wrong)
        assert registrars.token(1).hex() not in json.dumps(shown)
        table = runner.invoke(bus, ["crosscheck", "list", "--agency", "residence_permit_office"]).output
        assert wrong in table
        # What comes while it runs.
        right = registrars.say(1, "residence_permit", ENDED)
        registrars.say(2, "household_registration", HOME)
        registrars.say(2, "death_certificate", {"deceased_name": WHO["name"]})
        registrars.say(3, "household_registration", HOME)
        registrars.say(3, "residence_permit", {**ENDED, "sex_code": "2"}, days_ago=0)
        until(lambda: registrars.words(1)[1:] == [("name_by_number", "CLOSED", "CORRECTED")], "the hit's end")
        until(lambda: registrars.words(2) == [("death_household", "OPEN", None)], "a hit about a death")
        until(lambda: registrars.words(3) == [("permit_household", "OPEN", None)], "a hit about a permit")
        closed = registrars.told()[1]
        assert (closed["pair"], closed["superseded"]["wrong_event_id"], closed["superseded"]["right_event_id"]) == (
            opened["pair"],
            wrong,
            right,
        )
        registrars.say(3, "residence_permit", {}, operation="WITHDRAW")
        until(lambda: registrars.words(3)[1:] == [("permit_household", "CLOSED", "WITHDRAWN")], "the permit's end")
        told = worker.metrics.registry.get_sample_value
        asked = {"check": "death_household", "agency": "household_registration_office"}
        until(lambda: told("bus_crosscheck_hits", asked) == 1, "the figure")
        assert told("bus_crosscheck_records_total", {"resource": registrars.names["household_registration"]}) == 3
        assert worker.health.ready
    shown = json.loads(runner.invoke(bus, ["crosscheck", "list", "--json"]).output)
    assert opened["pair"] not in {row["pair"] for row in shown}


def test_a_tolerance_that_ends_opens_a_hit_without_a_new_record(registrars: Registrars) -> None:
    registrars.say(1, "household_registration", HOME)
    # The thirty days are over a few seconds from now.
    registrars.say(1, "death_certificate", {"deceased_name": WHO["name"]}, days_ago=30 - 6 / 86_400)
    with checking(registrars.city.settings, registrars.checks):
        until(lambda: registrars.words(1) == [("death_household", "OPEN", None)], "a hit")
    [told] = registrars.told()
    assert told["told_at"] >= told["since"]


@pytest.mark.parametrize("step", [COMMIT, AFTER], ids=["before its commit", "before it kept what it told"])
def test_a_kill_around_the_commit_tells_each_hit_once(registrars: Registrars, step: int) -> None:
    for number in range(5):
        registrars.say(number, "household_registration", HOME)
        registrars.say(number, "residence_permit", {**ENDED, "name": "测试乙"})
    kill_at(registrars.city.settings, "crosscheck", step, str(registrars.file()))
    with checking(registrars.city.settings, registrars.checks):
        for number in range(5):
            until(lambda at=number: len(registrars.words(at)) == 1, "a hit")  # type: ignore[misc]
    assert [registrars.words(number) for number in range(5)] == [[("name_by_number", "OPEN", None)]] * 5


@contextmanager
def another_process(registrars: Registrars) -> Iterator["subprocess.Popen[bytes]"]:
    words = ["-m", "tests.fault.victim", "crosscheck", "99", "1", str(registrars.file())]
    settings = registrars.city.settings.model_copy(update={"metrics_port": 0})
    process = subprocess.Popen(
        [sys.executable, *words], env={**os.environ, **environment_of(settings)}, cwd=Path(__file__).parents[2]
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(WAIT_S)


def test_after_a_killed_lead_the_one_that_stood_by_goes_on_and_a_lost_store_tells_nothing_anew(
    registrars: Registrars,
) -> None:
    settings = registrars.city.settings
    for number in range(3):
        registrars.say(number, "household_registration", HOME)
    registrars.say(0, "residence_permit", {**ENDED, "name": "测试乙"})
    with another_process(registrars) as first:
        until(lambda: len(registrars.told()) == 1, "what the first told")
        with in_thread(CrossCheckWorker(settings, checks=registrars.checks), ready) as second:
            assert not second.leads
            registrars.say(1, "residence_permit", {**ENDED, "name": "测试乙"})
            until(lambda: len(registrars.told()) == 2, "what the first told then")
            first.send_signal(signal.SIGKILL)
            registrars.say(1, "residence_permit", ENDED)
            registrars.say(2, "residence_permit", {**ENDED, "sex_code": "2"})
            until(lambda: second.leads, "the lead of the one that stood by")
            until(lambda: len(registrars.told()) == 4, "what the second told")
    expected = [
        [("name_by_number", "OPEN", None)],
        [("name_by_number", "OPEN", None), ("name_by_number", "CLOSED", "CORRECTED")],
        [("permit_household", "OPEN", None)],
    ]
    assert [registrars.words(number) for number in range(3)] == expected
    for file in (settings.state_dir / "crosscheck").iterdir():
        file.unlink()
    with checking(settings, registrars.checks) as third:
        assert third.leads
    assert [registrars.words(number) for number in range(3)] == expected


class PackagedCity(City):
    """A city whose resources bear their packaged names, which the packaged checks look at; only one test has one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.resource = self.schema.code

    def _own(self, resource: str, packaged: str) -> ResourceSchema:  # noqa: ARG002  the city's own name is not used
        return ResourceSchema(packaged_text("household_registration" if packaged == "residence_permit" else packaged))

    def add_resource(self, packaged: str, **changes: Any) -> str:
        self.said[packaged] = changes
        self.others[packaged] = self._own(packaged, packaged)
        return packaged


def test_what_agencies_publish_is_compared_and_a_correction_closes_the_hit(local_bus: LocalBus, tmp_path: Path) -> None:
    empty_store(local_bus.settings)
    own = tmp_path / "own.yaml"
    # The city's own rule, beside the packaged one that says the same.
    check = next(check for check in packaged_crosschecks().checks if check.id == "name_by_number")
    own.write_text(CrossChecks(checks=(check.model_copy(update={"id": "own_name"}),)).model_dump_json(), "utf-8")
    city = PackagedCity(local_bus.settings.model_copy(update={"crosschecks_file": own}), tmp_path)
    city.add_resource("marriage")
    city.apply()
    household = person(7)
    married = {**rows("marriage", 1)[0], "id_type": "111", "id_number": household["citizen_id_number"]}
    wrong, right = (str(uuid.uuid4()) for _ in range(2))
    with (
        running(city.settings, "admit"),
        in_thread(CrossCheckWorker(city.settings), leads),
        Publisher(city.owner, settings=city.settings) as publisher,
    ):
        publisher.publish("household_registration", [Change(household, datetime.now(UTC))])
        change = Change({**married, "name": "测试乙"}, datetime.now(UTC), event_id=wrong)
        publisher.publish("marriage", [change])
        publisher.flush()

        def told(check: str) -> list[dict[str, Any]]:
            return [row for row in hits_of(city) if (row["left"]["event_id"], row["check"]) == (wrong, check)]

        for one in ("name_by_number", "own_name"):
            until(lambda one=one: [row["state"] for row in told(one)] == ["OPEN"], "a hit")
            [hit] = told(one)
            assert (hit["left"]["agency"], hit["right"]["agency"]) == (city.owner, city.owner)
            assert hit["left"]["division"] == "441300"
        mended = {**married, "name": household["name"]}
        publisher.publish(
            "marriage", [Change(mended, datetime.now(UTC), Operation.CORRECT, event_id=right, supersedes=wrong)]
        )
        publisher.flush()
        for one in ("name_by_number", "own_name"):
            until(lambda one=one: [row["reason"] for row in told(one)] == [None, "CORRECTED"], "the hit's end")
            assert told(one)[-1]["superseded"]["right_event_id"] == right
