"""`Subscriber`: how an agency's program reads what its grants allow."""

import json
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from bus.settings import Settings, load
from bus.wire.clients import Principal, admin, consumer
from bus.wire.deadline import Deadline
from bus.wire.errors import passes, unavailable
from bus.wire.leaving import leave
from bus.wire.registry import Registry
from schemas.codec import unframe
from schemas.errors import RefusedError, SchemaError, UsageError
from schemas.refusals import RefusalCode, Refused

Place = tuple[str, int]
_Known = TypeVar("_Known")
_Word = TypeVar("_Word")
_Identity = tuple[str, bytes, str, str, datetime | None]
_REMEMBERED = 100_000
_COMMIT_EVERY_S = 1.0
# A reader that lost Kafka is replaced, and again while Kafka stays away, at this pace.
_AGAIN_S = 5.0
_ENDED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  documented name
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  documented name
    }
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivered change with its provenance.

    Attributes:
        subject: the subscriber's own pseudonym of the subject, 16 bytes (decisions 20).
        key: the Kafka key; one record of one subject has one key for ever.
        data: exactly the granted fields; None when the record leaves (operation WITHDRAW, with a reason).
        moved_to: where the reason is IDENTITY_LINK, the pseudonym under which the subject goes on.
        moved_at: when the record came to this subject from another number of it; None as a rule.
    """

    event_id: str
    operation: str
    reason: str | None
    subject: bytes = field(repr=False)
    key: bytes = field(repr=False)
    owner: str | None
    business_time: datetime | None
    published_at: datetime | None
    admitted_at: datetime | None
    catalogue_version: int | None
    grant: str
    supersedes: str | None
    flags: tuple[str, ...]
    data: Mapping[str, Any] | None = field(repr=False)
    topic: str
    partition: int
    offset: int
    moved_to: bytes | None = field(default=None, repr=False)
    moved_at: datetime | None = None


class Subscriber:
    """Reads the deliveries of an agency's grants, at least once and without repeats.

    What was yielded counts as done when the next record is asked for, or at `commit`; after a crash the rest comes
    again. An event that comes twice is yielded once, as far as the last 100,000 are remembered.

    Args:
        agency: the subscriber's code.
        grant: one grant's id; all grants of the agency when None.
        group: consumer group behind the agency's prefix, so that several processes share the work.
        positions: where to begin, by (topic, partition), for a program that keeps its own positions: all partitions
            are read, from 0 where none is named, and nothing is committed to Kafka.
        settings: as read from the environment when None.

    Raises:
        RefusedError: the agency has no grant that delivers (E_NO_GRANT).
        KafkaUnavailableError: the bus cannot be reached.
    """

    def __init__(
        self,
        agency: str,
        *,
        grant: str | None = None,
        group: str = "subscriber",
        settings: Settings | None = None,
        positions: Mapping[Place, int] | None = None,
    ) -> None:
        self._settings = settings or load()
        principal = Principal.agency(self._settings, agency)
        self._registry = Registry(self._settings, principal)
        try:
            known = admin(self._settings, principal).list_topics(timeout=self._settings.request_timeout_s).topics
        except KafkaException as error:
            raise unavailable("cannot list deliveries", error) from None
        mine = [name for name in known if name.startswith(f"delivery.{agency}.")]
        topics = [name for name in mine if grant is None or name.rsplit(".", 1)[1] == grant]
        self.topics = tuple(topics)
        if not topics:
            raise RefusedError(
                Refused(RefusalCode.E_NO_GRANT, "the agency may read no delivery of that name").reason_en
            )
        self._principal = principal
        self._group = f"{agency}.{group}"
        self._partitions = [(name, part) for name in topics for part in known[name].partitions]
        self._in_group = positions is None
        self._next: dict[Place, int] = dict(positions or {})
        self._open()
        self._seen: OrderedDict[_Identity, None] = OrderedDict()
        self._latest: OrderedDict[tuple[str, bytes], _Identity] = OrderedDict()
        self._beyond: dict[Place, int] = {}
        self._left: dict[tuple[str, int], bytes] = {}
        self.positions: dict[Place, int] = {}
        self._commit_at = time.monotonic() + _COMMIT_EVERY_S
        self._closed = False

    def _open(self) -> None:
        """A reader that goes on where the one before it was."""
        self._lost = False
        self._again_at = time.monotonic() + _AGAIN_S
        self._reader = consumer(self._settings, self._principal, self._group, error_cb=self._hear)
        if self._in_group:
            self._reader.subscribe(list(self.topics))
        else:
            self.go_to(self._next)

    def _hear(self, error: KafkaError) -> None:
        """What the reader says of its connections."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  documented name
            self._lost = True

    def poll(self, timeout_s: float = 1.0) -> Delivered | None:
        """The next record, or None when none came in time; errors as iteration.

        Raises:
            UsageError: the subscriber is closed.
        """
        if self._closed:
            raise UsageError("the subscriber is closed")
        deadline = Deadline(timeout_s, "the next record")
        while True:
            if self._lost and time.monotonic() >= self._again_at:
                # A reader that lost every broker may never find its group again, and says nothing of it.
                self._open()
            message = self._reader.poll(min(_AGAIN_S, deadline.left))
            if message is None:
                if deadline.over:
                    return None
                continue
            error = message.error()
            if error is not None:
                if error.code() in _ENDED:
                    raise RefusedError(Refused(RefusalCode.E_NO_GRANT, "the grant has ended").reason_en)
                if passes(error):
                    continue
                raise unavailable("cannot read deliveries", KafkaException(error))
            found = self._read(message)
            place = (message.topic() or "", message.partition() or 0)
            self.positions[place] = self._next[place] = (message.offset() or 0) + 1
            if found is not None:
                return found

    def batch(self, most: int, timeout_s: float = 1.0) -> list[Delivered]:
        """Up to so many records that are there now, waiting for the first; errors as iteration."""
        found: list[Delivered] = []
        wait = timeout_s
        while len(found) < most and (record := self.poll(wait)) is not None:
            found.append(record)
            wait = 0.0
        return found

    def go_to(self, positions: Mapping[Place, int]) -> None:
        """Read every partition from these positions on, from 0 where none is named."""
        self._next = dict(positions)
        self._reader.assign([TopicPartition(*place, positions.get(place, 0)) for place in self._partitions])

    def fields(self, topic: str) -> tuple[str, ...]:
        """The granted fields of a delivery topic, as its newest schema names them."""
        versions = self._registry.versions(topic)
        if not versions:
            return ()
        members = {item["name"]: item["type"] for item in json.loads(versions[-1])["fields"]}
        _, data = members["data"]
        return tuple(item["name"] for item in data["fields"])

    def __iter__(self) -> Iterator[Delivered]:
        """Yield records as they come, for ever; done ones are committed every second, when the next is asked for.

        Raises:
            RefusedError: the grant has ended.
        """
        while True:
            found = self.poll()
            if found is not None:
                yield found
            if time.monotonic() >= self._commit_at:
                self.commit()
                self._commit_at = time.monotonic() + _COMMIT_EVERY_S

    def commit(self) -> None:
        """What was returned so far is done; a successor of the group goes on behind it."""
        if not self.positions:
            return
        if self._closed:
            raise UsageError("the subscriber is closed: what was read last was not committed, and comes again")
        places = [TopicPartition(topic, part, offset) for (topic, part), offset in self.positions.items()]
        try:
            self._reader.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            raise unavailable("cannot commit", error) from None
        self.positions.clear()

    def close(self) -> None:
        """Leave the group; what was not committed comes again."""
        if self._closed:
            return
        self._closed = True
        if self._in_group:
            leave(self._reader)
        else:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, message: Message) -> Delivered | None:
        topic, part, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        raw, value = message.key(), message.value()
        key = raw if isinstance(raw, bytes) else b""
        if value is None:
            # The tombstone behind a withdrawal says nothing new; one whose event was compacted away does.
            if self._left.pop((topic, part), None) == key:
                return None
            grant = topic.rsplit(".", 1)[1]
            return Delivered(
                "",
                "WITHDRAW",
                None,
                key[:16],
                key,
                None,
                None,
                None,
                None,
                None,
                grant,
                None,
                (),
                None,
                topic,
                part,
                offset,
            )
        framed = unframe(value)
        codec = self._registry.codec(framed[0]) if framed else None
        if framed is None or codec is None:
            raise SchemaError(f"{topic}/{part} offset {offset} was not written by the bus")
        datum = codec.decode(framed[1])
        if datum["operation"] == "WITHDRAW":
            self._left[topic, part] = key
        # A record that is moved to another subject's key keeps its event id.
        identity = (topic, key, str(datum["event_id"]), datum["operation"], datum["moved_at"])
        if self._is_repeat(identity, (topic, part), offset):
            return None
        return Delivered(
            **{**datum, "event_id": str(datum["event_id"]), "flags": tuple(datum["flags"])},
            key=key,
            topic=topic,
            partition=part,
            offset=offset,
        )

    def _is_repeat(self, identity: _Identity, place: Place, offset: int) -> bool:
        """Whether the event was returned already; remembers it.

        A source that is read anew may come back to a version behind a later one: that is news, and not the same message
        read again.
        """
        record, again = identity[:2], offset < self._beyond.get(place, 0)
        self._beyond[place] = max(offset + 1, self._beyond.get(place, 0))
        if identity in self._seen and (again or self._latest.get(record) == identity):
            return True
        _remember(self._seen, identity, None)
        _remember(self._latest, record, identity)
        return False


def _remember(known: OrderedDict[_Known, _Word], key: _Known, word: _Word) -> None:
    known[key] = word
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
