"""What goes into a processor and what comes out: plain values, no client's types."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, NotRequired, TypedDict


class InMessage(NamedTuple):
    """One message as it was read.

    Attributes:
        append_ms: the broker's append time, milliseconds since the epoch; owner rules are judged at it (decisions 26).
        value: None for a tombstone.
    """

    topic: str
    partition: int
    offset: int
    append_ms: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


class Outgoing(TypedDict):
    """One message to write; `value` None is a tombstone. The partition is always set (decisions 17)."""

    key: bytes
    value: bytes | None
    partition: int
    headers: NotRequired[list[tuple[str, bytes]]]


class Frames:
    """Leading bytes of every value by topic: the magic byte and the id under which its schema is registered.

    The bus fills it before a batch; a processor that writes to a topic without a frame is a defect, so a missing one
    is a KeyError.
    """

    def __init__(self, heads: Mapping[str, bytes] | None = None) -> None:
        self._heads = dict(heads or {})

    def __getitem__(self, topic: str) -> bytes:
        return self._heads[topic]

    def __contains__(self, topic: str) -> bool:
        return topic in self._heads

    def put(self, topic: str, head: bytes) -> None:
        """Remember the head of one topic."""
        self._heads[topic] = head


@dataclass(slots=True)
class Outcome:
    """What a processor decided about a batch: messages by topic, and what to count.

    Attributes:
        outgoing: messages to write, by topic, in order.
        counts: how often each (name, label values…) happened; the names are metrics of `bus/metrics.py`.
        latencies_ms: milliseconds since publication, one for each event that left.
    """

    outgoing: dict[str, list[Outgoing]] = field(default_factory=dict)
    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    latencies_ms: list[int] = field(default_factory=list)

    def send(self, topic: str, partition: int, key: bytes, value: bytes | None) -> None:
        """Add one message."""
        self.outgoing.setdefault(topic, []).append({"key": key, "value": value, "partition": partition})
