"""The relocate worker: records under a number that was given up move to their subject's home, exactly once.

It follows `record.*` beside deliver, in a group of its own. A new link is applied to what each partition held before
the worker's position; what comes behind that position is looked at as it comes. Progress is noted in the transaction of
the moves, so a kill at any point neither loses nor repeats one.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, Message

from bus.keys.store import Keys
from bus.metrics import Metrics
from bus.settings import Settings
from bus.topics import RELOCATION
from bus.wire.clients import Principal, admin, consumer
from bus.wire.feed import RegisterFeed
from bus.wire.links import LinkFeed
from bus.wire.registry import Registry
from bus.wire.scan import read_stretch
from bus.wire.table import read_to_end
from bus.workers.catchup import record_message
from bus.workers.loop import Place, Work
from processors.batch import Outgoing
from processors.deliver import RecordMessage
from processors.keying import TOKEN_BYTES
from processors.relocate import Best, Relocator, Writer
from processors.sealing import Opener, Sealer
from schemas.codec import Codec, unframe
from schemas.errors import SchemaError
from schemas.partition import partition_of
from schemas.resource import envelope, resource_schema

_PREFIX = "record."


@dataclass(slots=True)
class _Owned:
    """What is known of an owned partition.

    Attributes:
        applied: links before this offset have been applied to what stood before the worker's position.
        best: the last publication at each home's key; None until it was read once.
    """

    applied: int = 0
    best: dict[bytes, Best] | None = None


@dataclass(slots=True)
class _Decision:
    """What one turn is about to commit."""

    applied: dict[Place, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)


class RelocateTask:
    """What the loop does for relocate."""

    topics = r"^record\..*"
    group = "bus.relocate"

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        keys: Keys,
        feed: RegisterFeed,
        registry: Registry,
        links: LinkFeed,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._principal = principal
        self._feed = feed
        self._registry = registry
        self._links = links
        self._metrics = metrics
        self._admin = admin(settings, principal)
        sealer = Sealer(keys.sections[keys.current], os.urandom)
        self._relocator = Relocator(links.links, keys.tokens, sealer, Opener(keys.sections))
        self._key_id = keys.tokens.key_id
        self._owned: dict[Place, _Owned] = {}
        self._decision = _Decision()
        self._reader: Consumer | None = None

    # -- the loop's calls --------------------------------------------------------------------------------------

    def register_changed(self) -> None:
        """Layouts are looked up when a record needs one."""

    def assigned(self, positions: Mapping[Place, int], consumer: Consumer) -> None:  # noqa: ARG002  the loop's contract
        """Learn how far links have been applied to each partition."""
        applied = self._progress() if positions else {}
        self._owned = {place: _Owned(applied.get(place, 0)) for place in positions if self._moves(place)}

    def revoked(self, places: Sequence[Place]) -> None:
        """Another worker looks after them now."""
        for place in places:
            self._owned.pop(place, None)

    def prepare(self, positions: Mapping[Place, int]) -> Work:
        """Apply new links to what stands before our positions, all in one transaction.

        No message is looked at before the links that are known were applied to everything before it; or what was moved
        as it came would be moved once more, as long as the trace of the first move lies ahead of our position. Homes
        come first, so that a move knows what stands there.
        """
        self._links.poll()
        self._decision = _Decision()
        outgoing: dict[str, list[Outgoing]] = {}
        ours = [place for place in self._owned if place in positions]
        for place in ours:
            if self._owned[place].best is None:
                self._owned[place].best = {}
                self._apply(place, positions[place], self._links.links.homes(), self._owned[place].applied, outgoing)
        for place in ours:
            if self._owned[place].applied < self._links.next:
                gone = self._links.links.to_look_for(self._links.since(self._owned[place].applied))
                tokens = gone | {self._links.links.home(token) for token in gone}
                self._apply(place, positions[place], tokens, self._links.next, outgoing)
        # The positions go along unchanged, so that the broker fences a worker that lost a partition.
        return Work(outgoing, {place: positions[place] for place in self._decision.applied}, due=bool(outgoing))

    def process(self, batch: Sequence[Message]) -> Work:
        """Look at what is new."""
        self._decision = _Decision()
        outgoing: dict[str, list[Outgoing]] = {}
        by_place: dict[Place, list[RecordMessage]] = {}
        for message in batch:
            by_place.setdefault((message.topic() or "", message.partition() or 0), []).append(record_message(message))
        if len(self._links.links):
            for place, messages in by_place.items():
                if place in self._owned:
                    self._decide(place, messages, outgoing)
        return Work(outgoing)

    def committed(self) -> None:
        """Take over what the transaction made true."""
        for place, offset in self._decision.applied.items():
            if place in self._owned:
                self._owned[place].applied = offset
        for resource, count in self._decision.moved.items():
            self._metrics.counter("bus_relocated_total").labels(resource).inc(count)
        self._decision = _Decision()

    def aborted(self) -> None:
        """Nothing happened."""
        self._decision = _Decision()

    def close(self) -> None:
        """Let the clients go."""
        self._links.close()
        if self._reader is not None:
            self._reader.close()

    # -- deciding ----------------------------------------------------------------------------------------------

    def _moves(self, place: Place) -> bool:
        """Whether the records of a topic have homes; a link itself stays under the number that it gives up."""
        entry = self._feed.view.entry(place[0].removeprefix(_PREFIX))
        return entry is not None and resource_schema(entry.avro).links_to is None

    def _stands_on(self, token: bytes, place: Place) -> bool:
        return partition_of(token, self._partitions(place[0])) == place[1]

    def _partitions(self, topic: str) -> int:
        entry = self._feed.view.entry(topic.removeprefix(_PREFIX))
        if entry is None:
            raise SchemaError(f"{topic} belongs to no catalogue entry")
        return entry.partitions

    def _apply(
        self, place: Place, position: int, tokens: Iterable[bytes], upto: int, outgoing: dict[str, list[Outgoing]]
    ) -> None:
        """Decide about everything that stands under some tokens before our position; links before `upto` are done."""
        wanted = {token for token in tokens if self._stands_on(token, place)}
        if not wanted:
            self._owned[place].applied = upto
            return
        self._decide(place, [m for m in self._read(place, 0, position) if m.key[:TOKEN_BYTES] in wanted], outgoing)
        self._decision.applied[place] = upto
        outgoing.setdefault(RELOCATION.pattern, []).append(self._marker(place, upto))

    def _decide(self, place: Place, messages: Sequence[RecordMessage], outgoing: dict[str, list[Outgoing]]) -> None:
        """Restore what was overtaken at homes, move what stands elsewhere."""
        topic, partition = place
        owned = self._owned[place]
        best = {} if owned.best is None else owned.best
        writer = Writer(topic, self._partitions(topic), lambda version: self._layout(topic, version))
        now_ms = time.time_ns() // 1_000_000
        decoded = _Decoded(self._registry)
        out: list[Outgoing] = []
        for key, found in self._relocator.overtaken(messages, decoded, best).items():
            for message in self._read(place, found.offset, found.offset + 1):
                out += self._relocator.restore(key, partition, decoded(message), writer, now_ms)
        leaving = self._relocator.leaving(partition, messages, decoded, writer.partitions)
        known = (
            {
                key: at
                for other, held in self._owned.items()
                if other[0] == topic and held.best
                for key, at in held.best.items()
            }
            if leaving
            else {}
        )
        out += self._relocator.move(leaving, known, writer, now_ms)
        if out:
            outgoing.setdefault(topic, []).extend(out)
            resource = topic.removeprefix(_PREFIX)
            self._decision.moved[resource] = self._decision.moved.get(resource, 0) + len(leaving)

    def _layout(self, topic: str, version: int) -> tuple[bytes, Codec]:
        entry = self._feed.view.entry_version(topic.removeprefix(_PREFIX), version)
        if entry is None:
            raise SchemaError(f"{topic}: a record cites catalogue version {version}, which is unknown")
        codec = resource_schema(entry.avro).record
        return self._registry.head(topic, codec), codec

    # -- reading and noting ------------------------------------------------------------------------------------

    def _read(self, place: Place, start: int, end: int) -> Iterable[RecordMessage]:
        if self._reader is None:
            self._reader = self._client("table")
        for batch in read_stretch(self._reader, place, start, end, self._settings.request_timeout_s):
            yield from map(record_message, batch)

    def _client(self, name: str) -> Consumer:
        group = f"{self._principal.name}.{name}"
        return consumer(self._settings, self._principal, group, **{"enable.partition.eof": True})

    def _progress(self) -> dict[Place, int]:
        """How far links have been applied, by record partition, with all transactions decided."""
        codec = envelope(RELOCATION.envelope or "")
        found: dict[Place, int] = {}
        reader = self._client("table")
        try:
            places = [(RELOCATION.pattern, 0)]
            for message in read_to_end(reader, self._admin, places, self._settings.request_timeout_s):
                framed = unframe(message.value())
                if framed is not None:
                    row = codec.decode_physical(framed[1])
                    found[f"{_PREFIX}{row['resource']}", row["partition"]] = row["links_offset"]
        finally:
            reader.close()
        return found

    def _marker(self, place: Place, applied: int) -> Outgoing:
        codec = envelope(RELOCATION.envelope or "")
        resource = place[0].removeprefix(_PREFIX)
        row = {
            "resource": resource,
            "partition": place[1],
            "links_offset": applied,
            "written_at": time.time_ns() // 1_000_000,
        }
        value = self._registry.head(RELOCATION.pattern, codec) + codec.encode_physical(row)
        return {"key": f"{resource}/{place[1]}".encode(), "value": value, "partition": 0}


class _Decoded:
    """Decodes records, each once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[int, dict[str, Any]] = {}

    def __call__(self, message: RecordMessage) -> dict[str, Any]:
        if message.offset not in self._known:
            framed = unframe(message.value)
            codec = self._registry.codec(framed[0]) if framed else None
            if framed is None or codec is None:
                raise SchemaError(f"record at offset {message.offset} was not written by the bus")
            self._known[message.offset] = codec.decode_physical(framed[1])
        return self._known[message.offset]
