"""The loop that admit and deliver share: the numbered steps of `bus/wire/transaction.py`, again and again.

What differs is in the worker's `Task`: which topics, what a batch becomes, what follows a commit.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from bus.metrics import Metrics
from bus.settings import Settings
from bus.wire import transaction as steps
from bus.wire.clients import OnStep, no_step
from bus.wire.deadline import Deadline
from bus.wire.errors import kafka_error, no_answer, passes, unavailable
from bus.wire.feed import RegisterFeed
from bus.wire.leaving import leave
from bus.wire.membership import Membership
from bus.wire.transaction import AbortedError, Transactions
from bus.wire.watch import within
from bus.workers.health import Health
from processors.batch import Outgoing

Place = tuple[str, int]
BATCH_MAX_BYTES = 2_000_000
_SLICE = 500
_LAG_EVERY_S = 2.0


@dataclass(slots=True)
class Work:
    """What a batch became: messages to write, and further offsets to commit beside the batch's own."""

    outgoing: Mapping[str, Sequence[Outgoing]] = field(default_factory=dict)
    offsets: dict[Place, int] = field(default_factory=dict)
    due: bool = False
    """Whether to run a transaction even though the batch is empty."""


class Task(Protocol):
    """What one kind of worker does with its turns."""

    topics: str
    group: str

    def register_changed(self) -> None:
        """The register's view changed, or time passed a limit that it names."""

    def assigned(self, positions: Mapping[Place, int], consumer: Consumer) -> None:
        """Partitions came; called before anything is read from them. The mapping stays current while they are ours."""

    def revoked(self, places: Sequence[Place]) -> None:
        """Partitions went; nothing of them is in flight."""

    def prepare(self, positions: Mapping[Place, int]) -> Work:
        """What is due between two batches; a transaction of its own when the work says so."""

    def process(self, batch: Sequence[Message]) -> Work:
        """Decide about a batch; called again with the same messages after an abort."""

    def committed(self) -> None:
        """The work that was last handed over is committed."""

    def aborted(self) -> None:
        """The work that was last handed over is undone."""

    def close(self) -> None:
        """Let everything go."""


