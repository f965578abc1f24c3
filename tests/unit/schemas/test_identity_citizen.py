"""Citizen numbers: the published vectors, the traps that libraries fall into, the two forms of one person."""

from datetime import date

import pytest

from schemas.errors import UsageError
from schemas.identity import (
    HMT_RESIDENCE,
    Identity,
    birth_date_of,
    citizen_check_digit,
    identify,
    sex_of,
)
from schemas.refusals import RefusalCode, Refused

ON = date(2026, 11, 24)


def accepted(number: str, document_type: str = "111", on: date = ON) -> Identity:
    found = identify(document_type, number, on)
    assert isinstance(found, Identity), found
    return found


def refused(number: str, document_type: str = "111", on: date = ON) -> Refused:
    found = identify(document_type, number, on)
    assert isinstance(found, Refused)
    return found


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",
        "44130219900307018X",
        "441302200002290127",
        "441322199602290219",
        "441302202402290037",
    ],
)
def test_a_valid_citizen_number_keys_its_person_without_a_doubt(number: str) -> None:
    found = accepted(number)
    assert (found.document_type, found.number, found.stable, found.flags) == ("111", number, number, ())


def test_the_second_example_printed_with_the_standard_is_valid_though_its_county_is_no_longer_listed() -> None:
    assert accepted("440524188001010014").flags == ("unknown_division",)


def test_the_county_is_never_judged_by_the_year_of_birth() -> None:
    body = "44130219500101001"  # 441302 exists since 1988: the person was registered there later
    assert accepted(body + citizen_check_digit(body)).flags == ()


def test_a_lower_case_check_character_is_kept_in_upper_case() -> None:
    assert accepted("44130219900307018x").number == "44130219900307018X"


def test_spaces_are_stripped_and_full_width_digits_folded_with_a_flag() -> None:
    assert accepted(" 441302 19900307 018X ").flags == ()
    wide = accepted("４４１３０２１９９００３０７０１８Ｘ")
    assert (wide.number, wide.flags) == ("44130219900307018X", ("full_width_folded",))


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("441302190002290016", "does not exist"),
        ("44130220010229001X", "does not exist"),
        ("441302199004310018", "does not exist"),
        ("441302199003070010", "check character"),
        ("441302209901010011", "future"),
        ("44130219900307018X\n", "not 17 digits"),
        ("44130219900307018X\t", "not 17 digits"),
        ("44130219900307018", "not 17 digits"),
        ("4413021990030701８Y", "not 17 digits"),
        ("٤٤١٣٠٢١٩٩٠٠٣٠٧٠١٨X", "not 17 digits"),
        ("44130219900307O18X", "not 17 digits"),
    ],
)
def test_an_impossible_citizen_number_is_refused_with_its_reason(number: str, why: str) -> None:
    answer = refused(number)
    assert answer.code is RefusalCode.E_ID_INVALID
    assert why in answer.detail


def test_an_unknown_province_is_refused_and_an_unknown_county_only_flagged() -> None:
    nowhere, unlisted = "66130219900307018", "44130519900307018"
    assert "province" in refused(nowhere + citizen_check_digit(nowhere)).detail
    assert accepted(unlisted + citizen_check_digit(unlisted)).flags == ("unknown_division",)


@pytest.mark.parametrize("code", ["441300", "440000"])
def test_a_prefecture_or_province_in_place_of_a_county_is_flagged(code: str) -> None:
    body = f"{code}19900307018"
    assert accepted(body + citizen_check_digit(body)).flags == ("unknown_division",)


@pytest.mark.parametrize("code", ["441900", "442000"])
def test_prefectures_without_counties_are_the_address_of_their_citizens(code: str) -> None:
    body = f"{code}19900307018"
    assert accepted(body + citizen_check_digit(body)).flags == ()


@pytest.mark.parametrize("code", ["442501", "441381", "441321", "440124"])
def test_the_former_counties_of_huizhou_are_known(code: str) -> None:
    body = f"{code}19690307018"
    assert accepted(body + citizen_check_digit(body)).flags == ()


def test_the_zones_without_a_code_are_in_no_citizen_number() -> None:
    body = "44139619900307018"
    assert accepted(body + citizen_check_digit(body)).flags == ("unknown_division",)


def test_sequence_000_is_flagged_and_not_refused() -> None:
    assert accepted("441302199003070008").flags == ("sequence_000",)


