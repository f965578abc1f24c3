"""How far each record partition has been relocated: `bus.relocation-progress`, read and written by relocate alone."""

from dataclasses import asdict, dataclass

from bus.topics import RELOCATION, record_topic
from bus.workers.marks import MarkTable
from processors.batch import Outgoing

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


class RelocationBook(MarkTable):
    """Reads and words the progress table."""

    kind = RELOCATION

    def read(self) -> dict[tuple[str, int], Progress]:
        """Every row, by record topic and partition."""
        return {
            (record_topic(row["resource"]), row["partition"]): Progress(row["links_offset"], row["token_key"])
            for row in self.rows()
        }

    def marker(self, place: tuple[str, int], progress: Progress) -> Outgoing:
        """The message that records a row."""
        resource, partition = place[0].removeprefix(_PREFIX), place[1]
        row = {"resource": resource, "partition": partition, **asdict(progress)}
        return self.message(f"{resource}/{partition}", row)
