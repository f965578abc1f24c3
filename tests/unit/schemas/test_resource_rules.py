"""What is said of a resource file that is wrong: every problem, each with the attribute or field that has it."""

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SchemaError
from schemas.resource import ResourceSchema
from tests.dogs import GOOD


def told(change: dict[str, Any], number: int | None = None, subject: dict[str, Any] | None = None) -> str:
    """The error of the good file with some attributes replaced: of the head, of one field, of the subject."""
    content = deepcopy(GOOD)
    target = content if number is None else content["fields"][number]
    target |= change
    content["subject"] |= subject or {}
    for part in (content, *content["fields"], content["subject"]):
        for name in [name for name, value in part.items() if value is ...]:
            del part[name]
    with pytest.raises(SchemaError) as refused:
        ResourceSchema(json.dumps(content))
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"type":\n "record",,}', r"not JSON: .* in line 2, column 11"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ("1" * 5_000, "not JSON"),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_is_no_json_object_says_where(text: str, error: str) -> None:
    with pytest.raises(SchemaError, match=error):
        ResourceSchema(text)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "enum"}, "type must be record"),
        ({"name": ...}, "name must be an Avro name"),
        ({"name": "9dogs"}, "name must be an Avro name"),
        ({"cn": " "}, "cn must be a text"),
        ({"article": 36}, "article must be a text"),
        ({"freshness": "DAILY"}, "freshness must be one of DYNAMIC, STATIC"),
        ({"division": {}}, 'division must be {"field": name} or {"publisher": true}'),
        ({"division": {"field": None}}, 'division must be {"field": name} or {"publisher": true}'),
        ({"division": {"field": "place"}}, "division.field names a field that does not exist"),
        ({"division": {"field": "count"}}, "division.field names count, which is not a string"),
        (
            {"record_key": "chip"},
            "record_key must be a list whose parts are field names, or lists of names of which the first given counts",
        ),
        ({"record_key": ["collar"]}, "record_key names a field that does not exist"),
        ({"subject": None}, "subject must be an object"),
        ({"fields": []}, "fields must be a list of at least one field"),
        ({"fields": ["chip"]}, "field number 1 must be an object"),
        ({"fields": [*GOOD["fields"], GOOD["fields"][1]]}, "field chip stands twice"),
    ],
    ids=str,
)
def test_a_wrong_attribute_of_the_head_is_named_with_what_it_must_be(change: dict[str, Any], error: str) -> None:
    content = {name: value for name, value in {**GOOD, **change}.items() if value is not ...}
    with pytest.raises(SchemaError) as refused:
        ResourceSchema(json.dumps(content))
    assert str(refused.value) == f"resource dog_licence: {error}"


def test_a_file_without_a_resource_code_says_so() -> None:
    assert told({"resource": "Dog"}).startswith("the resource schema: resource must be a resource code")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "string"}, 'must be ["null", type] with default null (decisions 3)'),
        ({"type": []}, 'must be ["null", type] with default null (decisions 3)'),
        ({"type": ["null", "string", "int"]}, 'must be ["null", type] with default null (decisions 3)'),
        ({"default": ...}, 'must be ["null", type] with default null (decisions 3)'),
        ({"default": "x"}, 'must be ["null", type] with default null (decisions 3)'),
        ({"cn": ...}, "cn must be a text"),
        ({"section": ...}, "section must be one of open, identity, restricted"),
        ({"section": ["open"]}, "section must be one of open, identity, restricted"),
        ({"sharing": "OPEN"}, "sharing must be one of UNCONDITIONAL, CONDITIONAL, NOT_SHARED"),
        ({"required": "yes"}, "required must be true or false"),
        ({"role": "king"}, "role must be one of subject_type, subject_number, subject_name"),
        ({"code_policy": "flag"}, "code_list and code_policy belong together"),
        ({"code_list": "currency", "code_policy": "drop"}, "code_policy must be one of refuse, flag, accept"),
    ],
    ids=str,
)
def test_a_wrong_attribute_of_a_field_is_named_with_the_field(change: dict[str, Any], error: str) -> None:
    assert told(change, 2) == f"resource dog_licence: field keeper: {error}"


