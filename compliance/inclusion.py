"""The mandatory-inclusion list and its gaps (Art 39): what must stand in the catalogue, by which text, and what does not.

Chapter 2 of the regulation is read from the packaged schemas; what other texts want is listed in the register
(`compliance/workflows/mandatory_item.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from compliance.catalogue import in_force, local_date
from compliance.entry import CatalogueEntry, LegalBasis
from compliance.proposal import REGULATION
from compliance.view import RegisterView
from compliance.workflow import Matters
from schemas.refusals import Refused
from schemas.resource import packaged_resources, packaged_text, resource_schema
from schemas.words import SharingClass


class Gap(StrEnum):
    """Why a mandatory resource is not shared as it must be."""

    MISSING = "MISSING"
    NOT_IN_FORCE = "NOT_IN_FORCE"
    NOT_SHARED = "NOT_SHARED"


@dataclass(frozen=True, slots=True)
class Mandatory:
    """One resource that must stand in the catalogue.

    Attributes:
        agency: who is to supply it; None where Chapter 2 names a kind of agency.
        from_day: since when; None for Chapter 2.
        matter: the matter by which it was listed; None for Chapter 2.
    """

    resource: str
    name: str
    basis: LegalBasis
    agency: str | None = None
    from_day: date | None = None
    matter: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A mandatory resource that is not shared, and why."""

    item: Mandatory
    gap: Gap


def mandatory(others: Matters) -> tuple[Mandatory, ...]:
    """All that must stand in the catalogue: Chapter 2, then what was listed."""
    return (*_chapter_two(), *_listed(others))


def gaps(view: RegisterView, others: Matters, at: datetime) -> tuple[Missing, ...]:
    """What must stand in the catalogue at an instant and does not, or stands there as not shared."""
    found = []
    for item in mandatory(others):
        if item.from_day is not None and item.from_day > local_date(at):
            continue
        gap = _gap(view.entry(item.resource), at)
        if gap is not None:
            found.append(Missing(item, gap))
    return tuple(found)


def _gap(entry: CatalogueEntry | None, at: datetime) -> Gap | None:
    if entry is None:
        return Gap.MISSING
    if isinstance(in_force(entry, at), Refused):
        return Gap.NOT_IN_FORCE
    return Gap.NOT_SHARED if entry.sharing is SharingClass.NOT_SHARED else None


def _chapter_two() -> Iterator[Mandatory]:
    for code in packaged_resources():
        schema = resource_schema(packaged_text(code))
        yield Mandatory(
            code, schema.cn, LegalBasis(title=REGULATION, article=str(schema.avro["article"]), level="GOVERNMENT_RULE")
        )


def _listed(others: Matters) -> Iterator[Mandatory]:
    for matter in others.matters("mandatory_item", states=("LISTED",)):
        form = matter.facts["list"]
        yield Mandatory(
            form["resource"],
            form["name"],
            LegalBasis.model_validate(form["basis"]),
            form["agency"],
            date.fromisoformat(form["from_day"]),
            matter.number,
        )
