"""Starting, stopping, sharing, suspending: the bus as operators run it, and what agencies notice of it."""

import itertools
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from bus import Change, Operation, Publisher, Subscriber
from bus.publishing.flight import Publication
from bus.settings import Settings
from bus.subscriber import Delivered
from bus.wire.clients import Principal, admin
from bus.wire.errors import kafka_error
from bus.workers.supervisor import environment_of
from schemas.errors import DeadlineError, RefusedError
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.processes import listens_to_sigterm
from tests.threads import WAIT_S, running, until

pytestmark = pytest.mark.kafka

STOP_S = 40.0
LOAD = 600
_MADE_UP_HIT = re.compile(r" WARNING intake: hit/\d+ offset \d+ becomes no case: ")


def changes(first: int, count: int, **fields: object) -> list[Change]:
    return [Change(permit(seed, **fields), datetime.now(UTC)) for seed in range(first, first + count)]


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    # Small batches: many transactions, so that a signal falls into the midst of them.
    return City(local_bus.settings.model_copy(update={"batch_max_messages": 5, "stop_timeout_s": STOP_S}), tmp_path)


class Everything:
    """`bus run all`, as an operator starts it: a process group of its own, as a shell makes it."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bus", "run", "all"],
                env={**os.environ, **environment_of(settings)},
                stdout=out,
                stderr=out,
                process_group=0,
            )

    def end(self, number: int, *, group: bool = False) -> None:
        """Send a signal, to the group as a terminal does; all must end of themselves, in time, without complaint."""
        until(lambda: listens_to_sigterm(self.process.pid), "a supervisor that listens")
        (os.killpg if group else os.kill)(self.process.pid, number)
        # At this time the supervisor would kill what is left: that it needs less means that nothing was killed.
        assert self.process.wait(STOP_S) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(self.process.pid, 0)
        # What other tests made up on the shared topic `hit` names agencies that the register never had: no case.
        said = self._log.read_text(encoding="utf-8").splitlines()
        assert [line for line in said if not _MADE_UP_HIT.search(line)] == []


@contextmanager
def everything(settings: Settings, folder: Path) -> Iterator[Everything]:
    made = Everything(settings, folder / f"everything-{len(list(folder.glob('everything-*')))}.log")
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(made.process.pid, signal.SIGKILL)
        made.process.wait()


def publish_load(city: City, publisher: Publisher, first: int = 0, count: int = LOAD) -> Publication:
    """Publish more than a moment's work, without waiting for answers."""
    publication = publisher.publish(city.resource, changes(first, count))
    publisher.flush()
    return publication


def events(city: City, grant: str) -> Counter[str]:
    """How often each event stands on a grant's topic."""
    return Counter(str(row["event_id"]) for row in city.data(city.topic(grant)))


