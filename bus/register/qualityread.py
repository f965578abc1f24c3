"""Reads `quality`: what the bus summed of each day, for the figures."""

from confluent_kafka import KafkaException

from bus.settings import Settings
from bus.topics import QUALITY
from bus.wire.clients import Principal, admin, consumer
from bus.wire.errors import unavailable
from bus.wire.table import read_to_end
from compliance.qualitydays import DayQuality
from schemas.codec import unframe
from schemas.errors import SchemaError
from schemas.resource import envelope

_GROUP = "bus.count"


def read_quality(settings: Settings) -> tuple[DayQuality, ...]:
    """Every day that is kept; none where nothing was ever summed.

    Raises:
        KafkaUnavailableError, DeadlineError: not all of it could be read.
        SchemaError: somebody else wrote there.
    """
    operator = Principal.role(settings, "operator")
    reader = consumer(settings, operator, _GROUP, **{"enable.partition.eof": True})
    codec = envelope(QUALITY.envelope or "")
    found: dict[bytes, DayQuality] = {}
    try:
        if QUALITY.pattern not in reader.list_topics(timeout=settings.request_timeout_s).topics:
            return ()
        places = [(QUALITY.pattern, 0)]
        for message in read_to_end(reader, admin(settings, operator), places, settings.request_timeout_s):
            key, value = message.key() or b"", message.value()
            if value is None:
                found.pop(key, None)
                continue
            framed = unframe(value)
            if framed is None:
                raise SchemaError(f"{QUALITY.pattern} was written by somebody else")
            found[key] = DayQuality.from_datum(codec.decode_physical(framed[1]))
    except KafkaException as error:
        raise unavailable("cannot read the sums of quality", error) from None
    finally:
        reader.close()
    return tuple(found[key] for key in sorted(found))
