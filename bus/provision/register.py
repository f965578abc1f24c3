"""`bus init` and `bus register apply`: what people decided, into the database, and from there to Kafka.

A register file's differences against the database become facts in one transaction, and the relay takes them to Kafka
at once (`bus/register/relay.py`). Additions come before the events, so that deliver finds topic, schema and rights of
a grant that becomes active; removals come after them, so that a grant's end is read before its subscriber's right
goes (decisions 22). Nothing is recorded that could not be provisioned, or while Kafka does not answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bus.provision.actual import Cluster
from bus.provision.apply import add, look, raise_refused
from bus.provision.desired import desired
from bus.provision.ending import finish
from bus.provision.plan import Plan
from bus.register.lock import relay_lock
from bus.register.place import opened, opened_if_there
from bus.register.relay import Relay, keep_keys
from bus.settings import Settings
from bus.topics import register_topic
from bus.wire.feed import RegisterFeed
from compliance.difference import Action, Difference, after, check, difference
from compliance.models import MODELS
from compliance.register.outbox import compare
from compliance.register.service import Register
from compliance.registerfile import read_register_file
from compliance.roles import Actor, Role
from compliance.view import RegisterView
from schemas.errors import DeadlineError

_ATTEMPTS = 5


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
    """The register as it stands on Kafka; empty while its topics do not exist, without a kind that has none yet."""
    there = cluster.topics().keys()
    kinds = [kind for kind in MODELS if register_topic(kind) in there]
    if not kinds:
        return RegisterView()
    feed = RegisterFeed(cluster.settings, cluster.principal, cluster.registry, kinds)
    try:
        feed.open()
    finally:
        feed.close()
    return feed.view


def init(settings: Settings, *, dry_run: bool = False) -> Report:
    """Make everything exist that the present register asks for, and send what still waits.

    Raises:
        RefusedError, IncompatibleSchemaError: something may not be changed; nothing was.
        KafkaUnavailableError, RegistryUnavailableError, RegisterUnavailableError, DeadlineError: the bus cannot now.
    """
    cluster = Cluster(settings)
    if dry_run:
        view = _expected(settings, read_register(cluster))
        plan = look(cluster, desired(view, settings, datetime.now(UTC)))
        raise_refused(plan)
        return Report((), tuple(str(step) for step in plan.steps), plan.warnings, dry_run)
    with publishing(settings, cluster) as register:
        view = register.view()
        plan = look(cluster, desired(view, settings, datetime.now(UTC)))
        raise_refused(plan)
        keep_keys(cluster)
        add(cluster, plan)
        _send_and_finish(cluster, register, plan, view)
    return Report((), tuple(str(step) for step in plan.steps), plan.warnings, dry_run)


def apply_register_file(settings: Settings, path: Path, *, dry_run: bool = False, account: str = "operator") -> Report:
    """Apply a register file: check, provision, record, write the events, end what has ended.

    Args:
        settings: of the bus.
        path: the file.
        dry_run: change nothing.
        account: who applies it; the role is the operator's.

    Raises:
        RegisterFileError: the file has errors, each with line and column; nothing was changed.
        RefusedError, IncompatibleSchemaError, KafkaUnavailableError, RegistryUnavailableError,
        RegisterUnavailableError, DeadlineError: as `init`.
    """
    file = read_register_file(path)
    cluster = Cluster(settings)
    if dry_run:
        now = datetime.now(UTC)
        view = _expected(settings, read_register(cluster))
        check(view, file, now)
        plan = look(cluster, desired(after(view, file), settings, now))
        raise_refused(plan)
        return Report(difference(view, file), tuple(str(step) for step in plan.steps), plan.warnings, dry_run)
    actor = Actor(account=account, role=Role.OPERATOR_CITY)
    with publishing(settings, cluster) as register:
        for _ in range(_ATTEMPTS):
            now, view = datetime.now(UTC), register.view()
            check(view, file, now)
            differences, then = difference(view, file), after(view, file)
            plan = look(cluster, desired(then, settings, now))
            raise_refused(plan)
            keep_keys(cluster)
            add(cluster, plan)
            changed = [found.model for found in differences if found.action is not Action.SAME]
            if not changed or register.put(changed, actor, now, seen=register.seen):
                _send_and_finish(cluster, register, plan, then)
                return Report(differences, tuple(str(step) for step in plan.steps), plan.warnings, dry_run)
    raise DeadlineError("the register was changed by others again and again; apply the file again")


@contextmanager
def publishing(settings: Settings, cluster: Cluster) -> Iterator[Register]:
    """The register for one who publishes: no other relay does meanwhile, and it knows what Kafka's register holds.

    Raises:
        KafkaUnavailableError, RegistryUnavailableError, RegisterUnavailableError, DeadlineError: not now.
    """
    # As long as another may work: it provisions, writes, and may wait for deliver to stop.
    seconds = 4 * settings.request_timeout_s + 2 * settings.session_timeout_ms / 1000
    with opened(settings) as register, relay_lock(register.engine, seconds):
        register.reconcile(read_register(cluster), datetime.now(UTC))
        yield register


def _expected(settings: Settings, kafka: RegisterView) -> RegisterView:
    """The register as the database holds it, with what it would adopt from Kafka; nothing is written."""
    with opened_if_there(settings) as register:
        if register is None:
            return kafka
        view = register.view().copy()
        with register.engine.connect() as connection:
            found = compare(connection, kafka)
        for model in found.adopt:
            view.apply(model.kind, model.key, model)
        return view


def _send_and_finish(cluster: Cluster, register: Register, plan: Plan, view: RegisterView) -> None:
    relay = Relay(cluster, register)
    relay.send(relay.waiting())
    finish(cluster, plan, view)
