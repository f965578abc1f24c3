"""Deliver: a batch of admitted records in, exactly the granted rows and fields out, grant by grant.

The law of this file: default deny. What is not in a plan that the worker handed over does not leave. What stops being
covered by a grant's rows leaves the subscriber as an event with a reason, and then a tombstone (decisions 15).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.batch import Frames, Outcome
from processors.cutting import CutRecord, Cutter
from processors.projection import GrantPlan, delivery_value
from processors.sealing import Opener
from schemas.codec import Codec
from schemas.provenance import Facts
from schemas.resource import ResourceSchema
from schemas.wire import long_of, sized

LEFT_ROWS = "LEFT_ROWS"
WITHDRAWN = "WITHDRAWN"
LINKED = "IDENTITY_LINK"
# By the operation of a record that leaves its key for good: the reason that the subscriber is told. MOVE is the relocate
# worker's: the subject goes on under another token.
_LEAVING = {b"WITHDRAW": WITHDRAWN, b"MOVE": LINKED}
# About what was supplied before: how old its business time is says nothing (docs/freshness.md).
_PAST = frozenset({b"WITHDRAW", b"CORRECT"})
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


class Waited(NamedTuple):
    """What of one owner's was delivered under a grant: how many records, and the one that was admitted first.

    `business_time` is that one's; None where it is about the past: a correction or withdrawal.
    """

    records: int
    admitted_at: int
    business_time: int | None


@dataclass(slots=True)
class DeliverOutcome(Outcome):
    """As `Outcome`, and what deliver alone tells.

    Attributes:
        moves: how membership moves once the batch is committed: grant → mark → held.
        waited: by grant and owner, what was delivered as it came; neither what a grant caught up with, nor moves.
    """

    partition: int = 0
    moves: dict[str, dict[int, bool]] = field(default_factory=dict)
    waited: dict[tuple[str, str], Waited] = field(default_factory=dict)


class Assignment(NamedTuple):
    """One grant's share of a batch.

    Attributes:
        start: records before this offset are not the grant's any more (they were delivered, or are not current).
        members: membership of a row-scoped grant; None where the grant covers all rows.
        live_since: since when the grant is delivered to as records come, milliseconds; None while it is catching up.
    """

    plan: GrantPlan
    start: int = 0
    members: Members | None = None
    live_since: int | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """One batch on its way to the grants: each record is cut at most once, each section opened at most once.

    Attributes:
        cut: what was cut so far, by index.
        left: indexes of the records that left to any grant.
    """

    records: Sequence[RecordMessage]
    cutter: Cutter
    opener: Opener
    cut: dict[int, CutRecord] = field(default_factory=dict)
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
    batch = _Batch(records, Cutter(codecs, layouts), opener)
    for assignment in assignments:
        _deliver_to(assignment, batch, frames, outcome)
    left = [batch.cut[index] for index in sorted(batch.left)]
    # What is moved was published long ago.
    outcome.latencies_ms = [now_ms - record.facts.published_at for record in left if not record.head.moved]
    return outcome


def _deliver_to(  # noqa: C901, PLR0912  one branch for each way that a record can leave
    assignment: Assignment, batch: _Batch, frames: Frames, outcome: DeliverOutcome
) -> None:
    plan, start, members, live_since = assignment
    records, partition = batch.records, outcome.partition
    if not records or records[-1].offset < start:
        return
    keys = _delivery_keys(plan, records)
    moves = outcome.moves.setdefault(plan.grant.id, {})
    head, sent = frames[plan.topic], []
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
        record = batch.cut.get(index)
        if record is None:
            record = batch.cut[index] = batch.cutter.cut(message.offset, message.value)
        reason = _LEAVING.get(record.head.operation)
        withdrawn = reason is not None
        covered = plan.divisions is None or plan.divisions.covers(record.head.division)
        if (withdrawn or not covered) and not held:
            continue
        if withdrawn or not covered:
            moved_to = record.head.moved_to
            home = plan.pseudonyms.of(moved_to) if moved_to else None
            value = delivery_value(record, plan, key[:_TOKEN_BYTES], reason or LEFT_ROWS, home)
        else:
            for section in plan.sealed_in(record.layout):
                record.open(section, message.key[:_TOKEN_BYTES], batch.opener)
            value = delivery_value(record, plan, key[:_TOKEN_BYTES], None)
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
        if live_since is not None:
            _note_waits(plan.grant.id, [batch.cut[index] for index in sent], live_since, outcome)


def _note_waits(grant: str, sent: Sequence[CutRecord], live_since: int, outcome: DeliverOutcome) -> None:
    """Look at the first record of each submission: all of them were admitted together.

    What was admitted before the grant was live waited for the grant; what was moved, for its move.
    """
    facts: Facts | None = None
    oldest: dict[bytes, CutRecord] = {}
    records: dict[bytes, int] = {}
    for record in sent:
        if record.facts is not facts:
            if record.head.moved or record.facts.admitted_at < live_since:
                continue
            facts = record.facts
            known = oldest.get(facts.agency)
            if known is None or facts.admitted_at < known.facts.admitted_at:
                oldest[facts.agency] = record
        records[facts.agency] = records.get(facts.agency, 0) + 1
    for agency, record in oldest.items():
        past = record.head.operation in _PAST
        outcome.waited[grant, sized(agency, 0).decode()] = Waited(
            records[agency], record.facts.admitted_at, None if past else long_of(record.head.business_time)
        )


def _delivery_keys(plan: GrantPlan, records: Sequence[RecordMessage]) -> list[bytes]:
    """The subscriber's own keys of a batch, in one call: token and record hash, each as one block (decisions 20)."""
    joined = plan.pseudonyms.of(b"".join([message.key for message in records]))
    keys, at = [], 0
    for message in records:
        end = at + len(message.key)
        keys.append(joined[at:end])
        at = end
    return keys
