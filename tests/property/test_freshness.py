"""Freshness: whatever the order of partitions and however often a message comes, the same state (Art 16)."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.freshness.board import Board
from processors.freshness.judge import judge
from processors.freshness.pauses import Outage, Pauses, observe_outage
from processors.freshness.state import State, observe
from processors.freshness.words import (
    DAY,
    At,
    Declaration,
    Declares,
    DeliveryLag,
    Event,
    Heartbeat,
    Key,
    OutageAccepted,
    OutageRestored,
    Pulse,
    Targets,
    quarter_of,
)
from schemas.resource import envelope
from tests.examples import examples
from tests.freshness_city import CALENDAR, DYNAMIC, END, LAW, START, STATIC

KEY = Key("psb", "residence_permit")
times = st.integers(START, END)


@st.composite
def events(draw: st.DrawFn) -> Event:
    at = draw(times)
    kind = draw(st.integers(0, 3))
    if kind == 0:
        business = draw(st.none() | times)
        numbers = draw(st.tuples(*[st.integers(0, 9)] * 4))
        return Pulse(KEY, at, *numbers, business, business, *(draw(st.none() | times) for _ in range(3)))
    if kind == 1:
        return Heartbeat(KEY, at, draw(st.none() | times))
    if kind == 2:
        mark = draw(st.none() | times)
        says = Declares.NO_CHANGE if mark is None else Declares.HIGH_WATER
        return Declaration(KEY, quarter_of(draw(times)), says, mark)
    return DeliveryLag(KEY, draw(st.sampled_from("ab")), at, draw(times), draw(st.none() | times))


Message = tuple[Event, At]


@st.composite
def partitions(draw: st.DrawFn) -> list[list[Message]]:
    """Three partitions, each in its own order."""
    found = []
    for name in ("pulse/0", "heartbeat.psb/0", "delivered/0"):
        some = draw(st.lists(events(), max_size=8))
        found.append([(event, At(draw(times), name, offset)) for offset, event in enumerate(some)])
    return found


def interleaved(parts: list[list[Message]], random: Random) -> Iterator[Message]:
    """The partitions read at random speeds; sometimes a worker starts again some messages before."""
    left = [list(part) for part in parts]
    while any(left):
        part = random.choice([one for one in left if one])
        message = part.pop(0)
        yield message
        if random.random() < 0.3:
            whole = next(one for one in parts if message in one)
            place = whole.index(message)
            yield from whole[max(0, place - 2) : place + 1]


def folded(messages: Iterator[Message]) -> State:
    state = State(KEY)
    for event, at in messages:
        state = observe(state, event, at)
    return state


@settings(max_examples=examples(30), deadline=None)
@given(parts=partitions(), first=st.randoms(use_true_random=False), second=st.randoms(use_true_random=False))
def test_the_state_depends_on_neither_the_order_of_partitions_nor_on_repeats(
    parts: list[list[Message]], first: Random, second: Random
) -> None:
    assert folded(interleaved(parts, first)) == folded(interleaved(parts, second))


@settings(max_examples=examples(25), deadline=None)
@given(parts=partitions(), random=st.randoms(use_true_random=False), at=times)
def test_a_state_that_was_kept_is_the_state_and_judges_alike(
    parts: list[list[Message]], random: Random, at: int
) -> None:
    state = folded(interleaved(parts, random))
    codec = envelope("freshness")
    board = Board(LAW, CALENDAR)
    board.expect(KEY, STATIC, START)
    for event, place in interleaved(parts, random):
        board.observe(event, place)
    datum = codec.decode_physical(codec.encode_physical(board.to_datum(KEY, END)))
    kept = State.from_datum(KEY, datum["state"])
    assert kept == state
    assert judge(kept, Pauses(), STATIC, LAW, CALENDAR, at) == judge(state, Pauses(), STATIC, LAW, CALENDAR, at)


@settings(max_examples=examples(25), deadline=None)
@given(
    parts=partitions(),
    random=st.randoms(use_true_random=False),
    at=times,
    targets=st.sampled_from([STATIC, DYNAMIC]),
    outage=st.none() | st.tuples(times, times),
)
def test_nothing_changes_before_the_time_that_a_verdict_names(
    parts: list[list[Message]], random: Random, at: int, targets: Targets, outage: tuple[int, int] | None
) -> None:
    state = folded(interleaved(parts, random))
    pauses = Pauses({} if outage is None else {"o-1": Outage(*outage)})
    verdict = judge(state, pauses, targets, LAW, CALENDAR, at)
    until = END + DAY if verdict.next_at is None else verdict.next_at
    assert until > at
    for between in (until - 1, random.randrange(at, until)):
        later = judge(state, pauses, targets, LAW, CALENDAR, between)
        assert (later.alarms, later.status) == (verdict.alarms, verdict.status)


@settings(max_examples=examples(25), deadline=None)
@given(
    outages=st.lists(st.tuples(st.sampled_from("abc"), times, st.none() | times), unique_by=lambda one: one[0]),
    random=st.randoms(use_true_random=False),
)
def test_outages_may_be_accepted_and_end_in_any_order(
    outages: list[tuple[str, int, int | None]], random: Random
) -> None:
    told = [OutageAccepted("psb", name, start) for name, start, _ in outages]
    ended = [OutageRestored("psb", name, end) for name, _, end in outages if end is not None]
    places = [(event, At(0, f"{type(event).__name__}/{event.outage}", 0)) for event in (*told, *ended)]
    found = []
    for _ in range(2):
        random.shuffle(places)
        pauses = Pauses()
        for event, at in (*places, *places[:2]):
            pauses = observe_outage(pauses, event, at)
        found.append(pauses)
    assert found[0] == found[1]
    stretches = found[0].stretches("any")
    assert all(start < end for start, end in stretches)
    assert all(one[1] < other[0] for one, other in pairwise(stretches))
