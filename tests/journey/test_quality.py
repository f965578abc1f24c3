"""Quality on real Kafka: what is late, incomplete, refused or contradicted lowers a score, and what is mended lifts it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bus import Change, Operation, Publisher
from bus.cli.main import bus
from bus.provision.actual import Cluster
from bus.provision.register import read_register
from bus.register.counting import count
from bus.topics import QUALITY
from bus.wire.clients import Principal, producer
from bus.wire.transaction import AFTER
from bus.workers.supervisor import environment_of
from compliance.catalogue import local_date, wanted_fields
from compliance.period import period
from processors.reports import refused_topic
from tests.builders import permit
from tests.city import City
from tests.journey.test_crosscheck import ENDED, HOME, Registrars, checking
from tests.killing import kill_at
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S, running, until

pytestmark = pytest.mark.kafka
AREA = {"registration_authority_division": "441302"}


@pytest.fixture
def registrars(local_bus: LocalBus, tmp_path: Path) -> Registrars:
    """A city whose permits may lack their day of issue, with a store of its own."""
    settings = local_bus.settings.model_copy(update={"session_timeout_ms": 6_000})
    forget(settings.state_dir)
    city = City(settings, tmp_path)
    city.versions[0]["fields"]["permit_issue_date"]["required"] = False
    return Registrars(city)


def forget(state_dir: Path) -> None:
    """Lose the store."""
    store = state_dir / "crosscheck"
    for file in store.iterdir() if store.is_dir() else ():
        file.unlink()


def scores(city: City, agency: str) -> dict[str, tuple[int, float]]:
    """Number of records and score by dimension, of all days that were told of the city's permits."""
    latest: dict[bytes, dict[str, Any] | None] = dict(city.entries(QUALITY.pattern))
    found: dict[str, tuple[int, float]] = {}
    for row in latest.values():
        if row is not None and (row["agency"], row["resource"]) == (agency, city.resource):
            for one in row["scores"]:
                records, value = found.get(one["dimension"], (0, 0.0))
                found[one["dimension"]] = records + one["records"], value + one["value"] / 1_000_000
    return {dimension: (records, round(value / records, 3)) for dimension, (records, value) in found.items()}


def nothing_personal(city: City, rows: list[dict[str, Any]]) -> None:
    """No value of a row stands on the topic."""
    written = b"".join(message.value() or b"" for message in city.read(QUALITY.pattern))
    for row in rows:
        for name in ("name", "id_number", "residence_address_detail"):
            assert str(row[name]).encode() not in written, name


def shown_and_counted(city: City, runner: CliRunner, command: list[str], now: datetime) -> None:
    """The figures of the report and of the count say the same."""
    shown = json.loads(runner.invoke(bus, command, catch_exceptions=False).output)["rows"]
    [row] = [row for row in shown if row["agency"] == city.owner]
    assert (row["conformance"], row["timeliness"], row["consistency"]) == (0.8571, 0.8, 1)
    assert row["total"] == pytest.approx((6 / 7 + 1 + 0.8 + 1) / 4, abs=1e-4)
    view = read_register(Cluster(city.settings))
    facts = {row.agency: row for row in count(city.settings, view, period(str(local_date(now).year)))}
    ours = facts[city.owner]
    assert (ours.supplied, ours.admitted, ours.timed, ours.late) == (7, 6, 5, 1)
    assert "quality, by day" in ours.source


def test_scores_follow_what_is_published_refused_and_found_and_outlast_a_kill_and_a_lost_store(
    registrars: Registrars,
) -> None:
    city, now = registrars.city, datetime.now(UTC)
    office = "residence_permit_office"
    registrars.say(1, "household_registration", HOME)
    wrong = registrars.say(1, "residence_permit", {**ENDED, "name": "测试乙"})
    rows = [permit(index, **AREA) for index in range(5)]
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        receipts = publisher.publish(
            city.resource,
            [
                Change(rows[0], now),
                Change({**rows[1], "permit_issue_date": None}, now),
                Change(rows[2], now - timedelta(days=2)),
                Change(permit(98, registration_authority_division="440305"), now),
            ],
        ).receipts()
        incomplete, late, refused = (receipt.event_id for receipt in receipts[1:])
        with checking(city.settings, registrars.checks) as worker:
            entry = read_register(Cluster(city.settings)).entry(city.resource)
            assert entry is not None
            wanted = len(wanted_fields(entry))
            found = {
                "CONFORMANCE": (4, 0.75),
                "COMPLETENESS": (3, round(1 - 1 / wanted / 3, 3)),
                "TIMELINESS": (3, 0.667),
                "CONSISTENCY": (3, 1),
            }
            until(lambda: scores(city, city.owner) == found, "the scores")
            until(lambda: scores(city, office).get("CONSISTENCY") == (1, 0), "the hit in the score")
            command = ["report", "quality", "--resource", city.resource, "--format", "json"]
            runner = CliRunner(env=environment_of(city.settings))
            below = json.loads(runner.invoke(bus, [*command, "--below"], catch_exceptions=False).output)["rows"]
            assert {(row["dimension"], row["record"], row["why"]) for row in below if row["agency"] == city.owner} == {
                ("CONFORMANCE", refused, "E_OWNER"),
                ("COMPLETENESS", incomplete, "permit_issue_date"),
                ("TIMELINESS", late, "late"),
            }
            assert [row["record"] for row in below if row["agency"] == office] == [wrong]
            # What an agency may write there and nobody can read stops nobody.
            writer = producer(city.settings, Principal.role(city.settings, "operator"))
            for strange in (b"x", b"\0\0\0\xff\xffstrange", None):
                writer.produce(refused_topic(city.owner), value=strange)
            assert writer.flush(WAIT_S) == 0
            # Mended: the record is complete, and the names agree.
            publisher.publish(
                city.resource, [Change(rows[1], now, operation=Operation.CORRECT, supersedes=incomplete)]
            ).receipts()
            registrars.say(1, "residence_permit", ENDED)
            mended = {**found, "CONFORMANCE": (5, 0.8), "COMPLETENESS": (3, 1)}
            until(lambda: scores(city, city.owner) == mended, "the mended score")
            until(lambda: scores(city, office).get("CONSISTENCY") == (1, 1), "the hit's end in the score")
            told = worker.metrics.registry.get_sample_value
            labels = {"agency": city.owner, "resource": city.resource, "dimension": "TIMELINESS"}
            until(lambda: told("bus_quality_score", labels) is not None, "the metric")
            assert told("bus_quality_score", labels) == pytest.approx(2 / 3, abs=1e-6)
        # Killed when the day was told and before that was kept.
        publisher.publish(city.resource, [Change(rows[3], now)]).receipts()
        kill_at(city.settings, "crosscheck", AFTER, str(registrars.file()))
        more = dict.fromkeys(found, (4, 1)) | {"CONFORMANCE": (6, 0.833), "TIMELINESS": (4, 0.75)}
        with checking(city.settings, registrars.checks):
            until(lambda: scores(city, city.owner) == more, "the scores after a kill")
        forget(city.settings.state_dir)
        publisher.publish(city.resource, [Change(rows[4], now)]).receipts()
        most = dict.fromkeys(found, (5, 1)) | {"CONFORMANCE": (7, 0.857), "TIMELINESS": (5, 0.8)}
        with checking(city.settings, registrars.checks):
            until(lambda: scores(city, city.owner) == most, "the scores of the store that was made anew")
    nothing_personal(city, rows)
    shown_and_counted(city, runner, command, now)
