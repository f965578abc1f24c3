"""Security and confidentiality agreements 安全保密协议 (Art 48): both sides sign; the end stops delivery at once."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.models import Grant, GrantState, RowScope
from compliance.roles import AUTHORITY, BY_CLOCK, PROVIDER, REQUESTER, Actor, Party
from compliance.values import AgencyCode, Day, FieldName, ResourceCode, Text, distinct, ordered
from compliance.view import RegisterView
from compliance.workflow import NEW, Act, Choice, Context, Effect, Parties, Put, Start, Transition, Workflow
from compliance.workflows.grant_forms import Suspension
from compliance.workflows.requested import Mode
from compliance.workflows.sharing import Decree, Withdrawal, division_of, not_onboarded
from schemas.refusals import RefusalCode, Refused


class Draft(Model):
    """What both sides agree on.

    Attributes:
        purpose: 指定用途; another one needs another agreement.
        rows, fields: 指定范围.
        mode: 约定方式.
        measures: what the subscriber does to keep the data safe.
    """

    subscriber: AgencyCode
    provider: AgencyCode
    resource: ResourceCode
    fields: tuple[FieldName, ...] = Field(min_length=1)
    rows: RowScope = RowScope()
    purpose: Text
    mode: Mode = "SUBSCRIPTION"
    measures: Text
    liability: Text | None = None
    valid_from: Day
    valid_until: Day

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("fields", self.fields)
        ordered("valid_from", self.valid_from, "valid_until", self.valid_until)
        return self

    @property
    def eve(self) -> date:
        """The day before the last one, from which the clock of one day counts that ends with it."""
        return self.valid_until - timedelta(days=1)


class Signature(Model):
    """One side's signature: when, by whom, and the digest of what was signed."""

    signed_on: Day
    signatory: Text = Field(repr=False)
    digest: Text


class Breach(Model):
    """The provider or the authority declares a breach (decisions 33)."""

    kind: Literal["OVER_SCOPE", "ONWARD", "LEAK", "OTHER"]
    reason: Text
    document: Text


def _parties(form: Draft, actor: Actor, view: RegisterView) -> Parties:
    del actor
    division = division_of(view, form.provider)
    return Parties(division, requester=form.subscriber, provider=form.provider, resource=form.resource)


def _two_agencies(context: Context) -> Refused | None:
    form: Draft = context.form
    if form.subscriber == form.provider:
        return Refused(RefusalCode.E_FORM, "an agreement has two sides", "provider")
    view = context.view
    return not_onboarded(view, form.subscriber, "subscriber") or not_onboarded(view, form.provider, "provider")


def _not_in_the_future(context: Context) -> Refused | None:
    form: Signature = context.form
    if form.signed_on <= local_date(context.at):
        return None
    return Refused(RefusalCode.E_FORM, "nobody signs in the future", "signed_on")


def _provider_signed(context: Context) -> bool:
    return "sign_provider" in context.matter.facts


def _subscriber_signed(context: Context) -> bool:
    return "sign_subscriber" in context.matter.facts


def grants_under(view: RegisterView, agreement: str, subscriber: str | None) -> tuple[Grant, ...]:
    """The grants that deliver under an agreement."""
    return tuple(
        grant
        for grant in view.grants_of(subscriber or "")
        if grant.agreement is not None and grant.agreement.number == agreement and grant.state is GrantState.ACTIVE
    )


def _suspend_grants(context: Context) -> Sequence[Effect]:
    """Nothing more is delivered under an agreement that is over (Art 48)."""
    breached = context.transition.action == "declare_breach"
    reason = getattr(context.form, "reason", None) or "the agreement is over"
    why = Suspension(cause="BREACH" if breached else "AGREEMENT_ENDED", reason=reason)
    found: list[Effect] = []
    for grant in grants_under(context.view, context.matter.number, context.matter.parties.requester):
        matters = context.others.matters("grant", states=["ACTIVE"], subject=grant.id)
        found += [Act(matter.number, "suspend", why) for matter in matters]
        if not matters:
            # A grant that was taken over from a register file has no matter of its own.
            found.append(Put(grant.model_copy(update={"state": GrantState.SUSPENDED})))
    return found


_SIGNING = ("DRAFTED", "SIGNED_BY_PROVIDER", "SIGNED_BY_SUBSCRIBER")

AGREEMENT = Workflow(
    code="agreement",
    prefix="AGR",
    zh="安全保密协议",
    en="security and confidentiality agreement",
    articles="48",
    states={
        "DRAFTED": ("已拟订", "drafted"),
        "SIGNED_BY_PROVIDER": ("提供方已签署", "signed by the provider"),
        "SIGNED_BY_SUBSCRIBER": ("需求方已签署", "signed by the subscriber"),
        "ACTIVE": ("双方已签署", "signed by both"),
        "ENDED": ("已终止", "ended"),
        "BREACHED": ("已违约", "breached"),
        "ABANDONED": ("未签署", "never signed by both"),
    },
    ends=frozenset({"ENDED", "BREACHED", "ABANDONED"}),
    parties=_parties,
    transitions=(
        Transition(
            "draft",
            (NEW,),
            "DRAFTED",
            (REQUESTER, PROVIDER),
            "48",
            "拟订协议",
            "draft the agreement",
            form=Draft,
            starts=(Start("agreement_end", Party.REQUESTER, since="eve"),),
            guards=(_two_agencies,),
        ),
        Transition(
            "sign_provider",
            ("DRAFTED", "SIGNED_BY_SUBSCRIBER"),
            Choice(((_subscriber_signed, "ACTIVE"),), "SIGNED_BY_PROVIDER"),
            (PROVIDER,),
            "48",
            "提供方签署",
            "the provider signs",
            form=Signature,
            guards=(_not_in_the_future,),
        ),
        Transition(
            "sign_subscriber",
            ("DRAFTED", "SIGNED_BY_PROVIDER"),
            Choice(((_provider_signed, "ACTIVE"),), "SIGNED_BY_SUBSCRIBER"),
            (REQUESTER,),
            "48",
            "需求方签署",
            "the subscriber signs",
            form=Signature,
            guards=(_not_in_the_future,),
        ),
        Transition(
            "abandon",
            _SIGNING,
            "ABANDONED",
            (REQUESTER, PROVIDER),
            "48",
            "放弃签署",
            "give the draft up",
            form=Withdrawal,
        ),
        Transition(
            "lapse",
            _SIGNING,
            "ABANDONED",
            (BY_CLOCK,),
            "48",
            "期满未签署",
            "its term is over before both signed",
            expiry_of="agreement_end",
        ),
        Transition(
            "end",
            ("ACTIVE",),
            "ENDED",
            (REQUESTER, PROVIDER),
            "48, 2025:27",
            "终止协议",
            "end the agreement",
            form=Decree,
            stops=("agreement_end",),
            effects=(_suspend_grants,),
        ),
        Transition(
            "expire",
            ("ACTIVE",),
            "ENDED",
            (BY_CLOCK,),
            "48",
            "协议期满",
            "the agreement's term is over",
            stops=("agreement_end",),
            expiry_of="agreement_end",
            effects=(_suspend_grants,),
        ),
        Transition(
            "declare_breach",
            ("ACTIVE",),
            "BREACHED",
            (PROVIDER, AUTHORITY),
            "48",
            "认定违约",
            "declare a breach",
            form=Breach,
            stops=("agreement_end",),
            effects=(_suspend_grants,),
        ),
    ),
)
