"""Credit codes, organisation codes, registration and taxpayer numbers: published vectors and made ones."""

from datetime import date

import pytest

from schemas.errors import UsageError
from schemas.identity import (
    ORG_CODE,
    REGISTRATION,
    TAXPAYER,
    USCC,
    Identity,
    identify,
    organisation_code_check,
    registration_check_digit,
    uscc_check_character,
)
from schemas.identity.organisation import CATEGORIES
from schemas.refusals import RefusalCode, Refused

ON = date(2026, 11, 24)


def accepted(document_type: str, number: str) -> Identity:
    found = identify(document_type, number, ON)
    assert isinstance(found, Identity), found
    return found


def refused(document_type: str, number: str) -> Refused:
    found = identify(document_type, number, ON)
    assert isinstance(found, Refused)
    assert found.code is RefusalCode.E_ID_INVALID
    return found


@pytest.mark.parametrize(
    "code",
    [
        "91441302MA4W1X2YX9",
        "91441302MA41002240",  # remainder 0
        "91110000600037341L",
        "9144030071526726XG",
        "91110000710926094P",
        "91420684MA4927PJ7B",
        "121200004013590816",
        "92441303MA4XB7C345",  # individual business
        "52441300760001233N",  # private non-enterprise
        "51441300507198765J",  # association
        "124413004567890112",  # public institution
        "11441300007212348P",  # organ
        "N2441322MF1234567B",  # village collective
        "A1110000MB1234562T",  # military institution
        "Y1110000MB12345626",  # other
    ],
)
def test_a_valid_credit_code_of_every_authority_keys_its_organisation(code: str) -> None:
    found = accepted(USCC, code)
    assert (found.document_type, found.number, found.stable, found.flags) == (USCC, code, code, ())


def test_a_wrong_inner_check_is_flagged_and_a_wrong_outer_one_refused() -> None:
    assert accepted(USCC, "91441302MA4W1X2Y0F").flags == ("inner_check_digit",)
    assert "check character" in refused(USCC, "91441302MA4W1X2YX8").detail


def test_an_unknown_division_in_a_credit_code_is_flagged() -> None:
    body = "91999999MA4W1X2YX"
    assert accepted(USCC, body + uscc_check_character(body)).flags == ("unknown_division",)


@pytest.mark.parametrize("head", ["00", "94", "B1", "Y2", "27"])
def test_an_unknown_authority_or_category_is_refused(head: str) -> None:
    body = f"{head}441302MA4W1X2YX"
    assert "authority" in refused(USCC, body + uscc_check_character(body)).detail


def test_every_listed_authority_and_category_is_accepted() -> None:
    for authority, categories in CATEGORIES.items():
        for category in categories:
            body = f"{authority}{category}441302MA4W1X2YX"
            assert accepted(USCC, body + uscc_check_character(body)).flags == ()


def test_a_credit_code_is_folded_and_capitalised() -> None:
    assert accepted(USCC, " 91441302ma4w1x2yx9").number == "91441302MA4W1X2YX9"
    assert accepted(USCC, "９1441302MA4W1X2YX9").flags == ("full_width_folded",)


@pytest.mark.parametrize(
    "code", ["91441302MI4W1X2YX9", "91441302MA4W1X2YX", "91441302MA4W1X2YX9\n", "9144130AMA4W1X2YX9"]
)
def test_letters_that_the_code_leaves_out_and_other_lengths_are_refused(code: str) -> None:
    assert "18 characters" in refused(USCC, code).detail


def test_organisation_codes_pass_with_and_without_hyphen_and_never_the_private_range() -> None:
    assert accepted(ORG_CODE, "D2143569-X").stable == accepted(ORG_CODE, "d2143569x").stable == "D2143569X"
    assert accepted(ORG_CODE, "600037341").flags == ()
    assert "private" in refused(ORG_CODE, "PDY00001-X").detail
    assert "check" in refused(ORG_CODE, "D2143569-1").detail


@pytest.mark.parametrize("number", ["110108000000016", "321000400012591", "441302000001234", "441302600000458"])
def test_registration_numbers_of_15_digits_are_valid(number: str) -> None:
    assert accepted(REGISTRATION, number).flags == ()


def test_registration_numbers_of_13_digits_are_legacy_and_flagged() -> None:
    assert accepted(REGISTRATION, "4413021234567").flags == ("legacy_13_digits",)


def test_the_national_registrar_is_known_and_an_unknown_one_flagged() -> None:
    national = "10000000000123"
    assert accepted(REGISTRATION, national + registration_check_digit(national)).flags == ()
    unknown = "44130500000123"
    assert accepted(REGISTRATION, unknown + registration_check_digit(unknown)).flags == ("unknown_division",)


@pytest.mark.parametrize("number", ["441302000001235", "44130200000123", "44130200000123A", "441302000001234\n"])
def test_other_registration_numbers_are_refused(number: str) -> None:
    assert refused(REGISTRATION, number)


def test_a_taxpayer_number_is_the_number_inside_it() -> None:
    assert accepted(TAXPAYER, "91441302MA4W1X2YX9").document_type == USCC
    organisation = accepted(TAXPAYER, "441302600037341")
    assert (organisation.document_type, organisation.stable) == (ORG_CODE, "600037341")
    for person in ("44130219900307018X", "44130219900307018X01"):
        found = accepted(TAXPAYER, person)
        assert (found.document_type, found.stable, found.number) == ("111", "44130219900307018X", person)
    assert accepted(TAXPAYER, "441302880615123").stable == "441302198806151237"
    assert refused(TAXPAYER, "12345678")


def test_the_worked_check_characters_of_the_standards_come_out() -> None:
    assert uscc_check_character("91441302MA4W1X2YX") == "9"
    assert uscc_check_character("91441302MA4100224") == "0"
    assert organisation_code_check("D2143569") == "X"
    assert registration_check_digit("44130200000123") == "4"


def test_a_body_of_the_wrong_shape_is_a_usage_error_that_does_not_show_it() -> None:
    for check, body in (
        (uscc_check_character, "91441302MI4W1X2YX"),
        (organisation_code_check, "D214356"),
        (registration_check_digit, "4413020000012x"),
    ):
        with pytest.raises(UsageError) as caught:
            check(body)
        assert body not in str(caught.value)


def test_every_single_wrong_character_of_a_credit_code_and_a_registration_number_is_noticed() -> None:
    for document_type, number, alphabet in (
        (USCC, "91441302MA4W1X2YX9", "0123456789ABCDEFGHJKLMNPQRTUWXY"),
        (REGISTRATION, "441302600000458", "0123456789"),
    ):
        for place, character in enumerate(number):
            for other in alphabet.replace(character, ""):
                changed = number[:place] + other + number[place + 1 :]
                assert isinstance(identify(document_type, changed, ON), Refused), (document_type, place)
