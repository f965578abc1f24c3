"""One resource file and everything that follows from it."""

import io
import json
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from fastavro import schemaless_reader

from schemas.codec import Codec
from schemas.errors import SchemaError, UsageError
from schemas.provenance import delivery_head, record_compared, record_facts, record_head
from schemas.refusals import RefusalCode
from schemas.resource import ResourceSchema, envelope, packaged_text
from schemas.words import SharingClass
from tests.dogs import GOOD, NOW, ROW

EVENT = "00000000-0000-0000-0000-000000000001"

CHANGE = {
    "event_id": EVENT,
    "operation": "CREATE",
    "business_time": NOW,
    "subject_division_code": "441302",
    "supersedes": None,
    "flags": ["a"],
    "index": 3,
    "discriminator": b"",
    "moved_to": None,
    "moved_at": None,
}
SUBMISSION = {
    **dict.fromkeys(("agency", "certificate", "review_number", "freshness", "sharing", "key_id", "token_key"), "x"),
    **dict.fromkeys(("partition", "offset", "catalogue_version", "layout_version"), 1),
    "submission_id": EVENT,
    "published_at": NOW,
    "admitted_at": NOW,
}
COMPARED = {"key_id": "d1", "digests": {"a:CODE": b"d"}, "holds": ["x.left"], "references": {}, "missing": ["a"]}


def dog() -> ResourceSchema:
    return ResourceSchema(json.dumps(GOOD))


# -- what the file says --------------------------------------------------------------------------------------------


def test_the_law_of_the_file_is_read() -> None:
    schema = dog()
    assert (schema.code, schema.cn, schema.article, schema.freshness) == ("dog_licence", "养犬登记", "36", "STATIC")
    assert (schema.record_key, schema.division_field) == ((("chip",),), "division")
    assert (schema.subject.type_field, schema.subject.fallback_number_field) == ("keeper_type", "company")
    assert schema.names("identity") == ("chip", "keeper", "keeper_type", "keeper_number", "company")
    chip, kind = schema.fields["chip"], schema.fields["keeper_type"]
    assert (chip.required, chip.role, chip.sharing) == (True, "subject_number", SharingClass.CONDITIONAL)
    assert (kind.required, kind.sharing, kind.code_policy) == (False, SharingClass.UNCONDITIONAL, "accept")
    assert (schema.fields["division"].code_list, schema.fields["division"].code_policy) == ("gbt2260_division", "flag")


