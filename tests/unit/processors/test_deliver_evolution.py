"""Deliver while schemas move on: old and new records alike, and no field that a grant does not name."""

import json

import pytest

from processors.projection import compile_grant
from schemas.codec import Codec, frame
from schemas.errors import SchemaError
from schemas.resource import packaged_text
from tests.builders import PERMIT, permit
from tests.deliveries import OPEN
from tests.hall import Hall, Record


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


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


def test_a_grant_on_a_field_that_does_not_exist_does_not_compile(hall: Hall) -> None:
    entry = hall.publish(evolved(), version=2)
    grant = hall.grant(("nickname",)).grant
    assert compile_grant(grant, entry, hall.root).fields == {"nickname"}
    with pytest.raises(SchemaError, match="nickname"):
        compile_grant(grant, hall.entry, hall.root)
