"""Whatever somebody wrote into a cause or into the register, no word of it stands in a notice."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from compliance.models import Agency, AgencyType, Contact, ContactRole, OnboardingState
from compliance.notice_causes import cause_of_alarm
from compliance.notice_kinds import RISING
from compliance.notice_text import as_json, text_of
from compliance.notices import Notice, recipient, to_tell
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.freshness.alarms import Alarm, AlarmCode
from processors.freshness.words import Key
from tests.strategies import citizen_numbers

CALENDAR = WorkCalendar.packaged()
START = datetime(2026, 1, 5, 1, tzinfo=UTC)
TEXTS = st.one_of(citizen_numbers(), st.text(min_size=1).filter(lambda text: text.strip() != ""))
FREE = ("reason_zh", "reason_en", "todo_zh", "todo_en", "article", "runbook", "severity")


def register(name: str, phone: str) -> RegisterView:
    contacts = tuple(Contact(role=role, name=name, phone=phone) for role in ContactRole)
    agency = Agency(
        code="health",
        name=name,
        credit_code=phone,
        type=AgencyType.ADMINISTRATIVE_ORGAN,
        division="441300",
        state=OnboardingState.CONNECTED,
        contacts=contacts,
    )
    view = RegisterView()
    view.apply("agency", "health", agency)
    return view


def said(alarm: dict[str, Any], view: RegisterView, at: datetime) -> tuple[object, ...]:
    notices = to_tell([cause_of_alarm(alarm, view)], {}, view, CALENDAR, at)
    return tuple((as_json(one), text_of(one), repr(one)) for one in notices)


@given(
    code=st.sampled_from(AlarmCode),
    free=st.fixed_dictionaries(dict.fromkeys((*FREE, "about"), TEXTS)),
    name=TEXTS,
    phone=TEXTS,
    days=st.integers(0, 60),
    about=st.sampled_from(["", "2026Q1", "hrss-permits"]),
)
def test_no_text_of_a_cause_and_no_person_on_file_enters_a_notice(
    code: AlarmCode, free: dict[str, str], name: str, phone: str, days: int, about: str
) -> None:
    plain = Alarm(code, Key("health", "lamp"), int(START.timestamp() * 1000), about).to_datum(0)
    written = {**plain, **{field: free[field] for field in FREE}, "note": free["about"]}
    if not plain["about"]:
        written["about"] = "+" + free["about"]
    at = START + timedelta(days=days)
    assert said(written, register(name, phone), at) == said(plain, register("甲", "1"), at)


@given(days=st.lists(st.integers(0, 60), max_size=8).map(sorted), code=st.sampled_from(AlarmCode))
def test_however_often_one_looks_each_level_is_told_at_most_once_and_only_upwards(
    days: list[int], code: AlarmCode
) -> None:
    view = register("甲", "1")
    alarm = Alarm(code, Key("health", "lamp"), int(START.timestamp() * 1000)).to_datum(0)
    cause, told = cause_of_alarm(alarm, view), list[Notice]()
    for day in days:
        before = {cause.id: {one.level for one in told}}
        told += to_tell([cause, cause], before, view, CALENDAR, START + timedelta(days=day))
    levels = [RISING.index(one.level) for one in told]
    assert levels == sorted(set(levels))
    assert len({one.id for one in told}) == len(told)
    assert [one.to for one in told] == [recipient(cause, one.level, view) for one in told]
    assert bool(told) == bool(days)
