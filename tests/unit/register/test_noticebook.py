"""Notices in the register: told once whatever restarts, sent once, tried again, taken back; in both databases."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from compliance.models import ContactRole
from compliance.notice_kinds import NoticeKind, NoticeLevel, SendProblem, Way
from compliance.notices import Notice
from compliance.register.noticebook import LONGEST_WAIT, NoticeBook, wait_after
from compliance.register.service import Register
from tests.notices import TODAY, agency, cause
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, moved, of, register_on

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HANDLER, HEAD = NoticeLevel.HANDLER, NoticeLevel.HEAD


@pytest.fixture
def named(register: Register) -> Register:
    register.put([agency()], OPERATOR, NOW)
    return register


def ways(book: NoticeBook, at: datetime) -> list[Way]:
    return [one.way for one in book.waiting(at)]


def send_all(book: NoticeBook, at: datetime) -> None:
    for attempt in book.waiting(at):
        book.note(attempt, at)


# -- told once -----------------------------------------------------------------------------------------------------


def test_a_restart_tells_and_sends_nothing_twice(named: Register) -> None:
    book = NoticeBook(named, Way)
    [notice] = book.tell([cause(), cause()], NOW)
    assert ways(book, NOW) == [Way.WEBHOOK, Way.MAIL]
    first, _ = book.waiting(NOW)
    book.note(first, NOW)
    again = NoticeBook(register_on(named.engine), Way)
    assert again.tell([cause(advisory=True)], NOW) == ()
    assert [(one.way, one.notice) for one in again.waiting(NOW)] == [(Way.MAIL, notice)]
    send_all(again, NOW)
    assert book.waiting(NOW + 9 * DAY) == ()
    [told] = again.listed(agency="health")
    assert told.sent == ((Way.WEBHOOK, NOW), (Way.MAIL, NOW))


def test_a_cause_rises_in_the_register_and_is_told_once_a_level(named: Register) -> None:
    book = NoticeBook(named)
    for hours in range(0, 24 * 14, 12):
        book.tell([cause()], NOW + timedelta(hours=hours))
    told = [(one.notice.level, one.notice.to.desk) for one in book.listed()]
    assert told == [
        (NoticeLevel.AUTHORITY, "AUTHORITY_CITY"),
        (HEAD, "health/LEADER"),
        (HANDLER, "health/SHARING_OFFICER"),
    ]
    assert [one.notice.level for one in book.listed(agency="health", limit=1)] == [HEAD]
    assert book.listed(agency="land") == ()


def test_many_causes_at_once_are_told_once_each(named: Register) -> None:
    causes = [cause(matter=f"CPL-2026-{number:05d}") for number in range(1_201)]
    book = NoticeBook(named)
    assert len(book.tell(causes, NOW)) == len(causes)
    assert book.tell(causes, NOW) == ()
    assert len(book.listed()) == len(causes)
    assert len(book.clear([one.id for one in causes], NOW)) == len(causes)


def test_what_another_process_told_meanwhile_stays_as_it_is(named: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = NoticeBook(named, [Way.MAIL]), NoticeBook(register_on(named.engine))
    told_before = second._take_down

    def late(found: Any) -> tuple[Notice, ...]:
        first.tell([cause()], NOW)
        return told_before(found)

    monkeypatch.setattr(second, "_take_down", late)
    second.tell([cause()], NOW + MINUTE)
    [told] = first.listed()
    assert told.notice.decided_at == NOW
    assert ways(first, NOW) == [Way.MAIL]


# -- sent ----------------------------------------------------------------------------------------------------------


def test_what_does_not_leave_is_tried_again_after_waits_that_grow(named: Register) -> None:
    book, at = NoticeBook(named, [Way.MAIL]), NOW
    book.tell([cause()], NOW)
    for attempts in range(12):
        [waiting] = book.waiting(at)
        assert waiting.attempts == attempts
        book.note(waiting, at, SendProblem.TIMEOUT)
        assert book.waiting(at + wait_after(attempts + 1) - timedelta(seconds=1)) == ()
        at += wait_after(attempts + 1)
    send_all(book, at)
    assert book.waiting(at + 9 * DAY) == ()


def test_waits_double_up_to_four_hours() -> None:
    waits = [wait_after(attempts) for attempts in range(1, 5_000)]
    assert waits[:3] == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert all(before <= after for before, after in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT


def test_what_was_told_in_quiet_hours_leaves_when_working_time_begins(named: Register) -> None:
    book, evening = NoticeBook(named, [Way.MAIL]), datetime.fromisoformat("2026-09-01T20:00:00+08:00")
    [notice] = book.tell([cause()], evening)
    opens = datetime.fromisoformat("2026-09-02T08:30:00+08:00")
    assert notice.send_at == opens
    assert ways(book, opens - MINUTE) == []
    assert ways(book, opens) == [Way.MAIL]
    assert len(book.listed()) == 1, "it stands in the register at once"


def test_a_way_that_comes_later_does_not_send_what_was_told_before(named: Register) -> None:
    NoticeBook(named).tell([cause()], NOW)
    assert NoticeBook(named, Way).waiting(NOW + DAY) == ()


# -- taken back ----------------------------------------------------------------------------------------------------


def test_who_was_told_is_told_that_it_is_no_more_by_the_same_ways(named: Register) -> None:
    book = NoticeBook(named, Way)
    [notice] = book.tell([cause()], NOW)
    webhook, mail = book.waiting(NOW)
    book.note(webhook, NOW)
    book.note(mail, NOW, SendProblem.UNREACHABLE)
    [back] = book.clear([cause().id], NOW + MINUTE)
    assert (back.withdraws, back.to) == (notice.id, notice.to)
    assert [(one.notice, one.way) for one in book.waiting(NOW + DAY)] == [(back, Way.WEBHOOK)]
    assert book.clear([cause().id], NOW + MINUTE) == ()
    assert [one.withdrawn for one in book.listed()] == [False, True]
    assert book.listed(standing=True) == ()


def test_what_is_cleared_before_it_left_never_leaves(named: Register) -> None:
    book = NoticeBook(named, Way)
    book.tell([cause()], NOW)
    book.clear([cause().id], NOW)
    assert book.waiting(NOW + 9 * DAY) == ()


def test_every_level_that_was_told_is_taken_back(named: Register) -> None:
    book = NoticeBook(named)
    book.tell([cause()], NOW)
    book.tell([cause()], NOW + DAY)
    assert {one.level for one in book.clear([cause().id], NOW + DAY)} == {HANDLER, HEAD}
    assert book.tell([cause()], NOW + 2 * DAY) == (), "the same cause is told once for ever"


# -- what the register itself knows --------------------------------------------------------------------------------


def test_a_deadline_is_told_and_taken_back_when_the_matter_is_answered(named: Register) -> None:
    book = NoticeBook(named)
    complaint = {"about": "hr", "division": CITY, "statement": "迟迟不提供"}
    number = moved(named.open("complaint", "file", complaint, of("health"), NOW)).matter.number
    receipt = {"received_on": TODAY.isoformat(), "file_number": "1"}
    moved(named.act(number, "receive_at_authority", receipt, AUTHORITY, NOW))
    assert book.settle(NOW) == ()
    [clock] = named.clocks(matter=number)
    near = datetime.fromisoformat(f"{clock.due - timedelta(days=3)}T10:00:00+08:00")
    [told] = book.settle(near)
    assert (told.cause.matter, told.cause.clock, told.to.desk) == (number, "complaint_answer", "AUTHORITY_CITY")
    assert book.settle(near + MINUTE) == ()
    answer = {"document": "答复1号", "finding": "属实"}
    moved(named.act(number, "answer_at_authority", answer, AUTHORITY, near + MINUTE))
    [back] = book.settle(near + 2 * MINUTE)
    assert back.withdraws == told.id
    assert book.settle(near + 3 * MINUTE) == ()


def test_a_vacancy_a_missing_report_and_a_missing_calendar_are_told(named: Register) -> None:
    named.put([agency(vacant=ContactRole.TECHNICAL_OFFICER)], OPERATOR, NOW)
    book, december = NoticeBook(named), datetime.fromisoformat("2026-12-01T10:00:00+08:00")
    told = {one.cause.kind: (one.level, one.to.desk) for one in book.settle(december)}
    assert told == {
        NoticeKind.VACANCY: (NoticeLevel.AUTHORITY, "AUTHORITY_CITY"),
        NoticeKind.ANNUAL_REPORT: (HEAD, "health/LEADER"),
        NoticeKind.CALENDAR_MISSING: (HANDLER, "OPERATOR_CITY"),
    }
    named.put([agency()], OPERATOR, NOW)
    assert [one.cause.kind for one in book.settle(december)] == [NoticeKind.VACANCY]


def test_an_alarm_is_not_taken_back_by_a_look_at_the_register(named: Register) -> None:
    book = NoticeBook(named)
    book.tell([cause(NoticeKind.SILENT, due=None)], NOW)
    assert book.settle(NOW) == ()
    assert len(book.listed(standing=True)) == 1
