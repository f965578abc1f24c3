"""Who may write what (Art 5, 10, 11, 14, 15): **one datum, one source**."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from compliance.catalogue import in_force, local_date
from compliance.decision import Permitted
from compliance.divisions import DivisionSet
from compliance.models import CatalogueEntry, OwnerRule
from compliance.view import RegisterView
from schemas.refusals import RefusalCode, Refused
from schemas.words import Classification


def rules_in_force(entry: CatalogueEntry, agency: str, at: datetime) -> tuple[OwnerRule, ...]:
    """The owner rules that name an agency and are in force at an instant; the end is exclusive (Art 40)."""
    return tuple(
        rule
        for rule in entry.owners
        if agency in rule.agencies
        and rule.effective_from <= at
        and (rule.effective_until is None or at < rule.effective_until)
    )


@dataclass(frozen=True, slots=True)
class OwnerPart:
    """One owner rule, compiled: divisions (None: all) and the values of a field (None: any)."""

    divisions: DivisionSet | None
    field: str | None
    values: frozenset[str]

    def covers(self, division: str | None, data: Mapping[str, Any]) -> bool:
        """Whether a subject lies in this part."""
        if self.divisions is not None and not self.divisions.covers(division):
            return False
        return self.field is None or data.get(self.field) in self.values


@dataclass(frozen=True, slots=True)
class OwnerScope:
    """What one agency owns of one resource at one instant."""

    parts: tuple[OwnerPart, ...]

    def covers(self, division: str | None, data: Mapping[str, Any]) -> bool:
        """Whether the agency is the owner of a subject with this division and these fields."""
        return any(part.covers(division, data) for part in self.parts)


def compile_owner(entry: CatalogueEntry, agency: str, at: datetime) -> OwnerScope:
    """The agency's part of the resource; empty when it owns nothing."""
    return OwnerScope(
        tuple(
            OwnerPart(
                None if rule.divisions is None else DivisionSet(rule.divisions),
                rule.field,
                frozenset(rule.values or ()),
            )
            for rule in rules_in_force(entry, agency, at)
        )
    )


def may_submit(
    view: RegisterView,
    agency_code: str,
    resource: str,
    catalogue_version: int,
    review_number: str,
    classification: str,
    at: datetime,
) -> Permitted | Refused:
    """Whether an agency may submit to a resource at all; the checks that hold for a whole submission.

    Args:
        view: the register.
        agency_code: of the topic.
        resource: of the topic.
        catalogue_version: as the submission cites it.
        review_number: as the submission cites it.
        classification: as the submission states it.
        at: the broker's append time (decisions 26).
    """
    agency = view.agency(agency_code)
    if agency is None or not agency.onboarded:
        return Refused(RefusalCode.E_NOT_ONBOARDED)
    entry = in_force(view.entry(resource), at)
    if isinstance(entry, Refused):
        return entry
    return (
        _version(view, entry, catalogue_version, at)
        or _owner(entry, agency_code, at)
        or _secrecy(view, agency_code, entry, catalogue_version, review_number, classification, at)
        or Permitted(entry)
    )


def _version(view: RegisterView, newest: CatalogueEntry, cited: int, at: datetime) -> Refused | None:
    """The newest version, or an older one within the grace after its successor was published (decisions 26)."""
    if cited == newest.version:
        return None
    if view.entry_version(newest.resource, cited) is None:
        return Refused(RefusalCode.E_VERSION, "the catalogue has no such version of the entry", "catalogue_version")
    successor = next(known for known in view.versions(newest.resource) if known.version > cited)
    if at > successor.published_at + timedelta(days=successor.grace_days):
        return Refused(RefusalCode.E_VERSION, "the grace of the older version is over", "catalogue_version")
    return None


def _owner(entry: CatalogueEntry, agency_code: str, at: datetime) -> Refused | None:
    if rules_in_force(entry, agency_code, at):
        return None
    return Refused(RefusalCode.E_OWNER, "no owner rule in force names the agency")


def _secrecy(
    view: RegisterView,
    agency_code: str,
    entry: CatalogueEntry,
    cited: int,
    review_number: str,
    classification: str,
    at: datetime,
) -> Refused | None:
    """Non-secret, and covered by a standing review that passed (Art 15, decisions 11)."""
    if classification != Classification.NON_SECRET.value:
        return Refused(RefusalCode.E_STATE_SECRET, "", "classification")
    review, day = view.review(agency_code, review_number), local_date(at)
    if review is None or review.resource != entry.resource:
        return Refused(RefusalCode.E_SECRECY_REVIEW, "the agency has no such review of the resource", "review_number")
    if review.result != "PASS":
        return Refused(RefusalCode.E_SECRECY_REVIEW, "the review did not pass", "review_number")
    if not review.reviewed_on <= day <= review.valid_until:
        return Refused(
            RefusalCode.E_SECRECY_REVIEW, "the review is not valid on the day of submission", "review_number"
        )
    if review.catalogue_version > cited:
        return Refused(RefusalCode.E_SECRECY_REVIEW, "the review is of a later catalogue version", "review_number")
    return None
