"""A person's word on a quarter of static information, for agencies whose sources do not declare by themselves."""

from datetime import datetime

from bus.publishing.words import SourceWords
from bus.settings import Settings
from bus.wire.clients import Principal, producer
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from processors.freshness.words import Declaration, Declares, Key


def declare(settings: Settings, key: Key, quarter: int, says: Declares, now: datetime) -> Declaration:
    """Declare a quarter on the agency's topic; when this comes back the broker has it.

    Args:
        settings: of the bus; the agency's certificates are in its state directory.
        key: agency and resource; with a group of fields, of that alone.
        quarter: which, over.
        says: that all of it is supplied, or that nothing changed.
        now: the agency's clock; what counts is the broker's.

    Raises:
        UsageError: there is no such resource or group, nothing is owed for the quarter, or it is not over.
        NotProvisionedError, KafkaUnavailableError, RegistryUnavailableError: the bus cannot take it now.
    """
    principal = Principal.agency(settings, key.agency)
    principal.require()
    registry = Registry(settings, principal)
    feed = RegisterFeed(settings, principal, registry, ("catalogue",))
    timeout_ms = int(settings.request_timeout_s * 1000)
    try:
        feed.open()
        sender = producer(settings, principal, None, **{"message.timeout.ms": timeout_ms})
        return SourceWords(settings, registry, feed.view, sender).declare(key, quarter, says, now)
    finally:
        feed.close()
