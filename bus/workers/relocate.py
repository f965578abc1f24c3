"""The relocate worker: records under a number that was given up move to their subject's home, exactly once.

It follows `record.*` beside deliver, in a group of its own. A new link is applied to what each partition held before
the worker's position; what comes behind that position is looked at as it comes. When the token keys were changed, the
same is done with every record. Progress is noted in the transaction of the moves, so a kill at any point neither loses
nor repeats one.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, Message

from bus.crosscheck.rules import checks_of
from bus.keys.store import Keys
from bus.metrics import Metrics
from bus.settings import Settings
from bus.topics import LINK, RELOCATION
from bus.wire.clients import Principal
from bus.wire.feed import RegisterFeed
from bus.wire.links import LinkFeed
from bus.wire.registry import Registry
from bus.workers.catchup import record_message
from bus.workers.loop import Place, Work
from bus.workers.recordtopics import RecordTopics, resource_of
from bus.workers.relocation import Progress, RelocationBook
from compliance.catalogue import local_date
from processors.batch import Outgoing
from processors.crosscheck.facts import FactMaker
from processors.deliver import RecordMessage
from processors.keying import TOKEN_BYTES
from processors.links import Homes
from processors.rekey import Rekeyer
from processors.relocate import Best, Relocator
from processors.sealing import Opener, Sealer
from processors.snapshot import KeyIndex, current
from schemas.partition import partition_of
from schemas.resource import envelope

# Messages that a re-keying turn goes through.
_STRETCH = 5_000


@dataclass(slots=True)
class _Rekeying:
    """Where the re-keying of a partition is: what stood at the latest of its key before `end`, from `at` on."""

    latest: npt.NDArray[np.int64]
    end: int
    at: int = 0
    left: int = 0


@dataclass(slots=True)
class _Owned:
    """What is known of an owned partition.

    Attributes:
        links: whether its records are identity links, which stay under the number that they give up.
        best: the last publication at each home's key; None until it was read once.
    """

    links: bool
    progress: Progress
    best: dict[bytes, Best] | None = None
    rekeying: _Rekeying | None = None


@dataclass(slots=True)
class _Decision:
    """What one turn is about to commit."""

    progress: dict[Place, Progress] = field(default_factory=dict)
    rekeyed: dict[Place, tuple[int, int]] = field(default_factory=dict)
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
        book: RelocationBook,
        metrics: Metrics,
    ) -> None:
        self._records = RecordTopics(settings, principal, feed, registry)
        self._links = links
        self._book = book
        self._metrics = metrics
        self._key_id = keys.tokens.key_id
        opener = Opener(keys.sections)
        self._relocator = Relocator(links.links, keys.tokens, Sealer(keys.sections[keys.current], os.urandom), opener)
        self._rekeyer: Rekeyer | None = None
        if keys.retiring is not None:
            head = registry.head(LINK.pattern, envelope(LINK.envelope or ""))
            facts = FactMaker(checks_of(settings), keys.digests, Homes(keys.tokens, links.links).of)
            self._rekeyer = Rekeyer(links.links, keys.tokens, opener, head, facts)
        self._owned: dict[Place, _Owned] = {}
        self._decision = _Decision()

    # -- the loop's calls --------------------------------------------------------------------------------------

    def register_changed(self) -> None:
        """Layouts are looked up when a record needs one."""

    def assigned(self, positions: Mapping[Place, int], consumer: Consumer) -> None:  # noqa: ARG002  the loop's contract
        """Learn how far each partition has been relocated."""
        known = self._book.read() if positions else {}
        self._owned = {
            place: _Owned(self._records.schema(place[0]).links_to is not None, known.get(place, Progress()))
            for place in positions
        }

    def revoked(self, places: Sequence[Place]) -> None:
        """Another worker looks after them now."""
        for place in places:
            self._owned.pop(place, None)

    def prepare(self, positions: Mapping[Place, int]) -> Work:
        """Apply new links to what stands before our positions, all in one transaction; else re-key a stretch.

        No message is looked at before the links that are known were applied to everything before it; or what was moved
        as it came would be moved once more, as long as the trace of the first move lies ahead of our position. Homes
        come first, so that a move knows what stands there.
        """
        self._links.poll()
        self._decision = _Decision()
        outgoing: dict[str, list[Outgoing]] = {}
        ours = [(place, owned) for place, owned in self._owned.items() if place in positions]
        self._apply({place: positions[place] for place, owned in ours if not owned.links}, outgoing)
        if not outgoing and self._rekeyer is not None:
            # Identity links first: what they say is needed for the others' homes.
            for place, owned in sorted(ours, key=lambda item: not item[1].links):
                if owned.progress.token_key != self._key_id:
                    self._rekey_stretch(place, owned, positions[place], outgoing)
                    break
        # The positions go along unchanged, so that the broker fences a worker that lost a partition.
        touched = {**self._decision.progress, **self._decision.rekeyed}
        return Work(outgoing, {place: positions[place] for place in touched}, due=bool(touched))

    def process(self, batch: Sequence[Message]) -> Work:
        """Look at what is new."""
        self._decision = _Decision()
        outgoing: dict[str, list[Outgoing]] = {}
        by_place: dict[Place, list[RecordMessage]] = {}
        for message in batch:
            by_place.setdefault((message.topic() or "", message.partition() or 0), []).append(record_message(message))
        if len(self._links.links) or self._rekeyer is not None:
            ours = {place: messages for place, messages in by_place.items() if place in self._owned}
            self._decide({place: found for place, found in ours.items() if not self._owned[place].links}, outgoing)
            if self._rekeyer is not None:
                for place, messages in ours.items():
                    self._rekey(place, messages, self._rekeyer, outgoing)
        return Work(outgoing)

    def committed(self) -> None:
        """Take over what the transaction made true."""
        for place, progress in self._decision.progress.items():
            if place in self._owned:
                self._owned[place].progress = progress
        for place, (at, left) in self._decision.rekeyed.items():
            rekeying = self._owned[place].rekeying if place in self._owned else None
            if rekeying is not None:
                rekeying.at, rekeying.left = at, rekeying.left + left
        for resource, count in self._decision.moved.items():
            self._metrics.counter("bus_relocated_total").labels(resource).inc(count)
        self._decision = _Decision()

    def aborted(self) -> None:
        """Nothing happened; what stands at the homes of a partition that was just gone through is read again."""
        for place in self._decision.progress:
            if place in self._owned:
                self._owned[place].best = None
        self._decision = _Decision()

    def close(self) -> None:
        """Let the clients go."""
        self._links.close()
        self._records.close()

    # -- identity links ----------------------------------------------------------------------------------------

    def _apply(self, positions: Mapping[Place, int], outgoing: dict[str, list[Outgoing]]) -> None:
        """Apply the links that are new to a partition to what it held before our position.

        A partition that has just come is gone through for what stands at homes, too.
        """
        wanted: dict[Place, frozenset[bytes]] = {}
        for place in positions:
            owned = self._owned[place]
            tokens: set[bytes] = set()
            if owned.best is None:
                owned.best = {}
                tokens |= self._links.links.homes()
            if owned.progress.links_offset < self._links.next:
                gone = self._links.links.to_look_for(self._links.since(owned.progress.links_offset))
                tokens |= gone | {self._links.links.home(token) for token in gone}
            partitions = self._records.partitions(place[0]) if tokens else 1
            here = frozenset(token for token in tokens if partition_of(token, partitions) == place[1])
            if here:
                wanted[place] = here
            else:
                owned.progress = replace(owned.progress, links_offset=self._links.next)
        if not wanted:
            return
        seen: dict[Place, list[RecordMessage]] = {place: [] for place in wanted}
        for place, message in self._records.read({place: (0, positions[place]) for place in wanted}):
            if message.key[:TOKEN_BYTES] in wanted[place]:
                seen[place].append(message)
        self._decide(seen, outgoing)
        for place in wanted:
            progress = replace(self._owned[place].progress, links_offset=self._links.next)
            self._decision.progress[place] = progress
            outgoing.setdefault(RELOCATION.pattern, []).append(self._book.marker(place, progress))

    def _decide(self, by_place: Mapping[Place, Sequence[RecordMessage]], outgoing: dict[str, list[Outgoing]]) -> None:
        """Restore what was overtaken at homes, then move what stands elsewhere: a move knows what stands at its home."""
        decoders = {place: self._records.decoded() for place in by_place}
        now_ms = time.time_ns() // 1_000_000
        overtaken: dict[Place, dict[bytes, Best]] = {}
        for place, messages in by_place.items():
            best = self._owned[place].best
            overtaken[place] = self._relocator.overtaken(messages, decoders[place], {} if best is None else best)
        for place, messages in by_place.items():
            (topic, partition), decoded = place, decoders[place]
            writer = self._records.writer(topic)
            out: list[Outgoing] = []
            for key, found in overtaken[place].items():
                for _, message in self._records.read({place: (found.offset, found.offset + 1)}):
                    out += self._relocator.restore(key, partition, decoded(message), writer, now_ms)
            leaving = self._relocator.leaving(partition, messages, decoded, writer.partitions)
            out += self._relocator.move(leaving, self._known(topic) if leaving else {}, writer, now_ms)
            self._send(topic, out, len(leaving) + len(overtaken[place]), outgoing)

    def _known(self, topic: str) -> dict[bytes, Best]:
        """The last publications at homes, as far as we hold their partitions."""
        ours = [owned.best for place, owned in self._owned.items() if place[0] == topic and owned.best]
        return {key: best for held in ours for key, best in held.items()}

    # -- new token keys ----------------------------------------------------------------------------------------

    def _rekey_stretch(self, place: Place, owned: _Owned, position: int, outgoing: dict[str, list[Outgoing]]) -> None:
        """Move a stretch of what stood on a partition before our position; what comes behind it is moved as it comes."""
        assert self._rekeyer is not None  # noqa: S101  asked for by its caller
        if owned.rekeying is None:
            index = KeyIndex()
            for _, message in self._records.read({place: (0, position)}):
                index.add([message.key], [message.offset])
            owned.rekeying = _Rekeying(index.latest(), position)
        rekeying = owned.rekeying
        upto = min(rekeying.at + _STRETCH, rekeying.end)
        messages = [message for _, message in self._records.read({place: (rekeying.at, upto)})]
        latest = current(rekeying.latest, [message.offset for message in messages])
        standing = [message for message, is_latest in zip(messages, latest, strict=True) if is_latest]
        left = self._rekey(place, standing, self._rekeyer, outgoing)
        self._decision.rekeyed[place] = (upto, left)
        if upto >= rekeying.end and rekeying.left + left == 0:
            progress = replace(owned.progress, token_key=self._key_id)
            self._decision.progress[place] = progress
            outgoing.setdefault(RELOCATION.pattern, []).append(self._book.marker(place, progress))

    def _rekey(
        self, place: Place, messages: Sequence[RecordMessage], rekeyer: Rekeyer, outgoing: dict[str, list[Outgoing]]
    ) -> int:
        """Move what stands under tokens of other keys; how many could not be."""
        topic, partition = place
        writer = self._records.writer(topic)
        decoded = self._records.decoded()
        on = local_date(datetime.now(UTC))
        found = rekeyer.rekey(partition, messages, decoded, partial(self._records.entry, topic), writer.partitions, on)
        out = self._relocator.move(
            found.leaving, self._known(topic) if found.leaving else {}, writer, time.time_ns() // 1_000_000
        )
        self._send(topic, out, len(found.leaving), outgoing)
        if found.links:
            outgoing.setdefault(LINK.pattern, []).extend(found.links)
        return found.left

    # -- what both need ----------------------------------------------------------------------------------------

    def _send(self, topic: str, out: list[Outgoing], moved: int, outgoing: dict[str, list[Outgoing]]) -> None:
        if out:
            outgoing.setdefault(topic, []).extend(out)
            resource = resource_of(topic)
            self._decision.moved[resource] = self._decision.moved.get(resource, 0) + moved
