"""`bus init` and `bus register apply`: the register's events, and what must exist before and after them.

Additions come before the events, so that deliver finds topic, schema and rights of a grant that becomes active;
removals come after them, so that a grant's end is read before its subscriber's right goes (decisions 22).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Message

from bus.keys.store import create_keys, key_file
from bus.provision.actual import Cluster
from bus.provision.apply import add, look, raise_refused
from bus.provision.desired import desired
from bus.provision.ending import finish
from bus.settings import Settings
from bus.topics import REGISTER, record_topic, register_topic
from bus.wire.clients import producer
from bus.wire.errors import unavailable
from bus.wire.feed import RegisterFeed
from bus.wire.table import end_offsets
from compliance.difference import Action, Difference, after, check, difference
from compliance.events import to_event
from compliance.models import RegisterModel
from compliance.registerfile import read_register_file
from compliance.view import RegisterView
from schemas.errors import KafkaUnavailableError, KeyStoreError
from schemas.resource import envelope


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, or would be.

    Attributes:
        differences: entries of the file against the register; empty for `bus init`.
        steps: what changes on Kafka and in the registry, one line each.
        warnings: what people should look at.
        dry_run: whether nothing was changed.
    """

    differences: tuple[Difference, ...]
    steps: tuple[str, ...]
    warnings: tuple[str, ...]
    dry_run: bool


def read_register(cluster: Cluster) -> RegisterView:
    """The register as it stands on Kafka; empty while its topics do not exist."""
    if not {kind.pattern for kind in REGISTER} <= cluster.topics().keys():
        return RegisterView()
    feed = RegisterFeed(cluster.settings, cluster.principal, cluster.registry)
    try:
        feed.open()
    finally:
        feed.close()
    return feed.view


def keep_keys(cluster: Cluster) -> None:
    """Make the key store where there is none yet, and nothing is sealed either.

    Raises:
        KeyStoreError: the store is missing although records stand here that only its keys open.
    """
    if not key_file(cluster.settings.state_dir).exists():
        places = [
            (name, part)
            for name, topic in cluster.topics().items()
            if name.startswith(record_topic(""))
            for part in range(topic.partitions)
        ]
        if any(end_offsets(cluster.admin, places, cluster.settings.request_timeout_s).values()):
            raise KeyStoreError(
                f"{key_file(cluster.settings.state_dir)} is missing, but records are sealed with its keys: "
                "put the backup in its place"
            )
    create_keys(cluster.settings.state_dir)


def init(settings: Settings, *, dry_run: bool = False) -> Report:
    """Make everything exist that the present register asks for.

    Raises:
        RefusedError, IncompatibleSchemaError: something may not be changed; nothing was.
        KafkaUnavailableError, RegistryUnavailableError, DeadlineError: the bus cannot now.
    """
    cluster = Cluster(settings)
    view = read_register(cluster)
    plan = look(cluster, desired(view, settings, datetime.now(UTC)))
    if dry_run:
        raise_refused(plan)
    else:
        keep_keys(cluster)
        add(cluster, plan)
        finish(cluster, plan, view)
    return Report((), tuple(str(step) for step in plan.steps), plan.warnings, dry_run)


def apply_register_file(settings: Settings, path: Path, *, dry_run: bool = False) -> Report:
    """Apply a register file: check, provision, write the events, end what has ended.

    Raises:
        RegisterFileError: the file has errors, each with line and column; nothing was changed.
        RefusedError, IncompatibleSchemaError, KafkaUnavailableError, RegistryUnavailableError, DeadlineError:
            as `init`.
    """
    file = read_register_file(path)
    cluster = Cluster(settings)
    view = read_register(cluster)
    now = datetime.now(UTC)
    check(view, file, now)
    differences = difference(view, file)
    then = after(view, file)
    plan = look(cluster, desired(then, settings, now))
    if dry_run:
        raise_refused(plan)
    else:
        keep_keys(cluster)
        add(cluster, plan)
        write_events(cluster, [found.model for found in differences if found.action is not Action.SAME])
        finish(cluster, plan, then)
    return Report(differences, tuple(str(step) for step in plan.steps), plan.warnings, dry_run)


def write_events(cluster: Cluster, models: list[RegisterModel]) -> None:
    """Write entries to the register; returns when the brokers have them all.

    Raises:
        KafkaUnavailableError: a write was not acknowledged in time.
    """
    failed: list[KafkaError] = []

    def told(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error)

    writer = producer(cluster.settings, cluster.principal)
    for model in models:
        topic, codec = register_topic(model.kind), envelope(f"register_{model.kind}")
        value = cluster.registry.head(topic, codec) + codec.encode(to_event(model))
        writer.produce(topic, key=model.key.encode(), value=value, partition=0, on_delivery=told)
    left = writer.flush(cluster.settings.request_timeout_s)
    if failed:
        raise unavailable("cannot write the register", KafkaException(failed[0]))
    if left:
        raise KafkaUnavailableError(f"{left} register event(s) were not acknowledged in time")
