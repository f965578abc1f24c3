"""A small city for tests of sharing: agencies of city and counties, three resources, and the steps that many need.

`lamp` is the police's: `area` is unconditional, `number` conditional, `secret` not shared. `bridge` and `well` are two
counties' own, unconditional.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from compliance.entry import FieldPolicy
from compliance.models import Agency, AgencyType, CatalogueEntry, Contact, ContactRole, OnboardingState, OwnerRule
from compliance.register.decision import Moved
from compliance.register.service import Register
from compliance.roles import Role
from compliance.workflow import Matter
from schemas.refusals import Refused
from schemas.words import SharingClass
from tests.catalogue import entry, field, schema_text
from tests.register import AUTHORITY, CITY, COUNTY, GOVERNMENT, NOW, OPERATOR, moved, of, office

OTHER_COUNTY = "441323"
LAW = {"title": "测试法", "article": "1", "level": "LAW"}
REASONS = {"reason": "依法不宜共享", "citation": LAW, "document": "函〔2026〕1号"}
DECREE = {"reason": "已整改", "document": "函〔2026〕2号"}
PURPOSE = "办理低保审核"

AGENCIES: dict[str, str] = {
    "psb": CITY,
    "civil_affairs": CITY,
    "aic": CITY,
    "tax": CITY,
    "boluo_civil": COUNTY,
    "boluo_roads": COUNTY,
    "huidong_water": OTHER_COUNTY,
    "newcomer": CITY,
}

ASKER = of("civil_affairs")
OWNER = of("psb")
BOLUO_OPERATOR = office(Role.OPERATOR_COUNTY, COUNTY)
HUIDONG_OPERATOR = office(Role.OPERATOR_COUNTY, OTHER_COUNTY)


def agency(code: str, division: str) -> Agency:
    """A connected agency, but for the newcomer; the tax office joins by reference."""
    return Agency(
        code=code,
        name="单位",
        credit_code="11441300007212348P",
        type=AgencyType.ADMINISTRATIVE_ORGAN,
        division=division,
        participation="BY_REFERENCE" if code == "tax" else "MANDATORY",
        state=OnboardingState.APPLIED if code == "newcomer" else OnboardingState.CONNECTED,
        contacts=tuple(Contact(role=role, name="某人", phone="0752-1234567") for role in ContactRole),
    )


def resource(code: str, owner: str, open_fields: Sequence[str]) -> CatalogueEntry:
    """An entry in force since January, whose named fields are unconditional."""
    return entry(
        schema_text(code, field("secret", sharing="NOT_SHARED")),
        owners=(OwnerRule(agencies=(owner,)),),
        fields={name: FieldPolicy(sharing=SharingClass.UNCONDITIONAL) for name in open_fields},
    )


def city() -> tuple[Agency | CatalogueEntry, ...]:
    """Everything that the register holds before anybody applies."""
    return (
        *(agency(code, division) for code, division in AGENCIES.items()),
        resource("lamp", "psb", ["area"]),
        resource("bridge", "boluo_roads", ["area", "number"]),
        resource("well", "huidong_water", ["area", "number"]),
    )


def found(register: Register) -> Register:
    """The register with the city in it."""
    register.put(city(), OPERATOR, NOW - timedelta(days=30))
    return register


def wanted(*fields: str, provider: str = "psb", resource: str | None = "lamp", **changes: Any) -> dict[str, Any]:
    """One item of an application."""
    return {
        "name": "路灯",
        "legal_basis": LAW,
        "provider": provider,
        "resource": resource,
        "fields": fields,
        "frequency": "实时",
        "valid_from": "2026-09-01",
        "valid_until": "2027-08-31",
        **changes,
    }


def application(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A complete application form."""
    return {
        "department": "救助科",
        "handler": "某人",
        "phone": "0752-7654321",
        "scenario": "低保审核",
        "business": "最低生活保障",
        "system": "低保系统",
        "purpose": PURPOSE,
        "approved_by": "某人",
        "approved_on": "2026-08-31",
        "items": items,
        **changes,
    }


def apply(register: Register, *items: dict[str, Any], at: datetime = NOW, **changes: Any) -> tuple[Matter, ...]:
    """Apply on the platform; the items as they were opened."""
    done = moved(register.open("application", "submit", application(*items, **changes), ASKER, at), "OPEN")
    return tuple(matter for matter in done.others if matter.workflow == "application_item")


def child(register: Register, number: str, workflow: str) -> Matter:
    """The one matter of a workflow that another opened."""
    [only] = register.matters(workflow, parent=number)
    return only


