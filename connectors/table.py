"""A table of an agency's database as a source: rows that changed since a watermark, through SQLAlchemy.

The watermark is (updated-at, key): rows are read in that order, so a tie of times neither loses nor repeats a row.
A row must have settled for a moment, or a transaction that commits late could slip in behind the watermark.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, DateTime, MetaData, Select, Table, and_, create_engine, not_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.naming import VersionNames
from connectors.source import Batch, Stretch
from schemas.errors import SourceError
from schemas.field import FieldSpec
from schemas.refusals import RefusalCode, Refused
from schemas.resource import ResourceSchema
from schemas.words import Change, Operation

SHANGHAI = timezone(timedelta(hours=8))
_NEVER = datetime.min.replace(tzinfo=UTC)
_OPERATIONS = frozenset(operation.value for operation in Operation)


class TableConfig(BaseModel):
    """Where the table is and what its columns mean.

    Attributes:
        url: SQLAlchemy's database URL; never repeated in an error, for it may hold a password.
        key: columns that identify a row.
        updated_at: column with the time of a row's last change; naive times are Asia/Shanghai.
        columns: field of the resource → column of the table.
        operation: column with CREATE, UPDATE, CANCEL, CORRECT or WITHDRAW; UPDATE when there is none.
        division: column with the subject's division, where the resource has no field for it.
        settle_ms: milliseconds a row must be old before it is read; the bus's own setting where the file names none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(repr=False)
    table: str
    key: tuple[str, ...] = Field(min_length=1)
    updated_at: str
    columns: dict[str, str] = Field(min_length=1)
    operation: str | None = None
    division: str | None = None
    settle_ms: int = Field(default=1_000, ge=0)


class TableSource:
    """Reads one table.

    Args:
        config: the table.
        schema: of the resource that its rows are of.
        names: gives each row its event id; without it the rows have none.

    Raises:
        SourceError: the database cannot be reached, or a column or field does not exist.
    """

    def __init__(self, config: TableConfig, schema: ResourceSchema, names: VersionNames | None = None) -> None:
        self._config = config
        self._schema = schema
        self._names = names
        self._engine = create_engine(config.url)
        try:
            self._table = Table(config.table, MetaData(), autoload_with=self._engine)
        except SQLAlchemyError as error:
            raise SourceError(f"table {config.table} cannot be read ({type(error).__name__})") from None
        named = [*config.key, config.updated_at, *config.columns.values(), config.operation, config.division]
        for column in named:
            if column is not None and column not in self._table.c:
                raise SourceError(f"table {config.table} has no column {column}")
        for name in config.columns:
            if name not in schema.fields:
                raise SourceError(f"resource {schema.code} has no field {name}")

    def read(self, cursor: str | None, limit: int, now: datetime) -> Batch:
        """See `connectors.source.Source`."""
        order = self._order()
        settled = now - timedelta(milliseconds=self._config.settle_ms)
        query = select(self._table).where(order[0] <= _bound(settled, order[0]))
        if cursor is not None:
            query = query.where(_after(order, _marks(cursor, order)))
        rows = self._fetch(query.order_by(*order).limit(limit))
        if rows:
            cursor = self._cursor(rows[-1])
        # How texts of times sort is not known: what is behind them in time need not be behind them in the table.
        at_end = len(rows) < limit and isinstance(order[0].type, DateTime)
        return Batch(
            tuple(self._change(row) for row in rows),
            cursor,
            settled if at_end else None,
            _NEVER if cursor is None else _moment(json.loads(cursor)[0]),
        )

    def scan(self, after: str | None, until: str, limit: int) -> Stretch:
        """See `connectors.source.Source`."""
        order = self._order()
        last = _marks(until, order)
        # The first condition says nothing that the second does not: it is one for which a database has an index.
        query = select(self._table).where(order[0] <= last[0], not_(_after(order, last)))
        if after is not None:
            query = query.where(_after(order, _marks(after, order)))
        rows = self._fetch(query.order_by(*order).limit(limit))
        ended = len(rows) < limit
        return Stretch(tuple(self._change(row) for row in rows), None if ended else self._cursor(rows[-1]))

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def _order(self) -> list[Any]:
        config, columns = self._config, self._table.c
        return [columns[config.updated_at], *(columns[name] for name in config.key)]

    def _fetch(self, query: Select[Any]) -> Sequence[Mapping[Any, Any]]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(query).mappings().all()
        except (SQLAlchemyError, ValueError) as error:  # ValueError: a column holds what its own type cannot be
            raise SourceError(f"table {self._config.table} cannot be read ({type(error).__name__})") from None

    def _cursor(self, row: Mapping[Any, Any]) -> str:
        config = self._config
        return json.dumps([_plain(row[config.updated_at]), *(_plain(row[name]) for name in config.key)])

    def _change(self, row: Mapping[Any, Any]) -> Change | Refused:
        config = self._config
        data: dict[str, Any] = {}
        for name, column in config.columns.items():
            value = coerce(self._schema.fields[name], row[column])
            if isinstance(value, Refused):
                return value
            data[name] = value
        changed = _moment(row[config.updated_at])
        if changed is None:
            return Refused(RefusalCode.E_SCHEMA, "the row's time of change cannot be read", "business_time")
        operation = row[config.operation] if config.operation else Operation.UPDATE.value
        if operation not in _OPERATIONS:
            return Refused(RefusalCode.E_SCHEMA, "is none of the operations", "operation")
        division = row[config.division] if config.division else None
        change = Change(data, changed, Operation(operation), division=None if division is None else str(division))
        if self._names is None:
            return change
        return replace(change, event_id=self._names.event_id([row[name] for name in config.key], change))


