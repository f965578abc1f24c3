"""Kafka's own partitioner, by its published vectors and by the C client's answer to any key."""

import confluent_kafka
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.partition import murmur2, partition_of

# Key and hash as Apache Kafka's own unit test states them, as a signed 32-bit number.
VECTORS = [
    ("21", -973932308),
    ("foobar", -790332482),
    ("a-little-bit-long-string", -985981536),
    ("a-little-bit-longer-string", -1486304829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ("abc", 479470107),
]


@pytest.mark.parametrize(("key", "signed"), VECTORS)
def test_the_hash_is_kafkas(key: str, signed: int) -> None:
    assert int.from_bytes(murmur2(key.encode()).to_bytes(4, "big"), "big", signed=True) == signed


@pytest.mark.parametrize(("key", "signed"), VECTORS)
def test_the_sign_bit_is_cut_off_before_the_division(key: str, signed: int) -> None:
    for partitions in (1, 3, 16, 1_000):
        assert partition_of(key.encode(), partitions) == (signed & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=70), st.integers(1, 1_000))
def test_every_key_goes_where_the_c_client_would_send_it(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == confluent_kafka.murmur2(key, partitions)


def test_keys_spread_evenly_over_the_partitions() -> None:
    counts = [0] * 8
    for number in range(8_000):
        counts[partition_of(f"111:{number:018d}".encode(), 8)] += 1
    assert min(counts) > 850
    assert max(counts) < 1_150
