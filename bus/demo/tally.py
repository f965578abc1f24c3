"""What really stands on the topics, counted as it comes: receipts, refusals, deliveries."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import TopicPartition

from bus.demo.register import AGENCIES
from bus.settings import Settings
from bus.wire.clients import Principal, consumer
from bus.wire.registry import Registry
from processors.reports import receipt_topic, refused_topic
from schemas.codec import unframe


@dataclass(slots=True)
class Counts:
    """The sums so far; `examples` holds one refusal of each code, without any content."""

    submissions: int = 0
    admitted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def published(self) -> int:
        """Changes that admit has answered."""
        return sum(self.admitted.values()) + sum(self.refused.values())


class Tally:
    """Reads the topics of the demo from their beginning, as the operator.

    Args:
        settings: of the demo.
        deliveries: what the demo calls the grant of each delivery topic.
    """

    def __init__(self, settings: Settings, deliveries: Mapping[str, str]) -> None:
        operator = Principal.role(settings, "operator")
        self._registry = Registry(settings, operator)
        self._reader = consumer(settings, operator, "demo.tally")
        self._grants = dict(deliveries)
        self.counts = Counts()
        topics = [*map(receipt_topic, AGENCIES), *map(refused_topic, AGENCIES), *self._grants]
        self._reader.assign(list(self._places(topics, settings)))

    def _places(self, topics: Iterable[str], settings: Settings) -> Iterable[TopicPartition]:
        known = self._reader.list_topics(timeout=settings.request_timeout_s).topics
        for topic in topics:
            # A grant that was over before it began has no topic.
            for partition in known[topic].partitions if topic in known else ():
                yield TopicPartition(topic, partition, 0)

    def read(self, timeout_s: float = 0.2) -> Counts:
        """Count what has come since."""
        for message in self._reader.consume(2_000, timeout_s):
            topic, value = message.topic() or "", message.value()
            framed = unframe(value) if message.error() is None else None
            if framed is None:
                continue
            if topic in self._grants:
                self.counts.delivered[self._grants[topic]] += 1
                continue
            codec = self._registry.codec(framed[0])
            if codec is None:
                continue
            datum = codec.decode(framed[1])
            if topic.startswith("receipt."):
                self.counts.submissions += 1
                self.counts.admitted[datum["resource"]] += datum["admitted"]
            else:
                self.counts.refused[datum["code"]] += 1
                self.counts.examples.setdefault(datum["code"], datum)
        return self.counts

    def close(self) -> None:
        """Let the client go."""
        self._reader.close()
