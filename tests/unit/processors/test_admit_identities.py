"""Admit, who the subject is: numbers, what stands in for them, and the record's own key (Art 15)."""

from typing import Any

import pytest

from schemas.resource import packaged_text
from tests.builders import (
    BUSINESS,
    ENTERPRISE,
    PERMIT,
    RESOURCES,
    TODAY,
    corruptions,
    enterprise,
    individual_business,
    permit,
    rows,
)
from tests.changes import CITY, judge, refusal
from tests.hall import Hall


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT), CITY)


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_wrong_row_is_refused_with_its_code_and_field(resource: str) -> None:
    hall = Hall(packaged_text(resource), CITY)
    for case in corruptions(resource, today=TODAY):
        assert refusal(hall, case.row) == (case.code.value, case.field_name), case.why


@pytest.mark.parametrize("empty", [None, ""])
def test_a_subject_without_number_or_type_has_no_key(hall: Hall, empty: str | None) -> None:
    assert refusal(hall, permit(id_number=empty)) == ("E_NO_KEY", "id_number")
    # An empty code is in no list: the type is refused as a code before it is missed.
    assert refusal(hall, permit(id_type=empty)) == ("E_CODE" if empty == "" else "E_NO_KEY", "id_type")


@pytest.mark.parametrize("empty", [None, "", "  ", "\u3000"])
def test_a_record_without_its_own_key_is_refused(hall: Hall, empty: str | None) -> None:
    assert refusal(hall, permit(residence_permit_number=empty)) == ("E_NO_KEY", "residence_permit_number")


def test_a_number_that_is_invalid_names_its_field_and_rule_but_not_the_number(hall: Hall) -> None:
    number = "441302199003070188"
    verdict = judge(hall, permit(id_type="111", id_number=number))
    assert verdict.codes == [(1, "E_ID_INVALID", "id_number")]
    assert not any(number.encode() in written for written in verdict.written())


def test_a_doubtful_number_is_admitted_with_a_flag_on_its_field(hall: Hall) -> None:
    verdict = judge(hall, permit(id_type="111", id_number="440524188001010014"))
    assert not verdict.codes
    assert verdict.records[1].value is not None
    assert "id_number:unknown_division" in verdict.records[1].value["change"]["flags"]


def test_a_doubt_about_the_fallback_number_is_filed_under_the_fallback_field() -> None:
    hall = Hall(packaged_text(BUSINESS), CITY)
    legacy = next(
        row
        for row in rows(BUSINESS, 400)
        if row["unified_social_credit_code"] is None and row["registration_number"] is not None
    )
    row = {**legacy, "registration_number": "4413002000123"}
    [record] = hall.admit_rows(row)
    assert record.value is not None
    assert record.value["change"]["flags"] == ["registration_number:legacy_13_digits"]


@pytest.mark.parametrize(("resource", "make"), [(ENTERPRISE, enterprise), (BUSINESS, individual_business)])
def test_a_credit_code_keys_an_organisation_and_its_registration_number_only_where_there_is_none(
    resource: str, make: Any
) -> None:
    hall = Hall(packaged_text(resource), CITY)
    row = next(
        row
        for row in (make(seed) for seed in range(50))
        if row["unified_social_credit_code"] and row["registration_number"]
    )
    both, without = row, {**row, "registration_number": None}
    old = {**row, "unified_social_credit_code": None}
    keys = [record.key for record in hall.admit_rows(both, without, old)]
    assert keys[0] == keys[1] != keys[2]
