"""The identity links as the workers see them: `bus.identity-links` read to its end, then as it changes."""

from collections.abc import Iterable

from confluent_kafka import KafkaException, Message, TopicPartition

from bus.settings import Settings
from bus.topics import LINK
from bus.wire.clients import Principal, admin, consumer
from bus.wire.errors import passes, unavailable
from bus.wire.table import read_to_end
from processors.links import Links
from schemas.codec import unframe
from schemas.errors import SchemaError
from schemas.resource import envelope


class LinkFeed:
    """Follows the identity links; reads nothing before the first `poll`.

    Args:
        settings: where Kafka is.
        principal: who reads.
        key_id: of the token keys in force; a link under another key is passed over until it is written again.
    """

    def __init__(self, settings: Settings, principal: Principal, key_id: str) -> None:
        self.links = Links()
        self.next = 0
        """The offset behind the last link that was read."""
        self._key_id = key_id
        self._timeout_s = settings.request_timeout_s
        self._offsets: dict[bytes, int] = {}
        self._open = False
        self._admin = admin(settings, principal)
        # The group is a name only: every process reads the links from their beginning.
        self._consumer = consumer(settings, principal, f"{principal.name}.register", **{"enable.partition.eof": True})

    def poll(self) -> None:
        """Apply what has come since; the first call reads everything.

        Raises:
            KafkaUnavailableError, NotProvisionedError, DeadlineError: when that is not possible.
        """
        if not self._open:
            self._apply_all(read_to_end(self._consumer, self._admin, [(LINK.pattern, 0)], self._timeout_s))
            self._consumer.assign([TopicPartition(LINK.pattern, 0, self.next)])
            self._open = True
            return
        for message in self._consumer.consume(500, 0.0):
            error = message.error()
            if error is None:
                self._apply_all([message])
            elif not passes(error):
                raise unavailable("cannot read the identity links", KafkaException(error))

    def since(self, offset: int) -> list[bytes]:
        """The tokens that were given up by links from an offset on."""
        return [token for token, at in self._offsets.items() if at >= offset]

    def close(self) -> None:
        """Let go of the client."""
        self._consumer.close()

    def _apply_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            token, value = message.key(), message.value()
            self.next = (message.offset() or 0) + 1
            if not isinstance(token, bytes):
                raise SchemaError(f"{LINK.pattern} offset {message.offset()} was not written by admit")
            if value is None:
                self.links.drop(token)
                self._offsets.pop(token, None)
                continue
            framed = unframe(value)
            if framed is None:
                raise SchemaError(f"{LINK.pattern} offset {message.offset()} was not written by admit")
            entry = envelope("link").decode_physical(framed[1])
            if entry["token_key"] == self._key_id:
                self.links.put(token, entry["target"])
                self._offsets[token] = message.offset() or 0
