"""The catalogue as an Excel workbook; with `bus/register/figures_workbook.py` the only files that know openpyxl.

Every cell is text: a sheet is read as it looks, and nothing that an office wrote is ever run as a formula.
"""

import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import IllegalCharacterError
from openpyxl.worksheet.worksheet import Worksheet

from compliance.catalogue import SHANGHAI, schema_of
from compliance.entry import CatalogueEntry
from compliance.registertext import packaged_schema
from compliance.sheetread import PACKAGED, Read, Sheet, read_sheets
from compliance.sheets import ENTRIES, ENTRY_COLUMNS, ITEM_COLUMNS, ITEMS, Row, table
from compliance.view import RegisterView
from schemas.errors import RegisterFileError, UsageError

MAX_BYTES = 16_777_216
_MAX_UNPACKED = 268_435_456
_MAX_CELL = 32_767
_MAX_ROWS = 100_000
_WIDE, _NARROW = 40, 10
_NONE = "is not an Excel workbook (.xlsx)"


def write_workbook(path: Path, view: RegisterView, entries: Iterable[CatalogueEntry]) -> tuple[Path, ...]:
    """Write entries as a workbook, and beside it the schemas that do not travel with the bus; all files written.

    Args:
        path: of the workbook; what is there is replaced.
        view: the register, for the owners' credit codes.
        entries: one version of each.

    Raises:
        UsageError: a file cannot be written, or an entry says something that a sheet cannot hold.
    """
    chosen = tuple(entries)
    rows, written = [], [path]
    try:
        for entry in chosen:
            name = PACKAGED
            if not isinstance(packaged_schema(entry), dict):
                name = f"{entry.key}.avsc"
                (path.parent / name).write_text(entry.avro, encoding="utf-8")
                written.append(path.parent / name)
            rows.append(Row(entry, view, name))
        items = [
            Row(row.entry, view, row.schema, spec) for row in rows for spec in schema_of(row.entry).fields.values()
        ]
        book = Workbook()
        _fill(book.active, ENTRIES, table(ENTRY_COLUMNS, rows))
        _fill(book.create_sheet(), ITEMS, table(ITEM_COLUMNS, items))
        book.save(path)
    except OSError as error:
        raise UsageError(f"{path.name}: cannot be written ({error.strerror})") from None
    if read_workbook(path, judge=False).entries != chosen:
        raise UsageError(f"{path.name}: an entry holds characters that a sheet does not keep; export it as JSON")
    return tuple(written)


def _fill(sheet: Any, title: str, rows: list[list[str]]) -> None:  # noqa: ANN401  openpyxl's own word for a sheet is wider
    assert isinstance(sheet, Worksheet)  # noqa: S101  a new workbook has one, and makes them
    sheet.title = title
    top, folded, bold = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True), Font(bold=True)
    for number, texts in enumerate(rows, 1):
        for at, text in enumerate(texts, 1):
            if len(text) > _MAX_CELL:
                raise UsageError(f"{title} row {number} column {get_column_letter(at)}: longer than a cell may be")
            try:
                cell = sheet.cell(number, at, text)
            except IllegalCharacterError:
                # openpyxl's error would repeat the text.
                message = f"{title} row {number} column {get_column_letter(at)}: a character that a sheet cannot hold"
                raise UsageError(message) from None
            # A text that begins like a formula stays a text.
            cell.data_type = "s"
            cell.number_format = "@"
            cell.alignment = folded if number > 1 else top
            if number == 1:
                cell.font = bold
    for at, heading in enumerate(rows[0], 1):
        longest = max((len(row[at - 1]) for row in rows[1:]), default=0)
        sheet.column_dimensions[get_column_letter(at)].width = min(_WIDE, max(_NARROW, 2 * len(heading), longest))
    sheet.freeze_panes = "D2"


def read_workbook(path: Path, *, judge: bool = True) -> Read:
    """The entries of a workbook.

    Args:
        path: of the workbook; schema files that it names lie beside it.
        judge: whether the entries must obey the rules for new ones.

    Raises:
        RegisterFileError: listing every error with sheet, row and column.
    """
    return read_sheets(path.name, _sheets(path), lambda name: _beside(path, name), judge=judge)


def _beside(path: Path, name: str) -> str:
    """A schema file beside the workbook, and nowhere else."""
    if Path(name).name != name:
        raise ValueError(name)
    return (path.parent / name).read_text(encoding="utf-8")


def _sheets(path: Path) -> dict[str, Sheet]:
    """Every sheet as rows of texts; None stands for a cell that holds none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RegisterFileError(f"{path.name}: larger than {MAX_BYTES} bytes")
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MAX_UNPACKED:
                raise RegisterFileError(f"{path.name}: larger than {_MAX_UNPACKED} bytes when unpacked")
    except zipfile.BadZipFile:
        raise RegisterFileError(f"{path.name}: {_NONE}") from None
    except OSError as error:
        raise RegisterFileError(f"{path.name}: cannot be read ({error.strerror})") from None
    try:
        book = load_workbook(path, read_only=True, data_only=False)
    except Exception:  # noqa: BLE001  whatever openpyxl raises for a broken file, it means the same
        raise RegisterFileError(f"{path.name}: {_NONE}") from None
    try:
        return {title: _rows(path, title, book[title].iter_rows()) for title in book.sheetnames}
    finally:
        book.close()


def _rows(path: Path, title: str, rows: Iterable[Iterable[Any]]) -> Sheet:
    found: list[list[str | None]] = []
    for cells in rows:
        if len(found) >= _MAX_ROWS:
            raise RegisterFileError(f"{path.name}: {title} has more than {_MAX_ROWS} rows")
        found.append([None if cell.data_type in ("f", "e") else _text(cell.value) for cell in cells])
    return found


def _text(value: object) -> str | None:
    """What a cell says, as text; None for what no text is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        midnight = value.time() == datetime.min.time()
        return value.date().isoformat() if midnight else value.replace(tzinfo=SHANGHAI).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
