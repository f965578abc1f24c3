"""A resource that is not of this version, with a field of every type: what an agency might write (Art 36)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def field(name: str, kind: Any, section: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", kind], "default": None, "cn": f"项{name}", "section": section, **more}


GOOD: dict[str, Any] = {
    "type": "record",
    "name": "Dog",
    "resource": "dog_licence",
    "cn": "养犬登记",
    "article": "36",
    "subject": {
        "kind": "person",
        "type_field": "keeper_type",
        "type_constant": None,
        "number_field": "keeper_number",
        "name_field": "keeper",
        "fallback_type": "USCC",
        "fallback_number_field": "company",
    },
    "record_key": ["chip"],
    "division": {"field": "division"},
    "freshness": "STATIC",
    "fields": [
        field("division", "string", "open", code_list="gbt2260_division", code_policy="flag"),
        field("chip", "string", "identity", role="subject_number", required=True),
        field("keeper", "string", "identity"),
        field("keeper_type", "string", "identity", sharing="UNCONDITIONAL"),
        field("keeper_number", "string", "identity"),
        field("company", {"type": "string"}, "identity"),
        field("born", {"type": "int", "logicalType": "date"}, "open"),
        field("seen", {"type": "long", "logicalType": "timestamp-millis"}, "open"),
        field("fee", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}, "restricted"),
        field("weight", "double", "open"),
        field("count", "int", "open"),
        field("tame", "boolean", "open"),
        field("photo", "bytes", "restricted"),
    ],
}
ROW: dict[str, Any] = {
    "division": "441302",
    "chip": "c-1",
    "keeper": "某某",
    "keeper_type": "111",
    "keeper_number": "x",
    "company": None,
    "born": date(2020, 2, 29),
    "seen": NOW,
    "fee": Decimal("9.50"),
    "weight": 7.5,
    "count": 2,
    "tame": True,
    "photo": b"\xff",
}
