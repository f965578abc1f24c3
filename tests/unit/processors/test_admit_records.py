"""Admit, what it writes: the record, its key and partition, its sealed sections, and nothing of an identity in clear."""

from collections.abc import Mapping

import pytest

from processors.keying import TokenKeys, discriminator_of, record_key, subject_of, token_of
from processors.sealing import Opener, SectionKeys
from schemas.errors import KeyStoreError
from schemas.identity import Identity
from schemas.partition import partition_of
from schemas.resource import ResourceSchema, packaged_text, resource_schema
from tests.builders import HOUSEHOLD, PERMIT, RESOURCES, TODAY, canary_person, permit, person, rows
from tests.hall import NOW_MS, Hall, Record
from tests.hall_register import DAY, NOW, POLICE, signing_key


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def bound(record: Record) -> bytes:
    """What a sealed section of the record is bound to."""
    assert record.value is not None
    return record.key[:16] + str(record.value["change"]["event_id"]).encode()


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_record_holds_the_row_in_its_three_sections_unchanged(resource: str) -> None:
    hall = Hall(packaged_text(resource))
    schema = resource_schema(packaged_text(resource))
    for row, record in zip(some := rows(resource, 20), hall.admit_rows(*some), strict=True):
        assert record.value is not None
        found = dict(record.value["open"])
        for section in ("identity", "restricted"):
            if schema.names(section):
                found |= hall.open(record, section)
            else:
                assert record.value[section] is None
        assert found == row
        assert set(record.value["open"]) == set(schema.names("open"))


def test_the_record_carries_what_the_submission_said_and_what_the_catalogue_says(hall: Hall) -> None:
    change = hall.change(permit(), operation="CREATE", business_time=NOW - DAY)
    message = hall.submit([change], published_at=NOW - DAY)
    [record] = hall.admit(message).records
    assert record.value is not None
    head, facts = record.value["change"], record.value["submission"]
    assert (str(head["event_id"]), head["operation"], head["index"]) == (change["event_id"], "CREATE", 0)
    assert head["business_time"] == NOW - DAY
    assert (facts["agency"], facts["certificate"]) == (POLICE, signing_key(POLICE).serial)
    assert (facts["partition"], facts["offset"]) == (message.partition, message.offset)
    assert (facts["published_at"], facts["admitted_at"]) == (NOW - DAY, NOW)
    assert (facts["freshness"], facts["sharing"]) == ("DYNAMIC", "CONDITIONAL")
    assert (facts["review_number"], facts["catalogue_version"], facts["layout_version"]) == ("R1", 1, 1)
    assert facts["key_id"] == "s1"


def test_a_sealed_section_opens_for_its_own_record_alone(hall: Hall) -> None:
    one, other = hall.admit_rows(permit(1), permit(2))
    assert one.value is not None
    sealed = one.value["identity"]
    assert hall.opener.open("s1", "identity", sealed, bound(one))
    for wrong in (bound(other), one.key[:16] + bound(other)[16:], other.key[:16] + bound(one)[16:], b""):
        with pytest.raises(KeyStoreError):
            hall.opener.open("s1", "identity", sealed, wrong)


def test_a_sealed_section_opens_with_its_own_key_alone(hall: Hall) -> None:
    [record] = hall.admit_rows(permit())
    assert record.value is not None
    with pytest.raises(KeyStoreError):
        hall.opener.open("s1", "restricted", record.value["identity"], bound(record))
    stranger = Opener({"s1": SectionKeys("s1", bytes(32), bytes(32))})
    with pytest.raises(KeyStoreError):
        stranger.open("s1", "identity", record.value["identity"], bound(record))
    with pytest.raises(KeyStoreError, match="no key s2"):
        hall.opener.open("s2", "identity", record.value["identity"], bound(record))


@pytest.mark.parametrize("sealed", [b"", b"\x00" * 11, b"\x00" * 12, b"\x00" * 27, b"\x00" * 40])
def test_a_section_that_was_cut_or_made_up_does_not_open(hall: Hall, sealed: bytes) -> None:
    with pytest.raises(KeyStoreError):
        hall.opener.open("s1", "identity", sealed, b"")


def test_no_nonce_is_used_twice(hall: Hall) -> None:
    records = hall.admit_rows(*rows(PERMIT, 600))
    nonces = [
        record.value[section][:12] for record in records for section in ("identity", "restricted") if record.value
    ]
    assert len(set(nonces)) == len(nonces) == 1200


def discriminator(schema: ResourceSchema, row: Mapping[str, object], hall: Hall) -> bytes:
    found = discriminator_of(schema, row, hall.tokens)
    assert isinstance(found, bytes)
    return found


def test_the_key_is_token_and_record_hash_and_the_token_chooses_the_partition(hall: Hall) -> None:
    row, schema = permit(), hall.schema
    identity = subject_of(schema, row, TODAY)
    assert isinstance(identity, Identity)
    token = token_of(identity, hall.tokens)
    [record] = hall.admit_rows(row)
    assert record.key == record_key(token, discriminator(schema, row, hall), hall.tokens)
    assert (len(record.key), record.key[:16]) == (32, token)
    assert record.partition == partition_of(token, 4)


