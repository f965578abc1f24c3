"""Reading a stretch of one partition once, from an offset up to another one."""

from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from bus.wire.deadline import Deadline
from bus.wire.errors import unavailable

_BATCH = 2_000
_WAIT_S = 0.2


def read_stretch(
    reader: Consumer, place: tuple[str, int], start: int, end: int, quiet_s: float
) -> Iterator[list[Message]]:
    """The messages of a partition from `start` to before `end`, in batches.

    The reader must be read-committed with `enable.partition.eof`; it is assigned here.

    Raises:
        DeadlineError: nothing came for `quiet_s` seconds although the end was not reached.
        KafkaUnavailableError: the broker refuses.
    """
    reader.assign([TopicPartition(*place, start)])
    at = start
    deadline = Deadline(quiet_s, f"reading {place[0]}")
    while at < end:
        batch: list[Message] = []
        for message in reader.consume(_BATCH, _WAIT_S):
            error = message.error()
            if error is None:
                at = max(at, (message.offset() or 0) + 1)
                if (message.offset() or 0) < end:
                    batch.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  documented name
                at = max(at, message.offset() or 0)
            elif not error.retriable():
                raise unavailable(f"cannot read {place[0]}", KafkaException(error))
        if batch:
            deadline = Deadline(quiet_s, f"reading {place[0]}")
            yield batch
        deadline.check()
