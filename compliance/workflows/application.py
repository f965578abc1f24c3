"""Applications for sharing 信息服务共享申请 (Art 44, 45; 2025:20, 21): one form, and each of its items its own matter."""

from collections.abc import Sequence

from compliance.roles import BY_CONSEQUENCE, OPERATOR, REQUESTER, Actor
from compliance.view import RegisterView
from compliance.workflow import NEW, Act, Choice, Context, Effect, Flag, Open, Parties, Transition, Workflow
from compliance.workflows.application_item import APPLICATION_ITEM
from compliance.workflows.item_forms import Item
from compliance.workflows.requested import (
    Application,
    RecordedApplication,
    addressed_rightly,
    complete,
    missing,
    named_with_basis,
    onboarded,
    requester_of,
    sharing_class,
    within_reach,
)
from compliance.workflows.sharing import Withdrawal, division_of

TOLD = "INCOMPLETE_TOLD"


def _parties(form: Application, actor: Actor, view: RegisterView) -> Parties:
    requester = form.requester if isinstance(form, RecordedApplication) else actor.agency
    return Parties(division_of(view, requester), requester=requester)


def _incomplete(context: Context) -> bool:
    return bool(missing(context.form))


def _open_items(context: Context) -> Sequence[Effect]:
    """Each item becomes a matter of its own; what is missing is told first."""
    form: Application = context.form
    requester = requester_of(context)
    if requester is None or _incomplete(context):
        return [Flag(TOLD)]
    received = form.received_on if isinstance(form, RecordedApplication) else None
    items = [
        Item.model_validate(
            {
                **item.model_dump(by_alias=True),
                "place": place,
                "requester": requester,
                "purpose": form.purpose,
                "sharing": sharing_class(context.view, item, context.at),
                "received_on": received,
            }
        )
        for place, item in enumerate(form.items)
    ]
    return [Open(APPLICATION_ITEM.code, "open", item) for item in items]


def _withdraw_items(context: Context) -> Sequence[Effect]:
    return [
        Act(item.number, "withdraw", context.form)
        for item in context.others.children(context.matter.number)
        if item.workflow == APPLICATION_ITEM.code and item.state not in APPLICATION_ITEM.ends
    ]


_STATES = Choice(((_incomplete, "INCOMPLETE"),), "OPEN")
_FORM_GUARDS = (onboarded, named_with_basis, addressed_rightly)

APPLICATION = Workflow(
    code="application",
    prefix="APP",
    zh="信息服务共享申请",
    en="application for sharing",
    articles="44, 45",
    states={
        "INCOMPLETE": ("待一次性补正", "incomplete, told once with all that is missing"),
        "OPEN": ("逐项办理中", "open, item by item"),
        "DECIDED": ("全部项目办结", "every item is decided"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"DECIDED", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "submit",
            (NEW,),
            _STATES,
            (REQUESTER,),
            "44, 45",
            "提交申请",
            "submit the application on the platform",
            form=Application,
            guards=(*_FORM_GUARDS, within_reach),
            effects=(_open_items,),
        ),
        Transition(
            "record",
            (NEW,),
            _STATES,
            (OPERATOR,),
            "44, 45",
            "登记平台外申请",
            "record an application that came outside the platform",
            form=RecordedApplication,
            guards=(*_FORM_GUARDS, within_reach),
            effects=(_open_items,),
        ),
        Transition(
            "receive_forwarded",
            (NEW,),
            "OPEN",
            (BY_CONSEQUENCE,),
            "46",
            "收到转交的跨县（区）申请",
            "receive a cross-county application that an operator passed on",
            form=RecordedApplication,
            guards=(*_FORM_GUARDS, complete),
            effects=(_open_items,),
        ),
        Transition(
            "complete",
            ("INCOMPLETE",),
            "OPEN",
            (REQUESTER, OPERATOR),
            "2025:21",
            "补正申请",
            "hand in the application again with all that was missing",
            form=Application,
            guards=(*_FORM_GUARDS, within_reach, complete),
            effects=(_open_items,),
        ),
        Transition(
            "close",
            ("OPEN",),
            "DECIDED",
            (BY_CONSEQUENCE,),
            "44, 45",
            "全部项目办结",
            "close the application after its last item",
        ),
        Transition(
            "withdraw",
            ("INCOMPLETE", "OPEN"),
            "WITHDRAWN",
            (REQUESTER,),
            "44",
            "撤回申请",
            "withdraw the application with all items that are open",
            form=Withdrawal,
            effects=(_withdraw_items,),
        ),
    ),
)