def state(register: Register, number: str) -> str:
    """The state of a matter."""
    matter = register.matter(number)
    assert matter is not None
    return matter.state


def confirmed(register: Register, *fields: str, at: datetime = NOW) -> tuple[Matter, Matter]:
    """An item that its provider confirmed, and its grant."""
    [item] = apply(register, wanted(*fields), at=at)
    moved(register.act(item.number, "confirm", {}, OWNER, at), "CONFIRMED")
    return item, child(register, item.number, "grant")


def file_confirmation(register: Register, grant: str, at: datetime = NOW) -> None:
    """File 授权确认表."""
    form = {
        "number": "确认〔2026〕1号",
        "filed_on": "2026-09-01",
        "handler": "某人",
        "phone": "1",
        "approved_by": "某人",
    }
    moved(register.act(grant, "file_confirmation", form, OWNER, at), "PENDING")


def draft(*fields: str, **changes: Any) -> dict[str, Any]:
    """The draft of an agreement on `lamp`."""
    return {
        "subscriber": "civil_affairs",
        "provider": "psb",
        "resource": "lamp",
        "fields": fields,
        "purpose": PURPOSE,
        "measures": "专人专机",
        "valid_from": "2026-09-01",
        "valid_until": "2027-08-31",
        **changes,
    }


def signature(day: date | None = None) -> dict[str, Any]:
    """One side's signature, of today."""
    return {"signed_on": (day or NOW.date()).isoformat(), "signatory": "某人", "digest": "sm3:00"}


def signed(register: Register, *fields: str, at: datetime = NOW, **changes: Any) -> Matter:
    """An agreement that both sides signed."""
    made = moved(register.open("agreement", "draft", draft(*fields, **changes), ASKER, at), "DRAFTED").matter
    moved(register.act(made.number, "sign_provider", signature(at.date()), OWNER, at), "SIGNED_BY_PROVIDER")
    return moved(register.act(made.number, "sign_subscriber", signature(at.date()), ASKER, at), "ACTIVE").matter


def active(register: Register, *fields: str, at: datetime = NOW) -> tuple[Matter, Matter]:
    """An item with an active grant, under an agreement where one is needed."""
    item, grant = confirmed(register, *fields, at=at)
    if set(fields) - {"area"}:
        signed(register, *fields, at=at)
    file_confirmation(register, grant.number, at)
    return item, moved(register.act(grant.number, "activate", {}, OPERATOR, at), "ACTIVE").matter


def disputed(register: Register, at: datetime = NOW) -> tuple[Matter, Matter]:
    """An unconditional item whose refusal led to negotiation, and its dispute."""
    [item] = apply(register, wanted("area"), at=at)
    moved(register.act(item.number, "refuse", REASONS, OWNER, at), "NEGOTIATION")
    return item, child(register, item.number, "dispute")


def result(outcome: str) -> dict[str, Any]:
    """The published result of a negotiation or review."""
    return {"outcome": outcome, "summary": "协商结果", "document": "纪要1号", "published_on": "2026-09-02"}


OPINION = {"opinion": "SHARE", "statement": "应当共享", "document": "意见1号"}
PETITION = {"statement": "提请裁定", "document": "请示1号"}
DELIVERY = {"delivered_on": "2026-09-03", "evidence": "delivery.civil_affairs.lamp 0:0-99"}
BOARD = {
    "opinion_authority": AUTHORITY,
    "opinion_staffing": office(Role.STAFFING),
    "opinion_legal": office(Role.LEGAL),
    "opinion_services": office(Role.SERVICES),
}


def reviewed(register: Register, dispute: str, at: datetime = NOW) -> None:
    """Take a dispute through negotiation and review, both without result."""
    moved(register.act(dispute, "publish_result", result("UNSOLVED"), AUTHORITY, at), "BOARD")
    for action, member in BOARD.items():
        moved(register.act(dispute, action, OPINION, member, at), "BOARD")
    moved(register.act(dispute, "conclude_review", result("UNSOLVED"), AUTHORITY, at), "REVIEWED")


def ordered(register: Register, dispute: str, at: datetime = NOW) -> Moved | Refused:
    """Take a dispute to the government's order."""
    reviewed(register, dispute, at)
    moved(register.act(dispute, "petition", PETITION, ASKER, at), "GOVERNMENT")
    order = {"number": "府裁〔2026〕1号", "decided_on": at.date().isoformat(), "document": "决定1号"}
    return register.act(dispute, "order", order, GOVERNMENT, at)
