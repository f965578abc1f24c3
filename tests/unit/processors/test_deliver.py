"""Deliver: exactly the granted fields of exactly the granted rows, under the subscriber's own pseudonyms."""

import json
from datetime import timedelta
from typing import Any

import pytest

from processors.batch import Frames
from processors.deliver import Assignment, Members, RecordMessage, Waited, deliver
from processors.projection import Pseudonyms, compile_grant
from processors.sealing import Opener
from schemas.codec import Codec, frame
from schemas.errors import KeyStoreError, SchemaError
from schemas.resource import packaged_text
from tests.builders import PERMIT, permit, rows
from tests.hall import NOW_MS, Hall, Record
from tests.hall_register import DAY, NOW, POLICE

OPEN = ("sex_code", "birth_date", "residence_county")
DIVISION = "registration_authority_division"
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


def in_division(division: str, seed: int = 1, **fields: object) -> dict[str, Any]:
    return permit(seed, **{DIVISION: division, **fields})


# -- what it took --------------------------------------------------------------------------------------------------


def waited(hall: Hall, records: list[Record], live_since: int | None) -> dict[tuple[str, str], Waited]:
    plan = hall.grant(OPEN, id="g-1")
    return hall.run(records, [Assignment(plan, live_since=live_since)]).waited


def test_it_tells_how_many_left_and_of_the_one_admitted_first_when_it_was_true(hall: Hall) -> None:
    business_time = NOW - DAY
    records = hall.admit(
        hall.submit([hall.change(row, business_time=business_time) for row in rows(PERMIT, 3)])
    ).records
    at = int(business_time.timestamp() * 1000)
    assert waited(hall, records, 0) == {("g-1", POLICE): Waited(3, NOW_MS, at)}
    # What a grant catches up with waited for the grant, not for the bus.
    assert waited(hall, records, None) == waited(hall, records, NOW_MS + 1) == {}


def test_a_correction_tells_no_age(hall: Hall) -> None:
    change = hall.change(permit(), operation="CORRECT", supersedes=UUID_1)
    records = hall.admit(hall.submit([change])).records
    assert waited(hall, records, NOW_MS) == {("g-1", POLICE): Waited(1, NOW_MS, None)}


def test_what_does_not_leave_tells_nothing(hall: Hall) -> None:
    plan = hall.grant(OPEN, rows={"divisions": ["440305"]})
    records = hall.admit_rows(in_division("441302"))
    assert hall.run(records, [Assignment(plan, members=Members(), live_since=0)]).waited == {}


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


# -- rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("division", "covered"),
    [("441302", True), ("441302001", True), ("441302001003", True), ("441303", False), ("441300", False)],
)
def test_a_row_outside_the_grants_divisions_never_leaves(hall: Hall, division: str, *, covered: bool) -> None:
    deliveries = hall.deliver(hall.admit_rows(in_division(division)), hall.grant(OPEN, ["441302"]))
    assert len(deliveries) == covered


def moved(hall: Hall, *divisions: str) -> list[Record]:
    """The records of one person who moves through divisions."""
    return [record for division in divisions for record in hall.admit_rows(in_division(division))]


def test_a_record_that_leaves_the_rows_leaves_with_a_reason_and_then_a_tombstone(hall: Hall) -> None:
    members = Members()
    plan = hall.grant(OPEN, ["441302"])
    before, after, gone_for_good = moved(hall, "441302", "441303", "441322")
    [held] = hall.deliver([before], plan, members)
    event, tombstone = hall.deliver([after], plan, members)
    assert held.key == event.key == tombstone.key
    assert event.value is not None
    assert (event.value["operation"], event.value["reason"], event.value["data"]) == ("WITHDRAW", "LEFT_ROWS", None)
    assert tombstone.value is None
    assert not hall.deliver([gone_for_good], plan, members), "it leaves once"


def test_a_record_may_come_leave_and_come_back_within_one_batch(hall: Hall) -> None:
    deliveries = hall.deliver(moved(hall, "441303", "441302", "441303", "441302"), hall.grant(OPEN, ["441302"]))
    kinds = [(delivery.value or {}).get("reason") if delivery.value else "tombstone" for delivery in deliveries]
    assert kinds == [None, "LEFT_ROWS", "tombstone", None]


