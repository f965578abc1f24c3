"""The annual reports of Article 50 over the register: who is reminded, who is missing, and what facts say beforehand."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from compliance.busfacts import BusFacts, facts_of
from compliance.catalogue import local_date
from compliance.figures import Cell, Figures, columns
from compliance.models import Agency, GrantState
from compliance.period import period
from compliance.profiles import Law
from compliance.punctual import punctual
from compliance.register.service import Register
from compliance.workdays import WorkCalendar
from compliance.workflow import Matter
from compliance.workflows.annual_report import CLOCK, CODE, REMINDER, Figure, Reminder, subject_of

_OWED = ("application_answer", "conditional_answer", "supply_confirmed", "conditional_supply", "supply_ordered")


def due_day(law: Law, calendar: WorkCalendar, year: int, division: str | None = None) -> date:
    """The last day for a year's report: 30 November, also where it is a day of rest."""
    return law.due(CLOCK, date(year, 1, 1), calendar, division).day


def reminder_day(law: Law, calendar: WorkCalendar, year: int, division: str | None = None) -> date:
    """From when units without a report are reminded."""
    return law.due(REMINDER, date(year, 1, 1), calendar, division).day


def report_of(register: Register, agency: str, year: int, at: datetime) -> Matter | None:
    """The matter of a unit's report of a year, as it stood at an instant."""
    for matter in register.matters(CODE, subject=subject_of(agency, year)):
        return register.matter_at(matter.number, at)
    return None


def without_report(register: Register, year: int, at: datetime) -> tuple[Agency, ...]:
    """Every agency of the register that has not reported, by code."""
    found = []
    for agency in sorted(register.view(at).agencies(), key=lambda one: one.code):
        matter = report_of(register, agency.code, year, at)
        if matter is None or matter.state == "ASKED":
            found.append(agency)
    return tuple(found)


def to_remind(register: Register, year: int, at: datetime) -> tuple[Agency, ...]:
    """Whom to remind: from 1 November on, all without a report, also those that take part by reference."""
    today = local_date(at)
    return tuple(
        agency
        for agency in without_report(register, year, at)
        if today >= reminder_day(register.law, register.calendar, year, agency.division)
    )


def missing(register: Register, year: int, at: datetime) -> tuple[Agency, ...]:
    """The list after the last day: units without a report, but for those that take part by reference."""
    today = local_date(at)
    return tuple(
        agency
        for agency in without_report(register, year, at)
        if agency.participation == "MANDATORY"
        and today > due_day(register.law, register.calendar, year, agency.division)
    )


def reminder(agency: Agency, year: int) -> Reminder:
    """What the authority's reminder of one unit says."""
    return Reminder(agency=agency.code, division=agency.division, year=year, year_begins=date(year, 1, 1))


def prefilled(
    register: Register, agency: str, year: int, at: datetime, facts: Iterable[BusFacts] = ()
) -> tuple[Figure, ...]:
    """The figures of a unit's report, from what the bus counted and the register holds, each with its records."""
    rows, during = facts_of(facts, agency), period(str(year))
    counted = (
        ("报送信息条数", [(row.supplied, row) for row in rows]),
        ("被退回条数", [(row.supplied - row.admitted, row) for row in rows]),
        ("逾期更新条数", [(row.late, row) for row in rows]),
        ("更正条数", [(row.corrections, row) for row in rows]),
        ("获得共享信息条数", [(row.delivered, row) for row in rows]),
        ("查询次数", [(row.queries, row) for row in rows]),
    )
    figures = [
        Figure(name=name, value=sum(n for n, _ in each), records=tuple(row.record for n, row in each if n))
        for name, each in counted
    ]
    lags = [row for row in rows if row.lag_seconds is not None]
    if lags:
        slowest = max(lags, key=lambda row: row.lag_seconds or 0)
        figures.append(Figure(name="最大更新时延（秒）", value=slowest.lag_seconds or 0, records=(slowest.record,)))
    grants = [grant for grant in register.view(at).grants_of(agency) if grant.state is GrantState.ACTIVE]
    figures.append(_matters_figure("有效共享授权数", [f"grant/{grant.id}" for grant in grants]))
    owed = punctual(register.clocks(running=False, agency=agency), _OWED, during, at)
    figures.append(_matters_figure("按期答复和提供次数", owed.kept))
    figures.append(_matters_figure("逾期答复和提供次数", owed.missed))
    cases = [
        matter.number
        for matter in register.matters("data_case", provider=agency)
        if matter.opened_at <= at and during.holds(local_date(matter.opened_at))
    ]
    figures.append(_matters_figure("被提出核查次数", cases))
    told = [
        matter.number
        for matter in register.matters("effect_report", requester=agency)
        if any(
            step.action == "report_effect" and step.at <= at and during.holds(local_date(step.at))
            for step in register.history(matter.number)
        )
    ]
    figures.append(_matters_figure("反馈应用成效的授权数", told))
    return tuple(figures)


def _matters_figure(name: str, records: Sequence[str]) -> Figure:
    return Figure(name=name, value=len(records), records=tuple(records))


_COLUMNS = columns(
    ("agency", "单位", "agency"),
    ("name", "单位名称", "name"),
    ("participation", "参与方式", "participation"),
    ("state", "状态", "state"),
    ("late", "逾期", "late"),
    ("due", "截止日期", "due"),
    ("figure", "指标", "figure"),
    ("value", "数值", "value"),
    ("records", "依据记录", "records"),
)


def annual(
    register: Register, year: int, at: datetime, facts: Sequence[BusFacts] = (), agency: str | None = None
) -> Figures:
    """The year's reports: each unit's state, and for one that is asked about the figures beforehand, a row each."""
    lacking = {one.code for one in missing(register, year, at)}
    rows: list[tuple[Cell, ...]] = []
    for one in sorted(register.view(at).agencies(), key=lambda known: known.code):
        if agency not in (None, one.code):
            continue
        matter = report_of(register, one.code, year, at)
        state = "MISSING" if one.code in lacking else matter.state if matter is not None else "NOT_ASKED"
        late = "LATE" if matter is not None and f"LATE:{CLOCK}" in matter.flags else None
        due = due_day(register.law, register.calendar, year, one.division)
        head = (one.code, one.name, one.participation, state, late, due)
        rows.append((*head, None, None, (matter.number,) if matter is not None else ()))
        if agency is not None:
            rows += [
                (*head, each.name, each.value, each.records) for each in prefilled(register, agency, year, at, facts)
            ]
    told = {"year": str(year), "as_of": at.isoformat()}
    return Figures("annual", "年度报告情况", "annual reports", "50", _COLUMNS, rows, told)
