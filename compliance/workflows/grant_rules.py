"""What decides about a grant, and what follows: the register's grant that workers read, and its use file."""

from collections.abc import Sequence

from compliance.catalogue import local_date
from compliance.divisions import DivisionSet
from compliance.models import Agreement, Grant, GrantState, RowScope
from compliance.roles import By, Role
from compliance.workflow import Act, Consequence, Context, Effect, Matter, Open, Put
from compliance.workflows.effect_forms import UseFile, UseOver
from compliance.workflows.grant_forms import ConfirmationForm, GrantProposal, Suspension, Use
from compliance.workflows.sharing import child_of, class_of, entry_at, not_onboarded
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass

SWITCH = By(frozenset({Role.OPERATOR_CITY, Role.OPERATOR_COUNTY, Role.SECURITY_ADMINISTRATOR}))
"""Who may stop delivery in an emergency (Art 49, an assumption)."""


def proposal_of(matter: Matter) -> GrantProposal:
    """What the grant is bound to."""
    return GrantProposal.model_validate(matter.facts["propose"])


# -- guards --------------------------------------------------------------------------------------------------------


def new_id(context: Context) -> Refused | None:
    """No other grant has the id."""
    form: GrantProposal = context.form
    known = context.view.grant(form.id)
    return None if known is None else Refused(RefusalCode.E_CONFLICT, "there is a grant of that id", "id")


def subscriber(context: Context) -> Refused | None:
    """The subscriber is connected."""
    return not_onboarded(context.view, context.matter.parties.requester, "subscriber")


def confirmed(context: Context) -> Refused | None:
    """The confirmation form is filed (Art 45)."""
    if "file_confirmation" in context.matter.facts:
        return None
    return Refused(RefusalCode.E_STATE, "the confirmation form is not filed with the authority yet", cited="45")


def not_over(context: Context) -> Refused | None:
    """Its last day is not over."""
    if local_date(context.at) <= proposal_of(context.matter).valid_until:
        return None
    return Refused(RefusalCode.E_GRANT_EXPIRED, "its last day is over", "valid_until")


def agreed(context: Context) -> Refused | None:
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
            and _covers(RowScope.model_validate(draft["rows"]), grant.rows)
            and agreement.in_force_from <= today <= agreement.valid_until
        ):
            return agreement
    return None


def _covers(agreed_rows: RowScope, rows: RowScope) -> bool:
    if agreed_rows.divisions is None:
        return True
    known = DivisionSet(agreed_rows.divisions)
    return rows.divisions is not None and all(known.covers(division) for division in rows.divisions)


def by_the_switch_in_an_emergency_alone(context: Context) -> Refused | None:
    """Operator and security stop delivery where there is danger; all else is the provider's or the authority's."""
    form: Suspension = context.form
    if context.actor.role not in SWITCH.roles or form.cause == "EMERGENCY":
        return None
    return Refused(RefusalCode.E_ROLE, "the operator stops delivery in an emergency alone", "cause", cited="49")


def as_granted(context: Context) -> Refused | None:
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


def propose(context: Context) -> Sequence[Effect]:
    """The grant becomes known, and delivers nothing yet."""
    form: GrantProposal = context.form
    values = form.model_dump(include=set(Grant.model_fields))
    return [Put(Grant.model_validate(values))]


def moves_to(state: GrantState) -> Consequence:
    """The register's grant takes this state."""

    def put(context: Context) -> Sequence[Effect]:
        grant = context.view.grant(context.matter.parties.subject or "")
        return [] if grant is None else [Put(grant.model_copy(update={"state": state}))]

    return put


def note_confirmation(context: Context) -> Sequence[Effect]:
    """The grant names its confirmation form."""
    form: ConfirmationForm = context.form
    grant = context.view.grant(context.matter.parties.subject or "")
    return [] if grant is None else [Put(grant.model_copy(update={"confirmation_number": form.number}))]


def activate(context: Context) -> Sequence[Effect]:
    """The grant delivers from now on, under the agreement that covers it."""
    grant = context.view.grant(context.matter.parties.subject or "")
    if grant is None:
        return []
    changes = {"state": GrantState.ACTIVE, "agreement": _agreement(context)}
    return [Put(grant.model_copy(update=changes))]


def open_use_file(context: Context) -> Sequence[Effect]:
    """Its uses are recorded from now on (2025:29)."""
    parties = context.matter.parties
    if parties.requester is None or parties.provider is None or parties.subject is None:
        return []
    form = UseFile(grant=parties.subject, subscriber=parties.requester, provider=parties.provider)
    return [Open("effect_report", "open", form)]


def end_use_file(context: Context) -> Sequence[Effect]:
    """The records of its uses are kept from now on (2025:29)."""
    file = child_of(context, "effect_report")
    if file is None or file.state != "OPEN":
        return []
    return [Act(file.number, "use_over", UseOver(ended_on=local_date(context.at)))]
