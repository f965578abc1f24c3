"""`bus run register`: relays decisions to Kafka, lets the clocks run, and tells how much of both there is.

It looks at the outbox every BUS_REGISTER_POLL_MS: one indexed query. PostgreSQL could notify in place of that, but
SQLite cannot, a notification can be lost with its connection, and a look would be needed behind it all the same.
Clocks and relay do not wait for one another's troubles: without Kafka decisions are taken and clocks run on, and what
waits goes out when Kafka answers again.
"""

import logging
import threading
from datetime import UTC, date, datetime

from bus.metrics import Metrics
from bus.provision.actual import Cluster
from bus.provision.desired import desired
from bus.provision.drift import rights_drift
from bus.provision.register import read_register
from bus.register.lock import AnotherRelayError, relay_lock
from bus.register.place import answering, open_register
from bus.register.relay import Passed, Relay
from bus.settings import Settings
from bus.wire.clients import OnStep, no_step
from bus.wire.deadline import Deadline
from bus.workers.health import Health, HealthServer
from bus.workers.signals import stop_when_signalled
from bus.workers.watch import Watch, looks, tell_certificates, tell_health, tell_place
from compliance.catalogue import local_date
from compliance.register.outbox import backlog
from schemas.errors import BusError, DeadlineError

LOG = logging.getLogger("bus")
_TICK_EVERY_S = 60.0
_TELL_EVERY_S = 5.0
_DRIFT_EVERY_S = 60.0
_OTHERS_S = 0.5
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_NOW = 0.0


class RegisterWorker:
    """One process of the register; a second one waits while the first publishes.

    Args:
        settings: of the bus.
        on_step: called with each step's number of `bus/register/relay.py`; a fault test kills here.

    Raises:
        RegisterUnavailableError, SettingsError, UsageError, NotProvisionedError: it cannot start.
    """

    def __init__(self, settings: Settings, on_step: OnStep = no_step) -> None:
        self._settings = settings
        self.register = open_register(settings)
        self._cluster = Cluster(settings)
        self._relay = Relay(self._cluster, self.register, on_step)
        self.metrics, self.health = Metrics("register"), Health()
        self.metrics.begin_register(self.register.law.profiles)
        tell_health(self.metrics, self.health)
        tell_place(self.metrics, settings)
        tell_certificates(self.metrics, self._cluster.principal)
        self._watch = Watch(self.metrics, looks(settings, self._cluster.admin, self._cluster.registry))
        self.server = HealthServer(settings.metrics_host, settings.metrics_port, self.metrics.registry, self.health)
        self._stop = threading.Event()
        self._day: date | None = None
        self._tick_at = Deadline(_NOW, "a look at the clocks")
        self._tell_at = Deadline(_NOW, "a look at the figures")
        self._relay_at = Deadline(_NOW, "another attempt")
        self._drift_at = Deadline(_NOW, "a look at the access rules")
        self._pause = _FIRST_PAUSE_S
        # Until Kafka's register was read, and everything was made that must exist, there is work whatever waits.
        self._knows_kafka = False
        self._passed = Passed(open=True)

    def stop(self) -> None:
        """End after the current turn; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Turn until stopped; everything is let go however it ends."""
        self.server.start()
        self._watch.start()
        try:
            while not self._stop.is_set():
                self._turn()
                self.health.turned()
                self._stop.wait(self._settings.register_poll_ms / 1000)
        finally:
            self._watch.stop()
            self.server.stop()
            self.register.engine.dispose()

    def _turn(self) -> None:
        try:
            with answering():
                now = datetime.now(UTC)
                self._tick(now)
                self._publish(now)
                self._tell(now)
                self._look_at_rights(now)
        except BusError as error:
            self._trouble(str(error))

    def _tick(self, now: datetime) -> None:
        """Let the clocks run: at once when a day begins, else now and then, for what was begun with an earlier day."""
        if not self._tick_at.over and self._day == local_date(now):
            return
        self.register.tick(now)
        self._day, self._tick_at = local_date(now), Deadline(_TICK_EVERY_S, "a look at the clocks")

    def _publish(self, now: datetime) -> None:
        if not self._relay_at.over:
            return
        due = self._passed.due is not None and self._passed.due <= now
        if self._knows_kafka and not (self._passed.open or due or backlog(self.register.engine).facts):
            return
        try:
            with relay_lock(self.register.engine, _OTHERS_S):
                if not self._knows_kafka:
                    self.register.reconcile(read_register(self._cluster), now)
                    self._knows_kafka = True
                self._passed = self._relay.run()
        except AnotherRelayError as error:
            # Nothing is wrong: the other one publishes, and this one stands by.
            self.health.ready, self.health.problem = True, str(error)
            self._relay_at = Deadline(_FIRST_PAUSE_S, "another attempt")
            return
        except DeadlineError as error:
            # Deliver does not answer: it is looked at again.
            self._trouble(str(error))
            return
        for model in self._passed.sent:
            self.metrics.counter("bus_register_sent_total").labels(model.kind).inc()
        self._tell_at = Deadline(_NOW, "a look at the figures")
        if self._passed.refused is not None:
            self._trouble(self._passed.refused)
            return
        self.health.ready, self.health.problem, self._pause = True, None, _FIRST_PAUSE_S
        if self._passed.open:
            self.health.problem = "deliver has not stopped an ended grant yet; its subscriber keeps the right to read"
            self._relay_at = Deadline(self._pause, "another attempt")

    def _tell(self, now: datetime) -> None:
        if not self._tell_at.over:
            return
        self._tell_at = Deadline(_TELL_EVERY_S, "a look at the figures")
        left = backlog(self.register.engine)
        age = 0.0 if left.oldest is None else max(0.0, (now - left.oldest).total_seconds())
        self.metrics.gauge("bus_register_outbox_pending").set(left.facts)
        self.metrics.gauge("bus_register_outbox_oldest_seconds").set(age)
        self.metrics.clocks(self.register.clock_counts(local_date(now)))
        self.metrics.cases(self.register.case_counts())

    def _look_at_rights(self, now: datetime) -> None:
        """Hold Kafka's access rules against the register's, while nothing waits that would change them."""
        if not (self._drift_at.over and self._knows_kafka) or backlog(self.register.engine).facts:
            return
        self._drift_at = Deadline(_DRIFT_EVERY_S, "a look at the access rules")
        wanted = desired(self.register.view(), self._settings, now)
        self.metrics.drift(rights_drift(wanted.rights, self._cluster.rights()))

    def _trouble(self, problem: str) -> None:
        """Say what is wrong and look again after a pause that grows; Kafka may be another one then."""
        if problem != self.health.problem:
            LOG.warning("register: %s", problem)
        self.health.problem = problem
        self._relay_at = Deadline(self._pause, "another attempt")
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_S)
        self._knows_kafka = False


def run_register(settings: Settings) -> None:
    """Run in the main thread until SIGTERM or SIGINT."""
    worker = RegisterWorker(settings)
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    worker.run()
