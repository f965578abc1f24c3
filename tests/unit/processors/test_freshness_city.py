"""Two years of a city with planted faults: what is found is what was planted, and every alarm is cleared once."""

from collections import Counter

import pytest

from processors.freshness.alarms import Alarm, AlarmCode
from processors.freshness.board import Board, Told
from processors.freshness.quarters import plain_due
from processors.freshness.words import Key, quarter_number
from tests.freshness_city import CALENDAR, DUE_DAYS, END, LAW, START, City


class Seen:
    """What was told, counted."""

    def __init__(self) -> None:
        self.raised: Counter[tuple[AlarmCode, Key, str]] = Counter()
        self.cleared: Counter[tuple[AlarmCode, Key, str]] = Counter()
        self.alarms: list[Alarm] = []

    def take(self, told: Told) -> None:
        self.alarms += told.raised
        self.raised.update((alarm.code, alarm.key, alarm.about) for alarm in told.raised)
        self.cleared.update((alarm.code, alarm.key, alarm.about) for alarm in told.cleared)


def run(city: City, board: Board) -> Seen:
    seen = Seen()
    for key, targets in city.sources.items():
        seen.take(board.expect(key, targets, START))
    for event, at in city.events():
        for told in board.tick(at.ms):
            seen.take(told)
        for told in board.observe(event, at):
            seen.take(told)
    for told in board.tick(END):
        seen.take(told)
    return seen


@pytest.fixture(scope="module")
def city() -> City:
    return City()


@pytest.fixture(scope="module")
def board() -> Board:
    return Board(LAW, CALENDAR)


@pytest.fixture(scope="module")
def seen(city: City, board: Board) -> Seen:
    return run(city, board)


def test_the_city_has_its_agencies_resources_and_every_kind_of_fault(city: City) -> None:
    assert len({key.agency for key in city.sources}) == 60
    assert len({key.resource for key in city.sources}) == 26
    assert {code for code, _, _ in city.planted} == set(AlarmCode)
    assert city.planted.total() > 150


def test_the_quarters_end_on_a_rest_day_a_makeup_workday_and_after_a_holiday() -> None:
    assert {name: plain_due(quarter_number(name), LAW, CALENDAR, None).day for name in DUE_DAYS} == DUE_DAYS


def test_found_faults_are_the_planted_ones_and_none_more(city: City, seen: Seen) -> None:
    assert seen.raised - city.planted == Counter(), "raised, but not planted"
    assert city.planted - seen.raised == Counter(), "planted, but not found"


def test_every_alarm_is_cleared_once_and_none_stands_at_the_end(city: City, board: Board, seen: Seen) -> None:
    assert seen.cleared == seen.raised
    assert [alarm for key in city.sources for alarm in board.standing(key)] == []


def test_an_alarm_began_before_it_was_seen_and_has_an_id_of_its_own(seen: Seen) -> None:
    assert len({alarm.alarm_id for alarm in seen.alarms}) == len(seen.alarms)
    assert all(START <= alarm.since <= END for alarm in seen.alarms)
