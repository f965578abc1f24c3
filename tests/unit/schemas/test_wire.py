"""What the hot path writes itself is byte for byte what the general Avro writer writes."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.provenance import head_bytes, record_head
from schemas.wire import content, long, text

TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
LONGS = st.integers(-(2**63), 2**63 - 1)


@given(LONGS, TEXT, st.binary(max_size=300))
def test_single_values_are_written_as_the_general_writer_writes_them(number: int, said: str, raw: bytes) -> None:
    fields = [{"name": name, "type": name} for name in ("long", "string", "bytes")]
    general = Codec({"type": "record", "name": "One", "fields": fields})
    assert long(number) + text(said) + content(raw) == general.encode({"long": number, "string": said, "bytes": raw})


@given(
    st.uuids().map(str),
    TEXT,
    LONGS,
    TEXT,
    st.none() | TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.integers(0, 999),
    st.binary(max_size=16),
)
def test_the_head_of_a_record_is_written_as_the_general_writer_writes_it(
    event_id: str,
    operation: str,
    business_time: int,
    division: str,
    supersedes: str | None,
    flags: tuple[str, ...],
    index: int,
    discriminator: bytes,
) -> None:
    general = record_head().encode_physical(
        {
            "event_id": event_id,
            "operation": operation,
            "business_time": business_time,
            "subject_division_code": division,
            "supersedes": supersedes,
            "flags": flags,
            "index": index,
            "discriminator": discriminator,
            "moved_to": None,
            "moved_at": None,
        }
    )
    written = head_bytes(event_id, operation, business_time, division, supersedes, flags, index, discriminator)
    assert written == general
