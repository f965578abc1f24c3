"""Reading a compacted topic to its stable end: the latest value of each key, all transactions decided.

The end is asked for with READ_UNCOMMITTED; a READ_COMMITTED reader gets there only once every transaction that was
open at that moment has been committed or aborted. So what a predecessor had in flight is never overlooked.
"""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # its public home re-exports it without saying so

from bus.settings import Settings
from bus.wire import clients
from bus.wire.deadline import Deadline
from bus.wire.errors import absent, leader_moves, passes, unavailable
from schemas.codec import unframe

_LOOK_EVERY_S = 0.05
# `consume` waits its whole time where fewer messages come than asked for, also at the end.
_WAIT_S = 0.05
# A broker that has just started says for a moment that there are no topics; one that is missing is told after that.
_ABSENT_S = 3.0
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the client leaves it unannotated
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client leaves it unannotated


def end_offsets(admin: AdminClient, partitions: list[tuple[str, int]], timeout_s: float) -> dict[tuple[str, int], int]:
    """The high watermark of each partition, open transactions included.

    Raises:
        KafkaUnavailableError: when the broker does not answer in time.
        NotProvisionedError: when there is no such topic, and none comes within a few seconds.
    """
    return _offsets(admin, partitions, _LATEST, timeout_s)


def start_offsets(
    admin: AdminClient, partitions: list[tuple[str, int]], timeout_s: float
) -> dict[tuple[str, int], int]:
    """The first offset that each partition still has; errors as `end_offsets`."""
    return _offsets(admin, partitions, _EARLIEST, timeout_s)


def _offsets(
    admin: AdminClient, partitions: list[tuple[str, int]], spec: OffsetSpec, timeout_s: float
) -> dict[tuple[str, int], int]:
    wanted = {TopicPartition(topic, partition): spec for topic, partition in partitions}
    if not wanted:
        return {}
    deadline = Deadline(timeout_s, "reading the ends of topics")
    patience = Deadline(min(_ABSENT_S, timeout_s), "a broker that has just started")
    while True:
        futures = admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=timeout_s)
        try:
            return {(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}
        except KafkaException as error:
            again = leader_moves(error) or (absent(error) and not patience.over)
            if not again or deadline.over:
                raise unavailable("cannot read the ends of topics", error) from None
        time.sleep(_LOOK_EVERY_S)
        _refresh(admin, deadline)


def _refresh(admin: AdminClient, deadline: Deadline) -> None:
    """Make the client learn the leaders anew: `list_offsets` itself never looks again, whatever the broker answers."""
    try:
        admin.list_topics(timeout=max(0.1, deadline.left))
    except KafkaException as error:
        raise unavailable("cannot read the ends of topics", error) from None


def read_to_end(
    consumer: Consumer, admin: AdminClient, partitions: list[tuple[str, int]], timeout_s: float
) -> Iterator[Message]:
    """Every message of the partitions up to their stable end, from the beginning.

    The consumer must be read-committed with `enable.partition.eof`; it is assigned here, and left assigned.

    Raises:
        DeadlineError: when the end is not reached in time (a transaction hangs, or the broker is gone).
        KafkaUnavailableError: when the broker refuses.
    """
    deadline = Deadline(timeout_s, f"reading {', '.join(sorted({topic for topic, _ in partitions}))} to its end")
    ends = {place: end for place, end in end_offsets(admin, partitions, timeout_s).items() if end > 0}
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
    while ends:
        for message in consumer.consume(1_000, min(_WAIT_S, deadline.left + 0.01)):
            place = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                yield message
                if place in ends and (message.offset() or 0) + 1 >= ends[place]:
                    del ends[place]
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's documented name
                if place in ends and (message.offset() or 0) >= ends[place]:
                    del ends[place]
            elif not passes(error):
                raise unavailable(f"cannot read {place[0]}", KafkaException(error))
        if ends:
            deadline.check()


def payloads(settings: Settings, principal: clients.Principal, topic: str) -> Iterator[tuple[Message, bytes]]:
    """Every message on a topic's only partition, up to its stable end, with the Avro bytes of its value, one by one.

    What has no value, or is not in the wire format, is left out.

    Raises:
        DeadlineError, KafkaUnavailableError: as `read_to_end`.
    """
    reader = clients.consumer(settings, principal, f"{principal.name}.table", **{"enable.partition.eof": True})
    try:
        operator = clients.admin(settings, principal)
        for message in read_to_end(reader, operator, [(topic, 0)], settings.request_timeout_s):
            framed = unframe(message.value())
            if framed is not None:
                yield message, framed[1]
    finally:
        reader.close()


def read_payloads(settings: Settings, principal: clients.Principal, topic: str) -> list[tuple[Message, bytes]]:
    """As `payloads`, all together: for topics that hold little."""
    return list(payloads(settings, principal, topic))
