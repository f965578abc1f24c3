"""`Publisher`: how an agency's program hands its changes to the bus and learns what became of them."""

import threading
from collections.abc import Iterable
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException, TopicPartition

from bus.publishing.assemble import Prepared, Signer, check, prepare, standing_review
from bus.publishing.flight import Flight, Publication
from bus.publishing.words import SourceWords
from bus.settings import Settings, load
from bus.wire.clients import Principal, consumer, producer
from bus.wire.errors import unavailable
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from compliance.catalogue import local_date
from compliance.models import CatalogueEntry
from processors.freshness.words import Declares, Key, quarter_number
from processors.reports import receipt_topic
from schemas.errors import BusError, KafkaUnavailableError, UsageError
from schemas.refusals import RefusalCode, Refused
from schemas.words import Change, Classification

_TURN_S = 0.01
_KINDS = ("agency", "catalogue", "review")


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
        signer = Signer(principal.folder)
        self._registry = Registry(self._settings, principal)
        self._feed = RegisterFeed(self._settings, principal, self._registry, _KINDS)
        self._feed.open()
        timeout_ms = int(self._settings.request_timeout_s * 1000)
        self._producer = producer(self._settings, principal, None, **{"message.timeout.ms": timeout_ms})
        self._words = SourceWords(self._settings, self._registry, self._feed.view, self._producer)
        self._reader = consumer(self._settings, principal, f"{agency}.publisher")
        self._follow_receipts()
        self._flight = Flight(agency, self._settings, signer, self._registry, self._producer)
        self._closed = False
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
            UsageError: the publisher is closed, or something else than a Change was handed over.
            DeadlineError: no room became free in time.
            KafkaUnavailableError, NotProvisionedError: sending has failed.
        """
        publication = self._flight.publication()
        for change in changes:
            if not isinstance(change, Change):
                raise UsageError(f"what is published is a Change, not a {type(change).__name__}")
            self._take(resource, change, publication)
        return publication

    def _take(self, resource: str, change: Change, publication: Publication) -> None:
        on = local_date(datetime.now(UTC))
        # The register stands still from the judgement on until the change waits under what it was judged by.
        with self._flight.lock:
            if self._closed:
                raise UsageError("the publisher is closed")
            self._flight.await_room()
            entry = self._feed.view.entry(resource)
            review = self._review_number or standing_review(self._feed.view, self._agency, resource, on)
            outcome = self._judge(entry, review, change, on)
            if isinstance(outcome, Refused):
                self._flight.answer(publication, change.event_id, outcome)
                return
            assert entry is not None  # noqa: S101  judged
            assert review is not None  # noqa: S101  judged
            self._flight.take(publication, outcome, entry, review)

    def _judge(self, entry: CatalogueEntry | None, review: str | None, change: Change, on: date) -> Prepared | Refused:
        if self._classification is not Classification.NON_SECRET:
            return Refused(RefusalCode.E_STATE_SECRET, "", "classification")
        if entry is None:
            return Refused(RefusalCode.E_NOT_IN_CATALOGUE)
        if review is None:
            return Refused(RefusalCode.E_SECRECY_REVIEW, "the register has no standing review for it")
        refused = check(entry, change, on)
        prepared = refused if refused is not None else prepare(entry, change, on)
        if isinstance(prepared, Prepared) and prepared.encoded_bytes > self._flight.most_bytes:
            return Refused(RefusalCode.E_SCHEMA, f"one change is larger than {self._flight.most_bytes} bytes")
        return prepared

    def flush(self, timeout_s: float | None = None) -> None:
        """Send everything that waits, and return when the brokers have it; receipts may come later.

        Raises:
            KafkaUnavailableError: not all of it was acknowledged.
        """
        self._flight.send()
        left = self._producer.flush(self._settings.request_timeout_s if timeout_s is None else timeout_s)
        self._flight.check()
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
            number = quarter_number(str(quarter))
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
            self._flight.abandon(UsageError("the publisher was closed before these receipts came: ask before that"))
            self._reader.close()
            self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- the thread's side -------------------------------------------------------------------------------------

    def _work(self) -> None:
        linger_s = self._settings.publisher_linger_ms / 1000
        try:
            while not self._closed:
                self._producer.poll(0)
                for message in self._reader.consume(500, _TURN_S):
                    if message.error() is None:
                        self._flight.settle(message)
                with self._flight.lock:
                    self._feed.poll()
                    self._flight.send(linger_s=linger_s)
        except BusError as error:
            self._end(error)
        except Exception as error:  # noqa: BLE001  whatever it was, who waits for receipts must hear of it
            self._end(BusError(f"the publisher cannot go on ({type(error).__name__}): make a new one"))

    def _end(self, error: BusError) -> None:
        self._flight.fail(error)
        self._flight.abandon(error)
