"""What a connector says of its source by itself: heartbeats, and the declarations of static information (Art 16).

Each goes out in a transaction of its own that follows the one with the rows. The broker lets a producer begin to write
again only once its last transaction is visible everywhere, so nobody reads of completeness before the rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bus.publishing.duty import (
    Reading,
    declaration_datum,
    declaration_due,
    declared,
    heartbeat_due,
    static_parts,
)
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import declaration_topic, heartbeat_topic
from bus.wire.clients import Principal
from bus.wire.table import read_payloads
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from connectors.source import Batch
from processors.batch import Outgoing
from processors.freshness.words import At, Declaration, Key, millis, quarter_of
from schemas.errors import SchemaError
from schemas.resource import envelope

Framed = Callable[[str, str, str, dict[str, Any]], Outgoing]
"""Topic, envelope, key and datum into a message."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is on its way, remembered once it is committed."""

    beat_at: int | None
    quarter: int | None


class Signs:
    """The heartbeats and declarations of one connector.

    Args:
        settings: of the bus.
        principal: the agency.
        connector: its name.
        key: agency and resource.
        whole: whether the source holds all that the agency publishes of the resource; else nothing is said of
            completeness.
        view: the register.
        framed: makes a message.

    Raises:
        SettingsError: the settings name no law profile that there is.
    """

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        connector: str,
        key: Key,
        view: RegisterView,
        framed: Framed,
        *,
        whole: bool,
    ) -> None:
        self._settings = settings
        self._principal = principal
        self._connector = connector
        self._key = key
        self._whole = whole
        self._view = view
        self._framed = framed
        self._law, self._calendar = law_of(settings), WorkCalendar.packaged()
        self._every = int(settings.connector_heartbeat_s * 1000)
        self._grace = int(settings.connector_declare_after_s * 1000)
        self._complete_until: int | None = None
        self._beat_at: int | None = None
        # The quarter that the source was last seen to have left behind, and since when; the last one that is declared.
        self._over = (0, 0)
        self._settled = 0
        self._said = _Said(None, None)

    def due(self, batch: Batch, now: datetime) -> dict[str, Sequence[Outgoing]]:
        """What is to be said after a look at the source whose rows are committed; empty when nothing is.

        Raises:
            KafkaUnavailableError, DeadlineError: the declarations of before cannot be read.
        """
        at = millis(now)
        reading = self._reading(batch)
        if reading is not None:
            self._complete_until = reading.complete_until
        outgoing: dict[str, Sequence[Outgoing]] = {}
        beat_at = quarter = None
        if heartbeat_due(self._beat_at, at, self._every):
            beat_at = at
            outgoing[heartbeat_topic(self._key.agency)] = [self._heartbeat(at)]
        declarations = [] if reading is None else self._declarations(reading, now)
        if declarations:
            quarter, topic = max(one.quarter for one in declarations), declaration_topic(self._key.agency)
            outgoing[topic] = [
                self._framed(topic, "declaration", str(one.key), declaration_datum(one, at)) for one in declarations
            ]
        self._said = _Said(beat_at, quarter)
        return outgoing

    def committed(self) -> None:
        """What `due` answered last is visible."""
        if self._said.beat_at is not None:
            self._beat_at = self._said.beat_at
        if self._said.quarter is not None:
            self._settled = self._said.quarter

    def _reading(self, batch: Batch) -> Reading | None:
        if not self._whole or batch.complete_until is None:
            return None
        since = batch.unchanged_since
        return Reading(millis(batch.complete_until), None if since is None else millis(since))

    def _declarations(self, reading: Reading, now: datetime) -> list[Declaration]:
        """Looked for on the topic, which people write too, not before the quarter's rows had time to be admitted."""
        at, quarter = millis(now), quarter_of(reading.complete_until) - 1
        if self._over[0] != quarter:
            self._over = (quarter, at)
        if self._settled == quarter or at - self._over[1] < self._grace:
            return []
        parts = static_parts(self._view.versions(self._key.resource), self._key, self._law, now)
        if not parts:
            return []
        told = tuple(self._told())
        due = (
            declaration_due(declared(key, told), targets, reading, self._law, self._calendar, at)
            for key, targets in parts.items()
        )
        found = [one for one in due if one is not None]
        if not found:
            self._settled = quarter
        return found

    def _told(self) -> Iterator[tuple[At, Declaration]]:
        """All declarations of the agency; what is none is not counted."""
        topic, codec = declaration_topic(self._key.agency), envelope("declaration")
        for message, payload in read_payloads(self._settings, self._principal, topic):
            try:
                declaration = Declaration.from_datum(codec.decode_physical(payload))
            except (SchemaError, ValueError):
                continue
            yield At(message.timestamp()[1], topic, message.offset() or 0), declaration

    def _heartbeat(self, at: int) -> Outgoing:
        key = self._key
        datum = {
            "agency": key.agency,
            "resource": key.resource,
            "field_group": None,
            "connector": self._connector,
            "sent_at": at,
            "complete_until": self._complete_until,
        }
        return self._framed(heartbeat_topic(key.agency), "heartbeat", str(key), datum)