def coerce(spec: FieldSpec, value: object) -> Any:  # noqa: ANN401, PLR0911  any Avro value, one return a kind
    """A column's value as the field wants it, or why it cannot be."""
    if value is None or value == "":
        return None
    kind = spec.value_type
    try:
        if kind == "date":
            return _date(value)
        if kind == "decimal":
            return value if isinstance(value, Decimal) else Decimal(str(value))
        if kind == "timestamp":
            found = _moment(value)
            return Refused(RefusalCode.E_SCHEMA, "wants a timestamp", spec.name) if found is None else found
        if kind in ("int", "long"):
            return int(str(value))
        if kind == "string":
            return value if isinstance(value, str) else str(value)
    except (ValueError, TypeError, InvalidOperation):
        return Refused(RefusalCode.E_SCHEMA, f"wants {kind}, got {type(value).__name__}", spec.name)
    return value


def _date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _moment(value: object) -> datetime | None:
    """An aware time; naive ones are Asia/Shanghai."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=SHANGHAI)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _bound(settled: datetime, column: ColumnElement[Any]) -> Any:  # noqa: ANN401  as the column wants it
    """The latest time that is read: aware for a column that knows zones, else as Asia/Shanghai's clock shows it."""
    if isinstance(column.type, DateTime) and column.type.timezone:
        return settled
    return _as_column(settled.astimezone(SHANGHAI).replace(tzinfo=None), column)


def _marks(cursor: str, order: list[Any]) -> list[Any]:
    try:
        return [_as_column(part, column) for part, column in zip(json.loads(cursor), order, strict=True)]
    except (ValueError, TypeError, RecursionError):
        # Where it stood may be a row's content, and is not told.
        names = ", ".join(column.name for column in order)
        raise SourceError(
            f"the connector's cursor does not fit the columns {names}: were they changed? "
            "Under another name it reads its table anew"
        ) from None


def _as_column(value: object, column: ColumnElement[Any]) -> Any:  # noqa: ANN401  as the column wants it
    """A cursor's plain value in the column's own type: some databases keep times as text."""
    try:
        wanted = column.type.python_type
    except NotImplementedError:
        return value
    if wanted is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if wanted is str and isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    return value


def _after(order: list[Any], marks: list[Any]) -> ColumnElement[bool]:
    """(a, b, c) > (x, y, z), in words that every database understands."""
    steps = []
    for index, column in enumerate(order):
        equal = [earlier == mark for earlier, mark in zip(order[:index], marks[:index], strict=True)]
        steps.append(and_(*equal, column > marks[index]))
    return or_(*steps)
