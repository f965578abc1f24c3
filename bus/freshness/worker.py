"""`bus run freshness`: folds pulses, heartbeats and declarations, and tells how each source stands (Art 16).

One worker of the group leads; it takes the table up from `freshness`, fences whoever wrote it before, and goes on from
the positions that stand in it. So a kill or a move of the lead loses nothing and tells nothing twice.
"""

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from bus.freshness.backlog import Backlog, Place
from bus.freshness.desk import Desk, Rows, latest
from bus.freshness.shell import Shell
from bus.metrics import Metrics
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import ALARM, DELIVERY_PULSE, FRESHNESS, PULSE, TopicKind, declaration_topic, heartbeat_topic
from bus.wire.clients import OnStep, Principal, admin, consumer, no_step
from bus.wire.deadline import Deadline
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.wire.table import read_to_end
from bus.wire.transaction import AbortedError, Transactions
from bus.workers.health import Health, HealthServer
from bus.workers.signals import end_when_stuck, end_within, stop_when_signalled
from bus.workers.watch import Watch, looks, tell_certificates, tell_health, tell_place
from compliance.workdays import WorkCalendar
from processors.batch import InMessage, Outgoing
from processors.freshness.targets import Limits
from schemas.errors import BusError, KafkaUnavailableError, SchemaError
from schemas.resource import envelope

LOG = logging.getLogger("bus")
# One id for all workers: whoever takes the table up fences the one before, also one that does not know it yet.
WRITER = "bus.freshness-writer"
_TURN_S = 0.1
_WRITE_EVERY_S = 1.0
_EXPECT_EVERY_S = 60.0
_PATIENCE_S = 30.0
_FEW = 50
_LEAVE_S = 5.0


