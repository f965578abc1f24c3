"""The small values that register models are made of: codes, days, instants, texts.

Each says in one sentence what it wants, and never repeats what it was given: a value may be a name or a number.
"""

import re
from collections.abc import Hashable, Iterable
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints

_FIRST_YEAR = 1900
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:?\d{2})", re.ASCII)


def _matching(pattern: str, sentence: str) -> AfterValidator:
    r"""A whole-string match with a sentence for people; ASCII, since `\d` would otherwise take any script's digits."""
    known = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not known.fullmatch(value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _iso(pattern: re.Pattern[str], sentence: str) -> BeforeValidator:
    """Texts in ISO 8601 only: a bare number would else be taken for seconds since 1970."""

    def check(value: object) -> object:
        if isinstance(value, (str, int, float)) and not (isinstance(value, str) and pattern.fullmatch(value)):
            raise ValueError(sentence)
        return value

    return BeforeValidator(check)


def _plausible(value: date) -> date:
    if value.year < _FIRST_YEAR:
        raise ValueError(f"lies before the year {_FIRST_YEAR}")
    return value


def _utc_millis(value: datetime) -> datetime:
    """Instants are kept in UTC to the millisecond, as the broker's append times that they are compared with."""
    _plausible(value)
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies after the year 9999") from None
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


AgencyCode = Annotated[
    str, _matching(r"[a-z][a-z0-9_]{1,39}", "is not an agency code: a lower-case letter, then 1 to 39 of a-z, 0-9, _")
]
ResourceCode = Annotated[
    str, _matching(r"[a-z][a-z0-9_]{1,59}", "is not a resource code: a lower-case letter, then 1 to 59 of a-z, 0-9, _")
]
GrantId = Annotated[str, _matching(r"[a-z0-9][a-z0-9-]{1,39}", "is not a grant id: 2 to 40 of a-z, 0-9, -")]
ReviewNumber = Annotated[str, _matching(r"[A-Za-z0-9-]{1,64}", "is not a review number: 1 to 64 of A-Z, a-z, 0-9, -")]
DivisionCode = Annotated[
    str, _matching(r"[0-9]{6}([0-9]{3}|[0-9]{6})?", "is not a division code of 6, 9 or 12 digits (GB/T 2260)")
]
FieldName = Annotated[
    str, _matching(r"[a-z][a-z0-9_]*", "is not a field name: a lower-case letter, then any of a-z, 0-9, _")
]
GroupName = Annotated[
    str,
    _matching(r"[a-z][a-z0-9_]{0,39}", "is not a group's name: a lower-case letter, then at most 39 of a-z, 0-9, _"),
]
ResourceIdentifier = Annotated[
    str,
    _matching(
        r"[1-3][0-9]{5,}/[0-9]{1,12}",
        "is not a resource identifier: class (1, 2 or 3), 2 digits, 3 digits, further digits, a slash, a sequence",
    ),
]
CatalogueScope = Annotated[
    str, _matching(r"CITY|[0-9]{4}(?!00)[0-9]{2}", "is neither CITY nor the six digits of a county (GB/T 2260)")
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Day = Annotated[date, AfterValidator(_plausible), _iso(_ISO_DAY, "is not a date as 2026-01-31")]
Moment = Annotated[
    AwareDatetime,
    AfterValidator(_utc_millis),
    _iso(_ISO_MOMENT, "is not an instant with its time zone, as 2026-01-31T08:00:00+08:00"),
]


def ordered(first: str, start: date, last: str, end: date | None) -> None:
    """Demand that a period does not end before it starts; a period of one day is one.

    Raises:
        ValueError: naming both keys.
    """
    if end is not None and end < start:
        raise ValueError(f"{last} lies before {first}")


def distinct(name: str, values: Iterable[Hashable] | None) -> None:
    """Demand that a list names nothing twice.

    Raises:
        ValueError: naming the list.
    """
    known = tuple(values or ())
    if len(set(known)) != len(known):
        raise ValueError(f"{name} names something twice")


__all__ = [
    "AgencyCode",
    "CatalogueScope",
    "Day",
    "DivisionCode",
    "FieldName",
    "GrantId",
    "GroupName",
    "Moment",
    "ResourceCode",
    "ResourceIdentifier",
    "ReviewNumber",
    "Text",
    "distinct",
    "ordered",
]
