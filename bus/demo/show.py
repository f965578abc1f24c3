"""The main job, shown on real Kafka: the lawful way to a grant, then publish, admit, refuse, deliver, update, revoke."""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live

from bus.demo.databases import AgencyDatabase, Filled, fill_databases
from bus.demo.language import give_number, publish_others
from bus.demo.law import BEGAN_DAYS_AGO, Lawful, LawfulWay, began
from bus.demo.register import AGENCIES, COUNTY, COUNTY_DIVISION, FULL, OWNERS, other_grant
from bus.demo.tables import progress, refusals, summary
from bus.demo.tally import Counts, Tally
from bus.local import cluster
from bus.local.certificates import issue_agency
from bus.local.process import Service, start
from bus.provision.actual import Cluster
from bus.provision.register import publishing
from bus.register.place import opened
from bus.register.relay import Relay
from bus.settings import Settings
from bus.wire.deadline import Deadline
from bus.workers.supervisor import environment_of
from schemas.errors import BusError, DeadlineError

_UPDATES = 50
_WAIT_S = 120.0
# The demo's measures have been in force for years: its clocks bind.
_LAW = {"law_profiles": "huizhou-2016", "law_effective_date": date(2017, 1, 1)}
# How long a revoked grant is watched while others go on receiving.
_QUIET_TURNS = 10


class DemoFailedError(BusError):
    """What the demo showed is not what it should have shown."""

    code = "DEMO_FAILED"