def test_a_field_tells_what_kind_of_value_it_takes_and_what_a_reader_can_show() -> None:
    fields = dog().fields
    kinds = {name: spec.value_type for name, spec in fields.items()}
    assert (kinds["born"], kinds["seen"], kinds["fee"]) == ("date", "timestamp", "decimal")
    assert (kinds["company"], kinds["weight"], kinds["photo"]) == ("string", "double", "bytes")
    assert fields["fee"].bounds == (-999_999, 999_999)
    assert fields["born"].bounds == ((date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days)
    assert fields["count"].bounds == (-(2**31), 2**31 - 1)
    assert fields["weight"].bounds is None


def test_the_publishers_division_stands_in_where_no_field_has_one() -> None:
    assert ResourceSchema(json.dumps({**GOOD, "division": {"publisher": True}})).division_field is None


# -- what follows from it ------------------------------------------------------------------------------------------


def test_a_submission_holds_changes_of_whole_rows() -> None:
    schema = dog()
    change = {"event_id": EVENT, "operation": "CREATE", "business_time": NOW, "data": ROW}
    submission = {
        "submission_id": EVENT,
        "agency": "psb",
        "resource": "dog_licence",
        "catalogue_version": 1,
        "review_number": "R1",
        "classification": "NON_SECRET",
        "published_at": NOW,
        "changes": [change, change],
    }
    read = schema.submission.decode(schema.submission.encode(submission))
    assert [found["data"] for found in read["changes"]] == [ROW, ROW]
    assert read["changes"][0] == {
        **change,
        "event_id": UUID(EVENT),
        "subject_division_code": None,
        "supersedes": None,
    }
    assert schema.change.decode(schema.change.encode(change))["data"] == ROW


def test_a_record_is_head_facts_open_fields_two_sealed_sections_and_what_is_compared_one_after_another() -> None:
    schema = dog()
    opened = schema.sections["open"]
    assert opened is not None
    shown = {name: ROW[name] for name in schema.names("open")}
    joined = (
        record_head().encode(CHANGE) + record_facts().encode(SUBMISSION) + opened.encode(shown) + b"\x02\x02i" + b"\x00"
    )
    joined += b"\x02" + record_compared().encode(COMPARED)
    whole = {
        "change": CHANGE,
        "submission": SUBMISSION,
        "open": shown,
        "identity": b"i",
        "restricted": None,
        "compared": COMPARED,
    }
    assert joined == schema.record.encode(whole)
    assert schema.record.decode(joined)["open"] == shown
    assert not {"keeper", "keeper_number", "fee"} & {spec["name"] for spec in opened.schema["fields"]}


def test_readers_and_writers_from_before_and_after_something_was_compared_understand_each_other() -> None:
    schema = dog()
    before = {"change": CHANGE, "submission": SUBMISSION, "open": {name: ROW[name] for name in schema.names("open")}}
    now, then = schema.record, schema.record_before
    assert now.encode(before) == then.encode(before) + b"\x00"
    written = now.encode({**before, "compared": COMPARED})
    assert schemaless_reader(io.BytesIO(written), now.schema, then.schema) == then.decode(then.encode(before))
    read = schemaless_reader(io.BytesIO(then.encode(before)), then.schema, now.schema)
    assert read == {**then.decode(then.encode(before)), "compared": None}


def test_each_section_has_exactly_its_fields_and_an_empty_one_has_no_codec() -> None:
    schema = dog()
    restricted = schema.sections["restricted"]
    assert restricted is not None
    assert [spec["name"] for spec in restricted.schema["fields"]] == ["fee", "photo"]
    bare = ResourceSchema(
        json.dumps(
            {**GOOD, "fields": [f for f in GOOD["fields"] if f["section"] == "identity"]}
            | {"division": {"publisher": True}}
        )
    )
    assert bare.sections["restricted"] is None
    opened = bare.sections["open"]
    assert opened is not None
    assert opened.encode({}) == b""


def test_a_delivery_has_exactly_the_granted_fields_in_the_schemas_order() -> None:
    schema = dog()
    granted = schema.granted(("weight", "keeper"))
    assert [spec["name"] for spec in granted.schema["fields"]] == ["keeper", "weight"]
    provenance = {
        **dict.fromkeys(("event_id", "owner", "grant"), EVENT),
        **dict.fromkeys(("business_time", "published_at", "admitted_at"), NOW),
        "operation": "UPDATE",
        "subject": b"p" * 16,
        "catalogue_version": 1,
    }
    data = {"keeper": "某某", "weight": 7.5}
    whole = schema.delivery(("weight", "keeper"))
    joined = delivery_head().encode(provenance) + b"\x02" + granted.encode(data)
    assert joined == whole.encode({**provenance, "data": data})
    assert whole.decode(joined)["data"] == data
    with pytest.raises(SchemaError):
        granted.encode({**data, "fee": None})


def test_a_delivery_of_an_unknown_field_names_it() -> None:
    for derive in (dog().delivery, dog().granted):
        with pytest.raises(SchemaError, match="dog_licence has no field cat, mouse"):
            derive(("keeper", "mouse", "cat"))


def test_derived_schemas_carry_the_resource_but_neither_its_key_nor_its_subject_rule() -> None:
    schema = dog()
    for derived in (schema.record, schema.delivery(("weight",))):
        assert derived.schema["resource"] == "dog_licence"
        assert "subject" not in derived.schema
    assert "division" not in {spec["name"] for spec in schema.delivery(("weight",)).schema["fields"]}


# -- what a publisher hands over -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("cat", 1, "the resource has no such field"),
        ("chip", 5, "wants string, got int"),
        ("count", True, "wants int, got bool"),
        ("count", 2.0, "wants int, got float"),
        ("born", "2020-02-29", "wants date, got str"),
        ("born", NOW, "wants date, got datetime"),
        ("seen", date(2020, 1, 1), "wants timestamp, got date"),
        ("seen", NOW.replace(tzinfo=None), "wants an aware timestamp, got a naive one"),
        ("fee", 9.5, "wants decimal, got float"),
        ("fee", Decimal("12345.67"), "does not fit the decimal's precision and scale"),
        ("fee", Decimal("0.001"), "does not fit the decimal's precision and scale"),
        ("fee", Decimal("NaN"), "does not fit the decimal's precision and scale"),
        ("fee", Decimal("1E+5"), "does not fit the decimal's precision and scale"),
        ("photo", "x", "wants bytes, got str"),
        ("tame", 1, "wants boolean, got int"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(name: str, value: object, detail: str) -> None:
    refused = dog().check({**ROW, name: value})
    assert refused is not None
    assert (refused.code, refused.field, refused.detail) == (RefusalCode.E_SCHEMA, name, detail)


@pytest.mark.parametrize(
    ("name", "value"),
    [("fee", Decimal("9999.99")), ("fee", Decimal("1E+3")), ("fee", Decimal(0)), ("weight", 7), ("chip", None)],
)
def test_a_value_of_the_right_type_passes_and_is_written(name: str, value: object) -> None:
    schema = dog()
    row = {**ROW, name: value}
    assert schema.check(row) is None
    codec = Codec(schema.avro)
    assert codec.decode(codec.encode(row)) == row


def test_a_long_unknown_name_is_cut() -> None:
    refused = dog().check({"x" * 500: 1})
    assert refused is not None
    assert refused.field == "x" * 60


# -- what travels with the bus -------------------------------------------------------------------------------------


def test_an_unknown_packaged_resource_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no packaged schema for resource cats; there are: .*residence_permit"):
        packaged_text("cats")


@pytest.mark.parametrize("name", ["receipt", "refusal", "pulse", "incident", "progress", "cursor"])
def test_every_envelope_is_a_schema(name: str) -> None:
    assert envelope(name).schema["type"] == "record"
