"""A table of figures as an Excel workbook: one sheet, headings in Chinese, numbers as numbers, every text a text."""

from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import IllegalCharacterError
from openpyxl.worksheet.worksheet import Worksheet

from compliance.figures import Cell, Figures, text
from schemas.errors import UsageError

_MAX_CELL = 32_767
_WIDE, _NARROW = 60, 10


def write_figures(path: Path, figures: Figures) -> None:
    """Write a table as a workbook; what is there is replaced.

    Raises:
        UsageError: the file cannot be written, or a cell holds what a sheet cannot.
    """
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101  a new workbook has one
    sheet.title = figures.zh
    for at, column in enumerate(figures.columns, 1):
        heading = sheet.cell(1, at, column.zh)
        heading.font = Font(bold=True)
        longest = max((len(text(row[at - 1])) for row in figures.rows), default=0)
        width = min(_WIDE, max(_NARROW, 2 * len(column.zh), longest))
        sheet.column_dimensions[get_column_letter(at)].width = width
    for number, row in enumerate(figures.rows, 2):
        for at, cell in enumerate(row, 1):
            _fill(sheet, number, at, cell)
    sheet.freeze_panes = "A2"
    try:
        book.save(path)
    except OSError as error:
        raise UsageError(f"{path.name}: cannot be written ({error.strerror})") from None


def _fill(sheet: Worksheet, row: int, column: int, value: Cell) -> None:
    where = f"row {row} column {get_column_letter(column)}"
    if value is None:
        return
    if isinstance(value, (int, float, date)):
        sheet.cell(row, column, value)
        return
    told = text(value)
    if len(told) > _MAX_CELL:
        raise UsageError(f"{where}: longer than a cell may be; take JSON or CSV")
    try:
        cell = sheet.cell(row, column, told)
    except IllegalCharacterError:
        raise UsageError(f"{where}: a character that a sheet cannot hold") from None
    # A text that begins like a formula stays a text.
    cell.data_type = "s"
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top", wrap_text=True)
