"""What somebody holds of a resource, as counts and digests of event ids by key range (Art 10).

An id falls into one of 256 ranges by the first byte of its digest; a range is told by how many ids it holds and by the
XOR of their digests. XOR needs no order and takes away what it added, so a holding is kept beside a changing set, and
two holdings that were made in different order from the same ids are equal.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

RANGES = 256
DIGEST_BYTES = 16
_TOP = 8 * (DIGEST_BYTES - 1)


class Gap(NamedTuple):
    """By how much two holdings differ in one range.

    Attributes:
        ids: how many more on this side than on the other.
        digest: XOR of the two sides' digests, as a number.
    """

    ids: int
    digest: int


NO_GAP = Gap(0, 0)


def digest_of(event_id: str) -> int:
    """The digest of one id: the first 16 bytes of SHA-256 of its text, as a number."""
    return int.from_bytes(sha256(event_id.encode()).digest()[:DIGEST_BYTES], "big")


def range_of(digest: int) -> int:
    """The range that a digest falls into: its first byte."""
    return digest >> _TOP


def range_name(number: int) -> str:
    """As people and messages name a range: 00 to ff."""
    return f"{number:02x}"


class Holding:
    """A set of event ids in 256 counts and digests; never the ids themselves.

    Args:
        ranges: number of the range, count, digest; as `ranges` gives them.

    Raises:
        ValueError: a range is none, or is named twice.
    """

    def __init__(self, ranges: Iterable[tuple[int, int, bytes]] = ()) -> None:
        self._ranges: dict[int, Gap] = {}
        for number, count, digest in ranges:
            if not 0 <= number < RANGES or number in self._ranges or len(digest) != DIGEST_BYTES:
                raise ValueError("a holding has 256 ranges of 16 bytes, each once")
            self._put(number, Gap(count, int.from_bytes(digest, "big")))

    def add(self, event_id: str) -> None:
        """An id more."""
        self._count(event_id, 1)

    def remove(self, event_id: str) -> None:
        """An id less; it must have been added, before or after."""
        self._count(event_id, -1)

    def merge(self, other: "Holding") -> None:
        """All that another one holds, too; an id that both hold would count twice."""
        for number, (count, digest) in other._ranges.items():  # noqa: SLF001  of the same class
            mine = self[number]
            self._put(number, Gap(mine.ids + count, mine.digest ^ digest))

    def gaps(self, other: "Holding") -> dict[int, Gap]:
        """By range, how this holding differs from another; only where it does."""
        found = {}
        for number in sorted(self._ranges.keys() | other._ranges.keys()):  # noqa: SLF001  of the same class
            mine, theirs = self[number], other[number]
            gap = Gap(mine.ids - theirs.ids, mine.digest ^ theirs.digest)
            if gap != NO_GAP:
                found[number] = gap
        return found

    def ranges(self) -> Iterator[tuple[int, int, bytes]]:
        """Number, count and digest of each range that is not empty, in order."""
        for number, (count, digest) in sorted(self._ranges.items()):
            yield number, count, digest.to_bytes(DIGEST_BYTES, "big")

    def __getitem__(self, number: int) -> Gap:
        return self._ranges.get(number, NO_GAP)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holding) and self._ranges == other._ranges

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _count(self, event_id: str, by: int) -> None:
        digest = digest_of(event_id)
        mine = self[range_of(digest)]
        self._put(range_of(digest), Gap(mine.ids + by, mine.digest ^ digest))

    def _put(self, number: int, held: Gap) -> None:
        if held == NO_GAP:
            self._ranges.pop(number, None)
        else:
            self._ranges[number] = held
