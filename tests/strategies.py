"""Hypothesis strategies: numbers, rows of the packaged resources, and resources that nobody has written yet."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from bus.demo.people import TODAY, Maker, Row
from bus.demo.words import COUNTIES
from bus.demo.wrongs import WrongRow, wrong_rows
from schemas.identity import citizen_check_digit
from schemas.resource import FieldSpec, ResourceSchema, packaged_text, resource_schema
from tests.builders import RESOURCES

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)


def resources() -> st.SearchStrategy[str]:
    """A packaged resource's code."""
    return st.sampled_from(RESOURCES)


def citizen_numbers(today: date = TODAY) -> st.SearchStrategy[str]:
    """A valid citizen number of somebody registered in Huizhou."""

    def number(division: str, born: date, sequence: int) -> str:
        body = f"{division}{born:%Y%m%d}{sequence:03d}"
        return body + citizen_check_digit(body)

    return st.builds(
        number,
        st.sampled_from(sorted(COUNTIES)),
        st.dates(date(today.year - 120, 1, 1), today),
        st.integers(min_value=1, max_value=999),
    )


@st.composite
def rows(draw: st.DrawFn, resource: str) -> Row:
    """A valid row of a packaged resource; some of what may be absent is absent."""
    row = Maker(Random(draw(SEEDS))).row(resource)  # noqa: S311  Hypothesis must be able to repeat it
    schema = resource_schema(packaged_text(resource))
    rule = schema.subject
    needed = {rule.type_field, rule.number_field, rule.fallback_number_field, schema.division_field}
    needed |= {rule.fallback_class_field, rule.fallback_reason_field, *schema.record_key_fields}
    optional = [name for name, spec in schema.fields.items() if not spec.required and name not in needed]
    absent = draw(st.sets(st.sampled_from(optional))) if optional else set()
    return {name: None if name in absent else value for name, value in row.items()}


@st.composite
def wrong(draw: st.DrawFn, resource: str) -> WrongRow:
    """A row of a packaged resource with one thing wrong, and the code expected."""
    return draw(st.sampled_from(list(wrong_rows(draw(SEEDS), resource))))


_TYPES: dict[str, Any] = {
    "string": "string",
    "int": "int",
    "long": "long",
    "double": "double",
    "boolean": "boolean",
    "bytes": "bytes",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-millis"},
    "decimal": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2},
}
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=20),
    "date": st.dates(),
    "timestamp": st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001  Hypothesis wants naive bounds beside a time zone
        datetime(2100, 1, 1),  # noqa: DTZ001  as above
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)),
    "decimal": st.decimals(Decimal("-9999999999999999.99"), Decimal("9999999999999999.99"), places=2),
}


@st.composite
def resource_texts(draw: st.DrawFn, *, max_fields: int = 8) -> str:
    """The `.avsc` text of a resource about persons that nobody has written yet, any types, sections and classes."""
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), max_size=max_fields, unique=True))
    names = [name for name in names if name not in ("subject_number", "subject_name")]
    fields = [
        _field_of("subject_number", "string", "identity", "CONDITIONAL", role="subject_number"),
        _field_of("subject_name", "string", "identity", "CONDITIONAL", role="subject_name"),
    ]
    for name in names:
        kind = draw(st.sampled_from(sorted(_TYPES)))
        section = draw(st.sampled_from(("open", "identity", "restricted")))
        fields.append(_field_of(name, kind, section, draw(st.sampled_from(("UNCONDITIONAL", "CONDITIONAL")))))
    return json.dumps(
        {
            "type": "record",
            "name": "Arbitrary",
            "namespace": "cn.gov.huizhou.exchange",
            "resource": "arbitrary",
            "cn": "任意",
            "article": "36",
            "subject": {
                "kind": "person",
                "type_field": None,
                "type_constant": "111",
                "number_field": "subject_number",
                "name_field": "subject_name",
                "fallback_type": None,
                "fallback_number_field": None,
            },
            "record_key": draw(st.sampled_from(([], names[:1]))),
            "division": {"publisher": True},
            "freshness": draw(st.sampled_from(("DYNAMIC", "STATIC"))),
            "fields": draw(st.permutations(fields)),
        },
        ensure_ascii=False,
    )


def _field_of(name: str, kind: str, section: str, sharing: str, role: str | None = None) -> dict[str, Any]:
    spec = {
        "name": name,
        "type": ["null", _TYPES[kind]],
        "default": None,
        "cn": f"项{name}",
        "article": "36",
        "section": section,
        "sharing": sharing,
    }
    return spec | ({"role": role} if role else {})


def values(spec: FieldSpec) -> st.SearchStrategy[Any]:
    """A value of a field's type; never null."""
    return _VALUES[spec.value_type]


@st.composite
def generic_rows(draw: st.DrawFn, schema: ResourceSchema) -> Row:
    """A row of any resource whose subject is a citizen: right types and a valid number, otherwise anything."""
    row: Row = {}
    for name, spec in schema.fields.items():
        needed = spec.required or name in schema.record_key_fields
        if name == schema.subject.number_field:
            row[name] = draw(citizen_numbers())
        elif name in schema.record_key_fields and spec.value_type in ("string", "bytes"):
            row[name] = draw(values(spec).filter(bool))
        else:
            row[name] = draw(values(spec) if needed else st.none() | values(spec))
    return row
