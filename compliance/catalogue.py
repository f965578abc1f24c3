"""Facts about a catalogue entry: what its schema says of each field, and what the entry says over it (Art 4, 39)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any

from compliance.models import CatalogueEntry
from schemas.errors import SchemaError
from schemas.refusals import RefusalCode, Refused
from schemas.resource import ResourceSchema, resource_schema
from schemas.words import SharingClass

SHANGHAI = timezone(timedelta(hours=8))


def local_date(at: datetime) -> date:
    """The calendar date in Asia/Shanghai, by which all periods of the register are counted."""
    try:
        return at.astimezone(SHANGHAI).date()
    except OverflowError:
        # The last hours that Universal Time can name; `end_of` the last day is one of them.
        return date.max


def clock(at: datetime) -> str:
    """An instant as offices write it, in Asia/Shanghai."""
    return at.astimezone(SHANGHAI).isoformat()


def end_of(day: date) -> datetime:
    """24:00 of a day in Asia/Shanghai; 9999-12-31, people's word for "for ever", ends with the calendar."""
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI).astimezone(UTC)


def start_of(day: date) -> datetime:
    """00:00 of a day in Asia/Shanghai; that of the first day of all begins with the calendar."""
    if day == date.min:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(day, time.min, SHANGHAI).astimezone(UTC)


def schema_of(entry: CatalogueEntry) -> ResourceSchema:
    """The resource schema of an entry, parsed once for each text."""
    return resource_schema(entry.avro)


def schema_or_none(entry: CatalogueEntry) -> ResourceSchema | None:
    """The resource schema of an entry; None when its text is none."""
    try:
        return schema_of(entry)
    except SchemaError:
        return None


@lru_cache(maxsize=1024)
def deprecated_fields(entry: CatalogueEntry) -> tuple[str, ...]:
    """The fields that the schema marks as deprecated: read as before, and no longer asked for (Art 40)."""
    return tuple(name for name, spec in schema_of(entry).fields.items() if spec.attributes.get("deprecated") is True)


def deprecation_flags(deprecated: Iterable[str], data: Mapping[str, Any]) -> tuple[str, ...]:
    """One flag for each deprecated field that is still supplied; publisher, record and delivery show the same."""
    return tuple(f"{name}:deprecated" for name in deprecated if data.get(name) is not None)


@lru_cache(maxsize=1024)
def sharing_of(entry: CatalogueEntry) -> dict[str, SharingClass]:
    """The sharing class of every field: the entry's word on it, else the schema's, else the whole entry's (Art 4).

    A field that nobody classed is never open: it counts as CONDITIONAL at the least, whatever the entry's own class.
    """
    unclassed = SharingClass.NOT_SHARED if entry.sharing is SharingClass.NOT_SHARED else SharingClass.CONDITIONAL
    found = {}
    for name, spec in schema_of(entry).fields.items():
        policy = entry.fields.get(name)
        if policy is not None and policy.sharing is not None:
            found[name] = policy.sharing
        else:
            found[name] = spec.sharing if "sharing" in spec.attributes else unclassed
    return found


@lru_cache(maxsize=1024)
def required_fields(entry: CatalogueEntry) -> tuple[str, ...]:
    """The fields that must be present: the entry's word, else the schema's proposal (decisions 3).

    A deprecated field is never one: who stops to supply it is not refused (Art 40).
    """
    found = []
    deprecated = deprecated_fields(entry)
    for name, spec in schema_of(entry).fields.items():
        policy = entry.fields.get(name)
        wanted = policy.required if policy is not None and policy.required is not None else spec.required
        if wanted and name not in deprecated:
            found.append(name)
    return tuple(found)


@lru_cache(maxsize=1024)
def wanted_fields(entry: CatalogueEntry) -> tuple[str, ...]:
    """The fields that a complete record has: required by the entry, or proposed as required by the schema (Art 10).

    More than `required_fields`: what an entry does without is still told as missing, and never refused.
    """
    required, deprecated = required_fields(entry), deprecated_fields(entry)
    fields = schema_of(entry).fields
    return tuple(
        name for name, spec in fields.items() if name in required or (spec.required and name not in deprecated)
    )


def in_force(entry: CatalogueEntry | None, at: datetime) -> Refused | CatalogueEntry:
    """The entry, when it is published and inside its sharing period (Art 15, 39)."""
    if entry is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "there is no entry for the resource")
    if entry.state != "PUBLISHED":
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "the entry is retired")
    period, day = entry.sharing_period, local_date(at)
    if day < period.from_ or (period.until is not None and day > period.until):
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "the entry is outside its sharing period")
    return entry
