"""How a member of a consumer group leaves: first the group, then the client."""

from confluent_kafka import Consumer

from bus.wire.deadline import Deadline

_HEAR_S = 0.01
_PATIENCE_S = 5.0


def leave(consumer: Consumer) -> None:
    """Give the partitions back, hear what the client still has to say of the group, then close it.

    Were it closed at once, an assignment that arrives just then could wait for an answer for ever, and with it every
    thread of the process (librdkafka issue 4884).
    """
    deadline = Deadline(_PATIENCE_S, "leaving the group")
    try:
        consumer.unsubscribe()
        while (consumer.poll(_HEAR_S) is not None or consumer.assignment()) and not deadline.over:
            pass
    finally:
        consumer.close()
