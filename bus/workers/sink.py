"""The sink worker: one grant's deliveries into a table of the subscriber's database, exactly once.

1. read the positions that the database holds
2. read deliveries from there
3. write rows and positions in one database transaction

Kafka holds no position of a sink: a second one on the same table would do the first one's work again, without harm.
"""

import threading
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bus.metrics import Metrics
from bus.settings import Settings
from bus.subscriber import Delivered, Subscriber
from bus.wire.clients import Principal
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.workers.files import read_file
from bus.workers.health import Health
from compliance.catalogue import schema_of
from compliance.values import AgencyCode, GrantId
from connectors.sink import SinkRow
from connectors.table_sink import TableSink
from schemas.errors import NotProvisionedError

_BATCH = 500
_WAIT_S = 0.2


class SinkConfig(BaseModel):
    """A sink file: which grant goes into which table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: AgencyCode
    grant: GrantId
    url: str = Field(repr=False)
    table: str


def read_sink_config(path: Path) -> SinkConfig:
    """Read a sink file (YAML).

    Raises:
        SourceError: naming each wrong key, never a value.
    """
    return read_file(path, SinkConfig)


def row_of(record: Delivered) -> SinkRow:
    """A delivered record as a sink takes it."""
    facts = asdict(record)
    return SinkRow(record.key, {name: fact for name, fact in facts.items() if name not in ("data", "key")}, record.data)


class SinkWorker:
    """Runs one sink until stopped.

    Args:
        settings: of the bus.
        config: of the sink.

    Raises:
        RefusedError: the grant does not deliver.
        NotProvisionedError, KafkaUnavailableError, SourceError: it cannot start now.
    """

    def __init__(self, settings: Settings, config: SinkConfig) -> None:
        self._stop = threading.Event()
        self.metrics, self.health = Metrics("sink"), Health()
        self._subscriber = Subscriber(config.agency, grant=config.grant, settings=settings, positions={})
        principal = Principal.agency(settings, config.agency)
        registry = Registry(settings, principal)
        feed = RegisterFeed(settings, principal, registry, ("catalogue",))
        feed.open()
        feed.close()
        [topic] = self._subscriber.topics
        entry = feed.view.entry(topic.split(".")[2])
        fields = self._subscriber.fields(topic)
        if entry is None or not fields:
            raise NotProvisionedError(f"grant {config.grant}: its resource is not in the catalogue")
        self._sink = TableSink(config.url, config.table, schema_of(entry), fields)
        self._subscriber.go_to(self._sink.positions())

    def stop(self) -> None:
        """End after the current batch."""
        self._stop.set()

    def run(self) -> None:
        """Run until stopped."""
        self.health.ready = True
        try:
            while not self._stop.is_set():
                self.health.turned()
                records = self._subscriber.batch(_BATCH, _WAIT_S)
                if self._subscriber.positions:
                    self._sink.write([row_of(record) for record in records], self._subscriber.positions)
                    self._subscriber.positions.clear()
        finally:
            self._subscriber.close()
            self._sink.close()
