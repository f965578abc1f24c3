"""Deliver: a batch of admitted records in, exactly the granted rows and fields out, grant by grant.

The law of this file: default deny. What is not in a plan that the worker handed over does not leave. What stops being
covered by a grant's rows leaves the subscriber as an event with a reason, and then a tombstone (decisions 15).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processors.batch import Frames, Outcome
from processors.projection import GrantPlan, delivery_value
from processors.sealing import Opener
from schemas.codec import Codec, unframe
from schemas.errors import SchemaError
from schemas.resource import ResourceSchema

LEFT_ROWS = "LEFT_ROWS"
WITHDRAWN = "WITHDRAWN"
LINKED = "IDENTITY_LINK"
# By the operation of a record that leaves its key for good: the reason that the subscriber is told. MOVE is the relocate
# worker's: the subject goes on under another token.
_LEAVING = {"WITHDRAW": WITHDRAWN, "MOVE": LINKED}
_TOKEN_BYTES = 16


class RecordMessage(NamedTuple):
    """One message of a record topic partition; `value` None is a tombstone."""

    offset: int
    key: bytes
    value: bytes | None


class Members:
    """Which records a row-scoped grant's subscriber now holds, on one partition: the state that `deliver` is handed.

    A record is known by 8 bytes of its delivery key, which is pseudorandom: among a million records the odds that two
    share them are 3 in 10^8, and what would follow is one needless leave event.
    """

    __slots__ = ("_held",)

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        self._held = {self.mark(key) for key in keys}

    @staticmethod
    def mark(key: bytes) -> int:
        """The eight bytes that stand for a delivery key."""
        mark = int.from_bytes(key[:8], "little")
        return mark ^ int.from_bytes(key[16:24], "little") if len(key) > _TOKEN_BYTES else mark

    def __contains__(self, mark: int) -> bool:
        return mark in self._held

    def __len__(self) -> int:
        return len(self._held)

    def apply(self, moves: Mapping[int, bool]) -> None:
        """Take over what a committed batch changed: mark → held."""
        for mark, held in moves.items():
            if held:
                self._held.add(mark)
            else:
                self._held.discard(mark)


@dataclass(slots=True)
class DeliverOutcome(Outcome):
    """As `Outcome`, and how membership moves once the batch is committed: grant → mark → held."""

    partition: int = 0
    moves: dict[str, dict[int, bool]] = field(default_factory=dict)


class Assignment(NamedTuple):
    """One grant's share of a batch.

    Attributes:
        start: records before this offset are not the grant's any more (they were delivered, or are not current).
        members: membership of a row-scoped grant; None where the grant covers all rows.
    """

    plan: GrantPlan
    start: int = 0
    members: Members | None = None


class _Opened(NamedTuple):
    """A decoded record and its row: open fields, and those of the sections that were opened."""

    record: dict[str, Any]
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Batch:
    """One batch on its way to the grants: each record is decoded at most once, each section opened at most once.

    Attributes:
        opened: what was decoded so far, by index.
        left: indexes of the records that left to any grant.
    """

    records: Sequence[RecordMessage]
    codecs: Mapping[int, Codec]
    layouts: Mapping[int, ResourceSchema]
    opener: Opener
    opened: dict[int, _Opened] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)


def deliver(
    partition: int,
    records: Sequence[RecordMessage],
    assignments: Sequence[Assignment],
    codecs: Mapping[int, Codec],
    layouts: Mapping[int, ResourceSchema],
    opener: Opener,
    frames: Frames,
    now_ms: int,
) -> DeliverOutcome:
    """Deliver one batch of one record partition to the grants that are due on it.

    Args:
        partition: of the record topic, and so of every delivery topic (decisions 17).
        records: in offset order.
        assignments: the grants, each permitted now.
        codecs: record codec by the schema id that wrote it.
        layouts: resource schema by the catalogue version that laid a record's sections out.
        opener: opens sealed sections.
        frames: leading bytes by delivery topic.
        now_ms: for latency only.

    Raises:
        SchemaError: a record is not readable, which only a defect or a foreign writer can cause.
        KeyStoreError: a section cannot be opened.
    """
    outcome = DeliverOutcome(partition=partition)
    batch = _Batch(records, codecs, layouts, opener)
    for assignment in assignments:
        _deliver_to(assignment, batch, frames, outcome)
    opened = batch.opened
    outcome.latencies_ms = [
        now_ms - opened[at].record["submission"]["published_at"]
        for at in sorted(batch.left)
        if opened[at].record["change"]["moved_at"] is None  # what is moved was published long ago
    ]
    return outcome


def _deliver_to(  # noqa: C901, PLR0912  one branch for each way that a record can leave
    assignment: Assignment, batch: _Batch, frames: Frames, outcome: DeliverOutcome
) -> None:
    plan, start, members = assignment
    records, partition = batch.records, outcome.partition
    if not records or records[-1].offset < start:
        return
    keys = _delivery_keys(plan, records)
    moves = outcome.moves.setdefault(plan.grant.id, {})
    head, sent = frames[plan.topic], []
    sealed: dict[int, tuple[str, ...]] = {}
    out = outcome.outgoing.setdefault(plan.topic, [])
    for index, message in enumerate(records):
        if message.offset < start:
            continue
        key = keys[index]
        mark = Members.mark(key) if members is not None else 0
        held = members is None or moves.get(mark, mark in members)
        if message.value is None:
            if held:
                out.append({"key": key, "value": None, "partition": partition})
                if members is not None:
                    moves[mark] = False
            continue
        opened = batch.opened.get(index)
        if opened is None:
            opened = batch.opened[index] = _decode(message, batch.codecs)
        record = opened.record
        reason = _LEAVING.get(record["change"]["operation"])
        withdrawn = reason is not None
        covered = plan.divisions is None or plan.divisions.covers(record["change"]["subject_division_code"])
        if (withdrawn or not covered) and not held:
            continue
        if withdrawn or not covered:
            moved_to = record["change"]["moved_to"]
            home = plan.pseudonyms.of(moved_to) if moved_to else None
            value = delivery_value(record, None, plan, key[:_TOKEN_BYTES], "WITHDRAW", reason or LEFT_ROWS, home)
        else:
            _open(message, opened, plan, sealed, batch)
            value = delivery_value(record, opened.row, plan, key[:_TOKEN_BYTES], record["change"]["operation"], None)
        out.append({"key": key, "value": head + value, "partition": partition})
        sent.append(index)
        if members is not None and not withdrawn:
            moves[mark] = covered
        if not covered and not withdrawn:
            # The tombstone of a withdrawal follows on the record topic itself; that of a row left is ours to write.
            out.append({"key": key, "value": None, "partition": partition})
    if sent:
        outcome.counts["delivered", plan.grant.id, plan.grant.resource] += len(sent)
        batch.left.update(sent)


def _delivery_keys(plan: GrantPlan, records: Sequence[RecordMessage]) -> list[bytes]:
    """The subscriber's own keys of a batch, in one call: token and record hash, each as one block (decisions 20)."""
    joined = plan.pseudonyms.of(b"".join([message.key for message in records]))
    keys, at = [], 0
    for message in records:
        end = at + len(message.key)
        keys.append(joined[at:end])
        at = end
    return keys