class FreshnessWorker:
    """One process of freshness; others of its group stand by while one leads.

    Args:
        settings: of the bus.
        on_step: called with each step's number of `bus/wire/transaction.py`; a fault test kills here.
        limits: the operator's numbers; those of the settings when None.

    Raises:
        NotProvisionedError, KafkaUnavailableError, RegistryUnavailableError, SettingsError: it cannot start now.
    """

    def __init__(self, settings: Settings, on_step: OnStep = no_step, limits: Limits | None = None) -> None:
        self._settings, self._on_step, self._limits = settings, on_step, limits or limits_of(settings)
        self._principal = Principal.role(settings, "freshness")
        self._registry = Registry(settings, self._principal)
        self._feed = RegisterFeed(settings, self._principal, self._registry)
        self._law, self._calendar = law_of(settings), WorkCalendar.packaged()
        self._admin = admin(settings, self._principal)
        self.metrics, self.health = Metrics("freshness"), Health()
        self.metrics.begin_freshness()
        tell_health(self.metrics, self.health)
        tell_place(self.metrics, settings)
        tell_certificates(self.metrics, self._principal)
        self._watch = Watch(self.metrics, looks(settings, self._admin, self._registry))
        self.server = HealthServer(settings.metrics_host, settings.metrics_port, self.metrics.registry, self.health)
        self._stop = threading.Event()
        self._lead: _Lead | None = None
        self._shells: list[Shell] = []

    @property
    def leads(self) -> bool:
        """Whether this one writes, and has read all that there was when it began."""
        return self._lead is not None and self._lead.caught_up

    def stop(self) -> None:
        """End after the current turn; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Run until stopped; everything is let go however it ends."""
        self.server.start()
        self._watch.start()
        try:
            self._feed.open()
            self._run_app()
        finally:
            self._watch.stop()
            self.server.stop()
            self._feed.close()

    def _holds(self) -> bool:
        return self._lead is not None

    # -- the app -------------------------------------------------------------------------------------------------------

    def _topics(self) -> tuple[str, ...]:
        codes = sorted(agency.code for agency in self._feed.view.agencies())
        return (PULSE.pattern, DELIVERY_PULSE.pattern, *map(heartbeat_topic, codes), *map(declaration_topic, codes))

    def _run_app(self) -> None:
        runner = asyncio.Runner()
        try:
            runner.run(self._run())
        finally:
            # A thread that was not let go in time speaks to the loop until it ends; where it hangs, the process is cut
            # off with the loop open.
            if all(shell.ended(self._settings.stop_timeout_s) for shell in self._shells):
                runner.close()

    async def _run(self) -> None:
        while not self._stop.is_set():
            topics = self._topics()
            shell = Shell(self._settings, self._principal, topics, self._holds, self._take_up, self._observe)
            self._lock = asyncio.Lock()
            self._shells = [*(one for one in self._shells if not one.ended(0.0)), shell]
            starting = asyncio.create_task(shell.start())
            try:
                while not self._stop.is_set() and self._topics() == topics:
                    await self._turn(shell, starting)
                    await asyncio.sleep(_TURN_S)
            finally:
                self._let_go()
                starting.cancel()
                await asyncio.wait([starting, asyncio.create_task(shell.stop())], timeout=_LEAVE_S)

    async def _turn(self, shell: Shell, starting: "asyncio.Task[None]") -> None:
        problem = shell.problem or (starting.exception() if starting.done() and not starting.cancelled() else None)
        if isinstance(problem, BusError):
            raise problem
        if problem is not None:
            raise KafkaUnavailableError(f"the freshness app ended: {type(problem).__name__}") from problem
        changed = self._feed.poll()
        self.metrics.gauge("bus_register_version").labels("freshness").set(self._feed.view.version)
        lead = self._lead
        if lead is None or lead.generation != shell.consumer_generation_id:
            # What another generation knew is read anew if the lead comes back.
            self._let_go()
            if starting.done():
                self._stand_by()
        elif not lead.missed_all(lambda: lead.desk.begin(self._feed.view, _now())):
            pass
        elif not lead.caught_up:
            if changed:
                lead.desk.begin(self._feed.view, _now())
            lead.looked(fetched=await shell.at_end())
        elif changed or lead.expect_at.over:
            lead.expect(self._feed)
        elif lead.write_at.over:
            await self._write(lead)
        self.health.turned()

    def _let_go(self) -> None:
        if self._lead is not None:
            self._lead.backlog.stop()
        self._lead = None

    def _stand_by(self) -> None:
        self.health.ready = True
        self.metrics.freshness({}, {})

    # -- the lead ------------------------------------------------------------------------------------------------------

    async def _take_up(self, generation: int, places: Collection[Place]) -> Mapping[Place, int]:
        """Where Faust is to go on: behind what is read beside it. The table is read anew in each generation."""
        async with self._lock:
            if self._lead is None or self._lead.generation != generation:
                self._let_go()
                self._lead = await asyncio.to_thread(self._begin, generation, places)
                self._lead.desk.begin(self._feed.view, _now())
                self._lead.backlog.start()
            return self._lead.places()

    def _begin(self, generation: int, places: Collection[Place]) -> "_Lead":
        """Fence the writer before, then read what it wrote, and where Kafka ends now."""
        transactions = Transactions(self._settings, self._principal, WRITER, self._on_step)
        transactions.start()
        frames = {
            kind.pattern: self._registry.head(kind.pattern, envelope(kind.envelope or ""))
            for kind in (FRESHNESS, ALARM)
        }
        desk = Desk(self._law, self._calendar, self._limits, frames)
        desk.take_up(self._table(FRESHNESS), self._table(ALARM))
        starts = {place: desk.positions.get(f"{place[0]}/{place[1]}", 0) for place in places}

        def fold(message: InMessage) -> None:
            desk.observe(message, self._registry.datum(message.value))

        return _Lead(generation, desk, transactions, Backlog(self._settings, self._principal, starts, fold), fold)

    def _table(self, kind: TopicKind) -> Rows:
        group = f"{self._principal.name}.table"
        reader = consumer(self._settings, self._principal, group, **{"enable.partition.eof": True})
        rows = {}
        try:
            messages = read_to_end(reader, self._admin, [(kind.pattern, 0)], self._settings.request_timeout_s)
            for key, value in latest((one.key() or b"", one.value()) for one in messages).items():
                datum = self._registry.datum(value)
                if datum is None:
                    raise SchemaError(f"{kind.pattern} was written by somebody else")
                rows[key] = datum
        finally:
            reader.close()
        return rows

    def _observe(self, message: InMessage, generation: int) -> None:
        lead = self._lead
        # What was read before the lead was taken up is read again from where the table says.
        if lead is not None and lead.generation == generation:
            lead.observe(message)

    async def _write(self, lead: "_Lead") -> None:
        async with self._lock:
            if self._lead is not lead:
                return
            now = _now()
            due = lead.desk.due(now)
            if due:
                try:
                    await asyncio.to_thread(self._commit, lead.transactions, due)
                except AbortedError:
                    lead.desk.undone()
                    self.metrics.counter("bus_transaction_aborts_total").labels("freshness").inc()
                    return
                self.metrics.counter("bus_transactions_total").labels("freshness").inc()
            lead.desk.written()
        lead.write_at = Deadline(_WRITE_EVERY_S, "the next look")
        self.health.ready, self.health.problem = True, None
        self.metrics.freshness(lead.desk.statuses(now), lead.desk.standing())
        for kind, number in lead.desk.passed_over.items():
            self.metrics.counter("bus_freshness_passed_over_total").labels(kind).inc(number)
        lead.desk.passed_over.clear()

    @staticmethod
    def _commit(transactions: Transactions, due: Mapping[str, Sequence[Outgoing]]) -> None:
        transactions.renew()
        transactions.run(due, {}, None)


