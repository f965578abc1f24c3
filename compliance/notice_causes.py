"""What notices are made of: the alarm of a source, a clock of the register, and what else nobody would think of in time.

Each function answers all that stands of its kind at an instant, so whoever compares two answers knows what was cleared.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from compliance.annual import due_day, reminder_day
from compliance.catalogue import local_date, start_of
from compliance.contacts import vacancies
from compliance.models import Agency
from compliance.notice_kinds import NoticeKind
from compliance.notices import Cause
from compliance.profiles import VALIDITY, Law
from compliance.register.rows import Clock
from compliance.roles import Role
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from compliance.workflows.annual_report import CLOCK as ANNUAL_CLOCK
from schemas.errors import UsageError

CITY = "441300"
NEAR = timedelta(days=3)
"""How long before its due day whoever owes it is told *(assumption)*."""
LAW_ENDS = timedelta(days=180)
"""How long before the municipal rule's validity ends the authority is told *(assumption)*."""
_QUARTER = re.compile(r"[0-9]{4}Q[1-4]", re.ASCII)
_OPERATOR = "operator"
_ROLES = frozenset(role.value for role in Role)


def cause_of_alarm(alarm: Mapping[str, Any], view: RegisterView) -> Cause:
    """The cause of an alarm as it stands on its topic, raised or cleared: its codes and times, none of its sentences.

    Args:
        alarm: a datum of `schemas/envelope/alarm.avsc`.
        view: where its agency is.

    Raises:
        UsageError: it is no such datum; what it held is not repeated.
    """
    try:
        agency, owner = alarm["agency"], alarm["owner"]
        known = view.agency(agency)
        division = CITY if known is None else known.division
        of_operator = owner == _OPERATOR
        about = alarm.get("about")
        return Cause(
            kind=NoticeKind(alarm["code"]),
            agency=None if of_operator else owner,
            office=Role.OPERATOR_CITY if of_operator else None,
            division=CITY if of_operator else division,
            source=agency if of_operator else None,
            resource=alarm["resource"],
            group=alarm.get("field_group"),
            quarter=about if isinstance(about, str) and _QUARTER.fullmatch(about) else None,
            reference=UUID(alarm["alarm_id"]),
            since=datetime.fromtimestamp(alarm["since"] / 1000, UTC),
            advisory=alarm["advisory"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, ValidationError):
        raise UsageError("what is to be told is no alarm of the bus") from None


def clock_causes(clocks: Iterable[Clock], at: datetime) -> tuple[Cause, ...]:
    """Every clock that runs and is due within three days or overdue, by who owes it; one counted anew is another."""
    today = local_date(at)
    return tuple(
        Cause(
            kind=NoticeKind.DEADLINE,
            agency=clock.agency,
            office=_office(clock) if clock.agency is None else None,
            division=clock.division,
            matter=clock.matter,
            clock=clock.rule,
            profile=clock.profile,
            article=clock.article,
            since=clock.started,
            due=clock.due,
            advisory=clock.advisory,
        )
        for clock in clocks
        if clock.state == "RUNNING" and today >= clock.due - NEAR
    )


def vacancy_causes(view: RegisterView) -> tuple[Cause, ...]:
    """Every role of Art 10 that became vacant; one that was never filled connects nobody, and is no notice."""
    found = []
    for line in vacancies(view):
        agency = view.agency(line.agency)
        if agency is not None and line.vacant_since is not None:
            since = start_of(line.vacant_since)
            kind = NoticeKind.VACANCY
            found.append(Cause(kind=kind, agency=agency.code, division=agency.division, role=line.role, since=since))
    return tuple(found)


def annual_causes(
    to_remind: Iterable[Agency], year: int, law: Law, calendar: WorkCalendar, at: datetime
) -> tuple[Cause, ...]:
    """Every agency whose annual report is still to come, as `compliance/annual.py:to_remind` names them.

    One that takes part by reference is reminded and never listed (decisions 40), so it rises to nobody.
    """
    return tuple(
        Cause(
            kind=NoticeKind.ANNUAL_REPORT,
            agency=agency.code,
            division=agency.division,
            year=year,
            since=start_of(reminder_day(law, calendar, year, agency.division)),
            due=due_day(law, calendar, year, agency.division),
            advisory=agency.participation != "MANDATORY" or law.advisory(at, ANNUAL_CLOCK, agency.division),
        )
        for agency in to_remind
    )


def calendar_causes(calendar: WorkCalendar, at: datetime) -> tuple[Cause, ...]:
    """The year whose days of rest ought to be loaded and are not: the operator's."""
    year = calendar.missing_notice(at)
    if year is None or year == date.min.year:
        return ()
    since, due = start_of(date(year - 1, 12, 1)), date(year - 1, 12, 31)
    kind, office = NoticeKind.CALENDAR_MISSING, Role.OPERATOR_CITY
    return (Cause(kind=kind, office=office, division=CITY, year=year, since=since, due=due),)


def law_causes(law: Law, at: datetime) -> tuple[Cause, ...]:
    """That the municipal rule's validity ends within half a year, or ended (Art 62): the authority's."""
    last = law.expires_on()
    if last is None or local_date(at) < last - LAW_ENDS:
        return ()
    kind, office, profile = NoticeKind.LAW_EXPIRES, Role.AUTHORITY_CITY, law.rule(VALIDITY).profile
    return (Cause(kind=kind, office=office, division=CITY, profile=profile, since=start_of(last - LAW_ENDS), due=last),)


def _office(clock: Clock) -> Role:
    return Role(clock.owes) if clock.owes in _ROLES else Role.AUTHORITY_CITY
