"""A small catalogue and cases about it, for the tests of procedures: a lamp register that the police own."""

from datetime import datetime, timedelta
from typing import Any

from compliance.register.service import Register
from tests.catalogue import agencies, entry
from tests.register import AUTHORITY, CITY, NOW, of

TOKEN = "0123456789abcdef" * 2
EVENT = "00000000-0000-4000-8000-000000000001"
OTHER_EVENT = "00000000-0000-4000-8000-000000000002"
RIGHT_EVENT = "00000000-0000-4000-8000-000000000003"
POLICE = of("psb")
CIVIL = of("civil_affairs")


def days(count: int) -> datetime:
    """That many days after NOW, a Tuesday: 3 is the third working day after it, 4 a Saturday."""
    return NOW + timedelta(days=count)


def with_catalogue(register: Register, *models: Any) -> Register:
    """The register with four agencies and the lamp entry, and further models."""
    register.put([*agencies(), entry(), *models], AUTHORITY, NOW)
    return register


def case(**changes: Any) -> dict[str, Any]:
    """The form of a case about one lamp's area; a change that is None leaves its key out."""
    given = {
        "resource": "lamp",
        "division": CITY,
        "fields": ["area"],
        "event_id": EVENT,
        "statement": "区域与实地不符",
        **changes,
    }
    return {key: value for key, value in given.items() if value is not None}


def objection(**changes: Any) -> dict[str, Any]:
    """An objection to content (Art 56)."""
    return case(**{"about": "CONTENT", **changes})


def difference(**changes: Any) -> dict[str, Any]:
    """What a comparison of two events found about one subject (Art 28)."""
    return case(**{"token": TOKEN, "compared_event": OTHER_EVENT, **changes})


NOTICE = {"finding": "非技术原因", "document": "核查通知1号"}
FINDING = {"finding": "解析有误", "evidence": ["日志摘要1号"]}
CORRECTED = {"outcome": "CORRECTED", "explanation": "登记有误，已更正", "correcting_event": RIGHT_EVENT}
CONFIRMED = {"outcome": "CONFIRMED", "explanation": "经核查无误"}
REDERIVED = {"cause": "解析程序缺陷", "rederived_from": EVENT, "grants": ["g-1"]}
VERIFICATION = {"document": "核查报告1号", "archive_number": "档2026-1", "summary": "已更正"}
COPY = {"sent_on": "2026-09-03", "document": "抄送1号"}
OUTAGE = {
    "division": CITY,
    "started_on": "2026-09-01",
    "reason": "台风致机房断电",
    "remedy": "启用备用线路",
    "document": "惠公函1号",
}
REPORT = {"year": 2026, "division": CITY, "supplied": "已提供", "used": "已使用", "effect": "减少材料"}
INCIDENT = {
    "kind": "LEAK",
    "severity": "SERIOUS",
    "division": CITY,
    "occurred_at": "2026-08-31T08:00:00+08:00",
    "summary": "发现外泄",
    "unit": "civil_affairs",
}
DRILL = {
    "kind": "DISASTER_RECOVERY",
    "division": CITY,
    "held_on": "2026-08-20",
    "result": "PASSED",
    "findings": "按时恢复",
    "document": "演练报告1号",
}
CLAIM = {
    "supplier": "psb",
    "division": CITY,
    "resource": "lamp",
    "fields": ["area"],
    "delivered_events": [EVENT, OTHER_EVENT],
    "act": "行政处罚决定1号",
    "borne": "STATE_COMPENSATION",
    "borne_document": "赔偿决定1号",
    "borne_on": "2026-08-01",
    "proof": ["交付证明1号"],
}
