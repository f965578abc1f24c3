"""python-stdnum as a second opinion, where it is right; where it errs, the error is written down here.

Known errors of python-stdnum 2.2, each shown by a test:

* `cn.ric` raises KeyError for a known province with a county that it does not list;
* it compares today's counties with the year of birth, and so refuses the standard's own second example;
* it refuses the residence permits of people from Hong Kong, Macau and Taiwan, the foreigners' permanent residence and
  all numbers of 15 digits;
* it accepts births in the future, and a prefecture or province in place of a county;
* `cn.uscc` refuses all codes of the authorities A, N and Y;
* it accepts unknown authorities, an unknown division and a wrong inner check character.
"""

from datetime import date
from random import Random

import pytest
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.iso7064 import mod_11_2, mod_11_10

from bus.demo.people import Maker
from schemas.identity import (
    HMT_RESIDENCE,
    REGISTRATION,
    USCC,
    Identity,
    citizen_check_digit,
    identify,
    registration_check_digit,
    uscc_check_character,
)
from schemas.refusals import Refused

ON = date(2026, 11, 24)
SEED = 20261124


def ours(document_type: str, number: str) -> bool:
    return isinstance(identify(document_type, number, ON), Identity)


def test_check_digits_of_citizen_numbers_agree() -> None:
    rng = Random(SEED)  # noqa: S311  tests must repeat
    for _ in range(2_000):
        body = f"{rng.randrange(10**17):017d}"
        assert citizen_check_digit(body) == ric.calc_check_digit(body + "0") == mod_11_2.calc_check_digit(body)


def test_check_characters_of_credit_codes_agree() -> None:
    maker = Maker(Random(SEED))  # noqa: S311  tests must repeat
    for _ in range(2_000):
        code = maker.credit_code("91", "441302")
        assert uscc.calc_check_digit(code) == uscc_check_character(code[:17]) == code[17]
        assert uscc.is_valid(code)
        assert ours(USCC, code)


def test_check_digits_of_registration_numbers_agree() -> None:
    rng = Random(SEED)  # noqa: S311  tests must repeat
    for _ in range(2_000):
        body = f"{rng.randrange(10**14):014d}"
        assert registration_check_digit(body) == mod_11_10.calc_check_digit(body)
    assert ours(REGISTRATION, "441302000001234")


def test_both_agree_on_people_born_in_todays_counties() -> None:
    rng = Random(SEED)  # noqa: S311  tests must repeat
    maker = Maker(rng)
    for _ in range(500):
        born = date(2004 + rng.randrange(20), 1 + rng.randrange(12), 1 + rng.randrange(28))
        number = maker.citizen_number(rng.choice(("441302", "441303", "441322", "441323", "441324")), born, "1")
        spoilt = number[:16] + str((int(number[16]) + 1) % 10) + number[17]
        assert ric.is_valid(number) is ours("111", number) is True
        assert ric.is_valid(spoilt) is ours("111", spoilt) is False


def test_stdnum_crashes_on_an_unlisted_county_where_we_flag() -> None:
    with pytest.raises(KeyError):
        ric.validate("441305201503070011")
    found = identify("111", "441305201503070011", ON)
    assert isinstance(found, Identity)
    assert found.flags == ("unknown_division",)


def test_stdnum_refuses_the_standards_own_example_where_we_accept() -> None:
    with pytest.raises(InvalidComponent):
        ric.validate("440524188001010014")
    assert ours("111", "440524188001010014")


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        (HMT_RESIDENCE, "810000198506150012"),
        (HMT_RESIDENCE, "830000198506150016"),
        ("553", "911124198108030024"),
        ("111", "441302880615123"),
    ],
)
def test_stdnum_refuses_residents_and_old_numbers_where_we_accept(document_type: str, number: str) -> None:
    with pytest.raises((ValidationError, KeyError)):
        ric.validate(number)
    assert ours(document_type, number)


def test_stdnum_accepts_the_unborn_where_we_refuse() -> None:
    assert ric.validate("441302209901010011")
    assert isinstance(identify("111", "441302209901010011", ON), Refused)


def test_stdnum_accepts_a_prefecture_for_a_county_where_we_flag() -> None:
    body = "44130019900307018"
    number = body + citizen_check_digit(body)
    assert ric.validate(number)
    found = identify("111", number, ON)
    assert isinstance(found, Identity)
    assert found.flags == ("unknown_division",)


@pytest.mark.parametrize("code", ["N2441322MF1234567B", "A1110000MB1234562T", "Y1110000MB12345626"])
def test_stdnum_refuses_the_authorities_with_letters_where_we_accept(code: str) -> None:
    with pytest.raises((InvalidFormat, InvalidLength, InvalidComponent)):
        uscc.validate(code)
    assert ours(USCC, code)


def test_stdnum_accepts_unknown_authorities_and_a_wrong_inner_check() -> None:
    body = "00441302MA4W1X2YX"
    code = body + uscc_check_character(body)
    assert uscc.validate(code)
    assert not ours(USCC, code)
    assert uscc.validate("91441302MA4W1X2Y0F")
    found = identify(USCC, "91441302MA4W1X2Y0F", ON)
    assert isinstance(found, Identity)
    assert found.flags == ("inner_check_digit",)
