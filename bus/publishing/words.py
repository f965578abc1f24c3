"""What an agency's program or person says of a source: that it is there, and that a quarter is supplied (Art 16)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from bus.publishing.duty import declaration_datum, declaration_of
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import declaration_topic, heartbeat_topic
from bus.wire.deadline import Deadline
from bus.wire.errors import unavailable
from bus.wire.handover import hand_over
from bus.wire.registry import Registry
from compliance.view import RegisterView
from processors.freshness.targets import Limits, owed
from processors.freshness.words import Declaration, Declares, Key, Targets, is_stated, millis
from schemas.errors import KafkaUnavailableError, UsageError
from schemas.resource import envelope


class SourceWords:
    """Says it on the agency's own topics; when a call comes back, the broker has it.

    Args:
        settings: of the bus.
        registry: schema ids.
        view: the register, with the catalogue.
        sender: under the agency's certificate.
    """

    def __init__(self, settings: Settings, registry: Registry, view: RegisterView, sender: Producer) -> None:
        self._settings, self._registry = settings, registry
        self._view, self._sender, self._law = view, sender, law_of(settings)

    def heartbeat(self, key: Key, complete_until: datetime | None, who: str, now: datetime) -> None:
        """Say that the source is there.

        Args:
            key: the agency's own, and the resource; with a group, of that alone.
            complete_until: every change up to this business time has been published; None where nobody can say.
            who: name of the program.
            now: the agency's clock, which the bus holds against its own.

        Raises:
            UsageError: the agency owes nothing of the resource or group, or the time has no zone, lies before 1970 or ahead.
            KafkaUnavailableError, NotProvisionedError: the bus cannot take it now.
        """
        if complete_until is not None and not _is_past(complete_until, now):
            raise UsageError("complete_until is a time with its zone, from 1970 on, and not one that is still to come")
        if self._targets(key, now) is None:
            raise UsageError(f"{key.agency} owes nothing of {key.told}")
        datum = {
            "agency": key.agency,
            "resource": key.resource,
            "field_group": key.group or None,
            "connector": who,
            "sent_at": millis(now),
            "complete_until": None if complete_until is None else millis(complete_until),
        }
        self._send(heartbeat_topic(key.agency), "heartbeat", key, datum)

    def declare(self, key: Key, quarter: int, says: Declares, now: datetime) -> Declaration:
        """Declare a quarter.

        Args:
            key: the agency's own, and the resource; with a group, of that alone.
            quarter: which, over.
            says: that all of it is supplied, or that nothing changed.
            now: the agency's clock; what counts is the broker's.

        Raises:
            UsageError: there is no such resource or group, nothing is owed for the quarter, or it is not over.
            KafkaUnavailableError, NotProvisionedError: the bus cannot take it now.
        """
        declaration = declaration_of(key, self._targets(key, now), quarter, says, millis(now))
        self._send(declaration_topic(key.agency), "declaration", key, declaration_datum(declaration, millis(now)))
        return declaration

    def _targets(self, key: Key, now: datetime) -> Targets | None:
        versions = self._view.versions(key.resource)
        if not versions:
            raise UsageError(f"the catalogue has no entry {key.resource}")
        found = owed(versions, key.agency, self._law, Limits(), now)
        if found and key not in found:
            # A name that was misspelt would be passed over, and the group stay silent.
            raise UsageError(f"the entry {key.resource} names no group of fields {key.group}")
        return found.get(key)

    def _send(self, topic: str, kind: str, key: Key, datum: Mapping[str, Any]) -> None:
        failed: list[KafkaError] = []

        def told(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        codec = envelope(kind)
        value = self._registry.head(topic, codec) + codec.encode_physical(datum)
        message = {"value": value, "key": str(key).encode(), "partition": 0, "on_delivery": told}
        hand_over(self._sender, topic, message, Deadline(self._settings.request_timeout_s, f"writing to {topic}"))
        left = self._sender.flush(self._settings.request_timeout_s + 1)
        if failed:
            raise unavailable(f"cannot write to {topic}", KafkaException(failed[0]))
        if left:
            raise KafkaUnavailableError(f"the {kind} was not taken in time; it may still be")


def _is_past(at: object, now: datetime) -> bool:
    return isinstance(at, datetime) and at.tzinfo is not None and at <= now and is_stated(millis(at))
