"""What every source connector answers: rows after a cursor, as changes or as reasons why they are none."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.refusals import Refused
from schemas.words import Change


@dataclass(frozen=True, slots=True)
class Batch:
    """What one look at a source found.

    Attributes:
        rows: in the source's order; a row that cannot be a change is a `Refused`, never left out.
        cursor: where the next look begins; unchanged when there was nothing.
        complete_until: every row that changed up to then stands in this batch or before it; None where the look did
            not find the end, or the source cannot tell.
        unchanged_since: nothing changed between the two times, `datetime.min` where nothing ever did; None where that
            is not known.
    """

    rows: tuple[Change | Refused, ...]
    cursor: str | None
    complete_until: datetime | None = None
    unchanged_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of what a source holds.

    Attributes:
        rows: as in a `Batch`.
        cursor: where the next part begins; None behind the last.
    """

    rows: tuple[Change | Refused, ...]
    cursor: str | None


class Source(Protocol):
    """A source that can be read again from any cursor it gave."""

    def read(self, cursor: str | None, limit: int, now: datetime) -> Batch:
        """The next rows after a cursor.

        Args:
            cursor: as an earlier batch gave it; None for the beginning.
            limit: rows at the most.
            now: aware; rows younger than the source's settling time are left for later.

        Raises:
            SourceError: the source cannot be read as configured.
        """

    def scan(self, after: str | None, until: str, limit: int) -> Stretch:
        """What the source holds now of the rows between two cursors, a part at a time; nothing stays open meanwhile.

        A row that changes during the scan moves behind `until`, and may be missed or be read as it was before.

        Args:
            after: as an earlier part gave it; None for the beginning.
            until: the last row, as a batch gave it.
            limit: rows at the most.

        Raises:
            SourceError: the source cannot be read as configured.
        """

    def close(self) -> None:
        """Let the source go."""
