"""Under which generation of its group a reader holds its partitions (KIP-447)."""

from confluent_kafka import Consumer


class Membership:
    """The group's metadata as they were when the reader got the partitions that it holds now.

    A transaction that sends offsets with them is fenced as soon as the group went on without this reader. Metadata that
    are asked for at commit would be those of the present: of a generation in which the partitions may be another's.

    Args:
        reader: a member of a group, or about to be.
    """

    def __init__(self, reader: Consumer) -> None:
        self.reader = reader
        self._metadata: object = None

    @property
    def metadata(self) -> object:
        """What `send_offsets_to_transaction` takes; of a reader that got nothing yet, the present ones."""
        return self._metadata if self._metadata is not None else self.reader.consumer_group_metadata()

    def took_over(self) -> None:
        """Partitions came: called where the reader tells it."""
        self._metadata = self.reader.consumer_group_metadata()
