"""Killed at every step of its numbered sequence, a connector neither loses nor repeats anything, and keeps the order.

What is visible is judged read-committed. The successor is a new worker, as a supervisor would start it.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, insert

from bus.settings import Settings
from bus.workers.connect import read_config
from bus.workers.supervisor import environment_of
from connectors.table import SHANGHAI
from tests.builders import permit
from tests.city import WAIT_S, City, until
from tests.killing import STEPS, kill_at, quick_city
from tests.local_cluster import LocalBus

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


def write_table(city: City, folder: Path, rows: int) -> Path:
    """A SQLite table of permits and the connector file for it."""
    names = list(city.schema.fields)
    engine = create_engine(f"sqlite:///{folder / 'source.sqlite'}")
    table = Table(
        "permits",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("updated_at", DateTime),
        *(Column(name, String) for name in names),
    )
    table.metadata.create_all(engine)
    # All of one instant: the key alone tells the rows apart.
    at = (datetime.now(UTC) - timedelta(minutes=1)).astimezone(SHANGHAI).replace(tzinfo=None)
    values = [
        {"updated_at": at, **{name: None if value is None else str(value) for name, value in permit(seed).items()}}
        for seed in range(rows)
    ]
    with engine.begin() as connection:
        connection.execute(insert(table), values)
    engine.dispose()
    config = {
        "name": f"permits-{city.suffix}",
        "agency": city.owner,
        "resource": city.resource,
        "source": {
            "url": f"sqlite:///{folder / 'source.sqlite'}",
            "table": "permits",
            "key": ["id"],
            "updated_at": "updated_at",
            "columns": {name: name for name in names},
        },
    }
    path = folder / "connector.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == config
    assert read_config(path).resource == city.resource
    return path
