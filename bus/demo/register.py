"""The demo's agencies, entries and grants by name, and the same register as a file, as an installation may begin with one."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from compliance.entry import CatalogueEntry
from compliance.proposal import propose
from compliance.registertext import entry_datum, plain_yaml
from schemas.resource import packaged_resources, packaged_text, resource_schema

# The resources whose owners are shown with a database and a connector; the others are published through the SDK.
OWNERS = {"residence_permit": "migrant_services", "enterprise_registration": "aic"}
OTHERS = tuple(resource for resource in packaged_resources() if resource not in OWNERS)
LINKS = "identity_link"
FULL, COUNTY, EXPIRED = "demo-full", "demo-county", "demo-expired"
COUNTY_DIVISION = "441302"
COUNTY_FIELDS = ("sex_code", "birth_date", "residence_county", "residence_township", "permit_issue_date")
AGENCIES = {
    "psb": "公安局",
    "migrant_services": "来惠人员服务管理部门",
    "civil_affairs": "民政局",
    "health_fp": "卫生和计划生育局",
    "hrss": "人力资源和社会保障局",
    "education": "教育局",
    "dpf": "残疾人联合会",
    "hpf": "住房公积金管理中心",
    "certificate_issuers": "资格证书颁发部门",
    "aic": "工商行政管理局",
    "qts": "质量技术监督局",
    "local_tax": "地方税务局",
    "national_tax": "国家税务局",
    "establishment_office": "机构编制委员会办公室",
    "land": "国土资源局",
    "statistics": "统计局",
}
_FIRST, _LAST = date(2020, 1, 1), date(2099, 12, 31)
_PUBLISHED = datetime(2026, 1, 1, tzinfo=UTC)
_REGULATION = {"title": "惠州市政务信息资源共享管理办法", "article": "44"}


def other_grant(resource: str) -> str:
    """The grant under which one of the other resources is delivered."""
    return f"demo-{resource.replace('_', '-')}"


def owners_of(resource: str) -> tuple[str, ...]:
    """The agencies that own a resource in the demo, as its schema proposes them."""
    return tuple(resource_schema(packaged_text(resource)).avro["owner"])


def write_register(folder: Path, now: datetime) -> Path:
    """Write `register.yaml`; signing certificates are expected under `agencies/` beside it.

    Args:
        folder: the demo's state directory.
        now: aware.
    """
    content = {
        "version": "1",
        "agencies": [_agency(code, name) for code, name in AGENCIES.items()],
        "catalogue": [entry_datum(entry_of(resource)) for resource in (*OWNERS, *OTHERS, LINKS)],
        "reviews": [
            {
                "number": f"DEMO-{number}",
                "agency": owner,
                "resource": resource,
                "catalogue_version": 1,
                "reviewer": "保密审查员",
                "reviewed_on": _FIRST.isoformat(),
                "valid_until": _LAST.isoformat(),
                "result": "PASS",
            }
            for number, (resource, owner) in enumerate(
                ((resource, owner) for resource in (*OWNERS, *OTHERS, LINKS) for owner in owners_of(resource)), 1
            )
        ],
        "grants": [
            _grant(FULL, "hrss", "residence_permit", _all("residence_permit"), "就业登记核验"),
            {
                **_grant(COUNTY, "civil_affairs", "residence_permit", list(COUNTY_FIELDS), "惠城区人口统计"),
                "rows": {"divisions": [COUNTY_DIVISION]},
            },
            {
                **_grant(EXPIRED, "local_tax", "enterprise_registration", ["enterprise_name"], "税务登记核验"),
                "valid_until": (now - timedelta(days=2)).date().isoformat(),
            },
            *(_grant(other_grant(other), "statistics", other, _all(other), "统计调查") for other in OTHERS),
        ],
    }
    path = folder / "register.yaml"
    path.write_text(plain_yaml(content), encoding="utf-8")
    return path


def _all(resource: str) -> list[str]:
    return list(resource_schema(packaged_text(resource)).fields)


def _agency(code: str, name: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "credit_code": "11441300007212348P",
        "type": "ADMINISTRATIVE_ORGAN",
        "division": "441300",
        "state": "CONNECTED",
        "contacts": [
            {"role": role, "name": "示例", "phone": "0752-0000000"}
            for role in ("LEADER", "SHARING_OFFICER", "TECHNICAL_OFFICER")
        ],
        "certificates": [{"file": f"agencies/{code}/signing.crt"}],
    }


def entry_of(resource: str, published_at: datetime = _PUBLISHED) -> CatalogueEntry:
    """The entry that is proposed for the first catalogue; what is small here has one partition."""
    return propose(resource, published_at, partitions=4 if resource in OWNERS else 1)


def _grant(name: str, subscriber: str, resource: str, fields: list[str], purpose: str) -> dict[str, Any]:
    signed = _FIRST.isoformat()
    return {
        "id": name,
        "subscriber": subscriber,
        "resource": resource,
        "fields": fields,
        "purpose": purpose,
        "legal_basis": _REGULATION,
        "agreement": {
            "number": f"XY-{name}",
            "signed_by_provider": signed,
            "signed_by_subscriber": signed,
            "valid_from": signed,
            "valid_until": _LAST.isoformat(),
        },
        "valid_from": signed,
        "valid_until": _LAST.isoformat(),
        "state": "ACTIVE",
    }
