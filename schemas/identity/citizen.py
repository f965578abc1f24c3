"""Citizen identity numbers (GB 11643) and the residence numbers built like them.

18 digits: 6 division, 8 date of birth, 3 sequence (odd male, even female), 1 check character. 15 digits
(1989): the same without century and check. The number never changes for life (居民身份证法 Art 3).
Residents from Hong Kong, Macau and Taiwan have 810000, 820000 and 830000 in place of a county; foreigners
with permanent residence (since 2023) have a 9, the province and the country's three digits there.

The valid number is by far the common case, so it is tried first and with table look-ups only; the slow way
below it finds out what is wrong, and folds what is written unusually.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final

from schemas.identity.check import CITIZEN_CHECKS, CITIZEN_WEIGHTS, citizen_check_digit
from schemas.identity.divisions import county_known, provinces
from schemas.identity.normalise import normalise
from schemas.identity.words import (
    CENTENARIAN,
    CITIZEN,
    FOREIGN_PERMANENT_RESIDENCE,
    HMT_RESIDENCE,
    LEGACY_15,
    OLD_FORM,
    OTHER_TYPE,
    SEQUENCE_000,
    UNKNOWN_DIVISION,
    Identity,
    invalid,
)
from schemas.refusals import Refused

CITIZEN_FORM: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_LEGACY_FORM: Final = re.compile(r"[0-9]{15}", re.ASCII)
_PERMANENT_FORM: Final = re.compile(r"9[0-9]{16}[0-9X]", re.ASCII)
_OLD_PERMANENT_FORM: Final = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_LENGTH: Final = 18
_LEGACY_LENGTH: Final = 15
_HMT_PREFIXES: Final = ("81", "82", "83")
# No living or recorded person is older; a birth date before is a slip of the pen. In days written as
# YYYYMMDD.
_OLDEST: Final = 150_00_00
# Sequences that the 1989 edition kept for those over a hundred; their two-digit year is of the 1800s.
_CENTENARIANS: Final = ("996", "997", "998", "999")
_DIVISION_WEIGHTS: Final = CITIZEN_WEIGHTS[:6]
_DATE_WEIGHTS: Final = CITIZEN_WEIGHTS[6:14]
# Weighted sum of the three sequence digits (weights 8, 4, 2); only 000 has the sum 0.
_SEQUENCES: Final = {f"{n:03d}": n // 100 * 8 + n // 10 % 10 * 4 + n % 10 * 2 for n in range(1000)}


def _weigh(digits: str, weights: tuple[int, ...]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))


@lru_cache(maxsize=16_384)
def _division(code: str) -> tuple[int, tuple[str, ...]] | None:
    """Weighted sum and flags of a citizen's division code; None when it is no such code."""
    if not (code.isascii() and code.isdigit()) or code[:2] not in provinces() or code[:2] in _HMT_PREFIXES:
        return None
    return _weigh(code, _DIVISION_WEIGHTS), () if county_known(code) else (UNKNOWN_DIVISION,)


@lru_cache(maxsize=65_536)
def _day(text: str) -> tuple[int, int] | None:
    """Weighted sum and value of a date written YYYYMMDD; None when there is no such day."""
    if not (text.isascii() and text.isdigit()):
        return None
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    return _weigh(text, _DATE_WEIGHTS), int(text)


def citizen(number: str, on: date) -> Identity | Refused:
    """A citizen identity number of 18 or 15 digits (document types 111 and 112)."""
    if type(number) is str and len(number) == _LENGTH:
        division = _division(number[:6])
        day = _day(number[6:14])
        sequence = _SEQUENCES.get(number[14:17])
        if division is not None and day is not None and sequence is not None:  # noqa: SIM102  each line says one thing
            if CITIZEN_CHECKS[(division[0] + day[0] + sequence) % 11] == number[17]:
                today = on.year * 10_000 + on.month * 100 + on.day
                if today - _OLDEST <= day[1] <= today:
                    flags = division[1] if sequence else (*division[1], SEQUENCE_000)
                    return Identity(CITIZEN, number, number, flags)
    return _citizen_carefully(number, on)


def _citizen_carefully(number: str, on: date) -> Identity | Refused:
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    if len(text) == _LEGACY_LENGTH:
        return _legacy(text, flags, on)
    problem = _problem(text, on)
    if problem is not None:
        return problem
    province = text[:2]
    if province in _HMT_PREFIXES:
        return _hmt(text, (*flags, OTHER_TYPE))
    if province not in provinces():
        return invalid(
            "a number that begins with 9 belongs to a foreigner's permanent residence (553)"
            if text[0] == "9"
            else "the province is unknown"
        )
    return Identity(CITIZEN, text, text, flags + _doubts(text))


