"""A person's word on a quarter of static information, for agencies whose sources do not declare by themselves."""

from datetime import datetime

from confluent_kafka import KafkaError, KafkaException, Message

from bus.publishing.duty import declaration_datum, declaration_of
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import declaration_topic
from bus.wire.clients import Principal, producer
from bus.wire.errors import unavailable
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from processors.freshness.targets import Limits, targets_of
from processors.freshness.words import Declaration, Declares, Key, millis
from schemas.errors import KafkaUnavailableError, UsageError
from schemas.resource import envelope


def declare(settings: Settings, key: Key, quarter: int, says: Declares, now: datetime) -> Declaration:
    """Declare a quarter on the agency's topic; when this comes back the broker has it.

    Args:
        settings: of the bus; the agency's certificates are in its state directory.
        key: agency and resource.
        quarter: which, over.
        says: that all of it is supplied, or that nothing changed.
        now: the agency's clock; what counts is the broker's.

    Raises:
        UsageError: there is no such resource, nothing is owed for the quarter, or it is not over.
        NotProvisionedError, KafkaUnavailableError, RegistryUnavailableError: the bus cannot take it now.
    """
    principal = Principal.agency(settings, key.agency)
    principal.require()
    registry = Registry(settings, principal)
    feed = RegisterFeed(settings, principal, registry, ("catalogue",))
    try:
        feed.open()
        versions = feed.view.versions(key.resource)
    finally:
        feed.close()
    if not versions:
        raise UsageError(f"the catalogue has no entry {key.resource}")
    targets = targets_of(versions, key.agency, law_of(settings), Limits(), now)
    declaration = declaration_of(key, targets, quarter, says, millis(now))
    topic, codec = declaration_topic(key.agency), envelope("declaration")
    value = registry.head(topic, codec) + codec.encode_physical(declaration_datum(declaration, millis(now)))
    _send(settings, principal, topic, str(key).encode(), value)
    return declaration


def _send(settings: Settings, principal: Principal, topic: str, key: bytes, value: bytes) -> None:
    failed: list[KafkaError] = []

    def told(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error)

    timeout_ms = int(settings.request_timeout_s * 1000)
    sender = producer(settings, principal, None, **{"message.timeout.ms": timeout_ms})
    sender.produce(topic, value=value, key=key, partition=0, on_delivery=told)
    left = sender.flush(settings.request_timeout_s + 1)
    if failed:
        raise unavailable("cannot declare", KafkaException(failed[0]))
    if left:
        raise KafkaUnavailableError("the declaration was not taken in time; it may still be")
