"""Clocks: started by a step, stopped by another, over at the end of a day, counted again when days change."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from compliance.profiles import CountyOverride, Law
from compliance.register.rows import Clock
from compliance.register.service import Register
from compliance.register.tables import CLOCK_CHANGE
from compliance.workdays import CalendarYear, Suspension, WorkCalendar
from tests.register import AUTHORITY, CITY, COUNTY, NOW, OPERATOR, huizhou, moved, of

COMPLAINT = {"about": "hr", "division": CITY, "statement": "迟迟不提供"}


def received(register: Register, division: str = CITY, on: date | None = None, at: datetime = NOW) -> str:
    number = moved(register.open("complaint", "file", {**COMPLAINT, "division": division}, of("health"), at))
    form = {"received_on": (on or at.date()).isoformat(), "file_number": "1"}
    moved(register.act(number.matter.number, "receive_at_authority", form, AUTHORITY, at))
    return number.matter.number


def only(register: Register) -> Clock:
    [clock] = register.clocks(running=False)
    return clock


def changes(register: Register) -> list[str]:
    with register.engine.connect() as connection:
        return list(connection.execute(sa.select(CLOCK_CHANGE.c.what).order_by(CLOCK_CHANGE.c.id)).scalars())


def test_a_clock_starts_with_its_step_and_says_who_owes_what_under_which_article(register: Register) -> None:
    number = received(register)
    clock = only(register)
    expected = WorkCalendar.packaged().nth_workday(NOW.date(), 15)
    assert (clock.matter, clock.rule, clock.article, clock.owes) == (number, "complaint_answer", "58", "AUTHORITY_CITY")
    assert (clock.due, clock.provisional, clock.state) == (expected.day, False, "RUNNING")
    assert not clock.advisory


def test_a_clock_is_over_at_the_end_of_its_day_in_huizhou_and_noted_once(register: Register) -> None:
    received(register)
    due = only(register).due
    last = datetime(due.year, due.month, due.day, 15, 59, 59, tzinfo=UTC)
    register.tick(last)
    assert only(register).expired is None
    register.tick(last + timedelta(seconds=1))
    register.tick(last + timedelta(days=1))
    assert only(register).expired == last + timedelta(seconds=1)
    assert changes(register) == ["STARTED", "EXPIRED"]
    # Nothing of a complaint follows by itself: it stays owed.
    assert only(register).state == "RUNNING"


def test_what_is_answered_late_stays_marked(register: Register) -> None:
    number = received(register)
    late = NOW + timedelta(days=40)
    done = moved(register.act(number, "answer_at_authority", {"document": "1", "finding": "x"}, AUTHORITY, late))
    assert done.matter.flags == ("LATE:complaint_answer",)
    assert register.clocks() == ()
    assert changes(register) == ["STARTED", "STOPPED"]


def test_the_end_of_a_matter_stops_every_clock_and_is_not_late(register: Register) -> None:
    number = received(register)
    done = moved(register.act(number, "withdraw", {"reason": "x"}, of("health"), NOW + timedelta(days=40)))
    assert done.matter.flags == ()
    assert register.clocks() == ()


def test_a_years_notice_counts_open_clocks_again_and_keeps_the_first_date(register: Register) -> None:
    received(register, at=datetime(2026, 12, 21, 1, tzinfo=UTC))
    before = only(register)
    assert before.provisional
    year = CalendarYear.model_validate(
        {
            "year": 2027,
            "notices": [{"title": "测试通知"}],
            "rest_days": [
                {"name": "元旦", "first": "2027-01-01", "last": "2027-01-05"},
                {"name": "劳动节", "first": "2027-05-01", "last": "2027-05-01"},
                {"name": "国庆节", "first": "2027-10-01", "last": "2027-10-03"},
            ],
        }
    )
    assert register.keep([year], OPERATOR, NOW, "the notice for 2027") == 1
    after = only(register)
    assert not after.provisional
    assert after.due > before.due
    assert changes(register) == ["STARTED", "RECOMPUTED"]
    with register.engine.connect() as connection:
        dues = connection.execute(sa.select(CLOCK_CHANGE.c.due).order_by(CLOCK_CHANGE.c.id)).scalars().all()
    assert dues == [before.due, after.due]
    # Another program over the same database knows the year too.
    assert not Register(register.engine, huizhou(), WorkCalendar.packaged()).calendar.is_provisional(2027)


def test_a_suspension_moves_what_runs_where_it_holds(register: Register) -> None:
    received(register, COUNTY)
    received(register)
    days = {clock.division: clock.due for clock in register.clocks()}
    storm = Suspension(first=date(2026, 9, 7), last=date(2026, 9, 8), division=COUNTY, reason="台风")
    assert register.keep([storm], OPERATOR, NOW, "a typhoon") == 1
    after = {clock.division: clock.due for clock in register.clocks()}
    assert after[CITY] == days[CITY]
    assert after[COUNTY] > days[COUNTY]


def test_a_countys_own_number_counts_its_open_clocks_again(register: Register) -> None:
    received(register, COUNTY)
    received(register)
    shorter = CountyOverride(division=COUNTY, clock="complaint_answer", amount=5)
    assert register.keep([shorter], OPERATOR, NOW, "the county's rules") == 1
    after = {clock.division: clock.due for clock in register.clocks()}
    assert after[COUNTY] == WorkCalendar.packaged().nth_workday(NOW.date(), 5).day
    assert after[COUNTY] < after[CITY]
    assert register.law.rule("complaint_answer", COUNTY).override == shorter


def test_what_could_not_be_counted_again_is_not_kept_either(register: Register) -> None:
    received(register)
    before = register.calendar
    with pytest.raises(Exception, match="no clock nothing_such"):
        register.keep([CountyOverride(division=COUNTY, clock="nothing_such", amount=5)], OPERATOR, NOW, "x")
    assert register.calendar.years == before.years
    assert register.law.rule("complaint_answer", COUNTY).override is None
    received(register)


def test_before_the_rule_is_in_force_clocks_run_and_only_advise(register: Register) -> None:
    law = Law.packaged("huizhou-2016", effective_date=NOW.date() + timedelta(days=1))
    received(Register(register.engine, law, WorkCalendar.packaged()))
    assert only(register).advisory


def test_clocks_are_listed_by_due_day_and_counted_by_article(register: Register) -> None:
    for day in (date(2026, 8, 31), date(2026, 8, 3), date(2026, 8, 17)):
        received(register, on=day)
    found = register.clocks()
    assert [clock.due for clock in found] == sorted(clock.due for clock in found)
    assert register.clocks(limit=1) == found[:1]
    assert register.clocks(due_before=found[1].due) == found[:1]
    assert register.clocks(agency="health") == ()
    assert register.clocks(matter=found[2].matter) == found[2:]
    assert register.clock_counts(found[2].due) == {("huizhou-2016", "58"): (3, 2)}
