"""One item of an application (Art 44, 45): the provider's answer, the way to the grant, and to the dispute."""

from typing import Any

from compliance.roles import AUTHORITY, BY_CLOCK, BY_CONSEQUENCE, OPERATOR, PROVIDER, REQUESTER, Actor, Party
from compliance.view import RegisterView
from compliance.workflow import NEW, Choice, Parties, Start, Transition, Workflow
from compliance.workflows import item_rules as rules
from compliance.workflows.item_forms import (
    Catalogued,
    Confirmation,
    Extension,
    Item,
    Missing,
    PartConfirmation,
    Replacement,
    Reply,
    Rest,
    Supplement,
)
from compliance.workflows.sharing import Decree, Delivery, Reasons, Withdrawal, division_of

_ANSWER = ("application_answer", "conditional_answer", "conditional_extension")
_SUPPLY = ("supply_confirmed", "conditional_supply")
_ASKED = ("AWAITING_ANSWER",)
_AGREED = ("CONFIRMED", "PARTLY_CONFIRMED")
_STARTS_ANSWER = (
    Start("application_answer", Party.PROVIDER, since="received_on", when=rules.unconditional),
    Start("conditional_answer", Party.PROVIDER, since="received_on", when=rules.conditional),
)
_RESTARTS_ANSWER = (
    Start("application_answer", Party.PROVIDER, when=rules.unconditional),
    Start("conditional_answer", Party.PROVIDER, when=rules.conditional),
)
_STARTS_SUPPLY = (
    Start("supply_confirmed", Party.PROVIDER, when=rules.unconditional),
    Start("conditional_supply", Party.PROVIDER, when=rules.conditional),
)


def _parties(form: Item, actor: Actor, view: RegisterView) -> Parties:
    del actor
    # The provider owes the answer: its county's own limits bind (Art 60).
    division = division_of(view, form.provider)
    return Parties(division, requester=form.requester, provider=form.provider, resource=form.resource)


def _silence(action: str, clock: str, article: str) -> Transition:
    return Transition(
        action,
        _ASKED,
        "NEGOTIATION",
        (BY_CLOCK,),
        article,
        "逾期未答复，转入协商",
        "no answer in time: negotiation",
        stops=_ANSWER,
        expiry_of=clock,
        effects=(rules.flag_late, rules.open_dispute),
    )


def _overdue(state: str, clock: str) -> Transition:
    return Transition(
        f"{clock}_overdue",
        (state,),
        state,
        (BY_CLOCK,),
        "44, 45",
        "提供逾期",
        "the supply is overdue",
        expiry_of=clock,
        effects=(rules.flag_overdue,),
    )


def _consequence(action: str, target: str, zh: str, en: str, **more: Any) -> Transition:  # noqa: ANN401  of Transition
    return Transition(action, ("NEGOTIATION",), target, (BY_CONSEQUENCE,), "44", zh, en, **more)


