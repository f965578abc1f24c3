"""Causes, agencies with their named persons, and a register in which something was told."""

from datetime import timedelta
from typing import Any

from compliance.models import Agency, AgencyType, Contact, ContactRole, OnboardingState
from compliance.notice_kinds import NoticeKind, Way
from compliance.notices import Cause
from compliance.register.noticebook import NoticeBook
from compliance.register.service import Register
from tests.register import CITY, NOW

TODAY = NOW.date()


def agency(
    code: str = "health", division: str = CITY, *roles: ContactRole, vacant: ContactRole | None = None
) -> Agency:
    """A connected agency; without roles it names the three persons of Art 10."""
    named = roles or (ContactRole.LEADER, ContactRole.SHARING_OFFICER, ContactRole.TECHNICAL_OFFICER)
    contacts = [
        Contact(role=role, name="某某", phone="0752-1", vacant_since=TODAY if role is vacant else None)
        for role in named
    ]
    return Agency(
        code=code,
        name="某局",
        credit_code="x",
        type=AgencyType.ADMINISTRATIVE_ORGAN,
        division=division,
        state=OnboardingState.CONNECTED,
        contacts=tuple(contacts),
    )


def cause(kind: NoticeKind = NoticeKind.DEADLINE, **changes: Any) -> Cause:
    """Something that the agency `health` owes by the day of `NOW`."""
    values: dict[str, Any] = {"kind": kind, "agency": "health", "division": CITY, "since": NOW, "due": TODAY}
    return Cause(**{**values, **changes})


def tell_and_take_back(register: Register) -> None:
    """Tell something, fail to send it, send it, take it back."""
    book = NoticeBook(register, [Way.MAIL])
    book.tell([cause()], NOW)
    [attempt] = book.waiting(NOW)
    book.note(attempt, NOW)
    book.clear([cause().id], NOW + timedelta(minutes=1))
