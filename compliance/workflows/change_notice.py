"""Change notices 变化报告 (Art 14): an agency reports what it can supply or needs anew; the authority sees to the catalogue.

Attributes are adjusted at once, items, content and owner go the whole procedure; the notice ends with what it asked
for, or with the written reason why nothing changes.
"""

from collections.abc import Sequence
from enum import StrEnum

from compliance.catalogue import local_date
from compliance.clocks import Role as ClockOwner
from compliance.entry import Model
from compliance.proposal import DIVISION
from compliance.roles import AUTHORITY, BY_CONSEQUENCE, OPERATOR, UNIT, Actor, Party, Role
from compliance.values import Day, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Flag, Matter, Open, Parties, Start, Transition, Workflow
from compliance.workflows.catalogue_forms import Adjustment, Draft
from compliance.workflows.catalogue_rules import PENDING
from schemas.refusals import RefusalCode, Refused

REPORT_CLOCK = "change_report"
UPDATE_CLOCK = "catalogue_update"
_DONE = ("PUBLISHED", "SUPERSEDED", "RETIRED")


class Change(StrEnum):
    """What changed."""

    SUPPLY = "SUPPLY"
    NEED = "NEED"
    DUTY = "DUTY"


class Notice(Model):
    """The written report: what changed, when, and the signed document; `resource` where an entry is concerned."""

    change: Change
    resource: ResourceCode | None = None
    statement: Text
    changed_on: Day
    document: Text


class Dismissal(Model):
    """Why the catalogue stays as it is, in writing."""

    reason: Text
    document: Text


class Withdrawal(Model):
    """Why the agency takes the notice back."""

    reason: Text


def _parties(form: Notice, actor: Actor, view: RegisterView) -> Parties:
    entry = view.entry(form.resource) if form.resource is not None else None
    agency = view.agency(actor.agency or "")
    if entry is not None and entry.scope != "CITY":
        division = entry.scope
    elif entry is not None or agency is None:
        division = DIVISION
    else:
        division = agency.division
    return Parties(division, unit=actor.agency, resource=form.resource)


def _known(context: Context) -> Refused | None:
    form: Notice = context.form
    if context.view.agency(context.actor.agency or "") is None:
        return Refused(RefusalCode.E_NOT_ONBOARDED, "the agency is not in the register")
    if form.resource is not None and context.view.entry(form.resource) is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "there is no entry for the resource", "resource")
    if form.changed_on > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies ahead", "changed_on")
    return None


def _drafts(context: Context, states: Sequence[str]) -> list[Matter]:
    return [child for child in context.others.children(context.matter.number) if child.state in states]


def _of_the_resource(context: Context) -> Refused | None:
    resource = context.matter.parties.resource
    if resource is not None and context.form.entry.resource != resource:
        return Refused(RefusalCode.E_FORM, "the entry is of another resource than the notice", "entry")
    if _drafts(context, PENDING):
        return Refused(RefusalCode.E_STATE, "a draft for the notice is under way")
    return None


def _served(context: Context) -> Refused | None:
    if not _drafts(context, _DONE):
        return Refused(RefusalCode.E_STATE, "no version for the notice has been published")
    return None


def _nothing_under_way(context: Context) -> Refused | None:
    if _drafts(context, PENDING):
        return Refused(RefusalCode.E_STATE, "a draft for the notice is under way")
    return None


def _late(context: Context) -> Sequence[Effect]:
    parties = context.matter.parties
    due = context.law.due(REPORT_CLOCK, context.form.changed_on, context.calendar, parties.division)
    return (Flag(f"LATE:{REPORT_CLOCK}"),) if local_date(context.at) > due.day else ()


def _adjust(context: Context) -> Sequence[Effect]:
    form: Adjustment = context.form
    return (Open("catalogue", "adjust", form.model_copy(update={"notice": context.matter.number})),)


def _draft(context: Context) -> Sequence[Effect]:
    form: Draft = context.form
    return (Open("catalogue", "draft", form.model_copy(update={"origin": context.matter.number})),)


def _agency_owes(context: Context) -> bool:
    # The State Council's text binds the agency from the change on, the municipal one the authority from the report on.
    rule = context.law.rule(UPDATE_CLOCK, context.matter.parties.division).rule
    return rule.owner is ClockOwner.PROVIDER


CHANGE_NOTICE = Workflow(
    code="change_notice",
    prefix="CHG",
    zh="信息或需求变化报告",
    en="change notice",
    articles="14",
    states={
        "REPORTED": ("已报告", "reported"),
        "IN_PROCEDURE": ("目录程序办理中", "a draft is under way"),
        "ADJUSTED": ("目录已调整", "the catalogue was adjusted"),
        "NO_CHANGE": ("不予调整", "the catalogue stays as it is"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"ADJUSTED", "NO_CHANGE", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "report",
            (NEW,),
            "REPORTED",
            (UNIT,),
            "14",
            "报告变化",
            "report a change",
            form=Notice,
            starts=(
                Start(UPDATE_CLOCK, Party.UNIT, since="changed_on", when=_agency_owes),
                Start(UPDATE_CLOCK, Role.AUTHORITY_CITY, when=lambda context: not _agency_owes(context)),
            ),
            guards=(_known,),
            effects=(_late,),
        ),
        Transition(
            "adjust",
            ("REPORTED",),
            "ADJUSTED",
            (AUTHORITY,),
            "14",
            "调整目录属性",
            "adjust attributes of the entry",
            form=Adjustment,
            stops=(UPDATE_CLOCK,),
            guards=(_of_the_resource,),
            effects=(_adjust,),
        ),
        Transition(
            "draft",
            ("REPORTED",),
            "IN_PROCEDURE",
            (OPERATOR,),
            "14, 40",
            "启动目录变更程序",
            "draft a version for it",
            form=Draft,
            guards=(_of_the_resource,),
            effects=(_draft,),
        ),
        Transition(
            "settle",
            ("IN_PROCEDURE",),
            "ADJUSTED",
            (BY_CONSEQUENCE,),
            "14",
            "目录已重新公布",
            "end with the publication of the version",
            stops=(UPDATE_CLOCK,),
            guards=(_served,),
        ),
        Transition(
            "take_back",
            ("IN_PROCEDURE",),
            "REPORTED",
            (BY_CONSEQUENCE,),
            "14",
            "目录草案已撤销",
            "go back, because the draft was given up",
            guards=(_nothing_under_way,),
        ),
        Transition(
            "dismiss",
            ("REPORTED",),
            "NO_CHANGE",
            (AUTHORITY,),
            "14",
            "不予调整",
            "leave the catalogue as it is, with the reason",
            form=Dismissal,
            stops=(UPDATE_CLOCK,),
        ),
        Transition(
            "withdraw",
            ("REPORTED",),
            "WITHDRAWN",
            (UNIT,),
            "14",
            "撤回报告",
            "take the notice back",
            form=Withdrawal,
        ),
    ),
)
