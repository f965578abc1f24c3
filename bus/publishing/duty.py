"""What a source owes to say of itself: that it is there, and each quarter up to when static information is supplied.

Decisions alone, with time as an argument; `bus/workers/signs.py` sends what they say (Art 16, decisions 28).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from compliance.entry import CatalogueEntry
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.quarters import quarters
from processors.freshness.state import State, observe
from processors.freshness.targets import Limits, owed
from processors.freshness.words import (
    At,
    Declaration,
    Declares,
    Key,
    Targets,
    quarter_name,
    quarter_of,
    quarter_start,
)
from schemas.errors import UsageError
from schemas.words import FreshnessClass


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a source has been read, and what was read has been committed; milliseconds since the epoch.

    Attributes:
        complete_until: every change up to this business time has been published.
        unchanged_since: between this time and that one nothing changed; None where that is not known.
    """

    complete_until: int
    unchanged_since: int | None = None


def heartbeat_due(last: int | None, now: int, every: int) -> bool:
    """Whether the next heartbeat is due, in milliseconds; at once when there was none, or the clock was set back."""
    return last is None or not 0 <= now - last < every


def static_parts(versions: Sequence[CatalogueEntry], key: Key, law: Law, at: datetime) -> Mapping[Key, Targets]:
    """What an agency declares by quarter of a resource: all of it where it is static, else its static groups of fields.

    Args:
        versions: all of the catalogue's versions of the resource, oldest first.
        key: agency and resource.
        law: the clocks that bind.
        at: now.
    """
    found = owed(versions, key.agency, law, Limits(), at)
    static = {part: targets for part, targets in found.items() if targets.freshness is FreshnessClass.STATIC}
    # A word on the whole is one on its groups.
    return {key: static[key]} if key in static else static


def declared(key: Key, told: Iterable[tuple[At, Declaration]]) -> State:
    """What the declarations of a source say together, in the order of their topic; others' are left out.

    A word on a whole resource is one on each of its groups of fields.
    """
    state = State(key)
    for at, declaration in told:
        if declaration.key in {key, key.whole}:
            state = observe(state, replace(declaration, key=key), at)
    return state


def declaration_due(
    known: State, targets: Targets, reading: Reading, law: Law, calendar: WorkCalendar, now: int
) -> Declaration | None:
    """The declaration that the latest quarter still needs; None when it has one, or nobody can say yet.

    NO_CHANGE covers its own quarter alone, so where an earlier one is open too, or where a later change may hide one of
    the quarter, HIGH_WATER is said: it is true in any case, and covers all quarters before its mark.

    Args:
        known: what has been declared so far, by programs and people alike.
        targets: what the source owes; only static information is declared.
        reading: how far the source has been read.
        law: the clocks that bind.
        calendar: the working days.
        now: the source's clock.
    """
    if targets.freshness is not FreshnessClass.STATIC:
        return None
    found = list(quarters(known, targets, (), law, calendar, now))
    if not found or found[-1].covered:
        return None
    quarter = found[-1].quarter
    if reading.complete_until < quarter_start(quarter + 1):
        return None
    since = reading.unchanged_since
    if since is not None and since < quarter_start(quarter) and all(one.covered for one in found[:-1]):
        return Declaration(known.key, quarter, Declares.NO_CHANGE)
    return Declaration(known.key, quarter, Declares.HIGH_WATER, reading.complete_until)


def declaration_of(key: Key, targets: Targets | None, quarter: int, says: Declares, now: int) -> Declaration:
    """What a person declares of a quarter that is over; HIGH_WATER up to the quarter's last millisecond.

    A quarter may be declared anew: the latest word on it stands.

    Args:
        key: agency and resource, and the group where it is of one alone.
        targets: what the agency owes of it; None when it owes nothing.
        quarter: which.
        says: what is declared.
        now: the instant.

    Raises:
        UsageError: nothing is owed for the quarter, or it is not over.
    """
    if targets is None or targets.freshness is not FreshnessClass.STATIC:
        raise UsageError(f"{key.agency} owes no quarterly declaration of {key.told}: only of static information")
    if quarter >= quarter_of(now):
        raise UsageError(f"{quarter_name(quarter)} is not over: nobody knows yet what will change in it")
    if quarter < quarter_of(targets.duty_from):
        raise UsageError(f"{key.agency} did not owe {key.told} in {quarter_name(quarter)}")
    return Declaration(key, quarter, says, quarter_start(quarter + 1) - 1 if says is Declares.HIGH_WATER else None)


def declaration_datum(declaration: Declaration, now: int) -> dict[str, Any]:
    """The physical datum of `schemas/envelope/declaration.avsc`, with an id of its own."""
    key = declaration.key
    return {
        "declaration_id": str(uuid.uuid4()),
        "agency": key.agency,
        "resource": key.resource,
        "field_group": key.group or None,
        "quarter": quarter_name(declaration.quarter),
        "says": declaration.says.value,
        "mark": declaration.mark,
        "declared_at": now,
    }
