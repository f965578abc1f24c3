"""Admit, change by change: shape, uniqueness, codes, owner, identity; a wrong change never touches its neighbours."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.models import FieldPolicy, OwnerRule
from schemas.codec import Codec, frame
from schemas.refusals import RULES, RefusalCode
from schemas.resource import packaged_text
from tests.builders import (
    BUSINESS,
    ENTERPRISE,
    FOREIGN_DIVISION,
    HOUSEHOLD,
    PERMIT,
    RESOURCES,
    TODAY,
    corruptions,
    enterprise,
    individual_business,
    permit,
    person,
    rows,
)
from tests.hall import NOW_MS, Hall, Verdict
from tests.hall_register import DAY, NOW, POLICE, STATS

CITY = OwnerRule(agencies=(POLICE,), divisions=("441300",))
SECOND = timedelta(seconds=1)
UUID_1 = "00000000-0000-0000-0000-00000000aaaa"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT), CITY)


def judge(hall: Hall, row: dict[str, Any] | None = None, **head: Any) -> Verdict:
    """The verdict on one change between two good ones, which must always be admitted."""
    first, last = permit(11), permit(12)
    good = [hall.change(row) for row in (first, last)] if hall.resource == PERMIT else []
    middle = hall.change(permit() if row is None else row, **head)
    verdict = hall.admit(hall.submit([*good[:1], middle, *good[1:]]))
    assert len(verdict.records) >= len(good)
    assert all(index == len(good[:1]) for index, _, _ in verdict.codes)
    return verdict


def refusal(hall: Hall, row: dict[str, Any] | None = None, **head: Any) -> tuple[str, str | None]:
    """Code and field of the refusal of one change, and that its two neighbours are admitted."""
    verdict = judge(hall, row, **head)
    [refused], [receipt] = verdict.refusals, verdict.receipts
    rule = RULES[RefusalCode(refused["code"])]
    assert refused["article"] == rule.article
    assert refused["submission_id"] == receipt["submission_id"] is not None
    assert (refused["offset"], refused["stage"]) == (receipt["offset"], "ADMIT")
    shared = ("index", "event_id", "code", "field", "detail", "article")
    assert receipt["refused"] == [{name: refused[name] for name in shared}]
    assert receipt["admitted"] == len({record.value["change"]["index"] for record in verdict.records if record.value})
    return refused["code"], refused["field"]


def admitted(hall: Hall, row: dict[str, Any] | None = None, **head: Any) -> bool:
    return not judge(hall, row, **head).codes


def physical(hall: Hall, **changed: Any) -> tuple[str, str | None] | None:
    """Code and field for one change whose wire values are replaced; names of the envelope or of the row."""
    codec = hall.schema.submission
    datum = codec.decode_physical((hall.submit([hall.change(permit())]).value or b"")[5:])
    change = datum["changes"][0]
    for name, value in changed.items():
        (change if name in change else change["data"])[name] = value
    verdict = hall.admit(hall.message(frame(hall.schema_id(codec), codec.encode_physical(datum))))
    return (verdict.codes[0][1], verdict.codes[0][2]) if verdict.codes else None


# -- E_SCHEMA ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["", "update", "DELETE", "UPDATE "])
def test_an_operation_that_is_none_of_the_five_is_refused(hall: Hall, operation: str) -> None:
    assert refusal(hall, operation=operation) == ("E_SCHEMA", "operation")


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "CANCEL", "WITHDRAW"])
def test_an_operation_needs_nothing_to_supersede(hall: Hall, operation: str) -> None:
    assert admitted(hall, operation=operation)


@pytest.mark.parametrize(
    "event_id", ["", "1", UUID_1.upper(), f"{UUID_1} ", f"{{{UUID_1}}}", UUID_1.replace("-", ""), "44132419190504001X"]
)
def test_an_event_id_that_is_no_lower_case_uuid_is_refused_and_not_repeated(hall: Hall, event_id: str) -> None:
    verdict = judge(hall, event_id=event_id)
    assert verdict.codes == [(1, "E_SCHEMA", "event_id")]
    assert verdict.refusals[0]["event_id"] is None


@pytest.mark.parametrize("also", [{"operation": "FOO"}, {"business_time": NOW + DAY}, {"supersedes": "x"}])
def test_a_malformed_event_id_is_not_repeated_whatever_else_is_wrong(hall: Hall, also: dict[str, Any]) -> None:
    number = "44132419190504001X"
    verdict = judge(hall, event_id=number, **also)
    assert len(verdict.codes) == 1
    assert not any(number.encode() in written for written in verdict.written())


def test_a_change_may_lie_as_far_ahead_as_clocks_differ_and_no_further(hall: Hall) -> None:
    assert admitted(hall, business_time=NOW + 300 * SECOND)
    assert refusal(hall, business_time=NOW + 301 * SECOND) == ("E_SCHEMA", "business_time")
    assert refusal(hall, business_time=datetime(1970, 1, 1, tzinfo=UTC)) == ("E_SCHEMA", "business_time")


@pytest.mark.parametrize("supersedes", [None, "", "x", UUID_1.upper()])
def test_a_correction_names_what_it_supersedes(hall: Hall, supersedes: str | None) -> None:
    assert refusal(hall, operation="CORRECT", supersedes=supersedes) == ("E_SCHEMA", "supersedes")
    assert admitted(hall, operation="CORRECT", supersedes=UUID_1)


def test_what_supersedes_is_a_uuid_for_every_operation(hall: Hall) -> None:
    assert refusal(hall, supersedes="44132419190504001X") == ("E_SCHEMA", "supersedes")
    assert admitted(hall, supersedes=UUID_1)


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("name", ["name", "registration_authority"])
def test_a_required_field_that_is_missing_or_empty_is_refused(hall: Hall, name: str, empty: str | None) -> None:
    assert refusal(hall, {**permit(), name: empty}) == ("E_SCHEMA", name)


def test_what_is_required_is_the_catalogues_word_over_the_schemas(hall: Hall) -> None:
    policies = {"name": FieldPolicy(required=False), "residence_committee": FieldPolicy(required=True)}
    hall.publish(packaged_text(PERMIT), fields=policies)
    assert admitted(hall, permit(name=None))
    assert refusal(hall, permit(residence_committee=None)) == ("E_SCHEMA", "residence_committee")


def test_a_withdrawal_needs_no_more_than_what_keys_the_record(hall: Hall) -> None:
    row, keys = permit(), ("id_type", "id_number", "residence_permit_number")
    bare = {name: value if name in keys else None for name, value in row.items()}
    assert admitted(hall, bare, operation="WITHDRAW")
    assert refusal(hall, {**bare, "id_number": None}, operation="WITHDRAW") == ("E_NO_KEY", "id_number")
    no_permit = {**bare, "residence_permit_number": None}
    assert refusal(hall, no_permit, operation="WITHDRAW") == ("E_NO_KEY", "residence_permit_number")


@pytest.mark.parametrize(("name", "first", "last"), [("birth_date", -719_162, 2_932_896)])
def test_a_date_that_no_reader_could_show_is_refused(hall: Hall, name: str, first: int, last: int) -> None:
    assert physical(hall, **{name: first}) is None
    assert physical(hall, **{name: last}) is None
    for wrong in (first - 1, last + 1, 2**31 - 1, -(2**31)):
        assert physical(hall, **{name: wrong}) == ("E_SCHEMA", name)


def test_an_instant_or_amount_that_no_reader_could_show_is_refused() -> None:
    text = json.loads(packaged_text(PERMIT))
    plain = {"cn": "项", "article": "36", "section": "restricted", "default": None}
    seen = {"type": "long", "logicalType": "timestamp-millis"}
    paid = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
    text["fields"] += [{"name": "seen", "type": ["null", seen], **plain}]
    text["fields"] += [{"name": "paid", "type": ["null", paid], **plain}]
    hall = Hall(json.dumps(text), CITY)
    for good in (NOW_MS, 0, -62_135_596_800_000, 253_402_300_799_999):
        assert physical(hall, seen=good) is None
    for wrong in (-62_135_596_800_001, 253_402_300_800_000, 2**63 - 1):
        assert physical(hall, seen=wrong) == ("E_SCHEMA", "seen")
    for amount in (9_999, -9_999, 0):
        assert physical(hall, paid=amount.to_bytes(2, "big", signed=True)) is None
    assert physical(hall, paid=b"\x00\x00\x00\x01") is None
    for much in (b"\x27\x10", b"\xd8\xf0", b"\x7f" * 20, b""):
        assert physical(hall, paid=much) == ("E_SCHEMA", "paid")


# -- E_DUPLICATE ---------------------------------------------------------------------------------------------------


def test_an_event_id_stands_once_in_a_submission(hall: Hall) -> None:
    same = [hall.change(row, event_id=UUID_1) for row in rows(PERMIT, 3)]
    verdict = hall.admit(hall.submit(same))
    assert verdict.codes == [(1, "E_DUPLICATE", "event_id"), (2, "E_DUPLICATE", "event_id")]
    assert [refused["event_id"] for refused in verdict.refusals] == [UUID_1, UUID_1]
    assert len(verdict.records) == 1


def test_an_event_id_counts_even_where_its_change_was_refused(hall: Hall) -> None:
    row = permit()
    same = [hall.change({**row, "name": None}, event_id=UUID_1), hall.change(row, event_id=UUID_1)]
    assert hall.admit(hall.submit(same)).codes == [(0, "E_SCHEMA", "name"), (1, "E_DUPLICATE", "event_id")]


def test_the_same_event_id_may_stand_in_another_submission(hall: Hall) -> None:
    batch = [hall.submit([hall.change(permit(), event_id=UUID_1)]) for _ in range(2)]
    assert not hall.admit(*batch).codes


# -- E_CODE --------------------------------------------------------------------------------------------------------


def test_an_unknown_code_is_refused_where_the_field_says_refuse(hall: Hall) -> None:
    assert refusal(hall, permit(sex_code="7")) == ("E_CODE", "sex_code")


def test_an_unknown_code_is_flagged_where_the_field_says_flag(hall: Hall) -> None:
    verdict = judge(hall, permit(ethnicity_code="99", residence_county="999999"))
    assert verdict.records[1].value is not None
    assert not verdict.codes
    flags = verdict.records[1].value["change"]["flags"]
    assert sorted(flags) == ["ethnicity_code:unknown_code", "residence_county:unknown_code"]


def test_an_absent_code_is_neither_refused_nor_flagged(hall: Hall) -> None:
    verdict = judge(hall, permit(ethnicity_code=None))
    assert not verdict.codes
    assert verdict.records[1].value is not None
    assert verdict.records[1].value["change"]["flags"] == []


# -- E_OWNER -------------------------------------------------------------------------------------------------------


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


# -- identity ------------------------------------------------------------------------------------------------------


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


def test_an_int_that_readers_could_not_hold_is_refused_and_the_others_pass() -> None:
    hall = Hall(packaged_text("death_certificate"))
    first, second = rows("death_certificate", 2)
    # Written by an agency's own program, which did not look at the type: on the wire an int looks like a long.
    careless = Codec(json.loads(hall.schema.submission.text.replace('"int"],', '"long"],')))
    changes = [hall.change({**first, "age": 2**31}), hall.change({**second, "age": 2**31 - 1})]
    value = frame(hall.schema_id(hall.schema.submission), careless.encode(hall.submission(changes)))
    verdict = hall.admit(hall.message(value))
    assert verdict.codes == [(0, "E_SCHEMA", "age")]
    assert [record.value["open"]["age"] for record in verdict.records if record.value] == [2**31 - 1]


# -- counts --------------------------------------------------------------------------------------------------------


def test_pulse_and_counts_add_up_over_the_batch(hall: Hall) -> None:
    early, late = NOW - 3 * DAY, NOW - DAY
    batch = [
        hall.submit([hall.change(permit(1), business_time=late), hall.change(permit(2), business_time=early)]),
        hall.submit([hall.change(permit(sex_code="7")), hall.change(permit(3), operation="WITHDRAW")]),
        hall.submit([hall.change(permit(4))], review_number="R9"),
    ]
    verdict = hall.admit(*batch)
    [pulse] = verdict.pulses
    assert (pulse["admitted"], pulse["refused"], pulse["withdrawn"]) == (3, 2, 1)
    assert (pulse["earliest_business_time"], pulse["latest_business_time"]) == (early, late)
    assert pulse["admitted_at"] == NOW
    counts = verdict.outcome.counts
    assert counts["admitted", POLICE, PERMIT] == 3
    assert (counts["refused", POLICE, PERMIT, "E_CODE"], counts["refused", POLICE, PERMIT, "E_SECRECY_REVIEW"]) == (
        1,
        1,
    )


def test_a_pulse_leaves_corrections_out_of_its_business_times_and_says_what_waited_longest(hall: Hall) -> None:
    waited = NOW - timedelta(minutes=3)
    wrong = hall.change(permit(1), operation="CORRECT", supersedes=UUID_1, business_time=NOW - 9 * DAY)
    batch = [hall.submit([hall.change(permit(2), business_time=NOW - DAY)], append=waited), hall.submit([wrong])]
    [pulse] = hall.admit(*batch).pulses
    assert (pulse["admitted"], pulse["corrected"], pulse["earliest_appended_at"]) == (2, 1, waited)
    # The correction came last, and brought nothing new.
    assert pulse["latest_appended_at"] == waited
    assert (pulse["earliest_business_time"], pulse["latest_business_time"]) == (NOW - DAY, NOW - DAY)
