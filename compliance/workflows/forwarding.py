"""Cross-county applications (Art 42, 46): county unit, its operator, the other county's or the city's operator, provider.

Each operator acts in its own county alone, so the way has two legs, each a matter: from the unit to its own operator,
and, opened by the first, from the receiving operator to the provider. The provider's own clock starts at its receipt.
"""

from collections.abc import Sequence

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.roles import (
    BY_CLOCK,
    BY_CONSEQUENCE,
    OPERATOR,
    REQUESTER,
    Actor,
    By,
    Role,
)
from compliance.values import AgencyCode, Day, DivisionCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Flag, Guard, Open, Parties, Start, Transition, Workflow
from compliance.workflows.requested import (
    Application,
    RecordedApplication,
    addressed_rightly,
    complete,
    named_with_basis,
    onboarded,
)
from compliance.workflows.sharing import CITY, Decree, Withdrawal, county_of, division_of
from schemas.refusals import RefusalCode, Refused

PASS_ON_OVERDUE = "PASS_ON_OVERDUE"
FIRST_HOP_OVERDUE = "FIRST_HOP_OVERDUE"
_OWN_OPERATOR = By(frozenset({Role.OPERATOR_COUNTY}))


class Sent(Model):
    """The county operator's letter with which it sends the application on."""

    letter: Text


class Arrived(Model):
    """The application at the receiving operator, of the city or of the provider's county."""

    receiver: DivisionCode
    requester: AgencyCode
    provider: AgencyCode
    application: Application
    letter: Text
    sent_on: Day


def _parties(form: Application | Arrived, actor: Actor, view: RegisterView) -> Parties:
    if isinstance(form, Arrived):
        return Parties(form.receiver, requester=form.requester, provider=form.provider)
    return Parties(division_of(view, actor.agency), requester=actor.agency, provider=form.items[0].provider)


# -- guards --------------------------------------------------------------------------------------------------------


def _crosses_counties(context: Context) -> Refused | None:
    """A county's unit asks one unit of another county or of the city; else it applies directly (Art 42, 44)."""
    form: Application = context.form
    providers = {item.provider for item in form.items}
    if len(providers) > 1:
        return Refused(RefusalCode.E_ROUTE, "one forwarded application goes to one provider", "items", cited="46")
    own = county_of(division_of(context.view, context.matter.parties.requester))
    other = county_of(division_of(context.view, form.items[0].provider))
    if own is None or own == other:
        return Refused(RefusalCode.E_ROUTE, "apply to the provider directly", "items.0.provider", cited="42, 44")
    return None


def _to_a_county(context: Context) -> Refused | None:
    if county_of(division_of(context.view, context.matter.parties.provider)) is not None:
        return None
    return Refused(RefusalCode.E_ROUTE, "the provider is the city's: send it to the city's operator", cited="46")


# -- what follows --------------------------------------------------------------------------------------------------


def _send(context: Context) -> Sequence[Effect]:
    parties, form = context.matter.parties, context.form
    if parties.requester is None or parties.provider is None:
        return []
    to_county = context.transition.action == "send_to_county"
    arrived = Arrived(
        receiver=(county_of(division_of(context.view, parties.provider)) if to_county else None) or CITY,
        requester=parties.requester,
        provider=parties.provider,
        application=Application.model_validate(context.matter.facts["apply"]),
        letter=form.letter,
        sent_on=local_date(context.at),
    )
    return [Open(FORWARDING.code, "arrive", arrived)]


def _hand_over(context: Context) -> Sequence[Effect]:
    """The provider receives it now; its own clock starts (Art 46)."""
    arrived = Arrived.model_validate(context.matter.facts["arrive"])
    form = RecordedApplication.model_validate(
        {
            **arrived.application.model_dump(by_alias=True),
            "requester": arrived.requester,
            "received_on": local_date(context.at),
        }
    )
    return [Open("application", "receive_forwarded", form)]


def _flag_first_hop(context: Context) -> Sequence[Effect]:
    del context
    return [Flag(FIRST_HOP_OVERDUE)]


