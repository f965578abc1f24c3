"""The schema registry: ids of the schemas that are written, schemas of the ids that are read.

Any registry with Confluent's API serves. Answers are remembered for ever: an id never changes its schema.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Message
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError

from bus.settings import Settings
from bus.wire.clients import Principal
from schemas.codec import Codec, fingerprint, frame_head, unframe
from schemas.errors import (
    IncompatibleSchemaError,
    NotProvisionedError,
    RegistryUnavailableError,
    SchemaError,
)

# Records stay in compacted topics for years: readers and writers of every version must understand one another (Art 40).
COMPATIBILITY = "FULL_TRANSITIVE"
_NOT_FOUND = 404
_CONFLICT = 409
_SERVER = 500
# Ids asked for in vain that are remembered: enough for mistakes, too few to fill the memory on purpose.
_STRANGE = 1_000


def subject_of_topic(topic: str) -> str:
    """The registry's subject for the values of a topic (Confluent's TopicNameStrategy)."""
    return f"{topic}-value"


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except SchemaRegistryError as error:
        if error.http_status_code == _CONFLICT:
            raise IncompatibleSchemaError(
                f"{what}: the registry refuses it as incompatible with an earlier version"
            ) from None
        if error.http_status_code == _NOT_FOUND:
            raise NotProvisionedError(f"{what}: not in the registry; has `bus init` been run?") from None
        if error.http_status_code < _SERVER:
            raise SchemaError(f"{what}: the registry answers {error.http_status_code}") from None
        raise RegistryUnavailableError(f"{what}: the registry answers {error.http_status_code}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise _no_answer(what, error) from None
    except Exception as error:
        # The client's HTTP library has its own error tree; anything it raises means that no answer came.
        if type(error).__module__.split(".")[0] in {"httpx", "httpcore", "httpx2", "httpcore2"}:
            raise _no_answer(what, error) from None
        raise


def _no_answer(what: str, error: Exception) -> RegistryUnavailableError:
    return RegistryUnavailableError(
        f"{what}: no answer from the registry ({type(error).__name__}); does it run at BUS_REGISTRY_URL?"
    )


class Registry:
    """A client of the schema registry.

    Args:
        settings: where it is.
        principal: whose certificate is shown to it.

    Raises:
        NotProvisionedError: its certificate is missing or of no use.
    """

    def __init__(self, settings: Settings, principal: Principal) -> None:
        principal.require()
        self._client = SchemaRegistryClient(
            {
                "url": settings.registry_url,
                "ssl.ca.location": str(principal.folder / "ca.crt"),
                "ssl.certificate.location": str(principal.folder / "tls.crt"),
                "ssl.key.location": str(principal.folder / "tls.key"),
                # Four attempts and the pauses between them (at most 1, 2 and 4 times the first) fit into the time that
                # a call may take; without a time-out the client would wait for a silent registry for ever.
                "max.retries": 3,
                "timeout": settings.request_timeout_s / 5,
                "retries.wait.ms": int(settings.request_timeout_s * 1000 / 40),
            }
        )
        self._ids: dict[tuple[str, str], int] = {}
        # The id of each schema that was asked for, and the topics that had it when a second one of them was asked about.
        self._shared: dict[str, int] = {}
        self._holders: dict[int, frozenset[str]] = {}
        self._texts: dict[int, str | None] = {}
        self._fingerprints: dict[int, str | None] = {}
        self._codecs: dict[int, Codec] = {}
        self._strange: set[int] = set()

    def register(self, topic: str, codec: Codec) -> int:
        """Register the value schema of a topic; the id it has.

        Raises:
            IncompatibleSchemaError: it would break earlier readers or writers.
            RegistryUnavailableError: no answer.
        """
        subject = subject_of_topic(topic)
        with _translated(f"registering {subject}"):
            return self._client.register_schema(subject, Schema(codec.text, "AVRO"))

    def compatibility(self) -> str:
        """What the registry holds every subject to that has no rule of its own.

        Raises:
            RegistryUnavailableError: no answer.
        """
        with _translated("reading the registry's compatibility"):
            return str(self._client.get_config().compatibility_level)

    def enforce_compatibility(self) -> None:
        """Make the registry hold every subject to FULL_TRANSITIVE; may be done again without harm.

        Raises:
            RegistryUnavailableError: no answer.
        """
        with _translated("setting the registry's compatibility"):
            self._client.set_config(config=ServerConfig(compatibility=ConfigCompatibilityLevel.FULL_TRANSITIVE))

    def subjects(self) -> tuple[str, ...]:
        """The topics whose values have a schema here."""
        with _translated("listing the registry's subjects"):
            return tuple(name.removesuffix("-value") for name in self._client.get_subjects() if name.endswith("-value"))

    def versions(self, topic: str) -> tuple[str, ...]:
        """The texts of every schema that is registered for a topic's values, oldest first; one call for one version.

        Raises:
            RegistryUnavailableError: no answer.
        """
        subject = subject_of_topic(topic)
        with _translated(f"reading the versions of {subject}"):
            self._client.clear_latest_caches()  # type: ignore[no-untyped-call]  # the client leaves it unannotated
            try:
                latest = self._client.get_latest_version(subject)
                numbers = [] if latest.version == 1 else self._client.get_versions(subject)
                earlier = [self._client.get_version(subject, number) for number in numbers if number != latest.version]
            except SchemaRegistryError as error:
                if error.http_status_code == _NOT_FOUND:
                    return ()
                raise
        return tuple(found.schema.schema_str or "" for found in (*earlier, latest))

    def fits(self, topic: str, codec: Codec) -> bool:
        """Whether a schema could be registered for a topic that has some, without registering it."""
        subject = subject_of_topic(topic)
        with _translated(f"comparing with {subject}"):
            return self._client.test_compatibility_all_versions(subject, Schema(codec.text, "AVRO"))

    def id_of(self, topic: str, codec: Codec) -> int:
        """The id under which a topic's value schema is registered.

        Raises:
            NotProvisionedError: it is not.
            RegistryUnavailableError: no answer.
        """
        place = (topic, codec.text)
        if place not in self._ids:
            known = self._known_elsewhere(topic, codec)
            self._ids[place] = self._look_up(topic, codec) if known is None else known
            self._shared[codec.text] = self._ids[place]
        return self._ids[place]

    def _known_elsewhere(self, topic: str, codec: Codec) -> int | None:
        """The id of a schema that was asked for on another topic, where this one has it too: so one list serves all."""
        shared = self._shared.get(codec.text)
        if shared is None:
            return None
        if shared not in self._holders:
            self._holders[shared] = self._topics_of(shared)
        return shared if topic in self._holders[shared] else None

    def _look_up(self, topic: str, codec: Codec) -> int:
        subject = subject_of_topic(topic)
        with _translated(f"looking up {subject}"):
            found = self._client.lookup_schema(subject, Schema(codec.text, "AVRO")).schema_id
        assert found is not None  # noqa: S101  a found schema has an id
        return found

    def _topics_of(self, schema_id: int) -> frozenset[str]:
        """The topics whose values have the schema of an id: one schema has one id, under however many subjects."""
        try:
            with _translated(f"looking up the subjects of schema id {schema_id}"):
                places = self._client.get_schema_versions(schema_id)
        except NotProvisionedError:
            return frozenset()
        return frozenset(str(place.subject).removesuffix("-value") for place in places)

    def holders(self, codec: Codec, topics: Iterable[str]) -> frozenset[str]:
        """Which of some topics have this very schema among those of their values.

        Two questions, however many topics there are: every agency has topics of the same few schemas.

        Raises:
            RegistryUnavailableError: no answer.
        """
        asked = frozenset(topics)
        for topic in sorted(asked):
            try:
                schema_id = self._look_up(topic, codec)
            except NotProvisionedError:
                continue
            return asked & self._topics_of(schema_id)
        return frozenset()

    def head(self, topic: str, codec: Codec) -> bytes:
        """The frame head of a topic's values."""
        return frame_head(self.id_of(topic, codec))

    def text(self, schema_id: int) -> str | None:
        """The schema of an id, None when the registry knows none of that id.

        Raises:
            RegistryUnavailableError: no answer, which says nothing about the id.
        """
        if schema_id not in self._texts:
            try:
                with _translated(f"looking up schema id {schema_id}"):
                    found = self._client.get_schema(schema_id)
            except (NotProvisionedError, SchemaError):
                # Not remembered: the id may be given out later.
                return None
            self._texts[schema_id] = found.schema_str if found.schema_type == "AVRO" else None
        return self._texts[schema_id]

    def fingerprint(self, schema_id: int) -> str | None:
        """The fingerprint of an id's schema, None when unknown or not Avro."""
        if schema_id not in self._fingerprints:
            text = self.text(schema_id)
            if text is None:
                return None
            try:
                self._fingerprints[schema_id] = fingerprint(text)
            except SchemaError:
                self._fingerprints[schema_id] = None
        return self._fingerprints[schema_id]

    def codec(self, schema_id: int) -> Codec | None:
        """The codec of an id's schema, None when the registry knows none of that id."""
        if schema_id not in self._codecs:
            text = self.text(schema_id)
            if text is None:
                return None
            self._codecs[schema_id] = Codec(text)
        return self._codecs[schema_id]

    def datum(self, value: bytes | None) -> dict[str, Any] | None:
        """What a framed value says with wire values, by the schema that wrote it; None where nobody can read it.

        An unknown id is asked for once: where agencies write, they could keep a reader busy with ids that there are not.

        Raises:
            RegistryUnavailableError: no answer.
        """
        framed = unframe(value)
        if framed is None or framed[0] in self._strange:
            return None
        try:
            codec = self.codec(framed[0])
            if codec is not None:
                return codec.decode_physical(framed[1])
        except SchemaError:
            return None
        if len(self._strange) < _STRANGE:
            self._strange.add(framed[0])
        return None

    def own(self, message: Message) -> dict[str, Any]:
        """As `datum`, of a message on a topic that only the bus itself writes.

        Raises:
            SchemaError: and this it did not write.
            RegistryUnavailableError: no answer.
        """
        datum = self.datum(message.value())
        if datum is None:
            raise SchemaError(f"{message.topic()} offset {message.offset()} was not written by the bus")
        return datum