@pytest.mark.parametrize(
    "kind",
    [
        "text",
        5,
        ["string"],
        {"type": "array", "items": "string"},
        {"type": "enum", "name": "E", "symbols": ["A"]},
        {"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "precision": 3},
        {"type": "long", "logicalType": "timestamp-micros"},
        {"type": "string", "logicalType": "date"},
    ],
    ids=str,
)
def test_a_type_that_the_bus_does_not_check_is_refused(kind: object) -> None:
    """An enum would reject what comes later (decisions 3), and what nobody checks could stop a reader."""
    assert told({"type": ["null", kind]}, 2).startswith("resource dog_licence: field keeper: type must be boolean, ")


@pytest.mark.parametrize("size", [{}, {"precision": 0}, {"precision": 39}, {"precision": 4, "scale": 5}])
def test_a_decimal_has_a_size(size: dict[str, int]) -> None:
    error = told({"type": ["null", {"type": "bytes", "logicalType": "decimal", **size}]}, 8)
    assert error.endswith("field fee: a decimal has a precision of 1 to 38 and a scale of 0 to its precision")


def test_codes_come_from_a_list_that_exists_and_are_texts() -> None:
    assert "field keeper: code_list must be one of " in told({"code_list": "dogs", "code_policy": "flag"}, 2)
    assert told({"code_list": "currency", "code_policy": "flag"}, 10).endswith(
        "field count: what has a code_list must be a string"
    )


@pytest.mark.parametrize(
    ("subject", "error"),
    [
        ({"kind": "robot"}, "subject.kind must be one of person, organisation, feature"),
        ({"number_field": ...}, "subject.number_field is missing"),
        ({"type_constant": "111"}, "subject must name either type_field or type_constant"),
        ({"type_field": None}, "subject must name either type_field or type_constant"),
        ({"type_field": None, "type_constant": "999"}, "subject.type_constant must be a document type"),
        ({"fallback_type": ["USCC"]}, "subject.fallback_type must be a document type"),
        (
            {"fallback_type": None},
            "subject.fallback_type and subject.fallback_number_field belong together",
        ),
        ({"name_field": "owner"}, "subject.name_field names a field that does not exist"),
        ({"name_field": ["keeper"]}, "subject.name_field names a field that does not exist"),
        ({"number_field": "count"}, "subject.number_field names count, which is not a string"),
    ],
    ids=str,
)
def test_a_contradiction_of_the_subject_rule_is_named(subject: dict[str, Any], error: str) -> None:
    assert told({}, subject=subject) == f"resource dog_licence: {error}"


def test_all_problems_are_told_at_once() -> None:
    error = told({"cn": "", "fields": [{**GOOD["fields"][0], "section": "secret", "type": "int"}]})
    assert error == (
        'resource dog_licence: cn must be a text; field division: must be ["null", type] with default null '
        "(decisions 3); field division: section must be one of open, identity, restricted; "
        "field division: what has a code_list must be a string"
    )


PLACES: list[tuple[Any, ...]] = [(name,) for name in GOOD]
PLACES += [("subject", name) for name in GOOD["subject"]]
PLACES += [("fields", number, name) for number, spec in enumerate(GOOD["fields"]) for name in spec]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["string", "int", "bytes", "chip", "record", "null"]),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "logicalType", "field", "precision", "items"]), part)
    ),
    max_leaves=6,
)


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_in_a_file_is_refused_or_works_to_the_end(place: tuple[Any, ...], value: object) -> None:
    content: Any = deepcopy(GOOD)
    target = content
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    with suppress(SchemaError):
        schema = ResourceSchema(json.dumps(content))
        for codec in (schema.change, schema.submission, schema.record, schema.delivery(schema.fields)):
            assert codec.fingerprint
        assert schema.sections["open"]
        assert all(spec.bounds is None or spec.bounds[0] < spec.bounds[1] for spec in schema.fields.values())
