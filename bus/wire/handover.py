"""Messages into a producer whose queue may be full: it has room again once the brokers take what it holds."""

from collections.abc import Mapping

from confluent_kafka import Producer

from bus.wire.deadline import Deadline

_QUEUE_WAIT_S = 0.05


def hand_over(producer: Producer, topic: str, message: Mapping[str, object], deadline: Deadline) -> None:
    """Give a message to the producer; delivery reports are heard meanwhile.

    Args:
        producer: any.
        topic: where to.
        message: what `produce` takes besides, such as value, key, partition, headers.
        deadline: until when to wait for room.

    Raises:
        DeadlineError: none became free.
    """
    while True:
        try:
            producer.produce(topic, **message)  # type: ignore[arg-type]  # as `produce` takes them
        except BufferError:
            producer.poll(min(_QUEUE_WAIT_S, deadline.left))
            deadline.check()
        else:
            return
