"""Deliver: exactly the granted fields, sealed until they are granted, under the subscriber's own pseudonyms."""

import pytest

from processors.batch import Frames
from processors.deliver import Assignment, Members, RecordMessage, deliver
from processors.projection import Pseudonyms
from processors.sealing import Opener
from schemas.errors import KeyStoreError, SchemaError
from schemas.resource import packaged_text
from tests.builders import PERMIT, permit, rows
from tests.deliveries import OPEN, in_division
from tests.hall import NOW_MS, Hall, Record
from tests.hall_register import DAY, NOW, POLICE

UUID_1 = "00000000-0000-0000-0000-00000000aaaa"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


class SealedForEver(Opener):
    """An opener that may not be asked."""

    def __init__(self, *but: str) -> None:
        super().__init__({"s1": Hall(packaged_text(PERMIT)).keys})
        self._but = but

    def open(self, key_id: str, section: str, sealed: bytes, bound: bytes) -> bytes:
        if section not in self._but:
            raise AssertionError(f"section {section} was opened without need")
        return super().open(key_id, section, sealed, bound)


# -- fields --------------------------------------------------------------------------------------------------------


def test_a_field_without_a_grant_never_leaves_the_bus(hall: Hall) -> None:
    row = permit()
    [delivery] = hall.deliver(hall.admit_rows(row), hall.grant(OPEN))
    assert delivery.value is not None
    assert delivery.value["data"] == {name: row[name] for name in OPEN}
    assert delivery.raw is not None
    for name in ("name", "id_number", "residence_permit_number", "residence_address_detail", "registration_authority"):
        assert row[name].encode() not in delivery.raw


def test_granted_fields_of_every_section_arrive_unchanged_in_the_schemas_order(hall: Hall) -> None:
    some = rows(PERMIT, 20)
    every = tuple(hall.schema.fields)
    deliveries = hall.deliver(hall.admit_rows(*some), hall.grant(reversed(every)))
    assert [delivery.value["data"] for delivery in deliveries if delivery.value] == some
    assert deliveries[0].value is not None
    assert tuple(deliveries[0].value["data"]) == every


def test_a_delivery_says_where_it_comes_from_and_under_which_grant(hall: Hall) -> None:
    change = hall.change(permit(), operation="CORRECT", supersedes=UUID_1)
    records = hall.admit(hall.submit([change], published_at=NOW - DAY)).records
    [delivery] = hall.deliver(records, hall.grant(OPEN))
    assert delivery.value is not None
    value = {**delivery.value, "event_id": str(delivery.value["event_id"])}
    del value["data"]
    assert value == {
        "event_id": change["event_id"],
        "operation": "CORRECT",
        "reason": None,
        "subject": delivery.key[:16],
        "owner": POLICE,
        "business_time": NOW - DAY,
        "published_at": NOW - DAY,
        "admitted_at": NOW,
        "catalogue_version": 1,
        "grant": "g1",
        "supersedes": UUID_1,
        "flags": [],
        "moved_to": None,
        "moved_at": None,
    }


@pytest.mark.parametrize(
    ("fields", "sections"),
    [
        (OPEN, ()),
        ((*OPEN, "name"), ("identity",)),
        ((*OPEN, "household_address"), ("restricted",)),
        (("name", "household_address"), ("identity", "restricted")),
    ],
)
def test_a_sealed_section_stays_shut_unless_a_granted_field_lies_in_it(
    hall: Hall, fields: tuple[str, ...], sections: tuple[str, ...]
) -> None:
    plan = hall.grant(fields)
    assert plan.sealed_in(hall.schema) == sections
    outcome = hall.run(hall.admit_rows(permit()), [Assignment(plan)], opener=SealedForEver(*sections))
    [delivery] = hall.deliveries(outcome.outgoing[plan.topic])
    assert delivery.value is not None
    assert delivery.value["data"] == {name: permit()[name] for name in hall.schema.fields if name in fields}
    if sections:
        with pytest.raises(AssertionError, match="without need"):
            hall.run(hall.admit_rows(permit()), [Assignment(plan)], opener=SealedForEver())


def test_a_section_that_one_grant_had_opened_is_not_delivered_to_another(hall: Hall) -> None:
    row = permit()
    plans = [hall.grant(("name", "household_address"), id="g1"), hall.grant(OPEN, id="g2")]
    outcome = hall.run(hall.admit_rows(row), [Assignment(plan) for plan in plans])
    [full], [open_only] = (hall.deliveries(outcome.outgoing[plan.topic]) for plan in plans)
    assert full.value is not None
    assert open_only.value is not None
    assert full.value["data"] == {"name": row["name"], "household_address": row["household_address"]}
    assert set(open_only.value["data"]) == set(OPEN)