def _problem(text: str, on: date) -> Refused | None:
    """What is wrong with a number of 18 characters, whatever its first six digits mean, or None."""
    if not CITIZEN_FORM.fullmatch(text):
        return invalid("the number is not 17 digits and a check character")
    if citizen_check_digit(text[:17]) != text[17]:
        return invalid("the check character is wrong")
    return _birth_problem(text[6:14], on)


def _birth_problem(text: str, on: date) -> Refused | None:
    day = _day(text)
    if day is None:
        return invalid("the date of birth does not exist")
    today = on.year * 10_000 + on.month * 100 + on.day
    if day[1] > today:
        return invalid("the date of birth lies in the future")
    if day[1] < today - _OLDEST:
        return invalid("the date of birth lies more than 150 years back")
    return None


def _doubts(text: str) -> tuple[str, ...]:
    flags: tuple[str, ...] = () if county_known(text[:6]) else (UNKNOWN_DIVISION,)
    return (*flags, SEQUENCE_000) if text[14:17] == "000" else flags


def _legacy(text: str, flags: tuple[str, ...], on: date) -> Identity | Refused:
    """A number of 15 digits: kept as it is, keyed by the 18 digits it was turned into in 1999."""
    if not _LEGACY_FORM.fullmatch(text):
        return invalid("the number is not 15 digits")
    if text[:2] not in provinces():
        return invalid("the province is unknown")
    centenarian = text[12:] in _CENTENARIANS
    body = f"{text[:6]}{'18' if centenarian else '19'}{text[6:]}"
    problem = _birth_problem(body[6:14], on)
    if problem is not None:
        return problem
    flags = (*flags, LEGACY_15, CENTENARIAN) if centenarian else (*flags, LEGACY_15)
    return Identity(CITIZEN, text, body + citizen_check_digit(body), flags + _doubts(body))


def hmt_residence(number: str, on: date) -> Identity | Refused:
    """The number of a residence permit of people from Hong Kong, Macau or Taiwan (港澳台居民居住证)."""
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    problem = _problem(text, on)
    if problem is not None:
        return problem
    if text[:2] not in _HMT_PREFIXES:
        return invalid("the number does not begin with 81, 82 or 83")
    return _hmt(text, flags)


def _hmt(text: str, flags: tuple[str, ...]) -> Identity:
    if text[2:6] != "0000":
        flags = (*flags, UNKNOWN_DIVISION)
    if text[14:17] == "000":
        flags = (*flags, SEQUENCE_000)
    return Identity(HMT_RESIDENCE, text, text, flags)


def permanent_residence(number: str, on: date) -> Identity | Refused:
    """The number of a foreigner's permanent residence card (553): 18 since 2023-12-01, or the older 15.

    The two forms of one person cannot be derived from each other: an identity link joins them.
    """
    found = normalise(number)
    if isinstance(found, Refused):
        return found
    text, flags = found
    if _OLD_PERMANENT_FORM.fullmatch(text):
        return Identity(FOREIGN_PERMANENT_RESIDENCE, text, text, (*flags, OLD_FORM))
    if not _PERMANENT_FORM.fullmatch(text):
        return invalid("the number is neither 9 and 17 more characters nor three letters and 12 digits")
    problem = _problem(text, on)
    if problem is not None:
        return problem
    if text[1:3] not in provinces():
        flags = (*flags, UNKNOWN_DIVISION)
    if text[14:17] == "000":
        flags = (*flags, SEQUENCE_000)
    return Identity(FOREIGN_PERMANENT_RESIDENCE, text, text, flags)


def birth_date_of(number: str) -> date | None:
    """The date of birth in a citizen-style number of 18 or 15 digits, or None where there is none.

    For comparing with a stated birth date: a difference is flagged, never refused (decisions 12).
    """
    body = _body(number)
    if body is None or _day(body[6:14]) is None:
        return None
    return date(int(body[6:10]), int(body[10:12]), int(body[12:14]))


def sex_of(number: str) -> str | None:
    """The sex in a citizen-style number (GB/T 2261.1: 1 male, 2 female); None where there is none."""
    body = _body(number)
    if body is None:
        return None
    return "1" if int(body[16]) % 2 else "2"


def _body(number: str) -> str | None:
    """The first 17 digits of a citizen-style number, upgraded where it has 15."""
    found = normalise(number)
    if isinstance(found, Refused):
        return None
    text = found[0]
    if CITIZEN_FORM.fullmatch(text):
        return text[:17]
    if _LEGACY_FORM.fullmatch(text):
        return f"{text[:6]}{'18' if text[12:] in _CENTENARIANS else '19'}{text[6:]}"
    return None
