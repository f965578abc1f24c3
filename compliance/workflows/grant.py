"""Grants 共享授权 (Art 45, 48; decisions 33): from the confirmation form to the receipt of disposal.

The grant that workers read is the register model of the same id; each change of its state goes out with the decision.
A renewal is a new application, which may start before the end.
"""

from compliance.models import GrantState
from compliance.roles import (
    AUTHORITY,
    BY_CLOCK,
    BY_CONSEQUENCE,
    OPERATOR,
    PROVIDER,
    REQUESTER,
    Actor,
    Party,
)
from compliance.view import RegisterView
from compliance.workflow import NEW, Parties, Start, Transition, Workflow
from compliance.workflows import grant_rules as rules
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
from compliance.workflows.sharing import Withdrawal, division_of

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


# -- the table -----------------------------------------------------------------------------------------------------

_TO_BE_ACTIVE = (rules.confirmed, rules.not_over, rules.subscriber, rules.agreed)

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
            guards=(rules.new_id,),
            effects=(rules.propose,),
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
            effects=(rules.note_confirmation,),
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
            effects=(rules.activate, rules.open_use_file),
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
            guards=(rules.as_granted,),
        ),
        Transition(
            "suspend",
            ("ACTIVE",),
            "SUSPENDED",
            (PROVIDER, AUTHORITY, rules.SWITCH),
            "48, 49, 2025:27",
            "暂停授权",
            "suspend the grant at once",
            form=Suspension,
            guards=(rules.by_the_switch_in_an_emergency_alone,),
            effects=(rules.moves_to(GrantState.SUSPENDED),),
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
            effects=(rules.activate,),
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
            effects=(rules.moves_to(GrantState.REVOKED), rules.end_use_file),
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
            effects=(rules.moves_to(GrantState.ENDED), rules.end_use_file),
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
            effects=(rules.moves_to(GrantState.EXPIRED), rules.end_use_file),
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
            effects=(rules.moves_to(GrantState.EXPIRED),),
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
            effects=(rules.moves_to(GrantState.ENDED),),
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
