"""The words of freshness: what is told of a source, where it was told, and what the source owes.

Times are milliseconds since the epoch, UTC. A quarter is counted in Asia/Shanghai and written `2026Q1`; in the code it
is a number, so that the next one is one more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from compliance.catalogue import start_of
from schemas.words import FreshnessClass

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_QUARTERS = 4
_SHANGHAI_OFFSET = int(timedelta(hours=8) / timedelta(milliseconds=1))
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# The last year leaves room for what is counted from an instant, in days of Shanghai too.
_TOO_LATE = int((datetime(9999, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def day_number(ms: int) -> int:
    """The day in Asia/Shanghai of an instant, as days since 1970-01-01."""
    return (ms + _SHANGHAI_OFFSET) // DAY


def day_of_number(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(number + _EPOCH_DAY)


def number_of_day(day: date) -> int:
    """The day number of a date."""
    return day.toordinal() - _EPOCH_DAY


def day_start(number: int) -> int:
    """00:00 of a day in Asia/Shanghai."""
    return number * DAY - _SHANGHAI_OFFSET


def millis(at: datetime) -> int:
    """An aware instant in milliseconds since the epoch."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def is_stated(ms: int) -> bool:
    """Whether an instant that an agency states can be one: what is counted from it must fit into calendar and schema."""
    return 0 <= ms < _TOO_LATE


def _stated(ms: int) -> int:
    if not is_stated(ms):
        raise ValueError("is no time that a calendar has")
    return ms


def _stated_or_none(ms: int | None) -> int | None:
    return None if ms is None else _stated(ms)


def quarter_of(ms: int) -> int:
    """The quarter in Asia/Shanghai that an instant lies in."""
    at = day_of_number(day_number(ms))
    return at.year * _QUARTERS + (at.month - 1) // 3


def quarter_name(quarter: int) -> str:
    """`2026Q1`."""
    return f"{quarter // _QUARTERS}Q{quarter % _QUARTERS + 1}"


def quarter_number(name: str) -> int:
    """The number of `2026Q1`.

    Raises:
        ValueError: it is not written so.
    """
    year, mark, part = name[:4], name[4:5], name[5:]
    if not (year.isascii() and year.isdigit() and len(year) == _QUARTERS and mark == "Q" and part in set("1234")):
        raise ValueError("is not a quarter as 2026Q1")
    return int(year) * _QUARTERS + int(part) - 1


def last_day_of(quarter: int) -> date:
    """The last day of a quarter."""
    return first_day_of(quarter + 1) - timedelta(days=1)


def first_day_of(quarter: int) -> date:
    """The first day of a quarter."""
    return date(quarter // _QUARTERS, quarter % _QUARTERS * 3 + 1, 1)


def quarter_start(quarter: int) -> int:
    """00:00 of its first day in Asia/Shanghai; the quarter before ends there."""
    return millis(start_of(first_day_of(quarter)))


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What freshness is watched for: an agency's part of a resource, or one group of its fields (`group` not empty)."""

    agency: str
    resource: str
    group: str = ""

    @property
    def whole(self) -> "Key":
        """The resource that a group belongs to; itself, of a resource."""
        return Key(self.agency, self.resource)

    @property
    def told(self) -> str:
        """What it is of the agency's, for people."""
        return f"group {self.group} of {self.resource}" if self.group else self.resource

    def __str__(self) -> str:
        """`psb.residence_permit`, with the group behind a slash: the key of the Kafka messages."""
        return f"{self.agency}.{self.resource}" + (f"/{self.group}" if self.group else "")


@dataclass(frozen=True, slots=True)
class At:
    """Where an event stands on Kafka, and since when.

    Attributes:
        ms: the broker's time of the message.
        partition: topic and partition, as `pulse/0`.
        offset: its place there; what is not behind the last one that was seen is a repeat.
    """

    ms: int
    partition: str
    offset: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What one transaction of admit did for an agency and resource.

    `earliest` and `latest` are business times of what was newly supplied, corrections and withdrawals left out;
    `published_at` is by the source's clock, `appended_at` the broker's time of the submission that waited longest,
    `supplied_at` that of the last one that brought something new.
    """

    key: Key
    admitted_at: int
    admitted: int = 0
    refused: int = 0
    withdrawn: int = 0
    corrected: int = 0
    earliest: int | None = None
    latest: int | None = None
    published_at: int | None = None
    appended_at: int | None = None
    supplied_at: int | None = None

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any]) -> "Pulse":
        """From the physical datum of `schemas/envelope/pulse.avsc`."""
        return cls(
            Key(datum["agency"], datum["resource"]),
            datum["admitted_at"],
            datum["admitted"],
            datum["refused"],
            datum["withdrawn"],
            datum["corrected"],
            datum["earliest_business_time"],
            datum["latest_business_time"],
            datum["latest_published_at"],
            datum["earliest_appended_at"],
            # Admit did not tell it always.
            datum.get("latest_appended_at"),
        )


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A source says that it is there.

    Attributes:
        sent_at: by the source's own clock.
        complete_until: up to which business time everything has been published; None where it cannot say.
    """

    key: Key
    sent_at: int
    complete_until: int | None = None

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any]) -> "Heartbeat":
        """From the physical datum of `schemas/envelope/heartbeat.avsc`.

        Raises:
            ValueError: a time is none that a calendar has.
        """
        key = Key(datum["agency"], datum["resource"], datum["field_group"] or "")
        return cls(key, _stated(datum["sent_at"]), _stated_or_none(datum["complete_until"]))


