"""Grants 共享授权 (Art 45, 48; decisions 33): from the confirmation form to the receipt of disposal.

The grant that workers read is the register model of the same id; each change of its state goes out with the decision.
A renewal is a new application, which may start before the end.
"""

from collections.abc import Sequence
from typing import Any

from compliance.catalogue import local_date
from compliance.models import Agreement, Grant, GrantState
from compliance.roles import (
    AUTHORITY,
    BY_CLOCK,
    BY_CONSEQUENCE,
    OPERATOR,
    PROVIDER,
    REQUESTER,
    Actor,
    By,
    Party,
    Role,
)
from compliance.view import RegisterView
from compliance.workflow import NEW, Act, Context, Effect, Matter, Open, Parties, Put, Start, Transition, Workflow
from compliance.workflows.effect_forms import UseFile, UseOver
from compliance.workflows.grant_forms import (
    Activation,
    ConfirmationForm,
    Disposal,
    GrantProposal,
    Resumption,
    Revocation,
    Suspension,
    Use,
)
from compliance.workflows.sharing import Withdrawal, child_of, class_of, division_of, entry_at, not_onboarded
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass

SWITCH = By(frozenset({Role.OPERATOR_CITY, Role.OPERATOR_COUNTY, Role.SECURITY_ADMINISTRATOR}))
"""Who may stop delivery in an emergency (Art 49, an assumption)."""
_LIVE = ("ACTIVE", "SUSPENDED")
_OVER = ("EXPIRED", "REVOKED", "ENDED")


def _parties(form: GrantProposal, actor: Actor, view: RegisterView) -> Parties:
    del actor
    return Parties(
        division_of(view, form.provider),
        requester=form.subscriber,
        provider=form.provider,
        resource=form.resource,
        subject=form.id,
    )


def proposal_of(matter: Matter) -> GrantProposal:
    """What the grant is bound to."""
    return GrantProposal.model_validate(matter.facts["propose"])


# -- guards --------------------------------------------------------------------------------------------------------


def _new_id(context: Context) -> Refused | None:
    form: GrantProposal = context.form
    known = context.view.grant(form.id)
    return None if known is None else Refused(RefusalCode.E_CONFLICT, "there is a grant of that id", "id")


def _subscriber(context: Context) -> Refused | None:
    return not_onboarded(context.view, context.matter.parties.requester, "subscriber")


def _confirmed(context: Context) -> Refused | None:
    if "file_confirmation" in context.matter.facts:
        return None
    return Refused(RefusalCode.E_STATE, "the confirmation form is not filed with the authority yet", cited="45")


def _not_over(context: Context) -> Refused | None:
    if local_date(context.at) <= proposal_of(context.matter).valid_until:
        return None
    return Refused(RefusalCode.E_GRANT_EXPIRED, "its last day is over", "valid_until")


def _agreed(context: Context) -> Refused | None:
    """What is not shared unconditionally needs an agreement for this purpose that both sides signed (Art 48)."""
    grant = proposal_of(context.matter)
    entry = entry_at(context.view, grant.resource, context.at)
    if isinstance(entry, Refused):
        return entry
    if class_of(entry, grant.fields) is SharingClass.UNCONDITIONAL or _agreement(context) is not None:
        return None
    if any(found.fact("draft", "purpose") != grant.purpose for found in _agreements(context)):
        return Refused(RefusalCode.E_PURPOSE, "the agreement is for another purpose; a new one is needed", "purpose")
    return Refused(RefusalCode.E_NO_AGREEMENT, "no agreement in force covers these fields today")


def _agreements(context: Context) -> tuple[Matter, ...]:
    parties = context.matter.parties
    return context.others.matters(
        "agreement",
        states=["ACTIVE"],
        requester=parties.requester,
        provider=parties.provider,
        resource=parties.resource,
    )


def _agreement(context: Context) -> Agreement | None:
    """The agreement in force that covers the grant's fields, for its purpose."""
    grant, today = proposal_of(context.matter), local_date(context.at)
    for found in reversed(_agreements(context)):
        draft = found.facts["draft"]
        agreement = Agreement(
            number=found.number,
            signed_by_provider=found.fact("sign_provider", "signed_on"),
            signed_by_subscriber=found.fact("sign_subscriber", "signed_on"),
            valid_from=draft["valid_from"],
            valid_until=draft["valid_until"],
        )
        if (
            draft["purpose"] == grant.purpose
            and set(draft["fields"]) >= set(grant.fields)
            and agreement.in_force_from <= today <= agreement.valid_until
        ):
            return agreement
    return None


def _as_granted(context: Context) -> Refused | None:
    """A use is for the granted purpose, and by the subscriber alone (Art 6, 48)."""
    form: Use = context.form
    if form.purpose != proposal_of(context.matter).purpose:
        detail = "another purpose needs a new application and a new agreement"
        return Refused(RefusalCode.E_PURPOSE, detail, "purpose")
    for place, recipient in enumerate(form.recipients):
        if recipient != context.matter.parties.requester:
            detail = "what was received may be passed on to nobody, and not be published"
            return Refused(RefusalCode.E_ONWARD, detail, f"recipients.{place}")
    return None


# -- what follows --------------------------------------------------------------------------------------------------


def _propose(context: Context) -> Sequence[Effect]:
    form: GrantProposal = context.form
    values = form.model_dump(include=set(Grant.model_fields))
    return [Put(Grant.model_validate(values))]


def _state(state: GrantState) -> Any:  # noqa: ANN401  a consequence
    def put(context: Context) -> Sequence[Effect]:
        grant = context.view.grant(context.matter.parties.subject or "")
        return [] if grant is None else [Put(grant.model_copy(update={"state": state}))]

    return put


