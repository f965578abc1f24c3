"""The ids of a row's versions: the same row has the same, another version another, and only under the agency's key."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.naming import VersionNames
from connectors.table import SHANGHAI
from schemas.words import Change, Operation

NAMES = VersionNames(b"s" * 32, "psb", "permit")
AT = datetime(2026, 6, 1, 12, 0, 0, 1, UTC)
ROW = Change({"name": "甲", "born": date(1990, 3, 7), "paid": Decimal("1.50"), "note": None}, AT)


def test_an_id_is_a_uuid_of_version_8() -> None:
    found = uuid.UUID(NAMES.event_id([1, "a"], ROW))
    assert (found.version, found.variant) == (8, uuid.RFC_4122)
    assert str(found) == NAMES.event_id([1, "a"], ROW)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {**ROW.data, "name": "乙"}},
        {"data": {**ROW.data, "note": "x"}},
        {"data": {**ROW.data, "name": None}},
        {"data": {**ROW.data, "name": ROW.data["born"], "born": ROW.data["name"]}},
        {"business_time": AT.replace(microsecond=2)},
        {"operation": Operation.WITHDRAW},
        {"division": "441302"},
        {"supersedes": str(uuid.UUID(int=1))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_version_has_another_id(changes: dict[str, Any]) -> None:
    assert NAMES.event_id([1], replace(ROW, **changes)) != NAMES.event_id([1], ROW)


def test_a_row_that_returns_to_an_earlier_content_is_another_version() -> None:
    back = replace(ROW, business_time=AT.replace(hour=13))
    assert NAMES.event_id([1], back) != NAMES.event_id([1], ROW)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {**ROW.data, "later": None}},
        {"data": dict(reversed(list(ROW.data.items())))},
        {"data": {**ROW.data, "paid": Decimal("1.5")}},
        {"data": {**ROW.data, "paid": Decimal("0.15E+1")}},
        {"business_time": AT.astimezone(SHANGHAI)},
        {"event_id": str(uuid.UUID(int=1))},
    ],
    ids=["a new, empty field", "order", "scale", "exponent", "zone", "its own id"],
)
def test_the_same_version_has_the_same_id_however_it_was_read(changes: dict[str, Any]) -> None:
    assert NAMES.event_id([1], replace(ROW, **changes)) == NAMES.event_id([1], ROW)


def test_key_agency_resource_and_secret_are_part_of_the_id() -> None:
    found = {
        names.event_id(key, ROW)
        for names in (
            NAMES,
            VersionNames(b"t" * 32, "psb", "permit"),
            VersionNames(b"s" * 32, "civil", "permit"),
            VersionNames(b"s" * 32, "psb", "marriage"),
        )
        for key in ([1], [2], [1, 1], [11], ["1", ""])
    }
    assert len(found) == 4 * 5


VALUES = st.none() | st.text(max_size=4) | st.integers() | st.booleans() | st.dates() | st.binary(max_size=4)


@given(
    st.lists(
        st.tuples(st.lists(st.text(max_size=3), min_size=2, max_size=2), st.dictionaries(st.text(max_size=3), VALUES)),
        max_size=8,
    )
)
def test_different_rows_never_share_an_id(rows: list[tuple[list[str], dict[str, Any]]]) -> None:
    """One field has values of one kind, so a date and its text are not told apart; nor are 1 and true."""

    def plain(key: list[str], data: dict[str, Any]) -> str:
        known = {name: value for name, value in data.items() if value is not None}
        return json.dumps(
            [key, {name: value.hex() if isinstance(value, bytes) else value for name, value in known.items()}],
            default=str,
            sort_keys=True,
        )

    ids = {NAMES.event_id(key, Change(data, AT)) for key, data in rows}
    assert len(ids) == len({plain(key, data) for key, data in rows})
