"""A source's digest against what the bus holds of it: a difference that stands is told, one in flight never (Art 10).

What changes while it is compared makes differences too, but no two of these are alike: every version has an id of its
own. So a range is told when the same difference, count and XOR, shows in two digests, the later of them begun after the
first was compared, with none in between that showed no difference at all. It is mended when a digest shows none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from processors.freshness.words import is_stated
from processors.holding import DIGEST_BYTES, Gap, Holding, range_name

KEPT = 7
"""Differences of one range that are remembered; a range in which more than that change each time is told later."""


class State(StrEnum):
    """Whether source and bus differ."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class SourceDigest:
    """What a source says it holds, as `schemas/envelope/digest.avsc` has it; times in milliseconds.

    Attributes:
        taken_at: when its scan began, by the source's clock.
        at: the broker's time of the message.
        refused: rows that were left out, because they were refused.
    """

    agency: str
    resource: str
    taken_at: int
    at: int
    complete_until: int | None
    refused: int
    holding: Holding

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any], at: int) -> "SourceDigest":
        """Of the physical datum.

        Raises:
            ValueError: it holds no digest.
        """
        ranges = [(one["range"], one["count"], one["digest"]) for one in datum["ranges"]]
        if datum["refused"] < 0 or any(count < 1 for _, count, _ in ranges):
            raise ValueError("a digest counts from one on")
        if not all(is_stated(at) for at in (datum["taken_at"], datum["complete_until"] or 0)):
            raise ValueError("a time is none that a calendar has")
        return cls(
            datum["agency"],
            datum["resource"],
            datum["taken_at"],
            at,
            datum["complete_until"],
            datum["refused"],
            Holding(ranges),
        )


@dataclass(frozen=True, slots=True)
class Sighting:
    """A difference of one range as it was first seen.

    Attributes:
        at: the broker's time of the digest that showed it.
        compared_at: when that one was compared.
    """

    gap: Gap
    at: int
    compared_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of one agency's part of a resource between two digests.

    Attributes:
        at: the broker's time of the digest that was compared last.
        since: from when source and bus differ; None while nothing is told.
        seen: by range, the differences since the last digest that showed none.
        told: by range, what stands as told.
    """

    at: int = -1
    since: int | None = None
    seen: Mapping[int, tuple[Sighting, ...]] = field(default_factory=dict)
    told: Mapping[int, Sighting] = field(default_factory=dict)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Standing":
        """What `plain` gave."""
        return cls(
            plain["at"],
            plain["since"],
            {int(number): tuple(map(_sighting, found)) for number, found in plain["seen"].items()},
            {int(number): _sighting(found) for number, found in plain["told"].items()},
        )

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "at": self.at,
            "since": self.since,
            "seen": {str(number): [_plain(one) for one in found] for number, found in self.seen.items()},
            "told": {str(number): _plain(one) for number, one in self.told.items()},
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What is told: in which ranges source and bus hold other versions, or that they agree again.

    Attributes:
        ranges: name of the range, count of the source, count of the bus.
    """

    agency: str
    resource: str
    state: State
    since: int
    complete_until: int | None
    refused: int
    ranges: tuple[tuple[str, int, int], ...]
    told_at: int

    @property
    def key(self) -> bytes:
        """The latest word on each source stands under it."""
        return f"{self.agency}.{self.resource}".encode()

    def datum(self) -> dict[str, Any]:
        """The physical datum of `schemas/envelope/difference.avsc`."""
        names = ("key_range", "source_count", "bus_count")
        return {
            "agency": self.agency,
            "resource": self.resource,
            "state": self.state.value,
            "since": self.since,
            "complete_until": self.complete_until,
            "refused": self.refused,
            "ranges": [dict(zip(names, one, strict=True)) for one in self.ranges],
            "told_at": self.told_at,
        }


def resumed(standing: Standing, told: Mapping[str, Any]) -> Standing:
    """What stands as told on `difference`, where the standing does not know it: a worker ended before it kept it.

    Which difference it was is not in the message, so it stands until a digest shows none in its range.

    Args:
        standing: what is kept.
        told: the latest datum of the source.
    """
    if standing.told or told["state"] != State.OPEN.value:
        return standing
    unknown = {
        int(one["key_range"], 16): Sighting(
            Gap(one["source_count"] - one["bus_count"], 0), told["since"], told["told_at"]
        )
        for one in told["ranges"]
    }
    return Standing(standing.at, told["since"], standing.seen, unknown)


def compare(standing: Standing, digest: SourceDigest, bus: Holding, now: int) -> tuple[Standing, Difference | None]:
    """Hold a source's digest against the bus; what is kept from now on, and what is to be told.

    It is told when the first range opens, when ranges or their differences change, and when the last is mended. A
    digest that was compared before, as after a kill, changes nothing.

    Args:
        standing: what the digests before left.
        digest: of the source, in the order of its topic.
        bus: what the bus holds of the same agency and resource; all that it has read, not a part on the way there.
        now: when it is compared, milliseconds since the epoch.
    """
    if digest.at <= standing.at:
        return standing, None
    # A source's clock that is ahead does not make a digest later than the broker had it.
    begun = min(digest.taken_at, digest.at)
    seen: dict[int, tuple[Sighting, ...]] = {}
    told: dict[int, Sighting] = {}
    for number, gap in digest.holding.gaps(bus).items():
        before = standing.seen.get(number, ())
        first = next((one for one in before if one.gap == gap), None)
        seen[number] = before if first is not None else (*before, Sighting(gap, digest.at, now))[-KEPT:]
        if first is not None and begun >= first.compared_at:
            told[number] = first
        elif number in standing.told:
            # Something else is in flight there; what was told is not mended by it.
            told[number] = standing.told[number]
    since = min((one.at for one in told.values()), default=None)
    if told and standing.since is not None:
        since = standing.since
    after = Standing(digest.at, since, seen, told)
    if told == standing.told:
        return after, None
    difference = Difference(
        digest.agency,
        digest.resource,
        State.OPEN if told else State.CLOSED,
        since if since is not None else standing.since or digest.at,
        digest.complete_until,
        digest.refused,
        tuple((range_name(number), digest.holding[number].ids, bus[number].ids) for number in sorted(told)),
        now,
    )
    return after, difference


def _plain(sighting: Sighting) -> list[Any]:
    gap = sighting.gap
    return [gap.ids, gap.digest.to_bytes(DIGEST_BYTES, "big").hex(), sighting.at, sighting.compared_at]


def _sighting(plain: list[Any]) -> Sighting:
    count, digest, at, compared_at = plain
    return Sighting(Gap(count, int(digest, 16)), at, compared_at)
