"""What the loop does when partitions go and come while it reads, with clients that do as they are told.

What Kafka does is proven in tests/fault; here is what no kill brings about on purpose.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from bus.metrics import Metrics
from bus.settings import Settings
from bus.wire.feed import RegisterFeed
from bus.wire.membership import Membership
from bus.wire.transaction import AbortedError, Transactions
from bus.workers.health import Health
from bus.workers.loop import Loop, Place, Work

TOPIC = "record.permit"
Step = Callable[["Reader"], list[Message]]


class Read:
    """A message as the client gives it."""

    def __init__(self, offset: int, partition: int = 0) -> None:
        self._at = (partition, offset)

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return self._at[0]

    def offset(self) -> int:
        return self._at[1]

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def error(self) -> KafkaError | None:
        return None

    def __len__(self) -> int:
        return 1


def messages(*offsets: int) -> list[Message]:
    return [cast("Message", Read(offset)) for offset in offsets]


class Reader:
    """A consumer whose every look is a step of the test's plan; each new assignment is a generation."""

    def __init__(self, *plan: Step) -> None:
        self.plan = list(plan)
        self.standing: dict[int, int] = {}
        self.sought: list[tuple[int, int]] = []
        self.generation = 0
        self.hooks: dict[str, Any] = {}

    def subscribe(self, _: Sequence[str], **hooks: Any) -> None:
        self.hooks = hooks

    def consume(self, _: int, __: float) -> list[Message]:
        return self.plan.pop(0)(self) if self.plan else []

    def committed(self, partitions: list[TopicPartition], _: float) -> list[TopicPartition]:
        return [TopicPartition(tp.topic, tp.partition, self.standing.get(tp.partition, -1001)) for tp in partitions]

    def consumer_group_metadata(self) -> int:
        return self.generation

    def seek(self, place: TopicPartition) -> None:
        self.sought.append((place.partition, place.offset))

    def assign(self, _: list[TopicPartition]) -> None: ...

    def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
        return 0, 0

    # What a test's plan says.

    def gains(self, *partitions: int) -> None:
        self.generation += 1
        self.hooks["on_assign"](self, [TopicPartition(TOPIC, partition) for partition in partitions])

    def loses(self, *partitions: int) -> None:
        self.hooks["on_revoke"](self, [TopicPartition(TOPIC, partition) for partition in partitions])


class Sent:
    """Transactions that are kept in a list; `aborts` of the first ones."""

    def __init__(self, reader: Reader, aborts: int = 0) -> None:
        self.reader = reader
        self.aborts = aborts
        self.committed: list[tuple[dict[Place, int], object]] = []

    def renew(self) -> bool:
        return False

    def run(self, _: object, offsets: Mapping[Place, int], group: Membership) -> None:
        if self.aborts:
            self.aborts -= 1
            raise AbortedError
        self.committed.append((dict(offsets), group.metadata))
        for (_, partition), at in offsets.items():
            self.reader.standing[partition] = at


class Task:
    """Notes in which order it was asked what."""

    topics, group = TOPIC, "test"

    def __init__(self, *, due: bool = False) -> None:
        self.due = due
        self.done: list[object] = []

    def register_changed(self) -> None: ...

    def assigned(self, positions: Mapping[Place, int], consumer: Consumer) -> None: ...

    def revoked(self, places: Sequence[Place]) -> None: ...

    def prepare(self, positions: Mapping[Place, int]) -> Work:
        self.done.append(dict(positions))
        return Work({}, dict(positions), due=self.due and bool(positions))

    def process(self, batch: Sequence[Message]) -> Work:
        self.done.append([message.offset() for message in batch])
        return Work()

    def committed(self) -> None: ...

    def aborted(self) -> None: ...

    def close(self) -> None: ...


class Feed:
    view = None

    def poll(self) -> bool:
        return False


def loop_of(reader: Reader, task: Task, sent: Sent) -> Loop:
    loop = Loop(
        Settings(batch_max_messages=10, batch_wait_ms=1000),
        task,
        Membership(cast("Consumer", reader)),
        cast("Transactions", sent),
        cast("RegisterFeed", Feed()),
        Metrics("relocate"),
        Health(),
    )
    reader.subscribe([TOPIC], on_assign=loop._assigned, on_revoke=loop._revoked)
    return loop


def worked(task: Task) -> list[object]:
    return [done for done in task.done if isinstance(done, list)]


def gain(reader: Reader) -> list[Message]:
    reader.gains(0)
    return []


def read(*offsets: int) -> Step:
    return lambda _: messages(*offsets)


def lose_and_gain(reader: Reader) -> list[Message]:
    reader.loses(0)
    reader.gains(0)
    return []


def lose(reader: Reader) -> list[Message]:
    reader.loses(0)
    return []


def test_what_was_read_before_a_partition_came_again_is_worked_once() -> None:
    # The client begins again at the committed offset, and so reads 0 and 1 a second time.
    reader = Reader(gain, read(0), read(1), lose_and_gain, read(0), read(1, 2))
    task, sent = Task(), Sent(reader)
    loop = loop_of(reader, task, sent)
    while reader.plan:
        loop.turn()
    assert [offset for batch in worked(task) for offset in cast("list[int]", batch)] == [0, 1, 2]
    assert reader.standing == {0: 3}


def test_what_was_read_of_a_partition_that_went_is_left_to_its_new_owner() -> None:
    reader = Reader(gain, read(0), lose)
    task, sent = Task(), Sent(reader)
    loop = loop_of(reader, task, sent)
    while reader.plan:
        loop.turn()
    assert worked(task) == []
    assert sent.committed == []


def test_offsets_go_along_with_the_generation_in_which_the_partitions_came() -> None:
    reader = Reader(gain, read(0))
    task, sent = Task(), Sent(reader)
    loop = loop_of(reader, task, sent)
    loop.turn()
    # The group goes on behind our back: what we commit must be fenced, not pass as the new generation's.
    reader.generation += 1
    loop.turn()
    assert sent.committed == [({(TOPIC, 0): 1}, 1)]


def test_what_is_due_for_partitions_that_came_goes_before_their_messages() -> None:
    def gain_and_read(reader: Reader) -> list[Message]:
        reader.gains(0)
        return messages(0, 1)

    reader = Reader(gain_and_read)
    task, sent = Task(), Sent(reader)
    loop_of(reader, task, sent).turn()
    assert task.done == [{}, {(TOPIC, 0): 0}, [0, 1]]


def test_no_message_is_worked_before_what_was_due_is_committed() -> None:
    reader = Reader(gain, read(0), read(), read(0))
    task, sent = Task(due=True), Sent(reader, aborts=2)
    loop = loop_of(reader, task, sent)
    while reader.plan:
        loop.turn()
    # Due as the partition came, and once more a turn later: aborted both times, and the message goes back.
    assert reader.sought == [(0, 0)]
    assert worked(task) == [[0]]
    assert sent.committed[-1] == ({(TOPIC, 0): 1}, 1)
