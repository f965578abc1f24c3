"""Digests of sources against what the bus holds (Art 10): `digest.<agency>` in, `difference` out.

The lead asks for a turn only once it knows all that Kafka had: half of a holding would differ from every source. What a
digest left is decided, written to Kafka, and only then kept with the position behind it, as a turn of the desk is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaException, Message, TopicPartition

from bus.crosscheck.holdings import Source
from bus.crosscheck.store import Changes, Place, Store
from bus.settings import Settings
from bus.topics import DIFFERENCE, digest_topic
from bus.wire.clients import Principal, consumer
from bus.wire.errors import passes, unavailable
from bus.wire.registry import Registry
from bus.wire.table import read_payloads
from compliance.view import RegisterView
from processors.batch import Outgoing
from processors.digests import Difference, SourceDigest, Standing, compare, resumed
from schemas.resource import envelope

Commit = Callable[[Mapping[str, Sequence[Outgoing]]], bool]
_MOST = 100
_DIFFERENCE = envelope(DIFFERENCE.envelope or "")


@dataclass(slots=True)
class _Compared:
    """What a batch of digests left."""

    told: list[Difference] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)


class Comparing:
    """Reads digests and tells differences; `take_up` comes first.

    Args:
        settings: of the bus.
        principal: who reads and writes.
        registry: the schema of what is written.
        store: what the bus holds, and what digests left.
        commit: writes by the lead's own transactions, so that one that was fenced tells nothing; whether it stands.
    """

    def __init__(
        self, settings: Settings, principal: Principal, registry: Registry, store: Store, commit: Commit
    ) -> None:
        self._settings, self._principal = settings, principal
        self._registry, self._store, self._commit = registry, store, commit
        self._reader = consumer(settings, principal, f"{principal.name}.table")
        self._agencies: tuple[str, ...] = ()
        self._resources: frozenset[str] = frozenset()
        self._pending: _Compared | None = None

    def close(self) -> None:
        """Let the reader go."""
        self._reader.close()

    def take_up(self, view: RegisterView, now: int) -> None:
        """Take over what stands on `difference` and is not kept, and read digests on from where the store ends.

        Args:
            view: the register.
            now: milliseconds.

        Raises:
            KafkaUnavailableError, DeadlineError: Kafka does not answer.
        """
        latest: dict[Source, dict[str, Any]] = {}
        for message, _ in read_payloads(self._settings, self._principal, DIFFERENCE.pattern):
            datum = self._registry.own(message)
            latest[datum["agency"], datum["resource"]] = datum
        changes = Changes()
        for source, datum in latest.items():
            kept = self._store.compared(source)
            found = resumed(kept, datum)
            if found is not kept:
                changes.compared[source] = found
        if changes.compared:
            self._store.keep(changes, now)
        self.follow(view)

    def follow(self, view: RegisterView) -> None:
        """Follow the register's agencies and resources."""
        self._resources = frozenset(entry.resource for entry in view.entries())
        agencies = tuple(sorted(agency.code for agency in view.agencies()))
        if agencies != self._agencies:
            self._agencies = agencies
            known = self._store.positions()
            places = [(digest_topic(code), 0) for code in agencies]
            self._reader.assign([TopicPartition(*place, known.get(place, 0)) for place in places])

    def turn(self, now: int) -> bool:
        """Compare the digests that are there; whether there were any.

        Args:
            now: milliseconds.

        Raises:
            KafkaUnavailableError: Kafka refuses.
        """
        if self._pending is None:
            batch = list(self._messages())
            if not batch:
                return False
            self._pending = self._compare(batch, now)
        done = self._pending
        if done.told and not self._commit({DIFFERENCE.pattern: [self._outgoing(one) for one in done.told]}):
            return True
        self._store.keep(done.changes, now)
        self._pending = None
        return True

    def _messages(self) -> Iterator[Message]:
        for message in self._reader.consume(_MOST, 0.0):
            error = message.error()
            if error is None:
                yield message
            elif not passes(error):
                raise unavailable("cannot read digests", KafkaException(error))

    def _compare(self, batch: list[Message], now: int) -> _Compared:
        done = _Compared()
        ahead: dict[Place, int] = {}
        for message in batch:
            ahead[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
            digest = self._digest(message)
            if digest is None:
                continue
            source = (digest.agency, digest.resource)
            standing: Standing = done.changes.compared.get(source) or self._store.compared(source)
            done.changes.compared[source], told = compare(standing, digest, self._store.holding(source), now)
            if told is not None:
                done.told.append(told)
        done.changes.positions = ahead
        return done

    def _digest(self, message: Message) -> SourceDigest | None:
        """None where it is none, or speaks of another agency or of what is not in the catalogue."""
        datum = self._registry.datum(message.value())
        try:
            found = None if datum is None else SourceDigest.from_datum(datum, message.timestamp()[1])
        except (LookupError, TypeError, ValueError):
            return None
        if found is None or digest_topic(found.agency) != message.topic() or found.resource not in self._resources:
            return None
        return found

    def _outgoing(self, told: Difference) -> Outgoing:
        head = self._registry.head(DIFFERENCE.pattern, _DIFFERENCE)
        return {"key": told.key, "value": head + _DIFFERENCE.encode_physical(told.datum()), "partition": 0}
