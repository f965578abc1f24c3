"""The admit worker: `change.*` in, records, receipts, refusals and pulses out, exactly once.

After a commit it purges the corridor behind its committed position (decisions 16); classified data at once, up to and
including the submission that held them (decisions 11).
"""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from bus.crosscheck.rules import checks_of
from bus.keys.store import Keys
from bus.metrics import Metrics
from bus.settings import Settings
from bus.topics import INCIDENT, LINK, PULSE, record_topic
from bus.wire.feed import RegisterFeed
from bus.wire.links import LinkFeed
from bus.wire.registry import Registry
from bus.workers.loop import Place, Work
from processors.admit import AdmitOutcome, Admitter
from processors.batch import Frames, InMessage
from processors.crosscheck.facts import FactMaker
from processors.links import Homes
from processors.reports import receipt_topic, refused_topic
from processors.sealing import Sealer
from schemas.codec import unframe
from schemas.resource import envelope, resource_schema


def in_message(message: Message) -> InMessage:
    """A client's message as a processor takes it."""
    key, value = message.key(), message.value()
    return InMessage(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        key if isinstance(key, bytes) else None,
        value if isinstance(value, bytes) else None,
        _headers(message),
    )


def _headers(message: Message) -> dict[str, bytes]:
    """Headers by name; the client gives them as pairs."""
    pairs: list[tuple[str, object]] = list(message.headers() or [])  # type: ignore[arg-type]  # its annotation allows a dict too
    return {name: content for name, content in pairs if isinstance(content, bytes)}


class AdmitTask:
    """What the loop does for admit."""

    topics = r"^change\..*"
    group = "bus.admit"

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        feed: RegisterFeed,
        registry: Registry,
        admin: AdminClient,
        metrics: Metrics,
        links: LinkFeed,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._registry = registry
        self._admin = admin
        self._metrics = metrics
        self._frames = Frames()
        sealer = Sealer(keys.sections[keys.current], os.urandom)
        self._links = links
        facts = FactMaker(checks_of(settings), keys.digests, Homes(keys.tokens, links.links).of)
        self._admitter = Admitter(
            feed.view, keys.tokens, sealer, self._frames, settings.submission_max_bytes, facts, links.links
        )
        self._outcome = AdmitOutcome()
        self._behind: dict[Place, int] = {}
        self._purging: dict[Place, tuple[int, Future[object]]] = {}
        self._purged_at = time.monotonic()

    def register_changed(self) -> None:
        """Look up the schema ids of every topic that admit may write to."""
        view = self._feed.view
        for entry in view.entries():
            topic = record_topic(entry.resource)
            self._frames.put(topic, self._registry.head(topic, resource_schema(entry.avro).record))
        for agency in view.agencies():
            for topic, name in ((receipt_topic(agency.code), "receipt"), (refused_topic(agency.code), "refusal")):
                self._frames.put(topic, self._registry.head(topic, envelope(name)))
        for kind in (PULSE, INCIDENT, LINK):
            self._frames.put(kind.pattern, self._registry.head(kind.pattern, envelope(kind.envelope or "")))

    def assigned(self, positions: Mapping[Place, int], consumer: Consumer) -> None:
        """Nothing is kept by partition."""

    def revoked(self, places: Sequence[Place]) -> None:
        """Another worker purges them now."""
        for place in places:
            self._behind.pop(place, None)

    def prepare(self, positions: Mapping[Place, int]) -> Work:  # noqa: ARG002  the loop's contract
        """Follow the identity links; purge what is behind, also when nothing comes."""
        self._links.poll()
        self._purge_behind()
        return Work()

    def process(self, batch: Sequence[Message]) -> Work:
        """Judge a batch of submissions."""
        messages = [in_message(message) for message in batch]
        layouts: dict[int, str | None] = {}
        for message in messages:
            framed = unframe(message.value)
            if framed is not None and framed[0] not in layouts:
                layouts[framed[0]] = self._registry.fingerprint(framed[0])
        self._outcome = self._admitter.admit(messages, layouts, time.time_ns() // 1_000_000)
        for message in messages:
            self._behind[message.topic, message.partition] = message.offset + 1
        return Work(self._outcome.outgoing)

    def committed(self) -> None:
        """Count; purge what may be purged now."""
        self._metrics.count(self._outcome.counts)
        at_once = {(topic, part): offset + 1 for topic, part, offset in self._outcome.purge}
        self._outcome = AdmitOutcome()
        if at_once:
            self._purge(at_once)

    def aborted(self) -> None:
        """Nothing happened."""
        self._outcome = AdmitOutcome()

    def close(self) -> None:
        """Let the links go."""
        self._links.close()

    def _purge_behind(self) -> None:
        self._note_purged()
        now = time.monotonic()
        if self._behind and now - self._purged_at >= self._settings.purge_interval_s:
            self._purged_at = now
            done, self._behind = self._behind, {}
            self._purge(done)

    def _purge(self, places: Mapping[Place, int]) -> None:
        """Ask for a purge; the answer is looked at in a later turn, so that no event waits for it."""
        futures = self._admin.delete_records([TopicPartition(topic, part, at) for (topic, part), at in places.items()])
        for tp, future in futures.items():
            place = (tp.topic, tp.partition)
            self._purging[place] = (places[place], future)

    def _note_purged(self) -> None:
        for place, (at, future) in list(self._purging.items()):
            if not future.done():
                continue
            del self._purging[place]
            if future.exception() is None:
                self._metrics.counter("bus_purged_total").labels(place[0]).inc()
            else:
                # The corridor's retention bounds what stays; the next purge of the partition covers this one.
                self._behind.setdefault(place, at)
