"""Kafka's own partitioner: murmur2 of the key, modulo the number of partitions.

Every producer of the bus sets its partition explicitly by this rule, so a subject stays on one partition whatever
client wrote it. The hash is the 32-bit MurmurHash2 with the seed that Apache Kafka's `Utils.murmur2` uses.
"""

from struct import unpack

_M = 0x5BD1E995
_SEED = 0x9747B28C
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit hash of a key, as an unsigned integer."""
    length = len(key)
    whole = length >> 2
    h = _SEED ^ length
    for word in unpack(f"<{whole}I", key[: whole << 2]):
        k = word * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ k >> 24) * _M & _MASK)
    rest = length & 3
    if rest:
        h ^= int.from_bytes(key[-rest:], "little")
        h = h * _M & _MASK
    h ^= h >> 13
    h = h * _M & _MASK
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's default partitioner gives a key: the hash without its sign bit, modulo."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