def test_two_permits_of_one_person_are_two_records_on_one_partition(hall: Hall) -> None:
    row = permit()
    one, other, again = hall.admit_rows(row, {**row, "residence_permit_number": "44130099887766"}, row)
    assert one.key[:16] == other.key[:16]
    assert one.key != other.key
    assert one.key == again.key
    assert one.partition == other.partition


def test_equal_permit_numbers_of_two_persons_do_not_show(hall: Hall) -> None:
    first = permit(1)
    one, other = hall.admit_rows(first, permit(2, residence_permit_number=first["residence_permit_number"]))
    assert one.key[16:] != other.key[16:]


def test_a_resource_without_discriminator_is_keyed_by_the_token_alone() -> None:
    hall = Hall(packaged_text(HOUSEHOLD))
    [record] = hall.admit_rows(person())
    assert len(record.key) == 16


def test_another_platforms_keys_give_another_token(hall: Hall) -> None:
    identity = subject_of(hall.schema, permit(), TODAY)
    assert isinstance(identity, Identity)
    others = TokenKeys("t1", bytes(32), bytes(32))
    assert token_of(identity, others) != token_of(identity, hall.tokens)


def test_the_parts_of_a_discriminator_cannot_pose_as_one_another(hall: Hall) -> None:
    text = packaged_text(PERMIT).replace(
        '"record_key": ["residence_permit_number"]', '"record_key": ["name", "id_type"]'
    )
    schema = resource_schema(text)
    one = discriminator(schema, {"name": "a\x00b", "id_type": "c"}, hall)
    other = discriminator(schema, {"name": "a", "id_type": "b\x00c"}, hall)
    assert one != other


def test_of_several_numbers_the_first_that_is_given_tells_the_records_apart(hall: Hall) -> None:
    schema = resource_schema(packaged_text("family_planning"))
    service, migrant = schema.record_key_fields
    both = discriminator(schema, {service: "1", migrant: "2"}, hall)
    assert both == discriminator(schema, {service: "1", migrant: None}, hall)
    assert both != discriminator(schema, {service: "", migrant: "2"}, hall)
    assert len(discriminator(schema, {}, hall)) == 16


def test_a_withdrawal_is_written_without_its_content_and_followed_by_a_tombstone(hall: Hall) -> None:
    row = permit()
    [before] = hall.admit_rows(row)
    event, tombstone = hall.admit_rows(row, operation="WITHDRAW")
    assert event.key == tombstone.key == before.key
    assert event.partition == tombstone.partition == before.partition
    assert tombstone.value is None
    assert event.value is not None
    assert event.value["change"]["operation"] == "WITHDRAW"
    assert (event.value["identity"], event.value["restricted"]) == (None, None)
    assert set(event.value["open"].values()) == {None}


def test_no_identity_value_stands_in_anything_that_leaves() -> None:
    hall = Hall(packaged_text(HOUSEHOLD))
    canary = canary_person()
    secrets = [canary["name"].encode(), canary["citizen_id_number"].encode()]
    wrong = [
        {**canary, "sex_code": "7"},
        {**canary, "citizen_id_number": canary["citizen_id_number"][:-1]},
        {**canary, "household_status": None},
    ]
    batch = [
        hall.submit([hall.change(canary), hall.change(canary, operation="WITHDRAW")]),
        hall.submit([hall.change(row) for row in wrong]),
        hall.submit([hall.change(canary, operation=canary["name"], supersedes=canary["citizen_id_number"])]),
        hall.submit([hall.change(canary)], classification=canary["name"]),
        hall.submit([hall.change(canary)], review_number=canary["citizen_id_number"]),
        hall.submit([hall.change(canary, subject_division_code=canary["name"])]),
    ]
    verdict = hall.admit(*batch)
    assert sum(receipt["admitted"] for receipt in verdict.receipts) >= 2
    assert len(verdict.refusals) >= 6
    partial = canary["citizen_id_number"][:-1].encode()
    for written in verdict.written():
        assert not any(secret in written for secret in (*secrets, partial))


def test_the_hour_of_admission_is_the_one_that_was_handed_in(hall: Hall) -> None:
    message = hall.submit([hall.change(permit())])
    layouts = {number: codec.fingerprint for number, codec in hall.codecs.items()}
    first = hall.admitter.admit([message], layouts, NOW_MS)
    again = hall.admitter.admit([message], layouts, NOW_MS)
    for topic in ("receipt.police", "pulse"):
        assert first.outgoing[topic] == again.outgoing[topic]


def test_keys_of_tokens_and_sections_do_not_show_themselves(hall: Hall) -> None:
    shown = repr(hall.tokens) + repr(hall.keys)
    for secret in (hall.tokens.subject, hall.tokens.record, hall.keys.identity, hall.keys.restricted):
        assert repr(secret)[2:-1] not in shown
