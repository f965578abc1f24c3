"""Relocate: records that stand under a number that was given up move to their subject's home (decisions 17, Art 15).

The law of this file: whatever the order in which links and changes came, each subject ends with one record for each
discriminator, the one that was published last. What leaves a key leaves as an event and then a tombstone (decisions
15). No clock, no I/O: what stands at the home now is handed in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from processors.batch import Outgoing
from processors.deliver import RecordMessage
from processors.keying import TOKEN_BYTES, TokenKeys, record_key
from processors.links import Links
from processors.sealing import SEALED_SECTIONS, Opener, Sealer
from schemas.codec import Codec
from schemas.partition import partition_of

Order = tuple[int, int, str]
LEAVES = ("WITHDRAW", "MOVE")


def order_of(record: Mapping[str, Any]) -> Order:
    """What decides between two records of one subject that came under two numbers: the later publication.

    Within one number the order of its topic decides, as everywhere; across numbers there is no such order.
    """
    change = record["change"]
    return record["submission"]["published_at"], change["index"], change["event_id"]


class Best(NamedTuple):
    """The last publication that was met at a home's key, and where it stands on the record partition."""

    order: Order
    offset: int


class Leaving(NamedTuple):
    """A record that does not stand at its home.

    Attributes:
        gone: whether the event that came last at the old key left it already, so that nothing stands there.
    """

    old_key: bytes
    old_partition: int
    record: dict[str, Any]
    token: bytes
    key: bytes
    partition: int
    gone: bool


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes records of one resource.

    Attributes:
        topic: the record topic.
        partitions: of it.
        layout: by catalogue version, the head of the topic's values and the record codec of that version's schema.
    """

    topic: str
    partitions: int
    layout: Callable[[int], tuple[bytes, Codec]]

    def value(self, record: Mapping[str, Any]) -> bytes:
        """The bytes of a record."""
        head, codec = self.layout(record["submission"]["layout_version"])
        return head + codec.encode_physical(record)


class Relocator:
    """Finds and moves the records that do not stand at home.

    Args:
        links: the identity links.
        tokens: the token keys in force.
        sealer, opener: of the sealed sections, which are bound to the token that a record stands under.
    """

    def __init__(self, links: Links, tokens: TokenKeys, sealer: Sealer, opener: Opener) -> None:
        self._links = links
        self._tokens = tokens
        self._sealer = sealer
        self._opener = opener

    def is_away(self, key: bytes) -> bool:
        """Whether a key belongs to a number that was given up."""
        token = key[:TOKEN_BYTES]
        return self._links.target(token) is not None and self._links.home(token) != token

    def leaving(
        self,
        partition: int,
        messages: Iterable[RecordMessage],
        decode: Callable[[RecordMessage], dict[str, Any]],
        partitions: int,
    ) -> list[Leaving]:
        """Of some messages of one partition, in offset order, the records that must move: the last publication of each key.

        Args:
            partition: that they stand on.
            messages: tombstones among them are passed over; the event before one tells why the record left. A MOVE is
                of one publication: a later one that it overtook, not knowing it, still has to move.
            decode: a message's record.
            partitions: of the topic.
        """
        latest: dict[bytes, dict[str, Any]] = {}
        moved: dict[bytes, Order] = {}
        gone: set[bytes] = set()
        for message in messages:
            if message.value is None or not self.is_away(message.key):
                continue
            record, key = decode(message), message.key
            operation, order = record["change"]["operation"], order_of(record)
            gone = gone | {key} if operation in LEAVES else gone - {key}
            if operation == "MOVE":
                moved[key] = max(order, moved.get(key, order))
            elif key not in latest or order_of(latest[key]) <= order:
                latest[key] = record
        found = []
        for key, record in latest.items():
            if key in gone and key in moved and order_of(record) <= moved[key]:
                continue
            token = self._links.home(key[:TOKEN_BYTES])
            home = record_key(token, record["change"]["discriminator"], self._tokens)
            found.append(Leaving(key, partition, record, token, home, partition_of(token, partitions), key in gone))
        return found

    def is_home(self, key: bytes) -> bool:
        """Whether a key belongs to a subject that has other numbers besides."""
        return self._links.is_shared(key[:TOKEN_BYTES])

    def overtaken(
        self,
        messages: Iterable[RecordMessage],
        decode: Callable[[RecordMessage], dict[str, Any]],
        best: dict[bytes, Best],
    ) -> dict[bytes, Best]:
        """The keys of homes at which an earlier publication came last, with the one that must be written again.

        Changes that were published under two numbers of one subject reach its home in any order, and so does what is
        moved there: no lock holds two partitions together, so the home's own worker looks afterwards.

        Args:
            messages: of one partition, in offset order.
            decode: a message's record.
            best: the last publication at each home's key of the partition; taken further here, which may be done twice.
        """
        last: dict[bytes, Order] = {}
        for message in messages:
            if message.value is None or not self.is_home(message.key):
                continue
            record, key = decode(message), message.key
            last[key] = order_of(record)
            if key in best and last[key] < best[key].order:
                continue
            if record["change"]["operation"] == "MOVE":
                best.pop(key, None)
                del last[key]
            else:
                best[key] = Best(last[key], message.offset)
        return {key: best[key] for key, order in last.items() if order < best[key].order}

    def move(
        self, leaving: Sequence[Leaving], best: Mapping[bytes, Best], writer: Writer, now_ms: int
    ) -> list[Outgoing]:
        """Move records to their homes, unless a later publication is known to stand there.

        Args:
            leaving: what moves; all of one topic.
            best: the last publications at homes, as far as this worker holds their partitions.
            writer: of the topic.
            now_ms: when, milliseconds since the epoch.
        """
        out: list[Outgoing] = []
        there = {key: known.order for key, known in best.items()}
        for item in leaving:
            order = order_of(item.record)
            # Equal is the same publication, which may be about to leave the home as it was: write it again.
            if item.key not in there or there[item.key] <= order:
                there[item.key] = order
                if item.record["change"]["operation"] == "WITHDRAW":
                    # Also where nothing stands: an earlier publication that moves here later must meet it.
                    out += _withdrawal(item.key, item.partition, writer.value(_stamped(item.record, now_ms)))
                else:
                    out.append(_message(item.key, item.partition, writer.value(self._moved(item, now_ms))))
            if not item.gone:
                gone = _emptied(item.record, "MOVE", item.token, now_ms)
                out += _withdrawal(item.old_key, item.old_partition, writer.value(gone))
        return out

    def restore(
        self, key: bytes, partition: int, record: Mapping[str, Any], writer: Writer, now_ms: int
    ) -> list[Outgoing]:
        """Write a record again at its own key, behind the earlier publication that came after it."""
        value = writer.value(_stamped(record, now_ms))
        if record["change"]["operation"] == "WITHDRAW":
            return _withdrawal(key, partition, value)
        return [_message(key, partition, value)]

    def _moved(self, item: Leaving, now_ms: int) -> dict[str, Any]:
        """The record at its home, its sections sealed anew for the token that it stands under there."""
        record, event_id = item.record, item.record["change"]["event_id"].encode()
        sealed = {}
        for section in SEALED_SECTIONS:
            cipher = record[section]
            if cipher is not None:
                old = item.old_key[:TOKEN_BYTES] + event_id
                plain = self._opener.open(record["submission"]["key_id"], section, cipher, old)
                sealed[section] = self._sealer.seal(section, plain, item.token + event_id)
        facts = {**record["submission"], "key_id": self._sealer.key_id, "token_key": self._tokens.key_id}
        return {**_stamped(record, now_ms), "submission": facts, **sealed, "compared": self._compared(record)}

    def _compared(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """What cross-checks compare goes along; subjects that it refers to are at their homes of today."""
        compared: dict[str, Any] | None = record.get("compared")
        if compared is None:
            return None
        homes = {name: self._links.home(token) for name, token in compared["references"].items()}
        return {**compared, "references": homes}


def _stamped(record: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    return {**record, "change": {**record["change"], "moved_at": now_ms}}


def _emptied(record: Mapping[str, Any], operation: str, token: bytes, now_ms: int) -> dict[str, Any]:
    """The event of a record that leaves its key: who and when, without content."""
    change = {**record["change"], "operation": operation, "moved_to": token, "moved_at": now_ms, "flags": []}
    emptied = {"open": dict.fromkeys(record["open"]), "identity": None, "restricted": None, "compared": None}
    return {**record, "change": change, **emptied}


def _message(key: bytes, partition: int, value: bytes) -> Outgoing:
    return {"key": key, "value": value, "partition": partition}


def _withdrawal(key: bytes, partition: int, value: bytes) -> list[Outgoing]:
    """An event that tells why a record leaves its key, and the tombstone behind it."""
    return [
        {"key": key, "value": value, "partition": partition},
        {"key": key, "value": None, "partition": partition},
    ]
