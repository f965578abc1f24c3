"""What every sink connector does: take rows and remember how far it has read, both or neither."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class SinkRow:
    """One delivered change.

    Attributes:
        key: the record's key, the same for all its versions.
        provenance: event id, owner, grant and the like.
        data: the granted fields; None when the record leaves.
    """

    key: bytes = field(repr=False)
    provenance: Mapping[str, Any]
    data: Mapping[str, Any] | None = field(repr=False)


class Sink(Protocol):
    """Keeps rows and positions together."""

    def positions(self) -> dict[Place, int]:
        """The next offset of every partition that was read so far."""

    def write(self, rows: Sequence[SinkRow], positions: Mapping[Place, int]) -> None:
        """Take rows in order and note the positions behind them, all or nothing.

        Raises:
            SourceError: the database cannot be written; nothing was.
        """

    def close(self) -> None:
        """Let the target go."""
