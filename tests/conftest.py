"""Fixtures for all tests: the one Kafka cluster and registry of a session, started when a test first asks."""

import signal
from collections.abc import Iterator

import pytest

from bus.local import cluster
from tests.command import Command
from tests.local_cluster import LocalBus, fresh_settings


def pytest_configure() -> None:
    """Take SIGTERM as Ctrl-C: a run that is cut off still stops the cluster."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def local_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBus]:
    """Kafka (one broker) and the registry, on free ports with a state directory of their own."""
    settings = fresh_settings(tmp_path_factory.mktemp("bus") / "state")
    try:
        cluster.up(settings, 1)
        yield LocalBus(settings)
    finally:
        cluster.down(settings, wipe=True)


@pytest.fixture
def bus_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The `bus` command."""
    return Command(monkeypatch, capsys)