def test_what_never_was_in_the_rows_leaves_no_trace(hall: Hall) -> None:
    plan = hall.grant(OPEN, ["441302"])
    records = moved(hall, "441303", "441322")
    records += hall.admit_rows(in_division("441303"), operation="WITHDRAW")
    assert not hall.deliver(records, plan)
    assert not hall.run(records, [Assignment(plan, 0, Members())]).counts


@pytest.mark.parametrize("at_once", [True, False])
def test_a_withdrawal_reaches_whoever_holds_the_record_and_then_its_tombstone(hall: Hall, *, at_once: bool) -> None:
    records = hall.admit_rows(in_division("441302"))
    records += hall.admit_rows(in_division("441303"), operation="WITHDRAW")
    everything, scoped = hall.grant(OPEN, id="g1"), hall.grant(OPEN, ["441302"], id="g2")
    for plan in (everything, scoped):
        members = Members() if plan.divisions is not None else None
        batches = [records] if at_once else [[record] for record in records]
        first, event, tombstone = [delivery for batch in batches for delivery in hall.deliver(batch, plan, members)]
        assert first.value is not None
        assert event.value is not None
        assert first.value["data"] is not None
        assert (event.value["operation"], event.value["reason"], event.value["data"]) == ("WITHDRAW", "WITHDRAWN", None)
        assert tombstone.value is None
        assert first.key == event.key == tombstone.key


def test_after_its_tombstone_nothing_is_held(hall: Hall) -> None:
    plan, members = hall.grant(OPEN, ["441302"]), Members()
    hall.deliver(hall.admit_rows(in_division("441302")), plan, members)
    assert len(members) == 1
    hall.deliver(hall.admit_rows(in_division("441302"), operation="WITHDRAW"), plan, members)
    assert len(members) == 0
    assert not hall.deliver(hall.admit_rows(in_division("441302"), operation="WITHDRAW"), plan, members)


def test_membership_moves_only_when_the_batch_is_committed(hall: Hall) -> None:
    plan, members = hall.grant(OPEN, ["441302"]), Members()
    outcome = hall.run(moved(hall, "441302"), [Assignment(plan, 0, members)])
    assert len(members) == 0, "an aborted batch must leave no trace"
    members.apply(outcome.moves["g1"])
    assert len(members) == 1


def test_members_are_known_again_by_the_keys_on_the_delivery_topic(hall: Hall) -> None:
    plan = hall.grant(OPEN, ["441302"])
    before, after = moved(hall, "441302", "441303")
    keys = [delivery.key for delivery in hall.deliver([before], plan)]
    assert len(hall.deliver([after], plan, Members(keys))) == 2


def test_a_grant_of_all_rows_keeps_no_membership(hall: Hall) -> None:
    records = [*hall.admit_rows(permit()), *hall.admit_rows(permit(), operation="WITHDRAW")]
    assert not any(hall.run(records, [Assignment(hall.grant(OPEN))]).moves.values())


# -- where to start ------------------------------------------------------------------------------------------------


def test_records_before_the_grants_start_are_not_delivered_again(hall: Hall) -> None:
    plan = hall.grant(OPEN)
    records = hall.admit_rows(*rows(PERMIT, 5))
    everything = hall.deliver(records, plan)
    for start in range(7):
        assert hall.deliver(records, plan, start=start) == everything[start:]


def test_grants_that_start_at_different_offsets_share_a_batch(hall: Hall) -> None:
    records = hall.admit_rows(*rows(PERMIT, 4))
    plans = [hall.grant(("name",), id="g1"), hall.grant(("name",), id="g2")]
    outcome = hall.run(records, [Assignment(plans[0], 103), Assignment(plans[1], 101)], first=100)
    assert [len(outcome.outgoing[plan.topic]) for plan in plans] == [1, 3]
    assert outcome.counts["delivered", "g1", PERMIT] == 1
    assert outcome.counts["delivered", "g2", PERMIT] == 3


def test_an_empty_batch_and_no_grant_deliver_nothing(hall: Hall) -> None:
    assert not hall.run([], [Assignment(hall.grant(OPEN))]).outgoing
    assert not hall.run(hall.admit_rows(permit()), []).outgoing