def _flag_pass_on(context: Context) -> Sequence[Effect]:
    del context
    return [Flag(PASS_ON_OVERDUE)]


def _at_county(context: Context) -> bool:
    form: Arrived = context.form
    return county_of(form.receiver) is not None


def _at_city(context: Context) -> bool:
    return not _at_county(context)


def _send_to(action: str, zh: str, en: str, *guards: Guard) -> Transition:
    return Transition(
        action,
        ("AT_OWN_OPERATOR",),
        "SENT_ON",
        (_OWN_OPERATOR,),
        "46",
        zh,
        en,
        form=Sent,
        stops=("first_hop",),
        guards=guards,
        effects=(_send,),
    )


FORWARDING = Workflow(
    code="forwarding",
    prefix="FWD",
    zh="跨县（区）申请转交",
    en="cross-county application",
    articles="42, 46",
    states={
        "AT_OWN_OPERATOR": ("本县（区）平台办理中", "at the county's own operator"),
        "AT_RECEIVING_OPERATOR": ("接收方平台办理中", "at the receiving operator"),
        "SENT_ON": ("已转出", "sent to the receiving operator"),
        "PASSED_ON": ("已转交提供部门", "passed on to the provider"),
        "RETURNED": ("已退回", "returned"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"SENT_ON", "PASSED_ON", "RETURNED", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "apply",
            (NEW,),
            "AT_OWN_OPERATOR",
            (REQUESTER,),
            "46",
            "向本县（区）平台提出申请",
            "apply through the county's own operator",
            form=Application,
            starts=(Start("first_hop", Role.OPERATOR_COUNTY),),
            guards=(onboarded, named_with_basis, addressed_rightly, _crosses_counties, complete),
        ),
        _send_to(
            "send_to_county",
            "向提供方所在县（区）平台转出",
            "send it to the operator of the provider's county",
            _to_a_county,
        ),
        _send_to("send_to_city", "向市平台转出", "send it to the city's operator"),
        Transition(
            "arrive",
            (NEW,),
            "AT_RECEIVING_OPERATOR",
            (BY_CONSEQUENCE,),
            "46",
            "收到转来的申请",
            "receive what another operator sent",
            form=Arrived,
            starts=(
                Start("pass_on_application", Role.OPERATOR_COUNTY, when=_at_county),
                Start("pass_on_application", Role.OPERATOR_CITY, when=_at_city),
            ),
        ),
        Transition(
            "pass_on",
            ("AT_RECEIVING_OPERATOR",),
            "PASSED_ON",
            (OPERATOR,),
            "46",
            "转交信息提供部门",
            "pass it on to the provider",
            form=Sent,
            stops=("pass_on_application",),
            effects=(_hand_over,),
        ),
        Transition(
            "first_hop_overdue",
            ("AT_OWN_OPERATOR",),
            "AT_OWN_OPERATOR",
            (BY_CLOCK,),
            "46",
            "转出逾期",
            "the county's operator is late",
            expiry_of="first_hop",
            effects=(_flag_first_hop,),
        ),
        Transition(
            "pass_on_overdue",
            ("AT_RECEIVING_OPERATOR",),
            "AT_RECEIVING_OPERATOR",
            (BY_CLOCK,),
            "46",
            "转交逾期",
            "the receiving operator is late",
            expiry_of="pass_on_application",
            effects=(_flag_pass_on,),
        ),
        Transition(
            "return",
            ("AT_OWN_OPERATOR", "AT_RECEIVING_OPERATOR"),
            "RETURNED",
            (OPERATOR,),
            "46",
            "退回",
            "return it with the reason",
            form=Decree,
        ),
        Transition(
            "withdraw",
            ("AT_OWN_OPERATOR", "AT_RECEIVING_OPERATOR"),
            "WITHDRAWN",
            (REQUESTER,),
            "46",
            "撤回申请",
            "withdraw the application",
            form=Withdrawal,
        ),
    ),
)