def test_nobody_is_born_after_the_day_nor_150_years_before_it() -> None:
    born = "441302200002290127"
    assert accepted(born, on=date(2000, 2, 29))
    assert "future" in refused(born, on=date(2000, 2, 28)).detail
    assert accepted(born, on=date(2150, 2, 28))
    assert "150" in refused(born, on=date(2150, 3, 1)).detail


@pytest.mark.parametrize("number", ["810000198506150012", "820000198506150014", "830000198506150016"])
def test_residents_from_hong_kong_macau_and_taiwan_have_one_key_whatever_type_they_are_filed_under(number: str) -> None:
    filed, proper = accepted(number), accepted(number, HMT_RESIDENCE)
    assert (filed.document_type, filed.stable) == (proper.document_type, proper.stable) == (HMT_RESIDENCE, number)
    assert (filed.flags, proper.flags) == (("filed_as_other_type",), ())


def test_a_citizen_is_no_resident_from_hong_kong() -> None:
    assert "81, 82 or 83" in refused("44130219900307018X", HMT_RESIDENCE).detail


@pytest.mark.parametrize("number", ["911124198108030024", "932682198501010017", "94484019850615001X"])
def test_a_foreigners_permanent_residence_is_no_citizen_number(number: str) -> None:
    assert "553" in refused(number).detail
    assert accepted(number, "553").flags == ()


def test_the_older_form_of_permanent_residence_stays_valid_and_is_flagged() -> None:
    assert accepted("KAZ110090123105", "553").flags == ("old_form",)
    assert refused("KAZ11009012310", "553").code is RefusalCode.E_ID_INVALID


@pytest.mark.parametrize(
    ("old", "new"),
    [("130503670401001", "130503196704010016"), ("441302880615123", "441302198806151237")],
)
def test_15_and_18_digits_of_one_person_have_one_stable_part_and_both_are_kept(old: str, new: str) -> None:
    before, after = accepted(old), accepted(new)
    assert (before.document_type, before.stable) == (after.document_type, after.stable) == ("111", new)
    assert (before.number, before.flags) == (old, ("legacy_15_digits",))


def test_the_sequences_of_centenarians_mean_a_year_of_the_1800s() -> None:
    found = accepted("441302990307996")
    assert found.stable[6:10] == "1899"
    assert "centenarian_sequence" in found.flags


def test_15_digits_with_an_impossible_date_or_province_are_refused() -> None:
    assert "does not exist" in refused("441302880631123").detail
    assert "province" in refused("991302880615123").detail
    assert "15 digits" in refused("44130288061512X").detail


def test_a_temporary_card_names_the_same_person_as_the_card_it_stands_in_for() -> None:
    temporary, card = accepted("44130219900307018X", "112"), accepted("44130219900307018X")
    assert (temporary.document_type, temporary.stable) == (card.document_type, card.stable)


@pytest.mark.parametrize("number", ["", " ", "\u3000"])
def test_an_empty_number_is_a_missing_key(number: str) -> None:
    assert refused(number).code is RefusalCode.E_NO_KEY


def test_neither_repr_nor_str_nor_a_refusal_shows_the_number() -> None:
    number = "44130219900307018X"
    found = accepted(number)
    assert number not in repr(found) + str(found) + f"{found}"
    assert "19900307" not in repr(refused("441302199003070010")) + refused("441302199003070010").reason_en


def test_sex_and_birth_date_are_read_from_the_number() -> None:
    assert (sex_of("44130219900307018X"), birth_date_of("44130219900307018X")) == ("2", date(1990, 3, 7))
    assert (sex_of("441302880615123"), birth_date_of("441302880615123")) == ("1", date(1988, 6, 15))
    assert sex_of("H1234567801") is None
    assert birth_date_of("H1234567801") is None
    assert birth_date_of("441302199004310018") is None


def test_the_worked_check_digit_of_the_standard_comes_out() -> None:
    assert citizen_check_digit("44130219900307018") == "X"
    with pytest.raises(UsageError):
        citizen_check_digit("4413021990030701")


def test_every_single_wrong_digit_and_every_swap_of_neighbours_is_noticed() -> None:
    number = "441322198912306699"
    for place, digit in enumerate(number):
        for other in "0123456789X":
            changed = number[:place] + other + number[place + 1 :]
            if other != digit:
                assert isinstance(identify("111", changed, ON), Refused), place
        swapped = number[:place] + number[place : place + 2][::-1] + number[place + 2 :]
        if swapped != number:
            assert isinstance(identify("111", swapped, ON), Refused), place
