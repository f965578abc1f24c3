"""`Publisher`: how an agency's program hands its changes to the bus and learns what became of them."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from bus.publishing.assemble import Prepared, Signer, check, prepare, sign, split, standing_review
from bus.publishing.words import SourceWords
from bus.settings import Settings, load
from bus.topics import change_topic
from bus.wire.clients import Principal, consumer, producer
from bus.wire.deadline import Deadline
from bus.wire.errors import unavailable
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from compliance.catalogue import local_date, schema_of
from compliance.models import CatalogueEntry
from processors.freshness.words import Declares, Key, quarter_number
from processors.reports import receipt_topic
from schemas.codec import unframe
from schemas.errors import BusError, KafkaUnavailableError, UsageError
from schemas.refusals import RefusalCode, Refused
from schemas.words import Change, Classification, Position, Receipt

_TURN_S = 0.01
_KINDS = ("agency", "catalogue", "review")


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


class Publisher:
    """Publishes an agency's changes: checks them, signs them, sends them in order, returns receipts.

    One background thread sends what has waited long enough and reads the receipts. Not more than
    `publisher_max_pending` changes are ever without a receipt: `publish` waits, so memory stays bounded.

    Args:
        agency: the agency's code; its certificates are under `<state_dir>/agencies/<agency>`.
        settings: as read from the environment when None.
        review_number: the secrecy review to cite; the standing one of the register when None.
        classification: anything but NON_SECRET is refused before a byte is written (Art 15).

    Raises:
        NotProvisionedError: certificates, topics or rights are missing.
        KafkaUnavailableError, RegistryUnavailableError: the bus cannot be reached.
    """

    def __init__(
        self,
        agency: str,
        *,
        settings: Settings | None = None,
        review_number: str | None = None,
        classification: Classification = Classification.NON_SECRET,
    ) -> None:
        self._agency = agency
        self._settings = settings or load()
        self._review_number = review_number
        self._classification = classification
        principal = Principal.agency(self._settings, agency)
        principal.require()
        self._signer = Signer(principal.folder)
        self._registry = Registry(self._settings, principal)
        self._feed = RegisterFeed(self._settings, principal, self._registry, _KINDS)
        self._feed.open()
        timeout_ms = int(self._settings.request_timeout_s * 1000)
        self._producer = producer(self._settings, principal, None, **{"message.timeout.ms": timeout_ms})
        self._words = SourceWords(self._settings, self._registry, self._feed.view, self._producer)
        self._reader = consumer(self._settings, principal, f"{agency}.publisher")
        self._follow_receipts()
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._queues: dict[tuple[str, int], _Queue] = {}
        self._sent: dict[str, list[_Pending]] = {}
        # A submission that admit could not read is answered by its place alone.
        self._places: dict[tuple[str, int, int], str] = {}
        self._pending = 0
        self._failed = 0
        self._closed = False
        self._error: BusError | None = None
        self._thread = threading.Thread(target=self._work, name="publisher", daemon=True)
        self._thread.start()

    def _follow_receipts(self) -> None:
        """Begin at the present end of the receipts, before the first submission is sent."""
        place = TopicPartition(receipt_topic(self._agency), 0)
        try:
            _, end = self._reader.get_watermark_offsets(place, self._settings.request_timeout_s)
        except KafkaException as error:
            raise unavailable("cannot read receipts", error) from None
        self._reader.assign([TopicPartition(place.topic, 0, end)])

    # -- the caller's side -------------------------------------------------------------------------------------

    def publish(self, resource: str, changes: Iterable[Change]) -> Publication:
        """Hand over changes of one resource; wrong ones come back refused at once, the rest is on its way.

        Args:
            resource: its code in the catalogue.
            changes: in the order in which they happened; a subject's order is kept.

        Raises:
            UsageError: the publisher is closed.
            DeadlineError: no room became free in time.
            KafkaUnavailableError, NotProvisionedError: sending has failed.
        """
        publication = Publication(self._settled)
        for change in changes:
            self._take(resource, change, publication)
        return publication

    def _take(self, resource: str, change: Change, publication: Publication) -> None:
        on = local_date(datetime.now(UTC))
        with self._lock:
            self._await_room()
            entry = self._feed.view.entry(resource)
            review = self._review_number or standing_review(self._feed.view, self._agency, resource, on)
            outcome = self._judge(entry, review, change, on)
            index = len(publication._receipts)  # noqa: SLF001  the two are one unit
            publication._receipts.append(None)  # noqa: SLF001  as above
            if isinstance(outcome, Refused):
                publication._receipts[index] = Receipt(change.event_id, outcome)  # noqa: SLF001  as above
                return
            assert entry is not None  # noqa: S101  judged
            assert review is not None  # noqa: S101  judged
            key = (resource, outcome.partition)
            queue = self._queues.get(key)
            if queue is not None and (queue.entry is not entry or queue.review != review):
                self._send(self._queues.pop(key))
                queue = None
            if queue is None:
                queue = self._queues[key] = _Queue(entry, review, time.monotonic())
            queue.waiting.append(_Pending(outcome, publication, index))
            self._pending += 1
            if len(queue.waiting) >= self._settings.publisher_batch_changes:
                self._send(self._queues.pop(key))

    def _judge(self, entry: CatalogueEntry | None, review: str | None, change: Change, on: date) -> Prepared | Refused:
        if self._classification is not Classification.NON_SECRET:
            return Refused(RefusalCode.E_STATE_SECRET, "", "classification")
        if entry is None:
            return Refused(RefusalCode.E_NOT_IN_CATALOGUE)
        if review is None:
            return Refused(RefusalCode.E_SECRECY_REVIEW, "the register has no standing review for it")
        refused = check(entry, change, on)
        prepared = refused if refused is not None else prepare(entry, change, on)
        if isinstance(prepared, Prepared) and prepared.encoded_bytes > self._most_bytes:
            return Refused(RefusalCode.E_SCHEMA, f"one change is larger than {self._most_bytes} bytes")
        return prepared

    @property
    def _most_bytes(self) -> int:
        """Room for changes in a submission, beside its own head."""
        return self._settings.submission_max_bytes - 1024

    def _await_room(self) -> None:
        if self._closed:
            raise UsageError("the publisher is closed")
        deadline = Deadline(self._settings.request_timeout_s, "room for another change (receipts are outstanding)")
        while self._pending >= self._settings.publisher_max_pending:
            self._raise()
            deadline.check()
            self._settled.wait(min(0.1, deadline.left + 0.001))
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def flush(self, timeout_s: float | None = None) -> None:
        """Send everything that waits, and return when the brokers have it; receipts may come later.

        Raises:
            KafkaUnavailableError: not all of it was acknowledged.
        """
        with self._lock:
            for key in list(self._queues):
                self._send(self._queues.pop(key))
        left = self._producer.flush(self._settings.request_timeout_s if timeout_s is None else timeout_s)
        with self._lock:
            self._raise()
        if left:
            raise KafkaUnavailableError(f"{left} submission(s) were not acknowledged in time")

    def heartbeat(self, resource: str, complete_until: datetime | None = None, *, group: str = "") -> None:
        """Say that the source of a resource is there, also where nothing changed (心跳, Art 16); call it in its period.

        Args:
            resource: its code in the catalogue.
            complete_until: everything that changed up to then was handed to `publish`; None says nothing of it.
            group: of this group of fields (字段组) alone; without it of the resource and all its groups.

        Raises:
            UsageError: the agency owes nothing of the resource or group, or the time has no zone or lies ahead.
            KafkaUnavailableError, NotProvisionedError: as `flush`; nothing is said before the changes are sent.
        """
        self._say()
        self._words.heartbeat(Key(self._agency, resource, group), complete_until, "publisher", datetime.now(UTC))

    def declare(self, resource: str, quarter: str, *, unchanged: bool = False, group: str = "") -> None:
        """Declare a quarter of static information (季度申报, decisions 28): all of it was handed to `publish`.

        Args:
            resource: its code in the catalogue.
            quarter: as 2026Q1, over; without `unchanged` the quarters before it are declared too.
            unchanged: nothing changed in this quarter.
            group: of this group of fields (字段组) alone; without it of the resource and all its groups.

        Raises:
            UsageError: nothing is owed for the quarter, or it is not over.
            KafkaUnavailableError, NotProvisionedError: as `flush`; nothing is declared before the changes are sent.
        """
        try:
            number = quarter_number(quarter)
        except ValueError as error:
            raise UsageError(f"the quarter {error}") from None
        self._say()
        says = Declares.NO_CHANGE if unchanged else Declares.HIGH_WATER
        self._words.declare(Key(self._agency, resource, group), number, says, datetime.now(UTC))

    def _say(self) -> None:
        if self._closed:
            raise UsageError("the publisher is closed")
        self.flush()

    def close(self) -> None:
        """Send what waits and end; errors as `flush`."""
        if self._closed:
            return
        try:
            self.flush()
        finally:
            self._closed = True
            self._thread.join(self._settings.stop_timeout_s)
            self._reader.close()
            self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- sending and settling ----------------------------------------------------------------------------------

    def _send(self, queue: _Queue) -> None:
        """Sign and send one queue's changes; called with the lock held."""
        topic = change_topic(self._agency, queue.entry.resource)
        head = self._registry.head(topic, schema_of(queue.entry).submission)
        by_change = {id(pending.prepared): pending for pending in queue.waiting}
        prepared = [pending.prepared for pending in queue.waiting]
        for group in split(prepared, self._settings.publisher_batch_changes, self._most_bytes):
            now = datetime.now(UTC)
            signed = sign(self._signer, self._agency, queue.entry, queue.review, head, group, now)
            self._sent[signed.submission_id] = [by_change[id(change)] for change in group]
            self._producer.produce(
                signed.topic,
                value=signed.value,
                partition=signed.partition,
                headers=signed.headers,  # type: ignore[arg-type]  # its list is declared invariant
                on_delivery=partial(self._delivered, signed.submission_id),
            )

    def _delivered(self, submission_id: str, error: KafkaError | None, message: Message) -> None:
        with self._lock:
            if error is None:
                if submission_id in self._sent:
                    place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
                    self._places[place] = submission_id
                return
            failure = unavailable("a submission could not be sent", KafkaException(error))
            for pending in self._sent.pop(submission_id, []):
                pending.publication._error = failure  # noqa: SLF001  the two are one unit
                self._pending -= 1
            self._error = failure
            self._settled.notify_all()

    def _work(self) -> None:
        try:
            while not self._closed:
                self._producer.poll(0)
                for message in self._reader.consume(500, _TURN_S):
                    if message.error() is None:
                        self._settle(message)
                with self._lock:
                    self._feed.poll()
                    old = time.monotonic() - self._settings.publisher_linger_ms / 1000
                    for key in [key for key, queue in self._queues.items() if queue.since <= old]:
                        self._send(self._queues.pop(key))
        except BusError as error:
            with self._lock:
                self._error = error
                self._settled.notify_all()

    def _settle(self, message: Message) -> None:
        """Match one receipt with what was sent."""
        framed = unframe(message.value())
        codec = self._registry.codec(framed[0]) if framed else None
        if framed is None or codec is None:
            return
        receipt = codec.decode(framed[1])
        if receipt["submission_id"] is None:
            # Its delivery report may still wait to be heard.
            self._producer.poll(0)
        with self._lock:
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
