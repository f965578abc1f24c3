"""Notices: what is told to whom, when, how high, once, and never with a word that somebody wrote."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from compliance.calendaryear import Suspension
from compliance.catalogue import local_date
from compliance.models import Agency, ContactRole
from compliance.notice_causes import (
    annual_causes,
    calendar_causes,
    cause_of_alarm,
    clock_causes,
    law_causes,
    vacancy_causes,
)
from compliance.notice_kinds import RISING, RULES, NoticeKind, NoticeLevel, Urgency
from compliance.notice_text import as_json, text_of
from compliance.notices import Cause, Notice, level_at, recipient, send_at, to_tell, withdrawal
from compliance.register.rows import Clock
from compliance.roles import Role
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.freshness import alarms
from processors.freshness.alarms import Alarm, AlarmCode
from processors.freshness.words import Key
from schemas.errors import UsageError
from tests.notices import TODAY, agency, cause
from tests.register import CITY, COUNTY, NOW, huizhou

CALENDAR = WorkCalendar.packaged()
HANDLER, HEAD, AUTHORITY = NoticeLevel.HANDLER, NoticeLevel.HEAD, NoticeLevel.AUTHORITY


def view_of(*agencies: Agency) -> RegisterView:
    view = RegisterView()
    for one in agencies:
        view.apply("agency", one.key, one)
    return view


def told(causes: list[Cause], *levels: NoticeLevel, at: datetime = NOW) -> tuple[Notice, ...]:
    before = {one.id: set(levels) for one in causes}
    return to_tell(causes, before, view_of(agency()), CALENDAR, at)


# -- what it is ----------------------------------------------------------------------------------------------------


def test_the_table_of_notices_says_of_alarms_what_the_alarms_say() -> None:
    assert {code.value for code in AlarmCode} <= set(NoticeKind)
    for code, rule in alarms.RULES.items():
        row = RULES[NoticeKind(code)]
        assert (row.article, row.sentence_zh, row.sentence_en) == (rule.article, rule.sentence_zh, rule.sentence_en)
        assert (row.todo_zh, row.todo_en) == (rule.todo_zh, rule.todo_en)
        assert (row.urgency is Urgency.URGENT) == (rule.severity is alarms.Severity.URGENT)
        assert row.page == f"{alarms.RUNBOOK}#{code.value.lower()}"


def test_every_kind_has_its_row() -> None:
    assert set(RULES) == set(NoticeKind)


def test_the_same_cause_has_the_same_id_and_another_time_another_one() -> None:
    assert cause().id == cause(since=NOW.astimezone()).id
    assert cause().id == cause(advisory=True, division=COUNTY).id
    others = [cause(since=NOW + timedelta(seconds=1)), cause(due=TODAY + timedelta(days=1)), cause(agency="land")]
    others += [cause(matter="CPL-2026-00001"), cause(NoticeKind.VACANCY), cause(resource="lamp"), cause()]
    assert len({one.id for one in others}) == len(others)


@pytest.mark.parametrize(
    "changes",
    [
        {"agency": None},
        {"office": Role.OPERATOR_CITY},
        {"agency": None, "office": Role.LEADER},
        {"agency": "李某"},
        {"resource": "44130019900101"},
        {"matter": "李某的申请"},
        {"article": "as the director said"},
        {"quarter": "soon"},
        {"note": "call me"},
        {"since": NOW.replace(tzinfo=None)},
    ],
    ids=str,
)
def test_a_cause_holds_codes_and_times_alone_and_an_error_does_not_repeat_them(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        cause(**changes)
    assert not any(str(value) in str(refused.value) for value in changes.values() if value in {"李某", "李某的申请"})


# -- how high ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "level"),
    [
        (date(2026, 9, 1), HANDLER),
        (date(2026, 9, 2), HEAD),
        (date(2026, 9, 8), HEAD),  # the fifth working day after the due day
        (date(2026, 9, 9), AUTHORITY),
    ],
)
def test_a_cause_rises_when_its_clock_passes(day: date, level: NoticeLevel) -> None:
    at = datetime.combine(day, time(4), UTC)
    assert local_date(at) == day
    assert level_at(cause(), at, CALENDAR) is level


def test_without_a_due_day_the_working_days_of_its_kind_count() -> None:
    silent = cause(NoticeKind.SILENT, due=None)
    assert level_at(silent, NOW + timedelta(days=1), CALENDAR) is HANDLER
    assert level_at(silent, NOW + timedelta(days=2), CALENDAR) is HEAD
    friday = cause(NoticeKind.SILENT, due=None, since=NOW + timedelta(days=3))
    assert level_at(friday, NOW + timedelta(days=6), CALENDAR) is HANDLER


def test_a_day_of_suspended_work_is_not_counted_where_it_holds() -> None:
    storm = Suspension(division=COUNTY, first=date(2026, 9, 8), last=date(2026, 9, 8), reason="台风")
    calendar, at = CALENDAR.with_suspensions([storm]), datetime(2026, 9, 9, 4, tzinfo=UTC)
    assert level_at(cause(division=COUNTY), at, calendar) is HEAD
    assert level_at(cause(), at, calendar) is AUTHORITY


def test_what_only_advises_and_what_an_authority_owes_does_not_rise() -> None:
    late = NOW + timedelta(days=100)
    assert level_at(cause(advisory=True), late, CALENDAR) is HANDLER
    assert level_at(cause(agency=None, office=Role.AUTHORITY_CITY), late, CALENDAR) is HANDLER
    assert level_at(cause(agency=None, office=Role.OPERATOR_CITY), late, CALENDAR) is AUTHORITY


# -- to whom -------------------------------------------------------------------------------------------------------


def desk(what: Cause, level: NoticeLevel, *agencies: Agency) -> str:
    return recipient(what, level, view_of(*agencies)).desk


def test_the_role_on_file_is_told_at_each_level() -> None:
    assert desk(cause(NoticeKind.SILENT), HANDLER, agency()) == "health/TECHNICAL_OFFICER"
    assert desk(cause(), HANDLER, agency()) == "health/SHARING_OFFICER"
    assert desk(cause(), HEAD, agency()) == "health/LEADER"
    assert desk(cause(), AUTHORITY, agency()) == "AUTHORITY_CITY"
    assert desk(cause(), HEAD, agency("health", CITY, *ContactRole)) == "health/RESPONSIBLE_LEADER"


def test_where_nobody_fills_the_role_the_authority_of_its_division_is_told() -> None:
    vacant = agency(vacant=ContactRole.SHARING_OFFICER)
    told_instead = recipient(cause(), HANDLER, view_of(vacant))
    assert told_instead.desk == "AUTHORITY_CITY"
    assert told_instead.instead_of is ContactRole.SHARING_OFFICER
    county = cause(division=COUNTY + "001")
    assert desk(county, HANDLER) == f"{COUNTY}/AUTHORITY_COUNTY"
    assert desk(county, HEAD, agency("health", COUNTY, ContactRole.TECHNICAL_OFFICER)) == f"{COUNTY}/AUTHORITY_COUNTY"


def test_an_office_is_told_itself_and_then_its_authority() -> None:
    operator = cause(agency=None, office=Role.OPERATOR_COUNTY, division=COUNTY)
    assert desk(operator, HANDLER) == f"{COUNTY}/OPERATOR_COUNTY"
    assert desk(operator, AUTHORITY) == f"{COUNTY}/AUTHORITY_COUNTY"


# -- when ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-01T08:29:59+08:00", "2026-09-01T08:30:00+08:00"),
        ("2026-09-01T08:30:00+08:00", "2026-09-01T08:30:00+08:00"),
        ("2026-09-01T17:29:59+08:00", "2026-09-01T17:29:59+08:00"),
        ("2026-09-01T17:30:00+08:00", "2026-09-02T08:30:00+08:00"),
        ("2026-09-04T18:00:00+08:00", "2026-09-07T08:30:00+08:00"),
        ("2026-09-05T10:00:00+08:00", "2026-09-07T08:30:00+08:00"),
        ("2026-09-19T10:00:00+08:00", "2026-09-20T08:30:00+08:00"),  # a Sunday that is worked
        ("2026-09-30T23:00:00+08:00", "2026-10-08T08:30:00+08:00"),  # the National Day week
    ],
)
def test_in_quiet_hours_what_can_wait_waits_for_the_next_working_time(at: str, expected: str) -> None:
    instant = datetime.fromisoformat(at)
    assert send_at(Urgency.ROUTINE, instant, CALENDAR, CITY) == datetime.fromisoformat(expected)
    assert send_at(Urgency.URGENT, instant, CALENDAR, CITY) == instant


def test_what_is_urgent_breaks_through_at_night_and_what_rises_or_advises_does_not() -> None:
    night = datetime(2026, 9, 1, 18, tzinfo=UTC)
    opens = datetime(2026, 9, 2, 0, 30, tzinfo=UTC)
    silent = {"kind": NoticeKind.SILENT, "due": None}
    assert [one.send_at for one in told([cause(**silent)], at=night)] == [night]
    assert [one.send_at for one in told([cause(**silent, advisory=True)], at=night)] == [opens]
    [head] = told([cause(**silent, since=NOW - timedelta(days=3))], HANDLER, at=night)
    assert (head.level, head.send_at) == (HEAD, opens)


# -- once ----------------------------------------------------------------------------------------------------------


def test_a_cause_is_told_once_a_level_and_never_below_one_that_was_told() -> None:
    assert [one.level for one in told([cause(), cause()])] == [HANDLER]
    assert told([cause()], HANDLER) == ()
    assert told([cause()], HEAD) == ()
    later = NOW + timedelta(days=1)
    assert [one.level for one in told([cause()], at=later)] == [HEAD], "a level that was missed is not made up for"
    assert [one.level for one in told([cause()], HANDLER, at=later)] == [HEAD]
    assert told([cause()], HANDLER, HEAD, at=later) == ()
    assert len({one.id for at in (NOW, later) for one in told([cause()], at=at)}) == 2


def test_a_withdrawal_goes_to_whom_the_notice_went_and_not_before_it() -> None:
    [notice] = told([cause()])
    back = withdrawal(notice, CALENDAR, datetime(2026, 9, 4, 12, tzinfo=UTC))
    assert (back.to, back.withdraws, back.level) == (notice.to, notice.id, HANDLER)
    assert back.send_at == datetime(2026, 9, 7, 0, 30, tzinfo=UTC)
    assert back.id != notice.id
    assert back.id == withdrawal(notice, CALENDAR, NOW).id
    assert text_of(back).subject_en.startswith("[exchange bus] withdrawn: ")


# -- in words ------------------------------------------------------------------------------------------------------


def test_a_notice_says_in_both_languages_what_since_when_and_what_to_do() -> None:
    due = cause(matter="CPL-2026-00001", clock="complaint_answer", profile="huizhou-2016", article="58")
    [notice] = told([due])
    text = text_of(notice)
    assert text.subject_zh == "[交换平台] 通知：登记系统中的一件事项将到期限或已逾期（health）"
    assert (
        text.subject_en
        == "[exchange bus] notice: something that is owed in the register is nearly due or overdue (health)"
    )
    assert text.body_zh.splitlines()[0] == "收件：信息共享责任人"
    for line in ("件：CPL-2026-00001", "起始：2026-09-01 09:00", "期限：2026-09-01", "依据：第58条 (huizhou-2016)"):
        assert line in text.body_zh.splitlines()
    assert "article: Art 58 (huizhou-2016)" in text.body_en.splitlines()
    assert "to do: take the step that the matter waits for (docs/register.md#clocks)" in text.body_en.splitlines()
    told_json = as_json(notice)
    assert (told_json["due"], told_json["since"]) == ("2026-09-01", "2026-09-01T09:00:00+08:00")
    assert told_json["to"] == {"role": "SHARING_OFFICER", "agency": "health", "division": None, "instead_of": None}


def test_a_code_that_could_be_a_number_of_a_person_shows_no_digits() -> None:
    hidden = cause(resource="r" + "123456789", agency="a" + "987654321")
    [notice] = to_tell([hidden], {}, RegisterView(), CALENDAR, NOW)
    said = f"{as_json(notice)}{text_of(notice)}"
    assert "123456789" not in said
    assert "987654321" not in said


# -- causes --------------------------------------------------------------------------------------------------------


def alarm(of: AlarmCode = AlarmCode.SILENT, about: str = "", **changes: Any) -> Mapping[str, Any]:
    made = Alarm(of, Key("health", "lamp"), int(NOW.timestamp() * 1000), about)
    return {**made.to_datum(0), **changes}


def test_an_alarm_is_a_cause_the_same_raised_and_cleared() -> None:
    view = view_of(agency(division=COUNTY))
    found = cause_of_alarm(alarm(), view)
    assert (found.agency, found.resource, found.since, found.division) == ("health", "lamp", NOW, COUNTY)
    assert found.id == cause_of_alarm(alarm(cleared_at=9, raised_at=7), RegisterView()).id
    assert cause_of_alarm(alarm(AlarmCode.STATIC_OVERDUE, "2026Q3"), view).quarter == "2026Q3"
    of_operator = cause_of_alarm(alarm(AlarmCode.DELIVERY_LAG, "hrss-permits"), view)
    assert (of_operator.agency, of_operator.office, of_operator.source) == (None, Role.OPERATOR_CITY, "health")
    assert of_operator.quarter is None


@pytest.mark.parametrize(
    "changes", [{"code": "李某"}, {"alarm_id": "李某"}, {"since": "李某"}, {"owner": "李某"}, {"agency": ["李某"]}]
)
def test_what_is_no_alarm_is_refused_without_a_word_of_it(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        cause_of_alarm(alarm(**changes), RegisterView())
    assert str(refused.value) == "what is to be told is no alarm of the bus"
    with pytest.raises(UsageError):
        cause_of_alarm({"alarm_id": str(uuid4())}, RegisterView())


def clock(**changes: Any) -> Clock:
    values: dict[str, Any] = {
        "id": 1,
        "matter": "CPL-2026-00001",
        "rule": "complaint_answer",
        "profile": "huizhou-2016",
    }
    values |= {"article": "58", "owes": "PROVIDER", "agency": "health", "division": CITY, "started": NOW}
    values |= {"counts_from": TODAY, "nominal": TODAY, "due": TODAY, "provisional": False, "advisory": False}
    return Clock(**{**values, "state": "RUNNING", **changes})


def test_a_clock_is_a_cause_from_three_days_before_it_is_due_until_it_stops() -> None:
    assert clock_causes([clock(due=TODAY + timedelta(days=4))], NOW) == ()
    [near] = clock_causes([clock(due=TODAY + timedelta(days=3))], NOW)
    assert (near.kind, near.agency, near.matter, near.article) == (
        NoticeKind.DEADLINE,
        "health",
        "CPL-2026-00001",
        "58",
    )
    assert clock_causes([clock(state="PAUSED"), clock(state="STOPPED")], NOW) == ()
    [counted_anew] = clock_causes([clock(due=TODAY + timedelta(days=2))], NOW)
    assert counted_anew.id != near.id
    [office] = clock_causes([clock(agency=None, owes="AUTHORITY_CITY")], NOW)
    assert office.office is Role.AUTHORITY_CITY


def test_what_nobody_asked_so_far_is_a_cause_too() -> None:
    vacant = agency(vacant=ContactRole.SHARING_OFFICER)
    [vacancy] = vacancy_causes(view_of(vacant, agency("land")))
    assert (vacancy.agency, vacancy.role) == ("health", ContactRole.SHARING_OFFICER)
    assert desk(vacancy, HANDLER, vacant) == "health/LEADER"
    law = huizhou()
    reference = agency("church").model_copy(update={"participation": "BY_REFERENCE"})
    november = datetime(2026, 11, 2, 4, tzinfo=UTC)
    annual, by_reference = annual_causes([agency(), reference], 2026, law, CALENDAR, november)
    assert (annual.due, annual.advisory, by_reference.advisory) == (date(2026, 11, 30), False, True)
    assert level_at(by_reference, november + timedelta(days=300), CALENDAR) is HANDLER
    assert calendar_causes(CALENDAR, NOW) == ()
    [missing] = calendar_causes(CALENDAR, datetime(2026, 12, 1, 4, tzinfo=UTC))
    assert (missing.year, missing.due) == (2027, date(2026, 12, 31))
    last = law.expires_on()
    assert last is not None
    assert law_causes(law, NOW) == ()
    [ends] = law_causes(law, datetime.combine(last, time(1), UTC))
    assert (ends.due, ends.office, RISING.index(level_at(ends, NOW, CALENDAR))) == (last, Role.AUTHORITY_CITY, 0)
