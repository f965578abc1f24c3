"""One exactly-once hop's transaction: produce, send offsets, commit, or abort and rewind (KIP-98, KIP-447).

Numbered steps, the same in every worker:

1. read the register's changes
2. consume a batch
3. hand it to the processor
4. begin the transaction
5. produce what the processor decided
6. send the offsets, with the group's metadata as of when the partitions came, so that a zombie of an earlier
   generation is fenced
7. commit
8. count, and do what may only follow a commit
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from bus.settings import Settings
from bus.wire.clients import OnStep, Principal, no_step, producer
from bus.wire.deadline import Deadline
from bus.wire.errors import Remedy, away, kafka_error, remedy, unavailable
from bus.wire.handover import hand_over
from bus.wire.membership import Membership
from bus.wire.watch import within
from processors.batch import Outgoing
from schemas.errors import KafkaUnavailableError

READ_REGISTER, CONSUME, PROCESS, BEGIN, PRODUCE, SEND_OFFSETS, COMMIT, AFTER = range(1, 9)


class AbortedError(Exception):
    """The transaction was aborted; nothing of it is visible, and the batch must be worked again."""


class Transactions:
    """The transactions of one worker.

    Args:
        settings: where Kafka is, and how long each call may take.
        principal: who writes.
        transactional_id: the worker's own.
        on_step: called with the number of the step about to be taken; a fault test kills here.
    """

    def __init__(
        self, settings: Settings, principal: Principal, transactional_id: str, on_step: OnStep = no_step
    ) -> None:
        self._settings = settings
        self._principal = principal
        self._transactional_id = transactional_id
        self._timeout = settings.request_timeout_s
        self._on_step = on_step
        self._lost = threading.Event()
        self._producer = self._make()

    def _make(self) -> Producer:
        return producer(self._settings, self._principal, self._transactional_id, error_cb=self._hear)

    def _hear(self, error: KafkaError) -> None:
        """What the client says of its connections."""
        if away(error):
            self._lost.set()

    def start(self) -> None:
        """Fence any earlier producer of this transactional id and abort what it left open.

        Raises:
            KafkaUnavailableError: when the broker does not answer in time.
        """
        try:
            self._retrying("starting transactions", self._producer.init_transactions)
        except KafkaException as error:
            raise unavailable("cannot start transactions", error) from None
        self._producer.poll(0)
        self._lost.clear()

    def renew(self) -> bool:
        """Between two transactions: start over with a new producer where this one lost a broker; whether it did.

        A producer remembers the group's coordinator, also one that it cannot reach any more, and waits for it without
        end (librdkafka issue 5511). A new one asks. What was read before may be another's work by now.

        Raises:
            KafkaUnavailableError, FencedError: as `start`.
        """
        self._producer.poll(0)
        if not self._lost.is_set():
            return False
        self._producer = self._make()
        self.start()
        return True

    def run(
        self,
        outgoing: Mapping[str, Sequence[Outgoing]],
        offsets: Mapping[tuple[str, int], int],
        group: Membership | None,
    ) -> None:
        """Steps 4 to 7 for one batch.

        Args:
            outgoing: messages by topic.
            offsets: next offset to read, by (topic, partition).
            group: whose group the offsets belong to; None sends none.

        Raises:
            AbortedError: aborted; rewind and work the batch again.
            FencedError: another process took over.
            KafkaUnavailableError: the broker does not answer; the transaction's end is unknown until restart.
        """
        try:
            self._on_step(BEGIN)
            self._producer.begin_transaction()
            self._on_step(PRODUCE)
            for topic, messages in outgoing.items():
                self._produce(topic, messages)
            self._on_step(SEND_OFFSETS)
            if group is not None and offsets:
                places = [TopicPartition(topic, part, offset) for (topic, part), offset in offsets.items()]
                metadata = group.metadata
                self._retrying(
                    "sending offsets",
                    lambda seconds: self._producer.send_offsets_to_transaction(places, metadata, seconds),
                )
            self._on_step(COMMIT)
            self._retrying("committing a transaction", self._producer.commit_transaction)
        except KafkaException as error:
            if remedy(error) is Remedy.END:
                raise unavailable("the transaction failed", error) from None
            if away(kafka_error(error)):
                self._lost.set()
            self._abort()
            raise AbortedError from None
        self._on_step(AFTER)

    def _produce(self, topic: str, messages: Sequence[Outgoing]) -> None:
        deadline = Deadline(self._timeout, f"writing to {topic}")
        for message in messages:
            hand_over(self._producer, topic, message, deadline)

    def _retrying(self, what: str, call: Callable[[float], object]) -> None:
        """Call until it works, with the seconds that are left."""
        deadline = Deadline(self._timeout, what)
        with within(self._timeout, what):
            while True:
                try:
                    call(max(0.1, deadline.left))
                except KafkaException as error:
                    if remedy(error) is not Remedy.RETRY or deadline.over:
                        raise
                else:
                    return

    def _abort(self) -> None:
        try:
            self._retrying("aborting a transaction", self._producer.abort_transaction)
        except KafkaException as error:
            if remedy(error) is Remedy.RETRY:
                raise KafkaUnavailableError("the transaction could not be aborted in time") from None
            raise unavailable("cannot abort the transaction", error) from None
