"""The freshness worker's table: what is written is all that a successor needs, and nothing is told twice."""

import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from random import Random

import pytest

from bus.freshness.desk import event_of
from compliance.view import RegisterView
from processors.batch import InMessage
from processors.freshness.words import MINUTE, SECOND
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.freshness_desk import BEATS, Said, Topics, beat, begun, delivery, opened, pulse, written
from tests.hall import NOW_MS, Hall
from tests.hall_register import POLICE


@pytest.fixture
def view() -> RegisterView:
    return Hall(packaged_text(PERMIT)).view


def behind(messages: Iterable[Said], positions: Mapping[str, int]) -> Iterator[Said]:
    """What a consumer reads that is set to positions."""
    return ((one, datum) for one, datum in messages if one.offset >= positions.get(f"{one.topic}/{one.partition}", 0))


# -- kills ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_however_often_the_lead_is_killed_the_table_ends_as_if_it_had_not_been(view: RegisterView, seed: int) -> None:
    """A dead lead's last messages may be written or not; the next one reads on from what is in the table."""
    random, messages, at = Random(seed), [], NOW_MS  # noqa: S311  tests must repeat
    for number in range(60):
        at += random.randrange(20 * MINUTE)
        # Transactions of admit leave gaps between pulses.
        messages.append(pulse(3 * number, at) if random.random() < 0.5 else beat(number, at))
    end = at + MINUTE
    whole, cut = Topics(), Topics()
    desk = opened(view, whole, NOW_MS)
    for said in messages:
        desk.observe(*said)
    written(desk, whole, end)
    kills = sorted(random.sample(range(1, 60), 5))
    for last in (*kills, 60):
        # It begins late: what came meanwhile is caught up with at the time of the next message, or later.
        desk = begun(view, cut, end)
        unread = list(behind(messages[:last], desk.positions))
        missed = random.randrange(len(unread) + 1)
        for number, said in enumerate(unread):
            if number == missed:
                desk.expect(view, said[0].append_ms)
            desk.observe(*said)
            if number > missed and number % 3 == 0:
                written(desk, cut, said[0].append_ms)
    desk = begun(view, cut, end)
    for said in behind(messages, desk.positions):
        desk.observe(*said)
    desk.expect(view, end)
    written(desk, cut, end)
    assert cut.state == whole.state
    # What was raised in between depends on who looked when; what stands, and that each end has its beginning, does not.
    open_alarms = [{row["alarm_id"]: row["cleared_at"] is None for row in one.told} for one in (whole, cut)]
    standing = [{alarm for alarm, stands in found.items() if stands} for found in open_alarms]
    assert standing[0] == standing[1]
    for alarm in open_alarms[1]:
        ends = [row["cleared_at"] is not None for row in cut.told if row["alarm_id"] == alarm]
        assert ends in ([False], [False, True])


def test_what_was_not_written_is_due_again(view: RegisterView) -> None:
    topics = Topics()
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    first = desk.due(NOW_MS + SECOND)
    desk.undone()
    assert desk.due(NOW_MS + SECOND) == first
    desk.written()
    assert desk.due(NOW_MS + SECOND) == {}


# -- alarms --------------------------------------------------------------------------------------------------------


def test_an_alarm_that_came_and_went_between_two_writings_was_never_told(view: RegisterView) -> None:
    topics = Topics()
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    written(desk, topics, NOW_MS)
    assert topics.told == []
    # Silent for an hour and heard of again, all between two looks.
    desk.observe(*beat(1, NOW_MS + 60 * MINUTE))
    written(desk, topics, NOW_MS + 60 * MINUTE + SECOND)
    assert topics.told == []
    written(desk, topics, NOW_MS + 90 * MINUTE)
    assert [(row["code"], row["owner"], row["cleared_at"]) for row in topics.told] == [("SILENT", POLICE, None)]
    assert desk.standing() == {("SILENT", POLICE, POLICE): 1}


def test_while_it_catches_up_nobody_is_judged_by_half_of_what_was_said(view: RegisterView) -> None:
    """A successor that begins an hour late: silence counts from the last word, as for one who heard all of them."""
    topics, whole = Topics(), Topics()
    words = [beat(number, NOW_MS + 10 * MINUTE * number) for number in range(6)]
    late = NOW_MS + 120 * MINUTE
    never_killed = opened(view, whole, NOW_MS)
    for said in words:
        never_killed.observe(*said)
    written(never_killed, whole, late)
    desk = opened(view, topics, NOW_MS)
    desk.observe(*words[0])
    written(desk, topics, NOW_MS)
    desk = begun(view, topics, late)
    for said in words[1:]:
        desk.observe(*said)
    desk.expect(view, late)
    written(desk, topics, late)
    assert [row["alarm_id"] for row in topics.told] == [row["alarm_id"] for row in whole.told] != []
    assert topics.state == whole.state


