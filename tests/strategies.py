"""Hypothesis strategies: numbers, rows of the packaged resources, and resources and entries that nobody wrote yet."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from bus.demo.people import TODAY, Maker, Row
from bus.demo.words import COUNTIES
from bus.demo.wrongs import WrongRow, wrong_rows
from compliance.entry import (
    CatalogueEntry,
    DataLevel,
    FieldGroup,
    FieldPolicy,
    LegalBasis,
    OwnerRule,
    ResourceFormat,
    SharingPeriod,
)
from schemas.field import FieldSpec
from schemas.identity import citizen_check_digit
from schemas.resource import ResourceSchema, packaged_text, resource_schema
from schemas.words import FreshnessClass, SharingClass
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


# What a person could write into a cell or a register file: any letters and marks of one or more lines.
_SAID = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), include_characters="\n"), max_size=12
)
SAID = _SAID.map(str.strip).filter(bool)
_DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
_MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  as above
_IDENTIFIERS = st.from_regex(r"[1-3][0-9]{5,9}/[0-9]{1,12}", fullmatch=True)
_BASES = st.builds(LegalBasis, title=SAID, article=SAID, level=st.sampled_from(("LAW", "GOVERNMENT_RULE", "OTHER")))
_POLICIES = st.builds(
    FieldPolicy,
    sharing=st.none() | st.sampled_from(SharingClass),
    required=st.none() | st.booleans(),
    legal_basis=st.none() | _BASES,
    conditions=st.none() | SAID,
    repeats_under=st.none() | _BASES,
)


_GROUPS = st.builds(
    FieldGroup,
    fields=st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), min_size=1, max_size=3, unique=True).map(
        tuple
    ),
    freshness=st.none() | st.sampled_from(FreshnessClass),
    update_frequency=st.none() | SAID,
)


@st.composite
def owner_rules(draw: st.DrawFn) -> OwnerRule:
    """Any owner rule, lawful beside others or not."""
    from_ = draw(st.none() | _MOMENTS)
    until = draw(st.none() | _MOMENTS.filter(lambda at: from_ is None or at.timestamp() > from_.timestamp() + 1))
    codes = st.from_regex(r"[a-z][a-z0-9_]{1,9}", fullmatch=True)
    divisions = st.lists(st.from_regex(r"[0-9]{6}([0-9]{3})?", fullmatch=True), min_size=1, max_size=3, unique=True)
    bound = draw(st.booleans())
    return OwnerRule(
        agencies=tuple(draw(st.lists(codes, min_size=1, max_size=3, unique=True))),
        divisions=draw(st.none() | divisions.map(tuple)),
        field=draw(codes) if bound else None,
        values=tuple(draw(st.lists(SAID, min_size=1, max_size=3, unique=True))) if bound else None,
        **({} if from_ is None else {"effective_from": from_}),
        effective_until=until,
    )


@st.composite
def catalogue_entries(draw: st.DrawFn, text: str = "") -> CatalogueEntry:
    """Any entry that the models let pass, lawful or not."""
    avro = text or draw(resource_texts())
    schema = resource_schema(avro)
    is_open, route = draw(st.booleans()), draw(st.sampled_from(("CITY", "PROVINCIAL")))
    from_ = draw(_DAYS)
    texts = {name: draw(SAID) for name in ("name", "content", "responsible_department", "platform", "scope_and_manner")}
    return CatalogueEntry(
        resource=schema.code,
        version=draw(st.integers(1, 99)),
        identifier=draw(st.none() | _IDENTIFIERS),
        **texts,
        update_frequency=draw(SAID),
        related_systems=tuple(draw(st.lists(SAID, max_size=3, unique=True))),
        sharing_period=SharingPeriod(from_=from_, until=draw(st.none() | _DAYS.filter(lambda day: day >= from_))),
        freshness=draw(st.sampled_from(FreshnessClass)),
        sharing=draw(st.sampled_from(SharingClass)),
        conditions=draw(st.none() | SAID),
        legal_basis=draw(st.none() | _BASES),
        format=draw(st.none() | st.sampled_from(ResourceFormat)),
        open=is_open,
        open_condition=draw(st.none() | SAID) if is_open else None,
        licensing_related=draw(st.booleans()),
        baseline=draw(st.booleans()),
        level=draw(st.none() | st.sampled_from(DataLevel)),
        source_route=route,
        route_reason=draw(st.none() | SAID) if route == "PROVINCIAL" else None,
        scope=draw(st.sampled_from(("CITY", "441322"))),
        related=tuple(draw(st.lists(_IDENTIFIERS, max_size=3, unique=True))),
        state=draw(st.sampled_from(("PUBLISHED", "RETIRED"))),
        owners=tuple(draw(st.lists(owner_rules(), min_size=1, max_size=3))),
        fields={name: draw(_POLICIES) for name in draw(st.sets(st.sampled_from(sorted(schema.fields))))},
        field_groups=draw(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), _GROUPS, max_size=3)),
        partitions=draw(st.integers(1, 1000)),
        grace_days=draw(st.integers(0, 999)),
        published_at=draw(_MOMENTS),
        avro=avro,
    )