def test_stopped_under_load_it_ends_in_time_and_goes_on_where_it_stopped(city: City, tmp_path: Path) -> None:
    grant = city.add_grant("full")
    city.apply()
    with Publisher(city.owner, settings=city.settings) as publisher:
        with everything(city.settings, tmp_path) as first:
            publications = [publish_load(city, publisher, 0, LOAD // 2)]
            until(lambda: len(city.read(city.topic(grant))) >= 50, "deliveries")
            # However long the look took: the signal meets work that has only just come.
            publications.append(publish_load(city, publisher, LOAD // 2, LOAD // 2))
            first.end(signal.SIGTERM)
        assert 50 <= len(events(city, grant)) < LOAD
        with everything(city.settings, tmp_path) as second:
            until(lambda: len(city.read(city.topic(grant))) >= LOAD, "everything")
            second.end(signal.SIGTERM)
        receipts = [receipt for publication in publications for receipt in publication.receipts()]
    assert all(receipt.admitted for receipt in receipts)
    assert events(city, grant) == Counter(receipt.event_id for receipt in receipts)


def holders(city: City, group: str, topic: str) -> list[int]:
    """How many partitions of a topic each member of a group holds; a group that nobody joined yet has no member."""
    operator = admin(city.settings, Principal.role(city.settings, "operator"))
    try:
        members = operator.describe_consumer_groups([group])[group].result(WAIT_S).members
    except KafkaException as error:
        if kafka_error(error).code() != KafkaError.GROUP_ID_NOT_FOUND:
            raise
        return []
    return sorted(sum(place.topic == topic for place in member.assignment.topic_partitions) for member in members)


def test_two_of_them_share_the_partitions_and_one_alone_takes_them_all(city: City, tmp_path: Path) -> None:
    grant = city.add_grant("full")
    city.apply()
    work = {"bus.admit": f"change.{city.owner}.{city.resource}", "bus.deliver": f"record.{city.resource}"}
    with (
        everything(city.settings, tmp_path) as one,
        everything(city.settings, tmp_path) as other,
        Publisher(city.owner, settings=city.settings) as publisher,
    ):
        until(lambda: all(holders(city, *pair) == [1, 1] for pair in work.items()), "one partition each")
        publication = publish_load(city, publisher)
        until(lambda: len(city.read(city.topic(grant))) >= 50, "deliveries of both")
        one.end(signal.SIGTERM)
        until(lambda: len(city.read(city.topic(grant))) >= LOAD, "everything")
        # Each group hears of the leaving at a heartbeat of its own; what was left to do may be done before.
        until(lambda: all(holders(city, *pair) == [2] for pair in work.items()), "all partitions with the other")
        # Ctrl-C reaches the supervisor and its workers at the same moment.
        other.end(signal.SIGINT, group=True)
        receipts = publication.receipts()
    assert events(city, grant) == Counter(receipt.event_id for receipt in receipts)


def test_a_suspended_grant_delivers_nothing_and_when_resumed_goes_on_where_it_stopped(city: City) -> None:
    full = city.add_grant("full")
    paused = city.add_grant("paused", ("name", "residence_permit_number"))
    county = city.add_grant("county", ("sex_code",), rows={"divisions": ["441302"]})
    city.apply()
    inside, outside = {"registration_authority_division": "441302"}, {"registration_authority_division": "441303"}
    with Publisher(city.owner, settings=city.settings) as publisher:
        with running(city.settings, "admit", "deliver"):
            early = [r.event_id for r in publisher.publish(city.resource, changes(0, 10, **inside)).receipts()]
            until(lambda: all(len(events(city, name)) == 10 for name in (full, paused, county)), "the first ten")
            with Subscriber(city.subscriber, grant=paused, settings=city.settings) as subscriber:
                seen = [record.event_id for record in read(subscriber, 10)]
                subscriber.commit()
            move(city, "SUSPENDED", paused, county)
        # Workers of another life never knew the grants as active.
        with running(city.settings, "admit", "deliver"):
            gone, left = changes(0, 1, **inside), changes(1, 1, **outside)
            meanwhile = [
                *left,
                *changes(10, 20, **inside),
                Change(gone[0].data, datetime.now(UTC), Operation.WITHDRAW),
            ]
            during = [r.event_id for r in publisher.publish(city.resource, meanwhile).receipts()]
            until(lambda: len(events(city, full)) == 32, "what the other grant receives")
            assert set(events(city, paused)) == set(events(city, county)) == set(early)
            with pytest.raises(RefusedError, match="no active grant"):
                Subscriber(city.subscriber, grant=paused, settings=city.settings)
            move(city, "ACTIVE", paused, county)
            late = [r.event_id for r in publisher.publish(city.resource, changes(30, 5, **inside)).receipts()]
            with Subscriber(city.subscriber, grant=paused, settings=city.settings) as subscriber:
                seen += [record.event_id for record in read(subscriber, 27)]
            until(lambda: len(events(city, county)) == 37, "the county's deliveries")
    once = Counter([*early, *during, *late])
    assert Counter(seen) == once
    assert events(city, paused) == events(city, full) == events(city, county) == once
    # What left the county's rows meanwhile leaves the subscriber too, with the reason.
    reasons = Counter((row["operation"], row["reason"]) for row in city.data(city.topic(county)))
    assert reasons == {("UPDATE", None): 35, ("WITHDRAW", "LEFT_ROWS"): 1, ("WITHDRAW", "WITHDRAWN"): 1}


def move(city: City, state: str, *grants: str) -> None:
    for grant in grants:
        city.grants[grant]["state"] = state
    city.apply()


def read(subscriber: Subscriber, count: int) -> Iterator[Delivered]:
    return itertools.islice(subscriber, count)


def test_a_publisher_without_answers_blocks_then_says_so_and_goes_on_with_the_first_answers(city: City) -> None:
    city.apply()
    limit = 40
    short = city.settings.model_copy(
        update={"publisher_max_pending": limit, "publisher_batch_changes": 10, "request_timeout_s": 12.0}
    )
    taken = 0

    def endless() -> Iterator[Change]:
        nonlocal taken
        for change in changes(0, 10 * limit):
            taken += 1
            yield change

    with Publisher(city.owner, settings=short) as publisher:
        # No admit runs: nobody answers.
        with pytest.raises(DeadlineError, match=r"room for another change .* did not happen within 12 s") as raised:
            publisher.publish(city.resource, endless())
        assert raised.value.retryable
        # It held what it may hold and had one more in hand.
        assert taken == limit + 1
        with running(city.settings, "admit"):
            until(lambda: len(city.data(f"record.{city.resource}")) == limit, "what it had taken over")
            assert all(receipt.admitted for receipt in publisher.publish(city.resource, changes(901, 60)).receipts())
    assert len(city.data(f"record.{city.resource}")) == limit + 60


def test_a_subscriber_that_read_nothing_leaves_its_group_all_the_same(city: City) -> None:
    grant = city.add_grant("full")
    city.apply()
    group = f"{city.subscriber}.subscriber"
    with Subscriber(city.subscriber, grant=grant, settings=city.settings):
        # Its partitions wait to be taken over; it has never asked for a record.
        until(lambda: holders(city, group, city.topic(grant)) == [2], "an assignment")
    assert holders(city, group, city.topic(grant)) == []
