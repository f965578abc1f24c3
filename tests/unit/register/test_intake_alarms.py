"""Alarms that come, go and flap: who stays wrong is told, who comes and goes is told once in a time; in both databases."""

from datetime import datetime, timedelta

from bus.intake.alarms import take_alarm
from bus.intake.words import Taken
from compliance.register.intake import forget_alarms, standing_alarms, take_in
from compliance.register.noticebook import ALARM_KINDS, NoticeBook
from compliance.register.service import Register
from tests.findings import alarm
from tests.procedures import with_catalogue
from tests.register import NOW

DAMPING = timedelta(minutes=15)


class Day:
    """An intake's day over one register, minute by minute."""

    def __init__(self, register: Register) -> None:
        self.register, self.book, self.offset = with_catalogue(register), NoticeBook(register), 0

    def at(self, minute: float) -> datetime:
        return NOW + timedelta(minutes=minute)

    def take(self, minute: float, *, since: float, cleared: bool = False, name: str = "SILENT|psb.lamp|") -> Taken:
        at = self.at(minute)
        self.offset += 1
        with self.register.deciding(at) as decision:
            assert take_in(decision.connection, ("alarm", 0), self.offset)
            datum = alarm(self.at(since), at if cleared else None, raised_at=int(self.at(minute).timestamp() * 1000))
            return take_alarm(decision, name, datum, at, DAMPING)

    def tell(self, minute: float) -> int:
        """How many notices a look writes."""
        at = self.at(minute)
        due = [each.cause for each in standing_alarms(self.register.engine) if each.tell_at <= at]
        told = self.book.hold(ALARM_KINDS, due, at)
        with self.register.deciding(at) as decision:
            forget_alarms(decision.connection, at - DAMPING)
        return len(told)

    def standing(self) -> int:
        return len(self.book.listed(standing=True))


def test_an_alarm_is_told_at_once_and_taken_back_when_it_is_cleared(register: Register) -> None:
    day = Day(register)
    assert day.take(0, since=0) is Taken.RAISED
    assert (day.tell(0), day.tell(1), day.standing()) == (1, 0, 1)
    assert day.take(2, since=0) is Taken.REPEATED
    assert day.take(3, since=0, cleared=True) is Taken.CLEARED
    assert (day.tell(3), day.tell(4), day.standing()) == (1, 0, 0)
    assert day.take(5, since=0, cleared=True) is Taken.REPEATED


def test_one_that_comes_and_goes_is_not_told_anew_each_time(register: Register) -> None:
    day = Day(register)
    day.take(0, since=0)
    day.tell(0)
    day.take(1, since=0, cleared=True)
    assert day.tell(1) == 1
    for minute in range(2, 14, 2):
        day.take(minute, since=minute)
        assert day.tell(minute) == 0
        day.take(minute + 1, since=minute, cleared=True)
        assert day.tell(minute + 1) == 0


def test_one_that_stays_is_told_when_the_time_is_over(register: Register) -> None:
    day = Day(register)
    day.take(0, since=0)
    day.tell(0)
    day.take(1, since=0, cleared=True)
    day.tell(1)
    day.take(2, since=2)
    assert (day.tell(2), day.tell(15.9), day.standing()) == (0, 0, 0)
    assert (day.tell(16), day.standing()) == (1, 1)


def test_one_that_is_nearly_always_wrong_is_told_in_spite_of_its_short_pauses(register: Register) -> None:
    day = Day(register)
    told = 0
    for start in range(0, 60, 5):
        day.take(start, since=start)
        told += day.tell(start) + day.tell(start + 4)
        day.take(start + 4.5, since=start, cleared=True)
        day.tell(start + 4.5)
    assert 3 <= told <= 5


def test_what_came_and_went_before_the_first_look_was_never_told(register: Register) -> None:
    day = Day(register)
    day.take(0, since=0)
    day.take(0, since=0, cleared=True)
    assert (day.tell(0), day.book.listed()) == (0, ())
    day.take(1, since=1)
    assert day.tell(1) == 1


def test_an_alarm_that_is_wrong_again_since_the_same_instant_is_not_lost(register: Register) -> None:
    day = Day(register)
    for minute in (0, 30, 60):
        assert day.take(minute, since=0) is Taken.RAISED
        assert day.tell(minute) == 1
        day.take(minute + 1, since=0, cleared=True)
        assert day.tell(minute + 1) == 1


def test_one_that_replaced_another_unseen_takes_the_other_back(register: Register) -> None:
    day = Day(register)
    day.take(0, since=0)
    day.tell(0)
    assert day.take(20, since=19) is Taken.RAISED
    assert (day.tell(20), day.standing()) == (1, 0)
    assert (day.tell(35), day.standing()) == (1, 1)


def test_other_alarms_of_a_source_are_told_beside(register: Register) -> None:
    day = Day(register)
    day.take(0, since=0)
    day.take(0, since=0.5, name="SILENT|psb.lamp.group|")
    assert (day.tell(1), day.standing()) == (2, 2)


def test_what_was_taken_back_long_ago_is_forgotten(register: Register) -> None:
    day = Day(register)
    day.take(0, since=0)
    day.tell(0)
    day.take(1, since=0, cleared=True)
    day.tell(1)
    day.tell(17)
    day.take(18, since=18)
    assert day.tell(18) == 1


def test_what_is_no_alarm_is_unreadable_and_leaves_nothing(book: Register) -> None:
    with_catalogue(book)
    with book.deciding(NOW) as decision:
        datum = alarm(code="NO_SUCH_CODE")
        assert take_alarm(decision, "x", datum, NOW, DAMPING) is Taken.UNREADABLE
    assert standing_alarms(book.engine) == ()
