"""Catalogue entries for tests: a small resource of its own, right in every rule until a test makes one thing wrong."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from compliance.difference import after, problems
from compliance.models import (
    Agency,
    AgencyType,
    CatalogueEntry,
    Grant,
    GrantState,
    LegalBasis,
    OwnerRule,
    RegisterModel,
    SharingPeriod,
)
from compliance.positions import Document, Place
from compliance.registerfile import Item, RegisterFile
from compliance.view import RegisterView
from schemas.words import FreshnessClass, SharingClass

PUBLISHED = datetime(2026, 1, 1, tzinfo=UTC)
AGENCIES = ("psb", "aic", "civil_affairs", "county_bureau")
LAW = LegalBasis(title="测试法", article="1", level="LAW")
CIRCULAR = LegalBasis(title="某局通知", article="1")


def field(name: str, cn: str = "", **attributes: Any) -> dict[str, Any]:
    """One field of a schema; an attribute that is None is left out."""
    spec = {
        "name": name,
        "type": ["null", "string"],
        "default": None,
        "cn": cn or f"项{name}",
        "article": "36",
        "section": "open",
        "sharing": "CONDITIONAL",
        **attributes,
    }
    return {key: value for key, value in spec.items() if value is not None or key == "default"}


def schema_text(resource: str = "lamp", *fields: dict[str, Any], **head: Any) -> str:
    """The `.avsc` text of a resource about persons, with `number` and `area`, and further fields."""
    return json.dumps(
        {
            "type": "record",
            "name": "".join(part.capitalize() for part in resource.split("_")),
            "namespace": "cn.gov.huizhou.exchange",
            "resource": resource,
            "cn": "路灯",
            "article": "36",
            "subject": {"kind": "person", "type_field": None, "type_constant": "111", "number_field": "number"},
            "record_key": [],
            "division": {"publisher": True},
            "freshness": "DYNAMIC",
            "fields": [
                field("number", f"{resource}编号", section="identity"),
                field("area", f"{resource}区域"),
                *fields,
            ],
            **head,
        },
        ensure_ascii=False,
    )


def entry(text: str = "", **changes: Any) -> CatalogueEntry:
    """An entry that obeys every rule; `changes` replace what is right."""
    text = text or schema_text()
    resource = json.loads(text)["resource"]
    return CatalogueEntry(
        **{
            "resource": resource,
            "version": 1,
            "name": "路灯",
            "content": "路灯信息",
            "responsible_department": "市公安局",
            "update_frequency": "实时",
            "platform": "共享平台",
            "related_systems": ("路灯系统",),
            "scope_and_manner": "订阅",
            "sharing_period": SharingPeriod(from_=date(2026, 1, 1)),
            "freshness": FreshnessClass.DYNAMIC,
            "sharing": SharingClass.CONDITIONAL,
            "conditions": "依法履职所必需",
            "owners": (OwnerRule(agencies=("psb",), divisions=("441300",)),),
            "published_at": PUBLISHED,
            "avro": text,
            **changes,
        }
    )


def grant(resource: str, fields: Iterable[str], **changes: Any) -> Grant:
    """An active grant of civil affairs."""
    days = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
    given = {"id": "g-1", "subscriber": "civil_affairs", "resource": resource, "fields": tuple(fields)}
    return Grant(**{**given, "purpose": "测试", "state": GrantState.ACTIVE, **days, **changes})


def agencies() -> tuple[Agency, ...]:
    """The agencies that the tests' entries name."""
    return tuple(
        Agency(
            code=code,
            name="单位",
            credit_code="11441300007212348P",
            type=AgencyType.ADMINISTRATIVE_ORGAN,
            division="441300",
        )
        for code in AGENCIES
    )


def file_of(*models: RegisterModel) -> RegisterFile:
    """Models as if they had been read from a file."""
    nowhere = Document(None, {})
    return RegisterFile("r.yaml", tuple(Item(model.kind, model, Place(1, 1), nowhere, ()) for model in models))


def register(*models: RegisterModel) -> RegisterView:
    """A register that holds the agencies and these."""
    return after(RegisterView(), file_of(*agencies(), *models))


def against(*models: RegisterModel, view: RegisterView | None = None, now: datetime | None = None) -> list[str]:
    """What speaks against applying these models together."""
    return problems(register() if view is None else view, file_of(*models), now)


def codes(*models: RegisterModel, view: RegisterView | None = None, now: datetime | None = None) -> list[str]:
    """The named errors against applying these models, in their order."""
    return re.findall(r"\bE_[A-Z_]+\b", "\n".join(against(*models, view=view, now=now)))
