"""A million strings, with the profile `few` a tenth of them: `identify` answers each, and raises nothing."""

from math import isqrt
from random import Random

from schemas.identity import DOCUMENT_TYPES, Identity, identify
from tests.builders import TODAY
from tests.examples import examples

HALVES = isqrt(examples(1_000_000))
VALID = ("44130219900307018X", "130503670401001", "91441302MA4W1X2YX9", "441302000001234", "E12345678", "H1234567801")
PIECES = (
    "0",
    "1",
    "9",
    "X",
    "x",
    "A",
    "é",
    "\uff11",
    "\u0661",
    " ",
    "\n",
    "\x00",
    "-",
    "(",
    "中",
    "字第",
    "\U0001f600",
    "/",
)


def half(random: Random, *, first: bool) -> str:
    """A beginning or an end: of a valid number as a rule, with something changed now and then, or of rubbish."""
    if random.randrange(4) == 0:
        return "".join(random.choices(PIECES, k=random.randrange(12)))
    text = random.choice(VALID)
    at = random.choice((6, 9, 14))
    found = text[:at] if first else text[at:]
    return found + random.choice(PIECES) if random.randrange(3) == 0 else found


def test_a_million_strings_are_answered() -> None:
    random = Random(20260601)  # noqa: S311  tests must repeat
    heads, tails = ([half(random, first=first) for _ in range(HALVES)] for first in (True, False))
    types = (*sorted(DOCUMENT_TYPES), "000", "")
    answers = [0, 0]
    for at, head in enumerate(heads):
        kind = types[at % len(types)]
        for tail in tails:
            answers[isinstance(identify(kind, head + tail, TODAY), Identity)] += 1
    assert sum(answers) == HALVES * HALVES
    assert min(answers) > HALVES
