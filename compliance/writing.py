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
    """One owner rule that binds a field's values, compiled; divisions None covers all."""

    divisions: DivisionSet | None
    field: str
    values: frozenset[str]

    def covers(self, division: str | None, data: Mapping[str, Any]) -> bool:
        """Whether a subject lies in this part."""
        return data.get(self.field) in self.values and (self.divisions is None or self.divisions.covers(division))


@dataclass(frozen=True, slots=True)
class OwnerScope:
    """What one agency owns of one resource at one instant.

    Attributes:
        everything: it owns the resource undivided.
        divisions: the union of its parts that are bounded by division alone.
        parts: its parts that are bounded by the value of a field.
    """

    everything: bool
    divisions: DivisionSet
    parts: tuple[OwnerPart, ...]

    def covers(self, division: str | None, data: Mapping[str, Any]) -> bool:
        """Whether the agency is the owner of a subject with this division and these fields."""
        if self.everything or self.divisions.covers(division):
            return True
        for part in self.parts:  # noqa: SIM110  the hot path: a generator costs more than the look-ups in it
            if part.covers(division, data):
                return True
        return False


def compile_owner(entry: CatalogueEntry, agency: str, at: datetime) -> OwnerScope:
    """The agency's part of the resource; covers nothing when it owns nothing."""
    rules = rules_in_force(entry, agency, at)
    whole = [rule for rule in rules if rule.field is None]
    return OwnerScope(
        everything=any(rule.divisions is None for rule in whole),
        divisions=DivisionSet(code for rule in whole for code in rule.divisions or ()),
        parts=tuple(
            OwnerPart(
                None if rule.divisions is None else DivisionSet(rule.divisions),
                rule.field,
                frozenset(rule.values or ()),
            )
            for rule in rules
            if rule.field is not None
        ),
    )


def refuse_owner(field: str | None = None) -> Refused:
    """The refusal of a change whose subject lies outside the agency's part (Art 5, 11).

    Args:
        field: the field that told so, where one did.
    """
    return Refused(RefusalCode.E_OWNER, "the subject lies outside the agency's part of the resource", field)


def may_submit(
    view: RegisterView,
    agency_code: str,
    resource: str,
    catalogue_version: int,
    review_number: str,
    classification: str,
    at: datetime,
) -> Permitted | Refused:
    """Whether an agency may submit to a resource at all; the checks that hold for a whole submission, in this order.

    E_NOT_ONBOARDED, E_NOT_IN_CATALOGUE, E_VERSION, E_OWNER, E_STATE_SECRET, E_SECRECY_REVIEW.

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
    older = view.entry_version(newest.resource, cited)
    if older is None:
        return Refused(RefusalCode.E_VERSION, "the catalogue has no such version of the entry", "catalogue_version")
    if older.state != "PUBLISHED":
        return Refused(RefusalCode.E_VERSION, "the version is retired", "catalogue_version")
    successor = next(known for known in view.versions(newest.resource) if known.version > cited)
    # Not published_at + grace, which may lie beyond the calendar.
    if at - successor.published_at > timedelta(days=successor.grace_days):
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
