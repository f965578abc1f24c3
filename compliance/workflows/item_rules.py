"""What decides about one item of an application: guards, and what follows for grants, disputes and its siblings."""

from collections.abc import Sequence

from compliance.workflow import Act, Context, Effect, Flag, Matter, Open
from compliance.workflows.dispute_forms import ItemDispute
from compliance.workflows.grant_forms import GrantProposal
from compliance.workflows.item_forms import (
    Catalogued,
    Confirmation,
    Extension,
    Item,
    PartConfirmation,
    Replacement,
    Rest,
)
from compliance.workflows.sharing import (
    Condition,
    Delivery,
    Reasons,
    Withdrawal,
    charged,
    child_of,
    class_of,
    entry_at,
    not_supplied_by,
    parent_of,
    unknown_fields,
    unreasoned,
)
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass

OUT_OF_CATALOGUE = "OUT_OF_CATALOGUE"
SUPPLY_OVERDUE = "SUPPLY_OVERDUE"
CODE = "application_item"
ENDS = frozenset({"SUPPLIED", "WITHDRAWN", "SETTLED", "CLOSED_NOT_SHARED"})
_DISPUTED = frozenset({"NEGOTIATION", "BOARD", "REVIEWED", "GOVERNMENT", "ORDERED", "ORDER_OVERDUE", "DEFIED"})
_ORDERED = frozenset({"ORDERED", "ORDER_OVERDUE", "DEFIED"})


def item_of(matter: Matter) -> Item:
    """What was asked."""
    if "split_off" in matter.facts:
        return Rest.model_validate(matter.facts["split_off"])
    return Item.model_validate(matter.facts["open"])


def asked(context: Context) -> Item:
    """What is or was asked, also while the item is being opened."""
    return context.form if isinstance(context.form, Item) else item_of(context.matter)


def unconditional(context: Context) -> bool:
    """Whether Article 44 alone governs the item."""
    return asked(context).unconditional


def conditional(context: Context) -> bool:
    """Whether Article 45 governs the item."""
    return not asked(context).unconditional


# -- guards --------------------------------------------------------------------------------------------------------


def told_once(context: Context) -> Refused | None:
    """What is missing is told once, all together (2025:21)."""
    if "tell_missing" not in context.matter.facts:
        return None
    return Refused(RefusalCode.E_STATE, "what was missing has been told before; it is told once, all together")


def may_be_extended(context: Context) -> Refused | None:
    """Only where the text whose limit binds knows an extension, once, and from the end of that limit (2025:21)."""
    form: Extension = context.form
    division = context.matter.parties.division
    if context.law.extension("conditional_answer", division) is None:
        return Refused(RefusalCode.E_STATE, "the limit that binds cannot be extended")
    first = context.others.due(context.matter.number, "conditional_answer")
    if first is None:
        return Refused(RefusalCode.E_STATE, "no limit that can be extended is running")
    if form.first_limit != first:
        return Refused(RefusalCode.E_FORM, f"the first limit ends on {first}", "first_limit")
    return None


def free_of_charge(context: Context) -> Refused | None:
    """No condition demands payment (Art 17)."""
    form: Confirmation = context.form
    return charged(form.conditions)


def part_of_what_was_asked(context: Context) -> Refused | None:
    """Some of the fields, not all and no others; the rest with its reasons (Art 45)."""
    form: PartConfirmation = context.form
    if not set(form.fields) < set(asked(context).fields):
        return Refused(RefusalCode.E_FORM, "confirm some of the fields that were asked for, not all", "fields")
    return unreasoned(form.reasons)


def reasoned(context: Context) -> Refused | None:
    """A refusal has reason, citation and document (Art 45)."""
    return unreasoned(context.form)


def replacement_is_the_providers(context: Context) -> Refused | None:
    """What is offered instead is in the catalogue, and the provider's own."""
    form: Replacement = context.form
    return _supplies(context, form.resource, form.fields)


def now_in_the_catalogue(context: Context) -> Refused | None:
    """The information stood outside the catalogue, and is the provider's in it now (Art 40, 45)."""
    form: Catalogued = context.form
    if OUT_OF_CATALOGUE not in context.matter.flags or child_of(context, "grant") is not None:
        return Refused(RefusalCode.E_STATE, "the item is of the catalogue already")
    return _supplies(context, form.resource, form.fields)


def _supplies(context: Context, resource: str, fields: tuple[str, ...]) -> Refused | None:
    refused = not_supplied_by(context.view, asked(context).provider, resource, context.at, "")
    entry = context.view.entry(resource)
    return refused if refused is not None or entry is None else unknown_fields(entry, fields, "fields.")


def grant_is_active(context: Context) -> Refused | None:
    """Nothing counts as delivered without an active grant."""
    grant = child_of(context, "grant")
    if grant is not None and grant.state == "ACTIVE":
        return None
    return Refused(RefusalCode.E_NO_GRANT, "the item's grant is not active")


# -- what follows --------------------------------------------------------------------------------------------------


def note_catalogue(context: Context) -> Sequence[Effect]:
    """What is not in the catalogue is marked; once agreed to, it is to be brought into it (Art 40, 45)."""
    return [Flag(OUT_OF_CATALOGUE)] if asked(context).resource is None else []


