"""Disputes 争议 (Art 44, 57): negotiation, joint review, government, order, and defiance.

Article 57 refers to Article 35, which is about natural resources; Article 44 must be meant (an assumption). Grants
that stand are not touched while a dispute runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.entry import Model
from compliance.roles import (
    ANY_AGENCY,
    AUTHORITY,
    BY_CLOCK,
    BY_CONSEQUENCE,
    GOVERNMENT,
    LEGAL,
    OPERATOR,
    PROVIDER,
    REQUESTER,
    SECRECY,
    SERVICES,
    STAFFING,
    SUPERVISION,
    Actor,
    By,
    Party,
    Role,
)
from compliance.view import RegisterView
from compliance.workflow import (
    NEW,
    Act,
    Choice,
    Context,
    Effect,
    Flag,
    Matter,
    Matters,
    Parties,
    Start,
    Transition,
    Workflow,
)
from compliance.workflows.dispute_forms import FiledDispute, Finding, ItemDispute, Opinion, Order, Petition, Result
from compliance.workflows.sharing import Decree, Delivery, Withdrawal, division_of, not_onboarded, parent_of
from schemas.refusals import RefusalCode, Refused

MEMBERS: dict[str, By] = {"authority": AUTHORITY, "staffing": STAFFING, "legal": LEGAL, "services": SERVICES}
"""Who sits in the joint review 联合会审 (Art 44)."""
HEARD: dict[str, By] = {"legal": LEGAL, "secrecy": SECRECY, "supervision": SUPERVISION}
"""Whom the authority consults where Article 45 governs."""
_OPEN = ("NEGOTIATION", "BOARD", "REVIEWED", "GOVERNMENT", "ORDERED", "ORDER_OVERDUE")


def _parties(form: FiledDispute | ItemDispute, actor: Actor, view: RegisterView) -> Parties:
    if isinstance(form, ItemDispute):
        requester, provider = form.requester, form.provider
        return Parties(division_of(view, provider), requester=requester, provider=provider, resource=form.resource)
    division = division_of(view, form.against)
    return Parties(division, requester=actor.agency, provider=form.against, resource=form.resource)


# -- guards --------------------------------------------------------------------------------------------------------


def _both_known(context: Context) -> Refused | None:
    form: FiledDispute = context.form
    if context.actor.agency == form.against:
        return Refused(RefusalCode.E_FORM, "nobody has a dispute with itself", "against")
    return not_onboarded(context.view, form.against, "against")


def _unheard(matter: Matter, prefix: str, who: dict[str, By]) -> tuple[str, ...]:
    return tuple(name for name in who if f"{prefix}_{name}" not in matter.facts)


def _all_consulted(context: Context) -> Refused | None:
    lacking = _unheard(context.matter, "consult", HEARD)
    if not context.matter.fact("open_from_item", "conditional") or not lacking:
        return None
    return Refused(RefusalCode.E_STATE, f"not heard yet: {', '.join(lacking)}", cited="45")


def _all_opinions(context: Context) -> Refused | None:
    lacking = _unheard(context.matter, "opinion", MEMBERS)
    return Refused(RefusalCode.E_STATE, f"opinions missing: {', '.join(lacking)}") if lacking else None


def _delivered_on_the_item(context: Context) -> Refused | None:
    item = parent_of(context)
    if item is None or item.state == "SUPPLIED":
        return None
    return Refused(RefusalCode.E_STATE, "record the first delivery on the item; it fulfils the order")


# -- what follows --------------------------------------------------------------------------------------------------


def _tell_item(context: Context, action: str, form: Model | None = None) -> Sequence[Effect]:
    """What the dispute came to, for the item that led to it."""
    item = parent_of(context)
    return [Act(item.number, action, form)] if item is not None and item.state == "NEGOTIATION" else []


def _result_for_item(context: Context) -> Sequence[Effect]:
    actions = {"SHARE": "agree", "OTHERWISE": "settle"}
    action = actions.get(context.form.outcome)
    return _tell_item(context, action) if action is not None else []


def _not_shared(context: Context) -> Sequence[Effect]:
    return _tell_item(context, "close_not_shared")


def _ordered(context: Context) -> Sequence[Effect]:
    form: Order = context.form
    return _tell_item(context, "order", Decree(reason=form.number, document=form.document))


def _withdrawn(context: Context) -> Sequence[Effect]:
    return _tell_item(context, "withdraw", context.form)


def _unpublished(context: Context) -> Sequence[Effect]:
    del context
    return [Flag("NO_RESULT_PUBLISHED")]


def _review_late(context: Context) -> Sequence[Effect]:
    del context
    return [Flag("REVIEW_OVERDUE")]


def _agreed(context: Context) -> bool:
    form: Result = context.form
    return form.outcome != "UNSOLVED"


# -- the agenda ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """One dispute on the agenda of the joint review.

    Attributes:
        missing: the members whose opinion is not there yet.
    """

    dispute: Matter
    missing: tuple[str, ...]


def agenda(others: Matters) -> tuple[AgendaItem, ...]:
    """The disputes that wait for the joint review, oldest first (Art 44: pooled periodically)."""
    waiting = others.matters(DISPUTE.code, states=["BOARD"])
    return tuple(AgendaItem(matter, _unheard(matter, "opinion", MEMBERS)) for matter in waiting)


# -- the table -----------------------------------------------------------------------------------------------------

_OPENS = Start("negotiation", Role.AUTHORITY_CITY)
_POOLS = Start("board_pooling", Role.AUTHORITY_CITY)
_OFFICES = {"authority": "主管部门", "staffing": "编办", "legal": "法制", "services": "政务服务"}
_CONSULTED = {"legal": "法制", "secrecy": "保密", "supervision": "监察"}

_NEGOTIATION = (
    *(
        Transition(
            f"consult_{name}",
            ("NEGOTIATION",),
            "NEGOTIATION",
            (by,),
            "45",
            f"{_CONSULTED[name]}部门意见",
            f"opinion of {name}, whom the authority consults",
            form=Opinion,
        )
        for name, by in HEARD.items()
    ),
    Transition(
        "publish_result",
        ("NEGOTIATION",),
        Choice(((_agreed, "SETTLED"),), "BOARD"),
        (AUTHORITY,),
        "44",
        "公示协商结果",
        "publish the result of the negotiation",
        form=Result,
        starts=(Start("board_pooling", Role.AUTHORITY_CITY, when=lambda context: not _agreed(context)),),
        stops=("negotiation",),
        guards=(_all_consulted,),
        effects=(_result_for_item,),
    ),
    Transition(
        "put_on_agenda",
        ("NEGOTIATION",),
        "BOARD",
        (BY_CLOCK,),
        "44",
        "逾期未公示协商结果，列入联合会审",
        "no result in time: on the agenda of the joint review",
        starts=(_POOLS,),
        stops=("negotiation",),
        expiry_of="negotiation",
        effects=(_unpublished,),
    ),
)
_REVIEW = (
    *(
        Transition(
            f"opinion_{name}",
            ("BOARD",),
            "BOARD",
            (by,),
            "44",
            f"{_OFFICES[name]}会审意见",
            f"opinion of {name} in the joint review",
            form=Opinion,
        )
        for name, by in MEMBERS.items()
    ),
    Transition(
        "conclude_review",
        ("BOARD",),
        Choice(((_agreed, "SETTLED"),), "REVIEWED"),
        (AUTHORITY,),
        "44",
        "会审结论",
        "conclude the joint review",
        form=Result,
        stops=("board_pooling",),
        guards=(_all_opinions,),
        effects=(_result_for_item,),
    ),
    Transition(
        "review_overdue",
        ("BOARD",),
        "BOARD",
        (BY_CLOCK,),
        "44",
        "会审逾期",
        "the joint review is overdue",
        expiry_of="board_pooling",
        effects=(_review_late,),
    ),
)
_GOVERNMENT = (
    Transition(
        "petition",
        ("REVIEWED",),
        "GOVERNMENT",
        (REQUESTER, PROVIDER),
        "44",
        "书面提请市政府裁定",
        "petition the government in writing",
        form=Petition,
    ),
    Transition(
        "accept",
        ("REVIEWED",),
        "CLOSED_NOT_SHARED",
        (REQUESTER,),
        "44",
        "不再提请裁定",
        "accept that it is not shared",
        form=Withdrawal,
        effects=(_not_shared,),
    ),
    Transition(
        "order",
        ("GOVERNMENT",),
        "ORDERED",
        (GOVERNMENT,),
        "44",
        "审议决定应当共享",
        "decide that it is to be shared",
        form=Order,
        starts=(Start("supply_ordered", Party.PROVIDER, since="decided_on"),),
        effects=(_ordered,),
    ),
    Transition(
        "reject",
        ("GOVERNMENT",),
        "CLOSED_NOT_SHARED",
        (GOVERNMENT,),
        "44",
        "审议决定不予共享",
        "decide that it is not shared",
        form=Decree,
        effects=(_not_shared,),
    ),
    Transition(
        "order_overdue",
        ("ORDERED",),
        "ORDER_OVERDUE",
        (BY_CLOCK,),
        "44",
        "裁定后逾期未提供",
        "not supplied in time after the decision",
        expiry_of="supply_ordered",
    ),
    Transition(
        "find_defied",
        ("ORDER_OVERDUE",),
        "DEFIED",
        (AUTHORITY,),
        "44",
        "认定拒不执行",
        "find that the decision is defied",
        form=Finding,
    ),
    Transition(
        "comply",
        ("ORDERED", "ORDER_OVERDUE", "DEFIED"),
        "COMPLIED",
        (OPERATOR,),
        "44",
        "已按裁定提供",
        "supplied as ordered",
        form=Delivery,
        stops=("supply_ordered",),
        guards=(_delivered_on_the_item,),
    ),
)

DISPUTE = Workflow(
    code="dispute",
    prefix="DSP",
    zh="共享争议",
    en="dispute",
    articles="44, 57",
    states={
        "NEGOTIATION": ("协商中", "in negotiation"),
        "BOARD": ("待联合会审", "on the agenda of the joint review"),
        "REVIEWED": ("会审未解决", "not solved by the joint review"),
        "GOVERNMENT": ("已提请裁定", "before the government"),
        "ORDERED": ("裁定应当共享", "ordered"),
        "ORDER_OVERDUE": ("裁定逾期未执行", "the order is overdue"),
        "DEFIED": ("拒不执行", "the order is defied"),
        "COMPLIED": ("已执行裁定", "the order was obeyed"),
        "SETTLED": ("已解决", "settled"),
        "CLOSED_NOT_SHARED": ("不予共享", "closed, not shared"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"COMPLIED", "SETTLED", "CLOSED_NOT_SHARED", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "file",
            (NEW,),
            "NEGOTIATION",
            (ANY_AGENCY,),
            "57",
            "提请协调争议",
            "bring a dispute on catalogue, supply or use",
            form=FiledDispute,
            starts=(_OPENS,),
            guards=(_both_known,),
        ),
        Transition(
            "open_from_item",
            (NEW,),
            "NEGOTIATION",
            (BY_CONSEQUENCE,),
            "44, 45",
            "申请项转入协商",
            "an item of an application goes to negotiation",
            form=ItemDispute,
            starts=(_OPENS,),
        ),
        *_NEGOTIATION,
        *_REVIEW,
        *_GOVERNMENT,
        Transition(
            "withdraw",
            _OPEN,
            "WITHDRAWN",
            (REQUESTER,),
            "44",
            "撤回争议",
            "withdraw the dispute",
            form=Withdrawal,
            effects=(_withdrawn,),
        ),
    ),
)
