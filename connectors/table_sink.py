"""A table as a sink: the current row of each record, and how far it was read, in one database transaction.

So a kill at any point neither loses nor repeats anything: either rows and positions are there, or neither is.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeEngine

from connectors.sink import Place, SinkRow
from schemas.errors import SourceError
from schemas.field import FieldSpec
from schemas.resource import ResourceSchema

_PROVENANCE = ("event_id", "operation", "owner", "catalogue_version", "grant")


class TableSink:
    """Keeps one grant's deliveries in a table, and positions in `<table>_positions` beside it.

    Args:
        url: SQLAlchemy's database URL; never repeated in an error.
        table: the table's name; made when it does not exist.
        schema: of the delivered resource.
        fields: the granted fields.

    Raises:
        SourceError: the database cannot be reached.
    """

    def __init__(self, url: str, table: str, schema: ResourceSchema, fields: Sequence[str]) -> None:
        self._engine = create_engine(url)
        self._text_decimals = self._engine.dialect.name == "sqlite"
        metadata = MetaData()
        self._fields = tuple(name for name in schema.fields if name in set(fields))
        self._table = Table(
            table,
            metadata,
            Column("record_key", String(64), primary_key=True),
            *(Column(f"bus_{name}", String) for name in _PROVENANCE),
            Column("bus_business_time", DateTime(timezone=True)),
            *(Column(name, self._type(schema.fields[name])) for name in self._fields),
        )
        self._positions = Table(
            f"{table}_positions",
            metadata,
            Column("topic", String(255), primary_key=True),
            Column("partition_number", Integer, primary_key=True),
            Column("next_offset", BigInteger, nullable=False),
        )
        try:
            metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            raise SourceError(f"table {table} cannot be made ({type(error).__name__})") from None

    def _type(self, spec: FieldSpec) -> TypeEngine[Any]:
        kinds: dict[str, TypeEngine[Any]] = {
            "int": Integer(),
            "long": BigInteger(),
            "float": Float(),
            "double": Float(),
            "boolean": Boolean(),
            "bytes": LargeBinary(),
            "date": Date(),
            "timestamp": DateTime(timezone=True),
            # SQLite has no decimals: text keeps every digit.
            "decimal": String() if self._text_decimals else Numeric(),
        }
        return kinds.get(spec.value_type, String())

    def positions(self) -> dict[Place, int]:
        """See `connectors.sink.Sink`."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(self._positions)).all()
        return {(row.topic, row.partition_number): row.next_offset for row in rows}

    def write(self, rows: Sequence[SinkRow], positions: Mapping[Place, int]) -> None:
        """See `connectors.sink.Sink`."""
        latest = {row.key: row for row in rows}
        keep = [self._values(row) for row in latest.values() if row.data is not None]
        table, marks = self._table, self._positions
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(table).where(table.c.record_key.in_([key.hex() for key in latest])))
                if keep:
                    connection.execute(insert(table), keep)
                for (topic, part), offset in positions.items():
                    place = (marks.c.topic == topic) & (marks.c.partition_number == part)
                    connection.execute(delete(marks).where(place))
                    connection.execute(insert(marks).values(topic=topic, partition_number=part, next_offset=offset))
        except SQLAlchemyError as error:
            raise SourceError(f"table {table.name} cannot be written ({type(error).__name__})") from None

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def _values(self, row: SinkRow) -> dict[str, Any]:
        data = row.data or {}
        values = {name: data.get(name) for name in self._fields}
        if self._text_decimals:
            values = {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}
        facts = {
            f"bus_{name}": None if (fact := row.provenance.get(name)) is None else str(fact) for name in _PROVENANCE
        }
        return {
            "record_key": row.key.hex(),
            "bus_business_time": row.provenance.get("business_time"),
            **facts,
            **values,
        }
