"""The register's way to Kafka, killed at every step: nothing is lost, and nothing gets another meaning."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from bus.provision.actual import Cluster
from bus.provision.register import read_register
from bus.provision.rights import READ, TOPIC, Right
from bus.register.lock import relay_lock
from bus.register.place import open_register, opened
from bus.register.relay import FINISH, LOOK, MARK, PROVISION, WRITE, Relay
from bus.register.worker import RegisterWorker
from bus.wire.transaction import COMMIT, PRODUCE
from bus.workers.supervisor import environment_of
from compliance.models import Grant, GrantState
from compliance.register.outbox import backlog
from compliance.register.service import Register
from tests.city import City
from tests.local_cluster import LocalBus
from tests.register import OPERATOR
from tests.threads import in_thread, until

pytestmark = pytest.mark.kafka
STEPS = (LOOK, PROVISION, WRITE, PRODUCE, COMMIT, COMMIT + 1, MARK, FINISH)


class KilledError(BaseException):
    """Ends a relay where it is, as a kill would."""


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    made = City(local_bus.settings, tmp_path)
    made.add_grant("full", ("sex_code",))
    made.apply()
    return made


def the_grant(city: City, register: Register) -> Grant:
    found = register.view().grant(next(iter(city.grants)))
    assert found is not None
    return found


def decide(city: City, register: Register, state: GrantState) -> None:
    """A decision on the city's grant, as a workflow takes one."""
    now = datetime.now(UTC)
    register.put([the_grant(city, register).model_copy(update={"state": state})], OPERATOR, now)


def on_kafka(city: City) -> GrantState:
    found = read_register(Cluster(city.settings)).grant(next(iter(city.grants)))
    assert found is not None
    return found.state


def written(city: City) -> list[bytes]:
    """Every event of the city's grant that a reader could have seen, in order."""
    key = next(iter(city.grants)).encode()
    return [message.value() or b"" for message in city.read("register.grant") if message.key() == key]


def test_a_relay_that_ends_at_any_step_loses_nothing_and_publishes_nothing_with_another_meaning(city: City) -> None:
    decided = [GrantState.ACTIVE]
    cluster = Cluster(city.settings)
    with opened(city.settings) as register:
        for step in STEPS:
            decided.append(GrantState.ACTIVE if decided[-1] is GrantState.SUSPENDED else GrantState.SUSPENDED)
            decide(city, register, decided[-1])

            def end(number: int, step: int = step) -> None:
                if number == step:
                    raise KilledError

            with pytest.raises(KilledError), relay_lock(register.engine, 20):
                Relay(cluster, register, end).run()
            assert on_kafka(city) in decided[-2:]
            with relay_lock(register.engine, 20):
                Relay(cluster, register).run()
            assert on_kafka(city) is decided[-1]
            assert backlog(register.engine).facts == 0
    events = written(city)
    # What stands there twice in a row is the same decision in the same bytes.
    assert len([value for value, _ in groupby(events)]) == len(decided)
    assert len(set(events)) == 2
    assert len(events) > len(decided)


def test_only_the_last_word_on_a_key_goes_out(city: City) -> None:
    """Were the older one sent too, a repeat would make a revoked grant active again for a moment."""
    before = len(written(city))
    with opened(city.settings) as register, relay_lock(register.engine, 20):
        for state in (GrantState.SUSPENDED, GrantState.ACTIVE, GrantState.REVOKED):
            decide(city, register, state)
        Relay(Cluster(city.settings), register).run()
    assert len(written(city)) == before + 1
    assert on_kafka(city) is GrantState.REVOKED


@pytest.mark.parametrize("step", [COMMIT, MARK])
def test_a_worker_killed_between_kafka_and_database_is_followed_by_one_that_finishes(city: City, step: int) -> None:
    with opened(city.settings) as register:
        decide(city, register, GrantState.SUSPENDED)
        process = subprocess.run(
            [sys.executable, "-m", "tests.fault.victim", "register", str(step), "1"],
            env={**os.environ, **environment_of(city.settings)},
            check=False,
            timeout=120,
        )
        assert process.returncode == -signal.SIGKILL
        assert backlog(register.engine).facts > 0
        with in_thread(RegisterWorker(city.settings)):
            until(lambda: backlog(register.engine).facts == 0, "the successor's relay")
        assert on_kafka(city) is GrantState.SUSPENDED
        right = Right(f"User:agency-{city.subscriber}", TOPIC, city.topic(next(iter(city.grants))), READ)
        assert right not in Cluster(city.settings).rights()


def test_without_kafka_decisions_go_on_and_go_out_when_it_is_back(city: City) -> None:
    nowhere = city.settings.model_copy(update={"bootstrap_servers": "127.0.0.1:9", "request_timeout_s": 0.5})
    with opened(city.settings) as register:
        with in_thread(RegisterWorker(nowhere)) as worker:
            decide(city, register, GrantState.SUSPENDED)
            until(lambda: worker.health.problem is not None, "the worker's word on Kafka")
            assert "Kafka" in (worker.health.problem or "")
            assert not worker.health.ready
            assert worker.health.live
            waiting = worker.metrics.gauge("bus_register_outbox_pending")
            until(lambda: waiting._value.get() >= 1, "the figure of what waits")
        assert on_kafka(city) is GrantState.ACTIVE
        with in_thread(RegisterWorker(city.settings)) as worker:
            until(lambda: on_kafka(city) is GrantState.SUSPENDED, "the decision on Kafka")
            until(lambda: worker.health.ready and worker.health.problem is None, "a worker without trouble")
            assert worker.metrics.counter("bus_register_sent_total").labels("grant")._value.get() >= 1


def test_two_workers_publish_every_decision_once(city: City) -> None:
    before = len(written(city))
    states = [GrantState.SUSPENDED, GrantState.ACTIVE] * 3
    with (
        in_thread(RegisterWorker(city.settings)),
        in_thread(RegisterWorker(city.settings)),
        opened(city.settings) as register,
    ):
        for state in states:
            decide(city, register, state)
            until(lambda: backlog(register.engine).facts == 0, "the relay of a decision")
    assert len(written(city)) == before + len(states)


def test_a_register_that_lost_its_database_adopts_what_stands_on_kafka(city: City, tmp_path: Path) -> None:
    lost = city.settings.model_copy(update={"register_url": f"sqlite:///{tmp_path / 'new.db'}"})
    before = written(city)
    with in_thread(RegisterWorker(lost)) as worker:
        until(lambda: worker.health.ready, "the adoption")
    adopted = open_register(lost)
    try:
        assert the_grant(city, adopted).state is GrantState.ACTIVE
        assert set(adopted.view().models()) == set(read_register(Cluster(city.settings)).models())
        assert backlog(adopted.engine).facts == 0
    finally:
        adopted.engine.dispose()
    assert written(city) == before