def _note_confirmation(context: Context) -> Sequence[Effect]:
    form: ConfirmationForm = context.form
    grant = context.view.grant(context.matter.parties.subject or "")
    return [] if grant is None else [Put(grant.model_copy(update={"confirmation_number": form.number}))]


def _activate(context: Context) -> Sequence[Effect]:
    grant = context.view.grant(context.matter.parties.subject or "")
    if grant is None:
        return []
    changes = {"state": GrantState.ACTIVE, "agreement": _agreement(context)}
    return [Put(grant.model_copy(update=changes))]


def _open_use_file(context: Context) -> Sequence[Effect]:
    parties = context.matter.parties
    if parties.requester is None or parties.provider is None or parties.subject is None:
        return []
    form = UseFile(grant=parties.subject, subscriber=parties.requester, provider=parties.provider)
    return [Open("effect_report", "open", form)]


def _end_use_file(context: Context) -> Sequence[Effect]:
    file = child_of(context, "effect_report")
    if file is None or file.state != "OPEN":
        return []
    return [Act(file.number, "use_over", UseOver(ended_on=local_date(context.at)))]


# -- the table -----------------------------------------------------------------------------------------------------

_TO_BE_ACTIVE = (_confirmed, _not_over, _subscriber, _agreed)

GRANT = Workflow(
    code="grant",
    prefix="GRT",
    zh="共享授权",
    en="grant",
    articles="45, 48",
    states={
        "PENDING": ("待确认", "pending"),
        "ACTIVE": ("生效", "active"),
        "SUSPENDED": ("已暂停", "suspended"),
        "EXPIRED": ("已到期", "expired"),
        "REVOKED": ("已撤销", "revoked"),
        "ENDED": ("已终止", "ended"),
        "DISPOSED": ("已提交销毁回执", "ended, and the receipt of disposal is there"),
        "LAPSED": ("未生效即失效", "never became active"),
    },
    ends=frozenset({"DISPOSED", "LAPSED"}),
    parties=_parties,
    transitions=(
        Transition(
            "propose",
            (NEW,),
            "PENDING",
            (BY_CONSEQUENCE,),
            "44, 45",
            "拟订授权",
            "propose the grant",
            form=GrantProposal,
            starts=(Start("grant_end", Party.REQUESTER, since="eve"),),
            guards=(_new_id,),
            effects=(_propose,),
        ),
        Transition(
            "file_confirmation",
            ("PENDING",),
            "PENDING",
            (PROVIDER,),
            "45",
            "授权确认表备案",
            "file the confirmation form with the authority",
            form=ConfirmationForm,
            effects=(_note_confirmation,),
        ),
        Transition(
            "activate",
            ("PENDING",),
            "ACTIVE",
            (OPERATOR,),
            "45, 48",
            "授权生效",
            "make the grant active",
            form=Activation,
            guards=_TO_BE_ACTIVE,
            effects=(_activate, _open_use_file),
        ),
        Transition(
            "declare_use",
            ("ACTIVE",),
            "ACTIVE",
            (REQUESTER,),
            "6, 48",
            "申明用途",
            "declare a use",
            form=Use,
            guards=(_as_granted,),
        ),
        Transition(
            "suspend",
            ("ACTIVE",),
            "SUSPENDED",
            (PROVIDER, AUTHORITY, SWITCH),
            "48, 49, 2025:27",
            "暂停授权",
            "suspend the grant at once",
            form=Suspension,
            effects=(_state(GrantState.SUSPENDED),),
        ),
        Transition(
            "resume",
            ("SUSPENDED",),
            "ACTIVE",
            (AUTHORITY,),
            "48, 2025:27",
            "恢复授权",
            "resume the grant after rectification",
            form=Resumption,
            guards=_TO_BE_ACTIVE,
            effects=(_activate,),
        ),
        Transition(
            "revoke",
            _LIVE,
            "REVOKED",
            (PROVIDER, AUTHORITY),
            "48, 2025:27",
            "撤销授权",
            "revoke the grant",
            form=Revocation,
            starts=(Start("disposal_receipt", Party.REQUESTER),),
            stops=("grant_end",),
            effects=(_state(GrantState.REVOKED), _end_use_file),
        ),
        Transition(
            "end",
            _LIVE,
            "ENDED",
            (REQUESTER,),
            "2025:27",
            "用途已实现，终止授权",
            "end the grant, its purpose being achieved",
            form=Withdrawal,
            starts=(Start("disposal_receipt", Party.REQUESTER),),
            stops=("grant_end",),
            effects=(_state(GrantState.ENDED), _end_use_file),
        ),
        Transition(
            "expire",
            _LIVE,
            "EXPIRED",
            (BY_CLOCK,),
            "39, 48",
            "期满失效",
            "the grant expires",
            starts=(Start("disposal_receipt", Party.REQUESTER),),
            stops=("grant_end",),
            expiry_of="grant_end",
            effects=(_state(GrantState.EXPIRED), _end_use_file),
        ),
        Transition(
            "lapse",
            ("PENDING",),
            "LAPSED",
            (BY_CLOCK,),
            "39, 48",
            "期满未生效",
            "its last day is over before it became active",
            expiry_of="grant_end",
            effects=(_state(GrantState.EXPIRED),),
        ),
        Transition(
            "abandon",
            ("PENDING",),
            "LAPSED",
            (REQUESTER, PROVIDER, AUTHORITY),
            "45",
            "放弃拟订的授权",
            "give the proposed grant up",
            form=Withdrawal,
            effects=(_state(GrantState.ENDED),),
        ),
        Transition(
            "file_disposal",
            _OVER,
            "DISPOSED",
            (REQUESTER,),
            "2025:27",
            "提交销毁回执",
            "file the receipt of disposal",
            form=Disposal,
            stops=("disposal_receipt",),
        ),
    ),
)
