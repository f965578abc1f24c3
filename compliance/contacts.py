"""The contact list 联系人名录 that the operator publishes to all agencies, never to the public (Art 10, 43).

One line for each agency and role. The leader of Art 43 is the one of Art 10 where the agency names no other.
"""

from dataclasses import dataclass, field
from datetime import date

from compliance.models import NAMED_PERSONS, Agency, ContactRole, OnboardingState
from compliance.view import RegisterView

CONTACT_NAMES: dict[ContactRole, tuple[str, str]] = {
    ContactRole.LEADER: ("分管领导", "leader in charge"),
    ContactRole.SHARING_OFFICER: ("信息共享责任人", "sharing officer"),
    ContactRole.TECHNICAL_OFFICER: ("技术实施责任人", "technical officer"),
    ContactRole.RESPONSIBLE_LEADER: ("负责政务信息共享工作的领导人", "leader responsible for sharing"),
    ContactRole.CONTACT: ("具体经办人", "person who handles it"),
}
_ON_THE_LIST = frozenset({OnboardingState.CONNECTED, OnboardingState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list.

    Attributes:
        name, phone: None where the role is vacant, or nobody was ever named.
        vacant_since: since when nobody fills it, where that is known.
    """

    agency: str
    agency_name: str
    role: ContactRole
    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    vacant_since: date | None = None


def contact_list(view: RegisterView) -> tuple[Listed, ...]:
    """The five roles of every connected agency, by agency code."""
    agencies = sorted((a for a in view.agencies() if a.state in _ON_THE_LIST), key=lambda agency: agency.code)
    return tuple(line_of(agency, role) for agency in agencies for role in ContactRole)


def vacancies(view: RegisterView) -> tuple[Listed, ...]:
    """The roles of Art 10 that nobody fills, which is an alarm (decisions 40)."""
    return tuple(line for line in contact_list(view) if line.role in NAMED_PERSONS and line.name is None)


def line_of(agency: Agency, role: ContactRole) -> Listed:
    """Who is on file for one role of an agency."""
    by_role = {contact.role: contact for contact in agency.contacts}
    contact = by_role.get(role)
    if contact is None and role is ContactRole.RESPONSIBLE_LEADER:
        contact = by_role.get(ContactRole.LEADER)
    if contact is None:
        return Listed(agency.code, agency.name, role)
    if contact.vacant_since is not None:
        return Listed(agency.code, agency.name, role, vacant_since=contact.vacant_since)
    return Listed(agency.code, agency.name, role, contact.name, contact.phone)
