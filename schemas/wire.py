"""Avro's binary form of single values, for the few places where the hot path handles bytes itself (Avro 1.12).

The general writer spends more on looking at a small record's schema than on its bytes, and what is only passed on need
not be understood: it is cut out of the bytes that came. What is written and cut here is held against the general
writer by tests.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any

_MORE = 0x80  # the bit of a varint's byte that says another one follows
_LONG_BITS = 63
# How a nullable field's value ends: below zero after a length and so many bytes, else after one varint or after a number
# of bytes.
TEXT, BYTES, VARINT = -2, -1, 0
_ENDS = {"string": TEXT, "bytes": BYTES, "int": VARINT, "long": VARINT, "boolean": 1, "float": 4, "double": 8}


def long(number: int) -> bytes:
    """An int or long of 64 bits: zig-zag, then seven bits a byte, the least first."""
    left = (number << 1) ^ (number >> _LONG_BITS)
    if left < _MORE:
        return _SMALL[left]
    out = bytearray()
    while left >= _MORE:
        out.append(left % _MORE | _MORE)
        left >>= 7
    out.append(left)
    return bytes(out)


_SMALL = [bytes((number,)) for number in range(_MORE)]
_SIZES = [long(size) for size in range(1_024)]


def content(value: bytes) -> bytes:
    """Bytes: their length, then they."""
    size = len(value)
    return (_SIZES[size] if size < len(_SIZES) else long(size)) + value


def text(value: str) -> bytes:
    """A string: the length of its UTF-8 bytes, then they."""
    return content(value.encode())


# Dates repeat; an event's own numbers push one another out, which costs no more than writing them.
_present_long = lru_cache(maxsize=32_768)(lambda number: b"\x02" + long(number))
_PRESENT_SIZES = [b"\x02" + size for size in _SIZES]
_FIXED: dict[int, Callable[[Any], bytes]] = {1: Struct("<?").pack, 4: Struct("<f").pack, 8: Struct("<d").pack}


def nullable(fields: Sequence[tuple[str, int]], data: Mapping[str, Any]) -> bytes:
    """Several fields of types `["null", T]`, one after another.

    Args:
        fields: name and ending (see `ending`) of each.
        data: wire values that have been checked; what is missing is null.
    """
    parts = []
    for name, end in fields:
        value = data.get(name)
        if value is None:
            parts.append(b"\x00")
        elif end < 0:
            raw = value.encode() if end == TEXT else value
            size = len(raw)
            parts.append((_PRESENT_SIZES[size] if size < len(_SIZES) else b"\x02" + long(size)) + raw)
        elif end == VARINT:
            parts.append(_present_long(value))
        else:
            parts.append(b"\x02" + _FIXED[end](value))
    return b"".join(parts)


# -- cutting -------------------------------------------------------------------------------------------------------


def ending(avro: Any) -> int:  # noqa: ANN401  a schema is any JSON
    """How the value of a field of type `["null", T]` ends, for `field_ends`."""
    _, value = avro
    return _ENDS[value["type"] if isinstance(value, Mapping) else value]


def after_long(data: bytes, at: int) -> int:
    """The offset behind an int or long; an IndexError beyond the end of the data."""
    while data[at] >= _MORE:
        at += 1
    return at + 1


def after_sized(data: bytes, at: int) -> int:
    """The offset behind a string or bytes; errors as `after_long`."""
    size = data[at]
    if size < _MORE:
        return at + 1 + (size >> 1)
    size, at = _long_size(data, at)
    return at + size


def _long_size(data: bytes, at: int) -> tuple[int, int]:
    """A length of several bytes, and the offset behind them."""
    size, shift = 0, 0
    while (byte := data[at]) >= _MORE:
        size |= (byte - _MORE) << shift
        shift += 7
        at += 1
    return (size | byte << shift) >> 1, at + 1


def long_of(data: bytes) -> int:
    """The int or long that these bytes are, and nothing else."""
    # The lowest bit says on which side of zero it lies.
    return _long_size(data, 0)[0] ^ -(data[0] & 1)


def strings(data: bytes, at: int) -> tuple[tuple[str, ...], int]:
    """The strings of an array in blocks without sizes, as every writer of the bus writes them, and the offset behind."""
    found: list[str] = []
    while data[at]:
        count, at = _long_size(data, at)
        for _ in range(count):
            size, begin = _long_size(data, at)
            at = begin + size
            found.append(data[begin:at].decode())
    return tuple(found), at + 1


def sized(data: bytes, at: int) -> bytes:
    """The string or bytes at an offset, without its length."""
    size, at = _long_size(data, at)
    return data[at : at + size]


def field_ends(data: bytes, at: int, endings: Sequence[int]) -> list[int]:
    """Where the first of several nullable fields begins, and where each of them ends; errors as `after_long`."""
    found = [at]
    for end in endings:
        branch = data[at]
        at += 1
        if branch:
            if end < 0:
                size = data[at]
                at += 1 + (size >> 1)
                if size >= _MORE:
                    size, at = _long_size(data, at - 1 - (size >> 1))
                    at += size
            elif end == VARINT:
                at = after_long(data, at)
            else:
                at += end
        found.append(at)
    return found
