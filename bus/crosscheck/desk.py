"""What the cross-check worker does between Kafka and its store: facts in, words about hits out. Knows no client of Kafka.

A turn is decided from what is kept, written to Kafka, and only then kept itself, so a worker that ends anywhere decides
it once more. While it has yet to read what Kafka has, it folds facts and judges nobody: half of what is known of a
subject would open and close hits that are none. What was folded is due, and is judged like everything whose time comes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bus.crosscheck.grading import Flow, Grading
from bus.crosscheck.holdings import count
from bus.crosscheck.records import Records
from bus.crosscheck.store import NOW, Changes, Place, Store
from bus.topics import HIT
from compliance.crosschecks import CrossCheck
from processors.batch import Outgoing
from processors.crosscheck.engine import CrossChecker, superseded_by
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.telling import Told, closed_datum, open_datum, told_of
from processors.crosscheck.words import Checked, Subject, Waiver
from processors.freshness.words import DAY
from schemas.resource import envelope

CLOSED_KEPT_MS = 30 * DAY
"""So long a hit that is none any more stands on the topic; then its tombstone follows."""
_HIT = envelope(HIT.envelope or "")
_TOMBSTONES = 500


def digest_of(checks: Iterable[CrossCheck]) -> str:
    """What tells one set of rules from another."""
    return sha256("\n".join(check.model_dump_json() for check in checks).encode()).hexdigest()


@dataclass(slots=True)
class Turn:
    """What a turn writes on `hit` and `quality`, what is kept once it stands there, how many subjects' time had come."""

    outgoing: list[Outgoing] = field(default_factory=list)
    quality: list[Outgoing] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    woken: int = 0


