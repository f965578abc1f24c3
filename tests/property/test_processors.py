"""What must hold for any input, in the order in which it matters.

1. Every change that was read is answered once: published = admitted + refused.
2. No ungranted field leaves the bus, whatever the resource, the grant and the row.
3. What a row-scoped subscriber holds is exactly the rows in scope, after any history and however it is batched.
4. A subject's records keep the order of its changes.
5. Rubbish is refused; it never raises.
6. The current state of a partition is the latest version of each key.
"""

import os
from hashlib import sha256
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.models import OwnerRule
from processors.deliver import Assignment, Members
from processors.snapshot import KeyIndex, current
from schemas.resource import packaged_text, resource_schema
from tests.builders import PERMIT, corruptions, permit
from tests.examples import examples
from tests.hall import Delivery, Hall, Record
from tests.hall_register import POLICE
from tests.strategies import generic_rows, resource_texts

QUICK = settings(
    max_examples=examples(40),
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=list(HealthCheck),
)
CITY = OwnerRule(agencies=(POLICE,), divisions=("441300",))
WRONG = [dict(wrong.row) for wrong in corruptions(PERMIT)]
DIVISIONS = ("441302", "441303", "441322")


def permit_hall() -> Hall:
    return Hall(packaged_text(PERMIT), owner=CITY)


@QUICK
@given(st.lists(st.integers(0, 12 + len(WRONG) - 1), max_size=25), st.integers(1, 7))
def test_what_is_published_is_admitted_or_refused_and_nothing_else(chosen: list[int], size: int) -> None:
    hall = permit_hall()
    changes = [hall.change(permit(i) if i < 12 else WRONG[i - 12]) for i in chosen]
    groups = [changes[at : at + size] for at in range(0, len(changes), size)]
    verdict = hall.admit(*(hall.submit(group) for group in groups))
    assert sum(receipt["admitted"] for receipt in verdict.receipts) == sum(i < 12 for i in chosen)
    assert sum(len(receipt["refused"]) for receipt in verdict.receipts) == sum(i >= 12 for i in chosen)
    assert len(verdict.refusals) == sum(i >= 12 for i in chosen)
    answered = {str(r["event_id"]) for r in verdict.refusals} | {
        str(record.value["change"]["event_id"]) for record in verdict.records if record.value
    }
    assert answered == {change["event_id"] for change in changes}
    assert sum(p["admitted"] + p["refused"] for p in verdict.pulses) == len(chosen)


@QUICK
@given(st.data())
def test_no_ungranted_field_leaves_whatever_schema_grant_and_row(data: st.DataObject) -> None:
    text = data.draw(resource_texts())
    hall = Hall(text)
    schema = resource_schema(text)
    row = data.draw(generic_rows(schema))
    granted = data.draw(st.sets(st.sampled_from(sorted(schema.fields)), min_size=1))
    verdict = hall.admit(hall.submit([hall.change(row)]))
    deliveries = hall.deliver(verdict.records, hall.grant(sorted(granted)))
    assert len(deliveries) == len(verdict.records)
    for delivery in deliveries:
        assert delivery.value is not None
        assert set(delivery.value["data"]) == granted
        assert delivery.value["data"] == {name: row.get(name) for name in granted}
        number = row.get(schema.subject.number_field)
        if number and schema.subject.number_field not in granted:
            assert delivery.raw is not None
            assert str(number).encode() not in delivery.raw


def fold(deliveries: list[Delivery]) -> dict[bytes, str]:
    """What a subscriber holds who keeps a table by key."""
    held: dict[bytes, str] = {}
    for delivery in deliveries:
        if delivery.value is None or delivery.value["data"] is None:
            held.pop(delivery.key, None)
        else:
            held[delivery.key] = str(delivery.value["data"]["residence_county"])
    return held


histories = st.lists(st.tuples(st.integers(0, 4), st.sampled_from((*DIVISIONS, "gone"))), max_size=20)


@QUICK
@given(histories, st.integers(1, 6))
def test_a_subscriber_holds_exactly_the_rows_in_scope(history: list[tuple[int, str]], size: int) -> None:
    hall = permit_hall()
    plan = hall.grant(("residence_county",), ("441302",))
    records: list[Record] = []
    now: dict[int, str] = {}
    for subject, division in history:
        withdrawn = division == "gone"
        row = permit(subject, registration_authority_division="441302" if withdrawn else division)
        change = hall.change(row, operation="WITHDRAW" if withdrawn else "UPDATE")
        records += hall.admit(hall.submit([change])).records
        now[subject] = division
    members, got = Members(), []
    for at in range(0, len(records), size):
        outcome = hall.run(records[at : at + size], [Assignment(plan, 0, members)], first=at)
        got += hall.deliveries(outcome.outgoing.get(plan.topic, []))
        members.apply(outcome.moves.get("g1", {}))
    assert len(fold(got)) == sum(division == "441302" for division in now.values())
    assert len(members) == len(fold(got))


@QUICK
@given(st.lists(st.integers(0, 3), min_size=1, max_size=20), st.integers(1, 5))
def test_a_subjects_records_keep_the_order_of_its_changes(subjects: list[int], size: int) -> None:
    hall = permit_hall()
    changes = [hall.change(permit(subject)) for subject in subjects]
    groups = [changes[at : at + size] for at in range(0, len(changes), size)]
    verdict = hall.admit(*(hall.submit(group) for group in groups))
    wanted: dict[int, list[str]] = {}
    for subject, change in zip(subjects, changes, strict=True):
        wanted.setdefault(subject, []).append(change["event_id"])
    found: dict[tuple[bytes, int], list[str]] = {}
    for record in verdict.records:
        assert record.value is not None
        found.setdefault((record.key, record.partition), []).append(str(record.value["change"]["event_id"]))
    assert sorted(found.values()) == sorted(wanted.values())


@QUICK
@given(st.data())
def test_rubbish_is_refused_and_never_raises(data: st.DataObject) -> None:
    hall = permit_hall()
    good = hall.submit([hall.change(permit(1))]).value or b""
    value: Any = data.draw(
        st.one_of(
            st.binary(max_size=200),
            st.integers(0, len(good) - 1).map(lambda end: good[:end]),
            st.tuples(st.integers(0, len(good) - 1), st.integers(1, 255)).map(
                lambda change: good[: change[0]] + bytes([good[change[0]] ^ change[1]]) + good[change[0] + 1 :]
            ),
            st.none(),
        )
    )
    verdict = hall.admit(hall.message(value))
    assert len(verdict.receipts) == 1
    [receipt] = verdict.receipts
    assert receipt["admitted"] + len(receipt["refused"]) == 1


@QUICK
@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 9))
def test_the_current_state_is_the_latest_version_of_each_key(keys: list[int], size: int) -> None:
    # Token and record hash are independent, as keyed hashes are.
    named = [sha256(bytes([key])).digest() for key in keys]
    index = KeyIndex()
    for at in range(0, len(named), size):
        index.add(named[at : at + size], list(range(at, min(at + size, len(named)))))
    oracle = sorted({key: offset for offset, key in enumerate(named)}.values())
    assert list(index.latest()) == oracle
    offsets = list(range(len(named)))
    assert current(index.latest(), offsets) == [offset in oracle for offset in offsets]
    assert index.latest().dtype == np.int64
