"""A difference that stands is found in two digests and closed once mended; what is in flight is never told."""

import json
import uuid
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.digests import KEPT, Difference, SourceDigest, Standing, State, compare, resumed
from processors.holding import Holding, digest_of, range_name, range_of
from schemas.resource import envelope

DAY = 86_400_000
START = 1_700_000_000_000


def of(ids: set[str]) -> Holding:
    found = Holding()
    for one in ids:
        found.add(one)
    return found


def ranges_of(ids: set[str]) -> list[str]:
    return sorted({range_name(range_of(digest_of(one))) for one in ids})


@dataclass
class Pair:
    """A source and the bus, each with a version of every row; compared once a day."""

    random: Random
    source: dict[int, str] = field(default_factory=dict)
    bus: dict[int, str] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    numbers: count = field(default_factory=count)  # type: ignore[type-arg]
    days: int = 0
    refused: int = 0

    def name(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def publish(self, rows: int) -> list[int]:
        """New rows, on both sides."""
        made = [next(self.numbers) for _ in range(rows)]
        for one in made:
            self.source[one] = self.bus[one] = self.name()
        return made

    def digest(self, moved: dict[int, str] | None = None, *, passes: int = DAY) -> Difference | None:
        """Take a digest, let rows change in flight, compare, and let the bus have the changes too."""
        self.days += 1
        now = START + self.days * passes
        taken = SourceDigest("psb", "permit", now, now + 10, now - 5, self.refused, of(set(self.source.values())))
        for row, version in (moved or {}).items():
            self.source[row] = self.bus[row] = version
        # Kept as a store keeps it.
        self.standing = Standing.from_plain(json.loads(json.dumps(self.standing.plain())))
        held = of(set(self.bus.values()))
        self.standing, told = compare(self.standing, taken, held, now + 20)
        assert compare(self.standing, taken, held, now + 30) == (self.standing, None), "a repeat changed something"
        if told is not None:
            codec = envelope("difference")
            assert codec.decode_physical(codec.encode_physical(told.datum())) == told.datum()
        return told


def pairs(draw: st.DrawFn) -> Pair:
    pair = Pair(Random(draw(st.integers(0, 2**32))))  # noqa: S311  made up, not secret
    pair.publish(draw(st.integers(1, 60)))
    return pair


PAIRS = st.composite(pairs)()


@settings(deadline=None)
@given(PAIRS, st.integers(2, 8), st.integers(1, 30))
def test_what_is_in_flight_is_never_told(pair: Pair, digests: int, moving: int) -> None:
    for _ in range(digests):
        rows = pair.random.sample(sorted(pair.source), min(moving, len(pair.source)))
        assert pair.digest({row: pair.name() for row in rows}) is None
    assert pair.standing.since is None


@settings(deadline=None)
@given(PAIRS, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_what_is_missing_extra_or_stale_is_found_by_two_digests_and_closed_once_mended(
    pair: Pair, missing: int, extra: int, stale: int
) -> None:
    rows = pair.publish(missing + extra + stale)
    whole = dict(pair.source)
    lost, gone, old = rows[:missing], rows[missing : missing + extra], rows[missing + extra :]
    wrong = {whole[row] for row in rows}
    for row in lost:
        del pair.bus[row]
    for row in gone:
        del pair.source[row]
    for row in old:
        pair.bus[row] = pair.name()
        wrong.add(pair.bus[row])
    pair.refused = 3

    assert pair.digest() is None
    first = START + pair.days * DAY + 10
    told = pair.digest()
    if not rows:
        assert told is None
        return
    assert told is not None
    assert (told.key, told.state, told.since, told.refused) == (b"psb.permit", State.OPEN, first, 3)
    assert (told.complete_until, told.told_at) == (first + DAY - 15, first + DAY + 10)
    # Two versions in one range could only hide each other if their digests were equal.
    assert [name for name, _, _ in told.ranges] == ranges_of(wrong)
    source, bus = of(set(pair.source.values())), of(set(pair.bus.values()))
    for name, source_count, bus_count in told.ranges:
        assert (source_count, bus_count) == (source[int(name, 16)].ids, bus[int(name, 16)].ids)
    assert pair.digest() is None, "it stands, and was told"

    pair.bus.update({row: whole[row] for row in rows})
    pair.source.update({row: whole[row] for row in rows})
    closed = pair.digest()
    assert closed is not None
    assert (closed.state, closed.since, closed.ranges) == (State.CLOSED, first, ())
    assert pair.digest() is None


@settings(deadline=None)
@given(PAIRS, st.data())
def test_a_planted_difference_is_found_among_what_is_in_flight(pair: Pair, data: st.DataObject) -> None:
    """Up to KEPT digests with something else in its range between the two that show it alone."""
    [planted] = pair.publish(1)
    del pair.bus[planted]
    own = range_of(digest_of(pair.source[planted]))
    beside = [next(pair.numbers)]
    for row in beside:
        version = pair.name()
        while range_of(digest_of(version)) != own:
            version = pair.name()
        pair.source[row] = pair.bus[row] = version
    noisy = data.draw(st.integers(0, KEPT - 1))
    assert pair.digest() is None
    for _ in range(noisy):
        moved = {}
        for row in beside:
            version = pair.name()
            while range_of(digest_of(version)) != own:
                version = pair.name()
            moved[row] = version
        assert pair.digest(moved) is None
    told = pair.digest()
    assert told is not None
    assert [name for name, _, _ in told.ranges] == [range_name(own)]


def row_of(pair: Pair, number: int) -> int:
    """A row of both sides whose version falls into a range."""
    [row] = pair.publish(1)
    while range_of(digest_of(pair.source[row])) != number:
        pair.source[row] = pair.bus[row] = pair.name()
    return row


@pytest.fixture
def pair() -> Pair:
    return Pair(Random(11))  # noqa: S311  made up, not secret


def test_a_range_that_opens_or_closes_beside_another_is_told(pair: Pair) -> None:
    first, second = row_of(pair, 0x10), row_of(pair, 0x20)
    kept = dict(pair.source)
    del pair.bus[first]
    assert pair.digest() is None
    told = pair.digest()
    assert told is not None
    assert told.ranges == (("10", 1, 0),)
    del pair.bus[second]
    assert pair.digest() is None
    both = pair.digest()
    assert both is not None
    assert (both.ranges, both.since) == ((("10", 1, 0), ("20", 1, 0)), told.since)
    pair.bus[first] = kept[first]
    one = pair.digest()
    assert one is not None
    assert (one.state, one.ranges, one.since) == (State.OPEN, (("20", 1, 0),), told.since)


def test_what_was_told_is_not_mended_by_what_is_in_flight_in_its_range(pair: Pair) -> None:
    lost, beside = row_of(pair, 0x10), row_of(pair, 0x10)
    del pair.bus[lost]
    pair.digest()
    assert pair.digest() is not None
    version = pair.name()
    assert pair.digest({beside: version}) is None
    assert pair.standing.told


def test_a_difference_that_became_another_one_is_told_again(pair: Pair) -> None:
    lost, also = row_of(pair, 0x10), row_of(pair, 0x10)
    del pair.bus[lost]
    pair.digest()
    assert pair.digest() is not None
    del pair.bus[also]
    assert pair.digest() is None
    told = pair.digest()
    assert told is not None
    assert told.ranges == (("10", 2, 0),)


def test_two_digests_that_were_read_late_do_not_make_a_difference_of_what_changed_since(pair: Pair) -> None:
    """Both hold the version before, the bus the one after: the second must have begun after the first was compared."""
    row = row_of(pair, 0x10)
    old = of(set(pair.source.values()))
    pair.source[row] = pair.bus[row] = pair.name()
    bus = of(set(pair.bus.values()))
    now = START + 5 * DAY
    for day in (1, 2, 3):
        at = START + day * DAY
        pair.standing, told = compare(pair.standing, SourceDigest("psb", "permit", at, at, None, 0, old), bus, now)
        assert told is None
    # A source's clock that is ahead makes no difference either.
    ahead = SourceDigest("psb", "permit", now + 1, START + 4 * DAY, None, 0, old)
    assert compare(pair.standing, ahead, bus, now)[1] is None
    later = SourceDigest("psb", "permit", now + 1, now + 2, None, 0, old)
    assert compare(pair.standing, later, bus, now + 3)[1] is not None


def test_what_was_told_and_not_kept_is_closed_once_it_is_mended(pair: Pair) -> None:
    """As by a worker that ended between the two, or lost its store."""
    lost = row_of(pair, 0x10)
    kept = dict(pair.source)
    del pair.bus[lost]
    pair.digest()
    before = pair.standing
    told = pair.digest()
    assert told is not None
    for left in (before, Standing()):
        pair.standing = resumed(left, told.datum())
        assert (pair.standing.since, list(pair.standing.told)) == (told.since, [0x10])
        assert resumed(pair.standing, told.datum()) is pair.standing
        pair.bus = dict(kept)
        closed = pair.digest()
        assert closed is not None
        assert (closed.state, closed.since) == (State.CLOSED, told.since)
        assert resumed(Standing(), closed.datum()) == Standing()


def test_a_digest_goes_through_its_message_and_what_is_none_is_refused() -> None:
    codec, held = envelope("digest"), of({str(uuid.UUID(int=number)) for number in range(9)})
    ranges = [{"range": number, "count": many, "digest": digest} for number, many, digest in held.ranges()]
    datum = {
        "agency": "psb",
        "resource": "permit",
        "connector": "permits",
        "taken_at": 5,
        "complete_until": None,
        "refused": 2,
        "ranges": ranges,
    }
    found = SourceDigest.from_datum(codec.decode_physical(codec.encode_physical(datum)), 9)
    assert found == SourceDigest("psb", "permit", 5, 9, None, 2, held)
    for wrong in ({"refused": -1}, {"ranges": [{**ranges[0], "count": 0}]}, {"ranges": [ranges[0], ranges[0]]}):
        with pytest.raises(ValueError, match=r"digest counts|256 ranges"):
            SourceDigest.from_datum({**datum, **wrong}, 9)


@pytest.mark.parametrize("name", ["taken_at", "complete_until"])
@pytest.mark.parametrize("at", [2**63 - 1, -(2**63)])
def test_a_digest_of_a_time_that_no_calendar_has_is_none(name: str, at: int) -> None:
    datum = {
        "agency": "psb",
        "resource": "residence_permit",
        "taken_at": 1,
        "complete_until": None,
        "refused": 0,
        "ranges": [],
    }
    assert SourceDigest.from_datum(datum, 1).taken_at == 1
    with pytest.raises(ValueError, match="a time is none that a calendar has"):
        SourceDigest.from_datum({**datum, name: at}, 1)
