"""The Faust app around the rules, and the three things in which it differs from Faust's own ways.

1. **No offset is committed, and none is read.** Faust's book of acknowledged offsets errs where a partition has gaps
   (faust-streaming issues 312, 378 and 606), and each transaction of admit leaves a gap on `pulse`. Positions stand in
   `freshness` beside the state that they belong to; the consumer is set there whenever partitions come.
2. **One worker gets all partitions.** A source's pulses, heartbeats and declarations lie in three topics and are folded
   into one state. The others of the group stand by.
3. **Read-committed.** A pulse of an aborted transaction of admit is about nothing.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import aiokafka
import faust
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import Message
from mode.threads import WorkerThread

from bus.settings import Settings
from bus.wire.clients import Principal
from bus.wire.deadline import Deadline
from processors.batch import InMessage

GROUP = "bus.freshness"
_METADATA_MS = 3_000
_LEADS = b"leads"

TakeUp = Callable[[int, Collection[tuple[str, int]]], Awaitable[Mapping[tuple[str, int], int]]]
"""Called when partitions came, with the group's generation and all of them; answers where to go on."""
Observe = Callable[[InMessage, int], None]
"""Called with each message and the generation that it was read in."""


class AllToOne(AbstractPartitionAssignor):  # type: ignore[misc]  # the client leaves it untyped
    """Gives every partition to one member: to the one that leads already, else to the one whose id comes first.

    Args:
        leads: whether this process leads now.
    """

    name = "bus-all-to-one"
    version = 0

    def __init__(self, leads: Callable[[], bool]) -> None:
        self._leads = leads

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """See the class; what only another member has subscribed to waits until all have."""
        leader = min(members, key=lambda member: (members[member].user_data != _LEADS, member))
        topics = [
            (topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in sorted(members[leader].subscription)
        ]
        return {
            member: ConsumerProtocolMemberAssignment(self.version, topics if member == leader else [], b"")
            for member in members
        }

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """A member's subscription, and whether it leads."""
        return ConsumerProtocolMemberMetadata(self.version, list(topics), _LEADS if self._leads() else b"")

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing is remembered between assignments."""


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread with the Kafka client."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        del transport
        shell: Shell = self.app  # type: ignore[assignment]  # made for it alone
        settings = shell.bus_settings
        self._assignor = AllToOne(shell.leads)
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers.split(","),
            client_id=shell.principal_name,
            group_id=GROUP,
            security_protocol="SSL",
            ssl_context=shell.tls,
            partition_assignment_strategy=(self._assignor,),
            isolation_level="read_committed",
            # Where no position stands in `freshness` everything that is kept is read.
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=max(500, settings.session_timeout_ms // 5),
            request_timeout_ms=int(settings.request_timeout_s * 1000),
            metadata_max_age_ms=_METADATA_MS,
        )


class _Consumer(driver.Consumer):
    """A consumer that keeps no book of acknowledgements."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Go on where the table says; Faust calls this before it lets messages of new partitions through."""
        shell: Shell = self.app  # type: ignore[assignment]  # made for it alone
        places = self.assignment()
        if not places:
            return
        found = await shell.take_up(shell.consumer_generation_id, [(place.topic, place.partition) for place in places])
        for place in places:
            self._read_offset.pop(place, None)
        await self.seek_wait({place: found[place.topic, place.partition] for place in places})

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit nothing: see the module."""
        del offsets
        return False

    def track_message(self, message: Message) -> None:
        """Remember nothing of it, so that memory does not grow."""

    def ack(self, message: Message) -> bool:
        """Likewise."""
        del message
        return False


class _Transport(driver.Transport):
    """Faust's driver for aiokafka with the consumer of above."""

    Consumer = _Consumer


class Shell(faust.App):
    """The app.

    Args:
        settings: where Kafka is.
        principal: who reads.
        topics: what is read, each of one partition or more.
        leads: whether this process leads.
        take_up: what to do when partitions came.
        observe: what to do with a message.
    """

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        topics: Sequence[str],
        leads: Callable[[], bool],
        take_up: TakeUp,
        observe: Observe,
    ) -> None:
        principal.require()
        self.bus_settings, self.principal_name = settings, principal.name
        self.tls = ssl.create_default_context(cafile=str(principal.folder / "ca.crt"))
        self.tls.load_cert_chain(principal.folder / "tls.crt", principal.folder / "tls.key")
        self.leads, self.take_up, self._observe = leads, take_up, observe
        self.failed: BaseException | None = None
        super().__init__(
            GROUP,
            broker=[f"aiokafka://{server}" for server in settings.bootstrap_servers.split(",")],
            broker_credentials=faust.SSLCredentials(self.tls),
            broker_request_timeout=settings.request_timeout_s,
            broker_session_timeout=settings.session_timeout_ms / 1000,
            broker_heartbeat_interval=max(0.5, settings.session_timeout_ms / 5000),
            # Nothing is served, stored or made: metrics are the bus's own, topics are the register's.
            web_enabled=False,
            store="memory://",
            datadir=str(settings.state_dir / "run"),
            topic_allow_declare=False,
            topic_disable_leader=True,
        )
        self.transport = _Transport(self.conf.broker_consumer, self)
        raw: dict[str, Any] = {"key_serializer": "raw", "value_serializer": "raw"}
        self.agent(self.topic(*topics, acks=False, **raw), name="freshness")(self._read)

    async def _read(self, stream: Any) -> None:  # noqa: ANN401  Faust's stream
        async for event in stream.events():
            message = event.message
            try:
                self._observe(
                    InMessage(
                        message.topic,
                        message.partition,
                        message.offset,
                        round(message.timestamp * 1000),
                        message.key,
                        message.value,
                        {},
                    ),
                    message.generation_id,
                )
            except Exception as error:  # noqa: BLE001  Faust would log it and go on behind the message
                self.failed = error
                return

    @property
    def problem(self) -> BaseException | None:
        """Why it cannot go on; None while it can."""
        return self.failed or (self.crash_reason if self.crashed else None)

    async def at_end(self) -> bool:
        """Whether everything that Kafka has was fetched."""
        places = self.consumer.assignment()
        ends = await self.consumer.highwaters(*places)
        at = await asyncio.gather(*(self.consumer.position(place) for place in places))
        return all((here or 0) >= ends[place] for place, here in zip(places, at, strict=True))

    def ended(self, within_s: float) -> bool:
        """Whether the thread with the Kafka client has ended, which speaks to its maker's loop until then; waits for it."""
        deadline = Deadline(within_s, "the end of the freshness app's thread")
        for thread in threading.enumerate():
            if isinstance(thread, WorkerThread) and getattr(thread.service, "app", None) is self:
                thread.join(max(0.0, deadline.left))
                if thread.is_alive():
                    return False
        return True
