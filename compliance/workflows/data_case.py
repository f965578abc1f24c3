"""Cases about data 核查: filed objections (Art 56), discrepancies (5), digests (10), names (28), cross-checks (decisions 36).

Art 56's clocks bind filed objections alone; cases of other origins have configured targets. The operator never writes
data (Art 9): a technical fault is mended by deriving the owner's signed event again, all else by the owner's own event.
What the bus found by itself it also sees end: by the owner's correcting event, or otherwise. The report stays a
person's.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from compliance.catalogue import schema_or_none
from compliance.divisions import DivisionSet
from compliance.entry import CatalogueEntry, Model
from compliance.models import Waiver
from compliance.roles import ANY_AGENCY, OPERATOR, PROVIDER, Actor, By, Party, Role
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Matter, Parties, Put, Start, Transition, Workflow
from compliance.workflows.data_case_forms import (
    Case,
    CopySent,
    Correction,
    CrossCheck,
    DigestDifference,
    Discrepancy,
    Finding,
    Location,
    NameDifference,
    Notice,
    Objection,
    Origin,
    OwnerAnswer,
    Rederivation,
    Resolution,
    Revision,
    VerificationReport,
    WaiverDecision,
)
from schemas.refusals import RefusalCode, Refused

CODE = "data_case"
OPENINGS: dict[str, Origin] = {
    "object": Origin.OBJECTION,
    "report_discrepancy": Origin.DISCREPANCY,
    "report_digest": Origin.DIGEST,
    "report_name": Origin.NAME,
    "report_cross_check": Origin.CROSS_CHECK,
}
_FOUND_BY_THE_BUS = frozenset({Origin.DIGEST, Origin.NAME, Origin.CROSS_CHECK})
_WAIVERS = UUID("c0d0b7a4-6f5e-5b0c-8d0a-3e1f6c2b9a71")
SEEN = ("RECEIVED", "NOTIFIED")
"""Where the bus may see a difference end: what somebody answered or found stands."""
REVISED = ("RECEIVED", "VERIFIED_TECHNICAL", "NOTIFIED", "UNFOUNDED", "OWNER_DONE")
OPEN_STATES = ("RECEIVED", "VERIFIED_TECHNICAL", "NOTIFIED", "UNFOUNDED", "CORRECTED", "OWNER_DONE", "REPORTED")


def origin_of(matter: Matter) -> Origin:
    """Where a case comes from."""
    return next(origin for action, origin in OPENINGS.items() if action in matter.facts)


def opening_of(matter: Matter) -> str:
    """The action that opened a case."""
    return next(action for action in OPENINGS if action in matter.facts)


def current(matter: Matter, key: str) -> Any:  # noqa: ANN401  JSON
    """One value of what is disputed now: as it was revised last, else as the case was opened."""
    revised = matter.facts.get("revise")
    if revised is not None and (key == "fields" or revised.get(key)):
        return revised.get(key)
    return matter.fact(opening_of(matter), key)


def _objection(context: Context) -> bool:
    return OPENINGS.get(context.transition.action) is Origin.OBJECTION or "object" in context.matter.facts


def _found_by_others(context: Context) -> bool:
    return not _objection(context)


def _correction_asked(context: Context) -> bool:
    """Art 26 of the State Council's regulation, where it binds: an agency asked the owner to verify and correct."""
    known = any(rule.id == "correction_answer" for profile in context.law.profiles for rule in profile.clocks)
    return known and context.matter.parties.requester is not None


def _owners(entry: CatalogueEntry | None, division: str) -> tuple[str, ...]:
    """The agencies that may own a subject of that division, as the catalogue has it."""
    found: dict[str, None] = {}
    for rule in entry.owners if entry is not None else ():
        if rule.divisions is None or DivisionSet(rule.divisions).covers(division):
            found |= dict.fromkeys(rule.agencies)
    return tuple(found)


def _parties(form: Case, actor: Actor, view: RegisterView) -> Parties:
    owners = _owners(view.entry(form.resource), form.division)
    owner = form.owner or (owners[0] if len(owners) == 1 else None)
    return Parties(form.division, requester=actor.agency, provider=owner, resource=form.resource, subject=form.token)


def _in_catalogue(context: Context) -> Refused | None:
    """The resource is one of the catalogue, and has the fields."""
    entry = context.view.entry(context.form.resource)
    if entry is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "there is no entry for the resource", "resource")
    schema = schema_or_none(entry)
    known = schema.fields if schema is not None else {}
    unknown = [name for name in context.form.fields if name not in known]
    if unknown:
        return Refused(RefusalCode.E_FORM, f"the resource has no field {', '.join(unknown)}", "fields")
    return None


