"""Admit, whose the subject is: divisions and field values of owner rules, at every instant (Art 5, 11)."""

from datetime import timedelta

import pytest

from compliance.models import OwnerRule
from schemas.resource import packaged_text
from tests.builders import FOREIGN_DIVISION, HOUSEHOLD, PERMIT, permit, person
from tests.changes import CITY, admitted, judge, refusal
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, STATS

SECOND = timedelta(seconds=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT), CITY)


def test_a_subject_outside_the_owners_divisions_is_refused(hall: Hall) -> None:
    outside = permit(registration_authority_division=FOREIGN_DIVISION)
    assert refusal(hall, outside) == ("E_OWNER", "registration_authority_division")


@pytest.mark.parametrize("division", ["441300", "441302", "441302001", "441302001002"])
def test_a_division_covers_everything_below_it(hall: Hall, division: str) -> None:
    assert admitted(hall, permit(registration_authority_division=division))


@pytest.mark.parametrize(
    "division", ["440000", "441400", "4413", "44130", "44130a", "441302 ", "４４１３０２", "1" * 18]
)
def test_what_lies_outside_or_is_no_division_code_is_not_covered(hall: Hall, division: str) -> None:
    code, field = refusal(hall, permit(registration_authority_division=division))
    assert code == ("E_OWNER" if division in ("440000", "441400") else "E_SCHEMA")
    assert field == "registration_authority_division"


def test_the_division_in_the_row_counts_and_not_what_the_change_says_of_it(hall: Hall) -> None:
    foreign = permit(registration_authority_division=FOREIGN_DIVISION)
    assert refusal(hall, foreign, subject_division_code="441302")[0] == "E_OWNER"
    [_, record, _] = judge(hall, permit(), subject_division_code=FOREIGN_DIVISION).records
    assert record.value is not None
    assert record.value["change"]["subject_division_code"].startswith("4413")


def test_without_a_division_in_the_row_the_changes_counts_and_then_the_publishers() -> None:
    hall = Hall(packaged_text(HOUSEHOLD), CITY)
    divisions = [
        record.value["change"]["subject_division_code"] for record in hall.admit_rows(person()) if record.value
    ]
    assert divisions == ["441300"]
    [record] = hall.admit_rows(person(), subject_division_code="441322")
    assert record.value is not None
    assert record.value["change"]["subject_division_code"] == "441322"
    assert refusal(hall, person(), subject_division_code=FOREIGN_DIVISION) == ("E_OWNER", None)
    assert refusal(hall, person(), subject_division_code="44") == ("E_SCHEMA", "subject_division_code")
    hall.agency(POLICE, division=FOREIGN_DIVISION)
    assert refusal(hall, person())[0] == "E_OWNER"


def test_a_rule_by_field_values_binds_the_field() -> None:
    rule = OwnerRule(agencies=(POLICE,), field="registration_authority", values=("惠城分局", "惠阳分局"))
    hall = Hall(packaged_text(PERMIT), rule)
    verdict = hall.admit(
        hall.submit(
            [
                hall.change(permit(registration_authority="惠城分局")),
                hall.change(permit(registration_authority="惠阳分局 ")),
                hall.change(permit(registration_authority="惠阳分局")),
            ]
        )
    )
    assert [(index, code) for index, code, _ in verdict.codes] == [(1, "E_OWNER")]


def test_divisions_and_field_values_of_one_rule_must_both_hold_and_any_rule_suffices() -> None:
    both = OwnerRule(agencies=(POLICE,), divisions=("441302",), field="registration_authority", values=("甲",))
    other = OwnerRule(agencies=(POLICE,), divisions=("441303",))
    theirs = OwnerRule(agencies=(STATS,), divisions=("441322",))
    hall = Hall(packaged_text(PERMIT))
    hall.publish(packaged_text(PERMIT), owners=(both, other, theirs))
    cases = {("441302", "甲"): True, ("441302", "乙"): False, ("441303", "乙"): True, ("441322", "甲"): False}
    for (division, authority), good in cases.items():
        row = permit(registration_authority_division=division, registration_authority=authority)
        found = hall.admit(hall.submit([hall.change(row)])).codes
        assert [code for _, code, _ in found] == ([] if good else ["E_OWNER"])


def test_the_rule_is_judged_when_the_broker_wrote_and_not_when_admit_reads(hall: Hall) -> None:
    before = OwnerRule(agencies=(POLICE,), effective_until=NOW)
    after = OwnerRule(agencies=(POLICE,), divisions=("441302",), effective_from=NOW)
    hall.publish(packaged_text(PERMIT), owners=(before, after))
    row = permit(registration_authority_division="441303")
    late = NOW + DAY
    assert not hall.admit(hall.submit([hall.change(row)], append=NOW - SECOND), now=late).codes
    assert [code for _, code, _ in hall.admit(hall.submit([hall.change(row)], append=NOW), now=late).codes] == [
        "E_OWNER"
    ]
