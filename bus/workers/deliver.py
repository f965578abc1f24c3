"""The deliver worker: `record.*` in, one topic for each grant out, exactly once.

Whether a grant delivers is decided when the register changes or a date passes, never per event. A grant is live on a
partition by its marker on `bus.delivery-progress`; before that `catchup.py` brings it there, after its end a STOPPED
marker says from where a resumed grant would go on.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from confluent_kafka import Consumer, Message, TopicPartition

from bus.keys.store import Keys
from bus.metrics import Metrics
from bus.settings import Settings
from bus.topics import record_topic
from bus.wire.feed import RegisterFeed
from bus.wire.registry import Registry
from bus.workers.catchup import CARRIER, CatchUp, Job, record_message
from bus.workers.health import Health
from bus.workers.loop import Place, Work, committed
from bus.workers.progress import ProgressBook, Stand, Standing
from bus.workers.waits import Waits
from compliance.models import Grant, GrantState
from compliance.reading import may_read, next_change_at
from processors.batch import Frames, Outgoing
from processors.deliver import Assignment, DeliverOutcome, Members, RecordMessage, deliver
from processors.projection import GrantPlan, compile_grant
from processors.sealing import Opener
from schemas.codec import Codec, unframe
from schemas.errors import NotProvisionedError
from schemas.refusals import Refused
from schemas.resource import resource_schema

Key = tuple[str, int]
_LOOK_AGAIN = timedelta(hours=1)
_NOT_PROVISIONED_YET = timedelta(seconds=1)


class DeliverTask:
    """What the loop does for deliver.

    Args:
        settings, keys, metrics, health: of the worker.
        feed: the register.
        registry: schema ids and codecs.
        book: the progress table.
        waits: what the deliveries took.
    """

    topics = r"^record\..*"
    group = "bus.deliver"

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        feed: RegisterFeed,
        registry: Registry,
        book: ProgressBook,
        waits: Waits,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._feed = feed
        self._registry = registry
        self._book = book
        self._waits = waits
        self._metrics = metrics
        self._health = health
        self._opener = Opener(keys.sections)
        self._frames = Frames()
        self._plans: dict[str, GrantPlan] = {}
        self._recheck_at = datetime.max.replace(tzinfo=UTC)
        self._owned: set[Place] = set()
        self._positions: Mapping[Place, int] = {}
        self._standings: dict[Key, Standing] = {}
        self._members: dict[Key, Members] = {}
        self._catchup: CatchUp | None = None
        self._outcomes: list[DeliverOutcome] = []
        self._moving: dict[Key, Standing] = {}
        self._taken: list[Job] = []

    def use_catchup(self, catchup: CatchUp) -> None:
        """Hand over the catch-up, which itself needs this task's `deliver_to` and `live_position`."""
        self._catchup = catchup

    @property
    def catchup(self) -> CatchUp:
        """The catch-up that was handed over."""
        assert self._catchup is not None  # noqa: S101  the wiring's duty
        return self._catchup

    # -- the register ------------------------------------------------------------------------------------------

    def register_changed(self) -> None:
        """Decide anew which grants deliver, and until when that decision holds."""
        now = datetime.now(UTC)
        view = self._feed.view
        recheck = now + _LOOK_AGAIN
        plans: dict[str, GrantPlan] = {}
        missing: list[str] = []
        for grant in view.grants():
            change = next_change_at(view, grant, now)
            if change is not None:
                recheck = min(recheck, change)
            if isinstance(may_read(view, grant, now), Refused):
                continue
            plan = self._plan(grant)
            if plan is None:
                missing.append(grant.id)
                recheck = min(recheck, now + _NOT_PROVISIONED_YET)
            else:
                plans[grant.id] = plan
        self._plans, self._recheck_at = plans, recheck
        self._waits.forget(plans)
        self._health.problem = f"not provisioned: grant {', '.join(missing)}" if missing else None
        self._start_what_is_due()

    def _plan(self, grant: Grant) -> GrantPlan | None:
        """The compiled grant; the same object as long as nothing about it changes. None: no topic or schema yet."""
        entry = self._feed.view.entry(grant.resource)
        assert entry is not None  # noqa: S101  may_read refuses a resource without entry
        known = self._plans.get(grant.id)
        if known is not None and known.grant == grant:
            return known
        plan = compile_grant(grant, entry, self._keys.pseudonym_root)
        try:
            self._frames.put(plan.topic, self._registry.head(plan.topic, plan.codec))
        except NotProvisionedError:
            return None
        return plan

    # -- partitions come and go --------------------------------------------------------------------------------

    def assigned(self, positions: Mapping[Place, int], consumer: Consumer) -> None:
        """Learn where each grant stands; what a predecessor had in flight is decided first."""
        committed(consumer, [TopicPartition(*CARRIER)], self._settings.request_timeout_s)
        self._positions = positions
        self._owned = set(positions)
        self._standings = {
            key: standing
            for key, standing in self._book.read().items()
            if (record_topic(standing.resource), standing.partition) in self._owned
        }
        self._members = {}
        self._start_what_is_due()

    def revoked(self, places: Sequence[Place]) -> None:
        """Let go: end the catch-up of these partitions, forget where their grants stand."""
        gone = set(places)
        for job in self.catchup.jobs():
            if job.place in gone:
                self.catchup.end(job.key)
        self._owned -= gone
        for key, standing in list(self._standings.items()):
            if (record_topic(standing.resource), standing.partition) in gone:
                del self._standings[key]
                self._members.pop(key, None)

    def _start_what_is_due(self) -> None:
        """Every permitted grant is live or on its way on every owned partition; every other one is ended."""
        for job in self.catchup.jobs():
            if job.plan.grant.id not in self._plans:
                ended = self.catchup.end(job.key)
                if ended is not None:
                    self._standings[job.key] = ended.standing
        for plan in self._plans.values():
            topic = record_topic(plan.grant.resource)
            for place in self._owned:
                if place[0] == topic:
                    self._start(plan, place)
        self._metrics.gauge("bus_grants_catching_up").set(len(self.catchup.jobs()))

    def _start(self, plan: GrantPlan, place: Place) -> None:
        key = (plan.grant.id, place[1])
        standing = self._standings.get(key)
        members = self._members.get(key)
        if plan.divisions is not None and members is None:
            members = self._book.members(plan, place[1]) if standing is not None else Members()
            self._members[key] = members
        if standing is not None and standing.state is Stand.LIVE:
            return
        if standing is None or (standing.state is Stand.STOPPED and standing.position == 0):
            # Never begun. The current state is taken as of what the live worker has committed now.
            end = self._positions.get(place, 0)
            standing = Standing(plan.grant.id, plan.grant.resource, place[1], Stand.STATE, 0, end)
        elif standing.state is Stand.STOPPED:
            # A suspended grant goes on where it was stopped.
            unfinished = standing.position < standing.snapshot_end
            standing = standing.moved(Stand.STATE if unfinished else Stand.CATCHING_UP, standing.position)
        self.catchup.start(Job(plan, place, standing, members))

    # -- work --------------------------------------------------------------------------------------------------

    def live_position(self, place: Place) -> int | None:
        """The next offset that the live path will read; None when the partition is not ours."""
        return self._positions.get(place) if place in self._owned else None

    def deliver_to(
        self, place: Place, messages: Sequence[RecordMessage], assignments: Sequence[Assignment]
    ) -> DeliverOutcome:
        """Project records for grants; the one call of the processor, for live path and catch-up alike."""
        codecs: dict[int, Codec] = {}
        for message in messages:
            framed = unframe(message.value)
            if framed is not None and framed[0] not in codecs:
                codec = self._registry.codec(framed[0])
                if codec is not None:
                    codecs[framed[0]] = codec
        resource = place[0].removeprefix("record.")
        layouts = {entry.version: resource_schema(entry.avro) for entry in self._feed.view.versions(resource)}
        return deliver(place[1], messages, assignments, codecs, layouts, self._opener, self._frames, _now_ms())

    def prepare(self, positions: Mapping[Place, int]) -> Work:
        """Between two batches: stop what has ended, take over what has caught up."""
        self.catchup.check()
        for outcome in self.catchup.take_delivered():
            self._metrics.count(outcome.counts)
        if datetime.now(UTC) >= self._recheck_at:
            self.register_changed()
        self._outcomes, self._moving, self._taken = [], {}, []
        self._stop_ended(positions)
        now_ms = _now_ms()
        outgoing: dict[str, list[Outgoing]] = {**self._waits.due((), now_ms)}
        for job in self.catchup.jobs():
            at = positions.get(job.place)
            gap = job.take(at) if at is not None else None
            if at is None or gap is None:
                continue
            self._taken.append(job)
            outcome = self.deliver_to(job.place, gap, [Assignment(job.plan, job.standing.position, job.members)])
            self._outcomes.append(outcome)
            _merge(outgoing, outcome.outgoing)
            self._moving[job.key] = job.standing.moved(Stand.LIVE, max(at, job.standing.position), now_ms)
        if not self._moving:
            return Work(outgoing, due=bool(outgoing))
        _merge(outgoing, self._book.markers(self._moving.values()))
        # Offsets of the partitions concerned go along unchanged, so that the broker fences a worker that lost them.
        places = {(record_topic(standing.resource), standing.partition) for standing in self._moving.values()}
        return Work(outgoing, {place: positions[place] for place in places}, due=True)

    def _stop_ended(self, positions: Mapping[Place, int]) -> None:
        """Note the stop of every grant that may not deliver here, also of one that never began.

        Provisioning takes the subscriber's right away only once every partition has its marker (decisions 22).
        """
        for grant in self._feed.view.grants():
            if grant.id in self._plans or grant.state is GrantState.PENDING:
                continue
            topic = record_topic(grant.resource)
            for place in self._owned:
                if place[0] != topic or place not in positions:
                    continue
                key = (grant.id, place[1])
                standing = self._standings.get(key)
                if standing is None:
                    standing = Standing(grant.id, grant.resource, place[1], Stand.STATE, 0)
                if standing.state is Stand.STOPPED:
                    continue
                at = max(standing.position, positions[place]) if standing.state is Stand.LIVE else standing.position
                self._moving[key] = standing.moved(Stand.STOPPED, at)

    def process(self, batch: Sequence[Message]) -> Work:
        """Deliver a batch to the grants that are live on its partitions."""
        self._outcomes, self._moving, self._taken = [], {}, []
        by_place: dict[Place, list[RecordMessage]] = {}
        for message in batch:
            by_place.setdefault((message.topic() or "", message.partition() or 0), []).append(record_message(message))
        outgoing: dict[str, list[Outgoing]] = {}
        resources: list[str] = []
        for place, messages in by_place.items():
            assignments = self._live_on(place)
            if assignments:
                outcome = self.deliver_to(place, messages, assignments)
                self._outcomes.append(outcome)
                resources.append(assignments[0].plan.grant.resource)
                _merge(outgoing, outcome.outgoing)
        _merge(outgoing, self._waits.due(zip(resources, self._outcomes, strict=True), _now_ms()))
        return Work(outgoing)

    def _live_on(self, place: Place) -> list[Assignment]:
        resource = place[0].removeprefix("record.")
        found = []
        for plan in self._plans.values():
            if plan.grant.resource != resource:
                continue
            standing = self._standings.get((plan.grant.id, place[1]))
            if standing is not None and standing.state is Stand.LIVE:
                members = self._members.get((plan.grant.id, place[1])) if plan.divisions is not None else None
                found.append(Assignment(plan, standing.position, members, standing.live_since))
        return found

    def committed(self) -> None:
        """Take over what the transaction made true: memberships, standings, counts."""
        self._waits.committed()
        partition_of_taken = {job.key: job for job in self._taken}
        for outcome in self._outcomes:
            self._metrics.count(outcome.counts)
            self._metrics.latencies(outcome.latencies_ms)
        for key, job in partition_of_taken.items():
            self.catchup.end(key)
            if job.members is not None:
                self._members[key] = job.members
        for outcome in self._outcomes:
            for grant, moves in outcome.moves.items():
                members = self._members.get((grant, outcome.partition))
                if members is not None:
                    members.apply(moves)
        stopped_ms = _now_ms()
        for key, standing in self._moving.items():
            self._standings[key] = standing
            if standing.state is Stand.STOPPED:
                self._members.pop(key, None)
                waited = max(0, stopped_ms - self._feed.changed_ms) / 1000
                self._metrics.histogram("bus_grant_stop_seconds").observe(waited)
        self._outcomes, self._moving, self._taken = [], {}, []
        self._metrics.gauge("bus_grants_catching_up").set(len(self.catchup.jobs()))

    def aborted(self) -> None:
        """Everything is as before."""
        self._waits.aborted()
        for job in self._taken:
            job.give_back()
        self._outcomes, self._moving, self._taken = [], {}, []

    def close(self) -> None:
        """End the catch-up."""
        self.catchup.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _merge(into: dict[str, list[Outgoing]], more: Mapping[str, Sequence[Outgoing]]) -> None:
    for topic, messages in more.items():
        into.setdefault(topic, []).extend(messages)
