"""The one cross-check worker that leads: its store, its reader, its writer, and what each turn does with them."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from bus.crosscheck.comparing import Comparing
from bus.crosscheck.desk import Desk, Turn
from bus.crosscheck.grading import Flow, Grading
from bus.crosscheck.store import Place, Store
from bus.metrics import Metrics
from bus.register.place import law_of
from bus.settings import Settings
from bus.topics import HIT, PULSE, QUALITY, record_topic
from bus.wire import transaction as steps
from bus.wire.clients import OnStep, Principal, consumer
from bus.wire.deadline import Deadline
from bus.wire.errors import no_answer, passes, unavailable
from bus.wire.registry import Registry
from bus.wire.scan import read_stretches
from bus.wire.table import end_offsets
from bus.wire.transaction import AbortedError, Transactions
from bus.workers.loop import oldest
from compliance.crosschecks import CrossCheck
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.batch import Outgoing
from processors.crosscheck.facts import RecordFact, fact_of
from processors.crosscheck.words import Waiver
from processors.freshness.words import DAY
from processors.reports import refused_topic
from schemas.resource import envelope

# One id for all workers: whoever leads fences the one before, also one that does not know it yet.
WRITER = "bus.crosscheck-writer"
STORE_KEPT_MS = 7 * DAY
"""A store that was written last longer ago may have missed what compaction took away, and is built anew."""
_HIT_PLACE, _QUALITY_PLACE = (HIT.pattern, 0), (QUALITY.pattern, 0)
_PREFIX = record_topic("")
# Records of one turn, and subjects whose time has come: what is known of their subjects is in memory meanwhile.
_RECORDS, _WOKEN = 2_000, 2_000
_FOLD_WAIT_S = 0.2
_MARK_EVERY_S = 60.0
_WANT_EVERY_S = 60.0
_GRADE_EVERY_S = 15.0


class Lead:
    """Fences the writer before and opens the store; `take_up` comes next, then `turn` again and again.

    Args:
        settings: of the bus.
        principal: who reads and writes.
        admin: asked for ends of partitions.
        registry: schemas of what is read and written.
        checks: the rules.
        metrics: where to tell.
        on_step: called with each step's number; a fault test kills here.

    Raises:
        KafkaUnavailableError, NotProvisionedError, DeadlineError, BusError: it cannot lead now.
    """

    def __init__(
        self,
        settings: Settings,
        principal: Principal,
        admin: AdminClient,
        registry: Registry,
        checks: Sequence[CrossCheck],
        metrics: Metrics,
        on_step: OnStep,
    ) -> None:
        self._settings, self._admin, self._registry = settings, admin, registry
        self._checks, self._metrics, self._on_step = checks, metrics, on_step
        self._timeout = settings.request_timeout_s
        self._transactions = Transactions(settings, principal, WRITER, on_step)
        self._transactions.start()
        path = settings.state_dir / "crosscheck" / "store.db"
        self._store = Store(path, _cluster(admin, self._timeout), now_ms(), STORE_KEPT_MS, self._timeout)
        group = f"{principal.name}.table"
        self._reader = consumer(settings, principal, group, **{"enable.partition.eof": True})
        self._comparing = Comparing(settings, principal, registry, self._store, self._commit)
        self._positions: dict[Place, int] = {}
        # By partition that was not read yet to where it ended when the lead began, that end.
        self._behind: dict[Place, int] = {}
        self._settled = False
        self._pending: Turn | None = None
        self._mark_at = Deadline(0.0, "a mark on the topic of hits")
        # By partition, what of its records was counted as supplies before the store was made anew.
        self._counted: dict[Place, int] = {}
        self._grade_at = Deadline(0.0, "the quality of the days that changed")

    @property
    def caught_up(self) -> bool:
        """Whether all that there was when it began is read and judged."""
        return self._settled

    def close(self) -> None:
        """Let everything go."""
        self._reader.close()
        self._comparing.close()
        self._store.close()

    # -- before the first turn -----------------------------------------------------------------------------------------

    def take_up(self, view: RegisterView, waivers: Iterable[Waiver], alive: Callable[[], None]) -> None:
        """Take over what stands on `hit`, and set the reader where the store ends; `alive` is called now and then."""
        places = self._places(view)
        ends = end_offsets(self._admin, [*places, _HIT_PLACE], self._timeout)
        known = self._store.positions()
        if any(at > ends.get(place, at) for place, at in known.items()):
            # These topics are not those that it knew.
            self._store.clear(now_ms())
            known = {}
        head = self._registry.head(HIT.pattern, envelope(HIT.envelope or ""))
        grades = self._registry.head(QUALITY.pattern, envelope(QUALITY.envelope or ""))
        law, calendar = law_of(self._settings), WorkCalendar.packaged()
        self._grading = Grading(self._checks, self._store.book, grades, law, calendar)
        self._want(view)
        self._desk = Desk(self._checks, self._store, head, self._grading)
        self._take_up_quality(alive)
        stretch = {_HIT_PLACE: (known.get(_HIT_PLACE, 0), ends[_HIT_PLACE])}
        for batch in read_stretches(self._reader, stretch, self._timeout):
            read = {_HIT_PLACE: (batch[-1].offset() or 0) + 1}
            self._desk.hear(map(self._word, batch), read, now_ms())
            alive()
        self._desk.hear([], {_HIT_PLACE: ends[_HIT_PLACE]}, now_ms())
        self._desk.waive(waivers)
        self._comparing.take_up(view, now_ms())
        self._positions = {place: self._start(place, known) for place in places}
        self._behind = {place: ends[place] for place, at in self._positions.items() if at < ends[place]}
        self._assign()

    def _take_up_quality(self, alive: Callable[[], None]) -> None:
        """Go on from what `quality` says, where the store does not know it."""
        if not self._store.graded:
            end = end_offsets(self._admin, [_QUALITY_PLACE], self._timeout)[_QUALITY_PLACE]
            told: dict[bytes, Mapping[str, Any] | None] = {}
            for batch in read_stretches(self._reader, {_QUALITY_PLACE: (0, end)}, self._timeout):
                told.update(map(self._word, batch))
                alive()
            self._store.take_up([datum for datum in told.values() if datum is not None])
        self._counted = self._store.book.counted()

    def _start(self, place: Place, known: Mapping[Place, int]) -> int:
        """Where to read a partition on; of what is not kept but counted, behind what was counted."""
        first = 0 if place[0].startswith(_PREFIX) else self._counted.get(place, 0)
        return known.get(place, first)

    def register_changed(self, view: RegisterView, waivers: Iterable[Waiver]) -> None:
        """Follow the catalogue's resources, and what people decided about pairs."""
        self._desk.waive(waivers)
        self._want(view)
        self._comparing.follow(view)
        places = self._places(view)
        if places != list(self._positions):
            known = self._store.positions()
            self._positions = {place: self._positions.get(place, self._start(place, known)) for place in places}
            self._behind = {place: end for place, end in self._behind.items() if place in self._positions}
            self._assign()

    def _want(self, view: RegisterView) -> None:
        self._view, self._want_at = view, Deadline(_WANT_EVERY_S, "owner rules that begin or end")
        self._grading.want(view, now_ms())

    @staticmethod
    def _places(view: RegisterView) -> list[Place]:
        """Every record, also of what nobody compares: it has a quality too; and what was admitted and refused."""
        entries = sorted((entry.resource, entry.partitions) for entry in view.entries())
        records = [(record_topic(resource), part) for resource, partitions in entries for part in range(partitions)]
        codes = sorted(agency.code for agency in view.agencies())
        return [*records, (PULSE.pattern, 0), *((refused_topic(code), 0) for code in codes)]

    def _assign(self) -> None:
        self._reader.assign([TopicPartition(*place, at) for place, at in self._positions.items()])

    # -- turns ---------------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Fold a batch while behind; then judge a batch and whose time has come, tell it, keep it."""
        if self._want_at.over:
            self._want(self._view)
        if self._behind:
            self._fold()
            return
        if self._pending is None:
            if self._settled and self._comparing.turn(now_ms()):
                return
            self._on_step(steps.CONSUME)
            most = min(_RECORDS, self._settings.batch_max_messages)
            batch, ahead = self._collect(most, settled=self._settled)
            self._on_step(steps.PROCESS)
            facts, flow = self._read(batch)
            grade = self._settled and self._grade_at.over
            turn = self._desk.judge(facts, ahead, now_ms(), _WOKEN, flow, grade=grade)
            if grade:
                self._grade_at = Deadline(_GRADE_EVERY_S, "the quality of the days that changed")
            self._settled = self._settled or turn.woken < _WOKEN
            self._count(batch, facts)
            if not (batch or turn.woken or turn.outgoing or turn.quality):
                self._positions.update(ahead)
                return
            self._pending = turn
        self._write(self._pending)

    def _fold(self) -> None:
        batch, ahead = self._collect(_RECORDS, settled=False)
        if not ahead:
            return
        facts, flow = self._read(batch)
        self._desk.fold(facts, ahead, now_ms(), flow)
        self._positions.update(ahead)
        self._behind = {place: end for place, end in self._behind.items() if self._positions[place] < end}
        self._count(batch, facts)

    def _write(self, turn: Turn) -> None:
        if turn.outgoing or turn.quality:
            # What stands before this end is known, provided that nobody took over: which the commit proves.
            mark = self._mark()
            rows = {HIT.pattern: turn.outgoing, QUALITY.pattern: turn.quality}
            if not self._commit({topic: out for topic, out in rows.items() if out}):
                return
            turn = replace(turn, changes=replace(turn.changes, positions={**turn.changes.positions, **mark}))
        self._desk.keep(turn, now_ms())
        self._pending = None
        self._positions.update({place: at for place, at in turn.changes.positions.items() if place in self._positions})

    def _commit(self, rows: Mapping[str, Sequence[Outgoing]]) -> bool:
        """Write in one transaction; False where it was aborted, and is to be done again."""
        self._transactions.renew()
        try:
            self._transactions.run(rows, {}, None)
        except AbortedError:
            self._metrics.counter("bus_transaction_aborts_total").labels(self._metrics.worker).inc()
            return False
        self._metrics.counter("bus_transactions_total").labels(self._metrics.worker).inc()
        return True

    def _mark(self) -> dict[Place, int]:
        if not self._mark_at.over:
            return {}
        self._mark_at = Deadline(_MARK_EVERY_S, "the next mark")
        return end_offsets(self._admin, [_HIT_PLACE], self._timeout)

    def _collect(self, most: int, *, settled: bool) -> tuple[list[Message], dict[Place, int]]:
        """A batch and where its partitions go on; while there is other work it does not wait for a message."""
        if settled:
            got = self._reader.consume(1, self._settings.register_poll_ms / 1000)
            got += self._reader.consume(most, self._settings.batch_wait_ms / 1000) if got else []
        else:
            got = self._reader.consume(most, _FOLD_WAIT_S if self._behind else 0.0)
        batch: list[Message] = []
        ahead: dict[Place, int] = {}
        for message in got:
            place, offset, error = (
                (message.topic() or "", message.partition() or 0),
                message.offset() or 0,
                message.error(),
            )
            if error is None:
                batch.append(message)
                ahead[place] = offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  documented name
                # Behind the last message there may stand ends of transactions.
                ahead[place] = max(offset, ahead.get(place, 0))
            elif not passes(error):
                raise unavailable("cannot read records", KafkaException(error))
        return batch, {place: at for place, at in ahead.items() if at > self._positions.get(place, at)}

    def _read(self, batch: Iterable[Message]) -> tuple[list[RecordFact], list[Flow]]:
        """The facts of records, and pulses and refusals, each in its order."""
        facts, flow = [], []
        for message in batch:
            topic, place = message.topic() or "", (message.topic() or "", message.partition() or 0)
            if topic.startswith(_PREFIX):
                facts.append(self._fact(message, topic, self._counted.get(place, 0)))
            else:
                read = self._registry.own(message) if topic == PULSE.pattern else self._registry.datum(message.value())
                flow.append(Flow(*place, message.offset() or 0, read))
        return facts, flow

    def _fact(self, message: Message, topic: str, counted: int) -> RecordFact:
        record = None if message.value() is None else self._registry.own(message)
        offset = message.offset() or 0
        fact = fact_of(topic.removeprefix(_PREFIX), offset, message.key() or b"", record)
        return replace(fact, supplies=False) if offset < counted else fact

    def _word(self, message: Message) -> tuple[bytes, Mapping[str, Any] | None]:
        """Key and datum of what only the bus itself writes, None for a tombstone."""
        return message.key() or b"", None if message.value() is None else self._registry.own(message)

    # -- figures -------------------------------------------------------------------------------------------------------

    def _count(self, batch: Sequence[Message], facts: Iterable[RecordFact]) -> None:
        for resource, number in Counter(fact.resource for fact in facts).items():
            self._metrics.counter("bus_crosscheck_records_total").labels(resource).inc(number)
        if batch:
            self._metrics.histogram("bus_batch_messages").labels(self._metrics.worker).observe(len(batch))
        self._metrics.gauge("bus_lag_seconds").labels(self._metrics.worker).set(oldest(batch))

    def tell(self) -> None:
        """How many hits stand, how many subjects are known, how far the ends are."""
        self._metrics.crosscheck(self._store.standing, self._store.subjects, self._grading.latest(now_ms()))
        lags: Counter[str] = Counter()
        for (topic, part), at in self._positions.items():
            try:
                _, high = self._reader.get_watermark_offsets(TopicPartition(topic, part), cached=True)
            except KafkaException:
                continue
            lags[topic] += max(0, high - at)
        for topic, lag in lags.items():
            self._metrics.gauge("bus_lag_messages").labels(self._metrics.worker, topic).set(lag)


def _cluster(admin: AdminClient, timeout_s: float) -> str:
    """What tells one Kafka cluster from another.

    Raises:
        KafkaUnavailableError: no answer.
    """
    try:
        return str(admin.describe_cluster(request_timeout=timeout_s).result(2 * timeout_s).cluster_id)
    except KafkaException as error:
        raise unavailable("asking for the cluster", error) from None
    except TimeoutError:
        raise no_answer("asking for the cluster", "time-out") from None


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
