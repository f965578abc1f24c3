"""The demo's agency databases: SQLite files with generated rows, some of them wrong on purpose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, insert, select, update

from bus.demo.people import generate
from bus.demo.register import COUNTY_DIVISION, OWNERS
from bus.demo.wrongs import wrong_rows
from connectors.table import SHANGHAI
from schemas.resource import packaged_text, resource_schema

SEED = 20161129
DIVISION_FIELD = "registration_authority_division"


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written, and what must come of it.

    Attributes:
        rows: all rows by resource.
        refused: expected refusals by code.
        admitted: expected admissions by resource.
        in_county: admitted permits of the county that one grant covers.
    """

    rows: dict[str, int]
    refused: Counter[str]
    admitted: dict[str, int]
    in_county: int


class AgencyDatabase:
    """One agency's SQLite file with one table, as its business system would keep it."""

    def __init__(self, folder: Path, resource: str) -> None:
        self.resource = resource
        self._path = folder / f"{OWNERS[resource]}.sqlite"
        self._engine = create_engine(f"sqlite:///{self._path}")
        names = list(resource_schema(packaged_text(resource)).fields)
        self._table = Table(
            resource,
            MetaData(),
            Column("id", Integer, primary_key=True),
            Column("updated_at", DateTime, nullable=False),
            *(Column(name, String) for name in names),
        )
        self._names = names
        self._table.metadata.create_all(self._engine)

    def fill(self, rows: Sequence[dict[str, Any]], now: datetime) -> None:
        """Insert rows, changed as of a moment."""
        at = now.astimezone(SHANGHAI).replace(tzinfo=None)
        values = [{"updated_at": at, **{name: _text(row.get(name)) for name in self._names}} for row in rows]
        with self._engine.begin() as connection:
            connection.execute(insert(self._table), values)

    def touch(self, count: int, division: str, now: datetime) -> int:
        """Change some good rows of a division, as an office would; how many were changed."""
        column = self._table.c[DIVISION_FIELD]
        with self._engine.begin() as connection:
            chosen = connection.execute(
                select(self._table.c.id).where(column == division).order_by(self._table.c.id).limit(count)
            ).scalars()
            at = now.astimezone(SHANGHAI).replace(tzinfo=None)
            query = update(self._table).where(self._table.c.id.in_(list(chosen)))
            return connection.execute(query.values(updated_at=at)).rowcount

    def write_connector(self, folder: Path) -> Path:
        """The connector file of this table."""
        content = {
            "name": f"{self.resource.replace('_', '-')}-table",
            "agency": OWNERS[self.resource],
            "resource": self.resource,
            "source": {
                "url": f"sqlite:///{self._path}",
                "table": self.resource,
                "key": ["id"],
                "updated_at": "updated_at",
                "columns": {name: name for name in self._names},
                "settle_ms": 200,
            },
        }
        path = folder / f"connector-{self.resource}.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return path


def fill_databases(databases: Sequence[AgencyDatabase], people: int, now: datetime) -> Filled:
    """Generate and insert; the fixed seed makes every run the same but for today's date."""
    today = now.astimezone(SHANGHAI).date()
    town = generate(SEED, people, permits=people, enterprises=max(1, people // 10), businesses=0, today=today)
    good = {"residence_permit": town.permits, "enterprise_registration": town.enterprises}
    refused: Counter[str] = Counter()
    for database in databases:
        wrong = list(wrong_rows(SEED, database.resource, today))
        refused.update(row.code.value for row in wrong)
        # Good rows first, so that `touch` finds those; a second ago, so that they have settled.
        database.fill([*good[database.resource], *(dict(row.row) for row in wrong)], now - timedelta(seconds=2))
    return Filled(
        rows={name: len(rows) for name, rows in good.items()},
        refused=refused,
        admitted={name: len(rows) for name, rows in good.items()},
        in_county=sum(str(row[DIVISION_FIELD]).startswith(COUNTY_DIVISION) for row in town.permits),
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
