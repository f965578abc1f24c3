"""`python -m bus.bench.register`: the register's figures on this machine; the last line is one JSON object.

Clocks: the list over 100,000 that are open, in SQLite, or in the database that --url names (an empty one). Explain:
one question to the demo's register. Relay: from a decision's commit until a worker's feed has read it from Kafka, for
decisions that need nothing and for grants that need topic, schema and right first.
"""

import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import sqlalchemy as sa

from bus.cli.demo import demo_settings
from bus.demo.register import AGENCIES, FULL, write_register
from bus.local import cluster
from bus.local.certificates import issue_agency
from bus.provision.register import apply_register_file
from bus.register.place import opened
from bus.register.worker import RegisterWorker
from bus.settings import Settings, load
from bus.wire.clients import Principal
from bus.wire.deadline import Deadline
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from compliance.explain import Way, explain
from compliance.register.database import open_engine
from compliance.register.migrate import migrate
from compliance.register.service import Register
from compliance.register.tables import CLOCK, MATTER
from compliance.roles import Actor, Role
from compliance.view import RegisterView

_CLOCKS = 100_000
_CHUNK = 5_000
_DECISIONS = 20
_QUESTIONS = 200
_DECIDER = Actor(account="bench", role=Role.OPERATOR_CITY)


def fill(engine: sa.Engine, today: date) -> None:
    """A matter and so many open clocks, an eighth of them overdue."""
    matter = {"number": "BENCH-1", "workflow": "complaint", "state": "FILED", "seq": 1, "division": "441300"}
    now = datetime.now(UTC)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.insert(MATTER).values(**matter, opened_at=now, facts={}, flags=[]))
        for first in range(0, _CLOCKS, _CHUNK):
            rows = [
                {
                    "matter": "BENCH-1",
                    "rule": "complaint_answer",
                    "profile": "huizhou-2016",
                    "article": "58",
                    "owes": "UNIT",
                    "agency": f"agency_{number % 100}",
                    "division": "441300",
                    "started": now,
                    "counts_from": today,
                    "nominal": today,
                    "due": today + timedelta(days=number % 80 - 10),
                    "provisional": False,
                    "advisory": False,
                    "state": "RUNNING",
                }
                for number in range(first, first + _CHUNK)
            ]
            connection.execute(sa.insert(CLOCK), rows)


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes, the best of three."""
    found = []
    for _ in range(3):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return min(found)


def clocks(settings: Settings, url: str) -> dict[str, float]:
    """Seconds for the list's first page, an agency's, what is overdue, and the counts by article."""
    engine = open_engine(url)
    try:
        migrate(engine)
        today = datetime.now(UTC).date()
        fill(engine, today)
        with opened(settings.model_copy(update={"register_url": url})) as register:
            return {
                "clock_list_s": timed(lambda: register.clocks(limit=200)),
                "clock_list_agency_s": timed(lambda: register.clocks(agency="agency_7")),
                "clock_list_overdue_s": timed(lambda: register.clocks(due_before=today)),
                "clock_list_all_s": timed(register.clocks),
                "clock_counts_s": timed(lambda: register.clock_counts(today)),
            }
    finally:
        engine.dispose()


def questions(view: RegisterView) -> dict[str, float]:
    """Milliseconds for one question, at the median and at worst."""
    found, at = [], datetime.now(UTC)
    for number in range(_QUESTIONS):
        begun = time.perf_counter()
        explain(view, "hrss", "residence_permit", at, way=(Way.READ, Way.WRITE)[number % 2], field="sex_code")
        found.append((time.perf_counter() - begun) * 1000)
    return {"explain_ms": statistics.median(found), "explain_worst_ms": max(found)}


def relay(settings: Settings) -> dict[str, float]:
    """Seconds from commit to a worker's feed, for decisions that need nothing and for new grants."""
    operator = Principal.role(settings, "operator")
    feed = RegisterFeed(settings, operator, Registry(settings, operator))
    feed.open()
    worker = RegisterWorker(settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        ready = Deadline(60, "the worker's start")
        while not worker.health.ready:
            ready.check()
            time.sleep(0.05)
        with opened(settings) as register:
            plain = [_name(register, feed, number) for number in range(_DECISIONS)]
            grants = [_grant(register, feed, number) for number in range(_DECISIONS)]
    finally:
        worker.stop()
        thread.join(30)
        feed.close()
    return {
        "relay_s": statistics.median(plain),
        "relay_worst_s": max(plain),
        "relay_grant_s": statistics.median(grants),
        "relay_grant_worst_s": max(grants),
    }


def _name(register: Register, feed: RegisterFeed, number: int) -> float:
    agency = register.view().agency("hrss")
    assert agency is not None  # noqa: S101  the demo's register has it
    changed = agency.model_copy(update={"name": f"人力资源和社会保障局{number}"})
    register.put([changed], _DECIDER, datetime.now(UTC))
    return _until(feed, lambda: feed.view.agency("hrss") == changed)


def _grant(register: Register, feed: RegisterFeed, number: int) -> float:
    known = register.view().grant(FULL)
    assert known is not None  # noqa: S101  the demo's register has it
    made = known.model_copy(update={"id": f"bench-{number}"})
    register.put([made], _DECIDER, datetime.now(UTC))
    return _until(feed, lambda: feed.view.grant(made.id) == made)


def _until(feed: RegisterFeed, there: Callable[[], bool]) -> float:
    begun, deadline = time.perf_counter(), Deadline(60, "a decision's way to Kafka")
    while not there():
        deadline.check()
        feed.poll(0.005)
    return time.perf_counter() - begun


@click.command()
@click.option("--url", help="an empty database for the clocks; an SQLite file if not given")
def bench(url: str | None) -> None:
    """Measure, on a cluster of the bench's own that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="exchange-bus-register-"))
    settings = demo_settings(load(state_dir=folder))
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    try:
        found = clocks(settings, url or f"sqlite:///{folder / 'clocks.db'}")
        cluster.up(settings)
        for code in AGENCIES:
            issue_agency(settings.state_dir, code)
        begun = time.perf_counter()
        apply_register_file(settings, write_register(settings.state_dir, datetime.now(UTC)))
        found["apply_s"] = time.perf_counter() - begun
        with opened(settings) as register:
            found |= questions(register.view())
        found |= relay(settings)
    finally:
        cluster.down(settings, wipe=True)
        shutil.rmtree(folder, ignore_errors=True)
    rounded = {name: round(value, 4) for name, value in found.items()}
    for name, value in rounded.items():
        click.echo(f"{name}: {value}")
    click.echo(json.dumps(rounded))


if __name__ == "__main__":
    bench()
