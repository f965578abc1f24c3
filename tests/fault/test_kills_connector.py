"""Killed at every step of its numbered sequence, a connector neither loses nor repeats anything, and keeps the order.

What is visible is judged read-committed. The successor is a new worker, as a supervisor would start it.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.settings import Settings
from bus.workers.supervisor import environment_of
from tests.builders import permit
from tests.city import City
from tests.killing import STEPS, kill_at, quick_city
from tests.local_cluster import LocalBus
from tests.source_table import write_table
from tests.threads import WAIT_S, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return quick_city(local_bus, tmp_path)


@contextmanager
def connecting(settings: Settings, file: Path) -> Iterator[None]:
    """A connector as a process, ended in good order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bus", "run", "connector", str(file)], env={**os.environ, **environment_of(settings)}
    )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(WAIT_S) == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_connector_killed_at_a_step_loses_and_repeats_no_row(city: City, tmp_path: Path, step: int) -> None:
    city.apply()
    quick = city.settings.model_copy(update={"connector_batch_rows": 10, "connector_poll_ms": 50})
    file = write_table(city, tmp_path, 35)
    kill_at(quick, "connector", step, str(file))
    topic = f"change.{city.owner}.{city.resource}"

    def numbers() -> list[str]:
        return [change["data"]["residence_permit_number"] for row in city.data(topic) for change in row["changes"]]

    with connecting(quick, file):
        until(lambda: len(numbers()) >= 35, "every row")
    assert Counter(numbers()) == Counter(str(permit(seed)["residence_permit_number"]) for seed in range(35))
