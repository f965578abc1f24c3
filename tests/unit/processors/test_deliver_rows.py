"""Deliver: which rows a grant gets, when a record leaves them, where a grant starts, what it took."""

from datetime import timedelta

import pytest

from processors.deliver import Assignment, Members, Waited
from schemas.resource import packaged_text
from tests.builders import PERMIT, permit, rows
from tests.deliveries import OPEN, in_division
from tests.hall import NOW_MS, Hall, Record
from tests.hall_register import DAY, NOW, POLICE

UUID_1 = "00000000-0000-0000-0000-00000000aaaa"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


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