def test_latency_is_told_once_for_each_event_that_left(hall: Hall) -> None:
    messages = hall.submit(
        [hall.change(in_division("441302", 1)), hall.change(in_division("441303", 2))],
        published_at=NOW - timedelta(seconds=3),
    )
    records = hall.admit(messages).records
    plans = [hall.grant(OPEN, ["441302"], id="g1"), hall.grant(OPEN, ["441302"], id="g2")]
    assert hall.run(records, [Assignment(plan, 0, Members()) for plan in plans]).latencies_ms == [3000]
    assert hall.run(records, [Assignment(hall.grant(OPEN))]).latencies_ms == [3000, 3000]
    assert hall.run(records, [Assignment(hall.grant(OPEN), 5)]).latencies_ms == []


# -- schemas that move on ------------------------------------------------------------------------------------------


def evolved(**section_of: str) -> str:
    """The permit's schema with a field `nickname` more, and fields moved to other sections."""
    text = json.loads(packaged_text(PERMIT))
    for spec in text["fields"]:
        spec["section"] = section_of.get(spec["name"], spec["section"])
    extra = {"name": "nickname", "type": ["null", "string"], "default": None, "cn": "别名", "article": "19"}
    text["fields"].append({**extra, "section": "identity", "sharing": "CONDITIONAL"})
    return json.dumps(text, ensure_ascii=False)


def test_a_field_that_the_schema_gains_later_is_in_no_older_grants_deliveries(hall: Hall) -> None:
    plan = hall.grant(tuple(hall.schema.fields))
    hall.publish(evolved(), version=2)
    row = {**permit(), "nickname": "canary-nickname"}
    records = hall.admit(hall.submit([hall.change(row)], catalogue_version=2)).records
    assert hall.open(records[0], "identity")["nickname"] == "canary-nickname"
    [delivery] = hall.deliver(records, plan)
    assert delivery.value is not None
    assert delivery.value["data"] == permit()
    assert b"canary-nickname" not in (delivery.raw or b"")


def test_records_of_an_older_schema_are_delivered_after_a_field_was_added(hall: Hall) -> None:
    old = hall.admit_rows(permit())
    hall.publish(evolved(), version=2)
    new = hall.admit(hall.submit([hall.change({**permit(2), "nickname": "阿惠"})], catalogue_version=2)).records
    plan = hall.grant(("name", "nickname", "sex_code"))
    data = [delivery.value["data"] for delivery in hall.deliver([*old, *new], plan) if delivery.value]
    assert [found["nickname"] for found in data] == [None, "阿惠"]
    assert [found["name"] for found in data] == [permit()["name"], permit(2)["name"]]


@pytest.mark.parametrize("moves", [{"household_address": "open"}, {"sex_code": "restricted"}, {"name": "restricted"}])
def test_a_field_that_moved_to_another_section_arrives_from_old_and_new_records(
    hall: Hall, moves: dict[str, str]
) -> None:
    [name] = moves
    old_plan = hall.grant((name,), id="g1")
    old = hall.admit_rows(permit())
    hall.publish(evolved(**moves), version=2)
    records = [*old, *hall.admit(hall.submit([hall.change(permit(2))], catalogue_version=1)).records]
    for plan in (old_plan, hall.grant((name,), id="g2")):
        data = [delivery.value["data"] for delivery in hall.deliver(records, plan) if delivery.value]
        assert data == [{name: permit()[name]}, {name: permit(2)[name]}]


def test_a_record_that_an_older_platform_wrote_is_delivered_as_one_of_today(hall: Hall) -> None:
    plan = hall.grant((*OPEN, "name"))
    [record] = hall.admit_rows(permit())
    assert record.value is not None
    assert record.raw is not None
    older = json.loads(hall.schema.record.text)
    heads = older["fields"][0]["type"]["fields"]
    older["fields"][0]["type"]["fields"] = [each for each in heads if each["name"] not in ("moved_to", "moved_at")]
    codec = Codec(older)
    written = hall.schema.record.decode_physical(record.raw[5:])
    del written["change"]["moved_to"], written["change"]["moved_at"]
    old = Record(record.key, record.partition, None, frame(hall.schema_id(codec), codec.encode_physical(written)))
    assert hall.deliver([old], plan) == hall.deliver([record], plan)


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


def test_a_grant_on_a_field_that_does_not_exist_does_not_compile(hall: Hall) -> None:
    entry = hall.publish(evolved(), version=2)
    grant = hall.grant(("nickname",)).grant
    assert compile_grant(grant, entry, hall.root).fields == {"nickname"}
    with pytest.raises(SchemaError, match="nickname"):
        compile_grant(grant, hall.entry, hall.root)
