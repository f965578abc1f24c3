"""The two sheets 目录 and 信息项 back into catalogue entries; every error with its sheet, row and column, all at once.

A row of 信息项 says what the catalogue says of one field; the field itself is the schema's. No error repeats what a
cell holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

from pydantic import ValidationError

from compliance.entry import CatalogueEntry
from compliance.entry_codes import EntryCode, Problem
from compliance.entry_rules import alone
from compliance.national import SHARING, data_type
from compliance.positions import Path
from compliance.registerfile import sentences
from compliance.registertext import Schema
from compliance.sheets import BY_SCHEMA, ENTRIES, ENTRY_COLUMNS, ITEM_COLUMNS, ITEMS, Column
from schemas.errors import BusError, RegisterFileError, SchemaError
from schemas.resource import packaged_text, resource_schema

PACKAGED = "packaged"
Key = tuple[str, int]
# Rows of cell texts; None is a cell whose content is none, such as a formula.
Sheet = Sequence[Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Read:
    """What two sheets hold: the entries in their order, and how each names its schema."""

    entries: tuple[CatalogueEntry, ...]
    schemas: Mapping[str, Schema]

    def schema(self, entry: CatalogueEntry) -> Schema:
        """How the sheets name an entry's schema, as a register file does."""
        return self.schemas[entry.key]


@dataclass(slots=True)
class _Line:
    """One row, taken apart: content by key, the keys whose cells say nothing usable, and every cell by heading."""

    number: int
    content: dict[Path, Any] = field(default_factory=dict)
    failed: list[Path] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)


def letters(index: int) -> str:
    """A column's letters: 0 is A, 26 is AA."""
    found = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, len(ascii_uppercase))
        found = ascii_uppercase[rest] + found
    return found


def read_sheets(
    name: str, sheets: Mapping[str, Sheet], load_schema: Callable[[str], str], *, judge: bool = True
) -> Read:
    """The entries of the two sheets.

    Args:
        name: of the workbook, for the errors.
        sheets: by title, rows of cell texts, headings first.
        load_schema: the text of a schema file that lies beside the workbook; raises OSError or ValueError.
        judge: whether the entries must obey the rules for new ones, beside saying what an entry says.

    Raises:
        RegisterFileError: listing every error, each as `workbook: sheet row R column C (heading): what`.
    """
    reader = _Reader(name, load_schema, judge=judge)
    lines = reader.lines(sheets, ENTRIES, ENTRY_COLUMNS)
    items = reader.items(reader.lines(sheets, ITEMS, ITEM_COLUMNS))
    entries, schemas = [], {}
    seen: dict[Key, int] = {}
    for line in lines:
        key = reader.key(line, ENTRIES)
        if key in seen:
            reader.error(ENTRIES, line.number, ("resource",), f"the entry stands in row {seen[key]} already")
            continue
        if key is not None:
            seen[key] = line.number
        found = reader.entry(line, items.pop(key, []) if key is not None else [])
        if found is not None:
            entries.append(found[0])
            schemas[found[0].key] = found[1]
    for lonely in items.values():
        for line in lonely:
            reader.error(ITEMS, line.number, ("resource",), f"the sheet {ENTRIES} has no such entry and version")
    if reader.errors:
        raise RegisterFileError("\n".join(text for _, text in sorted(reader.errors)))
    return Read(tuple(entries), schemas)


