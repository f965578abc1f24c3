"""The cross-check worker's own steps: a kill anywhere, a lost store, another order: the same hits, none told twice."""

import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import Hit
from processors.freshness.words import DAY
from tests.crosscheck_town import KilledError, Town, Worker
from tests.examples import examples
from tests.property.test_crosscheck import CHECKS, END, histories

Histories = list[list[RecordFact]]


def merged(facts: Histories, random: Random) -> list[RecordFact]:
    """All versions in one log, those of one record in their order."""
    left, log = [list(versions) for versions in facts], []
    while any(left):
        log.append(random.choice([versions for versions in left if versions]).pop(0))
    return log


def standing_of(log: list[RecordFact]) -> dict[str, Hit]:
    """The hits that stand at the end where nobody ends in between."""
    with tempfile.TemporaryDirectory() as folder:
        town = Town(CHECKS, log)
        worker = Worker(town, Path(folder) / "store.db", END)
        worker.close()
        return town.standing()


class Fate:
    """Ends the worker at one of its next steps."""

    def __init__(self, random: Random) -> None:
        self._random, self._left = random, random.randrange(1, 12)

    def __call__(self, _: str) -> None:
        self._left -= 1
        if self._left <= 0:
            self._left = self._random.randrange(1, 12)
            raise KilledError


def lived(log: list[RecordFact], random: Random, *, loses: bool, compacts: bool) -> Town:
    """Records come bit by bit, the worker is killed again and again, and its store may be lost."""
    with tempfile.TemporaryDirectory() as folder:
        town, path, fate, now = Town(CHECKS), Path(folder) / "store.db", Fate(random), 0
        worker = None
        for _ in range(40):
            if random.random() < 0.5:
                come = random.randrange(1, 6)
                town.facts += log[:come]
                log = log[come:]
            now += random.randrange(0, 30) * DAY
            try:
                worker = worker or Worker(town, path, now, fate)
                worker.turn(now, random.randrange(0, 4), random.randrange(1, 4))
            except KilledError:
                if worker is not None:
                    worker.close()
                worker = None
                if loses and random.random() < 0.4:
                    for file in Path(folder).iterdir():
                        file.unlink()
                    if compacts:
                        town.compact()
        if worker is not None:
            worker.close()
        town.facts += log
        last = Worker(town, path, END)
        last.through(END)
        town.holds(last.store)
        last.close()
        return town


@settings(max_examples=examples(40), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False), loses=st.booleans())
def test_kills_and_lost_stores_change_no_hit_and_tell_none_twice(
    facts: Histories, random: Random, *, loses: bool
) -> None:
    log = merged(facts, random)
    town = lived(list(log), random, loses=loses, compacts=False)
    town.told_once()
    assert town.standing() == standing_of(log)


@settings(max_examples=examples(25), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_what_compaction_took_away_is_not_missed(facts: Histories, random: Random) -> None:
    log = merged(facts, random)
    town = lived(list(log), random, loses=True, compacts=True)
    town.told_once()
    assert town.standing() == standing_of(log)


@settings(max_examples=examples(25), deadline=None)
@given(facts=histories(), first=st.randoms(use_true_random=False), second=st.randoms(use_true_random=False))
def test_the_order_of_resources_does_not_matter(facts: Histories, first: Random, second: Random) -> None:
    assert standing_of(merged(facts, first)) == standing_of(merged(facts, second))


@settings(max_examples=examples(25), deadline=None)
@given(facts=histories(), random=st.randoms(use_true_random=False))
def test_everything_that_is_withdrawn_leaves_neither_hit_nor_subject(facts: Histories, random: Random) -> None:
    gone = [replace(versions[-1], version=9, present=False) for versions in facts]
    with tempfile.TemporaryDirectory() as folder:
        town = Town(CHECKS, merged(facts, random))
        worker = Worker(town, Path(folder) / "store.db", END)
        town.facts += gone
        worker.through(END, [1, 2])
        town.holds(worker.store)
        assert (town.standing(), worker.store.subjects, dict(worker.store.standing)) == ({}, 0, {})
        worker.close()
