"""The hits that stand, as the topic says: for the command line and for measurements."""

from collections.abc import Iterable

from bus.settings import Settings
from bus.topics import HIT
from bus.wire.clients import Principal, admin, consumer
from bus.wire.table import read_to_end
from processors.crosscheck.telling import Told, told_of
from schemas.codec import unframe
from schemas.errors import SchemaError
from schemas.resource import envelope


def standing_hits(settings: Settings) -> Iterable[Told]:
    """The hits that stand now, the longest standing first.

    Raises:
        KafkaUnavailableError, NotProvisionedError, DeadlineError: the topic cannot be read.
        SchemaError: somebody else wrote there.
    """
    operator = Principal.role(settings, "operator")
    reader = consumer(settings, operator, f"{operator.name}.table", **{"enable.partition.eof": True})
    codec = envelope(HIT.envelope or "")
    found: dict[bytes | None, Told] = {}
    try:
        asks = admin(settings, operator)
        for message in read_to_end(reader, asks, [(HIT.pattern, 0)], settings.request_timeout_s):
            value, framed = message.value(), unframe(message.value())
            if value is not None and framed is None:
                raise SchemaError(f"{HIT.pattern} offset {message.offset()} was not written by the bus")
            told = None if framed is None else told_of(codec.decode_physical(framed[1]))
            if told is None:
                found.pop(message.key(), None)
            else:
                found[message.key()] = told
    finally:
        reader.close()
    return sorted(found.values(), key=lambda told: (told.hit.since, told.hit.pair))