_ANSWERS = (
    Transition(
        "tell_missing",
        _ASKED,
        "INCOMPLETE",
        (PROVIDER,),
        "2025:21",
        "一次性告知补正",
        "tell once everything that is missing",
        form=Missing,
        stops=_ANSWER,
        guards=(rules.told_once,),
    ),
    Transition(
        "complete",
        ("INCOMPLETE",),
        "AWAITING_ANSWER",
        (REQUESTER,),
        "2025:21",
        "补正",
        "hand in what was missing",
        form=Supplement,
        starts=_RESTARTS_ANSWER,
    ),
    Transition(
        "extend",
        _ASKED,
        "AWAITING_ANSWER",
        (AUTHORITY,),
        "2025:21",
        "同意延长答复期限",
        "consent to a longer time to answer",
        form=Extension,
        starts=(Start("conditional_extension", Party.PROVIDER, since="first_limit"),),
        stops=("conditional_answer",),
        guards=(rules.may_be_extended,),
    ),
    Transition(
        "confirm",
        _ASKED,
        "CONFIRMED",
        (PROVIDER,),
        "44, 45",
        "同意共享",
        "agree to share",
        form=Confirmation,
        starts=_STARTS_SUPPLY,
        stops=_ANSWER,
        guards=(rules.free_of_charge,),
        effects=(rules.propose_grant,),
    ),
    Transition(
        "confirm_part",
        _ASKED,
        "PARTLY_CONFIRMED",
        (PROVIDER,),
        "44, 45",
        "部分同意共享",
        "agree to share some of the fields",
        form=PartConfirmation,
        starts=_STARTS_SUPPLY,
        stops=_ANSWER,
        guards=(rules.free_of_charge, rules.part_of_what_was_asked),
        effects=(rules.propose_grant, rules.split_rest),
    ),
    Transition(
        "offer_replacement",
        _ASKED,
        "REPLACEMENT_OFFERED",
        (PROVIDER,),
        "44, 45",
        "提供替代资源",
        "offer another resource instead",
        form=Replacement,
        stops=_ANSWER,
        guards=(rules.free_of_charge, rules.replacement_is_the_providers),
    ),
    Transition(
        "refuse",
        _ASKED,
        Choice(((rules.unconditional, "NEGOTIATION"),), "REFUSED"),
        (PROVIDER,),
        "44, 45",
        "不同意共享",
        "refuse, with reason, citation and document",
        form=Reasons,
        stops=_ANSWER,
        guards=(rules.reasoned,),
        effects=(rules.open_dispute_of_unconditional,),
    ),
    _silence("silence", "application_answer", "44"),
    _silence("silence_conditional", "conditional_answer", "45"),
    _silence("silence_extended", "conditional_extension", "2025:21"),
)
_REPLIES = (
    Transition(
        "accept_refusal",
        ("REFUSED",),
        "CLOSED_NOT_SHARED",
        (REQUESTER,),
        "45",
        "接受不予共享",
        "accept that it is not shared",
        form=Reply,
        effects=(rules.close_application,),
    ),
    Transition(
        "contest",
        ("REFUSED",),
        "NEGOTIATION",
        (REQUESTER,),
        "45",
        "报请协调",
        "ask the authority to mediate",
        form=Reply,
        effects=(rules.open_dispute,),
    ),
    Transition(
        "accept_replacement",
        ("REPLACEMENT_OFFERED",),
        "CONFIRMED",
        (REQUESTER,),
        "44, 45",
        "接受替代资源",
        "accept the resource offered instead",
        form=Reply,
        starts=_STARTS_SUPPLY,
        effects=(rules.propose_grant,),
    ),
    Transition(
        "decline_replacement",
        ("REPLACEMENT_OFFERED",),
        "NEGOTIATION",
        (REQUESTER,),
        "44, 45",
        "不接受替代资源",
        "decline the resource offered instead",
        form=Reply,
        effects=(rules.open_dispute,),
    ),
    Transition(
        "withdraw",
        (*_ASKED, "INCOMPLETE", *_AGREED, "REPLACEMENT_OFFERED", "REFUSED", "NEGOTIATION", "ORDERED"),
        "WITHDRAWN",
        (REQUESTER,),
        "44, 45",
        "撤回该项",
        "withdraw the item",
        form=Withdrawal,
        effects=(rules.give_up, rules.close_application),
    ),
)
_OUTCOMES = (
    _consequence(
        "agree",
        "CONFIRMED",
        "协商同意共享",
        "agreed to share in the negotiation or the review",
        starts=_STARTS_SUPPLY,
        effects=(rules.propose_grant,),
    ),
    _consequence("settle", "SETTLED", "协商解决", "settled otherwise", effects=(rules.close_application,)),
    _consequence("close_not_shared", "CLOSED_NOT_SHARED", "不予共享", "not shared", effects=(rules.close_application,)),
    _consequence(
        "order", "ORDERED", "裁定应当共享", "the government ordered it", form=Decree, effects=(rules.propose_grant,)
    ),
)
_SUPPLIES = (
    Transition(
        "catalogue",
        _AGREED[:1],
        "CONFIRMED",
        (OPERATOR,),
        "40, 45",
        "目录外信息已入目录",
        "information from outside the catalogue stands in it now",
        form=Catalogued,
        guards=(rules.now_in_the_catalogue,),
        effects=(rules.propose_grant,),
    ),
    Transition(
        "deliver_first",
        (*_AGREED, "ORDERED"),
        "SUPPLIED",
        (OPERATOR,),
        "44, 45",
        "首次提供",
        "record the first delivery, with evidence",
        form=Delivery,
        stops=_SUPPLY,
        guards=(rules.grant_is_active,),
        effects=(rules.fulfil_order, rules.close_application),
    ),
    *(_overdue(state, clock) for state in _AGREED for clock in _SUPPLY),
)

APPLICATION_ITEM = Workflow(
    code=rules.CODE,
    prefix="ITM",
    zh="申请项",
    en="item of an application",
    articles="44, 45",
    states={
        "AWAITING_ANSWER": ("待答复", "awaiting the provider's answer"),
        "INCOMPLETE": ("待一次性补正", "incomplete, told once"),
        "CONFIRMED": ("同意共享", "confirmed"),
        "PARTLY_CONFIRMED": ("部分同意共享", "confirmed in part"),
        "REPLACEMENT_OFFERED": ("提供替代资源", "a replacement is offered"),
        "REFUSED": ("不同意共享", "refused"),
        "NEGOTIATION": ("协商及争议处理中", "in negotiation or dispute"),
        "ORDERED": ("裁定应当共享", "ordered by the government"),
        "SUPPLIED": ("已提供", "supplied"),
        "SETTLED": ("协商解决", "settled otherwise"),
        "CLOSED_NOT_SHARED": ("不予共享", "closed, not shared"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=rules.ENDS,
    parties=_parties,
    transitions=(
        Transition(
            "open",
            (NEW,),
            "AWAITING_ANSWER",
            (BY_CONSEQUENCE,),
            "44, 45",
            "送达提供部门",
            "put the item to its provider",
            form=Item,
            starts=_STARTS_ANSWER,
            effects=(rules.note_catalogue,),
        ),
        Transition(
            "split_off",
            (NEW,),
            Choice(((rules.unconditional, "NEGOTIATION"),), "REFUSED"),
            (BY_CONSEQUENCE,),
            "44, 45",
            "未同意部分单列",
            "what was not confirmed goes on by itself",
            form=Rest,
            effects=(rules.open_dispute_of_unconditional,),
        ),
        *_ANSWERS,
        *_REPLIES,
        *_OUTCOMES,
        *_SUPPLIES,
    ),
)
