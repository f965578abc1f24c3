"""The demo's register file: two owners, three grants."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from compliance.registertext import plain_yaml
from schemas.resource import packaged_text, resource_schema

OWNERS = {"residence_permit": "migrant_services", "enterprise_registration": "aic"}
FULL, COUNTY, EXPIRED = "demo-full", "demo-county", "demo-expired"
COUNTY_DIVISION = "441302"
COUNTY_FIELDS = ("sex_code", "birth_date", "residence_county", "residence_township", "permit_issue_date")
AGENCIES = {
    "migrant_services": "来惠人员服务管理部门",
    "aic": "工商行政管理局",
    "hrss": "人力资源和社会保障局",
    "civil_affairs": "民政局",
    "local_tax": "地方税务局",
}
_FIRST, _LAST = date(2020, 1, 1), date(2099, 12, 31)
_REGULATION = {"title": "惠州市政务信息资源共享管理办法", "article": "44"}


def topic_of(grant: str) -> str:
    """The delivery topic of one of the three grants."""
    subscriber, resource = {
        FULL: ("hrss", "residence_permit"),
        COUNTY: ("civil_affairs", "residence_permit"),
        EXPIRED: ("local_tax", "enterprise_registration"),
    }[grant]
    return f"delivery.{subscriber}.{resource}.{grant}"


def write_register(folder: Path, now: datetime, *, county_state: str = "ACTIVE") -> Path:
    """Write `register.yaml`; signing certificates are expected under `agencies/` beside it.

    Args:
        folder: the demo's state directory.
        now: aware.
        county_state: state of the county grant, changed when the demo revokes it.
    """
    content = {
        "version": "1",
        "agencies": [_agency(code, name) for code, name in AGENCIES.items()],
        "catalogue": [
            _entry("residence_permit", "居住证登记", "CONDITIONAL"),
            _entry("enterprise_registration", "企业法人登记", "UNCONDITIONAL"),
        ],
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
            for number, (resource, owner) in enumerate(OWNERS.items(), 1)
        ],
        "grants": [
            _grant(FULL, "hrss", "residence_permit", _all("residence_permit"), "就业登记核验"),
            {
                **_grant(COUNTY, "civil_affairs", "residence_permit", list(COUNTY_FIELDS), "惠城区人口统计"),
                "rows": {"divisions": [COUNTY_DIVISION]},
                "state": county_state,
                # Kept after the end, so that the demo can show that nothing more arrives.
                "disposal": "RETAIN",
            },
            {
                **_grant(EXPIRED, "local_tax", "enterprise_registration", ["enterprise_name"], "税务登记核验"),
                "valid_until": (now - timedelta(days=2)).date().isoformat(),
            },
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


def _entry(resource: str, name: str, sharing: str) -> dict[str, Any]:
    return {
        "resource": resource,
        "version": 1,
        "name": name,
        "content": f"{name}信息",
        "responsible_department": AGENCIES[OWNERS[resource]],
        "update_frequency": "实时",
        "platform": "市政务信息资源共享平台",
        "scope_and_manner": "经授权的行政机关，消息订阅",
        "sharing_period": {"from": _FIRST.isoformat()},
        "freshness": "DYNAMIC",
        "sharing": sharing,
        "conditions": "依法履职所必需，并签订安全保密协议",
        "related_systems": [f"{name}系统"],
        "owners": [{"agencies": [OWNERS[resource]], "divisions": ["441300"]}],
        "published_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "schema": {"packaged": resource},
    }


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
