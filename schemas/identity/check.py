"""Check characters: GB 11643, GB 32100, GB 11714 and GS 15, each computed from the body that precedes it.

Public because whoever makes numbers (tests, the demo's made-up people) needs the same rule that admits them.
"""

import re
from operator import mul
from string import ascii_uppercase, digits
from typing import Final

from schemas.errors import UsageError

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CITIZEN_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_CHECKS: Final = "10X98765432"

_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_VALUE: Final = {character: value for value, character in enumerate(USCC_ALPHABET)}.__getitem__
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_VALUE: Final = {character: value for value, character in enumerate(digits + ascii_uppercase)}.__getitem__
_ORGANISATION_CHECKS: Final = "0X987654321"  # 11 - remainder, with 11 written 0 and 10 written X


def citizen_check_digit(body17: str) -> str:
    """The check character of a citizen number: digit or X (GB 11643-1999, ISO 7064 MOD 11-2).

    Raises:
        UsageError: when the body is not 17 ASCII digits.
    """
    _demand(body17, r"[0-9]{17}", "17 digits")
    total = sum(weight * int(digit) for weight, digit in zip(CITIZEN_WEIGHTS, body17, strict=True))
    return CITIZEN_CHECKS[total % 11]


def uscc_check_character(body17: str) -> str:
    """The check character of a unified social credit code (GB 32100-2015).

    Raises:
        UsageError: when the body is not 17 characters of the code's alphabet (no I, O, S, V, Z).
    """
    _demand(body17, rf"[{USCC_ALPHABET}]{{17}}", "17 characters of the credit code's alphabet")
    return uscc_check(body17)


def uscc_check(body17: str) -> str:
    """As `uscc_check_character`, for a body that is known to be well-formed."""
    return USCC_ALPHABET[-sum(map(mul, _USCC_WEIGHTS, map(_USCC_VALUE, body17))) % 31]


def organisation_code_check(body8: str) -> str:
    """The check character of an organisation code: digit or X (GB 11714-1997).

    Raises:
        UsageError: when the body is not 8 ASCII digits or capital letters.
    """
    _demand(body8, r"[0-9A-Z]{8}", "8 digits or capital letters")
    return organisation_check(body8)


def organisation_check(body8: str) -> str:
    """As `organisation_code_check`, for a body that is known to be well-formed."""
    return _ORGANISATION_CHECKS[sum(map(mul, _ORGANISATION_WEIGHTS, map(_ORGANISATION_VALUE, body8))) % 11]


def registration_check_digit(body14: str) -> str:
    """The check digit of a 15-digit registration number (GS 15-2006, ISO 7064 MOD 11,10).

    Raises:
        UsageError: when the body is not 14 ASCII digits.
    """
    _demand(body14, r"[0-9]{14}", "14 digits")
    product = 10
    for digit in body14:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def _demand(body: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, body):
        raise UsageError(f"the body must be {what}")
