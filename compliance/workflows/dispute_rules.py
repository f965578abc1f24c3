"""What decides about a dispute, what follows for the item that led to it, and the agenda of the joint review."""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.entry import Model
from compliance.roles import AUTHORITY, LEGAL, SECRECY, SERVICES, STAFFING, SUPERVISION, By
from compliance.workflow import Act, Context, Effect, Flag, Matter, Matters
from compliance.workflows.dispute_forms import FiledDispute, Order, Result
from compliance.workflows.sharing import Decree, not_onboarded, parent_of
from schemas.refusals import RefusalCode, Refused

MEMBERS: dict[str, By] = {"authority": AUTHORITY, "staffing": STAFFING, "legal": LEGAL, "services": SERVICES}
"""Who sits in the joint review 联合会审 (Art 44)."""
HEARD: dict[str, By] = {"legal": LEGAL, "secrecy": SECRECY, "supervision": SUPERVISION}
"""Whom the authority consults where Article 45 governs."""


# -- guards --------------------------------------------------------------------------------------------------------


def both_known(context: Context) -> Refused | None:
    """Both sides are agencies of the register, and two."""
    form: FiledDispute = context.form
    if context.actor.agency == form.against:
        return Refused(RefusalCode.E_FORM, "nobody has a dispute with itself", "against")
    return not_onboarded(context.view, form.against, "against")


def _unheard(matter: Matter, prefix: str, who: dict[str, By]) -> tuple[str, ...]:
    return tuple(name for name in who if f"{prefix}_{name}" not in matter.facts)


def all_consulted(context: Context) -> Refused | None:
    """Where Article 45 governs, the offices that it names were heard."""
    lacking = _unheard(context.matter, "consult", HEARD)
    if not context.matter.fact("open_from_item", "conditional") or not lacking:
        return None
    return Refused(RefusalCode.E_STATE, f"not heard yet: {', '.join(lacking)}", cited="45")


def all_opinions(context: Context) -> Refused | None:
    """All four members of the joint review gave their opinion (Art 44)."""
    lacking = _unheard(context.matter, "opinion", MEMBERS)
    return Refused(RefusalCode.E_STATE, f"opinions missing: {', '.join(lacking)}") if lacking else None


def delivered_on_the_item(context: Context) -> Refused | None:
    """What an item led to is obeyed by the item's first delivery."""
    item = parent_of(context)
    if item is None or item.state == "SUPPLIED":
        return None
    return Refused(RefusalCode.E_STATE, "record the first delivery on the item; it fulfils the order")


# -- what follows --------------------------------------------------------------------------------------------------


def _tell_item(context: Context, action: str, form: Model | None = None) -> Sequence[Effect]:
    """What the dispute came to, for the item that led to it."""
    item = parent_of(context)
    return [Act(item.number, action, form)] if item is not None and item.state == "NEGOTIATION" else []


def result_for_item(context: Context) -> Sequence[Effect]:
    """What both agreed on goes for the item."""
    actions = {"SHARE": "agree", "OTHERWISE": "settle"}
    action = actions.get(context.form.outcome)
    return _tell_item(context, action) if action is not None else []


def not_shared(context: Context) -> Sequence[Effect]:
    """The item is closed."""
    return _tell_item(context, "close_not_shared")


def ordered(context: Context) -> Sequence[Effect]:
    """The item is to be supplied."""
    form: Order = context.form
    return _tell_item(context, "order", Decree(reason=form.number, document=form.document))


def withdrawn(context: Context) -> Sequence[Effect]:
    """The item is withdrawn with it."""
    return _tell_item(context, "withdraw", context.form)


def unpublished(context: Context) -> Sequence[Effect]:
    """The authority published no result in time."""
    del context
    return [Flag("NO_RESULT_PUBLISHED")]


def review_late(context: Context) -> Sequence[Effect]:
    """The joint review takes longer than its target."""
    del context
    return [Flag("REVIEW_OVERDUE")]


def agreed(context: Context) -> bool:
    """Whether both agree."""
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
    waiting = others.matters("dispute", states=["BOARD"])
    return tuple(AgendaItem(matter, _unheard(matter, "opinion", MEMBERS)) for matter in waiting)
