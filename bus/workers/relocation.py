"""How far each record partition has been relocated: `bus.relocation-progress`, read and written by relocate alone."""

import time
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from bus.settings import Settings
from bus.topics import RELOCATION, record_topic
from bus.wire.clients import Principal, consumer
from bus.wire.table import read_to_end
from processors.batch import Outgoing
from schemas.codec import unframe
from schemas.resource import envelope

_PREFIX = record_topic("")


@dataclass(frozen=True, slots=True)
class Progress:
    """One row of the table.

    Attributes:
        links_offset: links before this offset have been applied to what stood before the worker's position.
        token_key: id of the token keys that its records were moved to; empty when none were ever changed.
    """

    links_offset: int = 0
    token_key: str = ""


class RelocationBook:
    """Reads and words the progress table.

    Args:
        settings: where Kafka is.
        principal: relocate, or the operator who only reads.
        head: frame head of the progress topic.
    """

    def __init__(self, settings: Settings, principal: Principal, admin: AdminClient, head: bytes) -> None:
        self._settings = settings
        self._principal = principal
        self._admin = admin
        self._head = head

    def read(self) -> dict[tuple[str, int], Progress]:
        """Every row, by record topic and partition, with all transactions decided."""
        codec = envelope(RELOCATION.envelope or "")
        found: dict[tuple[str, int], Progress] = {}
        reader = consumer(
            self._settings, self._principal, f"{self._principal.name}.table", **{"enable.partition.eof": True}
        )
        try:
            places = [(RELOCATION.pattern, 0)]
            for message in read_to_end(reader, self._admin, places, self._settings.request_timeout_s):
                framed = unframe(message.value())
                if framed is not None:
                    row = codec.decode_physical(framed[1])
                    place = (record_topic(row["resource"]), row["partition"])
                    found[place] = Progress(row["links_offset"], row["token_key"])
        finally:
            reader.close()
        return found

    def marker(self, place: tuple[str, int], progress: Progress) -> Outgoing:
        """The message that records a row."""
        resource = place[0].removeprefix(_PREFIX)
        row = {
            "resource": resource,
            "partition": place[1],
            "links_offset": progress.links_offset,
            "token_key": progress.token_key,
            "written_at": time.time_ns() // 1_000_000,
        }
        value = self._head + envelope(RELOCATION.envelope or "").encode_physical(row)
        return {"key": f"{resource}/{place[1]}".encode(), "value": value, "partition": 0}
