"""Record topics as relocate reads and writes them: layouts by the catalogue, stretches, each record decoded once."""

from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer

from bus.settings import Settings
from bus.topics import record_topic
from bus.wire.clients import Principal, consumer
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.wire.scan import Place, read_stretches
from bus.workers.catchup import record_message
from compliance.entry import CatalogueEntry
from processors.deliver import RecordMessage
from processors.relocate import Writer
from schemas.codec import Codec, unframe
from schemas.errors import SchemaError
from schemas.resource import ResourceSchema, resource_schema

_PREFIX = record_topic("")


def resource_of(topic: str) -> str:
    """The resource of a record topic."""
    return topic.removeprefix(_PREFIX)


class RecordTopics:
    """What the worker may ask of any record topic.

    Args:
        settings: of the bus.
        principal: whose reader it is; the reader is made when first needed.
        feed: the register, with the catalogue.
        registry: schema ids and texts.
    """

    def __init__(self, settings: Settings, principal: Principal, feed: RegisterFeed, registry: Registry) -> None:
        self._settings, self._principal = settings, principal
        self._feed, self._registry = feed, registry
        self._reader: Consumer | None = None

    def entry(self, topic: str, version: int | None = None) -> CatalogueEntry:
        """A catalogue version, the newest when none is named.

        Raises:
            SchemaError: the catalogue does not know it.
        """
        view, resource = self._feed.view, resource_of(topic)
        entry = view.entry(resource) if version is None else view.entry_version(resource, version)
        if entry is None:
            raise SchemaError(f"{topic}: catalogue version {version or ''} is unknown")
        return entry

    def schema(self, topic: str, version: int | None = None) -> ResourceSchema:
        """The schema of a catalogue version; as `entry`."""
        return resource_schema(self.entry(topic, version).avro)

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has, by the newest entry.

        Raises:
            SchemaError: there is none.
        """
        entry = self._feed.view.entry(resource_of(topic))
        if entry is None:
            raise SchemaError(f"{topic} belongs to no catalogue entry")
        return entry.partitions

    def writer(self, topic: str) -> Writer:
        """What a processor needs to write the topic; errors as `partitions`, then as `entry`."""

        def layout(version: int) -> tuple[bytes, Codec]:
            codec = self.schema(topic, version).record
            return self._registry.head(topic, codec), codec

        return Writer(topic, self.partitions(topic), layout)

    def read(self, stretches: Mapping[Place, tuple[int, int]]) -> Iterator[tuple[Place, RecordMessage]]:
        """The records from first offsets to before ends, each with its partition; errors as `read_stretches`."""
        if self._reader is None:
            group = f"{self._principal.name}.table"
            self._reader = consumer(self._settings, self._principal, group, **{"enable.partition.eof": True})
        for batch in read_stretches(self._reader, stretches, self._settings.request_timeout_s):
            for message in batch:
                yield (message.topic() or "", message.partition() or 0), record_message(message)

    def decoded(self) -> "Decoded":
        """A decoder for one partition's records."""
        return Decoded(self._registry)

    def close(self) -> None:
        """Let the reader go."""
        if self._reader is not None:
            self._reader.close()


class Decoded:
    """Decodes the records of one partition, each once.

    Args:
        registry: schema ids and texts.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[int, dict[str, Any]] = {}

    def __call__(self, message: RecordMessage) -> dict[str, Any]:
        """The record's datum, physical.

        Raises:
            SchemaError: it was not written by the bus.
        """
        if message.offset not in self._known:
            framed = unframe(message.value)
            codec = self._registry.codec(framed[0]) if framed else None
            if framed is None or codec is None:
                raise SchemaError(f"record at offset {message.offset} was not written by the bus")
            self._known[message.offset] = codec.decode_physical(framed[1])
        return self._known[message.offset]
