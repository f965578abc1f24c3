"""A deprecated field: read as before, flagged where it is still supplied, never a reason to refuse (Art 40)."""

import json
from typing import Any

import pytest

from bus.publishing.assemble import Prepared, check, prepare
from compliance.catalogue import deprecated_fields, required_fields
from compliance.models import CatalogueEntry
from processors.desk import desk_of
from schemas.resource import packaged_text
from schemas.words import Change
from tests.builders import PERMIT, permit
from tests.hall import Hall
from tests.hall_register import NOW

FIELD = "permit_issue_date"
FLAG = f"{FIELD}:deprecated"


def deprecated(*names: str) -> str:
    """The permit's schema with fields marked."""
    text = json.loads(packaged_text(PERMIT))
    for spec in text["fields"]:
        if spec["name"] in names:
            spec["deprecated"] = True
    return json.dumps(text, ensure_ascii=False)


@pytest.fixture
def hall() -> Hall:
    """The second version deprecates a field; the first did not."""
    known = Hall(packaged_text(PERMIT))
    known.publish(deprecated(FIELD), version=2, published_at=NOW)
    return known


def flags(hall: Hall, row: dict[str, Any], version: int = 2) -> list[str]:
    """The flags of one admitted record."""
    verdict = hall.admit(hall.submit([hall.change(row)], catalogue_version=version))
    assert not verdict.codes
    [record] = verdict.records
    assert record.value is not None
    return list(record.value["change"]["flags"])


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_still_supplied_is_admitted_with_a_flag_under_either_version(hall: Hall, version: int) -> None:
    assert flags(hall, permit(), version) == [FLAG]


def test_what_is_no_longer_supplied_is_admitted_without_one_even_if_it_was_required(hall: Hall) -> None:
    assert FIELD in required_fields(hall.entry)
    assert flags(hall, {**permit(), FIELD: None}) == []


def test_a_subscriber_reads_the_field_as_before_and_sees_the_flag_only_where_it_is_granted(hall: Hall) -> None:
    records = hall.admit(hall.submit([hall.change(permit())], catalogue_version=2)).records
    for fields, seen in (((FIELD, "sex_code"), [FLAG]), (("sex_code",), [])):
        [delivery] = hall.deliver(records, hall.grant(fields))
        assert delivery.value is not None
        assert delivery.value["flags"] == seen
        assert set(delivery.value["data"]) == set(fields)
        assert delivery.value["data"].get(FIELD) == (permit()[FIELD] if FIELD in fields else None)


def prepared(entry: CatalogueEntry, row: dict[str, Any]) -> Prepared:
    change = Change(row, NOW)
    assert check(entry, change, NOW.date()) is None
    found = prepare(entry, change, NOW.date())
    assert isinstance(found, Prepared)
    return found


def test_the_publisher_gets_the_same_flag(hall: Hall) -> None:
    newest = hall.view.entry(PERMIT)
    assert newest is not None
    assert prepared(newest, permit()).flags == (FLAG,)
    assert prepared(newest, {**permit(), FIELD: None}).flags == ()
    assert prepared(hall.entry, permit()).flags == ()


def test_an_entry_without_deprecated_fields_costs_nothing() -> None:
    hall = Hall(packaged_text(PERMIT))
    assert deprecated_fields(hall.entry) == ()
    assert desk_of(hall.entry).deprecated == ()
    assert flags(hall, permit(), 1) == []
