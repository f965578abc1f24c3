"""What a deliver worker tells of its deliveries: once a second, the longest wait, and nothing that was undone."""

from typing import Any

from bus.topics import DELIVERY_PULSE
from bus.workers.waits import Waits
from processors.deliver import DeliverOutcome, Waited
from schemas.resource import envelope

NOW = 1_800_000_000_000
FIELDS = ("grant", "records", "delivered_at", "admitted_at", "business_time")


def outcome(lag: int, at: int, records: int = 1, grant: str = "g-1") -> tuple[str, DeliverOutcome]:
    return "permit", DeliverOutcome(waited={(grant, "psb"): Waited(records, at - lag, at - lag - 5)})


def told(waits: Waits, now: int, *outcomes: tuple[str, DeliverOutcome]) -> list[tuple[Any, ...]]:
    found = waits.due(outcomes, now).get(DELIVERY_PULSE.pattern, [])
    data = [envelope("delivery_pulse").decode_physical(message["value"] or b"") for message in found]
    assert {(one["agency"], one["resource"]) for one in data} <= {("psb", "permit")}
    return [tuple(one[name] for name in FIELDS) for one in data]


def test_the_first_deliveries_are_told_at_once_in_their_own_transaction() -> None:
    waits = Waits(b"")
    found = told(waits, NOW, outcome(7, NOW, 3), outcome(9, NOW, 2), outcome(1, NOW, 1, "g-2"))
    assert sorted(found) == [("g-1", 5, NOW, NOW - 9, NOW - 14), ("g-2", 1, NOW, NOW - 1, NOW - 6)]


def test_of_a_second_the_longest_wait_is_told_when_it_is_over_with_or_without_deliveries() -> None:
    waits = Waits(b"")
    told(waits, NOW, outcome(1, NOW))
    waits.committed()
    for after, lag in ((100, 4), (200, 60_000), (300, 2)):
        assert told(waits, NOW + after, outcome(lag, NOW + after)) == []
        waits.committed()
    assert told(waits, NOW + 999) == []
    expected = [("g-1", 3, NOW + 200, NOW + 200 - 60_000, NOW + 200 - 60_005)]
    assert told(waits, NOW + 1_000) == expected
    waits.aborted()
    assert told(waits, NOW + 1_100) == expected
    waits.committed()
    assert told(waits, NOW + 9_000) == []


def test_what_an_aborted_transaction_delivered_was_not_delivered() -> None:
    waits = Waits(b"")
    told(waits, NOW, outcome(1, NOW))
    waits.aborted()
    # It is worked again, and waited a moment longer.
    assert told(waits, NOW + 10, outcome(11, NOW + 10)) == [("g-1", 1, NOW + 10, NOW - 1, NOW - 6)]
    waits.committed()
    told(waits, NOW + 20, outcome(5, NOW + 20))
    waits.aborted()
    assert told(waits, NOW + 5_000) == []


def test_nothing_is_kept_of_a_grant_that_ended() -> None:
    waits = Waits(b"")
    told(waits, NOW, outcome(1, NOW))
    waits.committed()
    told(waits, NOW + 1, outcome(1, NOW + 1))
    waits.committed()
    waits.forget({"g-2": None})
    assert told(waits, NOW + 5_000) == []
