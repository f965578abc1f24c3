"""What a connector tells of what its source holds: counts and digests of event ids by key range (Art 10).

The source is read anew from its beginning to the committed cursor, a part at each turn of the worker, so neither does a
transaction at the source stay open nor do new rows wait. What was refused is left out and counted: it is not on the
bus. A digest goes out in a transaction of its own, as a heartbeat does (`bus/workers/signs.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bus.publishing.duty import heartbeat_due
from bus.settings import Settings
from bus.topics import digest_topic
from bus.wire.clients import Principal
from bus.wire.table import payloads
from bus.workers.signs import Framed
from compliance.catalogue import local_date
from connectors.source import Batch, Source, Stretch
from processors.batch import Outgoing
from processors.freshness.words import Key, millis
from processors.holding import Holding, digest_of
from processors.reports import refused_topic
from schemas.errors import SchemaError
from schemas.refusals import Refused
from schemas.resource import envelope
from schemas.words import Change, Operation

CanPublish = Callable[[Change, date], bool]
"""Whether a row goes to admit, or is refused by the connector itself."""


@dataclass(slots=True)
class _Scan:
    """A scan under way.

    Attributes:
        until: the cursor that was committed when it began; None where there was no row.
        refused_ids: digests of the event ids that admit refused, as known when it began.
        after: where the next part begins.
    """

    taken_at: int
    complete_until: int | None
    until: str | None
    refused_ids: frozenset[int]
    after: str | None = None
    ended: bool = False
    refused: int = 0
    holding: Holding = field(default_factory=Holding)


class Digests:
    """The digests of one connector.

    Args:
        settings: of the bus.
        principal: the agency.
        connector: its name.
        key: agency and resource.
        source: is read.
        can_publish: whether a row goes to admit.
        framed: makes a message.
        whole: whether the source holds all that the agency publishes of the resource; else nothing is told.
    """

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        connector: str,
        key: Key,
        source: Source,
        can_publish: CanPublish,
        framed: Framed,
        *,
        whole: bool,
    ) -> None:
        self._settings = settings
        self._principal = principal
        self._connector = connector
        self._key = key
        self._source = source
        self._can_publish = can_publish
        self._framed = framed
        self._every = int(settings.connector_digest_s * 1000) if whole else 0
        self._scan: _Scan | None = None
        # When the last digest was taken; None: it was not looked for yet.
        self._taken_at: int | None = None
        self._looked = False

    @property
    def busy(self) -> bool:
        """Whether a scan is under way, and the worker should not wait."""
        return self._scan is not None

    def due(self, batch: Batch, refused_from: int, now: datetime) -> dict[str, Sequence[Outgoing]]:
        """One part of a scan, where one is due or under way; the digest once it is at its end, else nothing.

        A scan begins behind a look that found the source's end: what is still to be published would only make noise.

        Args:
            batch: the look, whose rows are committed.
            refused_from: the first offset of `refused.<agency>` that counts: what was refused before it has been
                submitted again since.
            now: the source's clock.

        Raises:
            KafkaUnavailableError, DeadlineError: what was told or refused before cannot be read.
            SourceError: the source cannot be read as configured.
        """
        at = millis(now)
        if self._scan is None:
            if not self._every or len(batch.rows) >= self._settings.connector_batch_rows:
                return {}
            if not self._looked:
                self._taken_at, self._looked = self._last_told(), True
            if not heartbeat_due(self._taken_at, at, self._every):
                return {}
            complete_until = None if batch.complete_until is None else millis(batch.complete_until)
            self._scan = _Scan(at, complete_until, batch.cursor, self._refused_ids(refused_from))
        scan = self._scan
        if not scan.ended:
            self._read_on(scan, local_date(now))
        return {digest_topic(self._key.agency): [self._digest(scan)]} if scan.ended else {}

    def committed(self) -> None:
        """What `due` answered last is visible."""
        if self._scan is not None and self._scan.ended:
            self._taken_at, self._scan = self._scan.taken_at, None

    def _read_on(self, scan: _Scan, on: date) -> None:
        limit = self._settings.connector_batch_rows
        found = Stretch((), None) if scan.until is None else self._source.scan(scan.after, scan.until, limit)
        for row in found.rows:
            if (
                isinstance(row, Refused)
                or not self._can_publish(row, on)
                or digest_of(row.event_id) in scan.refused_ids
            ):
                scan.refused += 1
            elif row.operation is not Operation.WITHDRAW:
                # What was withdrawn is on the bus no more.
                scan.holding.add(row.event_id)
        scan.after, scan.ended = found.cursor, found.cursor is None

    def _last_told(self) -> int | None:
        """When this connector took its last digest, whichever run of it that was."""
        found = None
        codec = envelope("digest")
        for _, payload in payloads(self._settings, self._principal, digest_topic(self._key.agency)):
            try:
                datum = codec.decode_physical(payload)
            except SchemaError:
                continue
            if (datum["connector"], datum["resource"]) == (self._connector, self._key.resource):
                found = int(datum["taken_at"])
        return found

    def _refused_ids(self, refused_from: int) -> frozenset[int]:
        """Of the changes that admit refused and still stand on the topic; as digests, which take less room."""
        found = set()
        codec = envelope("refusal")
        for message, payload in payloads(self._settings, self._principal, refused_topic(self._key.agency)):
            if (message.offset() or 0) < refused_from:
                continue
            try:
                datum = codec.decode_physical(payload)
            except SchemaError:
                continue
            if datum["resource"] == self._key.resource and datum["event_id"] is not None:
                found.add(digest_of(datum["event_id"]))
        return frozenset(found)

    def _digest(self, scan: _Scan) -> Outgoing:
        key = self._key
        datum: dict[str, Any] = {
            "agency": key.agency,
            "resource": key.resource,
            "connector": self._connector,
            "taken_at": scan.taken_at,
            "complete_until": scan.complete_until,
            "refused": scan.refused,
            "ranges": [
                {"range": number, "count": count, "digest": digest} for number, count, digest in scan.holding.ranges()
            ],
        }
        return self._framed(digest_topic(key.agency), "digest", str(key), datum)
