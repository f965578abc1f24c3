"""Reading stretches of partitions once, each from an offset up to another one; many partitions in one go."""

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from bus.wire.deadline import Deadline
from bus.wire.errors import passes, unavailable

Place = tuple[str, int]
_BATCH = 2_000
# `consume` waits this long for a full batch, also at the end, where none will come.
_WAIT_S = 0.05


def read_stretches(
    reader: Consumer, stretches: Mapping[Place, tuple[int, int]], quiet_s: float
) -> Iterator[list[Message]]:
    """The messages of some partitions from a first offset to before an end, in batches; each partition in its order.

    The reader must be read-committed with `enable.partition.eof`; it is assigned here.

    Raises:
        DeadlineError: nothing came for `quiet_s` seconds although an end was not reached.
        KafkaUnavailableError: the broker refuses.
    """
    ends = {place: end for place, (start, end) in stretches.items() if start < end}
    if not ends:
        return
    reader.assign([TopicPartition(*place, stretches[place][0]) for place in ends])
    what = f"reading {', '.join(sorted({topic for topic, _ in ends}))}"[:100]
    deadline = Deadline(quiet_s, what)
    while ends:
        batch: list[Message] = []
        for message in reader.consume(_BATCH, _WAIT_S):
            place, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
            error = message.error()
            if error is None:
                if place in ends and offset < ends[place]:
                    batch.append(message)
                reached = offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  documented name
                reached = offset
            elif not passes(error):
                raise unavailable(f"cannot read {place[0]}", KafkaException(error))
            else:
                continue
            if place in ends and reached >= ends[place]:
                del ends[place]
        if batch:
            deadline = Deadline(quiet_s, what)
            yield batch
        deadline.check()
