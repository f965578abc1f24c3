"""Takes the register's decisions to Kafka: what must exist first, then the events, then what may go.

Numbered steps of one pass, each of which a kill may interrupt: 1 look what waits, 2 make what it needs (topics,
schemas, rights), 3 to 8 the events in one Kafka transaction (`bus/wire/transaction.py` from 4 on), 9 note that they
are sent, 10 take away what ended. What was interrupted is done again by the next pass: the same fact is the same
bytes under the same key, and only the newest version of a key goes out, so a repeat means the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bus.keys.store import create_keys, key_file
from bus.provision.actual import Cluster
from bus.provision.apply import add, look, raise_refused
from bus.provision.desired import Desired, desired
from bus.provision.ending import finish
from bus.provision.plan import Plan
from bus.topics import record_topic, register_topic
from bus.wire.clients import OnStep, no_step
from bus.wire.table import end_offsets
from bus.wire.transaction import AbortedError, Transactions
from compliance.events import to_event
from compliance.models import Grant, GrantState, RegisterModel
from compliance.register.outbox import Waiting, mark_sent, waiting
from compliance.register.service import Register
from processors.batch import Outgoing
from schemas.errors import FencedError, IncompatibleSchemaError, KafkaUnavailableError, KeyStoreError, RefusedError
from schemas.resource import envelope

LOOK, PROVISION, WRITE = range(1, 4)
MARK, FINISH = 9, 10
TRANSACTIONAL_ID = "bus.register"
_TAKES_AWAY = frozenset({GrantState.SUSPENDED, GrantState.EXPIRED, GrantState.REVOKED, GrantState.ENDED})


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass did.

    Attributes:
        sent: the models that went out.
        steps: what was provisioned, one line each.
        open: whether something is left that a later pass must take away.
        due: when time alone will change what must exist; None when it cannot.
        refused: why what waits could not go out; endings went out nevertheless.
    """

    sent: tuple[RegisterModel, ...] = ()
    steps: tuple[str, ...] = ()
    open: bool = False
    due: datetime | None = None
    refused: str | None = None


class Relay:
    """One relay; whoever calls it holds the lock (`bus/register/lock.py`).

    Args:
        cluster: Kafka and the schema registry.
        register: whose outbox is relayed.
        on_step: called with the number of the step about to be taken; a fault test kills here.
    """

    def __init__(self, cluster: Cluster, register: Register, on_step: OnStep = no_step) -> None:
        self._cluster = cluster
        self._register = register
        self._on_step = on_step
        # What the last whole pass found or made; a decision then asks only for what it adds to it.
        self._stands: Desired | None = None
        # The writer of the last pass: the next one need not begin with fencing an earlier one.
        self._writer: Transactions | None = None

    def waiting(self) -> tuple[Waiting, ...]:
        """What waits among the facts that the register's view has taken over."""
        self._register.view()
        return waiting(self._register.engine, self._register.seen)

    def run(self) -> Passed:
        """One pass: publish what waits, and make what is there into what must be there.

        Raises:
            KafkaUnavailableError, RegistryUnavailableError, DeadlineError: the bus cannot now; what was not noted as
                sent waits for the next pass.
        """
        self._on_step(LOOK)
        found = self.waiting()
        view, cluster = self._register.view(), self._cluster
        wanted = desired(view, cluster.settings, datetime.now(UTC))
        stands, self._stands = self._stands, None
        plan = look(cluster, wanted) if stands is None else _look_at_news(cluster, wanted, stands)
        try:
            raise_refused(plan)
        except (RefusedError, IncompatibleSchemaError) as error:
            # What cannot be provisioned must not keep a revocation waiting.
            endings = [one for one in found if isinstance(one.model, Grant) and one.model.state in _TAKES_AWAY]
            return Passed(self.send(endings), refused=str(error))
        keep_keys(cluster)
        self._on_step(PROVISION)
        add(cluster, plan)
        sent = self.send(found)
        self._on_step(FINISH)
        steps = [str(step) for step in plan.additions]
        left = False
        if stands is None or wanted.rights != stands.rights or _ended(wanted) != _ended(stands):
            plan = look(cluster, wanted) if stands is not None else plan
            done = finish(cluster, plan, view, patient=False)
            steps += [str(step) for step in done]
            left = len(done) < len(plan.removals) + len(plan.disposals)
        self._stands = None if left else wanted
        return Passed(sent, tuple(steps), left, min(wanted.due.values(), default=None))

    def send(self, found: Sequence[Waiting]) -> tuple[RegisterModel, ...]:
        """Write the events and note that they are sent; what they need is there already.

        Raises:
            KafkaUnavailableError, NotProvisionedError, FencedError: nothing is noted as sent.
        """
        models = tuple(one.model for one in found)
        self._on_step(WRITE)
        self._write(models)
        self._on_step(MARK)
        mark_sent(self._register.engine, [fact for one in found for fact in one.facts], datetime.now(UTC))
        return models

    def _write(self, models: Sequence[RegisterModel]) -> None:
        writer, self._writer = self._writer, None
        try:
            self._writer = write_events(self._cluster, models, self._on_step, writer)
        except FencedError:
            if writer is None:
                raise
            # Somebody else published since our last pass, and has let the lock go: the turn is ours again.
            self._writer = write_events(self._cluster, models, self._on_step)


def _look_at_news(cluster: Cluster, wanted: Desired, stands: Desired) -> Plan:
    """What is to be added for what was decided since everything was looked at; what others changed is not seen here."""
    news = Desired(
        {name: topic for name, topic in wanted.topics.items() if stands.topics.get(name) != topic},
        wanted.rights - stands.rights,
        {name: codecs for name, codecs in wanted.schemas.items() if _texts(stands, name) != _texts(wanted, name)},
    )
    if not (news.topics or news.rights or news.schemas):
        return Plan()
    plan = look(cluster, news, governed=False)
    return Plan(plan.additions, refused=plan.refused, incompatible=plan.incompatible)


def _texts(one: Desired, topic: str) -> list[str]:
    return [codec.text for codec in one.schemas.get(topic, ())]


def _ended(one: Desired) -> set[str]:
    return {grant.id for grant in one.ended}


def write_events(
    cluster: Cluster, models: Sequence[RegisterModel], on_step: OnStep = no_step, writer: Transactions | None = None
) -> Transactions | None:
    """Write entries to the register's topics, all of them or none; returns when the brokers have them.

    The transactional id is one for all: whoever begins to write fences an earlier writer that hangs, and no reader
    sees half.

    Args:
        cluster: Kafka and the schema registry.
        models: what to write.
        on_step: called with the number of each step of the transaction.
        writer: what the last call returned, to go on with; None begins anew.

    Raises:
        KafkaUnavailableError: a write was not acknowledged in time.
        FencedError: another relay took over.
    """
    if not models:
        return writer
    outgoing: dict[str, list[Outgoing]] = {}
    for model in models:
        topic, codec = register_topic(model.kind), envelope(f"register_{model.kind}")
        value = cluster.registry.head(topic, codec) + codec.encode(to_event(model))
        outgoing.setdefault(topic, []).append({"key": model.key.encode(), "value": value, "partition": 0})
    if writer is None:
        writer = Transactions(cluster.settings, cluster.principal, TRANSACTIONAL_ID, on_step)
        writer.start()
    else:
        writer.renew()
    try:
        writer.run(outgoing, {}, None)
    except AbortedError:
        raise KafkaUnavailableError("cannot write the register: the transaction was aborted; ask again") from None
    return writer


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
