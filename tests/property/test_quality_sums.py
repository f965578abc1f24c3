"""Sums by increments are the scores computed anew from all marks, whatever the order, the batches and the repeats."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.profiles import Law
from compliance.quality import Dimension, Mark, Of, scores
from compliance.workdays import WorkCalendar
from processors.crosscheck.engine import CrossChecker
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import Hit, Subject, Version
from processors.freshness.words import DAY, HOUR, MINUTE, Key, Targets, day_of_number, millis
from processors.quality.marks import WHOLE, Counted, Wants, standing_marks, supply_mark
from processors.quality.sums import LISTED, Place, Sum, Tally, quality_datum, tally_of
from schemas.resource import envelope
from schemas.words import FreshnessClass
from tests.examples import examples

START = millis(datetime(2026, 3, 1, tzinfo=UTC))
TOKENS = (b"a" * 16, b"b" * 16)
FIELDS = ("one_field", "two_field", "three_field")
TARGETS = Targets(FreshnessClass.DYNAMIC, START, source_lag=15 * MINUTE)
WANTS = Wants(
    {"one": FIELDS, "two": FIELDS[:1]},
    frozenset({"one"}),
    {Key(agency, resource): TARGETS for agency in ("east", "west") for resource in ("one", "two")},
    Law.packaged("huizhou-2016"),
    WorkCalendar.packaged(),
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[RecordFact]]:
    """The versions of some records, each in its order."""
    names = st.tuples(st.sampled_from(TOKENS), st.sampled_from(["one", "two"]), st.sampled_from([b"", b"x"]))
    found = []
    for token, resource, record in draw(st.lists(names, unique=True, max_size=6)):
        versions = []
        for version in range(draw(st.integers(1, 4))):
            admitted_at = START + draw(st.integers(0, 5)) * DAY + version
            versions.append(
                RecordFact(
                    resource,
                    token,
                    record,
                    f"{token[:1].decode()}{resource}{record.decode()}{version}",
                    version,
                    admitted_at - draw(st.integers(0, 40)) * MINUTE,
                    draw(st.sampled_from(["east", "west"])),
                    draw(st.booleans()) or version == 0,
                    admitted_at=admitted_at,
                    missing=tuple(draw(st.sets(st.sampled_from(FIELDS)))),
                    key_id=draw(st.sampled_from(["d1", None])),
                    supplies=draw(st.booleans()),
                )
            )
        found.append(versions)
    return found


def hits_of(records: dict[tuple[str, bytes], RecordFact]) -> dict[str, Hit]:
    """Every record of one stands against that of two of the same name: what is found depends on the records alone."""
    found = {}
    for (resource, name), fact in records.items():
        other = records.get(("two", name))
        if resource == "one" and fact.present and other is not None and other.present:
            hit = Hit("agrees", fact.token, Version.of(fact), Version.of(other), (), 0, b"", asks_right=False)
            found[hit.pair] = hit
    return found


class Run:
    """A store of subjects whose marks are counted as they change."""

    def __init__(self) -> None:
        self.subjects: dict[bytes, Subject] = {}
        self.counted: dict[bytes, tuple[Counted, ...]] = {}
        self.tally = Tally()

    def batch(self, facts: list[RecordFact]) -> None:
        for token, folded in CrossChecker.fold(facts, self.subjects).items():
            after = Subject(folded.records, hits_of(dict(folded.records)))
            marks = standing_marks(after, WANTS)
            self.tally.change(self.counted.get(token, ()), marks)
            self.subjects[token], self.counted[token] = after, marks

    def whole(self, histories: list[list[RecordFact]], random: Random) -> "Run":
        left, batch = [list(versions) for versions in histories], []
        while any(left):
            batch.append(random.choice([versions for versions in left if versions]).pop(0))
            batch += [batch[-1]] * (random.random() < 0.3)
            if random.random() < 0.4:
                self.batch(batch)
                batch = []
        self.batch(batch)
        return self


@settings(max_examples=examples(60), deadline=None)
@given(facts=histories(), first=st.randoms(use_true_random=False), second=st.randoms(use_true_random=False))
def test_what_stands_is_summed_the_same_whatever_order_batches_and_repeats(
    facts: list[list[RecordFact]], first: Random, second: Random
) -> None:
    one, other = Run().whole(facts, first), Run().whole(facts, second)
    assert one.tally == other.tally
    anew = Tally()
    anew.count(mark for subject in one.subjects.values() for mark in standing_marks(subject, WANTS))
    assert one.tally == anew


@settings(max_examples=examples(60), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_the_sums_are_the_scores_of_the_rules_computed_from_all_marks(
    facts: list[list[RecordFact]], random: Random
) -> None:
    run = Run().whole(facts, random)
    supplied = [mark for versions in facts for fact in versions if (mark := supply_mark(fact, WANTS)) is not None]
    run.tally.count(supplied)
    marks = [mark for counted in run.counted.values() for mark in counted] + supplied
    found = scores(
        Mark(
            one.cell.dimension,
            Of(one.cell.agency, one.cell.resource, day_of_number(one.cell.day), one.record),
            one.value / WHOLE,
            one.why,
        )
        for one in marks
    )
    sums: dict[tuple[str, str], dict[Dimension, Sum]] = {}
    for cell, one in run.tally.sums.items():
        sums.setdefault((cell.agency, cell.resource), {}).setdefault(cell.dimension, Sum()).add(one)
    assert sums.keys() == found.keys()
    for key, by in found.items():
        assert sums[key].keys() == by.keys()
        for dimension, score in by.items():
            one = sums[key][dimension]
            assert (one.records, one.below) == (len(score.records), len(score.below))
            assert one.value / one.records / WHOLE == pytest.approx(score.value)
    for mark in run.tally.below:
        assert set(mark.why.split(", ")) <= {*FIELDS, "late", "agrees"}
        assert mark.record in {fact.event_id for versions in facts for fact in versions}


@settings(max_examples=examples(30), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_records_that_are_mended_mend_the_score_and_what_is_gone_leaves_nothing(
    facts: list[list[RecordFact]], random: Random
) -> None:
    run = Run().whole(facts, random)
    last = [versions[-1] for versions in facts]
    run.batch([replace(fact, version=8, missing=(), present=fact.resource == "one", key_id="d1") for fact in last])
    assert run.tally.below == {}
    assert all(one.value == one.records * WHOLE for one in run.tally.sums.values())
    run.batch([replace(fact, version=9, present=False) for fact in last])
    assert run.tally == Tally()


@settings(max_examples=examples(30), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_a_message_holds_its_sums(facts: list[list[RecordFact]], random: Random) -> None:
    run = Run().whole(facts, random)
    supplied = [mark for versions in facts for fact in versions if (mark := supply_mark(fact, WANTS)) is not None]
    run.tally.count(supplied)
    again = Tally()
    codec = envelope("quality")
    for place in {Place(*cell[:3]) for cell in run.tally.sums}:
        cells = [cell for cell in run.tally.sums if cell[:3] == tuple(place)]
        below = {cell.dimension: [mark for mark in run.tally.below.elements() if mark.cell == cell] for cell in cells}
        datum = quality_datum(place, {cell.dimension: run.tally.sums[cell] for cell in cells}, below, {}, START)
        again.add(tally_of(codec.decode_physical(codec.encode_physical(datum))))
    assert again.sums == run.tally.sums
    untimed = Tally()
    for mark, times in run.tally.below.items():
        untimed.below[mark._replace(took=None)] += times
    assert again.below == untimed.below


def test_of_many_marks_the_first_five_hundred_are_told_and_all_are_counted() -> None:
    cell_of = Place("east", "one", 1)
    tally = Tally()
    late = supply_mark(
        RecordFact("one", b"", b"", "e", 0, START, "east", admitted_at=START + HOUR, supplies=True), WANTS
    )
    assert late is not None
    marks = [late._replace(record=str(number)) for number in range(LISTED + 3)]
    tally.count(marks)
    [(cell, one)] = tally.sums.items()
    datum = quality_datum(cell_of, {cell.dimension: one}, {cell.dimension: marks}, {"pulse/0": 3}, START)
    [score] = datum["scores"]
    assert (len(score["below"]), score["below_total"], score["records"]) == (LISTED, LISTED + 3, LISTED + 3)
    # An hour is no more than an hour.
    assert score["took"] == [0, 0, LISTED + 3, 0, 0, 0, 0, 0]
