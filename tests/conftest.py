"""Fixtures for all tests: a session's one Kafka cluster, registry and PostgreSQL, started when a test first asks."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bus.settings import Settings
from tests.command import Command
from tests.local_cluster import LocalBus, own_cluster
from tests.postgres import Postgres, running_postgres

# How long an example or its making takes says how busy the machine is; speed is the benchmarks' matter.
# In CI the examples are the same at every run: a new one is for whoever looks for it to find.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("house")
# For `make unit` (--hypothesis-profile few): a tenth of the examples, see `tests.examples.examples`.
settings.register_profile("few", settings.get_profile("house"), max_examples=10)


def pytest_configure() -> None:
    """Take SIGTERM as Ctrl-C: a run that is cut off still stops the cluster."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.disable()


def pytest_collection_finish() -> None:
    """Modules and collected tests stay to the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def local_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBus]:
    """Kafka (one broker) and the registry, on free ports with a state directory of their own."""
    with own_cluster(tmp_path_factory.mktemp("bus")) as ours:
        yield LocalBus(ours)


@pytest.fixture
def own_bus(tmp_path: Path) -> Iterator[Settings]:
    """A cluster of the test's own, which it may stop and whose keys it may change."""
    with own_cluster(tmp_path) as ours:
        yield ours


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL; `postgres.fresh()` is the address of a new database."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def bus_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The `bus` command."""
    return Command(monkeypatch, capsys)
