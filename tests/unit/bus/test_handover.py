"""A producer whose queue is full: who hands over waits for room, hears delivery reports meanwhile, and not for ever."""

import pytest
from confluent_kafka import Producer

from bus.wire.deadline import Deadline
from bus.wire.handover import hand_over
from schemas.errors import DeadlineError


def full(message_timeout_ms: int) -> Producer:
    """A producer for one message, with nobody to take it."""
    return Producer(
        {
            "bootstrap.servers": "127.0.0.1:9",
            "queue.buffering.max.messages": 1,
            "message.timeout.ms": message_timeout_ms,
            "log_level": 0,
        }
    )


def test_who_finds_the_queue_full_goes_on_when_there_is_room_again() -> None:
    producer = full(message_timeout_ms=300)
    producer.produce("a-topic", b"x")
    with pytest.raises(BufferError):
        producer.produce("a-topic", b"y")
    for _ in range(2):
        hand_over(producer, "a-topic", {"value": b"y"}, Deadline(30, "room"))


def test_who_finds_no_room_in_time_is_told() -> None:
    producer = full(message_timeout_ms=60_000)
    hand_over(producer, "a-topic", {"value": b"x"}, Deadline(30, "room"))
    with pytest.raises(DeadlineError, match="room did not happen"):
        hand_over(producer, "a-topic", {"value": b"y"}, Deadline(0.2, "room"))
    producer.purge()