def flag_late(context: Context) -> Sequence[Effect]:
    """The provider did not answer in time."""
    return [Flag(f"LATE:{context.transition.expiry_of}")]


def flag_overdue(context: Context) -> Sequence[Effect]:
    """The supply is overdue (Art 44)."""
    del context
    return [Flag(SUPPLY_OVERDUE)]


def propose_grant(context: Context) -> Sequence[Effect]:
    """A grant for what was confirmed, agreed or ordered; PENDING until it is filed and signed (decisions 33)."""
    item, form = asked(context), context.form
    resource, fields = item.resource, item.fields
    conditions: tuple[Condition, ...] = ()
    if isinstance(form, PartConfirmation):
        fields = form.fields
    if context.transition.action == "accept_replacement":
        form = Replacement.model_validate(context.matter.facts["offer_replacement"])
    if isinstance(form, (Replacement, Catalogued)):
        resource, fields = form.resource, form.fields
    if isinstance(form, Confirmation):
        conditions = form.conditions
    entry = entry_at(context.view, resource, context.at) if resource is not None else None
    if resource is None or entry is None or isinstance(entry, Refused):
        return []
    return [
        Open(
            "grant",
            "propose",
            GrantProposal(
                id=grant_id(context.matter.number),
                subscriber=item.requester,
                provider=item.provider,
                resource=resource,
                fields=fields,
                rows=item.rows,
                purpose=item.purpose,
                legal_basis=item.legal_basis,
                frequency=item.frequency,
                mode=item.mode,
                conditions=conditions,
                valid_from=item.valid_from,
                valid_until=item.valid_until,
            ),
        )
    ]


def grant_id(item: str) -> str:
    """The grant's id, from the number of its item: g-2026-00001."""
    return "g-" + item.partition("-")[2]


def split_rest(context: Context) -> Sequence[Effect]:
    """The fields that were not confirmed go on as an item of their own."""
    form: PartConfirmation = context.form
    item = asked(context)
    rest = tuple(name for name in item.fields if name not in form.fields)
    entry = entry_at(context.view, item.resource, context.at) if item.resource is not None else None
    sharing = item.sharing if entry is None or isinstance(entry, Refused) else class_of(entry, rest)
    values = {
        **{name: getattr(item, name) for name in Item.model_fields},
        "fields": rest,
        "sharing": sharing or SharingClass.CONDITIONAL,
        "reasons": form.reasons,
    }
    return [Open(CODE, "split_off", Rest.model_validate(values))]


def open_dispute(context: Context) -> Sequence[Effect]:
    """The item goes to negotiation (Art 44)."""
    item, form = asked(context), context.form
    words = {
        "refuse": "REFUSED",
        "split_off": "REFUSED",
        "contest": "CONTESTED",
        "decline_replacement": "REPLACEMENT_DECLINED",
    }
    if isinstance(form, Rest):
        form = form.reasons
    statement = form.reason if isinstance(form, Reasons) else getattr(form, "statement", None)
    return [
        Open(
            "dispute",
            "open_from_item",
            ItemDispute(
                requester=item.requester,
                provider=item.provider,
                resource=item.resource,
                conditional=not item.unconditional,
                cause=words.get(context.transition.action, "SILENCE"),
                statement=statement,
            ),
        )
    ]


def open_dispute_of_unconditional(context: Context) -> Sequence[Effect]:
    """Refusing what is to be shared unconditionally always leads to negotiation (decisions 32)."""
    return open_dispute(context) if unconditional(context) else []


def fulfil_order(context: Context) -> Sequence[Effect]:
    """What the government ordered is done with the first delivery."""
    dispute, form = child_of(context, "dispute"), context.form
    if dispute is None or dispute.state not in _ORDERED or not isinstance(form, Delivery):
        return []
    return [Act(dispute.number, "comply", form)]


def give_up(context: Context) -> Sequence[Effect]:
    """With the item its dispute and its grant end."""
    reason = Withdrawal(reason=getattr(context.form, "reason", None) or "the item was withdrawn")
    found: list[Effect] = []
    dispute, grant = child_of(context, "dispute"), child_of(context, "grant")
    if dispute is not None and dispute.state in _DISPUTED - {"DEFIED"}:
        found.append(Act(dispute.number, "withdraw", reason))
    if grant is not None and grant.state == "PENDING":
        found.append(Act(grant.number, "abandon", reason))
    if grant is not None and grant.state in {"ACTIVE", "SUSPENDED"}:
        found.append(Act(grant.number, "end", reason))
    return found


def close_application(context: Context) -> Sequence[Effect]:
    """The application ends with the last of its items, and of what was split off from them."""
    top = parent_of(context)
    while top is not None and top.workflow == CODE:
        top = context.others.matter(top.parent) if top.parent is not None else None
    if top is None or top.state != "OPEN":
        return []
    waiting = [top.number]
    while waiting:
        for matter in context.others.children(waiting.pop()):
            if matter.workflow == CODE:
                if matter.number != context.matter.number and matter.state not in ENDS:
                    return []
                waiting.append(matter.number)
    return [Act(top.number, "close")]
