"""Freshness of static information: which quarter is covered, overdue, late or contradicted."""

from datetime import UTC, date, datetime

import pytest

from processors.freshness.alarms import AlarmCode
from processors.freshness.judge import Status
from processors.freshness.state import Supplied
from processors.freshness.words import Declaration, Pulse, millis, quarter_name, quarter_of
from tests.freshness_source import KEY, NOW, STATIC, Watched, declare, instant, supply


def test_a_quarter_without_declaration_is_overdue_after_its_rolled_due_day() -> None:
    """2026-01-10 is a Saturday: due on Monday the 12th, until 24:00."""
    source = Watched(STATIC)
    assert source.codes(instant("2026-01-12T23:59:59")) == set()
    [alarm] = source.at(instant("2026-01-13T00:00")).alarms
    assert (alarm.code, alarm.about, alarm.since) == (AlarmCode.STATIC_OVERDUE, "2025Q4", instant("2026-01-13T00:00"))
    quarter = source.at(NOW).quarter
    assert quarter is not None
    assert (quarter.due.day, quarter.due.nominal) == (date(2026, 1, 12), date(2026, 1, 10))
    assert source.add(declare("2026-01-20T09:00", "2025Q4")).codes(instant("2026-01-20T09:00")) == set()


def test_an_unpublished_years_due_day_is_provisional() -> None:
    quarter = Watched(STATIC).at(instant("2027-01-02T00:00")).quarter
    assert quarter is not None
    assert (quarter.due.day, quarter.due.provisional) == (date(2027, 1, 11), True)


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (declare("2026-01-05T09:00", "2025Q4"), set()),
        (declare("2026-01-05T09:00", "2025Q4", "2026-01-01T00:00"), set()),
        (declare("2026-01-05T09:00", "2025Q4", "2025-12-31T12:00"), {"STATIC_OVERDUE"}),
        (declare("2025-12-31T23:59", "2025Q4"), {"STATIC_OVERDUE"}),
        (declare("2025-12-31T23:59", "2025Q4", "2026-06-01T00:00"), {"STATIC_OVERDUE"}),
        (declare("2025-10-05T09:00", "2025Q3"), {"STATIC_OVERDUE"}),
        (declare("2026-01-05T09:00", "2026Q1", "2026-01-04T00:00"), set()),
    ],
    ids=["unchanged", "complete", "half", "too early", "ahead", "another quarter", "mark of a later quarter"],
)
def test_what_covers_a_quarter(declared: tuple[int, Declaration], found: set[str]) -> None:
    assert Watched(STATIC).add(declared).codes(instant("2026-02-01T00:00")) == found


def test_a_supply_after_the_due_day_is_late_and_shown_until_its_quarter_is_over() -> None:
    source = Watched(STATIC).add(
        supply("2026-01-12T23:59", "2025-12-01T00:00"),
        supply("2026-01-13T00:00", "2025-11-01T00:00"),
        declare("2026-01-13T08:00", "2025Q4"),
    )
    [alarm] = source.at(NOW).alarms
    assert (alarm.code, alarm.about, alarm.since) == (AlarmCode.STATIC_LATE, "2025Q4", instant("2026-01-13T00:00"))
    assert (source.at(NOW).late, source.at(NOW).status) == (3, Status.LATE)
    after = source.add(declare("2026-04-02T08:00", "2026Q1")).at(instant("2026-04-02T09:00"))
    assert (after.alarms, after.late) == ((), 3)


def test_changes_after_the_declaration_contradict_it_until_it_is_made_anew() -> None:
    source = Watched(STATIC).add(
        supply("2026-01-03T08:00", "2025-12-01T00:00"),
        declare("2026-01-05T08:00", "2025Q4"),
        supply("2026-01-06T08:00", "2025-12-02T00:00"),
    )
    [alarm] = source.at(instant("2026-01-06T08:00")).alarms
    assert (alarm.code, alarm.since) == (AlarmCode.DECLARATION_CONTRADICTED, instant("2026-01-06T08:00"))
    assert source.add(declare("2026-01-07T08:00", "2025Q4")).codes(instant("2026-01-07T08:00")) == set()


def waited(admitted: str, said: str, *business: str, first: str | None = None) -> tuple[int, Pulse]:
    """What admit took in long after the broker had it."""
    at, appended = instant(admitted), instant(said)
    times = [instant(one) for one in business]
    earliest = instant(first) if first else appended
    return at, Pulse(KEY, at, 3, 0, 0, 0, min(times), max(times), appended, earliest, appended)


@pytest.mark.parametrize(
    ("pulse", "since"),
    [
        (waited("2026-01-06T08:00", "2026-01-05T07:59", "2025-12-02T00:00"), None),
        (waited("2026-01-06T08:00", "2026-01-05T08:01", "2025-12-02T00:00"), "2026-01-05T08:01"),
        # One batch with submissions from before and after it.
        (
            waited("2026-01-06T08:00", "2026-01-05T08:01", "2025-12-02T00:00", first="2026-01-05T07:00"),
            "2026-01-05T08:01",
        ),
        # The last one may be the new quarter's.
        (
            waited(
                "2026-01-06T08:00", "2026-01-05T08:01", "2025-12-02T00:00", "2026-01-02T00:00", first="2026-01-05T07:00"
            ),
            None,
        ),
    ],
    ids=["said before", "said after", "both in a batch", "two quarters in a batch"],
)
def test_a_declaration_is_held_against_when_the_broker_had_the_changes_and_not_when_admit_took_them(
    pulse: tuple[int, Pulse], since: str | None
) -> None:
    source = Watched(STATIC).add(declare("2026-01-05T08:00", "2025Q4"), pulse)
    alarms = source.at(instant("2026-01-06T08:00")).alarms
    found = [(one.code, one.since) for one in alarms if one.code is not AlarmCode.ADMISSION_LAG]
    expected = [] if since is None else [(AlarmCode.DECLARATION_CONTRADICTED, instant(since))]
    assert found == expected


def test_a_state_that_was_kept_before_the_brokers_times_were_goes_on_by_admission() -> None:
    assert Supplied.of([3, 10, 20]) == Supplied(3, 10, 20, 10, 20)
    assert Supplied.of([3, 10, 20, 5, 15]) == Supplied(3, 10, 20, 5, 15)


def test_a_correction_of_an_old_record_is_neither_late_nor_a_contradiction() -> None:
    at = instant("2026-02-01T08:00")
    corrected = (at, Pulse(KEY, at, 5, 0, 0, 5, None, None, at))
    assert Watched(STATIC).add(declare("2026-01-05T08:00", "2025Q4"), corrected).codes(at) == set()


def test_quarters_are_counted_in_shanghai() -> None:
    assert quarter_name(quarter_of(millis(datetime(2025, 12, 31, 15, 59, tzinfo=UTC)))) == "2025Q4"
    assert quarter_name(quarter_of(millis(datetime(2025, 12, 31, 16, 0, tzinfo=UTC)))) == "2026Q1"
