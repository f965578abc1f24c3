"""Avro in and out: strict about keys and types, silent about values, and never surprised by rubbish."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.codec import Codec, fingerprint, frame, frame_head, unframe, without_logical_types
from schemas.errors import SchemaError

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Card",
    "namespace": "test",
    "fields": [
        {"name": "number", "type": "string"},
        {"name": "copies", "type": ["null", "int"], "default": None},
        {"name": "born", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {"name": "seen", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None},
        {
            "name": "paid",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}],
            "default": None,
        },
        {"name": "marks", "type": {"type": "array", "items": "string"}, "default": []},
    ],
}
CARD: dict[str, Any] = {
    "number": "SECRET-7",
    "copies": 3,
    "born": date(1990, 3, 7),
    "seen": datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
    "paid": Decimal("12.30"),
    "marks": ["a"],
}
WIRE = {**CARD, "born": 7_370, "seen": 1_767_323_045_678, "paid": b"\x04\xce"}
CODEC = Codec(SCHEMA)
# Any JSON that looks a little like a schema.
_NAMES = st.sampled_from(["record", "int", "null", "array", "map", "enum", "fixed", "bytes", "string", "a", "b.c", ""])
_KEYS = st.sampled_from(["type", "name", "fields", "items", "values", "symbols", "size", "default", "logicalType"])
LIKE_A_SCHEMA = st.recursive(
    st.none() | st.booleans() | st.integers() | _NAMES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(_KEYS, part, max_size=5),
    max_leaves=12,
)


def test_what_is_written_is_read_back_with_logical_values() -> None:
    assert CODEC.decode(CODEC.encode(CARD)) == CARD


def test_the_physical_view_writes_the_same_bytes_from_what_is_on_the_wire() -> None:
    assert CODEC.encode_physical(WIRE) == CODEC.encode(CARD)
    assert CODEC.decode_physical(CODEC.encode(CARD)) == WIRE


def test_the_physical_view_leaves_out_what_its_schema_does_not_name() -> None:
    assert CODEC.encode_physical({**WIRE, "elsewhere": "x"}) == CODEC.encode(CARD)


def test_a_missing_field_takes_its_default_and_an_instant_keeps_its_moment() -> None:
    assert CODEC.decode(CODEC.encode({"number": "1"}))["marks"] == []
    there = datetime(2026, 1, 2, 11, 4, 5, 678_000, tzinfo=timezone(timedelta(hours=8)))
    assert CODEC.decode(CODEC.encode({"number": "1", "seen": there}))["seen"] == CARD["seen"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"elsewhere": "x"},
        {"number": None},
        {"number": 7},
        {"number": b"SECRET-7"},
        {"number": "\ud800"},
        {"copies": "3"},
        {"copies": 3.5},
        {"copies": True},
        {"copies": 2**31},
        {"born": "SECRET-7"},
        {"seen": "SECRET-7"},
        {"paid": 12.3},
        {"paid": Decimal("123456.78")},
        {"paid": Decimal("1.234")},
        {"marks": None},
        {"marks": [1]},
    ],
    ids=str,
)
def test_an_unknown_key_or_a_wrong_type_is_an_error_without_a_value_in_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(SchemaError) as refused:
        CODEC.encode({**CARD, **wrong})
    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_field_without_default_is_demanded() -> None:
    with pytest.raises(SchemaError):
        CODEC.encode({name: value for name, value in CARD.items() if name != "number"})


def test_cut_and_too_long_payloads_are_errors() -> None:
    payload = CODEC.encode(CARD)
    for length in range(len(payload)):
        with pytest.raises(SchemaError):
            CODEC.decode(payload[:length])
    with pytest.raises(SchemaError, match="2 bytes after its end"):
        CODEC.decode_physical(payload + b"\x00\x00")


def test_a_payload_of_a_schema_that_is_no_record_is_an_error() -> None:
    with pytest.raises(SchemaError, match="not a record"):
        Codec('"string"').decode(b"\x02a")


@given(st.binary(max_size=60))
@example(b"\x02" + b"\xff" * 10)
def test_rubbish_is_read_or_refused_and_nothing_else(payload: bytes) -> None:
    for read in (CODEC.decode, CODEC.decode_physical):
        with suppress(SchemaError):
            assert set(read(payload)) == set(CARD)


# -- schemas -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "5",
        "null",
        '"nothing_known"',
        '{"type": "record", "fields": []}',
        '{"type": "record", "name": "x", "fields": [1]}',
        '{"type": "record", "name": "x", "fields": 5}',
        '{"type": "record", "name": "x", "fields": [{"name": "a", "type": "nothing.known"}]}',
        '{"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 5}',
        "[" * 100_000,
        "1" * 5_000,
    ],
    ids=lambda text: text[:60],
)
def test_what_is_no_schema_is_an_error_for_codec_and_fingerprint_alike(text: str) -> None:
    for make in (Codec, fingerprint):
        with pytest.raises(SchemaError):
            make(text)


def test_a_schema_that_is_not_json_names_the_line() -> None:
    with pytest.raises(SchemaError, match="at line 2"):
        Codec('{"type":\n,}')


@given(LIKE_A_SCHEMA)
@example({"type": "record", "name": "x", "fields": [{"name": "other", "type": "of.another.subject"}]})
def test_whatever_a_registry_holds_has_a_fingerprint_or_is_an_error(content: object) -> None:
    for make in (Codec, fingerprint):
        with suppress(SchemaError):
            assert make(json.dumps(content))


def test_the_fingerprint_is_that_of_what_is_on_the_wire() -> None:
    documented = {**SCHEMA, "doc": "a card", "cn": "卡"}
    assert fingerprint(documented) == fingerprint(SCHEMA) == fingerprint(json.dumps(SCHEMA)) == CODEC.fingerprint
    assert fingerprint({**SCHEMA, "name": "Sheet"}) != fingerprint(SCHEMA)
    assert fingerprint({**SCHEMA, "fields": SCHEMA["fields"][::-1]}) != fingerprint(SCHEMA)
    # SHA-256 of "string" in quotes, the canonical form of that primitive (Avro 1.12).
    assert fingerprint('{"type": "string"}') == "e9e5c1c9e4f6277339d1bcde0733a59bd42f8731f449da6dc13010a916930d48"


def test_only_logical_types_are_taken_out_of_a_schema() -> None:
    plain = without_logical_types(SCHEMA)
    assert "logicalType" not in json.dumps(plain)
    assert plain["fields"][4]["type"][1] == {"type": "bytes", "precision": 6, "scale": 2}
    assert [spec.get("default", "none") for spec in plain["fields"]] == ["none", None, None, None, None, []]
    odd = {"type": "record", "name": "x", "fields": [{"name": "a", "type": "int", "default": {"logicalType": "kept"}}]}
    assert without_logical_types(odd) == odd


def test_the_registrys_text_is_the_schema_and_keeps_chinese_readable() -> None:
    text = Codec({**SCHEMA, "cn": "居住证"}).text
    assert json.loads(text) == {**SCHEMA, "cn": "居住证"}
    assert "居住证" in text


# -- frames --------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_a_framed_payload_comes_back_with_its_schema_id(schema_id: int, payload: bytes) -> None:
    assert unframe(frame(schema_id, payload)) == (schema_id, payload)
    assert frame(schema_id, payload) == frame_head(schema_id) + payload


def test_the_frame_is_confluents() -> None:
    assert frame(258, b"xy") == b"\x00\x00\x00\x01\x02xy"


@pytest.mark.parametrize("value", [None, b"", b"\x00", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01x", b'{"a": 1}'])
def test_what_is_not_framed_is_nothing(value: bytes | None) -> None:
    assert unframe(value) is None
