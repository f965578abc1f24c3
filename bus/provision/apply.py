"""Make what is there into what must be there, in the order in which nothing is ever open too wide.

1. topics and their settings, 2. schemas, 3. rights to give; then, where grants have ended, `bus/provision/ending.py`
takes away. Each step may be done again without harm, so an interrupted run is finished by the next.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._config import (  # their public home re-exports them without saying so
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.admin._resource import ResourceType  # as above
from confluent_kafka.cimpl import NewTopic

from bus.provision.actual import Cluster
from bus.provision.binding import binding_of, filter_of
from bus.provision.desired import Desired, Topic
from bus.provision.plan import (
    AddRight,
    ChangeConfig,
    CreateTopic,
    EnforceCompatibility,
    Plan,
    RegisterSchema,
    RemoveRight,
    Step,
    make_plan,
)
from bus.provision.rights import Right
from bus.wire.deadline import Deadline
from bus.wire.errors import kafka_error, no_answer, unavailable
from schemas.errors import IncompatibleSchemaError, KafkaUnavailableError, NotProvisionedError, RefusedError

_LOOK_EVERY_S = 0.05


def look(cluster: Cluster, desired: Desired, *, governed: bool = True) -> Plan:
    """Read what is there and plan the difference; schemas that the registry would refuse are found here already.

    Args:
        cluster: Kafka and the registry.
        desired: what must be there.
        governed: whether to read the schemas of every topic that the bus answers for, not of these alone.

    Raises:
        KafkaUnavailableError, RegistryUnavailableError: no answer in time.
    """
    actual = cluster.read(desired, governed=governed)
    plan = make_plan(desired, actual)
    incompatible = tuple(
        f"{step.topic}-value: the registry refuses the schema as incompatible with an earlier version (Art 40)"
        for step in plan.additions
        if isinstance(step, RegisterSchema) and step.topic in actual.schemas and not _fits(cluster, step)
    )
    return Plan(plan.additions, plan.removals, plan.disposals, plan.refused, incompatible, plan.warnings)


def _fits(cluster: Cluster, step: RegisterSchema) -> bool:
    return cluster.registry.fits(step.topic, step.codec)


def raise_refused(plan: Plan) -> None:
    """Nothing of a plan is applied while a part of it is refused.

    Raises:
        RefusedError, IncompatibleSchemaError: with every sentence.
    """
    if plan.refused:
        raise RefusedError("\n".join((*plan.refused, *plan.incompatible)))
    if plan.incompatible:
        raise IncompatibleSchemaError("\n".join(plan.incompatible))


def add(cluster: Cluster, plan: Plan) -> tuple[Step, ...]:
    """Steps 1 to 3; the steps that were done.

    Raises:
        RefusedError, IncompatibleSchemaError: a part of the plan may not be; nothing was done.
        KafkaUnavailableError, RegistryUnavailableError, DeadlineError: naming the step that failed.
    """
    raise_refused(plan)
    _create(cluster, [step.topic for step in plan.additions if isinstance(step, CreateTopic)])
    _configure(cluster, [step for step in plan.additions if isinstance(step, ChangeConfig)])
    for step in plan.additions:
        if isinstance(step, EnforceCompatibility):
            cluster.registry.enforce_compatibility()
        elif isinstance(step, RegisterSchema):
            cluster.registry.register(step.topic, step.codec)
    _allow(cluster, [step.right for step in plan.additions if isinstance(step, AddRight)])
    return plan.additions


def take_away(cluster: Cluster, steps: Sequence[RemoveRight]) -> tuple[Step, ...]:
    """Remove access rules, and wait until the broker no longer knows them.

    Raises:
        KafkaUnavailableError, DeadlineError: naming the rule.
    """
    if not steps:
        return ()
    rights = [step.right for step in steps]
    futures = cluster.admin.delete_acls(
        [filter_of(right) for right in rights], request_timeout=cluster.settings.request_timeout_s
    )
    for right, future in zip(rights, futures.values(), strict=True):
        cluster.wait(future, f"cannot take away {right}")
    _until(cluster, "taking rights away", lambda: not cluster.rights() & set(rights))
    return tuple(steps)


def delete_topics(cluster: Cluster, names: Iterable[str]) -> None:
    """Delete topics, and wait until they are gone.

    Raises:
        KafkaUnavailableError, DeadlineError: naming the topic.
    """
    wanted = list(names)
    if not wanted:
        return
    futures = cluster.admin.delete_topics(wanted, request_timeout=cluster.settings.request_timeout_s)
    for name, future in futures.items():
        _done(cluster, future, f"cannot delete topic {name}", unless=KafkaError.UNKNOWN_TOPIC_OR_PART)
    _until(cluster, f"deleting {', '.join(wanted)}", lambda: not cluster.topics().keys() & set(wanted))


def set_config(cluster: Cluster, name: str, values: dict[str, str]) -> None:
    """Set some of a topic's settings; the others stay.

    Raises:
        KafkaUnavailableError: naming the topic.
    """
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in values.items()]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    futures = cluster.admin.incremental_alter_configs([resource], request_timeout=cluster.settings.request_timeout_s)
    for future in futures.values():
        cluster.wait(future, f"cannot configure topic {name}")


def _create(cluster: Cluster, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    new = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=topic.replication_factor,
            config=dict(topic.config),
        )
        for topic in topics
    ]
    futures = cluster.admin.create_topics(new, request_timeout=cluster.settings.request_timeout_s)
    for name, future in futures.items():
        # Somebody else who provisions at the same moment makes the same topic.
        _done(cluster, future, f"cannot create topic {name}", unless=KafkaError.TOPIC_ALREADY_EXISTS)
    names = {topic.name for topic in topics}
    # The controller has them; a client may only use them once the brokers have heard.
    _until(cluster, "creating topics", lambda: cluster.topics().keys() >= names)


def _configure(cluster: Cluster, steps: Iterable[ChangeConfig]) -> None:
    for step in steps:
        set_config(cluster, step.topic, {key: value for key, _, value in step.changes})


def _allow(cluster: Cluster, rights: Sequence[Right]) -> None:
    if not rights:
        return
    futures = cluster.admin.create_acls(
        [binding_of(right) for right in rights], request_timeout=cluster.settings.request_timeout_s
    )
    for right, future in zip(rights, futures.values(), strict=True):
        cluster.wait(future, f"cannot allow {right}")
    _until(cluster, "giving rights", lambda: cluster.rights() >= set(rights))


def _done(cluster: Cluster, future: Future[None], what: str, unless: int) -> None:
    """Wait for a call whose effect may be there already."""
    try:
        future.result(cluster.settings.request_timeout_s)
    except KafkaException as error:
        inner = kafka_error(error)
        if inner.code() == unless:
            return
        known = unavailable(what, error)
        if isinstance(known, KafkaUnavailableError | NotProvisionedError):
            # The broker's own words name the setting or name that it does not take.
            raise type(known)(f"{what}: {inner.str()}") from None
        raise known from None
    except TimeoutError:
        raise no_answer(what, "time-out") from None


def _until(cluster: Cluster, what: str, holds: Callable[[], bool]) -> None:
    """Look until it holds.

    Raises:
        DeadlineError: it did not in time.
    """
    deadline = Deadline(cluster.settings.request_timeout_s, what)
    while not holds():
        deadline.check()
        time.sleep(_LOOK_EVERY_S)
