"""Avro's binary form of single values, for the few places where the hot path writes bytes itself (Avro 1.12).

The general writer spends more on looking at a small record's schema than on its bytes. What is written here is held
against the general writer by tests.
"""

_MORE = 0x80  # the bit of a varint's byte that says another one follows
_LONG_BITS = 63


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


def content(value: bytes) -> bytes:
    """Bytes: their length, then they."""
    return long(len(value)) + value


def text(value: str) -> bytes:
    """A string: the length of its UTF-8 bytes, then they."""
    return content(value.encode())