def _owner_known(context: Context) -> Refused | None:
    owners = _owners(context.view.entry(context.form.resource), context.form.division)
    if context.matter.parties.provider in owners:
        return None
    if context.form.owner is not None:
        return Refused(RefusalCode.E_FORM, "that agency is no owner of the resource there", "owner")
    detail = "the resource has several owners there: name one" if owners else "the resource has no owner there"
    return Refused(RefusalCode.E_FORM, detail, "owner")


def _not_the_owner(context: Context) -> Refused | None:
    """An owner corrects its own data by an event; there is nobody else whom the case would go to."""
    if context.matter.parties.requester == context.matter.parties.provider:
        return Refused(RefusalCode.E_FORM, "the owner corrects its own data, by an event that supersedes", "owner")
    return None


def _another_event(context: Context) -> Refused | None:
    event = context.form.correcting_event
    if event is not None and event == current(context.matter, "event_id"):
        return Refused(RefusalCode.E_FORM, "the correcting event is the disputed one", "correcting_event")
    return None


def _found_by_the_bus(context: Context) -> Refused | None:
    if origin_of(context.matter) not in _FOUND_BY_THE_BUS:
        return Refused(RefusalCode.E_STATE, "somebody filed this case: its difference is judged by people")
    return None


def _from_a_hit(context: Context) -> Refused | None:
    """A pair can be waived where a cross-check of the bus compared one."""
    if current(context.matter, "compared") is None or context.matter.parties.subject is None:
        return Refused(RefusalCode.E_STATE, "no cross-check of the bus found this case: there is no pair to waive")
    return None


def _own_fields(context: Context) -> Refused | None:
    entry = context.view.entry(context.matter.parties.resource or "")
    schema = schema_or_none(entry) if entry is not None else None
    unknown = [name for name in context.form.fields if schema is None or name not in schema.fields]
    if unknown:
        return Refused(RefusalCode.E_FORM, f"the resource has no field {', '.join(unknown)}", "fields")
    return None


def _waiver(context: Context) -> tuple[Put, ...]:
    """The pair as it is compared now is in order: cross-checks pass it over while that stays (docs/freshness.md)."""
    matter = context.matter
    pair, compared = current(matter, "pair"), current(matter, "compared")
    model = Waiver(
        id=str(uuid5(_WAIVERS, f"{matter.number}|{pair}|{compared}")),
        token=matter.parties.subject or "",
        pair=pair,
        compared=compared,
        reason=context.form.reason,
        role=context.actor.role,
        decided_at=context.at,
        case=matter.number,
    )
    return (Put(model),)


def _copy_first(context: Context) -> Refused | None:
    """An applicant has its copy before the case is closed; what the bus found itself has no applicant."""
    if context.matter.parties.requester is not None and "send_copy" not in context.matter.facts:
        return Refused(RefusalCode.E_STATE, "the applicant has not got its copy of the report")
    return None


def _applicant_there(context: Context) -> Refused | None:
    if context.matter.parties.requester is None:
        return Refused(RefusalCode.E_STATE, "the bus found this case itself: there is no applicant")
    return None


def _clocks(art56: str, target: str, owes: Party | Role) -> tuple[Start, Start]:
    """Art 56's clock for an objection, the configured target for all else."""
    return Start(art56, owes, when=_objection), Start(target, owes, when=_found_by_others)


def _opening(action: str, by: By, article: str, zh: str, en: str, form: type[Model]) -> Transition:
    guards: list[Callable[[Context], Refused | None]] = [_in_catalogue, _owner_known]
    if by is ANY_AGENCY:
        guards.append(_not_the_owner)
    return Transition(
        action,
        (NEW,),
        "RECEIVED",
        (by,),
        article,
        zh,
        en,
        form=form,
        starts=_clocks("objection_verification", "case_verification", Role.OPERATOR_CITY),
        guards=tuple(guards),
    )


def _revising(state: str) -> Transition:
    return Transition(
        "revise",
        (state,),
        state,
        (OPERATOR,),
        "5",
        "差异随新版本更新",
        "note the versions by which the difference goes on",
        form=Revision,
        guards=(_found_by_the_bus, _own_fields),
    )


def _waiving(state: str, target: str) -> Transition:
    return Transition(
        "waive",
        (state,),
        target,
        (OPERATOR,),
        "5, 28",
        "认定比对结果无误并登记豁免",
        "find the pair to be in order, so that it is not found again while it stays as it is",
        form=WaiverDecision,
        stops=(*_VERIFYING, *ANSWERING),
        guards=(_from_a_hit,),
        effects=(_waiver,),
    )


_VERIFYING = ("objection_verification", "case_verification")
_CORRECTING = ("technical_correction", "case_correction")
ANSWERING = ("owner_correction", "case_owner_answer", "correction_answer")

