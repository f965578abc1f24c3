"""Coverage of the catalogue (Art 36): which entries have no living producer, agency by agency, and why.

Whether a producer lives is a fact of the bus and is handed in: the register knows who may supply, not who does.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from compliance.catalogue import in_force, local_date
from compliance.view import RegisterView
from schemas.refusals import Refused


class Lack(StrEnum):
    """Why an owner supplies nothing; the first that holds."""

    NO_OWNER = "NO_OWNER"
    NOT_CONNECTED = "NOT_CONNECTED"
    NO_REVIEW = "NO_REVIEW"
    SILENT = "SILENT"


@dataclass(frozen=True, slots=True)
class Uncovered:
    """An owner's part of an entry that nobody supplies; `agency` None where the entry has no owner now."""

    resource: str
    name: str
    agency: str | None
    lack: Lack


def coverage(view: RegisterView, alive: Collection[tuple[str, str]], at: datetime) -> tuple[Uncovered, ...]:
    """Entries in force without a living producer, by agency and resource.

    Args:
        view: the register.
        alive: the pairs of agency and resource that supplied lately, as the bus sees it.
        at: now.
    """
    found = []
    for entry in view.entries():
        if isinstance(in_force(entry, at), Refused):
            continue
        owners = {
            agency
            for rule in entry.owners
            if rule.effective_from <= at and (rule.effective_until is None or at < rule.effective_until)
            for agency in rule.agencies
        }
        if not owners:
            found.append(Uncovered(entry.resource, entry.name, None, Lack.NO_OWNER))
        for agency in owners:
            lack = _lack(view, agency, entry.resource, alive, at)
            if lack is not None:
                found.append(Uncovered(entry.resource, entry.name, agency, lack))
    return tuple(sorted(found, key=lambda line: (line.agency or "", line.resource)))


def _lack(
    view: RegisterView, agency: str, resource: str, alive: Collection[tuple[str, str]], at: datetime
) -> Lack | None:
    known = view.agency(agency)
    if known is None or not known.onboarded:
        return Lack.NOT_CONNECTED
    day = local_date(at)
    reviewed = any(
        review.agency == agency
        and review.resource == resource
        and review.result == "PASS"
        and review.reviewed_on <= day <= review.valid_until
        for review in view.reviews()
    )
    if not reviewed:
        return Lack.NO_REVIEW
    return None if (agency, resource) in alive else Lack.SILENT
