"""Where each grant stands on each record partition, kept on `bus.delivery-progress` in the deliveries' transactions.

States: STATE (the current state is being copied), CATCHING_UP (copying what came since), LIVE (the live worker
delivers), STOPPED (the grant ended or is suspended; nothing leaves). A grant without an entry has not begun.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from bus.settings import Settings
from bus.topics import PROGRESS
from bus.wire.clients import Principal, consumer
from bus.wire.table import read_to_end
from processors.batch import Outgoing
from processors.deliver import Members
from processors.projection import GrantPlan
from schemas.codec import unframe
from schemas.resource import envelope


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
    """

    grant: str
    resource: str
    partition: int
    state: Stand
    position: int
    snapshot_end: int = 0

    def moved(self, state: Stand, position: int) -> "Standing":
        """The same grant, further on."""
        return replace(self, state=state, position=position)


class ProgressBook:
    """Reads and words the progress table.

    Args:
        settings: where Kafka is.
        principal: deliver, or the operator who only reads.
        head: frame head of the progress topic.
    """

    def __init__(self, settings: Settings, principal: Principal, admin: AdminClient, head: bytes) -> None:
        self._settings = settings
        self._principal = principal
        self._admin = admin
        self._head = head

    def read(self) -> dict[tuple[str, int], Standing]:
        """Every standing, by (grant, partition), with all transactions decided."""
        codec = envelope(PROGRESS.envelope or "")
        table: dict[tuple[str, int], Standing] = {}
        reader = self._reader()
        try:
            for message in read_to_end(reader, self._admin, [(PROGRESS.pattern, 0)], self._settings.request_timeout_s):
                framed = unframe(message.value())
                if framed is not None:
                    row = codec.decode(framed[1])
                    state = Stand(row["state"])
                    table[row["grant"], row["partition"]] = Standing(
                        row["grant"], row["resource"], row["partition"], state, row["position"], row["snapshot_end"]
                    )
        finally:
            reader.close()
        return table

    def members(self, plan: GrantPlan, partition: int) -> Members:
        """What the subscriber of a row-scoped grant now holds on one partition, read from its delivery topic."""
        held: set[bytes] = set()
        reader = self._reader()
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
        row = {
            "grant": standing.grant,
            "resource": standing.resource,
            "partition": standing.partition,
            "state": standing.state.value,
            "position": standing.position,
            "snapshot_end": standing.snapshot_end,
            "written_at": time.time_ns() // 1_000_000,
        }
        value = self._head + envelope(PROGRESS.envelope or "").encode_physical(row)
        return {"key": f"{standing.grant}/{standing.partition}".encode(), "value": value, "partition": 0}

    def markers(self, standings: Iterable[Standing]) -> dict[str, list[Outgoing]]:
        """Markers as a transaction takes them."""
        found = [self.marker(standing) for standing in standings]
        return {PROGRESS.pattern: found} if found else {}

    def _reader(self) -> Consumer:
        return consumer(
            self._settings, self._principal, f"{self._principal.name}.table", **{"enable.partition.eof": True}
        )
