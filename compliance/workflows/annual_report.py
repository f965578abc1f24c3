"""Annual reports 年度报告 (Art 50): what a unit supplied and used and what came of it, by 30 November, then published.

The day is not moved off a day of rest (decisions 27). Agencies that take part by reference are reminded and never
listed as missing (decisions 40, *assumption*): no clock runs for them.
"""

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.roles import AUTHORITY, UNIT, Actor, Party
from compliance.values import AgencyCode, Day, DivisionCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Flag, Parties, Start, Transition, Workflow
from schemas.refusals import RefusalCode, Refused

CODE = "annual_report"
CLOCK = "annual_report"
REMINDER = "annual_report_reminder"


class Reminder(Model):
    """That a unit's report of a year is asked for."""

    agency: AgencyCode
    division: DivisionCode
    year: int = Field(ge=2016, le=9999)
    year_begins: Day


class Figure(Model):
    """One figure of a report, with where it comes from."""

    name: Text
    value: float
    records: tuple[Text, ...] = ()


class Report(Model):
    """提供、使用情况和应用成效: figures from facts, and the unit's own words."""

    year: int = Field(ge=2016, le=9999)
    division: DivisionCode
    figures: tuple[Figure, ...] = ()
    supplied: Text
    used: Text
    effect: Text
    document: Text | None = None


class Publication(Model):
    """公布情况和改进意见."""

    place: Text
    published_on: Day
    advice: Text


def subject_of(agency: str, year: int) -> str:
    """The key of one unit's report of one year."""
    return f"{agency}/{year}"


def year_of(subject: str) -> int:
    """The year of a report's key."""
    return int(subject.rpartition("/")[2])


def _parties(form: Reminder | Report, actor: Actor, view: RegisterView) -> Parties:
    agency = form.agency if isinstance(form, Reminder) else actor.agency or ""
    known = view.agency(agency)
    division = known.division if known is not None else form.division
    return Parties(division, unit=agency, subject=subject_of(agency, form.year))


def _mandatory(context: Context) -> bool:
    agency = context.view.agency(context.matter.parties.unit or "")
    return agency is None or agency.participation == "MANDATORY"


def _first_of_the_year(context: Context) -> Refused | None:
    parties = context.matter.parties
    if context.others.matters(CODE, subject=parties.subject):
        return Refused(RefusalCode.E_STATE, "there is a matter for that unit's report of that year already")
    if year_of(parties.subject or "") > local_date(context.at).year:
        return Refused(RefusalCode.E_FORM, "lies in the future", "year")
    return None


def _known_agency(context: Context) -> Refused | None:
    if context.view.agency(context.form.agency) is None:
        return Refused(RefusalCode.E_FORM, "the register has no such agency", "agency")
    if context.form.year_begins != date(context.form.year, 1, 1):
        return Refused(RefusalCode.E_FORM, "is not 1 January of the year", "year_begins")
    return None


def _that_year(context: Context) -> Refused | None:
    if context.form.year != year_of(context.matter.parties.subject or ""):
        return Refused(RefusalCode.E_FORM, "is another year than the one that was asked for", "year")
    return None


def _flag_late(context: Context) -> Sequence[Effect]:
    """Also a report that nobody asked for is late after its day."""
    begins = date(year_of(context.matter.parties.subject or ""), 1, 1)
    due = context.law.due(CLOCK, begins, context.calendar, context.matter.parties.division)
    return (Flag(f"LATE:{CLOCK}"),) if _mandatory(context) and local_date(context.at) > due.day else ()


ANNUAL_REPORT = Workflow(
    code=CODE,
    prefix="ANN",
    zh="年度报告",
    en="annual report",
    articles="50",
    states={
        "ASKED": ("待报", "asked for"),
        "SUBMITTED": ("已报", "submitted"),
        "PUBLISHED": ("已公布", "published"),
    },
    ends=frozenset({"PUBLISHED"}),
    parties=_parties,
    transitions=(
        Transition(
            "remind",
            (NEW,),
            "ASKED",
            (AUTHORITY,),
            "50",
            "提醒报送年度报告",
            "ask for the report of the year",
            form=Reminder,
            starts=(Start(CLOCK, Party.UNIT, since="year_begins", when=_mandatory),),
            guards=(_known_agency, _first_of_the_year),
        ),
        Transition(
            "submit_unasked",
            (NEW,),
            "SUBMITTED",
            (UNIT,),
            "50",
            "主动报送年度报告",
            "submit before being asked",
            form=Report,
            guards=(_first_of_the_year,),
            effects=(_flag_late,),
        ),
        Transition(
            "submit",
            ("ASKED",),
            "SUBMITTED",
            (UNIT,),
            "50",
            "报送年度报告",
            "submit the report",
            form=Report,
            stops=(CLOCK,),
            guards=(_that_year,),
            effects=(_flag_late,),
        ),
        Transition(
            "publish",
            ("SUBMITTED",),
            "PUBLISHED",
            (AUTHORITY,),
            "50",
            "公布情况和改进意见",
            "publish with advice",
            form=Publication,
        ),
    ),
)