def test_a_row_outside_the_grants_divisions_is_not_opened_either(hall: Hall) -> None:
    plan = hall.grant(("name",), ["441303"])
    records = hall.admit_rows(in_division("441302"))
    assert not hall.run(records, [Assignment(plan, 0, Members())], opener=SealedForEver()).outgoing[plan.topic]


def test_flags_tell_only_of_granted_fields(hall: Hall) -> None:
    row = permit(ethnicity_code="99", residence_county="999999", id_type="111", id_number="440524188001010014")
    records = hall.admit_rows(row)
    for fields, wanted in {
        ("sex_code",): [],
        ("ethnicity_code", "sex_code"): ["ethnicity_code:unknown_code"],
        ("id_number",): ["id_number:unknown_division"],
        ("residence_county", "ethnicity_code"): ["ethnicity_code:unknown_code", "residence_county:unknown_code"],
    }.items():
        [delivery] = hall.deliver(records, hall.grant(fields))
        assert delivery.value is not None
        assert sorted(delivery.value["flags"]) == wanted


# -- pseudonyms ----------------------------------------------------------------------------------------------------


def test_a_subject_has_one_pseudonym_with_a_subscriber_and_another_with_each_other_one(hall: Hall) -> None:
    row = permit()
    one, again = hall.admit_rows(row, row)
    stats, same = hall.grant(OPEN), hall.grant(("sex_code",), id="g2")
    tax = hall.grant(OPEN, id="g3", subscriber="tax")
    keys = {
        plan.grant.id: [delivery.key for delivery in hall.deliver([one, again], plan)] for plan in (stats, same, tax)
    }
    assert keys["g1"] == keys["g2"] == [keys["g1"][0]] * 2
    assert keys["g1"] != keys["g3"]
    for key in (keys["g1"][0], keys["g3"][0]):
        assert len(key) == 32
        assert key[:16] != one.key[:16]
        assert key[16:] != one.key[16:]


def test_the_bus_can_resolve_a_pseudonym_for_a_complaint(hall: Hall) -> None:
    [record] = hall.admit_rows(permit())
    plan = hall.grant(OPEN)
    [delivery] = hall.deliver([record], plan)
    assert plan.pseudonyms.resolve(delivery.key) == record.key
    assert Pseudonyms(hall.root, "tax").resolve(delivery.key) != record.key


def test_neither_token_nor_division_stands_in_a_delivery(hall: Hall) -> None:
    [record] = hall.admit_rows(in_division("441302001"))
    [delivery] = hall.deliver([record], hall.grant(OPEN))
    assert delivery.raw is not None
    for hidden in (record.key[:16], record.key[16:], b"441302001"):
        assert hidden not in delivery.raw + delivery.key


def test_two_permits_of_one_person_share_the_subject_and_not_the_key(hall: Hall) -> None:
    row = permit()
    one, other = hall.deliver(
        hall.admit_rows(row, {**row, "residence_permit_number": "44130099887766"}), hall.grant(OPEN)
    )
    assert one.value is not None
    assert other.value is not None
    assert one.value["subject"] == other.value["subject"]
    assert one.key != other.key


# -- defects of others ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"", b"rubbish", b"\x00\x00\x00\x03\xe7", b"\x00\x00\x00\x00\x01\xff"])
def test_a_record_that_admit_did_not_write_stops_delivery_and_names_its_offset(hall: Hall, value: bytes) -> None:
    plan = hall.grant(OPEN)
    with pytest.raises(SchemaError):
        deliver(
            0,
            [RecordMessage(7, bytes(32), value)],
            [Assignment(plan)],
            hall.codecs,
            {},
            hall.opener,
            hall.frames,
            NOW_MS,
        )


def test_a_record_of_a_catalogue_version_that_nobody_knows_stops_delivery(hall: Hall) -> None:
    [record] = hall.admit_rows(permit())
    message = RecordMessage(7, record.key, record.raw)
    plan = hall.grant(("name",))
    with pytest.raises(SchemaError, match=r"offset 7.*version 1"):
        deliver(0, [message], [Assignment(plan)], hall.codecs, {}, hall.opener, hall.frames, NOW_MS)


def test_a_missing_key_or_a_moved_section_stops_delivery(hall: Hall) -> None:
    one, other = hall.admit_rows(permit(1), permit(2))
    plan = hall.grant(("name",))
    with pytest.raises(KeyStoreError, match="no key s1"):
        hall.run([one], [Assignment(plan)], opener=Opener({}))
    swapped = Record(other.key, one.partition, one.value, one.raw)
    with pytest.raises(KeyStoreError, match="moved"):
        hall.run([swapped], [Assignment(plan)])


def test_a_delivery_topic_without_a_frame_is_a_defect(hall: Hall) -> None:
    plan = hall.grant(OPEN)
    hall.frames = Frames()
    with pytest.raises(KeyError):
        hall.run([Record(bytes(32), 0, None, None)], [Assignment(plan)])
