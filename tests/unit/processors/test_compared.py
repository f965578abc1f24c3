"""What a record shows to cross-checks: made by admit, carried along by relocate, read by whoever compares, delivered to none."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from compliance.entry import FieldPolicy
from processors.crosscheck.facts import Digester, fact_of
from processors.deliver import RecordMessage
from processors.keying import subject_of, token_of
from processors.links import Links
from processors.rekey import Rekeyer
from processors.relocate import Relocator, Writer
from processors.sealing import Sealer
from schemas.codec import Codec, frame
from schemas.errors import SchemaError
from schemas.identity import Identity, identify
from schemas.resource import packaged_text
from tests.builders import PERMIT, RESOURCES, TODAY, permit, rows
from tests.hall import NOW_MS, Hall, Record

BIRTH = "birth_certificate"
NUMBER = "44130219900307018X"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def value_of(record: Record) -> dict[str, Any]:
    assert record.value is not None
    return record.value


def physical(hall: Hall, raw: bytes | None) -> dict[str, Any]:
    """A record as whoever compares reads it."""
    assert raw is not None
    return hall.codecs[int.from_bytes(raw[1:5], "big")].decode_physical(raw[5:])


def writer(hall: Hall) -> Writer:
    codec = hall.schema.record
    return Writer(f"record.{hall.resource}", 4, lambda _: (frame(hall.schema_id(codec), b""), codec))


def token(hall: Hall, document: str, number: str) -> bytes:
    found = identify(document, number, TODAY)
    assert isinstance(found, Identity)
    return token_of(found, hall.tokens)


def wire(row: Mapping[str, Any], hall: Hall) -> dict[str, Any]:
    """A row as admit sees it."""
    codec = Codec({**hall.schema.avro, "namespace": "x"})
    return codec.decode_physical(codec.encode(row))


# -- admit ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_admitted_record_carries_what_its_row_shows_to_cross_checks(resource: str) -> None:
    hall = Hall(packaged_text(resource))
    some = rows(resource, 20)
    for row, record in zip(some, hall.admit_rows(*some), strict=True):
        wanted = [name for name, spec in hall.schema.fields.items() if spec.required]
        expected = hall.facts.compared(hall.schema, wanted, wire(row, hall), TODAY)
        assert value_of(record)["compared"] == expected
        assert expected["key_id"] == "d1"
        if resource in hall.facts.resources:
            assert expected["holds"]


def test_a_permit_shows_its_name_and_codes_as_digests_and_whether_it_is_in_force(hall: Hall) -> None:
    one, other, ended = hall.admit_rows(
        permit(1, cancellation_date=None),
        permit(2, name=permit(1)["name"], cancellation_date=None),
        permit(3, cancellation_date=TODAY),
    )
    compared = value_of(one)["compared"]
    assert set(compared["digests"]) == {"@name:NAME", "sex_code:CODE", "ethnicity_code:CODE"}
    assert {len(digest) for digest in compared["digests"].values()} == {16}
    assert compared["digests"]["@name:NAME"] == value_of(other)["compared"]["digests"]["@name:NAME"]
    assert compared["holds"] == [
        "name_by_number.left",
        "permit_household.left",
        "permit_beside_household.left",
        "permit_single.left",
    ]
    assert value_of(ended)["compared"]["holds"] == ["name_by_number.left", "permit_household.left"]


def test_a_withdrawal_shows_nothing(hall: Hall) -> None:
    withdrawn, tombstone = hall.admit_rows(permit(), operation="WITHDRAW")
    assert value_of(withdrawn)["compared"] is None
    assert tombstone.value is None


def test_a_blank_field_and_one_that_the_entry_does_without_are_told_as_missing(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, fields={"registration_date": FieldPolicy(required=False)})
    row = permit(residence_township=" \u3000", registration_date=None, residence_committee=None)
    [record] = hall.admit(hall.submit([hall.change(row)], catalogue_version=2)).records
    assert value_of(record)["compared"]["missing"] == ["residence_township", "registration_date"]


def test_what_is_deprecated_is_not_missing() -> None:
    avro = json.loads(packaged_text(PERMIT))
    for spec in avro["fields"]:
        if spec["name"] == "registration_date":
            spec["deprecated"] = True
    [record] = Hall(json.dumps(avro)).admit_rows(permit(registration_date=None))
    assert value_of(record)["compared"]["missing"] == []


def test_a_second_number_is_the_token_of_the_home_at_admission() -> None:
    hall = Hall(packaged_text(BIRTH))
    [row] = rows(BIRTH, 1)
    row |= {"id_type": "111", "id_number": NUMBER}
    own, home = token(hall, "111", NUMBER), b"h" * 16
    [record] = hall.admit_rows(row)
    assert value_of(record)["compared"]["references"] == {"id_number": own}
    hall.links.put(own, home)
    [record] = hall.admit_rows(row)
    assert value_of(record)["compared"]["references"] == {"id_number": home}
    for wrong in ({"id_number": None}, {"id_type": None}, {"id_number": "44130219900307018"}):
        [record] = hall.admit_rows({**row, **wrong})
        assert value_of(record)["compared"]["references"] == {}


def test_no_value_of_an_identity_stands_in_what_is_compared(hall: Hall) -> None:
    row = permit(name="金丝雀", id_type="111", id_number=NUMBER)
    [record] = hall.admit_rows(row)
    assert record.raw is not None
    assert "金丝雀".encode() not in record.raw
    assert NUMBER.encode() not in record.raw


# -- what leaves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", RESOURCES)
def test_nothing_that_is_compared_reaches_a_subscriber(resource: str) -> None:
    hall = Hall(packaged_text(resource))
    hall.links.put(b"x" * 16, b"y" * 16)
    records = hall.admit_rows(*rows(resource, 10))
    records += hall.admit_rows(*rows(resource, 1), operation="WITHDRAW")
    deliveries = hall.deliver(records, hall.grant(hall.schema.fields))
    assert len(deliveries) == 12
    raw = b"".join(delivery.raw or b"" for delivery in deliveries)
    for record in records[:-2]:
        compared = value_of(record)["compared"]
        for secret in (*compared["digests"].values(), *compared["references"].values(), record.key[:16]):
            assert secret not in raw
        for name in (*compared["holds"], *compared["digests"]):
            assert name.encode() not in raw
    assert "compared" not in json.dumps(hall.grant(hall.schema.fields).codec.schema)


# -- records from before, and readers from before ------------------------------------------------------------------


def as_before(hall: Hall, record: Record) -> Record:
    written = physical(hall, record.raw)
    del written["compared"]
    codec = hall.schema.record_before
    return Record(record.key, record.partition, None, frame(hall.schema_id(codec), codec.encode_physical(written)))


def test_a_record_from_before_is_delivered_as_one_of_today(hall: Hall) -> None:
    plan = hall.grant(("name", "sex_code", "residence_county"))
    records = hall.admit_rows(permit(1), permit(2))
    before = [as_before(hall, record) for record in records]
    assert hall.deliver(before, plan) == hall.deliver(records, plan)
    assert hall.deliver([before[0], records[1]], plan) == hall.deliver(records, plan)


def test_a_record_from_before_shows_that_nothing_is_known_of_it(hall: Hall) -> None:
    [record] = hall.admit_rows(permit())
    before = as_before(hall, record)
    fact = fact_of(PERMIT, 7, before.key, physical(hall, before.raw))
    assert (fact.present, fact.key_id, fact.holds, fact.digests, fact.missing) == (True, None, frozenset(), {}, ())
    assert fact.division


@pytest.mark.parametrize("end", [b"", b"\x01", b"\x02", b"\x02\x04d1", b"\x00\x00", b"\x04\x00"])
def test_a_record_whose_end_is_not_what_is_compared_stops_delivery(hall: Hall, end: bytes) -> None:
    [record] = hall.admit_rows(permit())
    assert record.raw is not None
    begin = record.raw[: record.raw.index(b"\x02\x04d1")]
    plan = hall.grant(("sex_code",))
    with pytest.raises(SchemaError):
        hall.deliver([Record(record.key, record.partition, None, begin + end)], plan)


# -- relocate ------------------------------------------------------------------------------------------------------


def test_a_move_carries_along_what_is_compared_and_leaves_nothing_of_it() -> None:
    hall = Hall(packaged_text(BIRTH))
    [row] = rows(BIRTH, 1)
    [record] = hall.admit_rows(row | {"id_type": "111", "id_number": NUMBER})
    old, own, home = record.key[:16], token(hall, "111", NUMBER), b"h" * 16
    hall.links.put(old, own)
    hall.links.put(own, home)
    relocator = Relocator(hall.links, hall.tokens, Sealer(hall.keys, bytes), hall.opener)
    message = RecordMessage(0, record.key, record.raw)
    leaving = relocator.leaving(0, [message], lambda m: physical(hall, m.value), 4)
    moved, left, _ = relocator.move(leaving, {}, writer(hall), NOW_MS)
    before = physical(hall, record.raw)["compared"]
    assert before["references"] == {"id_number": own}
    # The number that stays was itself given up: the reference is at home, as the record is.
    assert physical(hall, moved["value"])["compared"] == {**before, "references": {"id_number": home}}
    assert physical(hall, left["value"])["compared"] is None
    here, there = (
        fact_of(BIRTH, at, sent["key"], physical(hall, sent["value"])) for at, sent in enumerate((moved, left))
    )
    assert (here.token, here.present, here.digests) == (home, True, before["digests"])
    assert (there.token, there.present, there.digests, there.holds) == (old, False, {}, frozenset())
    assert here.event_id == there.event_id


def test_a_move_of_a_record_from_before_shows_nothing(hall: Hall) -> None:
    [record] = hall.admit_rows(permit())
    hall.links.put(record.key[:16], b"h" * 16)
    relocator = Relocator(hall.links, hall.tokens, Sealer(hall.keys, bytes), hall.opener)
    message = RecordMessage(0, record.key, as_before(hall, record).raw)
    leaving = relocator.leaving(0, [message], lambda m: physical(hall, m.value), 4)
    moved, _, _ = relocator.move(leaving, {}, writer(hall), NOW_MS)
    assert physical(hall, moved["value"])["compared"] is None


@pytest.mark.parametrize("from_before", [False, True])
def test_re_keying_makes_anew_what_is_compared(*, from_before: bool) -> None:
    hall = Hall(packaged_text(BIRTH))
    [row] = rows(BIRTH, 1)
    [record] = hall.admit_rows(row | {"id_type": "111", "id_number": NUMBER})
    new_keys = type(hall.tokens)("t2", bytes(range(1, 33)), bytes(range(33, 65)))
    links = Links()
    maker = hall.fact_maker(new_keys, Digester("d2", b"k" * 32))
    rekeyer = Rekeyer(links, new_keys, hall.opener, b"", maker)
    relocator = Relocator(links, new_keys, Sealer(hall.keys, bytes), hall.opener)
    stands = as_before(hall, record) if from_before else record
    message = RecordMessage(0, stands.key, stands.raw)
    found = rekeyer.rekey(0, [message], lambda m: physical(hall, m.value), lambda _: hall.entry, 4, TODAY)
    moved, *_ = relocator.move(found.leaving, {}, writer(hall), NOW_MS)
    before, after = physical(hall, record.raw)["compared"], physical(hall, moved["value"])["compared"]
    number = identify("111", NUMBER, TODAY)
    subject = subject_of(hall.schema, row, TODAY)
    assert isinstance(number, Identity)
    assert isinstance(subject, Identity)
    assert moved["key"][:16] == token_of(subject, new_keys)
    assert after["references"] == {"id_number": token_of(number, new_keys)}
    assert before["references"] != after["references"]
    assert after["key_id"] == "d2"
    assert after["digests"].keys() == before["digests"].keys()
    assert not set(after["digests"].values()) & set(before["digests"].values())
    assert (after["holds"], after["missing"]) == (before["holds"], before["missing"])


# -- what whoever compares reads -----------------------------------------------------------------------------------


def test_a_fact_is_read_from_a_record_without_any_key(hall: Hall) -> None:
    message = hall.submit([hall.change(permit(registration_date=permit()["registration_date"]))])
    [record] = hall.admit(message).records
    raw = physical(hall, record.raw)
    fact = fact_of(PERMIT, 41, record.key, raw)
    assert (fact.resource, fact.token, fact.record, fact.version) == (PERMIT, record.key[:16], record.key[16:], 41)
    assert (fact.event_id, fact.agency, fact.present) == (raw["change"]["event_id"], "police", True)
    assert fact.business_time == raw["change"]["business_time"]
    assert (fact.admitted_at, fact.division) == (NOW_MS, raw["change"]["subject_division_code"])
    assert fact.digests == raw["compared"]["digests"]
    assert fact.holds == frozenset(raw["compared"]["holds"])
    assert (fact.missing, fact.key_id) == ((), "d1")


def test_what_was_withdrawn_or_has_a_tombstone_is_not_present(hall: Hall) -> None:
    withdrawn, tombstone = hall.admit_rows(permit(), operation="WITHDRAW")
    gone = fact_of(PERMIT, 8, withdrawn.key, physical(hall, withdrawn.raw))
    empty = fact_of(PERMIT, 9, tombstone.key, None)
    for fact in (gone, empty):
        assert (fact.present, fact.digests, fact.holds, fact.references) == (False, {}, frozenset(), {})
        assert (fact.token, fact.record) == (withdrawn.key[:16], withdrawn.key[16:])
    assert gone.event_id
    assert (gone.version, empty.version, empty.event_id) == (8, 9, "")