DATA_CASE = Workflow(
    code=CODE,
    prefix="CASE",
    zh="数据核查",
    en="case about data",
    articles="5, 10, 28, 56",
    states={
        "RECEIVED": ("已受理", "received"),
        "VERIFIED_TECHNICAL": ("已查明为技术原因", "found to be technical"),
        "NOTIFIED": ("已通知责任采集部门", "owner told"),
        "UNFOUNDED": ("异议不成立", "found to be unfounded"),
        "CORRECTED": ("技术差异已更正", "technical fault mended"),
        "OWNER_DONE": ("责任采集部门已核查处理", "owner has answered"),
        "REPORTED": ("核查报告已制作", "reported"),
        "CLOSED": ("已办结", "closed"),
    },
    ends=frozenset({"CLOSED"}),
    parties=_parties,
    transitions=(
        _opening("object", ANY_AGENCY, "56", "提出复核申请", "object to what is shared", Objection),
        _opening("report_discrepancy", ANY_AGENCY, "5", "报告信息不一致", "report another value", Discrepancy),
        _opening("report_digest", OPERATOR, "10", "登记摘要差异", "note a difference of digests", DigestDifference),
        _opening("report_name", OPERATOR, "28", "登记姓名比对差异", "note a difference of names", NameDifference),
        _opening("report_cross_check", OPERATOR, "5", "登记交叉核验差异", "note a contradiction", CrossCheck),
        Transition(
            "locate",
            ("RECEIVED",),
            "RECEIVED",
            (OPERATOR,),
            "56",
            "定位记录",
            "find the record that is meant",
            form=Location,
        ),
        Transition(
            "find_technical",
            ("RECEIVED",),
            "VERIFIED_TECHNICAL",
            (OPERATOR,),
            "56",
            "查明技术原因",
            "find a technical cause",
            form=Finding,
            starts=_clocks(*_CORRECTING, Role.OPERATOR_CITY),
            stops=_VERIFYING,
        ),
        Transition(
            "notify_owner",
            ("RECEIVED",),
            "NOTIFIED",
            (OPERATOR,),
            "56",
            "通知责任采集部门核查",
            "tell the owner, whose matter it is",
            form=Notice,
            starts=(
                *_clocks("owner_correction", "case_owner_answer", Party.PROVIDER),
                Start("correction_answer", Party.PROVIDER, when=_correction_asked),
            ),
            stops=_VERIFYING,
        ),
        Transition(
            "find_unfounded",
            ("RECEIVED",),
            "UNFOUNDED",
            (OPERATOR,),
            "56",
            "认定异议不成立",
            "find nothing wrong",
            form=Finding,
            stops=_VERIFYING,
        ),
        Transition(
            "correct",
            ("VERIFIED_TECHNICAL",),
            "CORRECTED",
            (OPERATOR,),
            "56",
            "更正技术差异",
            "derive and deliver the owner's event again",
            form=Rederivation,
            stops=_CORRECTING,
        ),
        Transition(
            "answer",
            ("NOTIFIED",),
            "OWNER_DONE",
            (PROVIDER,),
            "56",
            "报送核查结果和更正情况",
            "answer as the owner",
            form=OwnerAnswer,
            stops=ANSWERING,
            guards=(_another_event,),
        ),
        Transition(
            "see_corrected",
            SEEN,
            "OWNER_DONE",
            (OPERATOR,),
            "5, 28",
            "收到责任采集部门的更正事件",
            "see the owner's correcting event",
            form=Correction,
            stops=(*_VERIFYING, *ANSWERING),
            guards=(_found_by_the_bus, _another_event),
        ),
        Transition(
            "see_resolved",
            SEEN,
            "OWNER_DONE",
            (OPERATOR,),
            "5, 10, 28",
            "差异已消除",
            "see that the difference is gone",
            form=Resolution,
            stops=(*_VERIFYING, *ANSWERING),
            guards=(_found_by_the_bus,),
        ),
        *(_revising(state) for state in REVISED),
        _waiving("RECEIVED", "UNFOUNDED"),
        _waiving("NOTIFIED", "UNFOUNDED"),
        _waiving("UNFOUNDED", "UNFOUNDED"),
        _waiving("OWNER_DONE", "OWNER_DONE"),
        Transition(
            "report",
            ("CORRECTED", "OWNER_DONE", "UNFOUNDED"),
            "REPORTED",
            (OPERATOR,),
            "56",
            "制作核查报告并存档",
            "write and archive the report",
            form=VerificationReport,
        ),
        Transition(
            "send_copy",
            ("REPORTED",),
            "REPORTED",
            (OPERATOR,),
            "56",
            "抄送申请机关",
            "send the applicant its copy",
            form=CopySent,
            guards=(_applicant_there,),
        ),
        Transition(
            "close",
            ("REPORTED",),
            "CLOSED",
            (OPERATOR,),
            "56",
            "办结",
            "close the case",
            guards=(_copy_first,),
        ),
    ),
)
