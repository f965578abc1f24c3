"""Outages by force majeure 不可抗力 (Art 47): told in writing within three working days, with reason, start and remedy.

*Assumption* (decisions 44): once the authority accepts a notice, the agency's update clocks stand still from the start
of the outage until data flow again. Before that, and where it is not accepted, they run.
"""

from collections.abc import Sequence
from datetime import date

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.roles import AUTHORITY, UNIT_ANYBODY, Actor
from compliance.rulings import Outage, OutageState
from compliance.values import Day, DivisionCode, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Flag, Parties, Pause, Put, Resume, Transition, Workflow
from schemas.refusals import RefusalCode, Refused

CODE = "outage"
PAUSED_CLOCKS = ("static_update", "dynamic_update")
NOTICE = "outage_notice"


class OutageNotice(Model):
    """What cannot be supplied, since when, why, and what is done about it.

    `resources` empty means everything that the agency supplies.
    """

    division: DivisionCode
    started_on: Day
    reason: Text
    remedy: Text
    document: Text
    resources: tuple[ResourceCode, ...] = ()
    expected_until: Day | None = None


class Decision(Model):
    """Whether the authority takes it for force majeure."""

    reason: Text
    document: Text | None = None


class Restoration(Model):
    """Since when data flow again."""

    restored_on: Day
    remedy: Text


def _parties(form: OutageNotice, actor: Actor, view: RegisterView) -> Parties:
    del view
    return Parties(form.division, unit=actor.agency)


def _began(context: Context) -> Refused | None:
    if context.form.started_on > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies in the future", "started_on")
    return None


def _restored_after(context: Context) -> Refused | None:
    restored = context.form.restored_on
    if restored > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies in the future", "restored_on")
    if restored.isoformat() < context.matter.fact("report", "started_on"):
        return Refused(RefusalCode.E_FORM, "lies before the outage's start", "restored_on")
    return None


def _flag_late(context: Context) -> Sequence[Effect]:
    due = context.law.due(NOTICE, context.form.started_on, context.calendar, context.form.division)
    return (Flag(f"LATE:{NOTICE}"),) if local_date(context.at) > due.day else ()


def _pause(context: Context) -> Sequence[Effect]:
    notice = OutageNotice.model_validate(context.matter.facts["report"])
    unit = context.matter.parties.unit or ""
    return (Pause(unit, PAUSED_CLOCKS, notice.started_on, notice.resources), Put(_outage(context, notice)))


def _resume(context: Context) -> Sequence[Effect]:
    if "accept" not in context.matter.facts:
        return ()
    notice, restored = OutageNotice.model_validate(context.matter.facts["report"]), context.form.restored_on
    unit = context.matter.parties.unit or ""
    return (Resume(unit, PAUSED_CLOCKS, restored, notice.resources), Put(_outage(context, notice, restored)))


def _outage(context: Context, notice: OutageNotice, restored_on: date | None = None) -> Outage:
    """What the bus follows of it."""
    return Outage(
        number=context.matter.number,
        agency=context.matter.parties.unit or "",
        resources=notice.resources,
        state=OutageState.ACCEPTED if restored_on is None else OutageState.RESTORED,
        started_on=notice.started_on,
        restored_on=restored_on,
    )


OUTAGE = Workflow(
    code=CODE,
    prefix="OUT",
    zh="不可抗力报告",
    en="outage by force majeure",
    articles="47",
    states={
        "NOTIFIED": ("已书面通知", "told in writing"),
        "ACCEPTED": ("已认可", "accepted"),
        "NOT_ACCEPTED": ("未认可", "not accepted"),
        "RESTORED": ("已恢复", "restored"),
    },
    ends=frozenset({"RESTORED"}),
    parties=_parties,
    transitions=(
        Transition(
            "report",
            (NEW,),
            "NOTIFIED",
            (UNIT_ANYBODY,),
            "47",
            "书面通知不可抗力",
            "tell the authority in writing",
            form=OutageNotice,
            guards=(_began,),
            effects=(_flag_late,),
        ),
        Transition(
            "accept",
            ("NOTIFIED",),
            "ACCEPTED",
            (AUTHORITY,),
            "47",
            "认可不可抗力",
            "take it for force majeure",
            form=Decision,
            effects=(_pause,),
        ),
        Transition(
            "reject",
            ("NOTIFIED",),
            "NOT_ACCEPTED",
            (AUTHORITY,),
            "47",
            "不予认可",
            "not take it for force majeure",
            form=Decision,
        ),
        Transition(
            "restore",
            ("NOTIFIED", "ACCEPTED", "NOT_ACCEPTED"),
            "RESTORED",
            (UNIT_ANYBODY,),
            "47",
            "恢复提供",
            "supply again",
            form=Restoration,
            guards=(_restored_after,),
            effects=(_resume,),
        ),
    ),
)
