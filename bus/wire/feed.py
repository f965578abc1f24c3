"""The register as the workers see it: `register.*` read into a `RegisterView`, first to the end, then as it changes."""

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from bus.settings import Settings
from bus.topics import register_topic
from bus.wire.clients import Principal, admin, consumer
from bus.wire.errors import passes, unavailable
from bus.wire.registry import Registry
from bus.wire.table import read_to_end
from compliance.events import from_event
from compliance.models import MODELS
from compliance.view import RegisterView
from schemas.codec import unframe
from schemas.errors import SchemaError


class RegisterFeed:
    """Follows the register topics.

    Args:
        settings: where Kafka is.
        principal: who reads.
        registry: an entry is read with the schema that wrote it, so an older entry stays readable.
        kinds: which kinds of entries; an agency has no right to read grants.
    """

    def __init__(
        self, settings: Settings, principal: Principal, registry: Registry, kinds: Iterable[str] = tuple(MODELS)
    ) -> None:
        self.view = RegisterView()
        self.changed_ms = 0
        """When the broker took the latest change that was read, milliseconds since the epoch."""
        self._registry = registry
        self._settings = settings
        self._kinds = {register_topic(kind): kind for kind in kinds}
        self._admin: AdminClient = admin(settings, principal)
        # The group is a name only: nothing is committed, every process reads the register from its beginning.
        self._consumer: Consumer = consumer(
            settings, principal, f"{principal.name}.register", **{"enable.partition.eof": True}
        )

    def open(self) -> None:
        """Read the register to its end.

        Raises:
            KafkaUnavailableError, NotProvisionedError, DeadlineError: when that is not possible.
        """
        places = [(topic, 0) for topic in self._kinds]
        following = dict.fromkeys(self._kinds, 0)
        for message in read_to_end(self._consumer, self._admin, places, self._settings.request_timeout_s):
            self._apply(message)
            following[message.topic() or ""] = (message.offset() or 0) + 1
        self._consumer.assign([TopicPartition(topic, 0, offset) for topic, offset in following.items()])

    def poll(self, timeout_s: float = 0.0) -> bool:
        """Apply what has come since; whether anything did."""
        changed = False
        for message in self._consumer.consume(500, timeout_s):
            error = message.error()
            if error is None:
                self._apply(message)
                changed = True
            elif not passes(error):
                raise unavailable("cannot read the register", KafkaException(error))
        return changed

    def close(self) -> None:
        """Let go of the client."""
        self._consumer.close()

    def _apply(self, message: Message) -> None:
        kind = self._kinds[message.topic() or ""]
        key = (message.key() or b"").decode()
        value = message.value()
        self.changed_ms = max(self.changed_ms, message.timestamp()[1])
        if value is None:
            self.view.apply(kind, key, None)
            return
        framed = unframe(value)
        codec = self._registry.codec(framed[0]) if framed else None
        if framed is None or codec is None:
            raise SchemaError(
                f"{message.topic()} offset {message.offset()} was not written by the register, or BUS_REGISTRY_URL does "
                "not lead to the registry that knows its schema"
            )
        self.view.apply(kind, key, from_event(kind, codec.decode(framed[1])))
