"""Figures as tables with named columns, and those tables as JSON and CSV; every row names the records it comes from."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Cell = str | int | float | date | None | tuple[str, ...]
# What a spreadsheet would take for a formula when it opens a CSV file.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name for programs, in Chinese and in English."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Figures:
    """One table of figures.

    Attributes:
        code: its name for programs.
        article: that asks for it.
        facts: what was asked: agency, period, day.
        rows: cells in the columns' order; a tuple of texts is a list of records.
    """

    code: str
    zh: str
    en: str
    article: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    facts: Mapping[str, str] = field(default_factory=dict)


def columns(*named: tuple[str, str, str]) -> tuple[Column, ...]:
    """Columns from code, Chinese and English."""
    return tuple(Column(*names) for names in named)


def records(figures: Figures) -> list[dict[str, Any]]:
    """Every row by the columns' codes, days as ISO texts, lists as lists."""
    names = [column.code for column in figures.columns]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in figures.rows]


def as_json(figures: Figures) -> str:
    """The table as one JSON document, with what the columns mean."""
    body = {
        "code": figures.code,
        "title_zh": figures.zh,
        "title_en": figures.en,
        "article": figures.article,
        **figures.facts,
        "columns": [{"code": one.code, "zh": one.zh, "en": one.en} for one in figures.columns],
        "rows": records(figures),
    }
    return json.dumps(body, ensure_ascii=False, indent=2)


def as_csv(figures: Figures) -> str:
    """The table as CSV (RFC 4180): a heading in Chinese, one line a row; a text is never read as a formula."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([column.zh for column in figures.columns])
    for row in figures.rows:
        writer.writerow([_harmless(text(cell)) if isinstance(cell, (str, tuple)) else text(cell) for cell in row])
    return written.getvalue()


def text(cell: Cell) -> str:
    """A cell for people: nothing for None, a list with semicolons, a share with four digits at the most."""
    if cell is None:
        return ""
    if isinstance(cell, tuple):
        return "; ".join(cell)
    if isinstance(cell, float):
        return f"{cell:.4f}".rstrip("0").rstrip(".")
    return str(cell)


def _plain(cell: Cell) -> str | int | float | list[str] | None:
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, tuple):
        return list(cell)
    return round(cell, 4) if isinstance(cell, float) else cell


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
