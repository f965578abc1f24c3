"""The end of a grant, in the order of decisions 22, so that nothing reaches a subscriber after its grant is over.

1. the event stands on `register.grant` (whoever calls this has written or read it);
2. wait until deliver has noted on every partition that it stopped, or until no deliver worker is there: a fetch that
   already waits at the broker is authorised once, so the writer must stop before the reader's right goes;
3. take the subscriber's READ right away;
4. DELETE or PURGE the topic, or RETAIN it unread, as the grant's disposal rule says.

Step 2 also stands before the right of a suspended grant, whose topic stays.
"""

import time
from collections.abc import Iterable, Sequence

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from bus.provision.actual import Cluster
from bus.provision.apply import delete_topics, set_config, take_away
from bus.provision.plan import Dispose, Plan, Step
from bus.provision.rights import grant_right
from bus.topics import PROGRESS, record_topic
from bus.wire.deadline import Deadline
from bus.wire.errors import kafka_error, no_answer, unavailable
from bus.wire.table import end_offsets
from bus.workers.progress import ProgressBook, Stand
from compliance.models import Grant
from compliance.view import RegisterView
from schemas.errors import DeadlineError

DELIVER_GROUP = "bus.deliver"
_LOOK_EVERY_S = 0.1


def finish(cluster: Cluster, plan: Plan, view: RegisterView, *, patient: bool = True) -> tuple[Step, ...]:
    """Take away what is no longer asked for; the steps that were done.

    Args:
        cluster: Kafka and the registry.
        plan: what is to be taken away.
        view: the register.
        patient: whether deliver is waited for; else what it has not stopped yet is left for a later call.

    Raises:
        DeadlineError: deliver did not stop in time; the next `bus init` goes on from there.
        KafkaUnavailableError: naming the step that failed.
    """
    readers = {grant_right(grant): grant for grant in view.grants()}
    losing = [step for step in plan.removals if step.right in readers]
    others = [step for step in plan.removals if step.right not in readers]
    done = list(take_away(cluster, others))
    ending = {grant.id: grant for grant in (readers[step.right] for step in losing)}
    ending |= {step.grant.id: step.grant for step in plan.disposals}
    if patient:
        await_stopped(cluster, ending.values())
    stopped = set(ending) if patient else ending.keys() - still_written(cluster, ending.values())
    done += take_away(cluster, [step for step in losing if readers[step.right].id in stopped])
    done += _dispose(cluster, [step for step in plan.disposals if step.grant.id in stopped])
    return tuple(done)


def still_written(cluster: Cluster, grants: Iterable[Grant]) -> frozenset[str]:
    """The ids of those among ended grants that deliver has not noted as stopped on every partition."""
    missing = _not_stopped(cluster, _places(cluster, list(grants)))
    return frozenset(grant for grant, _ in missing) if missing and _deliver_runs(cluster) else frozenset()


def await_stopped(cluster: Cluster, grants: Iterable[Grant]) -> None:
    """Step 2: wait until nothing more is written under these grants.

    Raises:
        DeadlineError: naming a grant that deliver has not stopped.
    """
    waiting = list(grants)
    if not waiting:
        return
    places = _places(cluster, waiting)
    # A worker that died counts as a member until its session is over.
    seconds = cluster.settings.request_timeout_s + 2 * cluster.settings.session_timeout_ms / 1000
    deadline = Deadline(seconds, "stopping")
    while True:
        missing = _not_stopped(cluster, places)
        if not missing or not _deliver_runs(cluster):
            return
        if deadline.over:
            grant = places[missing[0]]
            raise DeadlineError(
                f"deliver has not stopped grant {grant.id} on {record_topic(grant.resource)}, partition "
                f"{missing[0][1]}, within {seconds:g} s; the subscriber keeps its right to read until it has: look at "
                "the deliver workers, then run `bus init`"
            )
        time.sleep(_LOOK_EVERY_S)


def _places(cluster: Cluster, grants: Sequence[Grant]) -> dict[tuple[str, int], Grant]:
    topics = cluster.topics() if grants else {}
    return {
        (grant.id, partition): grant
        for grant in grants
        if record_topic(grant.resource) in topics
        for partition in range(topics[record_topic(grant.resource)].partitions)
    }


def _not_stopped(cluster: Cluster, places: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    places = list(places)
    if not places:
        return []
    # The operator only reads: no frame head is needed.
    book = ProgressBook(cluster.settings, cluster.principal, cluster.admin, b"")
    standings = book.read() if PROGRESS.pattern in cluster.topics() else {}
    return [place for place in places if place not in standings or standings[place].state is not Stand.STOPPED]


def _deliver_runs(cluster: Cluster) -> bool:
    """Whether any deliver worker is in its group; a worker that starts reads the register to its end first."""
    timeout = cluster.settings.request_timeout_s
    future = cluster.admin.describe_consumer_groups([DELIVER_GROUP], request_timeout=timeout)[DELIVER_GROUP]
    try:
        return bool(future.result(timeout).members)
    except KafkaException as error:
        if kafka_error(error).code() == KafkaError.GROUP_ID_NOT_FOUND:
            return False
        raise unavailable(f"cannot look at group {DELIVER_GROUP}", error) from None
    except TimeoutError:
        raise no_answer(f"cannot look at group {DELIVER_GROUP}", "time-out") from None


def _dispose(cluster: Cluster, steps: Sequence[Dispose]) -> Sequence[Step]:
    delete_topics(cluster, [step.grant.topic for step in steps if step.how == "DELETE"])
    for step in steps:
        if step.how == "PURGE":
            _purge(cluster, step.grant.topic)
    return steps


def _purge(cluster: Cluster, name: str) -> None:
    """Empty a topic; Kafka purges no topic that is only compacted, so this one is from now on kept like a log."""
    set_config(cluster, name, {"cleanup.policy": "delete"})
    count = cluster.topics()[name].partitions
    timeout = cluster.settings.request_timeout_s
    ends = end_offsets(cluster.admin, [(name, number) for number in range(count)], timeout)
    asked = [TopicPartition(topic, number, offset) for (topic, number), offset in ends.items()]
    deadline = Deadline(timeout, f"purging topic {name}")
    while not _purged(cluster, name, asked, deadline):
        time.sleep(_LOOK_EVERY_S)


def _purged(cluster: Cluster, name: str, asked: Sequence[TopicPartition], deadline: Deadline) -> bool:
    """Whether everything before these offsets is gone; not yet where the broker has not heard of the new policy."""
    timeout = cluster.settings.request_timeout_s
    try:
        for future in cluster.admin.delete_records(list(asked), request_timeout=timeout).values():
            future.result(timeout)
    except KafkaException as error:
        if kafka_error(error).code() != KafkaError.POLICY_VIOLATION or deadline.over:
            raise unavailable(f"cannot purge topic {name}", error) from None
        return False
    except TimeoutError:
        raise no_answer(f"cannot purge topic {name}", "time-out") from None
    return True