class Demo:
    """One run of the demo.

    Args:
        settings: with a state directory of the demo's own.
        people: how many residence permits are generated, and a tenth as many enterprises.
        console: where to show it.
    """

    def __init__(self, settings: Settings, people: int, console: Console) -> None:
        self._settings = settings.model_copy(update=_LAW)
        self._people = people
        self._console = console
        self._workers: list[Service] = []
        self._folder: Path = settings.state_dir
        self._topics: dict[str, str] = {}

    def run(self, *, keep: bool) -> None:
        """Show it all; stops everything at the end, also after an error, unless it is to be kept.

        Raises:
            DemoFailedError: an expectation did not hold; data and logs stay, to be looked into.
            BusError: something could not be started.
        """
        keeps_data = False
        try:
            self._steps()
            keeps_data = keep
        except BusError:
            cluster.down(self._settings)
            keeps_data = True
            raise
        finally:
            if not keeps_data:
                cluster.down(self._settings, wipe=True)
        if keep:
            self._say("everything goes on running. To look around:")
            for name in ("STATE_DIR", "BOOTSTRAP_SERVERS", "REGISTRY_URL"):
                self._say(f"  export BUS_{name}={getattr(self._settings, name.lower())}")
            self._say("  bus local status; bus register show; bus matter list; bus clock list")
            self._say("to stop it and remove its data, with the same settings:\n  bus local down --wipe")

    def _steps(self) -> None:
        settings, began = self._settings, time.monotonic()
        self._say("1. Kafka and the schema registry start, with mutual TLS and access rules")
        cluster.up(settings)
        lawful = self._go_the_lawful_way()
        databases = [AgencyDatabase(self._folder, resource) for resource in OWNERS]
        filled = fill_databases(databases, self._people, datetime.now(UTC))
        wrong = sum(filled.refused.values())
        self._say(f"3. two agencies' databases: {sum(filled.rows.values())} good rows, {wrong} wrong on purpose")
        self._start("admit")
        self._start("deliver")
        self._start("relocate")
        self._start("register")
        for database in databases:
            self._start("connector", str(database.write_connector(self._folder)))
        tally = Tally(settings, {topic: name for name, topic in self._topics.items()})
        try:
            self._say("4. connectors publish, admit judges, deliver delivers")
            self._watch(tally, filled, lambda counts: _complete(counts, filled))
            self._expect(_wrong(tally.counts, filled))
            self._console.print(refusals(tally.counts))
            self._others(tally)
            self._update(tally, databases[0])
            self._revoke(tally, databases[0], lawful)
            self._console.print(summary(tally.counts, time.monotonic() - began))
        finally:
            tally.close()

    def _go_the_lawful_way(self) -> Lawful:
        """From nothing to grants, by the register's workflows; then what they ask for is made, and told to the workers."""
        settings, now = self._settings, datetime.now(UTC)
        for code in AGENCIES:
            issue_agency(settings.state_dir, code, began(now))
        self._say(f"2. the lawful way, from {BEGAN_DAYS_AGO} days ago to today, by a calendar that is moved forward:")
        cluster_ = Cluster(settings)
        with publishing(settings, cluster_) as register:
            lawful = LawfulWay(register, self._folder, now).go()
            passed = Relay(cluster_, register).run()
            grants = register.view()
            self._topics = {
                name: grant.topic for name, key in lawful.grants.items() if (grant := grants.grant(key)) is not None
            }
        self._expect([passed.refused] if passed.refused is not None else [])
        self._say(f"   {len(AGENCIES)} connections, a catalogue, reviews, applications, agreements and grants:")
        self._say(
            f"   {lawful.steps} decisions, each by who may take it; {lawful.expired} grant ended by its own clock"
        )
        self._say("   an item that its owner refused, though it is to be shared unconditionally:")
        for line in lawful.negotiated:
            self._say(f"     {line}")
        self._say(f"   {len(passed.sent)} register events; {len(passed.steps)} steps on Kafka and in the registry")
        return lawful

    def _others(self, tally: Tally) -> None:
        told = publish_others(self._settings)
        self._expect(told.refused)
        self._until(tally, lambda c: all(c.delivered[grant] >= rows for grant, rows in told.rows.items()))
        self._say(f"5. {sum(told.rows.values())} rows of the {len(told.rows)} other resources of Articles 18 to 35")
        self._say("   each published by its owner through the SDK, each delivered under its grant")
        births = other_grant("birth_certificate")
        before, began = tally.counts.delivered[births], time.monotonic()
        self._expect(give_number(self._settings, told.newborn))
        # It leaves its old key with a reason, and arrives under the new one.
        self._until(tally, lambda c: c.delivered[births] >= before + 2)
        self._say(f"   a newborn gets its citizen number: one subject again {time.monotonic() - began:.1f} s later")

    def _update(self, tally: Tally, permits: AgencyDatabase) -> None:
        before, began = dict(tally.counts.delivered), time.monotonic()
        changed = permits.touch(_UPDATES, COUNTY_DIVISION, datetime.now(UTC))
        self._say(f"6. {changed} rows of {COUNTY_DIVISION} change at the source")
        self._until(tally, lambda c: all(c.delivered[g] >= before.get(g, 0) + changed for g in (FULL, COUNTY)))
        self._say(f"   arrived at both subscribers {time.monotonic() - began:.1f} s later")

    def _revoke(self, tally: Tally, permits: AgencyDatabase, lawful: Lawful) -> None:
        began_at, topic, place = time.monotonic(), self._topics[COUNTY], Cluster(self._settings)
        with opened(self._settings) as register:
            LawfulWay(register, self._folder, datetime.now(UTC)).revoke(lawful.grants[COUNTY])
        # The topic goes last: deliver has stopped on every partition by then, and the right to read is gone.
        self._until(tally, lambda _: topic not in place.topics())
        self._say(f"7. grant {COUNTY} is revoked by its owner: stopped, its right and its topic gone")
        self._say(f"   {time.monotonic() - began_at:.1f} s after the decision")
        tally.read()
        before = dict(tally.counts.delivered)
        changed = permits.touch(_UPDATES, COUNTY_DIVISION, datetime.now(UTC))
        self._until(tally, lambda c: c.delivered[FULL] >= before[FULL] + changed)
        for _ in range(_QUIET_TURNS):
            tally.read()
        more = tally.counts.delivered[COUNTY] - before[COUNTY]
        self._expect([f"{more} events arrived under the revoked grant"] if more else [])
        self._expect(["the revoked grant has its topic again"] if topic in place.topics() else [])
        self._say(f"   {changed} rows change again: {FULL} receives them, {COUNTY} nothing more")

    # -- watching ----------------------------------------------------------------------------------------------

    def _watch(self, tally: Tally, filled: Filled, done: Callable[[Counts], bool]) -> None:
        if not self._console.is_terminal:
            self._until(tally, done)
            self._console.print(progress(tally.counts, filled))
            return
        with Live(console=self._console, refresh_per_second=5) as live:
            self._until(tally, done, lambda counts: live.update(progress(counts, filled)))

    def _until(
        self, tally: Tally, done: Callable[[Counts], bool], shown: Callable[[Counts], None] = lambda _: None
    ) -> None:
        deadline = Deadline(_WAIT_S, "what the demo waits for")
        while not done(counts := tally.read()):
            shown(counts)
            for worker in self._workers:
                if worker.pid() is None:
                    raise DemoFailedError(f"{worker.name} ended; see {worker.log_file}")
            try:
                deadline.check()
            except DeadlineError as error:
                raise DemoFailedError(str(error)) from None
        shown(counts)

    def _expect(self, problems: list[str]) -> None:
        if problems:
            raise DemoFailedError("; ".join(problems))

    def _start(self, kind: str, *arguments: str) -> None:
        """Start a worker beside Kafka, for `bus local down` to stop with it."""
        name = "-".join(["demo", kind, *(Path(argument).stem.removeprefix("connector-") for argument in arguments)])
        worker = Service(name, self._folder / "run", self._folder / "log")
        environment = {**os.environ, **environment_of(self._settings)}
        start(worker, [sys.executable, "-m", "bus", "run", kind, *arguments], environment, self._folder)
        self._workers.append(worker)

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)


def _complete(counts: Counts, filled: Filled) -> bool:
    """Whether every change is answered and every delivery that is due has come."""
    due = {FULL: filled.admitted["residence_permit"], COUNTY: filled.in_county}
    answered = sum(filled.admitted.values()) + sum(filled.refused.values())
    return counts.published >= answered and all(counts.delivered[grant] >= number for grant, number in due.items())


def _wrong(counts: Counts, filled: Filled) -> list[str]:
    """What is not as it was planted, in words."""
    pairs = [
        ("admitted", dict(counts.admitted), filled.admitted),
        ("refused", dict(counts.refused), dict(filled.refused)),
        (
            "delivered",
            dict(counts.delivered),
            {FULL: filled.admitted["residence_permit"], COUNTY: filled.in_county},
        ),
    ]
    return [f"{what}: {found}, expected {expected}" for what, found, expected in pairs if found != expected]
