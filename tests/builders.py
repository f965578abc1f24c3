"""Rows for tests: valid ones of every packaged resource, and the same with one thing wrong.

The demo's made-up people are the tests' people too: `bus.demo.people` makes them, this module gives the tests short
names for it. Everything is decided by the seed.
"""

from collections.abc import Iterator
from datetime import date
from random import Random

from bus.demo.people import (
    BUSINESS,
    ENTERPRISE,
    FOREIGN_DIVISION,
    HOUSEHOLD,
    PERMIT,
    TODAY,
    Maker,
    Row,
)
from bus.demo.wrongs import WrongRow, wrong_rows
from schemas.resource import packaged_resources

RESOURCES = packaged_resources()

__all__ = [
    "BUSINESS",
    "ENTERPRISE",
    "FOREIGN_DIVISION",
    "HOUSEHOLD",
    "PERMIT",
    "RESOURCES",
    "TODAY",
    "Maker",
    "Row",
    "WrongRow",
    "canary_person",
    "corruptions",
    "enterprise",
    "individual_business",
    "permit",
    "person",
    "rows",
]


def person(seed: int = 1, **fields: object) -> Row:
    """One household registration; `fields` replace what was made."""
    return _one(HOUSEHOLD, seed, fields)


def permit(seed: int = 1, **fields: object) -> Row:
    """One residence permit; `fields` replace what was made."""
    return _one(PERMIT, seed, fields)


def enterprise(seed: int = 1, **fields: object) -> Row:
    """One enterprise; `fields` replace what was made."""
    return _one(ENTERPRISE, seed, fields)


def individual_business(seed: int = 1, **fields: object) -> Row:
    """One individual business; `fields` replace what was made."""
    return _one(BUSINESS, seed, fields)


def rows(resource: str, count: int, seed: int = 1, today: date = TODAY) -> list[Row]:
    """Valid rows of different subjects."""
    maker = Maker(Random(seed), today)  # noqa: S311  tests must repeat
    return [maker.row(resource) for _ in range(count)]


def corruptions(resource: str, seed: int = 1, today: date = TODAY) -> Iterator[WrongRow]:
    """The resource's rows with one thing wrong each, and the code that admit must answer."""
    return wrong_rows(seed, resource, today)


def canary_person(seed: int = 47) -> Row:
    """A person whose name and number are easy to find where they must not be."""
    row = person(seed)
    number = Maker(Random(seed)).citizen_number("441324", date(1919, 5, 4), row["sex_code"])  # noqa: S311  as above
    return {**row, "name": "金丝雀验收", "citizen_id_number": number}


def _one(resource: str, seed: int, fields: dict[str, object]) -> Row:
    row = Maker(Random(seed)).row(resource)  # noqa: S311  tests must repeat
    unknown = fields.keys() - row.keys()
    if unknown:
        raise ValueError(f"{resource} has no field {', '.join(sorted(unknown))}")
    return {**row, **fields}
