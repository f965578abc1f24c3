"""Indicators of Article 51 that the article's own tests leave out: reports, exchanges, inspections, what clocks say."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from compliance.annual import prefilled, reminder
from compliance.indicators import Value, values_of
from compliance.models import Agency
from compliance.period import period
from compliance.punctual import Kept, punctual
from compliance.register.rows import Clock
from compliance.register.service import Register
from tests import sharing
from tests.procedures import POLICE, REPORT, days, with_catalogue
from tests.register import AUTHORITY, CITY, NOW, moved

SQLITE = pytest.mark.parametrize("register", ["sqlite"], indirect=True)
YEAR = period("2026")
DECEMBER = datetime(2026, 12, 5, tzinfo=UTC)
EFFECT = {"period_from": "2026-09-01", "period_until": "2026-09-04", "effect": "减少材料"}


def agency_of(register: Register, code: str) -> Agency:
    found = register.view().agency(code)
    assert found is not None
    return found


def values(register: Register, code: str, at: datetime = DECEMBER) -> dict[str, Value]:
    return {one.indicator.code: one for one in values_of(register, agency_of(register, code), YEAR, at)}


@SQLITE
def test_an_annual_report_is_judged_once_its_day_is_over_or_it_is_there(register: Register) -> None:
    by_reference = {"participation": "BY_REFERENCE"}
    with_catalogue(register)
    register.put([agency_of(register, "county_bureau").model_copy(update=by_reference)], AUTHORITY, NOW)
    moved(register.open("annual_report", "remind", reminder(agency_of(register, "aic"), 2026), AUTHORITY, NOW))
    assert values(register, "psb", NOW)["annual_report"].value is None
    missing = values(register, "aic")["annual_report"]
    assert (missing.value, missing.records) == (0, ("aic/2026: none",))
    assert values(register, "county_bureau")["annual_report"].value is None
    number = moved(register.open("annual_report", "submit_unasked", REPORT, POLICE, days(1))).matter.number
    there = values(register, "psb", days(2))["annual_report"]
    assert (there.value, there.records) == (1, (number,))


@SQLITE
def test_an_exchange_beside_the_platform_counts_once_it_has_a_plan(register: Register) -> None:
    with_catalogue(register)
    exchange = {
        "unit": "psb",
        "counterpart": "aic",
        "name": "前置机",
        "data": "户籍",
        "direction": "SUPPLIES",
        "manner": "DATABASE",
        "since": "2014-05-01",
    }
    number = moved(register.open("legacy_exchange", "register", exchange, AUTHORITY, NOW)).matter.number
    assert values(register, "psb")["legacy_exchanges"].value == 0
    moved(register.act(number, "plan", {"until": "2027-06-30", "steps": "改用共享平台"}, POLICE, days(2)))
    assert values(register, "psb")["legacy_exchanges"].value == 1
    # As it stood the day before.
    assert values(register, "psb", days(1))["legacy_exchanges"].value == 0


@SQLITE
def test_use_beyond_the_grant_that_an_inspection_found_counts_against_the_user(register: Register) -> None:
    sharing.found(register)
    sharing.active(register, "area")
    [use] = register.matters("effect_report")
    fine = {"inspected_on": "2026-09-02", "finding": "规范", "document": "检查1号"}
    moved(register.act(use.number, "inspect", fine, AUTHORITY, days(1)))
    assert values(register, "civil_affairs")["over_scope"].value == 0
    moved(register.act(use.number, "inspect", {**fine, "over_scope": True}, AUTHORITY, days(2)))
    found = values(register, "civil_affairs")["over_scope"]
    assert (found.value, found.records) == (1, (use.number,))
    assert values(register, "psb")["over_scope"].value == 0
    # It answered in time and never supplied.
    answers = values(register, "psb")["answers"]
    assert (answers.value, answers.good, answers.total) == (0.5, 1, 2)
    moved(register.act(use.number, "report_effect", EFFECT, sharing.ASKER, days(3)))
    figures = {figure.name: figure for figure in prefilled(register, "civil_affairs", 2026, DECEMBER)}
    assert figures["反馈应用成效的授权数"].records == (use.number,)
    assert figures["有效共享授权数"].value == 0


def _clock(**changes: object) -> Clock:
    """A clock that started on NOW and was due three days later."""
    due = date(2026, 9, 4)
    made = Clock(1, "M-1", "owner_correction", "p", "56", "PROVIDER", "psb", CITY, NOW, NOW.date(), due, due, False, False, "RUNNING")  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # one attribute at a time


@pytest.mark.parametrize(
    ("changes", "at", "kept", "missed"),
    [
        ({}, days(3), 0, 0),
        ({}, days(4), 0, 1),
        ({"ended": days(3)}, days(9), 1, 0),
        ({"ended": days(4)}, days(9), 0, 1),
        ({"ended": days(9)}, days(4), 0, 1),
        ({"ended": days(9)}, days(2), 0, 0),
        ({"paused_since": date(2026, 9, 2)}, days(9), 0, 0),
        ({"advisory": True}, days(9), 0, 0),
        ({"rule": "static_update"}, days(9), 0, 0),
        ({"due": date(2027, 1, 1)}, days(300), 0, 0),
        ({"started": days(20)}, days(9), 0, 0),
    ],
)
def test_a_clock_is_kept_missed_or_neither_as_the_instant_sees_it(
    changes: dict[str, object], at: datetime, kept: int, missed: int
) -> None:
    name = ("M-1#owner_correction",)
    found = punctual([_clock(**changes)], ("owner_correction",), YEAR, at)
    assert found == Kept(name * kept, name * missed)
