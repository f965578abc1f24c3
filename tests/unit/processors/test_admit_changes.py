"""Admit, change by change: shape, uniqueness, codes, counts; a wrong change never touches its neighbours."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.models import FieldPolicy
from schemas.codec import Codec, frame
from schemas.resource import packaged_text
from tests.builders import PERMIT, permit, rows
from tests.changes import CITY, admitted, judge, refusal
from tests.hall import NOW_MS, Hall
from tests.hall_register import DAY, NOW, POLICE

SECOND = timedelta(seconds=1)
UUID_1 = "00000000-0000-0000-0000-00000000aaaa"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT), CITY)


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
