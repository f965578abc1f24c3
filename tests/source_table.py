"""A SQLite table as an agency's source, the connector file that names it, and the connector in a thread."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, insert

from bus.settings import Settings
from bus.wire.clients import OnStep, no_step
from bus.workers.connect import ConnectorWorker, read_config
from connectors.table import SHANGHAI
from tests.builders import permit
from tests.city import City
from tests.threads import in_thread


def write_table(city: City, folder: Path, rows: int) -> Path:
    """A SQLite table of permits, all changed a minute ago, and the connector file for it."""
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


@contextmanager
def connecting(settings: Settings, file: Path, on_step: OnStep = no_step) -> Iterator[None]:
    """A connector in a thread of this process; stopped at the end, and what ended it is raised."""
    with in_thread(ConnectorWorker(settings, read_config(file), on_step)):
        yield