class _Reader:
    """Collects errors while it reads."""

    def __init__(self, name: str, load_schema: Callable[[str], str], *, judge: bool) -> None:
        self.errors: list[tuple[tuple[int, int, int], str]] = []
        self._name = name
        self._load = load_schema
        self._judge = judge
        self._columns: dict[str, list[Column | None]] = {ENTRIES: [], ITEMS: []}
        self._headed: dict[str, Sequence[str | None]] = {}

    def error(self, sheet: str, row: int, key: Path, what: str) -> None:
        """Note an error at the cell that a key stands in, or at the row's first where none does."""
        columns = self._columns[sheet]
        at = next((i for i, column in enumerate(columns) if column is not None and _leads(column.key, key)), 0)
        self._note(sheet, row, at, what)

    def _note(self, sheet: str, row: int, at: int, what: str) -> None:
        column = self._columns[sheet][at] if at < len(self._columns[sheet]) else None
        heading = f" ({column.heading})" if column is not None else ""
        place = ((ENTRIES, ITEMS).index(sheet), row, at)
        self.errors.append((place, f"{self._name}: {sheet} row {row} column {letters(at)}{heading}: {what}"))

    # -- rows ----------------------------------------------------------------------------------------------------

    def lines(self, sheets: Mapping[str, Sheet], title: str, columns: Sequence[Column]) -> list[_Line]:
        """The rows of a sheet; empty ones are passed over."""
        rows = sheets.get(title)
        if not rows:
            self._note(title, 1, 0, "the sheet is missing or empty")
            return []
        known = {column.heading: column for column in columns}
        order = self._columns[title]
        self._headed[title] = rows[0]
        for at, heading in enumerate(rows[0]):
            column = known.pop(heading or "", None)
            order.append(column)
            if column is None and heading != "":
                self._note(title, 1, at, "there is no such heading, or it stands twice")
        for column in known.values():
            if column.key:
                self._note(title, 1, len(order), f"the heading {column.heading} is missing")
        found = []
        for number, cells in enumerate(rows[1:], 2):
            if any(text != "" for text in cells):
                found.append(self._line(title, number, cells))
        return found

    def _line(self, title: str, number: int, cells: Sequence[str | None]) -> _Line:
        line = _Line(number)
        for at, (column, text) in enumerate(zip(self._columns[title], cells, strict=False)):
            if text is None:
                self._note(title, number, at, "holds a formula or an error; write what it shows")
                line.failed.append(column.key if column is not None else ())
            elif column is None and text and not self._headed[title][at]:
                self._note(title, number, at, "stands under no heading")
            if column is None or not text:
                continue
            line.shown[column.heading] = text
            if column.key:
                try:
                    line.content[column.key] = column.take(text)
                except ValueError as error:
                    line.failed.append(column.key)
                    self._note(title, number, at, str(error))
        return line

    def key(self, line: _Line, sheet: str) -> Key | None:
        """Which entry a row belongs to."""
        resource, version = line.content.get(("resource",)), line.content.get(("version",))
        for name, value in (("resource", resource), ("version", version)):
            if value is None and (name,) not in line.failed:
                self.error(sheet, line.number, (name,), "says nothing that names an entry")
        return None if resource is None or version is None else (resource, version)

    def items(self, lines: Sequence[_Line]) -> dict[Key, list[_Line]]:
        """The rows of items by their entry; a field stands once."""
        found: dict[Key, list[_Line]] = {}
        seen: dict[tuple[Key, str], int] = {}
        for line in lines:
            key, name = self.key(line, ITEMS), line.content.get(("name",))
            if name is None:
                self.error(ITEMS, line.number, ("name",), "names no field")
            elif key is not None and (key, name) in seen:
                self.error(ITEMS, line.number, ("name",), f"the field stands in row {seen[key, name]} already")
            elif key is not None:
                seen[key, name] = line.number
                found.setdefault(key, []).append(line)
        return found

    # -- entries -------------------------------------------------------------------------------------------------

    def entry(self, line: _Line, items: Sequence[_Line]) -> tuple[CatalogueEntry, Schema] | None:
        """One entry with its items; None where something is wrong with it."""
        count = len(self.errors)
        raw = _nested(line.content)
        schema = self._schema(line)
        rows = {item.content["name",]: item for item in items}
        raw["fields"] = {name: _policy(item) for name, item in rows.items()}
        raw["schema"] = schema[1] if schema is not None else ""
        if schema is not None:
            self._fields(line, rows, schema[1])
        try:
            entry = CatalogueEntry.model_validate(raw)
        except ValidationError as error:
            for where, what in sentences(CatalogueEntry.kind, error):
                self._problem(line, rows, where, what)
            return None
        for problem in alone(entry) if self._judge and schema is not None else ():
            self._problem(line, rows, *_told(problem, rows))
        return (entry, schema[0]) if schema is not None and len(self.errors) == count else None

    def _schema(self, line: _Line) -> tuple[Schema, str] | None:
        """How the row names its schema, and the text; None where it cannot be had."""
        name = line.content.get(("schema",))
        if name is None:
            self.error(ENTRIES, line.number, ("schema",), f"names neither {PACKAGED} nor a file")
            return None
        try:
            if name == PACKAGED:
                resource = str(line.content.get(("resource",)))
                return {"packaged": resource}, packaged_text(resource)
            return {"file": name}, self._load(name)
        except BusError:
            self.error(ENTRIES, line.number, ("schema",), "no schema of the resource travels with the bus")
        except (OSError, ValueError):
            self.error(ENTRIES, line.number, ("schema",), "the file cannot be read beside the workbook")
        return None

    def _fields(self, line: _Line, rows: Mapping[str, _Line], text: str) -> None:
        """The items are the schema's, all of them, and described as it describes them."""
        try:
            schema = resource_schema(text)
        except SchemaError:
            # The rules say so, at the cell that names it.
            return
        missing = [name for name in schema.fields if name not in rows]
        if missing:
            what = f"the sheet {ITEMS} has no row for {', '.join(missing)}"
            self.error(ENTRIES, line.number, ("resource",), what)
        for name, item in rows.items():
            spec = schema.fields.get(name)
            if spec is None:
                continue
            facts = {"信息项名称": spec.cn, "数据类型": data_type(spec)}
            if item.content.get(("by",)) == BY_SCHEMA:
                facts["共享类型"] = SHARING[spec.sharing]
            for heading, wanted in facts.items():
                if item.shown.get(heading, wanted) != wanted:
                    at = next(i for i, c in enumerate(self._columns[ITEMS]) if c is not None and c.heading == heading)
                    self._note(ITEMS, item.number, at, "differs from the schema")
            if ("sharing",) not in item.content and item.content.get(("by",)) != BY_SCHEMA:
                missing_class = Problem(EntryCode.E_CLASS_MISSING, name, ("fields", name, "sharing"))
                self._problem(line, rows, *_told(missing_class, rows))

    def _problem(self, line: _Line, rows: Mapping[str, _Line], path: Path, what: str) -> None:
        """An error at the cell that a path within the entry leads to."""
        item = rows.get(str(path[1])) if len(path) > 1 and path[0] == "fields" else None
        sheet, row, key = (ENTRIES, line, path) if item is None else (ITEMS, item, path[2:] or ("sharing",))
        # What a cell cannot say was told at the cell already.
        if not any(_leads(failed, key) for failed in row.failed):
            self.error(sheet, row.number, key, what)


def _told(problem: Problem, rows: Mapping[str, _Line]) -> tuple[Path, str]:
    """Where a problem is shown; of a field that the schema lacks, at its name."""
    path = problem.path
    if problem.code is EntryCode.E_NO_FIELD and len(path) > 1 and path[1] in rows:
        path = (*path, "name")
    return path, str(problem)


def _leads(column: Path, key: Path) -> bool:
    """Whether a column holds what a key leads to, or a part of it."""
    return bool(column) and bool(key) and (key[: len(column)] == column or column[: len(key)] == key)


def _nested(content: Mapping[Path, Any]) -> dict[str, Any]:
    """Content by path as nested mappings."""
    found: dict[str, Any] = {}
    for path, value in content.items():
        place = found
        for part in path[:-1]:
            place = place.setdefault(str(part), {})
        place[str(path[-1])] = value
    return found


def _policy(item: _Line) -> dict[str, Any]:
    """What a row of 信息项 says of its field over the schema."""
    said = {path: value for path, value in item.content.items() if path not in (("resource",), ("version",), ("name",))}
    if said.pop(("by",), None) == BY_SCHEMA:
        said.pop(("sharing",), None)
    return _nested(said)
