"""A new grant's catch-up: the current state first, then what came since, while everybody else's live path goes on.

One thread works one job (grant × partition) at a time with a reader and a transactional producer of its own:

1. STATE: read the partition's keys up to its present end; deliver what is the latest of its key; note each batch's
   progress in the transaction that delivers it.
2. CATCHING_UP: deliver what came since, in order.
3. When the live worker is at most `HANDOVER` records ahead, stop delivering, buffer them, and offer the job.
4. The live worker takes the offer between two batches: it delivers the buffered rest and writes the LIVE marker in
   one transaction of its own. From then on the grant is live on this partition.

Every transaction here sends an offset of a *carrier* partition with the live group's metadata: so when this worker has
lost its partitions, the broker refuses the commit, and the successor who asks for the carrier's offset waits until
what was in flight is decided (KIP-447).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from queue import SimpleQueue

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from bus.settings import Settings
from bus.topics import PROGRESS, record_topic
from bus.wire.clients import OnStep, Principal, consumer, no_step
from bus.wire.errors import passes, unavailable
from bus.wire.membership import Membership
from bus.wire.transaction import AbortedError, Transactions
from bus.workers.loop import Place
from bus.workers.progress import ProgressBook, Stand, Standing
from processors.deliver import Assignment, DeliverOutcome, Members, RecordMessage
from processors.projection import GrantPlan
from processors.snapshot import KeyIndex, current

HANDOVER = 1_000
_BATCH = 1_000
_IDLE_S = 0.05
CARRIER: Place = (PROGRESS.pattern, 0)


class JobState(StrEnum):
    """Who may deliver: the thread while COPYING; the live worker may take it while OFFERED, and has it while TAKEN."""

    COPYING = "COPYING"
    OFFERED = "OFFERED"
    TAKEN = "TAKEN"
    ENDED = "ENDED"


@dataclass(slots=True, eq=False)
class Job:
    """One grant on one partition.

    Attributes:
        standing: as last committed.
        members: of a row-scoped grant, as last committed.
        buffer: records read beyond the standing's position and not delivered yet, once offered.
        read_to: every record before this offset has been read.
    """

    plan: GrantPlan
    place: Place
    standing: Standing
    members: Members | None
    state: JobState = JobState.COPYING
    buffer: list[RecordMessage] = field(default_factory=list)
    read_to: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> tuple[str, int]:
        """Grant and partition."""
        return self.plan.grant.id, self.place[1]

    def take(self, live: int) -> list[RecordMessage] | None:
        """The rest before the live position, when the job is offered and its buffer reaches that far.

        The job may also be ahead of the live worker; then the rest is empty, and the live worker leaves out what this
        grant had already (`Standing.position`).
        """
        with self.lock:
            if self.state is not JobState.OFFERED or self.read_to < live:
                return None
            self.state = JobState.TAKEN
            return [record for record in self.buffer if record.offset < live]

    def give_back(self) -> None:
        """The live worker's transaction was aborted: the offer stands again."""
        with self.lock:
            if self.state is JobState.TAKEN:
                self.state = JobState.OFFERED


def record_message(message: Message) -> RecordMessage:
    """A client's message as the deliver processor takes it."""
    key, value = message.key(), message.value()
    return RecordMessage(
        message.offset() or 0, key if isinstance(key, bytes) else b"", value if isinstance(value, bytes) else None
    )


DeliverTo = Callable[[Place, Sequence[RecordMessage], Sequence[Assignment]], DeliverOutcome]


