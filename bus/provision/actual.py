"""What is there now: the cluster's topics, settings and access rules, and the registry's schemas, as plain values."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource  # its public home re-exports it without saying so
from confluent_kafka.admin._resource import ResourceType  # as above

from bus.provision.binding import everything, right_of
from bus.provision.desired import GOVERNED, Desired
from bus.provision.rights import Right
from bus.settings import Settings
from bus.wire.clients import Principal, admin
from bus.wire.errors import no_answer, unavailable
from bus.wire.registry import Registry
from bus.wire.table import end_offsets, start_offsets
from schemas.codec import Codec

_REGISTRY_THREADS = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ActualTopic:
    """A topic as it is; `config` holds the keys that were asked for."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Actual:
    """Everything that there is.

    Attributes:
        topics: by name.
        rights: every access rule, of whomever.
        schemas: by topic, the texts of its value schemas, oldest first; of the topics that the bus answers for. Of one
            that has the envelope that it must have, this alone.
        compatibility: what the registry holds schemas to.
        left: by delivery topic of an ended grant, how many offsets it still spans.
    """

    topics: dict[str, ActualTopic] = field(default_factory=dict)
    rights: frozenset[Right] = frozenset()
    schemas: dict[str, tuple[str, ...]] = field(default_factory=dict)
    compatibility: str = ""
    left: dict[str, int] = field(default_factory=dict)


class Cluster:
    """Kafka and the registry, as the operator reaches them; `read` looks, the rest is `bus/provision/apply.py`'s.

    Args:
        settings: where they are.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.principal = Principal.role(settings, "operator")
        self.admin: AdminClient = admin(settings, self.principal)
        self.registry = Registry(settings, self.principal)

    def wait(self, future: Future[T], what: str) -> T:
        """The outcome of one call.

        Raises:
            KafkaUnavailableError, NotProvisionedError: saying what failed.
        """
        try:
            return future.result(self.settings.request_timeout_s)
        except KafkaException as error:
            raise unavailable(what, error) from None
        except TimeoutError:
            raise no_answer(what, "time-out") from None

    def topics(self) -> dict[str, ActualTopic]:
        """Every topic but Kafka's own, without configuration.

        Raises:
            KafkaUnavailableError: no answer in time.
        """
        try:
            found = self.admin.list_topics(timeout=self.settings.request_timeout_s).topics
        except KafkaException as error:
            raise unavailable("cannot list topics", error) from None
        return {
            name: ActualTopic(
                len(topic.partitions), min((len(p.replicas) for p in topic.partitions.values()), default=0)
            )
            for name, topic in found.items()
            if not name.startswith("__")
        }

    def read(self, desired: Desired, *, governed: bool = True) -> Actual:
        """Everything that the desired state is compared with.

        Args:
            desired: what must be there.
            governed: whether to read the schemas of every topic that the bus answers for, not of these alone.

        Raises:
            KafkaUnavailableError, RegistryUnavailableError: no answer in time.
        """
        topics = self.topics()
        configs = self._configs({name: topic.config for name, topic in desired.topics.items() if name in topics})
        topics = {
            name: ActualTopic(topic.partitions, topic.replication_factor, configs.get(name, {}))
            for name, topic in topics.items()
        }
        ended = [grant.topic for grant in desired.ended if grant.topic in topics]
        left = self._left({name: topics[name].partitions for name in ended})
        return Actual(
            topics, self.rights(), self._schemas(desired, governed=governed), self.registry.compatibility(), left
        )

    def _configs(self, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
        if not wanted:
            return {}
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
        futures = self.admin.describe_configs(asked, request_timeout=self.settings.request_timeout_s)
        found = {}
        for resource, future in futures.items():
            entries = self.wait(future, f"cannot read the configuration of {resource.name}")
            found[resource.name] = {
                key: entries[key].value for key in wanted[resource.name] if key in entries and entries[key].value
            }
        return found

    def rights(self) -> frozenset[Right]:
        """Every access rule."""
        future = self.admin.describe_acls(everything(), request_timeout=self.settings.request_timeout_s)
        return frozenset(right_of(binding) for binding in self.wait(future, "cannot read the access rules"))

    def _left(self, partitions: Mapping[str, int]) -> dict[str, int]:
        timeout = self.settings.request_timeout_s
        places = [(name, number) for name, count in partitions.items() for number in range(count)]
        starts, ends = start_offsets(self.admin, places, timeout), end_offsets(self.admin, places, timeout)
        left = dict.fromkeys(partitions, 0)
        for place in places:
            left[place[0]] += ends[place] - starts[place]
        return left

    def _schemas(self, desired: Desired, *, governed: bool) -> dict[str, tuple[str, ...]]:
        known = self.registry.subjects()
        there = self._envelopes({name: desired.schemas[name] for name in known if _is_envelope(name, desired)})
        asked = [
            name
            for name in known
            if name not in there and (name in desired.schemas or (governed and name.startswith(GOVERNED)))
        ]
        return there | dict(zip(asked, _in_threads(self.registry.versions, asked), strict=True))

    def _envelopes(self, wanted: Mapping[str, tuple[Codec, ...]]) -> dict[str, tuple[str, ...]]:
        """Of topics with an envelope of the bus, those that have it: a few questions, however many agencies there are."""
        topics: dict[str, list[str]] = {}
        codecs: dict[str, Codec] = {}
        for name, (codec,) in wanted.items():
            topics.setdefault(codec.text, []).append(name)
            codecs[codec.text] = codec
        holders = _in_threads(lambda text: self.registry.holders(codecs[text], topics[text]), topics)
        return {name: (text,) for text, names in zip(topics, holders, strict=True) for name in names}


def _is_envelope(topic: str, desired: Desired) -> bool:
    """Whether all that is asked of a topic's schemas is that one of them is a certain one of the bus's own."""
    return not topic.startswith(GOVERNED) and len(desired.schemas.get(topic, ())) == 1


def _in_threads(call: Callable[[str], T], arguments: Iterable[str]) -> list[T]:
    """Ask the registry about many topics at a time: each answer takes some milliseconds of waiting."""
    with ThreadPoolExecutor(_REGISTRY_THREADS) as pool:
        return list(pool.map(call, arguments))
