"""What a new lead missed, read in one go beside Faust, which goes on from where that ends.

Faust takes a message through several queues and tasks; for days of pulses that is most of the work. So the lead asks
where each partition ends now, lets Faust go on from there, reads what lies before with a plain client in a thread of
its own, and holds back what Faust brings until that is folded: within a partition the order stays Kafka's.
"""

import threading
import time
from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from bus.settings import Settings
from bus.wire.clients import Principal, admin, consumer
from bus.wire.errors import passes, unavailable
from bus.wire.table import end_offsets
from processors.batch import InMessage
from schemas.errors import KafkaUnavailableError

Place = tuple[str, int]
_BATCH = 2_000
_WAIT_S = 0.5


class Backlog:
    """The messages of some partitions from their positions to the ends that they had when it was made.

    Args:
        settings: where Kafka is.
        principal: who reads.
        starts: by partition, the offset to begin with.
        observe: called with each message, in the order of its partition, from this thread alone.

    Raises:
        KafkaUnavailableError: the ends cannot be asked for.
    """

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        starts: Mapping[Place, int],
        observe: Callable[[InMessage], None],
    ) -> None:
        self._settings, self._principal, self._observe = settings, principal, observe
        ends = end_offsets(admin(settings, principal), list(starts), settings.request_timeout_s)
        self.ends: dict[Place, int] = {place: max(end, starts[place]) for place, end in ends.items()}
        """Where the reading ends, and somebody else goes on."""
        self._starts = {place: start for place, start in starts.items() if start < ends[place]}
        self.read = 0
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="freshness-backlog", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, whatever is left."""
        self._stop.set()

    @property
    def over(self) -> bool:
        """Whether its thread has ended; `error` says how."""
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            if self._starts:
                reader = consumer(
                    self._settings, self._principal, f"{self._principal.name}.table", **{"enable.partition.eof": True}
                )
                try:
                    self._read(reader)
                finally:
                    reader.close()
        except BaseException as error:  # noqa: BLE001  handed to the worker, which raises it
            self.error = error

    def _read(self, reader: Consumer) -> None:
        left = {place: self.ends[place] for place in self._starts}
        reader.assign([TopicPartition(topic, part, start) for (topic, part), start in self._starts.items()])
        # An open transaction keeps a reader waiting until the broker gives it up.
        patience = self._settings.request_timeout_s + self._settings.transaction_timeout_ms / 1000
        heard = time.monotonic()
        while left and not self._stop.is_set():
            for message in reader.consume(_BATCH, _WAIT_S):
                heard = time.monotonic()
                place = (message.topic() or "", message.partition() or 0)
                error, offset = message.error(), message.offset() or 0
                end = left.get(place)
                if error is None:
                    if end is None or offset >= end:
                        left.pop(place, None)
                        continue
                    self._observe(incoming(message))
                    self.read += 1
                    reached = offset + 1
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the client's documented name
                    reached = offset
                elif passes(error):
                    continue
                else:
                    raise unavailable(f"cannot read {place[0]}", KafkaException(error))
                if end is not None and reached >= end:
                    del left[place]
            if time.monotonic() - heard > patience:
                raise KafkaUnavailableError(f"nothing more came of {', '.join(topic for topic, _ in left)}")


def incoming(message: Message) -> InMessage:
    """A client's message as the desk takes it."""
    key, value = message.key(), message.value()
    return InMessage(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        key if isinstance(key, bytes) else None,
        value if isinstance(value, bytes) else None,
        {},
    )
