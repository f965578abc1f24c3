"""The one place where a worker is put together from settings, keys and clients; tests hand in a step callback."""

import gc
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from bus.keys.store import Keys, load_keys
from bus.metrics import Metrics
from bus.settings import Settings
from bus.topics import DELIVERY_PULSE, PROGRESS, RELOCATION
from bus.wire.clients import OnStep, Principal, admin, consumer, no_step
from bus.wire.feed import RegisterFeed
from bus.wire.links import LinkFeed
from bus.wire.membership import Membership
from bus.wire.registry import Registry
from bus.wire.transaction import Transactions
from bus.workers.admit import AdmitTask
from bus.workers.catchup import CatchUp
from bus.workers.deliver import DeliverTask
from bus.workers.health import Health, HealthServer
from bus.workers.loop import Loop
from bus.workers.progress import ProgressBook
from bus.workers.relocate import RelocateTask
from bus.workers.relocation import RelocationBook
from bus.workers.signals import end_when_stuck, end_within, stop_when_signalled
from bus.workers.slot import Slot
from bus.workers.waits import Waits
from bus.workers.watch import Watch, looks, tell_certificates, tell_health, tell_keys, tell_place
from schemas.resource import envelope

LOG = logging.getLogger("bus")
_CALM_MS = 250


@dataclass(slots=True)
class Worker:
    """A worker that is ready to run.

    Attributes:
        loop: turns until stopped.
        server: `/metrics` and `/health`.
        watch: looks whether what it needs answers.
        slot: held while it runs.
    """

    loop: Loop
    server: HealthServer
    watch: Watch
    slot: Slot
    metrics: Metrics
    health: Health

    def run(self) -> None:
        """Run until stopped; everything is let go however it ends."""
        self.server.start()
        self.watch.start()
        try:
            self.loop.run()
        finally:
            self.watch.stop()
            self.server.stop()
            self.slot.close()

    def stop(self) -> None:
        """End after the current turn; safe from a signal handler or another thread."""
        self.loop.stop()


def _parts(settings: Settings, role: str) -> tuple[Slot, Metrics, Health, HealthServer]:
    slot = Slot(settings.state_dir, role)
    metrics, health = Metrics(role), Health()
    tell_health(metrics, health)
    tell_place(metrics, settings)
    server = HealthServer(settings.metrics_host, settings.metrics_port, metrics.registry, health)
    return slot, metrics, health, server


def _watch(
    settings: Settings, metrics: Metrics, principal: Principal, keys: Keys, asks: AdminClient, registry: Registry
) -> Watch:
    tell_keys(metrics, settings, keys)
    tell_certificates(metrics, principal)
    return Watch(metrics, looks(settings, asks, registry))


def admit_worker(settings: Settings, on_step: OnStep = no_step) -> Worker:
    """An admit worker.

    Raises:
        KeyStoreError, NotProvisionedError, KafkaUnavailableError, RegistryUnavailableError: it cannot start now.
    """
    slot, metrics, health, server = _parts(settings, "admit")
    principal = Principal.role(settings, "admit")
    registry = Registry(settings, principal)
    feed = RegisterFeed(settings, principal, registry)
    keys = load_keys(settings.state_dir)
    links = LinkFeed(settings, principal, keys.tokens.key_id)
    asks = admin(settings, principal)
    task = AdmitTask(settings, keys, feed, registry, asks, metrics, links)
    transactions = Transactions(settings, principal, slot.transactional_id, on_step)
    live = Membership(consumer(settings, principal, AdmitTask.group, error_cb=health.hear))
    loop = Loop(settings, task, live, transactions, feed, metrics, health, on_step)
    watch = _watch(settings, metrics, principal, keys, asks, registry)
    return Worker(loop, server, watch, slot, metrics, health)


def deliver_worker(settings: Settings, on_step: OnStep = no_step) -> Worker:
    """A deliver worker; errors as `admit_worker`."""
    slot, metrics, health, server = _parts(settings, "deliver")
    principal = Principal.role(settings, "deliver")
    registry = Registry(settings, principal)
    feed = RegisterFeed(settings, principal, registry)
    head = registry.head(PROGRESS.pattern, envelope(PROGRESS.envelope or ""))
    asks, keys = admin(settings, principal), load_keys(settings.state_dir)
    book = ProgressBook(settings, principal, asks, head)
    waits = Waits(registry.head(DELIVERY_PULSE.pattern, envelope(DELIVERY_PULSE.envelope or "")))
    task = DeliverTask(settings, keys, feed, registry, book, waits, metrics, health)
    live = Membership(consumer(settings, principal, DeliverTask.group, error_cb=health.hear))
    catchup_id = slot.transactional_id.replace("bus.deliver-", "bus.deliver-catchup-")
    catchup = CatchUp(settings, principal, catchup_id, live, task.deliver_to, task.live_position, book, on_step)
    task.use_catchup(catchup)
    transactions = Transactions(settings, principal, slot.transactional_id, on_step)
    loop = Loop(settings, task, live, transactions, feed, metrics, health, on_step)
    watch = _watch(settings, metrics, principal, keys, asks, registry)
    return Worker(loop, server, watch, slot, metrics, health)


def relocate_worker(settings: Settings, on_step: OnStep = no_step) -> Worker:
    """A relocate worker; errors as `admit_worker`."""
    slot, metrics, health, server = _parts(settings, "relocate")
    principal = Principal.role(settings, "relocate")
    registry = Registry(settings, principal)
    feed = RegisterFeed(settings, principal, registry)
    keys = load_keys(settings.state_dir)
    links = LinkFeed(settings, principal, keys.tokens.key_id)
    asks = admin(settings, principal)
    book = RelocationBook(settings, principal, asks, registry.head(RELOCATION.pattern, envelope("relocation")))
    task = RelocateTask(settings, principal, keys, feed, registry, links, book, metrics)
    transactions = Transactions(settings, principal, slot.transactional_id, on_step)
    live = Membership(consumer(settings, principal, RelocateTask.group, error_cb=health.hear))
    # Nobody waits for it: larger batches are fewer transactions beside those of the main path.
    calm = settings.model_copy(update={"batch_wait_ms": max(settings.batch_wait_ms, _CALM_MS)})
    loop = Loop(calm, task, live, transactions, feed, metrics, health, on_step)
    watch = _watch(settings, metrics, principal, keys, asks, registry)
    return Worker(loop, server, watch, slot, metrics, health)


WORKERS: dict[str, Callable[[Settings], Worker]] = {
    "admit": admit_worker,
    "deliver": deliver_worker,
    "relocate": relocate_worker,
}


def run_until_signalled(settings: Settings, worker: Worker) -> None:
    """Run in the main thread; SIGTERM and SIGINT end it after the current turn."""
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    end_when_stuck()
    # What was made so far stays for ever: the collector need not walk it again and again while events wait.
    gc.freeze()
    LOG.info("worker %s runs, metrics on port %d, process %d", worker.slot.name, worker.server.port, os.getpid())
    try:
        worker.run()
    finally:
        end_within(settings.stop_timeout_s)
