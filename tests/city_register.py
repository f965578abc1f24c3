"""Steps that many tests of the procedures need: an agency that connects, an entry on its way through the catalogue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from compliance.models import Agency, CatalogueEntry, ContactRole
from compliance.register.decision import Moved
from compliance.register.service import Register
from compliance.roles import Actor, Role
from tests.hall_register import signing_key
from tests.register import AUTHORITY, COUNTY, GOVERNMENT, NOW, OPERATOR, STAFFING, moved, of, office
from tests.sharing import AGENCIES, agency

LAW = {"title": "测试法", "article": "1", "level": "LAW"}
COUNTY_OPERATOR = office(Role.OPERATOR_COUNTY, COUNTY)
COUNTY_AUTHORITY = office(Role.AUTHORITY_COUNTY, COUNTY)
COUNTY_GOVERNMENT = office(Role.GOVERNMENT_COUNTY, COUNTY)
VERIFICATION = {"opinion": "核实无误"}
APPROVAL = {"approval_number": "惠府函〔2026〕1号", "approved_on": "2026-09-01"}
PUBLICATION = {"document": "公告〔2026〕1号"}
RETURN = {"defects": ["缺少更新频率"]}


def city(register: Register) -> None:
    """The agencies of the city and its counties are connected."""
    register.put([agency(code, division) for code, division in AGENCIES.items()], OPERATOR, NOW - timedelta(days=200))


def persons(*roles: ContactRole, lacking: ContactRole | None = None) -> list[dict[str, str]]:
    """Named persons for these roles, or for all but one."""
    chosen = roles or tuple(ContactRole)
    return [{"role": role.value, "name": "某人", "phone": "0752-1234567"} for role in chosen if role is not lacking]


def pem(code: str, starts: datetime = NOW - timedelta(days=30), days: int = 400) -> str:
    """A signing certificate that is valid now."""
    return signing_key(code, starts, starts + timedelta(days=days)).pem


def application(code: str = "weather", **changes: Any) -> dict[str, Any]:
    """An application for the connection that is complete; what is changed to None is left out."""
    form = {
        "code": code,
        "name": "市气象局",
        "credit_code": "11441300007212348P",
        "type": "ADMINISTRATIVE_ORGAN",
        "division": "441300",
        "participation": "MANDATORY",
        "contacts": persons(),
        "systems": ["气象业务系统"],
        "certificate": {"pem": pem(code)},
        **changes,
    }
    return {key: value for key, value in form.items() if value is not None}


CHECK = {"network_line": "政务外网专线", "interface_tested_on": "2026-09-01"}
CONNECTION = {"connected_on": "2026-09-01", "document": "接入确认书1号"}


def connected(register: Register, code: str = "weather", **changes: Any) -> Moved:
    """An agency that went the whole way of a first connection."""
    made = moved(register.open("onboarding", "apply", application(code, **changes), of(code), NOW), "APPLIED")
    number = made.matter.number
    moved(register.act(number, "check", CHECK, OPERATOR, NOW), "CHECKED")
    return moved(register.act(number, "connect", CONNECTION, OPERATOR, NOW), "CONNECTED")


def known(register: Register, code: str = "weather") -> Agency:
    """The agency as the register has it."""
    found = register.view().agency(code)
    assert found is not None
    return found


def drafted(register: Register, entry: CatalogueEntry, by: Actor = OPERATOR, at: datetime = NOW) -> str:
    """The number of a draft."""
    return moved(register.open("catalogue", "draft", {"entry": wire(entry)}, by, at), "DRAFT").matter.number


def published(register: Register, entry: CatalogueEntry, at: datetime = NOW) -> Moved:
    """An entry of the city, through the whole procedure."""
    number = drafted(register, entry, at=at)
    if entry.baseline:
        moved(register.act(number, "cosign", {"document": "编办函1号", "signed_on": "2026-09-01"}, STAFFING, at))
    return finish(register, number, at)


def finish(register: Register, number: str, at: datetime = NOW) -> Moved:
    """A draft of the city, from its verification to its publication."""
    moved(register.act(number, "verify", VERIFICATION, AUTHORITY, at), "VERIFIED")
    moved(register.act(number, "approve", APPROVAL, GOVERNMENT, at), "APPROVED")
    return moved(register.act(number, "publish", PUBLICATION, AUTHORITY, at))


def wire(entry: CatalogueEntry) -> Mapping[str, Any]:
    """An entry as a form carries it."""
    return entry.model_dump(mode="json", by_alias=True)
