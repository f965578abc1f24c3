"""`bus run crosscheck`: folds what stands on `record.*`, and tells on `hit` what two sources say differently (Art 5, 28).

Whoever holds the partition of `hit` in the group leads; others stand by. The leader fences the writer before, takes over
what stands on `hit`, and reads records from the positions in its own store, which is a cache that may be lost.
"""

import gc
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from bus.crosscheck.lead import Lead
from bus.crosscheck.rules import checks_of
from bus.metrics import Metrics
from bus.settings import Settings
from bus.topics import HIT
from bus.wire.clients import OnStep, Principal, admin, consumer, no_step
from bus.wire.deadline import Deadline
from bus.wire.errors import no_answer, passes, unavailable
from bus.wire.feed import RegisterFeed
from bus.wire.leaving import leave
from bus.wire.registry import Registry
from bus.wire.watch import within
from bus.workers.health import Health, HealthServer
from bus.workers.signals import end_when_stuck, end_within, stop_when_signalled
from bus.workers.watch import Watch, looks, tell_certificates, tell_health, tell_place
from compliance.crosschecks import CrossCheck
from compliance.rulings import Waiver as Decided
from compliance.view import RegisterView
from processors.crosscheck.words import Waiver

LOG = logging.getLogger("bus")
GROUP = "bus.crosscheck"
_STAND_BY_S = 0.2
_TELL_EVERY_S = 2.0

Waivers = Callable[[RegisterView], Iterable[Waiver]]


def waivers_of(view: RegisterView) -> Iterable[Waiver]:
    """The waivers that the register knows."""
    return tuple(map(_waiver, view.waivers()))


def _waiver(model: Decided) -> Waiver:
    at = round(model.decided_at.timestamp() * 1000)
    token, compared = bytes.fromhex(model.token), bytes.fromhex(model.compared)
    return Waiver(token, str(model.pair), compared, model.reason, str(model.role), at)


class CrossCheckWorker:
    """One process of cross-checks; others of its group stand by while one leads.

    Args:
        settings: of the bus.
        on_step: called with each step's number of `bus/wire/transaction.py`; a fault test kills here.
        checks: the rules; those of the settings when None.
        waivers: what the register says of pairs that are in order.

    Raises:
        NotProvisionedError, KafkaUnavailableError, RegistryUnavailableError, SettingsError, RegisterFileError: it
            cannot start now.
    """

    def __init__(
        self,
        settings: Settings,
        on_step: OnStep = no_step,
        checks: Sequence[CrossCheck] | None = None,
        waivers: Waivers = waivers_of,
    ) -> None:
        self._settings, self._on_step, self._waivers = settings, on_step, waivers
        self._checks = checks_of(settings) if checks is None else tuple(checks)
        self._principal = Principal.role(settings, "crosscheck")
        self._registry = Registry(settings, self._principal)
        self._feed = RegisterFeed(settings, self._principal, self._registry)
        self._admin = admin(settings, self._principal)
        self.metrics, self.health = Metrics("crosscheck"), Health()
        self.metrics.begin_crosscheck(
            {name for check in self._checks for side in (check.left, check.right) if side for name in side.resources}
        )
        tell_health(self.metrics, self.health)
        tell_place(self.metrics, settings)
        tell_certificates(self.metrics, self._principal)
        self._watch = Watch(self.metrics, looks(settings, self._admin, self._registry))
        self.server = HealthServer(settings.metrics_host, settings.metrics_port, self.metrics.registry, self.health)
        self._stop = threading.Event()
        self._member: Consumer | None = None
        self._joined = self._called = False
        self._lead: Lead | None = None
        self._tell_at = Deadline(0.0, "the first look")

    @property
    def leads(self) -> bool:
        """Whether this one judges, and has judged all that there was when it began."""
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
            # One that leads keeps the lead when others come.
            sticky = {"partition.assignment.strategy": "cooperative-sticky"}
            self._member = consumer(self._settings, self._principal, GROUP, error_cb=self.health.hear, **sticky)
            self._member.subscribe([HIT.pattern], on_assign=self._assigned, on_revoke=self._revoked)
            while not self._stop.is_set():
                self._turn(self._member)
        finally:
            self._watch.stop()
            self.server.stop()
            with within(self._settings.stop_timeout_s, "leaving the group"):
                self._let_go()
                if self._member is not None:
                    leave(self._member)
                self._feed.close()

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        # Also one that gets nothing is told so: then another one leads.
        self._joined = True
        self._called = self._called or bool(partitions)

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._called = self._called and not partitions

    def _turn(self, member: Consumer) -> None:
        self.health.turned()
        if self.health.lost:
            # A reader that lost every broker was seen never to join its group again, without an error. A new one does.
            raise no_answer("the worker ends, its successor begins again from Kafka", "_ALL_BROKERS_DOWN")
        message = member.poll(0.0 if self._called else _STAND_BY_S)
        error = None if message is None else message.error()
        if error is not None and not passes(error):
            raise unavailable(f"cannot follow {HIT.pattern}", KafkaException(error))
        if self._feed.poll():
            self.metrics.gauge("bus_register_version").labels(self.metrics.worker).set(self._feed.view.version)
            if self._lead is not None:
                self._lead.register_changed(self._feed.view, self._waivers(self._feed.view))
        if not self._called:
            self._stand_by()
            return
        if self._lead is None:
            # The partition is held, not read: what stands on it is read by the lead itself.
            member.pause(member.assignment())
            self.health.ready = False
            self._lead = Lead(
                self._settings, self._principal, self._admin, self._registry, self._checks, self.metrics, self._on_step
            )
            self._lead.take_up(self._feed.view, self._waivers(self._feed.view), self.health.turned)
        self._lead.turn()
        self.health.ready = self._lead.caught_up
        self._tell(self._lead)

    def _stand_by(self) -> None:
        if self._lead is not None:
            self._let_go()
        self.health.ready = self._joined
        self.metrics.crosscheck({}, 0, {})
        self.metrics.gauge("bus_lag_seconds").labels(self.metrics.worker).set(0)

    def _let_go(self) -> None:
        if self._lead is not None:
            self._lead.close()
            self._lead = None

    def _tell(self, lead: Lead) -> None:
        if self._tell_at.over:
            self._tell_at = Deadline(_TELL_EVERY_S, "the next look")
            lead.tell()


def run_crosscheck(settings: Settings) -> None:
    """Run in the main thread until SIGTERM or SIGINT."""
    worker = CrossCheckWorker(settings)
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    end_when_stuck()
    gc.freeze()
    LOG.info("worker crosscheck runs, metrics on port %d, process %d", worker.server.port, os.getpid())
    try:
        worker.run()
    finally:
        end_within(settings.stop_timeout_s)
