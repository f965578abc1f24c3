"""The whole register as files, and back: a table is a file of JSON lines, a manifest holds each file's digest.

What is exported is one instant's state; what is read in again is the same register, in whichever database. Import is
for an empty register alone: two histories cannot be joined.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from compliance.register.migrate import revision_of
from compliance.register.tables import MATTER, METADATA, Instant
from schemas.errors import RegisterFileError, UsageError

MANIFEST = "manifest.json"
FORMAT = "1"
_CHUNK = 1_000


def export_register(engine: sa.Engine, folder: Path) -> dict[str, int]:
    """Write every table into a folder that is empty or does not exist yet.

    Returns:
        rows by table.

    Raises:
        UsageError: the folder holds something, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; an export wants a folder of its own")
        return _export(engine, folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror})") from None


def _export(engine: sa.Engine, folder: Path) -> dict[str, int]:
    told: dict[str, dict[str, Any]] = {}
    with engine.connect().execution_options(**_snapshot(engine)) as connection, connection.begin():
        revision = revision_of(connection)
        for table in METADATA.sorted_tables:
            digest, rows = hashlib.sha256(), 0
            with (folder / f"{table.name}.jsonl").open("wb") as file:
                query = sa.select(table).order_by(*table.primary_key.columns)
                for row in connection.execution_options(yield_per=_CHUNK).execute(query).mappings():
                    line = json.dumps(_plain(row), ensure_ascii=False, sort_keys=True).encode() + b"\n"
                    digest.update(line)
                    file.write(line)
                    rows += 1
            told[table.name] = {"rows": rows, "sha256": digest.hexdigest()}
    manifest = {"format": FORMAT, "revision": revision, "tables": told}
    # Written last: a folder without it is an export that was cut off.
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return {name: entry["rows"] for name, entry in told.items()}


def import_register(engine: sa.Engine, folder: Path) -> dict[str, int]:
    """Read an export into an empty, migrated register; one transaction.

    Returns:
        rows by table.

    Raises:
        UsageError: the register is not empty, or the export is of another revision.
        RegisterFileError: a file is missing, changed or broken; it is named.
    """
    manifest = _manifest(folder)
    for table in METADATA.sorted_tables:
        _verify(folder, table.name, manifest["tables"])
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if manifest["revision"] != revision_of(connection):
            raise UsageError(
                f"the export is of revision {manifest['revision']}, the database of {revision_of(connection)}: "
                "import it with the version of the bus that wrote it, then let the newer one migrate"
            )
        for table in METADATA.sorted_tables:
            if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
                raise UsageError("the register is not empty; an export is imported into an empty one alone")
        for table in METADATA.sorted_tables:
            _insert(connection, table, folder / f"{table.name}.jsonl")
    return {name: entry["rows"] for name, entry in manifest["tables"].items()}


def _snapshot(engine: sa.Engine) -> dict[str, str]:
    # All tables as of one instant; SQLite's read transaction is that of itself.
    return {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in row.items()}


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        tables = found["tables"]
        good = found["format"] == FORMAT and isinstance(found["revision"], str)
        good = good and set(tables) == set(METADATA.tables)
        good = good and all(isinstance(t["rows"], int) and isinstance(t["sha256"], str) for t in tables.values())
    except OSError as error:
        raise RegisterFileError(f"{folder / MANIFEST}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        good = False
    if not good:
        raise RegisterFileError(f"{folder / MANIFEST}: is not the manifest of a register's export")
    return dict(found)


def _verify(folder: Path, name: str, told: Mapping[str, Any]) -> None:
    path = folder / f"{name}.jsonl"
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise RegisterFileError(f"{path}: cannot be read ({error.strerror})") from None
    if digest.hexdigest() != told[name]["sha256"]:
        raise RegisterFileError(f"{path}: was changed since it was exported: its digest is not the manifest's")


def _insert(connection: sa.Connection, table: sa.Table, path: Path) -> None:
    parents: list[dict[str, str]] = []
    rows: list[dict[str, Any]] = []
    for row in _rows(table, path):
        if table is MATTER and row["parent"] is not None:
            # A matter may come before the one that opened it: the link follows when all are there.
            parents.append({"one": row["number"], "other": row["parent"]})
            row["parent"] = None
        rows.append(row)
        if len(rows) == _CHUNK:
            connection.execute(sa.insert(table), rows)
            rows = []
    if rows:
        connection.execute(sa.insert(table), rows)
    if parents:
        query = sa.update(MATTER).where(MATTER.c.number == sa.bindparam("one"))
        connection.execute(query.values(parent=sa.bindparam("other")), parents)
    _go_on_counting(connection, table)


def _rows(table: sa.Table, path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                yield {column.name: _value(column, row[column.name]) for column in table.columns}
            except (ValueError, KeyError, TypeError, RecursionError):
                raise RegisterFileError(f"{path}:{number}: is no row of {table.name}") from None


def _value(column: sa.Column[Any], value: Any) -> Any:  # noqa: ANN401  any JSON value
    if value is None:
        return None
    if isinstance(column.type, Instant):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value)
    return value


def _go_on_counting(connection: sa.Connection, table: sa.Table) -> None:
    """PostgreSQL's counters know nothing of numbers that were given before."""
    counted = table.autoincrement_column
    if connection.dialect.name != "postgresql" or counted is None or counted.foreign_keys:
        return
    newest = sa.select(sa.func.max(counted)).scalar_subquery()
    sequence = sa.func.pg_get_serial_sequence(table.name, counted.name)
    connection.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(newest, 1), newest.is_not(None))))
