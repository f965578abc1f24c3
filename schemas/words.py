"""The frozen words that the rooms hand to each other: what was submitted, admitted, refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.refusals import RefusalCode, Refused


class Operation(StrEnum):
    """What a change does to its record; CREATE and UPDATE are admitted alike (the record as it now is)."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"
    CORRECT = "CORRECT"
    WITHDRAW = "WITHDRAW"


class Classification(StrEnum):
    """Secrecy class of a submission; only NON_SECRET (非密) may enter the bus (Art 15)."""

    NON_SECRET = "NON_SECRET"
    INTERNAL = "INTERNAL"
    CONFIDENTIAL = "CONFIDENTIAL"
    SECRET = "SECRET"
    TOP_SECRET = "TOP_SECRET"


class SharingClass(StrEnum):
    """The three sharing classes of Art 4."""

    UNCONDITIONAL = "UNCONDITIONAL"
    CONDITIONAL = "CONDITIONAL"
    NOT_SHARED = "NOT_SHARED"


class FreshnessClass(StrEnum):
    """The two update classes of Art 16."""

    DYNAMIC = "DYNAMIC"
    STATIC = "STATIC"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one record, as its owner publishes it.

    Attributes:
        data: business fields by name, values as the Avro schema says (dates as `date`, timestamps aware).
        business_time: when the fact changed (aware); the freshness clock of Art 16 starts here.
        operation: what happens to the record.
        event_id: a UUID; made by the publisher when empty.
        division: GB/T 2260 code of the subject; derived by the resource's rule when None.
        supersedes: the event id that a CORRECT mends.
    """

    data: Mapping[str, Any] = field(repr=False)
    business_time: datetime
    operation: Operation = Operation.UPDATE
    event_id: str = ""
    division: str | None = None
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a change stands: topic, partition, offset of its submission, index within (-1: the whole submission)."""

    topic: str
    partition: int
    offset: int
    index: int = -1


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one published change.

    Attributes:
        event_id: the change's id.
        refused: None when admitted, else the reason.
        position: where it was read; None when it was refused before it was sent.
        flags: what the publisher should mend, `field:what`; never a reason to refuse.
    """

    event_id: str
    refused: Refused | None = None
    position: Position | None = None
    flags: tuple[str, ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether the change is now part of the current record."""
        return self.refused is None

    @property
    def code(self) -> RefusalCode | None:
        """The refusal code, or None."""
        return self.refused.code if self.refused else None

    @property
    def reason(self) -> str | None:
        """The reason in English, or None."""
        return self.refused.reason_en if self.refused else None

    @property
    def article(self) -> str | None:
        """The article of the refusal, or None."""
        return self.refused.article if self.refused else None