class CatchUp:
    """The thread that brings grants up to the live position.

    Args:
        settings: where Kafka is.
        principal: deliver.
        transactional_id: of this worker's catch-up producer.
        group: the live consumer's, whose metadata fence the transactions.
        deliver_to: projects records for assignments.
        live_position: the live worker's next offset on a place; None when it is not this worker's.
        book: words the markers.
        on_step: called with 10 + the number of each step of its transactions; a fault test kills here.
    """

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        transactional_id: str,
        group: Membership,
        deliver_to: DeliverTo,
        live_position: Callable[[Place], int | None],
        book: ProgressBook,
        on_step: OnStep = no_step,
    ) -> None:
        self._on_step = on_step
        self._settings = settings
        self._principal = principal
        self._transactional_id = transactional_id
        self._group = group
        self._deliver_to = deliver_to
        self._live_position = live_position
        self._book = book
        self._jobs: dict[tuple[str, int], Job] = {}
        self._jobs_lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._delivered: SimpleQueue[DeliverOutcome] = SimpleQueue()

    # -- called by the live worker -----------------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Begin a job, unless it runs already."""
        with self._jobs_lock:
            if job.key in self._jobs:
                return
            self._jobs[job.key] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="catch-up", daemon=True)
                self._thread.start()
        self._wake.set()

    def jobs(self) -> list[Job]:
        """The jobs that have not ended."""
        with self._jobs_lock:
            return list(self._jobs.values())

    def end(self, key: tuple[str, int]) -> Job | None:
        """End a job; when this returns, nothing more of it leaves. Waits for a transaction in flight."""
        with self._jobs_lock:
            job = self._jobs.pop(key, None)
        if job is not None:
            with job.lock:
                job.state = JobState.ENDED
        return job

    def check(self) -> None:
        """Raise in the live worker's thread what ended the catch-up thread."""
        if self._error is not None:
            raise self._error

    def take_delivered(self) -> list[DeliverOutcome]:
        """What was delivered since the last call, for the metrics."""
        return [self._delivered.get() for _ in range(self._delivered.qsize())]

    def close(self) -> None:
        """End all jobs and the thread."""
        self._stop.set()
        self._wake.set()
        for job in self.jobs():
            self.end(job.key)
        if self._thread is not None:
            self._thread.join(self._settings.stop_timeout_s)

    # -- the thread --------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            transactions = Transactions(
                self._settings, self._principal, self._transactional_id, lambda step: self._on_step(10 + step)
            )
            transactions.start()
            while not self._stop.is_set():
                job = next((known for known in self.jobs() if known.state is not JobState.ENDED), None)
                if job is None:
                    self._wake.wait(0.5)
                    self._wake.clear()
                    continue
                self._run(job, transactions)
        except BaseException as error:  # noqa: BLE001  handed to the live worker's thread, which raises it
            self._error = error

    def _run(self, job: Job, transactions: Transactions) -> None:
        reader = consumer(
            self._settings, self._principal, f"{self._principal.name}.catchup", **{"enable.partition.eof": True}
        )
        try:
            while job.state is not JobState.ENDED and not self._stop.is_set():
                try:
                    if job.standing.state is Stand.STATE:
                        self._copy_state(job, reader, transactions)
                    self._follow(job, reader, transactions)
                except AbortedError:
                    # Undone as a whole; begin again from the standing that was committed last.
                    self._wake.wait(_IDLE_S)
        finally:
            reader.close()

    def _copy_state(self, job: Job, reader: Consumer, transactions: Transactions) -> None:
        """Step 1, in two readings: which offsets are the latest of their key, then those."""
        end = job.standing.snapshot_end
        index = KeyIndex()
        for messages, _ in self._read(job, reader, job.standing.position, end):
            index.add([message.key for message in messages], [message.offset for message in messages])
        latest = index.latest()
        for messages, read_to in self._read(job, reader, job.standing.position, end):
            keep = current(latest, [message.offset for message in messages])
            chosen = [m for m, is_latest in zip(messages, keep, strict=True) if is_latest and m.value is not None]
            self._commit(job, chosen, job.standing.moved(Stand.STATE, read_to), transactions)
        self._commit(job, [], job.standing.moved(Stand.CATCHING_UP, max(end, job.standing.position)), transactions)

    def _follow(self, job: Job, reader: Consumer, transactions: Transactions) -> None:
        """Steps 2 and 3: deliver in order until close behind the live worker, then buffer and offer."""
        with job.lock:
            if job.state is JobState.OFFERED:
                job.state = JobState.COPYING
            job.buffer.clear()
            job.read_to = job.standing.position
        for messages, read_to in self._read(job, reader, job.standing.position, None):
            with job.lock:
                if job.state is JobState.ENDED:
                    return
                job.buffer.extend(messages)
                job.read_to = read_to
                if job.state is JobState.TAKEN:
                    continue
                live = self._live_position(job.place)
                # Close behind: the live worker may close the rest itself. Until it does, only buffer.
                near = live is not None and live - job.standing.position <= HANDOVER
                job.state = JobState.OFFERED if near else JobState.COPYING
                if near and len(job.buffer) <= 2 * HANDOVER:
                    continue
                job.state = JobState.COPYING
                batch, job.buffer = job.buffer, []
            if not batch:
                continue
            self._commit(job, batch, job.standing.moved(Stand.CATCHING_UP, read_to), transactions)

    def _commit(self, job: Job, messages: Sequence[RecordMessage], moved: Standing, transactions: Transactions) -> None:
        """Deliver some records and note the progress in one transaction, unless the job was ended meanwhile."""
        with job.lock:
            if job.state is JobState.ENDED:
                return
            outcome = self._deliver_to(job.place, messages, [Assignment(job.plan, 0, job.members)])
            outgoing = {**outcome.outgoing, **self._book.markers([moved])}
            transactions.renew()
            transactions.run(outgoing, {CARRIER: 1}, self._group)
            job.standing = moved
            if job.members is not None:
                job.members.apply(outcome.moves.get(job.plan.grant.id, {}))
            self._delivered.put(outcome)

    def _read(
        self, job: Job, reader: Consumer, start: int, end: int | None
    ) -> Iterator[tuple[list[RecordMessage], int]]:
        """Batches of the job's partition from `start`, each with the offset up to which all has been read.

        Ends at `end`; without one it goes on until the job is ended, with empty batches when nothing comes.
        """
        topic, part = record_topic(job.plan.grant.resource), job.place[1]
        reader.assign([TopicPartition(topic, part, start)])
        read_to = start
        while not self._stop.is_set() and job.state is not JobState.ENDED and (end is None or read_to < end):
            batch: list[RecordMessage] = []
            for message in reader.consume(_BATCH, _IDLE_S):
                error = message.error()
                if error is None:
                    if end is None or (message.offset() or 0) < end:
                        batch.append(record_message(message))
                    read_to = max(read_to, (message.offset() or 0) + 1)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  documented name
                    read_to = max(read_to, message.offset() or 0)
                elif not passes(error):
                    raise unavailable(f"cannot read {topic}", KafkaException(error))
            yield batch, read_to