class Loop:
    """Runs a task until stopped.

    Args:
        settings: sizes and times.
        task: what to do.
        group: what the task reads as a member of.
        transactions: started here.
        feed: the register, opened here.
        metrics, health: where to tell.
        on_step: called with each step's number; a fault test kills here.
    """

    def __init__(
        self,
        settings: Settings,
        task: Task,
        group: Membership,
        transactions: Transactions,
        feed: RegisterFeed,
        metrics: Metrics,
        health: Health,
        on_step: OnStep = no_step,
    ) -> None:
        self._settings = settings
        self._task = task
        self._group = group
        self._consumer = group.reader
        self._transactions = transactions
        self._feed = feed
        self._metrics = metrics
        self._health = health
        self._on_step = on_step
        self._positions: dict[Place, int] = {}
        self._came = False
        self._stop = threading.Event()
        self._lag_at = 0.0

    def stop(self) -> None:
        """End after the current turn; safe to call from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Turn until stopped; then give partitions back, so that others take over at once."""
        self._feed.open()
        self._transactions.start()
        self._task.register_changed()
        self._metrics.begin_at_zero(self._feed.view)
        # What the reader heard while the register was read is over: it is no member of the group yet.
        self._consumer.poll(0)
        self._health.lost = False
        self._consumer.subscribe(
            [self._task.topics], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )
        self._health.ready = True
        try:
            while not self._stop.is_set():
                self.turn()
        finally:
            with within(self._settings.stop_timeout_s, "leaving the group"):
                self._task.close()
                leave(self._consumer)
                self._feed.close()

    def turn(self) -> None:
        """One turn: steps 1 to 8."""
        self._health.turned()
        if self._health.lost:
            # A reader that lost every broker was seen never to join its group again, without an error. A new one does.
            raise no_answer("the worker ends, its successor begins again from Kafka", "_ALL_BROKERS_DOWN")
        self._on_step(steps.READ_REGISTER)
        if self._feed.poll():
            self._task.register_changed()
            self._metrics.begin_at_zero(self._feed.view)
        prepared = self._prepare()
        self._on_step(steps.CONSUME)
        batch, ahead = self._ours(collect(self._consumer, self._settings))
        self._metrics.gauge("bus_lag_seconds").labels(self._metrics.worker).set(oldest(batch))
        if self._came:
            # Partitions came while we waited: what is due for them goes before their messages, too.
            prepared = self._prepare()
        if batch and not prepared:
            self._rewind(ahead)
        elif batch:
            self._on_step(steps.PROCESS)
            self._settle(self._task.process(batch), batch, ahead)
        self._measure_lag()

    def _prepare(self) -> bool:
        """Do what is due between two batches; False when it was aborted, and no message may be looked at before it."""
        self._came = False
        work = self._task.prepare(self._positions)
        return self._settle(work, [], {}) if work.due else True

    def _settle(self, work: Work, batch: Sequence[Message], ahead: Mapping[Place, int]) -> bool:
        """Steps 4 to 8 for one piece of work; after an abort everything is as before it, and the answer False."""
        offsets = {**ahead, **work.offsets}
        self._transactions.renew()
        try:
            self._transactions.run(work.outgoing, offsets, self._group)
        except AbortedError:
            self._metrics.counter("bus_transaction_aborts_total").labels(self._metrics.worker).inc()
            self._task.aborted()
            self._rewind(ahead)
            return False
        self._positions.update({place: at for place, at in offsets.items() if place in self._positions})
        self._metrics.counter("bus_transactions_total").labels(self._metrics.worker).inc()
        if batch:
            self._metrics.histogram("bus_batch_messages").labels(self._metrics.worker).observe(len(batch))
        self._task.committed()
        return True

    # -- reading -----------------------------------------------------------------------------------------------

    def _ours(self, batch: Sequence[Message]) -> tuple[list[Message], dict[Place, int]]:
        """What of a batch is still to be worked, and the next offset of each of its partitions.

        Partitions may go and come while a batch is collected: what was read of one that went is another's, and of one
        that came again the client reads what it had read before.
        """
        ours: list[Message] = []
        ahead: dict[Place, int] = {}
        for message in batch:
            place = (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            at = ahead.get(place)
            if at is None:
                at = self._positions.get(place)
            if at is not None and offset >= at:
                ours.append(message)
                ahead[place] = offset + 1
        return ours, ahead

    def _rewind(self, ahead: Mapping[Place, int]) -> None:
        """Go back to the last committed position of every partition that the batch touched."""
        for place in ahead:
            if place in self._positions:
                at = self._positions[place]
                self._consumer.seek(TopicPartition(place[0], place[1], at if at >= 0 else OFFSET_BEGINNING))

    # -- partitions come and go --------------------------------------------------------------------------------

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take partitions over, from their committed offsets.

        Asking for these blocks until a predecessor's open transaction on them is decided (KIP-447).
        """
        known = committed(consumer, partitions, self._settings.request_timeout_s)
        self._positions = {(tp.topic, tp.partition): max(tp.offset, 0) for tp in known}
        self._task.assigned(self._positions, consumer)
        consumer.assign([TopicPartition(topic, part, at) for (topic, part), at in self._positions.items()])
        self._group.took_over()
        self._came = True

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._task.revoked([(tp.topic, tp.partition) for tp in partitions])
        for tp in partitions:
            self._positions.pop((tp.topic, tp.partition), None)

    def _measure_lag(self) -> None:
        """Messages behind the end, by topic, from what the client already knows; every two seconds."""
        now = time.monotonic()
        if now - self._lag_at < _LAG_EVERY_S:
            return
        self._lag_at = now
        lags: dict[str, int] = {}
        for (topic, part), at in self._positions.items():
            try:
                _, high = self._consumer.get_watermark_offsets(TopicPartition(topic, part), cached=True)
            except KafkaException:
                continue
            lags[topic] = lags.get(topic, 0) + max(0, high - at)
        for topic, lag in lags.items():
            self._metrics.gauge("bus_lag_messages").labels(self._metrics.worker, topic).set(lag)


def committed(consumer: Consumer, partitions: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
    """The committed offsets of the consumer's group, once no transaction on them is open.

    Raises:
        KafkaUnavailableError: no answer in time.
    """
    deadline = Deadline(timeout_s, "reading committed offsets")
    with within(timeout_s, "reading committed offsets"):
        while partitions:
            try:
                found = consumer.committed(partitions, max(0.1, deadline.left))
            except KafkaException as error:
                problem: KafkaError | None = kafka_error(error)
            else:
                # One that could not be read looks like one without an offset: it would be read from its beginning.
                problem = next((tp.error for tp in found if tp.error is not None), None)
            if problem is None:
                return found
            if not passes(problem) or deadline.over:
                raise unavailable("cannot read committed offsets", KafkaException(problem))
    return []


def oldest(batch: Sequence[Message]) -> float:
    """Seconds since the oldest message of a batch was written; 0 of none: then nothing waits."""
    written = min((message.timestamp()[1] for message in batch), default=None)
    return 0.0 if written is None else max(0.0, time.time() - written / 1000)


def collect(consumer: Consumer, settings: Settings) -> list[Message]:
    """A batch: the first message when it comes, then what else comes soon, up to a number and a size.

    Raises:
        KafkaUnavailableError, NotProvisionedError: what the client reports is more than passing.
    """
    batch: list[Message] = []
    size = 0
    most = settings.batch_max_messages
    wait = settings.register_poll_ms / 1000
    until = 0.0
    while len(batch) < most and size < BATCH_MAX_BYTES:
        # The first look is for a single message: `consume` with more would wait its whole time for them.
        take = 1 if not batch else min(_SLICE, most - len(batch))
        got = consumer.consume(take, wait)
        for message in got:
            error = message.error()
            if error is None:
                batch.append(message)
                size += len(message)
            elif error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART and not passes(error):
                raise unavailable("cannot read", KafkaException(error))
        if not batch:
            break
        if until == 0.0:
            until = time.monotonic() + settings.batch_wait_ms / 1000
        wait = until - time.monotonic()
        if wait <= 0 or (not got and take > 1):
            break
    return batch
