"""What holds of every number and every string.

1. `identify` answers with a value, never an exception, and its answer never shows the number.
2. A valid number with one character changed is not the same valid number: never the same key.
3. Identity is stable: what was normalised once is not changed again, and has the same key.
"""

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import DOCUMENT_TYPES, USCC, Identity, birth_date_of, identify, sex_of
from schemas.identity.check import USCC_ALPHABET
from schemas.refusals import RefusalCode, Refused
from tests.builders import TODAY, Maker
from tests.strategies import SEEDS, citizen_numbers

TYPES = st.sampled_from(sorted(DOCUMENT_TYPES))
# Text that looks like numbers finds more than text at large.
NUMBERISH = st.text(st.sampled_from("0123456789XxHMEG-/() \n１９Ｘ字第号军"), max_size=22)


@given(TYPES | st.text(max_size=5), st.text(max_size=40) | NUMBERISH, st.dates())
def test_no_text_makes_identify_raise_or_show_it(document_type: str, number: str, on: date) -> None:
    found = identify(document_type, number, on)
    assert isinstance(found, Identity | Refused)
    sex_of(number)
    birth_date_of(number)
    if isinstance(found, Refused):
        assert found.code in (RefusalCode.E_ID_INVALID, RefusalCode.E_NO_KEY)
    elif len(found.number) > len("full_width_folded"):
        assert found.number not in repr(found)


@given(citizen_numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_changed_character_of_a_citizen_number_is_always_noticed(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    assert isinstance(identify("111", changed, TODAY), Identity) is (changed == number)


@given(SEEDS, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_one_changed_character_of_a_credit_code_is_always_noticed(seed: int, place: int, other: str) -> None:
    code = Maker(Random(seed)).credit_code("91", "441302")  # noqa: S311  Hypothesis must be able to repeat it
    changed = code[:place] + other + code[place + 1 :]
    assert isinstance(identify(USCC, changed, TODAY), Identity) is (changed == code)


@given(TYPES, NUMBERISH)
def test_a_number_that_was_normalised_keeps_its_key(document_type: str, number: str) -> None:
    first = identify(document_type, number, TODAY)
    if isinstance(first, Identity):
        again = identify(document_type, first.number, TODAY)
        assert isinstance(again, Identity)
        assert (again.document_type, again.number, again.stable) == (first.document_type, first.number, first.stable)


@given(citizen_numbers())
def test_full_width_spaces_and_lower_case_do_not_change_the_key(number: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    plain = identify("111", number, TODAY)
    assert isinstance(plain, Identity)
    for written in (wide, number.lower(), f" {number[:6]} {number[6:]}"):
        found = identify("111", written, TODAY)
        assert isinstance(found, Identity)
        assert found.stable == plain.stable


@given(citizen_numbers().filter(lambda number: number[6:8] == "19" and number[14:17] < "996"))
def test_the_15_digits_of_a_person_have_the_key_of_the_18(number: str) -> None:
    old = identify("111", number[:6] + number[8:17], TODAY)
    assert isinstance(old, Identity)
    assert old.stable == number
