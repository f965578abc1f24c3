"""GA/T 517's other documents and those that came later: form, life-long part, whose number it really is."""

from datetime import date

import pytest

from schemas.codelists import load
from schemas.identity import (
    DEATH_CERTIFICATE,
    DISABILITY,
    DOCUMENT_TYPES,
    FEATURE,
    FOREIGN_PASSPORT,
    ORGANISATION_TYPES,
    Identity,
    identify,
)
from schemas.refusals import RefusalCode, Refused

ON = date(2026, 11, 24)
PERSON = "44130219900307018X"


def accepted(document_type: str, number: str) -> Identity:
    found = identify(document_type, number, ON)
    assert isinstance(found, Identity), found
    return found


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        ("117", "X320101001"),
        ("414", "E12345678"),
        ("414", "EA1234567"),
        ("414", "G12345678"),
        ("414", "141234567"),
        ("411", "DE1234567"),
        ("412", "SE1234567"),
        ("413", "PE1234567"),
        ("420", "K12345678"),
        ("420", "H12345678"),
        ("421", "MA1234567"),
        ("511", "12345678"),
        ("511", "1234567890(B)"),
        ("513", "C12345678"),
        ("516", "H12345678"),
        ("516", "M1234567801"),
        ("517", "T12345678"),
        ("114", "军字第1234567号"),
        ("990", "AB-123456"),
        (DEATH_CERTIFICATE, "4413022026000123"),
        (FOREIGN_PASSPORT, "GBR/123456789"),
    ],
)
def test_a_number_of_its_documents_form_is_accepted_under_its_type(document_type: str, number: str) -> None:
    assert accepted(document_type, number).document_type == document_type


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        ("117", "3201010011"),
        ("117", "X32010100"),
        ("411", "E12345678"),
        ("420", "A12345678"),
        ("511", "1234567"),
        ("516", "K12345678"),
        ("516", "H123456780"),
        ("517", "X12345678"),
        ("114", "1234567"),
        ("990", "身份"),
        ("415", "ß1234567"),
        (FOREIGN_PASSPORT, "GBR/12"),
    ],
)
def test_a_number_of_another_form_is_refused(document_type: str, number: str) -> None:
    found = identify(document_type, number, ON)
    assert isinstance(found, Refused)
    assert found.code is RefusalCode.E_ID_INVALID


def test_a_renewed_travel_permit_to_the_mainland_keeps_its_holders_key() -> None:
    assert {accepted("516", number).stable for number in ("H12345678", "H1234567801", "H12345678-02")} == {"H12345678"}


def test_a_disability_certificate_keys_its_holder_and_tells_nothing_of_the_disability() -> None:
    found = accepted(DISABILITY, f"{PERSON}43")
    assert (found.document_type, found.stable) == ("111", PERSON)
    for ending in ("03", "45", "83", "4"):
        assert isinstance(identify(DISABILITY, PERSON + ending, ON), Refused)
    assert isinstance(identify(DISABILITY, "44130219900307019X43", ON), Refused)


@pytest.mark.parametrize("carrier", ["113", "116", "335"])
def test_a_paper_that_carries_the_citizen_number_keys_the_citizen(carrier: str) -> None:
    found = accepted(carrier, PERSON)
    assert (found.document_type, found.stable) == ("111", PERSON)
    assert isinstance(identify(carrier, "441302199003070180", ON), Refused), "its check character counts here too"


def test_a_household_booklets_own_number_never_makes_a_family_one_person() -> None:
    assert isinstance(identify("113", "123456789", ON), Refused)
    assert accepted("116", "GD20261234567").document_type == "116"


def test_the_country_is_part_of_a_foreign_passports_key() -> None:
    british, french = accepted(FOREIGN_PASSPORT, "gbr/123456789"), accepted("414", "FRA:123456789")
    assert british.stable != french.stable
    assert french.document_type == FOREIGN_PASSPORT
    nowhere = accepted("414", "123456789")
    assert (nowhere.document_type, "unknown_country" in nowhere.flags) == (FOREIGN_PASSPORT, True)
    assert accepted("414", "CHN/E12345678").stable == "E12345678"


def test_a_document_whose_number_changes_at_renewal_says_so() -> None:
    assert "changes_on_renewal" in accepted("414", "E12345678").flags
    assert "changes_on_renewal" not in accepted("516", "H1234567801").flags


def test_the_officers_card_is_one_number_however_it_is_written() -> None:
    assert accepted("114", "军字第1234567号").stable == accepted("114", "军1234567").stable


def test_an_unknown_document_type_is_refused_and_not_an_error() -> None:
    for document_type in ("999", "", "１１１", "uscc"):
        assert isinstance(identify(document_type, PERSON, ON), Refused)


def test_the_code_list_of_documents_and_the_rules_know_the_same_types() -> None:
    assert set(load("gat517_document")) == DOCUMENT_TYPES - ORGANISATION_TYPES - {FEATURE}