def _decode(message: RecordMessage, codecs: Mapping[int, Codec]) -> _Opened:
    framed = unframe(message.value)
    codec = codecs.get(framed[0]) if framed else None
    if framed is None or codec is None:
        raise SchemaError(f"record at offset {message.offset} was not written by admit")
    record = codec.decode_physical(framed[1])
    return _Opened(record, record["open"])


def _open(
    message: RecordMessage, opened: _Opened, plan: GrantPlan, sealed: dict[int, tuple[str, ...]], batch: _Batch
) -> None:
    """Open the sealed sections that the grant needs, once for all grants of the batch.

    `sealed` remembers which those are, by catalogue version.
    """
    record = opened.record
    version = record["submission"]["layout_version"]
    layout = batch.layouts.get(version)
    if layout is None:
        raise SchemaError(f"record at offset {message.offset} cites catalogue version {version}, which is unknown")
    wanted = sealed.get(version)
    if wanted is None:
        wanted = sealed[version] = plan.sealed_in(layout)
    for section in wanted:
        cipher, codec = record[section], layout.sections[section]
        if cipher is None or codec is None:
            continue
        bound = message.key[:_TOKEN_BYTES] + record["change"]["event_id"].encode()
        plain = batch.opener.open(record["submission"]["key_id"], section, cipher, bound)
        opened.row.update(codec.decode_physical(plain))
        record[section] = None
