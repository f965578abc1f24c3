"""Code lists: dated data files with their source, one `schemas/codes/<name>.csv` a list (Art 38).

A file begins with comment lines `# key: value` (list, standard, title, version, source, and what else must be
known), then a CSV table: code, name, kind, valid_from, valid_until (ISO dates, both inclusive, empty means
open), verified (yes when code and name were compared with a source, no when they were not) and note. A code
may have several rows, one for each period. What happens to a code that no list has is the field's policy
(refuse, flag, accept), not the list's.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from schemas.errors import SchemaError, UsageError

_FOLDER: Final = "codes"
_COLUMNS: Final = ["code", "name", "kind", "valid_from", "valid_until", "verified", "note"]
_ALWAYS: Final = ((date.min, date.max),)


@dataclass(frozen=True, slots=True)
class Code:
    """One row of a code list.

    Attributes:
        kind: the list's own grouping, e.g. county; `extension` marks a code of ours that the standard lacks.
        valid_from, valid_until: first and last day, inclusive.
        verified: whether the row was compared with a source.
    """

    code: str
    name: str
    kind: str
    valid_from: date
    valid_until: date
    verified: bool
    note: str


class CodeList:
    """One code list, in memory; never changes after it was loaded.

    Attributes:
        name: the file's name without its ending, e.g. `gbt2260_division`.
        head: every `# key: value` line of the file.
        rows: the rows in the file's order.
    """

    __slots__ = ("_base", "_lengths", "_names", "_periods", "head", "name", "rows")

    def __init__(self, name: str, head: Mapping[str, str], rows: tuple[Code, ...]) -> None:
        self.name = name
        self.head = dict(head)
        self.rows = rows
        periods: dict[str, tuple[tuple[date, date], ...]] = {}
        for row in rows:
            periods[row.code] = (*periods.get(row.code, ()), (row.valid_from, row.valid_until))
        self._periods = {code: _ALWAYS if spans == _ALWAYS else spans for code, spans in periods.items()}
        # The name of the latest period stands for the code: a former county is shown under its last name.
        self._names = {row.code: row.name for row in sorted(rows, key=lambda row: row.valid_until)}
        base, *longer = (int(length) for length in head.get("longer", "0").split())
        self._base = base
        self._lengths = frozenset(longer)

    @property
    def version(self) -> str:
        """The version of the list, as its file says."""
        return self.head["version"]

    @property
    def source(self) -> str:
        """Where the rows come from, and what could not be verified."""
        return self.head["source"]

    @property
    def title(self) -> str:
        """The list's title, in Chinese."""
        return self.head["title"]

    @property
    def standard(self) -> str:
        """The standard that the list belongs to, or `own`."""
        return self.head["standard"]

    def __len__(self) -> int:
        return len(self._periods)

    def __iter__(self) -> Iterator[str]:
        return iter(self._periods)

    def contains(self, code: str, on: date | None = None) -> bool:
        """Whether the code is in the list on a day, or was on any day when `on` is None.

        A list whose head says `longer: 6 9 12` accepts 9 and 12 digits where the first six are known:
        townships and villages under a known county.
        """
        spans = self._periods.get(code)
        if spans is _ALWAYS:
            return True
        if spans is None:
            known = self._known_part(code)
            return known is not None and self.contains(known, on)
        return on is None or any(first <= on <= last for first, last in spans)

    def name_of(self, code: str) -> str | None:
        """The name of the code in Chinese (of its known part, for a longer code), or None."""
        name = self._names.get(code)
        if name is None:
            known = self._known_part(code)
            return None if known is None else self._names.get(known)
        return name

    def _known_part(self, code: str) -> str | None:
        if len(code) not in self._lengths:
            return None
        rest = code[self._base :]
        return code[: self._base] if rest.isascii() and rest.isdigit() else None

    def __repr__(self) -> str:
        return f"CodeList({self.name!r}, version {self.version!r}, {len(self)} codes)"


@cache
def load(name: str) -> CodeList:
    """The code list of a name; read at the first call, then shared.

    Raises:
        UsageError: when no such list travels with the bus.
        SchemaError: when the file does not obey its own rules.
    """
    if name not in names():
        raise UsageError(f"there is no code list {name!r}; known are {', '.join(names())}")
    text = files(__package__).joinpath(_FOLDER, f"{name}.csv").read_text(encoding="utf-8")
    return parse(name, text)


@cache
def names() -> tuple[str, ...]:
    """The names of all lists that travel with the bus, sorted."""
    entries = files(__package__).joinpath(_FOLDER).iterdir()
    return tuple(sorted(entry.name.removesuffix(".csv") for entry in entries if entry.name.endswith(".csv")))


def parse(name: str, text: str) -> CodeList:
    """A code list of the text of its file.

    Raises:
        SchemaError: naming the line that is wrong.
    """
    lines = text.splitlines()
    comments = [line for line in lines if line.startswith("#")]
    head = {key.strip(): value.strip() for key, _, value in (line[1:].partition(":") for line in comments)}
    missing = {"list", "standard", "title", "version", "source"} - head.keys()
    if missing or head["list"] != name:
        raise SchemaError(f"code list {name}: its head lacks {', '.join(sorted(missing)) or 'its own name'}")
    table = csv.DictReader(lines[len(comments) :])
    if table.fieldnames != _COLUMNS:
        raise SchemaError(f"code list {name}: the columns must be {', '.join(_COLUMNS)}")
    rows = []
    for number, row in enumerate(table, start=len(comments) + 2):
        try:
            rows.append(_row(row))
        except (ValueError, TypeError) as error:
            raise SchemaError(f"code list {name}, line {number}: {error}") from None
    return CodeList(name, head, tuple(rows))


def _row(row: Mapping[str, str]) -> Code:
    if not row["code"] or not row["name"]:
        raise ValueError("code and name must not be empty")
    if row["verified"] not in ("yes", "no"):
        raise ValueError("verified must be yes or no")
    return Code(
        code=row["code"],
        name=row["name"],
        kind=row["kind"],
        valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min,
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max,
        verified=row["verified"] == "yes",
        note=row["note"],
    )
