"""Quality without Kafka: records, pulses and refusals as logs, and a worker that may end or lose its store anywhere."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bus.crosscheck.desk import Desk
from bus.crosscheck.grading import Flow, Grading
from bus.crosscheck.store import Place, Store
from compliance.crosschecks import Comparison, CrossCheck, Kind, Normaliser, Side
from compliance.entry import OwnerRule
from compliance.models import Contact, ContactRole, OnboardingState
from compliance.profiles import Law
from compliance.quality import Dimension
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.telling import told_of
from processors.crosscheck.words import Subject
from processors.freshness.words import day_number
from processors.quality.marks import Cell, Counted, Wants, standing_marks, supply_mark
from processors.quality.sums import Place as Day
from processors.quality.sums import Tally, tally_of
from schemas.codec import unframe
from schemas.resource import envelope
from tests.catalogue import agencies, entry, register, schema_text
from tests.catalogue import field as schema_field
from tests.crosscheck_town import heard

HEAD = b"\0\0\0\0\7"
LAW, CALENDAR = Law.packaged("huizhou-2016"), WorkCalendar.packaged()
CHECKS = (
    CrossCheck(
        id="same_area",
        kind=Kind.AGREES,
        left=Side(resources=("lamp",)),
        right=Side(resources=("wire",)),
        compare=(Comparison(left="area", right="area", normalise=Normaliser.CODE),),
        name_zh="某",
        name_en="some",
        told_zh="某",
        told_en="some",
        articles="5",
    ),
)
LAMPS, WIRES, PULSES, REFUSALS = ("record.lamp", 0), ("record.wire", 0), ("pulse", 0), ("refused.psb", 0)


def catalogue() -> RegisterView:
    """Lamps of psb and wires of aic, both wanted with their colour."""
    text = {name: schema_text(name, schema_field("colour", "颜色", required=True)) for name in ("lamp", "wire")}
    contacts = tuple(Contact(role=role, name="某人", phone="0752-1") for role in ContactRole)
    state = {"state": OnboardingState.CONNECTED, "contacts": contacts}
    connected = [agency.model_copy(update=state) for agency in agencies()]
    return register(
        *connected,
        entry(text["lamp"], owners=(OwnerRule(agencies=("psb",)),)),
        entry(text["wire"], owners=(OwnerRule(agencies=("aic",)),)),
    )


@dataclass
class Town:
    """What stands on Kafka; the facts of each resource are a log of their own."""

    facts: list[RecordFact] = field(default_factory=list)
    pulses: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    hits: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    quality: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    first_pulse: int = 0
    """Earlier ones are not kept any more."""

    def logs(self) -> dict[Place, Sequence[Any]]:
        """By partition, what stands there."""
        lamps = [fact for fact in self.facts if fact.resource == "lamp"]
        wires = [fact for fact in self.facts if fact.resource == "wire"]
        return {LAMPS: lamps, WIRES: wires, PULSES: self.pulses, REFUSALS: self.refusals}

    def told(self) -> dict[str, dict[str, Any]]:
        """The latest message of each day."""
        latest = dict(self.quality)
        framed = {key.decode(): unframe(value) for key, value in latest.items()}
        return {key: envelope("quality").decode_physical(one[1]) for key, one in framed.items() if one is not None}

    def sums(self) -> Tally:
        """What the messages say together."""
        found = Tally()
        for datum in self.told().values():
            found.add(tally_of(datum))
        return found

    def happened(self, wants: Wants) -> Tally:
        """Every supply, pulse and refusal, counted anew."""
        found = Tally()
        marks = (supply_mark(fact, wants) for fact in self.facts)
        found.count(mark for mark in marks if mark is not None)
        for one in self.pulses:
            if one["admitted"]:
                found.whole(_conforms(one["admitted_at"]), one["admitted"])
        for offset, one in enumerate(self.refusals):
            at = one["refused_at"]
            found.count([Counted(_conforms(at), f"refused.psb/0@{offset}", 0, one["code"], at)])
        return found


def _conforms(at: int) -> Cell:
    return Cell("psb", "lamp", day_number(at), Dimension.CONFORMANCE)


class KilledError(Exception):
    """The worker ended here."""


def never(_: str) -> None:
    """Nobody ends."""


class Worker:
    """One process; `step` is called between its steps and may end it."""

    def __init__(self, town: Town, path: Path, now: int, step: Callable[[str], None] = never) -> None:
        self.town, self.step = town, step
        self.store = Store(path, "here", now, 10**18, 1.0)
        self.grading = Grading(CHECKS, self.store.book, HEAD, LAW, CALENDAR)
        self.grading.want(catalogue(), now)
        self.desk = Desk(CHECKS, self.store, HEAD, self.grading)
        if not self.store.graded:
            self.store.take_up(list(town.told().values()))
        self.counted = self.store.book.counted()
        known = self.store.positions()
        words = town.hits[known.get(("hit", 0), 0) :]
        self.desk.hear(heard(words), {("hit", 0): len(town.hits)}, now)
        self.at: dict[Place, int] = {
            LAMPS: known.get(LAMPS, 0),
            WIRES: known.get(WIRES, 0),
            PULSES: known.get(PULSES, max(self.counted.get(PULSES, 0), town.first_pulse)),
            REFUSALS: known.get(REFUSALS, self.counted.get(REFUSALS, 0)),
        }
        try:
            while any(self.at[place] < len(town.logs()[place]) for place in (LAMPS, WIRES)):
                self._fold(now)
            while self.turn(now, 0, 2):
                pass
        except BaseException:
            self.store.close()
            raise

    def _batch(self, most: int) -> tuple[list[RecordFact], list[Flow], dict[Place, int]]:
        at, logs = self.at, self.town.logs()
        ahead = {place: min(at[place] + most, len(log)) for place, log in logs.items()}
        read = {place: list(enumerate(log))[at[place] : ahead[place]] for place, log in logs.items()}
        facts = [
            replace(fact, supplies=fact.supplies and offset >= self.counted.get(place, 0))
            for place in (LAMPS, WIRES)
            for offset, fact in read[place]
        ]
        flow = [Flow(*place, offset, datum) for place in (PULSES, REFUSALS) for offset, datum in read[place]]
        return facts, flow, ahead

    def _fold(self, now: int) -> None:
        facts, flow, ahead = self._batch(3)
        self.step("fold")
        self.desk.fold(facts, ahead, now, flow)
        self.at = ahead

    def turn(self, now: int, messages: int, limit: int = 100, *, grade: bool = False) -> int:
        """One turn over so many messages of each log; how much was done."""
        facts, flow, ahead = self._batch(messages)
        turn = self.desk.judge(facts, ahead, now, limit, flow, grade=grade)
        self.step("write")
        self.town.hits += [(row["key"] or b"", row["value"]) for row in turn.outgoing]
        self.town.quality += [(row["key"] or b"", row["value"]) for row in turn.quality]
        self.step("keep")
        self.desk.keep(turn, now)
        self.at = ahead
        return len(facts) + len(flow) + turn.woken + len(turn.outgoing)

    def through(self, now: int, sizes: Sequence[int] = ()) -> "Worker":
        """Turn through all that there is, in batches of these sizes, then tell what changed."""
        for number, size in enumerate(sizes):
            self.turn(now, size, grade=number % 3 == 0)
        while self.turn(now, 10):
            pass
        self.turn(now, 0, grade=True)
        return self

    def anew(self) -> Tally:
        """What stands, marked anew from all that is kept."""
        tokens = {fact.token for fact in self.town.facts}
        records, told = self.store.records(tokens), self.store.told(tokens)
        found = Tally()
        for token, those in records.items():
            hits = {pair: one.hit for pair, one in told.get(token, {}).items()}
            found.count(standing_marks(Subject(those, hits), self.grading.wants))
        return found

    def close(self) -> None:
        self.store.close()


def day_of(agency: str, resource: str, day: int) -> str:
    """The key of a day's message."""
    return str(Day(agency, resource, day))


def standing_pairs(town: Town) -> Counter[str]:
    """How often each check stands."""
    latest = [unframe(value) for value in dict(town.hits).values()]
    told = [told_of(envelope("hit").decode_physical(one[1])) for one in latest if one is not None]
    return Counter(one.hit.check for one in told if one is not None)
