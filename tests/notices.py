"""Causes of notices, and agencies with their named persons."""

from typing import Any

from compliance.models import Agency, AgencyType, Contact, ContactRole, OnboardingState
from compliance.notice_kinds import NoticeKind
from compliance.notices import Cause
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
