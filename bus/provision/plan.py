"""What must change so that what is there becomes what must be there; a pure function over plain values.

Never planned: fewer or more partitions (a subject's order would break, decisions 17), a change of what others made on
the same Kafka, the deletion of a topic (only an ended grant's disposal does that, see `bus/provision/ending.py`).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from bus.provision.actual import Actual
from bus.provision.desired import GOVERNED, Desired, Topic
from bus.provision.rights import Right
from bus.wire.registry import COMPATIBILITY
from compliance.models import Grant
from schemas.codec import Codec


@dataclass(frozen=True, slots=True)
class CreateTopic:
    """A topic is missing."""

    topic: Topic

    def __str__(self) -> str:
        """One line for people."""
        config = ", ".join(f"{key}={value}" for key, value in sorted(self.topic.config.items()))
        return f"create topic {self.topic.name} with {self.topic.partitions} partition(s), {config}"


@dataclass(frozen=True, slots=True)
class ChangeConfig:
    """A topic's settings differ; `changes` are (key, old value or empty, new value)."""

    topic: str
    changes: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        """One line for people."""
        return f"configure topic {self.topic}: " + ", ".join(
            f"{k} {old or '–'} → {new}" for k, old, new in self.changes
        )


@dataclass(frozen=True, slots=True)
class RegisterSchema:
    """A value schema is missing in the registry."""

    topic: str
    codec: Codec

    def __str__(self) -> str:
        """One line for people."""
        return f"register schema {self.topic}-value {self.codec.fingerprint[:12]}"


@dataclass(frozen=True, slots=True)
class AddRight:
    """An access rule is missing."""

    right: Right

    def __str__(self) -> str:
        """One line for people."""
        return f"allow {self.right}"


@dataclass(frozen=True, slots=True)
class RemoveRight:
    """An access rule is no longer asked for."""

    right: Right

    def __str__(self) -> str:
        """One line for people."""
        return f"take away {self.right}"


@dataclass(frozen=True, slots=True)
class EnforceCompatibility:
    """The registry does not hold schemas to FULL_TRANSITIVE."""

    def __str__(self) -> str:
        """One line for people."""
        return f"hold the registry's schemas to {COMPATIBILITY}"


@dataclass(frozen=True, slots=True)
class Dispose:
    """The delivery topic of an ended grant is still there; `how` is DELETE or PURGE, as the grant says."""

    grant: Grant
    how: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.how.lower()} topic {self.grant.topic} of ended grant {self.grant.id}"


Step = EnforceCompatibility | CreateTopic | ChangeConfig | RegisterSchema | AddRight | RemoveRight | Dispose


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference.

    Attributes:
        additions: topics, settings, schemas, rights to give, in the order in which it is safe.
        removals: rights to take away.
        disposals: topics of ended grants to delete or empty, after their readers' rights.
        refused: what must change but may not, each a sentence; nothing is applied while there is any.
        incompatible: schemas that the registry would refuse, each a sentence; as above.
        warnings: what people should look at, each a sentence.
    """

    additions: tuple[Step, ...] = ()
    removals: tuple[RemoveRight, ...] = ()
    disposals: tuple[Dispose, ...] = ()
    refused: tuple[str, ...] = ()
    incompatible: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether everything is as it must be."""
        return not (self.steps or self.refused or self.incompatible)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything to do, in order."""
        return (*self.additions, *self.removals, *self.disposals)


def make_plan(desired: Desired, actual: Actual) -> Plan:
    """The difference between what must be and what is."""
    creations: list[Step] = []
    configs: list[Step] = []
    refused = list(_collisions(desired, actual))
    warnings: list[str] = []
    for name, topic in desired.topics.items():
        there = actual.topics.get(name)
        if there is None:
            creations.append(CreateTopic(topic))
            continue
        if there.partitions != topic.partitions:
            refused.append(
                f"topic {name} has {there.partitions} partitions and its catalogue entry says {topic.partitions}: "
                "the number never changes after creation, or a subject's order would break (decisions 17)"
            )
        if there.replication_factor < topic.replication_factor:
            warnings.append(
                f"topic {name} has {there.replication_factor} replicas and BUS_REPLICATION_FACTOR says "
                f"{topic.replication_factor}: reassign its partitions with Kafka's own tools"
            )
        changes = tuple(
            (key, there.config.get(key, ""), value)
            for key, value in sorted(topic.config.items())
            if there.config.get(key) != value
        )
        if changes:
            configs.append(ChangeConfig(name, changes))
    schemas = [
        RegisterSchema(name, codec)
        for name, codecs in desired.schemas.items()
        for codec in codecs
        if not _holds(actual.schemas.get(name, ()), codec)
    ]
    rights = [AddRight(right) for right in sorted(desired.rights - actual.rights)]
    gone = [RemoveRight(right) for right in sorted(actual.rights - desired.rights) if right.managed]
    warnings += [*_foreign(desired, actual), *_unexplained(desired, actual)]
    rule: list[Step] = [] if actual.compatibility == COMPATIBILITY else [EnforceCompatibility()]
    return Plan(
        additions=(*rule, *creations, *configs, *schemas, *rights),
        removals=tuple(gone),
        disposals=tuple(_disposals(desired, actual)),
        refused=tuple(refused),
        warnings=tuple(warnings),
    )


def _collisions(desired: Desired, actual: Actual) -> Iterator[str]:
    """Names that cannot be side by side: Kafka takes `.` and `_` for the same, since its metrics' names do."""
    known = {name.replace(".", "_"): name for name in actual.topics}
    for name in desired.topics:
        other = known.setdefault(name.replace(".", "_"), name)
        if other != name:
            yield (
                f"topic {name} cannot be beside topic {other}: Kafka takes `.` and `_` in a name for the same; choose "
                "another code for the agency or the resource"
            )


def _disposals(desired: Desired, actual: Actual) -> Iterator[Dispose]:
    """What is still there of ended grants and should not be; RETAIN keeps topic and content, unread."""
    for grant in desired.ended:
        if grant.topic not in actual.topics:
            continue
        if grant.disposal == "DELETE" or (grant.disposal == "PURGE" and actual.left.get(grant.topic)):
            yield Dispose(grant, grant.disposal)


def _foreign(desired: Desired, actual: Actual) -> Iterator[str]:
    """What others do on the same Kafka: exchanges outside the bus that Art 10 wants to know of."""
    strangers: dict[str, list[str]] = {}
    for right in sorted(actual.rights - desired.rights):
        if not right.managed:
            strangers.setdefault(right.principal, []).append(str(right).removeprefix(f"{right.principal} "))
    for principal, rights in strangers.items():
        yield f"foreign principal {principal} has rights that the register does not know (Art 10): {'; '.join(rights)}"


def _unexplained(desired: Desired, actual: Actual) -> Iterator[str]:
    """Schemas without an approved catalogue change behind them (Art 40)."""
    for name, texts in actual.schemas.items():
        if not name.startswith(GOVERNED):
            continue
        known = [codec.schema for codec in (*desired.schemas.get(name, ()), *desired.known.get(name, ()))]
        strange = sum(json.loads(text) not in known for text in texts)
        if strange:
            yield f"subject {name}-value has {strange} schema(s) that no catalogue version knows (Art 40)"


def _holds(texts: tuple[str, ...], codec: Codec) -> bool:
    return any(text == codec.text or json.loads(text) == codec.schema for text in texts)
