"""The connector worker: a source's rows into signed submissions, exactly once.

1. read the cursor, at the stable end of `cursor.<agency>`, after a predecessor has been fenced
2. read rows after it
3. assemble and sign
4. begin the transaction
5. produce submissions, refusals of rows that are none, and the new cursor
6. (a source has no group offsets)
7. commit
8. count

Killed at any point, the next run reads the cursor that was committed with the rows before it: none is lost, none
comes twice. What is to be said of the source itself follows in transactions of their own (`bus/workers/signs.py`,
`bus/workers/digests.py`).
"""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool

from bus.keys.store import digest_key
from bus.metrics import Metrics
from bus.publishing.assemble import Prepared, Signer, prepare, sign, split, standing_review
from bus.settings import Settings
from bus.topics import CURSOR, change_topic, cursor_topic
from bus.wire import transaction as steps
from bus.wire.clients import OnStep, Principal, admin, no_step
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.wire.table import end_offsets, read_payloads
from bus.wire.transaction import AbortedError, Transactions
from bus.workers.digests import Digests
from bus.workers.files import read_file
from bus.workers.health import Health
from bus.workers.signs import Signs
from compliance.catalogue import local_date, schema_of
from compliance.models import CatalogueEntry
from compliance.values import AgencyCode, GrantId, ResourceCode
from connectors.naming import VersionNames
from connectors.source import Batch
from connectors.table import TableConfig, TableSource
from processors.batch import Outgoing
from processors.freshness.words import Key
from processors.reports import refusal_datum, refused_topic
from schemas.errors import NotProvisionedError
from schemas.refusals import RefusalCode, Refused
from schemas.resource import envelope
from schemas.words import Change

_KINDS = ("agency", "catalogue", "review")


