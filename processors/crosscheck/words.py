"""The words of cross-checks: a hit with both versions, a waiver, and what is kept of a subject."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from processors.crosscheck.facts import RecordFact

_IDS = uuid.UUID("9a4b2f5e-5e52-5d0e-9c61-7f2a6f0d83c4")
RecordName = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Version:
    """One side of a hit: which record, in which version, from whom; its content stays where it is."""

    resource: str
    record: bytes
    event_id: str
    agency: str
    division: str | None = None

    @classmethod
    def of(cls, fact: RecordFact) -> "Version":
        """The version that a fact is about."""
        return cls(fact.resource, fact.record, fact.event_id, fact.agency, fact.division or None)

    @property
    def name(self) -> RecordName:
        """Which record of the subject it is."""
        return self.resource, self.record


@dataclass(frozen=True, slots=True)
class Hit:
    """Two sources disagree, or one is missing what it must have.

    Attributes:
        check: id of the check.
        right: None where what is wrong is that there is none.
        fields: the compared fields that differ, as the check names them on the left.
        since: from when it counts: the later business time and the tolerance.
        compared: what was compared, in one digest: a waiver holds as long as it stays the same.
        asks_right: whether the case goes to the right side's owner.
    """

    check: str
    token: bytes
    left: Version
    right: Version | None
    fields: tuple[str, ...]
    since: int
    compared: bytes
    asks_right: bool

    @property
    def pair(self) -> str:
        """Which pair of records under which check; the same in every version."""
        right = (
            b"" if self.right is None else b"\0".join((self.right.resource.encode(), self.right.record.hex().encode()))
        )
        left = b"\0".join((self.left.resource.encode(), self.left.record.hex().encode()))
        return str(uuid.uuid5(_IDS, f"{self.check}|{self.token.hex()}|{left.hex()}|{right.hex()}"))

    @property
    def asked(self) -> Version:
        """The side whose owner must look."""
        return self.right if self.asks_right and self.right is not None else self.left


class Reason(StrEnum):
    """Why a hit is closed.

    CORRECTED: the asked owner changed its record; OTHER_CHANGED: the other one did, or what was missing came;
    WITHDRAWN: a record is gone; WAIVED: somebody found it to be a false alarm.
    """

    CORRECTED = "CORRECTED"
    OTHER_CHANGED = "OTHER_CHANGED"
    WITHDRAWN = "WITHDRAWN"
    WAIVED = "WAIVED"


@dataclass(frozen=True, slots=True)
class Superseded:
    """The owner's new version of a record that was in a hit: every grant that received the old one gets the new one."""

    resource: str
    agency: str
    wrong_event_id: str
    right_event_id: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A hit that is none any more."""

    hit: Hit
    reason: Reason
    superseded: Superseded | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A pair that was found to be in order, with the reason; it holds while the compared values stay as they are.

    Attributes:
        pair, compared: of the hit.
        reason: in words, without a name or number.
        role: who decided, as a role.
    """

    token: bytes
    pair: str
    compared: bytes
    reason: str
    role: str
    decided_at: int

    def __post_init__(self) -> None:
        """Demand a reason."""
        if not self.reason.strip():
            raise ValueError("a waiver wants a reason")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is kept of one subject: the newest fact of each record, the hits that stand, the waivers."""

    records: Mapping[RecordName, RecordFact] = field(default_factory=dict)
    hits: Mapping[str, Hit] = field(default_factory=dict)
    waivers: Mapping[tuple[str, bytes], Waiver] = field(default_factory=dict)


@dataclass(slots=True)
class Checked:
    """What a batch changed.

    Attributes:
        subjects: the touched ones, as they are now.
        opened: new hits, each a case at the asked owner.
        revised: hits that go on with another version of a record.
        closed: hits that are none any more.
        superseded: corrections of records whose hit goes on.
        wakes: when to look at a subject again though nothing happens to it.
    """

    subjects: dict[bytes, Subject] = field(default_factory=dict)
    opened: list[Hit] = field(default_factory=list)
    revised: list[Hit] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    superseded: list[Superseded] = field(default_factory=list)
    wakes: list[tuple[int, bytes]] = field(default_factory=list)
