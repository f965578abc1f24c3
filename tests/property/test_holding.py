"""What somebody holds, in counts and digests: order does not matter, taking away undoes, gaps are what differs."""

import uuid
from functools import reduce
from hashlib import sha256
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.holding import DIGEST_BYTES, NO_GAP, RANGES, Gap, Holding, digest_of, range_name, range_of

IDS = st.lists(st.uuids().map(str), unique=True, max_size=40)
NO_DIGEST = bytes(DIGEST_BYTES)


def holding(ids: list[str]) -> Holding:
    found = Holding()
    for one in ids:
        found.add(one)
    return found


@given(IDS, st.randoms(use_true_random=False))
def test_the_order_in_which_ids_come_does_not_matter(ids: list[str], random: object) -> None:
    mixed = list(ids)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert holding(ids) == holding(mixed)


@given(IDS, IDS)
def test_what_is_taken_away_was_never_there_whatever_came_first(ids: list[str], more: list[str]) -> None:
    more = [one for one in more if one not in ids]
    after, before = holding(ids), Holding()
    for one in more:
        after.add(one)
        before.remove(one)
    for one in more:
        after.remove(one)
    for one in (*ids, *more):
        before.add(one)
    assert after == before == holding(ids)


@given(IDS, IDS)
def test_holdings_of_different_ids_merge_into_that_of_all(ids: list[str], more: list[str]) -> None:
    more = [one for one in more if one not in ids]
    merged = holding(ids)
    merged.merge(holding(more))
    assert merged == holding([*ids, *more])


@given(IDS)
def test_a_holding_goes_through_its_ranges_and_back_and_counts_every_id(ids: list[str]) -> None:
    made = holding(ids)
    ranges = list(made.ranges())
    assert Holding(ranges) == made
    assert [number for number, _, _ in ranges] == sorted({range_of(digest_of(one)) for one in ids})
    assert sum(count for _, count, _ in ranges) == len(ids)


@given(IDS, IDS, IDS)
def test_gaps_are_of_what_only_one_side_holds(both: list[str], here: list[str], there: list[str]) -> None:
    here = [one for one in here if one not in both]
    there = [one for one in there if one not in (*both, *here)]
    gaps = holding([*both, *here]).gaps(holding([*both, *there]))
    assert gaps == holding(here).gaps(holding(there))
    assert {range_of(digest_of(one)) for one in (*here, *there)} == set(gaps)
    for number, gap in gaps.items():
        mine, theirs = (
            [digest_of(one) for one in side if range_of(digest_of(one)) == number] for side in (here, there)
        )
        assert gap == Gap(len(mine) - len(theirs), reduce(xor, [*mine, *theirs], 0))


def test_the_digest_of_an_id_is_what_the_message_says_it_is() -> None:
    event_id = str(uuid.UUID(int=7))
    raw = sha256(event_id.encode()).digest()[:16]
    [(number, count, digest)] = holding([event_id]).ranges()
    assert (number, count, digest) == (raw[0], 1, raw)
    assert holding([event_id])[(number + 1) % RANGES] == NO_GAP
    assert (range_name(0), range_name(number), range_name(255)) == ("00", raw.hex()[:2], "ff")


@pytest.mark.parametrize(
    "ranges",
    [
        [(256, 1, NO_DIGEST)],
        [(-1, 1, NO_DIGEST)],
        [(3, 1, NO_DIGEST), (3, 1, NO_DIGEST)],
        [(3, 1, NO_DIGEST[1:])],
    ],
    ids=["beyond", "below", "twice", "short"],
)
def test_what_is_no_holding_is_not_taken_for_one(ranges: list[tuple[int, int, bytes]]) -> None:
    with pytest.raises(ValueError, match="256 ranges"):
        Holding(ranges)
