"""`bus run notices`: tells every minute what stands in the register and was not told, and sends what waits.

It needs the database alone: without Kafka notices go out all the same. It is a process of its own, since another side
that does not answer must keep no decision waiting.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from bus.metrics import Metrics
from bus.notices.sending import Passed, send_waiting, transports
from bus.register.lock import AnotherRelayError, sender_lock
from bus.register.place import answering, open_register
from bus.settings import Settings
from bus.workers.health import Health, HealthServer
from bus.workers.signals import stop_when_signalled
from bus.workers.watch import tell_health, tell_place
from compliance.register.noticebook import NoticeBook
from schemas.errors import BusError

LOG = logging.getLogger("bus")
_EVERY_S = 60.0
_OTHERS_S = 0.5


def _now() -> datetime:
    return datetime.now(UTC)


class NoticeWorker:
    """One process that tells and sends; a second one stands by.

    Args:
        settings: of the bus.
        now: the time.
        every_s: seconds between two looks.

    Raises:
        RegisterUnavailableError, SettingsError, UsageError: it cannot start.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime] = _now, every_s: float = _EVERY_S) -> None:
        self._now = now
        self._every_s = every_s
        self._by = transports(settings)
        self.register = open_register(settings)
        self._book = NoticeBook(self.register, self._by)
        self.metrics, self.health = Metrics("notices"), Health()
        self.metrics.begin_notices(way.value for way in self._by)
        tell_health(self.metrics, self.health)
        tell_place(self.metrics, settings)
        self.server = HealthServer(settings.metrics_host, settings.metrics_port, self.metrics.registry, self.health)
        self._stop = threading.Event()

    def stop(self) -> None:
        """End after the current pass; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Look until stopped; everything is let go however it ends."""
        self.server.start()
        try:
            while not self._stop.is_set():
                self.turn()
                self.health.turned()
                self._stop.wait(self._every_s)
        finally:
            self.server.stop()
            self.register.engine.dispose()

    def turn(self) -> None:
        """One look: tell, then send; what goes wrong is told in health and tried again at the next look."""
        try:
            with answering(), sender_lock(self.register.engine, _OTHERS_S):
                told = self._book.settle(self._now())
                passed = send_waiting(self._book, self._by, self._now)
                self._count(passed)
        except AnotherRelayError as error:
            # Nothing is wrong: the other one sends, and this one stands by.
            self.health.ready, self.health.problem = True, str(error)
            return
        except BusError as error:
            self._trouble(str(error))
            return
        if told or passed.sent:
            LOG.info("notices: %d told, %d sent", len(told), passed.sent)
        self.health.ready = True
        if passed.failed:
            self._trouble(passed.failed[0].sentence)
        else:
            self.health.problem = None

    def _count(self, passed: Passed) -> None:
        waiting = Counter(one.way for one in self._book.waiting(self._now(), self._by, also_later=True))
        for way in self._by:
            self.metrics.gauge("bus_notices_waiting").labels(way.value).set(waiting[way])
            self.metrics.counter("bus_notices_sent_total").labels(way.value).inc(passed.by_way.get(way, 0))
            self.metrics.counter("bus_notices_failed_total").labels(way.value).inc(passed.failed_by_way.get(way, 0))

    def _trouble(self, problem: str) -> None:
        if problem != self.health.problem:
            LOG.warning("notices: %s", problem)
        self.health.problem = problem


def run_notices(settings: Settings) -> None:
    """Run in the main thread until SIGTERM or SIGINT."""
    worker = NoticeWorker(settings)
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    worker.run()