class _Lead:
    """What stands while one generation of the group leads."""

    def __init__(
        self,
        generation: int,
        desk: Desk,
        transactions: Transactions,
        backlog: Backlog,
        fold: Callable[[InMessage], None],
    ) -> None:
        self.generation, self.desk, self.transactions, self.backlog = generation, desk, transactions, backlog
        self._fold = fold
        # What came behind the backlog while that was read: the desk is its thread's until then.
        self._held: list[InMessage] | None = []
        self.caught_up = False
        self.write_at = Deadline(0.0, "the first look")
        self.expect_at = Deadline(0.0, "the register")
        self.observed = self._observed = 0
        self._quiet = Deadline(_PATIENCE_S, "a message")
        self._patience: Deadline | None = None

    def places(self) -> Mapping[Place, int]:
        """Where Faust is to go on."""
        known = self.desk.positions
        return {place: max(end, known.get(f"{place[0]}/{place[1]}", 0)) for place, end in self.backlog.ends.items()}

    def observe(self, message: InMessage) -> None:
        """Take a message that Faust brought."""
        self.observed += 1
        if self._held is None:
            self._fold(message)
        else:
            self._held.append(message)

    def missed_all(self, begin: Callable[[], None]) -> bool:
        """Whether everything that was missed has been folded; then what came behind it is folded too.

        Args:
            begin: takes the register over anew, which may have changed meanwhile.

        Raises:
            BusError: it cannot be read.
        """
        if self._held is not None and self.backlog.over:
            if self.backlog.error is not None:
                raise self.backlog.error
            begin()
            held, self._held = self._held, None
            for message in held:
                self._fold(message)
            self._quiet = Deadline(_PATIENCE_S, "a message")
        return self._held is None

    def looked(self, *, fetched: bool) -> None:
        """Once all that there is was fetched, and what waits between Kafka and the desk too, it has caught up."""
        new, self._observed = self.observed - self._observed, self.observed
        if new:
            self._quiet = Deadline(_PATIENCE_S, "a message")
        self.caught_up = self._quiet.over
        if fetched:
            self._patience = self._patience or Deadline(_PATIENCE_S, "a pause between messages")
            self.caught_up = new <= _FEW or self._patience.over

    def expect(self, feed: RegisterFeed) -> None:
        """Take the register over: its changes, and owner rules that begin or end by time."""
        self.desk.expect(feed.view, _now())
        self.expect_at = Deadline(_EXPECT_EVERY_S, "the register")


def limits_of(settings: Settings) -> Limits:
    """The operator's numbers, as the settings name them."""
    return Limits(
        bus_lag=_millis(settings.freshness_bus_lag_s),
        delivery_lag=_millis(settings.freshness_delivery_lag_s),
        silent_after=_millis(settings.freshness_silent_after_s),
        clock_tolerance=_millis(settings.freshness_clock_tolerance_s),
        refused_share=settings.freshness_refused_share,
    )


def _millis(seconds: float) -> int:
    """A time in whole milliseconds, at least one."""
    return max(1, round(seconds * 1000))


def _now() -> int:
    return time.time_ns() // 1_000_000


def run_freshness(settings: Settings) -> None:
    """Run in the main thread until SIGTERM or SIGINT."""
    worker = FreshnessWorker(settings)
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    end_when_stuck()
    # Ten lines a second while Kafka is away say no more than /health does (`Watch`), and a rebalance is no trouble.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    gc.freeze()
    LOG.info("worker freshness runs, metrics on port %d, process %d", worker.server.port, os.getpid())
    try:
        worker.run()
    finally:
        end_within(settings.stop_timeout_s)
