"""Where each grant stands on each record partition, kept on `bus.delivery-progress` in the deliveries' transactions.

States: STATE (the current state is being copied), CATCHING_UP (copying what came since), LIVE (the live worker
delivers), STOPPED (the grant ended or is suspended; nothing leaves). A grant without an entry has not begun.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from bus.topics import PROGRESS
from bus.wire.table import read_to_end
from bus.workers.marks import MarkTable
from processors.batch import Outgoing
from processors.deliver import Members
from processors.projection import GrantPlan


class Stand(StrEnum):
    """The states of a grant on one partition."""

    STATE = "STATE"
    CATCHING_UP = "CATCHING_UP"
    LIVE = "LIVE"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of the table.

    Attributes:
        position: next offset of the record partition that this grant has not had.
        snapshot_end: the current state was taken as of this offset.
        live_since: since when it is LIVE, milliseconds since the epoch; the row says it by when it was written.
    """

    grant: str
    resource: str
    partition: int
    state: Stand
    position: int
    snapshot_end: int = 0
    live_since: int = 0

    def moved(self, state: Stand, position: int, at_ms: int = 0) -> "Standing":
        """The same grant, further on; where it becomes LIVE, since when."""
        return replace(self, state=state, position=position, live_since=at_ms)


class ProgressBook(MarkTable):
    """Reads and words the progress table."""

    kind = PROGRESS

    def read(self) -> dict[tuple[str, int], Standing]:
        """Every standing, by (grant, partition), with all transactions decided."""
        return {
            (row["grant"], row["partition"]): Standing(
                row["grant"],
                row["resource"],
                row["partition"],
                Stand(row["state"]),
                row["position"],
                row["snapshot_end"],
                row["written_at"] if row["state"] == Stand.LIVE else 0,
            )
            for row in self.rows()
        }

    def members(self, plan: GrantPlan, partition: int) -> Members:
        """What the subscriber of a row-scoped grant now holds on one partition, read from its delivery topic."""
        held: set[bytes] = set()
        reader = self.reader()
        try:
            places = [(plan.topic, partition)]
            for message in read_to_end(reader, self._admin, places, self._settings.request_timeout_s):
                key = message.key()
                if not isinstance(key, bytes):
                    continue
                if message.value() is None:
                    held.discard(key)
                else:
                    held.add(key)
        finally:
            reader.close()
        return Members(held)

    def marker(self, standing: Standing) -> Outgoing:
        """The message that records a standing."""
        row = asdict(standing)
        del row["live_since"]
        return self.message(f"{standing.grant}/{standing.partition}", row)

    def markers(self, standings: Iterable[Standing]) -> dict[str, list[Outgoing]]:
        """Markers as a transaction takes them."""
        found = [self.marker(standing) for standing in standings]
        return {PROGRESS.pattern: found} if found else {}
