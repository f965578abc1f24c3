"""Cases about data 核查: filed objections (Art 56), discrepancies (5), digests (10), names (28), cross-checks (decisions 36).

Art 56's clocks bind filed objections alone; cases of other origins have configured targets. The operator never writes
data (Art 9): a technical fault is mended by deriving the owner's signed event again, all else by the owner's own event.
What the bus found by itself it also sees end: by the owner's correcting event, or otherwise. The report stays a
person's.
"""

from collections.abc import Callable

from compliance.entry import Model
from compliance.roles import ANY_AGENCY, OPERATOR, PROVIDER, By, Party, Role
from compliance.workflow import NEW, Context, Start, Transition, Workflow
from compliance.workflows.data_case_forms import (
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
    OwnerAnswer,
    Rederivation,
    Resolution,
    Revision,
    VerificationReport,
    WaiverDecision,
)
from compliance.workflows.data_case_rules import (
    another_event,
    applicant_there,
    copy_first,
    correction_asked,
    fields_of_the_resource,
    found_by_the_bus,
    from_a_hit,
    in_catalogue,
    is_found_by_others,
    is_objection,
    not_the_owner,
    owner_known,
    parties_of,
    waiver,
)
from schemas.refusals import Refused

CODE = "data_case"
SEEN = ("RECEIVED", "NOTIFIED")
"""Where the bus may see a difference end: what somebody answered or found stands."""
REVISED = ("RECEIVED", "VERIFIED_TECHNICAL", "NOTIFIED", "UNFOUNDED", "OWNER_DONE")
OPEN_STATES = ("RECEIVED", "VERIFIED_TECHNICAL", "NOTIFIED", "UNFOUNDED", "CORRECTED", "OWNER_DONE", "REPORTED")


def _clocks(art56: str, target: str, owes: Party | Role) -> tuple[Start, Start]:
    """Art 56's clock for an objection, the configured target for all else."""
    return Start(art56, owes, when=is_objection), Start(target, owes, when=is_found_by_others)


def _opening(action: str, by: By, article: str, zh: str, en: str, form: type[Model]) -> Transition:
    guards: list[Callable[[Context], Refused | None]] = [in_catalogue, owner_known]
    if by is ANY_AGENCY:
        guards.append(not_the_owner)
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
        guards=(found_by_the_bus, fields_of_the_resource),
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
        guards=(from_a_hit,),
        effects=(waiver,),
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
    parties=parties_of,
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
                Start("correction_answer", Party.PROVIDER, when=correction_asked),
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
            guards=(another_event,),
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
            guards=(found_by_the_bus, another_event),
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
            guards=(found_by_the_bus,),
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
            guards=(applicant_there,),
        ),
        Transition(
            "close",
            ("REPORTED",),
            "CLOSED",
            (OPERATOR,),
            "56",
            "办结",
            "close the case",
            guards=(copy_first,),
        ),
    ),
)
