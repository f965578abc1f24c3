"""Who acts: the roles of decisions 39, an actor, and whom a step of a workflow may be taken by.

Every action names its actor and role. An agency's people act for their agency alone; a county's offices act for their
own county alone (Art 8).
"""

from dataclasses import dataclass
from enum import StrEnum

from compliance.entry import Model
from compliance.values import AgencyCode, DivisionCode


class Role(StrEnum):
    """The roles of a person or office; administration, security and audit are three separate persons."""

    LEADER = "LEADER"
    SHARING_OFFICER = "SHARING_OFFICER"
    TECHNICAL_OFFICER = "TECHNICAL_OFFICER"
    CONTACT = "CONTACT"
    OPERATOR_CITY = "OPERATOR_CITY"
    OPERATOR_COUNTY = "OPERATOR_COUNTY"
    AUTHORITY_CITY = "AUTHORITY_CITY"
    AUTHORITY_COUNTY = "AUTHORITY_COUNTY"
    GOVERNMENT_CITY = "GOVERNMENT_CITY"
    GOVERNMENT_COUNTY = "GOVERNMENT_COUNTY"
    STAFFING = "STAFFING"
    LEGAL = "LEGAL"
    SECRECY = "SECRECY"
    SERVICES = "SERVICES"
    POLICE = "POLICE"
    INSPECTION = "INSPECTION"
    SUPERVISION = "SUPERVISION"
    ADMINISTRATOR = "ADMINISTRATOR"
    SECURITY_ADMINISTRATOR = "SECURITY_ADMINISTRATOR"
    AUDITOR = "AUDITOR"
    CLOCK = "CLOCK"


ROLE_NAMES: dict[Role, tuple[str, str]] = {
    Role.LEADER: ("分管领导", "leader of an agency"),
    Role.SHARING_OFFICER: ("信息共享责任人", "sharing officer of an agency"),
    Role.TECHNICAL_OFFICER: ("技术实施责任人", "technical officer of an agency"),
    Role.CONTACT: ("具体经办人", "contact of an agency"),
    Role.OPERATOR_CITY: ("市共享平台管理机构", "platform operator of the city"),
    Role.OPERATOR_COUNTY: ("县(区)共享平台管理机构", "platform operator of a county"),
    Role.AUTHORITY_CITY: ("市信息化主管部门", "informatization authority of the city"),
    Role.AUTHORITY_COUNTY: ("县(区)信息化主管部门", "informatization authority of a county"),
    Role.GOVERNMENT_CITY: ("市人民政府", "city government"),
    Role.GOVERNMENT_COUNTY: ("县(区)人民政府", "county government"),
    Role.STAFFING: ("机构编制部门", "staffing office"),
    Role.LEGAL: ("法制部门", "legal office"),
    Role.SECRECY: ("保密部门", "secrecy office"),
    Role.SERVICES: ("政务服务部门", "government services office"),
    Role.POLICE: ("公安部门", "police"),
    Role.INSPECTION: ("督查部门", "inspection office"),
    Role.SUPERVISION: ("监察部门", "supervision"),
    Role.ADMINISTRATOR: ("系统管理员", "administrator"),
    Role.SECURITY_ADMINISTRATOR: ("安全管理员", "security administrator"),
    Role.AUDITOR: ("审计员", "auditor"),
    Role.CLOCK: ("时限", "the clock"),
}
AGENCY_ROLES = frozenset({Role.LEADER, Role.SHARING_OFFICER, Role.TECHNICAL_OFFICER, Role.CONTACT})
COUNTY_ROLES = frozenset({Role.OPERATOR_COUNTY, Role.AUTHORITY_COUNTY, Role.GOVERNMENT_COUNTY})


class Party(StrEnum):
    """Which agency of a matter somebody acts for."""

    REQUESTER = "REQUESTER"
    PROVIDER = "PROVIDER"
    UNIT = "UNIT"


class Actor(Model):
    """Who acts: an account, in a role, for an agency or a county where the role belongs to one."""

    account: str
    role: Role
    agency: AgencyCode | None = None
    division: DivisionCode | None = None


CLOCK = Actor(account="clock", role=Role.CLOCK)


@dataclass(frozen=True, slots=True)
class By:
    """Whom a step may be taken by: one of the roles, and of that party's agency where one is named."""

    roles: frozenset[Role]
    party: Party | None = None

    @property
    def zh(self) -> str:
        """For people, in Chinese."""
        return "、".join(ROLE_NAMES[role][0] for role in sorted(self.roles)) or "由其他决定引起"

    @property
    def en(self) -> str:
        """For people, in English."""
        party = f" of the {self.party.value.lower()}" if self.party is not None else ""
        return (", ".join(ROLE_NAMES[role][1] for role in sorted(self.roles)) or "another decision alone") + party


def _by(*roles: Role, party: Party | None = None) -> By:
    return By(frozenset(roles), party)


_OFFICERS = (Role.LEADER, Role.SHARING_OFFICER)
REQUESTER = _by(*_OFFICERS, party=Party.REQUESTER)
PROVIDER = _by(*_OFFICERS, party=Party.PROVIDER)
PROVIDER_LEADER = _by(Role.LEADER, party=Party.PROVIDER)
UNIT = _by(*_OFFICERS, party=Party.UNIT)
UNIT_ANYBODY = _by(*AGENCY_ROLES, party=Party.UNIT)
ANY_AGENCY = _by(*_OFFICERS)
OPERATOR = _by(Role.OPERATOR_CITY, Role.OPERATOR_COUNTY)
AUTHORITY = _by(Role.AUTHORITY_CITY, Role.AUTHORITY_COUNTY)
GOVERNMENT = _by(Role.GOVERNMENT_CITY, Role.GOVERNMENT_COUNTY)
SUPERVISION = _by(Role.SUPERVISION)
STAFFING = _by(Role.STAFFING)
LEGAL = _by(Role.LEGAL)
SECRECY = _by(Role.SECRECY)
SERVICES = _by(Role.SERVICES)
BY_CLOCK = _by(Role.CLOCK)
BY_CONSEQUENCE = _by()
"""Nobody by hand: another decision brings it about."""