class Declares(StrEnum):
    """What a quarterly declaration says (decisions 28)."""

    HIGH_WATER = "HIGH_WATER"
    NO_CHANGE = "NO_CHANGE"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A source's word on a quarter: all is supplied up to `mark` (HIGH_WATER), or nothing changed (NO_CHANGE)."""

    key: Key
    quarter: int
    says: Declares
    mark: int | None = None

    def __post_init__(self) -> None:
        """Demand a mark where one belongs, and none elsewhere."""
        if (self.says is Declares.HIGH_WATER) != (self.mark is not None):
            raise ValueError("a mark belongs to HIGH_WATER, and to nothing else")

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any]) -> "Declaration":
        """From the physical datum of `schemas/envelope/declaration.avsc`.

        Raises:
            ValueError: quarter, kind or mark are not what they must be.
        """
        key = Key(datum["agency"], datum["resource"], datum["field_group"] or "")
        mark = _stated_or_none(datum["mark"])
        return cls(key, quarter_number(datum["quarter"]), Declares(datum["says"]), mark)


@dataclass(frozen=True, slots=True)
class DeliveryLag:
    """What one delivery under a grant took: when its oldest record was delivered, admitted, and true in the world."""

    key: Key
    grant: str
    delivered_at: int
    admitted_at: int
    business_time: int | None = None

    @classmethod
    def from_datum(cls, datum: Mapping[str, Any]) -> "DeliveryLag":
        """From the physical datum of `schemas/envelope/delivery_pulse.avsc`."""
        key = Key(datum["agency"], datum["resource"])
        return cls(key, datum["grant"], datum["delivered_at"], datum["admitted_at"], datum["business_time"])


@dataclass(frozen=True, slots=True)
class OutageAccepted:
    """The authority accepted the notice of an outage (Art 47): clocks of the agency stand still from `started_at`.

    No resources means everything that the agency supplies.
    """

    agency: str
    outage: str
    started_at: int
    resources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OutageRestored:
    """Supply is possible again: the clocks go on."""

    agency: str
    outage: str
    restored_at: int


Event = Pulse | Heartbeat | Declaration | DeliveryLag
OutageEvent = OutageAccepted | OutageRestored


@dataclass(frozen=True, slots=True)
class Targets:
    """What a source owes and the bus wants to keep; each None is not watched.

    Attributes:
        freshness: the class of the catalogue entry.
        duty_from: since when the agency owes; changes of before are never late.
        source_lag: at most so long from business time to publication.
        bus_lag: at most so long from the broker's time of a submission to its admission.
        delivery_lag: at most so long from admission to delivery.
        silent_after: so long without heartbeat or publication is silence.
        clock_tolerance: by how much a source's clock may be wrong.
        refused_share: at most this share of a day's changes may be refused.
        refused_least: so many refused changes at least before the share counts.
        evidence_for: so long a measured lag says something about now.
        division: where the agency is, for days of rest and a county's own numbers.
    """

    freshness: FreshnessClass
    duty_from: int
    source_lag: int | None = None
    bus_lag: int | None = MINUTE
    delivery_lag: int | None = MINUTE
    silent_after: int | None = None
    clock_tolerance: int | None = 2 * MINUTE
    refused_share: float | None = 0.05
    refused_least: int = 5
    evidence_for: int = HOUR
    division: str | None = None

    def __post_init__(self) -> None:
        """Demand times that can be kept."""
        times = (self.source_lag, self.bus_lag, self.delivery_lag, self.silent_after, self.clock_tolerance)
        if any(time is not None and time <= 0 for time in (*times, self.evidence_for)):
            raise ValueError("a target is a time of at least one millisecond")
        if self.refused_share is not None and not 0 <= self.refused_share < 1:
            raise ValueError("the share that may be refused lies from 0 to less than 1")
