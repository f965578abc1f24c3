"""`bus run intake`: what the streams found goes into the register, exactly once.

The position of each topic stands in the register's database and moves in the transaction of the decision that follows
from the message, so a kill at any step neither loses nor repeats. No offset is committed to Kafka. The steps of a turn:

1. set the reader to the positions, at the start and after any trouble
2. read what has come
3. for each message begin a transaction, and move the position
4. commit it, with all that follows from the message
5. what was taken in stands
6. tell the alarms that are to be told by now, take back what is no more, try again what could not become a case
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from bus.crosscheck.rules import checks_of
from bus.intake import differences, hits
from bus.intake.alarms import take_alarm
from bus.intake.cases import note_refusal, open_case, take_found
from bus.intake.differences import Difference
from bus.intake.hits import Hit
from bus.intake.words import Found, Taken
from bus.metrics import Metrics
from bus.notices.sending import ways_of
from bus.provision.actual import Cluster
from bus.register.lock import AnotherRelayError, intake_lock
from bus.register.place import answering, open_register
from bus.settings import Settings
from bus.topics import ALARM, DIFFERENCE, HIT
from bus.wire.clients import OnStep, consumer, no_step
from bus.wire.deadline import Deadline
from bus.wire.errors import passes, unavailable
from bus.wire.table import end_offsets
from bus.workers.health import Health, HealthServer
from bus.workers.signals import stop_when_signalled
from bus.workers.watch import Watch, looks, tell_certificates, tell_health, tell_place
from compliance.register.decision import Decision, NoError
from compliance.register.intake import (
    Finding,
    Place,
    begin_anew,
    finding_of,
    forget_alarms,
    positions,
    standing_alarms,
    take_in,
    without_case,
)
from compliance.register.noticebook import ALARM_KINDS, NoticeBook
from schemas.errors import BusError, NotProvisionedError, UsageError
from schemas.refusals import RefusalCode

LOG = logging.getLogger("bus")
TOPICS = (ALARM.pattern, HIT.pattern, DIFFERENCE.pattern)
ASSIGN, READ, BEGUN, COMMIT, TAKEN, TELL = range(1, 7)
_MOST = 500
_TELL_EVERY_S = 60.0
_OTHERS_S = 0.5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_NOW = 0.0


def _now() -> datetime:
    return datetime.now(UTC)


class IntakeWorker:
    """One process of the intake; a second one stands by while the first works.

    Args:
        settings: of the bus.
        on_step: called with each step's number; a fault test kills here.
        now: the time.

    Raises:
        RegisterUnavailableError, SettingsError, RegisterFileError, UsageError, NotProvisionedError: it cannot start.
    """

    def __init__(self, settings: Settings, on_step: OnStep = no_step, now: Callable[[], datetime] = _now) -> None:
        self._settings, self._on_step, self._now = settings, on_step, now
        self.register = open_register(settings)
        self._cluster = Cluster(settings)
        self._book = NoticeBook(self.register, ways_of(settings))
        self._damping = timedelta(seconds=settings.notice_damping_s)
        self._checks = {check.id: check for check in checks_of(settings)}
        self.metrics, self.health = Metrics("intake"), Health()
        self.metrics.begin_intake(TOPICS, Taken)
        tell_health(self.metrics, self.health)
        tell_place(self.metrics, settings)
        tell_certificates(self.metrics, self._cluster.principal)
        self._watch = Watch(self.metrics, looks(settings, self._cluster.admin, self._cluster.registry))
        self.server = HealthServer(settings.metrics_host, settings.metrics_port, self.metrics.registry, self.health)
        group = f"{self._cluster.principal.name}.intake"
        self._reader = consumer(settings, self._cluster.principal, group, **{"enable.partition.eof": True})
        self._stop = threading.Event()
        self._assigned = False
        self._behind: set[Place] = set()
        self._tell_at = Deadline(_NOW, "a look at what is to be told")
        self._try_at, self._tried = Deadline(_NOW, "another look at what has no case"), -1
        self._again_at = Deadline(_NOW, "another attempt")
        self._pause = _FIRST_PAUSE_S

    def stop(self) -> None:
        """End after the current turn; safe from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Turn until stopped; everything is let go however it ends."""
        self.server.start()
        self._watch.start()
        try:
            while not self._stop.is_set():
                self.turn()
                self.health.turned()
        finally:
            self._watch.stop()
            self.server.stop()
            self._reader.close()
            self.register.engine.dispose()

    def turn(self) -> None:
        """One turn; what goes wrong is told in health, and begun again from what stands in the database."""
        if not self._again_at.over:
            self._stop.wait(self._settings.register_poll_ms / 1000)
            return
        try:
            with answering():
                if not self._assigned:
                    self._assign()
                messages = self._read()
                if messages:
                    self._on_step(READ)
                    with intake_lock(self.register.engine, _OTHERS_S):
                        for message in messages:
                            self._take(message)
                    self._tell_at = Deadline(_NOW, "a look at what is to be told")
                if not self._behind and self._tell_at.over:
                    with intake_lock(self.register.engine, _OTHERS_S):
                        self._tell()
        except AnotherRelayError as error:
            # Nothing is wrong: the other one takes in, and this one stands by.
            self._wait(str(error))
            self.health.ready = True
        except NoError as error:
            # Whoever else changed the same thing is done by now.
            self._trouble(error.refused.reason_en)
        except BusError as error:
            self._trouble(str(error))
        else:
            self.health.ready, self.health.problem, self._pause = True, None, _FIRST_PAUSE_S

    # -- reading ----------------------------------------------------------------------------------------------------

    def _assign(self) -> None:
        self._on_step(ASSIGN)
        there = self._cluster.topics()
        missing = [topic for topic in TOPICS if topic not in there]
        if missing:
            raise NotProvisionedError(f"there is no topic {', '.join(missing)}; has `bus init` been run?")
        places = [(topic, partition) for topic in TOPICS for partition in range(there[topic].partitions)]
        ends = end_offsets(self._cluster.admin, places, self._settings.request_timeout_s)
        known = positions(self.register.engine)
        for place in places:
            if known.get(place, 0) > ends[place]:
                LOG.warning("intake: %s/%d was made anew and is read from its beginning", *place)
                with intake_lock(self.register.engine, _OTHERS_S), self.register.deciding(self._now()) as decision:
                    begin_anew(decision.connection, place)
                    if place[0] == ALARM.pattern:
                        forget_alarms(decision.connection)
                known.pop(place)
        self._reader.assign([TopicPartition(*place, known.get(place, 0)) for place in places])
        self._behind, self._assigned = set(places), True

    def _read(self) -> list[Message]:
        found = []
        for message in self._reader.consume(_MOST, self._settings.register_poll_ms / 1000):
            place, error = (message.topic() or "", message.partition() or 0), message.error()
            if error is None:
                self._behind.add(place)
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's documented name
                self._behind.discard(place)
            elif not passes(error):
                raise unavailable(f"cannot read {place[0]}", KafkaException(error))
        return found

    # -- taking in --------------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        topic, place = message.topic() or "", (message.topic() or "", message.partition() or 0)
        offset = message.offset() or 0
        datum = {} if message.value() is None else self._cluster.registry.datum(message.value())
        found = None if not datum or topic == ALARM.pattern else self._found(topic, datum)
        at = self._now()
        try:
            with self.register.deciding(at) as decision:
                if not take_in(decision.connection, place, offset):
                    return
                self._on_step(BEGUN)
                taken = self._decide(decision, message, datum, found, at)
                self._on_step(COMMIT)
        except NoError as no:
            if found is None or no.refused.code is RefusalCode.E_CONFLICT:
                raise
            with self.register.deciding(at) as decision:
                if not take_in(decision.connection, place, offset):
                    return
                taken = note_refusal(decision, found, no.refused)
            LOG.warning("intake: %s/%d offset %d becomes no case: %s", *place, offset, no.refused.code.value)
        self._on_step(TAKEN)
        if taken is Taken.UNREADABLE:
            LOG.warning("intake: %s/%d offset %d cannot be read and is passed over", *place, offset)
        self.metrics.counter("bus_intake_total").labels(topic, taken.value).inc()

    def _decide(
        self, decision: Decision, message: Message, datum: Mapping[str, Any] | None, found: Found | None, at: datetime
    ) -> Taken:
        if message.value() is None:
            # Whoever wrote it forgot it; what follows from its end was said before.
            return Taken.NOTED
        if datum is not None and message.topic() == ALARM.pattern:
            name = (message.key() or b"").decode(errors="replace")
            return take_alarm(decision, name, datum, at, self._damping)
        return Taken.UNREADABLE if found is None else take_found(decision, found)

    def _found(self, topic: str, datum: Mapping[str, Any]) -> Found | None:
        try:
            return Hit.read(datum, self._checks) if topic == hits.TOPIC else Difference.read(datum)
        except UsageError:
            return None

    # -- telling ----------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        self._on_step(TELL)
        now, engine = self._now(), self.register.engine
        self._try_all_again(now)
        standing = standing_alarms(engine)
        due = [alarm.cause for alarm in standing if alarm.tell_at <= now]
        told = self._book.hold(ALARM_KINDS, due, now)
        if told:
            LOG.info("intake: %d notices of alarms", len(told))
        later = [alarm.tell_at for alarm in standing if alarm.tell_at > now]
        with self.register.deciding(now) as decision:
            forget_alarms(decision.connection, now - self._damping)
        self.metrics.gauge("bus_intake_without_case").set(len(without_case(engine)))
        self.metrics.gauge("bus_intake_alarms_waiting").set(len(later))
        seconds = min([_TELL_EVERY_S, *(max(0.0, (each - now).total_seconds()) for each in later)])
        self._tell_at = Deadline(seconds, "a look at what is to be told")

    def _try_all_again(self, now: datetime) -> None:
        """Each minute, and at once when the register was changed: by its rules they were refused."""
        self.register.view()
        if self._tried == self.register.seen and not self._try_at.over:
            return
        for finding in without_case(self.register.engine):
            self._try_again(finding, now)
        self.register.view()
        self._tried, self._try_at = self.register.seen, Deadline(_TELL_EVERY_S, "another look at what has no case")

    def _try_again(self, finding: Finding, at: datetime) -> None:
        try:
            found: Found = (
                Difference.read(finding.body)
                if finding.kind == differences.TOPIC
                else Hit.kept(finding.body, self._checks)
            )
            with self.register.deciding(at) as decision:
                if finding_of(decision.connection, finding.kind, finding.key) == finding:
                    open_case(decision, found)
        except (NoError, UsageError):
            return

    # -- trouble ----------------------------------------------------------------------------------------------------

    def _trouble(self, problem: str) -> None:
        if problem != self.health.problem:
            LOG.warning("intake: %s", problem)
        self._wait(problem)

    def _wait(self, problem: str) -> None:
        """Begin again from the positions, after a pause that grows."""
        self.health.problem = problem
        self._assigned = False
        self._again_at = Deadline(self._pause, "another attempt")
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_S)


def run_intake(settings: Settings) -> None:
    """Run in the main thread until SIGTERM or SIGINT."""
    worker = IntakeWorker(settings)
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    worker.run()
