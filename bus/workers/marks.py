"""A compacted topic of progress rows that a worker writes in its transactions and reads when partitions come to it."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from bus.settings import Settings
from bus.topics import TopicKind
from bus.wire.clients import Principal, consumer
from bus.wire.table import read_to_end
from processors.batch import Outgoing
from schemas.codec import unframe
from schemas.resource import envelope


class MarkTable:
    """Reads and words the rows of one such topic.

    Args:
        settings: where Kafka is.
        principal: the worker, or the operator who only reads.
        admin: of the same principal.
        head: frame head of the topic's values.
    """

    kind: TopicKind

    def __init__(self, settings: Settings, principal: Principal, admin: AdminClient, head: bytes) -> None:
        self._settings = settings
        self._principal = principal
        self._admin = admin
        self._head = head
        self._codec = envelope(self.kind.envelope or "")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row that was written, the latest of a key last, with all transactions decided."""
        reader = self.reader()
        try:
            places = [(self.kind.pattern, 0)]
            for message in read_to_end(reader, self._admin, places, self._settings.request_timeout_s):
                framed = unframe(message.value())
                if framed is not None:
                    yield self._codec.decode_physical(framed[1])
        finally:
            reader.close()

    def message(self, key: str, row: Mapping[str, Any]) -> Outgoing:
        """The message that records a row; when it was written is added."""
        datum = {**row, "written_at": time.time_ns() // 1_000_000}
        return {"key": key.encode(), "value": self._head + self._codec.encode_physical(datum), "partition": 0}

    def reader(self) -> Consumer:
        """A reader without offsets of its own."""
        group = f"{self._principal.name}.table"
        return consumer(self._settings, self._principal, group, **{"enable.partition.eof": True})
