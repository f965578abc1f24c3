"""Cross-checks: whatever the order of resources and however often facts come, the same hits stand (Art 5, 28)."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.crosschecks import Comparison, CrossCheck, Kind, Link, Normaliser, Side
from processors.crosscheck.engine import CrossChecker
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import Hit, Subject, Waiver
from processors.freshness.words import DAY
from tests.examples import examples

TOKENS = (b"a" * 16, b"b" * 16)
END = 1_000 * DAY
SENTENCES = {"name_zh": "某", "name_en": "some", "told_zh": "某", "told_en": "some", "articles": "5"}
ONE, TWO = Side(resources=("one",)), Side(resources=("two",))
CHECKS = (
    CrossCheck(
        id="agrees",
        kind=Kind.AGREES,
        left=ONE,
        right=TWO,
        compare=(Comparison(left="@name", right="@name", normalise=Normaliser.NAME, missing="HIT"),),
        tolerance_days=10,
        **SENTENCES,
    ),
    CrossCheck(id="requires", kind=Kind.REQUIRES, left=ONE, right=TWO, tolerance_days=20, **SENTENCES),
    CrossCheck(id="excludes", kind=Kind.EXCLUDES, left=ONE, right=TWO, asks="RIGHT", **SENTENCES),
    CrossCheck(id="single", kind=Kind.SINGLE_SOURCE, left=TWO, **SENTENCES),
    CrossCheck(id="linked", kind=Kind.LINKED, left=ONE, link=Link(type_field="t", number_field="n"), **SENTENCES),
)
HOLDS = {
    "one": ("agrees.left", "requires.left", "excludes.left", "linked.left"),
    "two": ("agrees.right", "requires.right", "excludes.right", "single.left"),
}


@st.composite
def histories(draw: st.DrawFn) -> list[list[RecordFact]]:
    """The versions of some records, each in its order."""
    names = st.tuples(st.sampled_from(TOKENS), st.sampled_from(["one", "two"]), st.sampled_from([b"", b"x"]))
    found = []
    for token, resource, record in draw(st.lists(names, unique=True, max_size=6)):
        versions = []
        for version in range(draw(st.integers(1, 3))):
            name = draw(st.none() | st.sampled_from([b"n", b"m"]))
            versions.append(
                RecordFact(
                    resource,
                    token,
                    record,
                    f"{token[:1].decode()}{resource}{record.decode()}{version}",
                    version,
                    draw(st.integers(0, 100)) * DAY,
                    draw(st.sampled_from(["east", "west"])),
                    draw(st.booleans()) or version == 0,
                    {} if name is None else {"@name:NAME": name},
                    frozenset(draw(st.sets(st.sampled_from(HOLDS[resource])))),
                    {"n": draw(st.sampled_from(TOKENS))} if resource == "one" else {},
                )
            )
        found.append(versions)
    return found


class Run:
    """Facts handed over in batches of random sizes, and what was told on the way."""

    def __init__(self, waivers: tuple[Waiver, ...] = ()) -> None:
        self.subjects: dict[bytes, Subject] = {}
        self.standing: dict[str, Hit] = {}
        self._waivers = waivers
        self._checker = CrossChecker(CHECKS)

    def batch(self, facts: list[RecordFact], at: int, woken: tuple[bytes, ...] = ()) -> None:
        done = self._checker.check(facts, self._waivers if woken else (), self.subjects, at, woken)
        self.subjects |= done.subjects
        for hit in done.opened:
            assert hit.pair not in self.standing, "opened twice"
            self.standing[hit.pair] = hit
        for hit in done.revised:
            assert hit.pair in self.standing
            self.standing[hit.pair] = hit
        for closed in done.closed:
            assert self.standing.pop(closed.hit.pair) == closed.hit

    def facts_of_hits(self) -> dict[str, Hit]:
        """The hits that stand, but for since when: one that was told early goes on from then."""
        return {pair: replace(hit, since=0) for pair, hit in self.standing.items()}

    def whole(self, histories: list[list[RecordFact]], random: Random) -> "Run":
        left = [list(versions) for versions in histories]
        batch: list[RecordFact] = []
        at = 0
        while any(left):
            batch.append(random.choice([versions for versions in left if versions]).pop(0))
            batch += [batch[-1]] * (random.random() < 0.3)
            if random.random() < 0.4:
                self.batch(batch, at)
                at, batch = at + random.randrange(50) * DAY, []
        self.batch(batch, END)
        self.batch([], END, TOKENS)
        return self


@settings(max_examples=examples(30), deadline=None)
@given(facts=histories(), first=st.randoms(use_true_random=False), second=st.randoms(use_true_random=False))
def test_the_hits_that_stand_depend_on_the_facts_alone(
    facts: list[list[RecordFact]], first: Random, second: Random
) -> None:
    one, other = Run().whole(facts, first), Run().whole(facts, second)
    assert one.facts_of_hits() == other.facts_of_hits()
    assert {hit.pair for subject in one.subjects.values() for hit in subject.hits.values()} == set(one.standing)


@settings(max_examples=examples(15), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_a_hit_closes_when_the_records_agree_again(facts: list[list[RecordFact]], random: Random) -> None:
    run = Run().whole(facts, random)
    mended = [
        replace(versions[-1], version=9, event_id=f"{versions[-1].event_id}-9", holds=frozenset()) for versions in facts
    ]
    run.batch(mended, END)
    assert run.standing == {}


@settings(max_examples=examples(15), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_waived_pairs_stay_silent_whenever_they_were_waived(facts: list[list[RecordFact]], random: Random) -> None:
    found = Run().whole(facts, random).standing.values()
    waivers = tuple(Waiver(hit.token, hit.pair, hit.compared, "looked at", "OFFICER", END) for hit in found)
    run = Run(waivers)
    run.batch([], 0, TOKENS)
    assert run.whole(facts, random).standing == {}
