"""What a publisher has handed over and nobody has answered yet: from its queue by its submission to its receipt."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from bus.publishing.assemble import Prepared, Signer, sign, split
from bus.settings import Settings
from bus.topics import change_topic
from bus.wire.deadline import Deadline
from bus.wire.errors import unavailable
from bus.wire.handover import hand_over
from bus.wire.registry import Registry
from compliance.catalogue import schema_of
from compliance.models import CatalogueEntry
from schemas.codec import unframe
from schemas.errors import BusError
from schemas.refusals import RefusalCode, Refused
from schemas.words import Position, Receipt


class Publication:
    """What one `publish` call became; its receipts come in the order of the changes."""

    def __init__(self, settled: threading.Condition) -> None:
        self._settled = settled
        self._receipts: list[Receipt | None] = []
        self._error: BusError | None = None

    def receipts(self, timeout_s: float = 30.0) -> list[Receipt]:
        """The receipt of every change, once admit has answered for all of them.

        Raises:
            DeadlineError: some are not answered in time; they may still be.
            KafkaUnavailableError: some could not be sent.
            UsageError: the publisher was closed meanwhile.
        """
        deadline = Deadline(timeout_s, "the receipt of every change")
        with self._settled:
            while any(receipt is None for receipt in self._receipts):
                if self._error is not None:
                    raise self._error
                deadline.check()
                self._settled.wait(min(0.5, deadline.left + 0.001))
            return [receipt for receipt in self._receipts if receipt is not None]

    @property
    def admitted(self) -> int:
        """How many are admitted so far."""
        return sum(receipt is not None and receipt.admitted for receipt in self._receipts)

    @property
    def refused(self) -> list[Receipt]:
        """The refused ones so far, with code, reason and article."""
        return [receipt for receipt in self._receipts if receipt is not None and not receipt.admitted]


@dataclass(slots=True)
class _Pending:
    """One change on its way: where its receipt belongs."""

    prepared: Prepared
    publication: Publication
    index: int


@dataclass(slots=True)
class _Queue:
    """Changes of one resource and partition that wait for their submission to fill."""

    entry: CatalogueEntry
    review: str
    since: float
    waiting: list[_Pending] = field(default_factory=list)


class Flight:
    """The queues of one publisher, the submissions that it sent, and the receipts that they wait for.

    Args:
        agency: whose submissions they are.
        settings: bounds of a submission, and of what may be without a receipt.
        signer: signs for the agency.
        registry: schema ids and texts.
        sender: under the agency's certificate; its delivery reports are heard by whoever polls it.

    Attributes:
        lock: held by each call; hold it where several must see the same.
        most_bytes: room for changes in a submission, beside its own head.
    """

    def __init__(self, agency: str, settings: Settings, signer: Signer, registry: Registry, sender: Producer) -> None:
        self._agency, self._settings = agency, settings
        self._signer, self._registry, self._sender = signer, registry, sender
        self.lock = threading.RLock()
        self.most_bytes = settings.submission_max_bytes - 1024
        self._settled = threading.Condition(self.lock)
        self._queues: dict[tuple[str, int], _Queue] = {}
        self._sent: dict[str, list[_Pending]] = {}
        # A submission that admit could not read is answered by its place alone.
        self._places: dict[tuple[str, int, int], str] = {}
        self._pending = 0
        self._error: BusError | None = None

    # -- what comes in -----------------------------------------------------------------------------------------

    def publication(self) -> Publication:
        """What one more `publish` call will become."""
        return Publication(self._settled)

    def await_room(self) -> None:
        """Wait until another change may be without a receipt; who holds the lock lets it go meanwhile.

        Raises:
            DeadlineError: no room became free in time.
            BusError: as `check`.
        """
        with self.lock:
            deadline = Deadline(self._settings.request_timeout_s, "room for another change (receipts are outstanding)")
            while self._pending >= self._settings.publisher_max_pending:
                self.check()
                deadline.check()
                self._settled.wait(min(0.1, deadline.left + 0.001))
            self.check()

    def answer(self, publication: Publication, event_id: str, refused: Refused) -> None:
        """Refuse a change at once, in its turn among the publication's receipts."""
        with self.lock:
            publication._receipts.append(Receipt(event_id, refused))  # noqa: SLF001  the two are one unit

    def take(self, publication: Publication, prepared: Prepared, entry: CatalogueEntry, review: str) -> None:
        """Let a change wait for its submission, and send that where it is full."""
        with self.lock:
            key = (entry.resource, prepared.partition)
            queue = self._queues.get(key)
            if queue is not None and (queue.entry is not entry or queue.review != review):
                self._send(key)
                queue = None
            if queue is None:
                queue = self._queues[key] = _Queue(entry, review, time.monotonic())
            index = len(publication._receipts)  # noqa: SLF001  the two are one unit
            publication._receipts.append(None)  # noqa: SLF001  as above
            queue.waiting.append(_Pending(prepared, publication, index))
            self._pending += 1
            if len(queue.waiting) >= self._settings.publisher_batch_changes:
                self._send(key)

    # -- what goes out -----------------------------------------------------------------------------------------

    def send(self, *, linger_s: float = 0.0) -> None:
        """Send what has waited for so long, without it everything."""
        with self.lock:
            old = time.monotonic() - linger_s
            for key in [key for key, queue in self._queues.items() if queue.since <= old]:
                self._send(key)

    def _send(self, key: tuple[str, int]) -> None:
        """Sign and send one queue's changes; called with the lock held.

        What could not be handed over stays in the queue: it goes with the next attempt, or its publications are told.
        """
        queue = self._queues[key]
        topic = change_topic(self._agency, queue.entry.resource)
        head = self._registry.head(topic, schema_of(queue.entry).submission)
        prepared = [pending.prepared for pending in queue.waiting]
        for group in split(prepared, self._settings.publisher_batch_changes, self.most_bytes):
            now = datetime.now(UTC)
            signed = sign(self._signer, self._agency, queue.entry, queue.review, head, group, now)
            deadline = Deadline(self._settings.request_timeout_s, "room for another submission")
            told = partial(self._delivered, signed.submission_id)
            message = {"value": signed.value, "partition": signed.partition, "headers": signed.headers}
            hand_over(self._sender, signed.topic, {**message, "on_delivery": told}, deadline)
            # Whoever hears of it meanwhile waits for the lock.
            self._sent[signed.submission_id] = queue.waiting[: len(group)]
            del queue.waiting[: len(group)]
        del self._queues[key]

    def _delivered(self, submission_id: str, error: KafkaError | None, message: Message) -> None:
        with self.lock:
            if error is None:
                if submission_id in self._sent:
                    place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
                    self._places[place] = submission_id
                return
            failure = unavailable("a submission could not be sent", KafkaException(error))
            for pending in self._sent.pop(submission_id, []):
                pending.publication._error = failure  # noqa: SLF001  the two are one unit
                self._pending -= 1
            self.fail(failure)

    # -- what came of it ---------------------------------------------------------------------------------------

    def settle(self, message: Message) -> None:
        """Match one receipt with what was sent."""
        framed = unframe(message.value())
        codec = self._registry.codec(framed[0]) if framed else None
        if framed is None or codec is None:
            return
        receipt = codec.decode(framed[1])
        if receipt["submission_id"] is None:
            # Its delivery report may still wait to be heard.
            self._sender.poll(0)
        with self.lock:
            place = (receipt["topic"], receipt["partition"], receipt["offset"])
            submission_id = self._places.pop(place, receipt["submission_id"])
            waiting = self._sent.pop(submission_id or "", [])
            refused = {change["index"]: change for change in receipt["refused"]}
            for index, pending in enumerate(waiting):
                # -1: the whole submission was refused.
                reason = refused.get(index) or refused.get(-1)
                position = Position(receipt["topic"], receipt["partition"], receipt["offset"], index)
                found = Refused(RefusalCode(reason["code"]), reason["detail"], reason["field"]) if reason else None
                pending.publication._receipts[pending.index] = Receipt(  # noqa: SLF001  the two are one unit
                    pending.prepared.event_id, found, position, pending.prepared.flags
                )
            self._pending -= len(waiting)
            self._settled.notify_all()

    def fail(self, error: BusError) -> None:
        """Nothing can be sent or answered any more; whoever waits is told."""
        with self.lock:
            self._error = error
            self._settled.notify_all()

    def abandon(self, error: BusError) -> None:
        """No receipt will be read any more; whoever waits for one is told."""
        with self.lock:
            queued = (queue.waiting for queue in self._queues.values())
            for pending in chain.from_iterable((*self._sent.values(), *queued)):
                pending.publication._error = error  # noqa: SLF001  the two are one unit
            self._settled.notify_all()

    def check(self) -> None:
        """That nothing has failed.

        Raises:
            BusError: the latest failure.
        """
        with self.lock:
            if self._error is not None:
                raise self._error
