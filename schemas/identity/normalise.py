"""From what people type to what the rules read: full-width forms folded, spaces gone, capitals."""

import unicodedata
from typing import Final

from schemas.identity.words import FOLDED, invalid, missing
from schemas.refusals import Refused

# The longest number of any kind is 32 characters; far beyond it nothing is a number, and folding costs time.
_MAX_LENGTH: Final = 128


def normalise(number: object) -> tuple[str, tuple[str, ...]] | Refused:
    """The number folded (NFKC), without spaces and in upper case, with a flag when folding changed it.

    Other white space is not removed: a line break inside a number is a fault of the source, not a way of
    writing.
    """
    if number is None:
        return missing()
    if not isinstance(number, str):
        return invalid("the number is not text")
    if len(number) > _MAX_LENGTH:
        return invalid("the number is too long")
    text = number
    flags: tuple[str, ...] = ()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        if text != number:
            flags = (FOLDED,)
    text = text.replace(" ", "")
    if text.isascii():  # upper() makes ASCII of some other letters: a German sharp s would pass as SS
        text = text.upper()
    return (text, flags) if text else missing()
