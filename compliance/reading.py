"""Who may read what (Art 4, 6, 39, 44, 45, 48): **no delivery without a grant**, default deny."""

from datetime import datetime

from compliance.catalogue import end_of, in_force, local_date, sharing_of, start_of
from compliance.decision import Permitted
from compliance.models import CatalogueEntry, Grant, GrantState
from compliance.view import RegisterView
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass


def may_read(view: RegisterView, grant: Grant, at: datetime) -> Permitted | Refused:
    """Whether a grant delivers at an instant, or why not.

    In this order: state and period of the grant (E_NO_GRANT, E_GRANT_EXPIRED), subscriber (E_NOT_ONBOARDED), entry
    (E_NOT_IN_CATALOGUE), fields (E_FIELD_NOT_GRANTED), basis (E_NO_LEGAL_BASIS), agreement (E_NO_AGREEMENT).

    Args:
        view: the register.
        grant: as the register holds it.
        at: now; periods count in days of Asia/Shanghai, the last day included.
    """
    refused = _grant_itself(grant, at)
    if refused is not None:
        return refused
    subscriber = view.agency(grant.subscriber)
    if subscriber is None or not subscriber.onboarded:
        return Refused(RefusalCode.E_NOT_ONBOARDED)
    entry = in_force(view.entry(grant.resource), at)
    if isinstance(entry, Refused):
        return entry
    return _fields(grant, entry) or _basis(grant) or _agreement(grant, entry, at) or Permitted(entry, grant)


def _grant_itself(grant: Grant, at: datetime) -> Refused | None:
    if grant.state is GrantState.EXPIRED:
        return Refused(RefusalCode.E_GRANT_EXPIRED, "the grant has expired")
    if grant.state is not GrantState.ACTIVE:
        return Refused(RefusalCode.E_NO_GRANT, f"the grant is {grant.state.value}")
    day = local_date(at)
    if day < grant.valid_from:
        return Refused(RefusalCode.E_GRANT_EXPIRED, "the grant is not valid yet")
    if day > grant.valid_until:
        return Refused(RefusalCode.E_GRANT_EXPIRED, "the grant's last day is over")
    return None


def _fields(grant: Grant, entry: CatalogueEntry) -> Refused | None:
    """Every field exists and may be shared at all."""
    classes = sharing_of(entry)
    for name in grant.fields:
        sharing = classes.get(name)
        if sharing is None:
            return Refused(RefusalCode.E_FIELD_NOT_GRANTED, "the entry has no such field", name)
        decided = grant.agreement is not None and grant.confirmation_number is not None
        if sharing is SharingClass.NOT_SHARED and not decided:
            # Art 4 forbids it by default, Art 48 admits it under an agreement and a decision.
            return Refused(
                RefusalCode.E_FIELD_NOT_GRANTED,
                "the field is not shared, and no agreement with a decision allows it",
                name,
            )
    return None


def _basis(grant: Grant) -> Refused | None:
    if grant.legal_basis is None:
        return Refused(RefusalCode.E_NO_LEGAL_BASIS, "the grant names no statute", "legal_basis")
    return None


def _agreement(grant: Grant, entry: CatalogueEntry, at: datetime) -> Refused | None:
    """What is not shared unconditionally needs an agreement that both sides signed and that is in force (Art 48)."""
    classes, agreement, day = sharing_of(entry), grant.agreement, local_date(at)
    if agreement is not None and agreement.in_force_from <= day <= agreement.valid_until:
        return None
    detail = "there is no agreement" if agreement is None else "the agreement is not in force on that day"
    for name in grant.fields:
        if classes[name] is not SharingClass.UNCONDITIONAL:
            return Refused(RefusalCode.E_NO_AGREEMENT, detail, name)
    return None


def next_change_at(view: RegisterView, grant: Grant, at: datetime) -> datetime | None:
    """The next instant at which time alone could change the answer; None when it cannot."""
    moments = [start_of(grant.valid_from), end_of(grant.valid_until)]
    if grant.agreement is not None:
        moments += [start_of(grant.agreement.in_force_from), end_of(grant.agreement.valid_until)]
    entry = view.entry(grant.resource)
    if entry is not None:
        moments.append(start_of(entry.sharing_period.from_))
        if entry.sharing_period.until is not None:
            moments.append(end_of(entry.sharing_period.until))
    return min((moment for moment in moments if moment > at), default=None)
