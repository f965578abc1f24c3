"""Cross-checks without Kafka: records and `hit` as logs, and a worker that may end between any two of its steps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bus.crosscheck.desk import Desk
from bus.crosscheck.store import Place, Store
from compliance.crosschecks import CrossCheck
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.telling import OPEN, told_of
from processors.crosscheck.words import Hit, Waiver
from processors.freshness.words import DAY
from processors.holding import Holding
from schemas.codec import unframe
from schemas.resource import envelope

HEAD = b"\0\0\0\0\7"
HIT_PLACE = ("hit", 0)
WEEK = 7 * DAY


class KilledError(Exception):
    """The worker ended here."""


def heard(words: Iterable[tuple[bytes, bytes | None]]) -> Iterable[tuple[bytes, dict[str, Any] | None]]:
    """Words on `hit` as a worker decodes them."""
    for key, value in words:
        framed = unframe(value)
        yield key, None if framed is None else envelope("hit").decode_physical(framed[1])


def never(_: str) -> None:
    """Nobody ends."""


@dataclass
class Town:
    """What stands on Kafka. Offsets are places in a list; a fact's version is its own."""

    checks: Sequence[CrossCheck]
    facts: list[RecordFact] = field(default_factory=list)
    hits: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    cluster: str = "here"
    judged: int = 0
    """Up to where the records were read that the latest word rests on."""

    def words(self) -> list[tuple[str, dict[str, Any] | None]]:
        """Everything that was told, in its order: pair and datum."""
        return [(key.decode(), datum) for key, datum in heard(self.hits)]

    def standing(self) -> dict[str, Hit]:
        """The hits that stand, but for since when."""
        latest = dict(self.words())
        told = {pair: told_of(datum) for pair, datum in latest.items() if datum is not None}
        return {pair: replace(one.hit, since=0) for pair, one in told.items() if one is not None}

    def holds(self, store: Store) -> None:
        """Fail where the store counts other versions of a source than those that stand."""
        latest = {(fact.token, fact.resource, fact.record): fact for fact in self.facts}
        expected = {(fact.agency, fact.resource): Holding() for fact in self.facts}
        for fact in latest.values():
            if fact.present:
                expected[fact.agency, fact.resource].add(fact.event_id)
        assert {source: store.holding(source) for source in expected} == expected

    def compact(self) -> None:
        """Keep the latest version of each record and each word, as the topics would after a while."""
        latest = {(fact.token, fact.resource, fact.record): fact for fact in self.facts}
        self.facts = [fact for fact in self.facts if latest[fact.token, fact.resource, fact.record] is fact]
        self.judged = min(self.judged, len(self.facts))

    def told_once(self) -> None:
        """Fail where something was told twice, or closed that did not stand."""
        last: dict[str, dict[str, Any]] = {}
        for pair, datum in self.words():
            before = last.pop(pair, None)
            if datum is None:
                assert before is None or before["state"] != OPEN, "gone while it stands"
                continue
            if datum["state"] == OPEN:
                same = before is not None and {**before, "told_at": 0, "superseded": None} == {
                    **datum,
                    "told_at": 0,
                    "superseded": None,
                }
                assert not same, "told twice"
            else:
                assert before is not None, "closed, and was never open"
                assert before["state"] == OPEN, "closed twice"
            last[pair] = datum


class Worker:
    """One process: takes up, then turns; `step` is called between its steps and may end it."""

    def __init__(self, town: Town, path: Path, now: int, step: Callable[[str], None] = never) -> None:
        self.town, self._step = town, step
        self.store = Store(path, town.cluster, now, 10**18, 1.0)
        try:
            self._take_up(now)
        except BaseException:
            self.store.close()
            raise

    def _take_up(self, now: int) -> None:
        self.desk = Desk(self.town.checks, self.store, HEAD)
        known = self.store.positions()
        step, words = self._step, self.town.hits[known.get(HIT_PLACE, 0) :]
        step("hear")
        self.desk.hear(heard(words), self._at_hits(), now)
        step("waive")
        self.desk.waive(self.town.waivers)
        self.place: Place = ("record", 0)
        self.at = known.get(self.place, 0)
        while self.at < len(self.town.facts):
            step("fold")
            ahead = min(self.at + 3, len(self.town.facts))
            self.desk.fold(self.town.facts[self.at : ahead], {self.place: ahead}, now)
            self.at = ahead
        while self.turn(now, 0, 2):
            pass

    def _at_hits(self) -> dict[Place, int]:
        return {HIT_PLACE: len(self.town.hits)}

    def turn(self, now: int, messages: int, limit: int = 100) -> int:
        """One turn over so many messages; how much was done."""
        ahead = min(self.at + messages, len(self.town.facts))
        facts = self.town.facts[self.at : ahead]
        turn = self.desk.judge(facts, {self.place: ahead}, now, limit)
        self._step("write")
        if turn.outgoing:
            assert ahead >= self.town.judged, "a word rests on less than an earlier one"
            self.town.judged = ahead
        self.town.hits += [(row["key"] or b"", row["value"]) for row in turn.outgoing]
        self._step("keep")
        self.desk.keep(turn, now)
        self.at = ahead
        return len(facts) + turn.woken + len(turn.outgoing)

    def through(self, now: int, sizes: Iterable[int] = ()) -> "Worker":
        """Turn through all that there is, in batches of these sizes, then of ten."""
        for size in sizes:
            self.turn(now, size)
        while self.turn(now, 10):
            pass
        return self

    def close(self) -> None:
        self.store.close()
