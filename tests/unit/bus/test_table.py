"""The ends of topics: a partition without leader is asked again, a topic that is absent too, any other error is told."""

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from bus.wire.table import end_offsets
from schemas.errors import KafkaUnavailableError, NotProvisionedError

PLACES = [("record.a", 0), ("record.a", 1)]


class Answers:
    """What a client gets, one answer after another; the last one again and again."""

    def __init__(self, *errors: int | None) -> None:
        self.errors = list(errors)
        self.asked = 0
        self.refreshed = 0

    def list_topics(self, timeout: float) -> None:
        assert timeout > 0
        self.refreshed += 1

    def list_offsets(
        self, wanted: Mapping[TopicPartition, object], **_: object
    ) -> dict[TopicPartition, Future[object]]:
        self.asked += 1
        error = self.errors[min(self.asked, len(self.errors)) - 1]
        found: dict[TopicPartition, Future[object]] = {}
        for number, place in enumerate(wanted):
            found[place] = Future()
            # One partition of the topic has its leader already.
            if error is None or number == 0:
                found[place].set_result(SimpleNamespace(offset=10 + place.partition))
            else:
                found[place].set_exception(KafkaException(KafkaError(error)))
        return found


def ends(answers: Answers, timeout_s: float) -> dict[tuple[str, int], int]:
    return end_offsets(cast("AdminClient", answers), PLACES, timeout_s)


@pytest.mark.parametrize(
    "error",
    [
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        # What a broker that has just started says of every topic.
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._NOENT,
    ],
)
def test_a_partition_that_has_no_leader_yet_is_asked_again(error: int) -> None:
    answers = Answers(error, error, None)
    assert ends(answers, 60.0) == {("record.a", 0): 10, ("record.a", 1): 11}
    assert (answers.asked, answers.refreshed) == (3, 2)


@pytest.mark.parametrize(
    ("error", "timeout_s"), [(KafkaError.NOT_LEADER_FOR_PARTITION, 0.0), (KafkaError.INVALID_REQUEST, 60.0)]
)
def test_a_leader_that_does_not_come_in_time_and_any_other_error_are_told(error: int, timeout_s: float) -> None:
    answers = Answers(error)
    with pytest.raises(KafkaUnavailableError, match=f"cannot read the ends of topics: {KafkaError(error).name()}"):
        ends(answers, timeout_s)
    assert answers.asked == 1


def test_a_topic_that_does_not_come_is_told_as_not_provisioned() -> None:
    answers = Answers(KafkaError._NOENT)
    with pytest.raises(NotProvisionedError, match="has `bus init` been run"):
        ends(answers, 0.0)
    assert answers.asked == 1