class ConnectorConfig(BaseModel):
    """A connector file: who publishes which resource from which table.

    Attributes:
        whole: whether the table holds all that the agency publishes of the resource; where it does not, the connector
            says nothing of completeness, declares nothing and tells nothing of what it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: GrantId
    agency: AgencyCode
    resource: ResourceCode
    whole: StrictBool = True
    source: TableConfig


def read_config(path: Path) -> ConnectorConfig:
    """Read a connector file (YAML).

    Raises:
        SourceError: naming each wrong key, never a value.
    """
    return read_file(path, ConnectorConfig)


class ConnectorWorker:
    """Runs one connector until stopped.

    Args:
        settings: of the bus.
        config: of the connector.
        on_step: called with each step's number; a fault test kills here.

    Raises:
        NotProvisionedError, KafkaUnavailableError, RegistryUnavailableError, SourceError, KeyStoreError: it cannot
            start now.
    """

    def __init__(self, settings: Settings, config: ConnectorConfig, on_step: OnStep = no_step) -> None:
        self._settings = settings
        self._config = config
        self._on_step = on_step
        self._principal = Principal.agency(settings, config.agency)
        self._registry = Registry(settings, self._principal)
        self._feed = RegisterFeed(settings, self._principal, self._registry, _KINDS)
        self._feed.open()
        self._signer = Signer(self._principal.folder)
        entry = self._feed.view.entry(config.resource)
        if entry is None:
            raise NotProvisionedError(f"the catalogue has no entry {config.resource}")
        source = config.source
        if "settle_ms" not in source.model_fields_set:
            source = source.model_copy(update={"settle_ms": settings.connector_settle_ms})
        key = Key(config.agency, config.resource)
        names = VersionNames(digest_key(self._principal.folder), key.agency, key.resource)
        self._source = TableSource(source, schema_of(entry), names)
        transactional_id = f"{config.agency}.{config.name}"
        self._transactions = Transactions(settings, self._principal, transactional_id, on_step)
        self._signs = Signs(
            settings,
            self._principal,
            config.name,
            key,
            self._feed.view,
            self._framed,
            whole=config.whole,
        )
        self._digests = Digests(
            settings,
            self._principal,
            config.name,
            key,
            self._source,
            self._can_publish,
            self._framed,
            whole=config.whole,
        )
        self._stop = threading.Event()
        self._rows = 0
        self._refused_from: int | None = None
        # What a submission holds besides its changes needs a little room.
        self._most_bytes = settings.submission_max_bytes - 1024
        self.metrics, self.health = Metrics("connector"), Health()

    def stop(self) -> None:
        """End after the current batch."""
        self._stop.set()

    def run(self) -> None:
        """Run until stopped."""
        self._transactions.start()
        self._on_step(steps.READ_REGISTER)
        cursor = self._read_cursor()
        self.metrics.begin_at_zero(self._feed.view)
        self.health.ready = True
        try:
            while not self._stop.is_set():
                self.health.turned()
                self._feed.poll()
                if self._transactions.renew():
                    # Another run may have been here between: it was fenced just now, and its cursor stands.
                    cursor = self._read_cursor()
                self._on_step(steps.CONSUME)
                batch = self._source.read(cursor, self._settings.connector_batch_rows, datetime.now(UTC))
                try:
                    if batch.rows:
                        self._publish(batch)
                        cursor = batch.cursor
                    self._speak(batch)
                    self._tell_digest(batch)
                except AbortedError:
                    self.metrics.counter("bus_transaction_aborts_total").labels("connector").inc()
                    continue
                if not batch.rows and not self._digests.busy:
                    self._stop.wait(min(self._settings.connector_poll_ms / 1000, self._settings.connector_heartbeat_s))
        finally:
            self._source.close()
            self._feed.close()

    def _publish(self, batch: Batch) -> None:
        """A batch's rows and the cursor behind them, in one transaction."""
        self._on_step(steps.PROCESS)
        self._transactions.run(self._assemble(batch), {}, None)
        self._rows += len(batch.rows)
        self.metrics.counter("bus_transactions_total").labels("connector").inc()
        published = sum(not isinstance(row, Refused) for row in batch.rows)
        labels = (self._config.agency, self._config.resource)
        self.metrics.counter("bus_published_total").labels(*labels).inc(published)

    def _speak(self, batch: Batch) -> None:
        """What is due to be said of the source, once what was read is committed."""
        outgoing = self._signs.due(batch, datetime.now(UTC))
        if outgoing:
            self._transactions.run(outgoing, {}, None)
            self._signs.committed()
            self.metrics.counter("bus_transactions_total").labels("connector").inc()

    def _tell_digest(self, batch: Batch) -> None:
        """Once a day what the source holds, a part of it read at each turn, so that new rows do not wait for it."""
        outgoing = self._digests.due(batch, self._refused_from or 0, datetime.now(UTC))
        if outgoing:
            self._transactions.run(outgoing, {}, None)
            self._digests.committed()
            self.metrics.counter("bus_transactions_total").labels("connector").inc()

    def _read_cursor(self) -> str | None:
        """The cursor that was committed last; None when this connector has never run."""
        found = None
        for message, payload in read_payloads(self._settings, self._principal, cursor_topic(self._config.agency)):
            if message.key() == self._config.name.encode():
                row = envelope(CURSOR.envelope or "").decode(payload)
                found, self._rows = row["cursor"], row["rows"]
                self._refused_from = row["refused_from"]
        if found is None:
            # Every row is submitted from here on: what was refused of it before says nothing any more.
            place, timeout_s = (refused_topic(self._config.agency), 0), self._settings.request_timeout_s
            self._refused_from = end_offsets(admin(self._settings, self._principal), [place], timeout_s)[place]
        return found

    def _assemble(self, batch: Batch) -> dict[str, Sequence[Outgoing]]:
        config, view, now = self._config, self._feed.view, datetime.now(UTC)
        on = local_date(now)
        entry = view.entry(config.resource)
        review = standing_review(view, config.agency, config.resource, on)
        if entry is None or review is None:
            raise NotProvisionedError(
                f"{config.agency} has no catalogue entry or standing review for {config.resource}"
            )
        prepared: dict[int, list[Prepared]] = {}
        refusals: list[Outgoing] = []
        for index, row in enumerate(batch.rows):
            found = row if isinstance(row, Refused) else self._prepare(entry, row, on)
            if isinstance(found, Refused):
                refusals.append(self._refusal(found, self._rows + index, now))
            else:
                prepared.setdefault(found.partition, []).append(found)
        outgoing: dict[str, Sequence[Outgoing]] = {
            change_topic(config.agency, config.resource): self._submissions(entry, review, prepared, now),
            cursor_topic(config.agency): [self._cursor(batch, now)],
        }
        if refusals:
            outgoing[refused_topic(config.agency)] = refusals
        return outgoing

    def _prepare(self, entry: CatalogueEntry, change: Change, on: date) -> Prepared | Refused:
        found = prepare(entry, change, on)
        if isinstance(found, Prepared) and found.encoded_bytes > self._most_bytes:
            # Alone it would be more than a submission may be; sent all the same, it would stop the source for good.
            return Refused(RefusalCode.E_SCHEMA, f"the change is larger than {self._most_bytes} bytes")
        return found

    def _can_publish(self, change: Change, on: date) -> bool:
        """Whether the row goes, or went, to admit, and is not refused here already."""
        entry = self._feed.view.entry(self._config.resource)
        return entry is not None and isinstance(self._prepare(entry, change, on), Prepared)

    def _submissions(
        self, entry: CatalogueEntry, review: str, prepared: dict[int, list[Prepared]], now: datetime
    ) -> list[Outgoing]:
        config, settings = self._config, self._settings
        head = self._registry.head(change_topic(config.agency, config.resource), schema_of(entry).submission)
        found: list[Outgoing] = []
        for changes in prepared.values():
            for group in split(changes, settings.publisher_batch_changes, self._most_bytes):
                signed = sign(self._signer, config.agency, entry, review, head, group, now)
                found.append(
                    {"key": b"", "value": signed.value, "partition": signed.partition, "headers": signed.headers}
                )
        return found

    def _refusal(self, refused: Refused, row: int, now: datetime) -> Outgoing:
        """A row that is no change at all: refused here, on the agency's own topic, with its number in the source."""
        config = self._config
        datum = refusal_datum(
            (f"source:{config.name}", 0, row, -1),
            (None, None),
            (config.agency, config.resource),
            "CONNECTOR",
            refused,
            int(now.timestamp() * 1000),
        )
        return self._framed(refused_topic(config.agency), "refusal", config.agency, datum)

    def _cursor(self, batch: Batch, now: datetime) -> Outgoing:
        config = self._config
        datum = {
            "agency": config.agency,
            "connector": config.name,
            "resource": config.resource,
            "cursor": batch.cursor or json.dumps(None),
            "rows": self._rows + len(batch.rows),
            "written_at": int(now.timestamp() * 1000),
            "refused_from": self._refused_from,
        }
        return self._framed(cursor_topic(config.agency), "cursor", config.name, datum)

    def _framed(self, topic: str, name: str, key: str, datum: dict[str, Any]) -> Outgoing:
        codec = envelope(name)
        value = self._registry.head(topic, codec) + codec.encode_physical(datum)
        return {"key": key.encode(), "value": value, "partition": 0}
