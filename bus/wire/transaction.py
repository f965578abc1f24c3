"""One exactly-once hop's transaction: produce, send offsets, commit, or abort and rewind (KIP-98, KIP-447).

Numbered steps, the same in every worker:

1. read the register's changes
2. consume a batch
3. hand it to the processor
4. begin the transaction
5. produce what the processor decided
6. send the offsets, with the group's metadata, so that a zombie of an earlier generation is fenced
7. commit
8. count, and do what may only follow a commit
"""

from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from bus.wire.clients import OnStep, no_step
from bus.wire.deadline import Deadline
from bus.wire.errors import Remedy, remedy, unavailable
from processors.batch import Outgoing
from schemas.errors import KafkaUnavailableError

READ_REGISTER, CONSUME, PROCESS, BEGIN, PRODUCE, SEND_OFFSETS, COMMIT, AFTER = range(1, 9)
_QUEUE_WAIT_S = 0.05


class AbortedError(Exception):
    """The transaction was aborted; nothing of it is visible, and the batch must be worked again."""


class Transactions:
    """The transactions of one worker.

    Args:
        producer: transactional, with its own transactional id.
        timeout_s: for each call.
        on_step: called with the number of the step about to be taken; a fault test kills here.
    """

    def __init__(self, producer: Producer, timeout_s: float, on_step: OnStep = no_step) -> None:
        self._producer = producer
        self._timeout = timeout_s
        self._on_step = on_step

    def start(self) -> None:
        """Fence any earlier producer of this transactional id and abort what it left open.

        Raises:
            KafkaUnavailableError: when the broker does not answer in time.
        """
        deadline = Deadline(self._timeout, "starting transactions")
        while True:
            try:
                self._producer.init_transactions(max(0.1, deadline.left))
            except KafkaException as error:
                if remedy(error) is not Remedy.RETRY or deadline.over:
                    raise unavailable("cannot start transactions", error) from None
            else:
                return

    def run(
        self,
        outgoing: Mapping[str, Sequence[Outgoing]],
        offsets: Mapping[tuple[str, int], int],
        consumer: Consumer | None,
    ) -> None:
        """Steps 4 to 7 for one batch.

        Args:
            outgoing: messages by topic.
            offsets: next offset to read, by (topic, partition).
            consumer: whose group the offsets belong to; None sends none.

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
            if consumer is not None and offsets:
                places = [TopicPartition(topic, part, offset) for (topic, part), offset in offsets.items()]
                metadata = consumer.consumer_group_metadata()
                self._retrying(lambda: self._producer.send_offsets_to_transaction(places, metadata, self._timeout))
            self._on_step(COMMIT)
            self._retrying(lambda: self._producer.commit_transaction(self._timeout))
        except KafkaException as error:
            if remedy(error) is Remedy.END:
                raise unavailable("the transaction failed", error) from None
            self._abort()
            raise AbortedError from None
        self._on_step(AFTER)

    def _produce(self, topic: str, messages: Sequence[Outgoing]) -> None:
        deadline = Deadline(self._timeout, f"writing to {topic}")
        for message in messages:
            while True:
                try:
                    self._producer.produce(
                        topic,
                        value=message["value"],
                        key=message["key"],
                        partition=message["partition"],
                        headers=message.get("headers"),  # type: ignore[arg-type]  # its list is declared invariant
                    )
                except BufferError:
                    # The client's queue is full: let it send before more is handed over.
                    self._producer.poll(_QUEUE_WAIT_S)
                    deadline.check()
                else:
                    break

    def _retrying(self, call: Callable[[], object]) -> None:
        deadline = Deadline(self._timeout, "a transactional call")
        while True:
            try:
                call()
            except KafkaException as error:
                if remedy(error) is not Remedy.RETRY or deadline.over:
                    raise
            else:
                return

    def _abort(self) -> None:
        deadline = Deadline(self._timeout, "aborting a transaction")
        while True:
            try:
                self._producer.abort_transaction(max(0.1, deadline.left))
            except KafkaException as error:
                if remedy(error) is not Remedy.RETRY:
                    raise unavailable("cannot abort the transaction", error) from None
                if deadline.over:
                    raise KafkaUnavailableError("the transaction could not be aborted in time") from None
            else:
                return
