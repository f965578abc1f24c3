"""Whether one change is fit to be admitted: shape, required fields, codes, owner, identity (Art 5, 11, 15, 38).

Each step takes a change and answers a `Refused` or None; the order they run in is the one line `CHANGE_STEPS`. The
event id comes first: a malformed one may hold anything, so nothing is said about its change but that.
What is merely doubtful is flagged, never refused (decisions 12).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from compliance.catalogue import deprecation_flags
from compliance.writing import OwnerScope
from processors.desk import Desk
from processors.keying import number_field, subject_of
from schemas.identity import Identity
from schemas.refusals import RefusalCode, Refused
from schemas.words import Operation

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_OPERATIONS = frozenset(operation.value for operation in Operation)
# A source's clock may run ahead of ours a little; what claims to have happened later than that is wrong.
FUTURE_TOLERANCE_MS = 300_000


def is_past(at_ms: int, now_ms: int) -> bool:
    """Whether an instant of a publisher's clock is set (0 is not) and not in the future."""
    return 0 < at_ms <= now_ms + FUTURE_TOLERANCE_MS


@dataclass(slots=True)
class Sheet:
    """The working paper of one change on its way through the steps."""

    change: Mapping[str, Any]
    data: Mapping[str, Any] = field(repr=False)
    identity: Identity | None = None
    division: str = ""
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Session:
    """What all changes of one submission are judged by.

    Attributes:
        seen: event ids met so far in this submission.
        publisher_division: where the agency itself belongs; the subject's division when nothing better is known.
    """

    desk: Desk
    owner: OwnerScope
    on: date
    now_ms: int
    publisher_division: str
    seen: set[str] = field(default_factory=set)


def unique(sheet: Sheet, session: Session) -> Refused | None:
    """An event id is a UUID and stands once in a submission, also where its first change is refused."""
    event_id = sheet.change["event_id"]
    if not UUID.fullmatch(event_id):
        return Refused(RefusalCode.E_SCHEMA, "is not a lower-case UUID", "event_id")
    if event_id in session.seen:
        return Refused(RefusalCode.E_DUPLICATE, "", "event_id")
    session.seen.add(event_id)
    return None


def shape(sheet: Sheet, session: Session) -> Refused | None:
    """Envelope and required fields; a WITHDRAW needs only what keys it, which the key rule looks for."""
    change, data = sheet.change, sheet.data
    operation = change["operation"]
    if operation not in _OPERATIONS:
        return Refused(RefusalCode.E_SCHEMA, "is none of CREATE, UPDATE, CANCEL, CORRECT, WITHDRAW", "operation")
    if not is_past(change["business_time"], session.now_ms):
        return Refused(RefusalCode.E_SCHEMA, "is missing or lies in the future", "business_time")
    supersedes = change["supersedes"]
    if (operation == "CORRECT" and not supersedes) or (supersedes and not UUID.fullmatch(supersedes)):
        return Refused(RefusalCode.E_SCHEMA, "a CORRECT names the event that it supersedes by its UUID", "supersedes")
    for name in session.desk.required if operation != "WITHDRAW" else ():
        value = data.get(name)
        if value is None or value == "":
            return Refused(RefusalCode.E_SCHEMA, "a required field is missing", name)
    return None


def readable(sheet: Sheet, session: Session) -> Refused | None:
    """Dates, instants and amounts are such that a reader can show them: one that is not would stop every subscriber."""
    data = sheet.data
    for name, low, high in session.desk.bounded:
        value = data.get(name)
        if value is None:
            continue
        number = value if isinstance(value, int) else int.from_bytes(value, "big", signed=True)
        if value == b"" or not low <= number <= high:
            return Refused(RefusalCode.E_SCHEMA, "is outside the range of its type", name)
    return None


def codes(sheet: Sheet, session: Session) -> Refused | None:
    """Coded values stand in their lists, or are flagged where the field's policy says so."""
    data = sheet.data
    for coded in session.desk.coded:
        value = data.get(coded.name)
        if value is not None and not coded.codes.contains(value, session.on):
            if coded.refuse:
                return Refused(RefusalCode.E_CODE, f"not in {coded.codes.name}", coded.name)
            sheet.flags += (f"{coded.name}:unknown_code",)
    return None


def current(sheet: Sheet, session: Session) -> Refused | None:
    """What is still supplied of a deprecated field is flagged, never refused (Art 40)."""
    if session.desk.deprecated:
        sheet.flags += deprecation_flags(session.desk.deprecated, sheet.data)
    return None


def ownership(sheet: Sheet, session: Session) -> Refused | None:
    """The agency owns this part of the resource (decisions 1); the division is derived, not taken on trust."""
    name = session.desk.schema.division_field
    stated = sheet.data.get(name) if name else None
    division = stated or sheet.change["subject_division_code"] or session.publisher_division
    if not (division.isascii() and division.isdigit() and len(division) in (6, 9, 12)):
        return Refused(RefusalCode.E_SCHEMA, "is not a GB/T 2260 division code", name or "subject_division_code")
    sheet.division = division
    if not session.owner.covers(division, sheet.data):
        return Refused(RefusalCode.E_OWNER, "the subject lies outside the agency's part of the resource", name)
    return None


def identified(sheet: Sheet, session: Session) -> Refused | None:
    """The subject has a valid statutory identifier."""
    found = subject_of(session.desk.schema, sheet.data, session.on)
    if isinstance(found, Refused):
        return found
    sheet.identity = found
    if found.flags:
        name = number_field(session.desk.schema, sheet.data)
        sheet.flags += tuple(f"{name}:{flag}" for flag in found.flags)
    return None


CHANGE_STEPS = (unique, shape, readable, codes, current, ownership, identified)
