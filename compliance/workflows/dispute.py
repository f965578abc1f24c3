"""Disputes 争议 (Art 44, 57): negotiation, joint review, government, order, and defiance.

Article 57 refers to Article 35, which is about natural resources; Article 44 must be meant (an assumption). Grants
that stand are not touched while a dispute runs.
"""

from compliance.roles import (
    ANY_AGENCY,
    AUTHORITY,
    BY_CLOCK,
    BY_CONSEQUENCE,
    GOVERNMENT,
    OPERATOR,
    PROVIDER,
    REQUESTER,
    Actor,
    Party,
    Role,
)
from compliance.view import RegisterView
from compliance.workflow import (
    NEW,
    Choice,
    Parties,
    Start,
    Transition,
    Workflow,
)
from compliance.workflows import dispute_rules as rules
from compliance.workflows.dispute_forms import FiledDispute, Finding, ItemDispute, Opinion, Order, Petition, Result
from compliance.workflows.sharing import Decree, Delivery, Withdrawal, division_of

_OPEN = ("NEGOTIATION", "BOARD", "REVIEWED", "GOVERNMENT", "ORDERED", "ORDER_OVERDUE")


def _parties(form: FiledDispute | ItemDispute, actor: Actor, view: RegisterView) -> Parties:
    if isinstance(form, ItemDispute):
        requester, provider = form.requester, form.provider
        return Parties(division_of(view, provider), requester=requester, provider=provider, resource=form.resource)
    division = division_of(view, form.against)
    return Parties(division, requester=actor.agency, provider=form.against, resource=form.resource)


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
        for name, by in rules.HEARD.items()
    ),
    Transition(
        "publish_result",
        ("NEGOTIATION",),
        Choice(((rules.agreed, "SETTLED"),), "BOARD"),
        (AUTHORITY,),
        "44",
        "公示协商结果",
        "publish the result of the negotiation",
        form=Result,
        starts=(Start("board_pooling", Role.AUTHORITY_CITY, when=lambda context: not rules.agreed(context)),),
        stops=("negotiation",),
        guards=(rules.all_consulted,),
        effects=(rules.result_for_item,),
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
        effects=(rules.unpublished,),
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
        for name, by in rules.MEMBERS.items()
    ),
    Transition(
        "conclude_review",
        ("BOARD",),
        Choice(((rules.agreed, "SETTLED"),), "REVIEWED"),
        (AUTHORITY,),
        "44",
        "会审结论",
        "conclude the joint review",
        form=Result,
        stops=("board_pooling",),
        guards=(rules.all_opinions,),
        effects=(rules.result_for_item,),
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
        effects=(rules.review_late,),
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
        effects=(rules.not_shared,),
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
        effects=(rules.ordered,),
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
        effects=(rules.not_shared,),
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
        guards=(rules.delivered_on_the_item,),
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
            guards=(rules.both_known,),
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
            effects=(rules.withdrawn,),
        ),
    ),
)