def test_a_successor_clears_an_alarm_with_the_time_at_which_it_was_raised(view: RegisterView) -> None:
    topics = Topics()
    raised, cleared = NOW_MS + 90 * MINUTE, NOW_MS + 100 * MINUTE
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    written(desk, topics, raised)
    desk = opened(view, topics, raised + SECOND)
    written(desk, topics, raised + SECOND)
    assert len(topics.told) == 1
    desk.observe(*beat(1, cleared))
    written(desk, topics, cleared)
    [first, second] = topics.told
    assert first["alarm_id"] == second["alarm_id"]
    assert (second["raised_at"], second["cleared_at"]) == (raised, cleared)
    assert desk.standing() == {}


# -- deliveries ----------------------------------------------------------------------------------------------------


def test_a_late_delivery_is_an_alarm_of_the_operator_until_two_minutes_are_in_time(view: RegisterView) -> None:
    desk, topics = opened(view, Topics(), NOW_MS), Topics()
    desk.observe(*beat(0, NOW_MS))
    desk.observe(*delivery(0, NOW_MS, 5 * MINUTE))
    desk.observe(*delivery(2, NOW_MS + SECOND, SECOND))
    written(desk, topics, NOW_MS + SECOND)
    [told] = topics.told
    assert (told["code"], told["about"], told["owner"], told["cleared_at"]) == ("DELIVERY_LAG", "g-1", "operator", None)
    assert topics.state["status"] == "LAGGING"
    assert (topics.state["delivery_lag_ms"], topics.state["age_ms"]) == (5 * MINUTE, 6 * MINUTE)
    desk.observe(*delivery(4, NOW_MS + 2 * MINUTE, SECOND))
    written(desk, topics, NOW_MS + 2 * MINUTE)
    assert [row["cleared_at"] for row in topics.told] == [None, NOW_MS + 2 * MINUTE]
    assert (topics.state["status"], topics.state["age_ms"]) == ("FRESH", SECOND + MINUTE)
    assert desk.positions["bus.delivery-pulse/0"] == 5


# -- what comes in -------------------------------------------------------------------------------------------------


def test_an_agency_speaks_for_itself_alone_and_what_says_nothing_is_counted(view: RegisterView) -> None:
    desk = opened(view, Topics(), NOW_MS)
    _, datum = beat(0, NOW_MS)
    with pytest.raises(ValueError, match="another agency's"):
        event_of("heartbeat.stats", datum)
    desk.observe(InMessage("heartbeat.stats", 0, 0, NOW_MS, None, None, {}), datum)
    desk.observe(InMessage(BEATS, 0, 7, NOW_MS, None, None, {}), None)
    desk.observe(InMessage(BEATS, 0, 8, NOW_MS, None, None, {}), {"agency": POLICE})
    desk.observe(*beat(9, NOW_MS, "stats"))
    assert desk.passed_over == {"heartbeat": 4}
    # And it is not read again.
    assert desk.positions == {"heartbeat.stats/0": 1, f"{BEATS}/0": 10}


@pytest.mark.parametrize("name", ["sent_at", "complete_until"])
@pytest.mark.parametrize("at", [2**63 - 1, -(2**63), -1, 253_402_300_800_000])
def test_a_time_that_no_calendar_has_says_nothing_and_stops_nobody(view: RegisterView, name: str, at: int) -> None:
    topics = Topics()
    desk = opened(view, topics, NOW_MS)
    message, datum = beat(0, NOW_MS)
    desk.observe(message, {**(datum or {}), name: at})
    assert desk.passed_over == {"heartbeat": 1}
    desk.observe(*beat(1, NOW_MS))
    topics.write(desk.due(NOW_MS))
    assert desk.passed_over == {"heartbeat": 1}
    assert topics.rows["freshness"]


def test_a_quarter_that_is_supplied_up_to_a_time_that_no_calendar_has_is_not_declared() -> None:
    datum = {"agency": POLICE, "resource": PERMIT, "field_group": None, "quarter": "2026Q1", "says": "HIGH_WATER"}
    with pytest.raises(ValueError, match="no time that a calendar has"):
        event_of(f"declaration.{POLICE}", {**datum, "mark": 2**63 - 1})


def test_memory_does_not_grow_with_pulses(view: RegisterView) -> None:
    desk, topics = opened(view, Topics(), NOW_MS), Topics()

    def run(first: int, last: int) -> int:
        for number in range(first, last):
            desk.observe(*pulse(2 * number, NOW_MS + 100 * number))
            if number % 100 == 0:
                desk.due(NOW_MS + 100 * number)
                desk.written()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = run(0, 1_000)
        after = run(1_000, 4_000)
    finally:
        tracemalloc.stop()
    assert topics.told == []
    # Two bytes a pulse: one pointer kept of each would be eight.
    assert after - before < 6_000