class Desk:
    """Cross-checks over one store.

    Args:
        checks: the rules.
        store: what is kept.
        head: the frame head of `hit`.
        grading: marks what is read and judged; None where nobody asks for quality.
    """

    def __init__(self, checks: Sequence[CrossCheck], store: Store, head: bytes, grading: Grading | None = None) -> None:
        self.grading = grading
        self._checker = CrossChecker(checks)
        self._store, self._head = store, head
        self._waivers: dict[bytes, dict[tuple[str, bytes], Waiver]] = {}
        store.judge_by(digest_of(checks))

    # -- before it judges ----------------------------------------------------------------------------------------------

    def hear(
        self, words: Iterable[tuple[bytes, Mapping[str, Any] | None]], positions: Mapping[Place, int], now: int
    ) -> None:
        """Take over what stands on `hit`, in its order; the subjects are looked at again once everything was read.

        Args:
            words: keys and data as on the wire, None for tombstones.
            positions: where to read on.
            now: milliseconds.
        """
        latest = {key.decode(): datum for key, datum in words}
        changes, tokens = Changes(positions=positions), set()
        for pair, datum in latest.items():
            if datum is None:
                changes.dropped.append(pair)
                continue
            told = told_of(datum)
            tokens.add(datum["token"])
            changes.latest = max(changes.latest, datum["told_at"])
            if told is None:
                changes.closed[pair] = datum["token"], datum["told_at"]
            else:
                changes.told.append(told)
        # Woken first: a kill in between wakes once more, and forgets nobody.
        self._store.wake(tokens)
        self._store.keep(changes, now)

    def fold(
        self, facts: Sequence[RecordFact], positions: Mapping[Place, int], now: int, flow: Sequence[Flow] = ()
    ) -> None:
        """Take facts over, and judge their subjects later; what happened is counted at once."""
        before = self._store.records({fact.token for fact in facts})
        folded = self._checker.fold(facts, {token: Subject(records) for token, records in before.items()})
        changes = Changes(positions=positions)
        for token, subject in folded.items():
            changes.records[token] = subject.records
            count(before.get(token, {}), subject.records, changes.moved)
            changes.wake_at[token] = NOW
        if self.grading is not None:
            self.grading.supplied(changes.graded, facts, flow, now)
        self._store.keep(changes, now)

    def waive(self, waivers: Iterable[Waiver]) -> None:
        """Take over every waiver that the register knows now."""
        self._waivers = {}
        for waiver in waivers:
            self._waivers.setdefault(waiver.token, {})[waiver.pair, waiver.compared] = waiver
        pairs = ((token, *pair) for token, found in self._waivers.items() for pair in found)
        self._store.waive(pairs)

    # -- a turn --------------------------------------------------------------------------------------------------------

    def judge(
        self,
        facts: Sequence[RecordFact],
        positions: Mapping[Place, int],
        now: int,
        limit: int,
        flow: Sequence[Flow] = (),
        *,
        grade: bool = False,
    ) -> Turn:
        """Decide a turn. Nothing is changed before `keep`.

        Args:
            facts: versions of records, those of one record in their order.
            positions: where to read on.
            now: milliseconds; where words were told later than that, by another clock, theirs counts.
            limit: subjects whose time has come, at the most.
            flow: pulses and refusals.
            grade: tell the quality of the days that changed.
        """
        at = max(now, self._store.latest)
        woken = self._store.due(at, limit)
        tokens = dict.fromkeys((*woken, *(fact.token for fact in facts)))
        records, told = self._store.records(tokens), self._store.told(tokens)
        subjects = {token: self._subject(token, records, told) for token in tokens}
        done = self._checker.check(facts, (), subjects, at, woken)
        turn = Turn(changes=Changes(positions=positions), woken=len(woken))
        self._tell(turn, done, told, at)
        wakes: dict[bytes, int] = {}
        for wake_at, token in done.wakes:
            wakes[token] = min(wake_at, wakes.get(token, wake_at))
        for token, subject in done.subjects.items():
            turn.changes.wake_at[token] = wakes.get(token)
            # What is gone is never compared again, and what comes later at its place is new.
            present = {name: fact for name, fact in subject.records.items() if fact.present}
            if len(present) < len(subject.records) or subject.records is not subjects[token].records or not present:
                turn.changes.records[token] = present
                count(records.get(token, {}), present, turn.changes.moved)
        self._grade(turn, done, facts, flow, at, tell=grade)
        written = {row["key"] for row in turn.outgoing}
        for pair in self._store.expired(at - CLOSED_KEPT_MS, _TOMBSTONES):
            if pair.encode() not in written:
                turn.changes.dropped.append(pair)
                turn.outgoing.append({"key": pair.encode(), "value": None, "partition": 0})
        return turn

    def _grade(
        self, turn: Turn, done: Checked, facts: Sequence[RecordFact], flow: Sequence[Flow], at: int, *, tell: bool
    ) -> None:
        if self.grading is not None:
            graded = turn.changes.graded
            self.grading.supplied(graded, facts, flow, at)
            self.grading.judged(graded, done.subjects)
            # As it stands before this turn, up to where that was read.
            turn.quality = self.grading.due(graded, self._store.positions(), at) if tell else []

    def _subject(
        self, token: bytes, records: Mapping[bytes, Records], told: Mapping[bytes, Mapping[str, Told]]
    ) -> Subject:
        hits = {pair: one.hit for pair, one in told.get(token, {}).items()}
        return Subject(records.get(token, {}), hits, self._waivers.get(token, {}))

    def _tell(self, turn: Turn, done: Checked, before: Mapping[bytes, Mapping[str, Told]], at: int) -> None:
        """Write what is not any more, then what is."""
        changes = turn.changes
        for closed in done.closed:
            hit = closed.hit
            pair = hit.pair
            self._write(turn, pair, closed_datum(closed, before[hit.token][pair].opened_at, at))
            changes.closed[pair] = hit.token, at
        for hit in done.opened:
            told = Told(hit, at, at)
            self._write(turn, hit.pair, open_datum(told))
            changes.told.append(told)
        for hit in done.revised:
            was = before[hit.token][hit.pair]
            told = Told(hit, was.opened_at, at)
            correction = superseded_by(was.hit, done.subjects[hit.token])
            self._write(turn, hit.pair, open_datum(told, correction))
            changes.told.append(told)
        changes.latest = at if turn.outgoing else 0

    def _write(self, turn: Turn, pair: str, datum: Mapping[str, object]) -> None:
        value = self._head + _HIT.encode_physical(datum)
        turn.outgoing.append({"key": pair.encode(), "value": value, "partition": 0})

    def keep(self, turn: Turn, now: int) -> None:
        """What the turn wrote stands on Kafka."""
        self._store.keep(turn.changes, now)
