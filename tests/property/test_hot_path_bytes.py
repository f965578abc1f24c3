"""What the hot path reads, writes and cuts itself is what the general reader and writer would read and write."""

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.provenance import cut_facts, cut_head, record_facts, record_head
from schemas.resource import ResourceSchema
from schemas.submission import read_submission
from schemas.wire import ending, field_ends, nullable
from tests.dogs import GOOD
from tests.examples import examples

TEXT = st.text(st.characters(codec="utf-8"), max_size=100)
LONGS = st.integers(-(2**63), 2**63 - 1)
# What stands on the wire for each primitive type; an int is held to 32 bits by admit.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "bytes": st.binary(max_size=100),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": LONGS,
    "boolean": st.booleans(),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
}
ROWS = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})
EVERY = [(name, ending(["null", name])) for name in VALUES]
ONE = Codec({"type": "record", "name": "One", "fields": [{"name": n, "type": ["null", n]} for n in VALUES]})


def primitive(avro: Any) -> str:
    """The primitive type of a nullable field."""
    _, value = avro
    return str(value["type"] if isinstance(value, dict) else value)


SCHEMA = ResourceSchema(json.dumps(GOOD))


def submissions(longs: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, Any]]:
    values = {**VALUES, "long": longs}
    data = {name: st.none() | values[primitive(spec.avro)] for name, spec in SCHEMA.fields.items()}
    change = st.fixed_dictionaries(
        {
            "event_id": TEXT,
            "operation": TEXT,
            "business_time": longs,
            "subject_division_code": st.none() | TEXT,
            "supersedes": st.none() | TEXT,
            "data": st.fixed_dictionaries(data),
        }
    )
    return st.fixed_dictionaries(
        {
            "submission_id": TEXT,
            "agency": TEXT,
            "resource": TEXT,
            "catalogue_version": VALUES["int"],
            "review_number": TEXT,
            "classification": TEXT,
            "published_at": longs,
            "changes": st.lists(change, max_size=3),
        }
    )


@settings(max_examples=examples(40))
@given(ROWS)
@example({"string": "é" * 511 + "e", "bytes": bytes(1_024)})
@example({"string": "é" * 512, "bytes": bytes(70_000)})
def test_nullable_fields_are_written_as_the_general_writer_writes_them(row: dict[str, Any]) -> None:
    assert nullable(EVERY, row) == ONE.encode_physical(row)


@settings(max_examples=examples(40))
@given(ROWS, st.binary(max_size=3))
def test_fields_are_cut_where_each_of_them_ends(row: dict[str, Any], before: bytes) -> None:
    data = before + ONE.encode_physical(row)
    ends = field_ends(data, len(before), [end for _, end in EVERY])
    assert ends[0] == len(before)
    assert ends[-1] == len(data)
    for index, field in enumerate(EVERY):
        assert data[ends[index] : ends[index + 1]] == nullable([field], row)


@settings(max_examples=examples(40))
@given(submissions(st.integers(-(2**55), 2**55 - 1)))
def test_a_submission_is_read_as_the_general_reader_reads_it(submission: dict[str, Any]) -> None:
    raw = SCHEMA.submission.encode_physical(submission)
    assert read_submission(raw, SCHEMA.all_written) == SCHEMA.submission.decode_physical(raw)


@settings(max_examples=examples(40))
@given(submissions(LONGS), st.randoms(use_true_random=False), st.integers(0, 3))
def test_of_unusual_and_damaged_bytes_the_two_readers_never_say_different_things(
    submission: dict[str, Any], dice: random.Random, damages: int
) -> None:
    raw = bytearray(SCHEMA.submission.encode_physical(submission))
    for _ in range(damages):
        raw[dice.randrange(len(raw))] = dice.choice((0, 1, 2, 3, 0x7F, 0x80, 0xFF))
    if dice.random() < damages / 6:
        del raw[dice.randrange(len(raw)) :]
    found = read_submission(bytes(raw), SCHEMA.all_written)
    if found is not None:
        # As text: a damaged number may be one that does not equal itself.
        assert repr(found) == repr(SCHEMA.submission.decode_physical(bytes(raw)))


@settings(max_examples=examples(40))
@given(
    TEXT, TEXT, LONGS, TEXT, st.none() | TEXT, st.lists(TEXT, max_size=80), st.none() | st.binary(), st.none() | LONGS
)
def test_a_head_is_cut_into_the_parts_that_were_written(
    event_id: str,
    operation: str,
    business_time: int,
    division: str,
    supersedes: str | None,
    flags: list[str],
    moved_to: bytes | None,
    moved_at: int | None,
) -> None:
    written = record_head().encode_physical(
        {
            "event_id": event_id,
            "operation": operation,
            "business_time": business_time,
            "subject_division_code": division,
            "supersedes": supersedes,
            "flags": flags,
            "index": 7,
            "discriminator": b"discriminator",
            "moved_to": moved_to,
            "moved_at": moved_at,
        }
    )
    head = cut_head(b"xy" + written + b"z", 2)
    assert head.end == 2 + len(written)
    assert (head.event_id, head.operation) == (event_id.encode(), operation.encode())
    assert (head.division, head.flags, head.moved_to) == (division, tuple(flags), moved_to)
    assert head.moved == (moved_at is not None)
    assert head.named + head.business_time in written
    assert written.endswith(head.moved_at)
    assert head.supersedes == nullable([("supersedes", ending(["null", "string"]))], {"supersedes": supersedes})


def test_facts_end_where_they_were_written_to_end() -> None:
    facts = {
        **dict.fromkeys(("submission_id", "agency", "certificate", "review_number", "freshness", "sharing"), "ü"),
        **dict.fromkeys(("partition", "catalogue_version", "layout_version"), 3),
        "offset": 2**40,
        "published_at": 1_790_000_000_000,
        "admitted_at": 1_790_000_000_001,
        "key_id": "s1",
        "token_key": "t1",
    }
    raw = record_facts().encode_physical(facts)
    found = cut_facts(b"x" + raw + b"y", 1)
    assert found.raw == raw
    assert (found.published_at, found.layout_version, found.key_id) == (1_790_000_000_000, 3, "s1")
    with pytest.raises((IndexError, SchemaError)):
        cut_facts(raw[:-4], 0)
