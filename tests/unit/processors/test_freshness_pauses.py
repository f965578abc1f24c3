"""Freshness during outages: what an accepted one stops, and what counts from its end."""

import json
from datetime import date

from compliance.outages import Excuse
from processors.freshness.judge import Status
from processors.freshness.pauses import FOREVER, Pauses, observe_outage, overlap
from processors.freshness.words import DAY, HOUR, MINUTE, SECOND, At, OutageAccepted, OutageEvent, OutageRestored
from tests.freshness_source import DYNAMIC, NOW, STATIC, Watched, beat, instant, pulse


def outage(accepted: int, started: int, name: str = "o-1") -> tuple[int, OutageAccepted]:
    return accepted, OutageAccepted("psb", name, started)


def restored(at: int, name: str = "o-1") -> tuple[int, OutageRestored]:
    return at, OutageRestored("psb", name, at)


def test_only_an_accepted_outage_stops_the_clocks_and_silence_counts_from_its_end() -> None:
    source = Watched(DYNAMIC).add(beat(NOW))
    assert source.codes(NOW + DAY) == {"SILENT"}
    source.add(outage(NOW + DAY, NOW + MINUTE))
    assert (source.codes(NOW + DAY), source.at(NOW + DAY).status) == (set(), Status.PAUSED)
    source.add(restored(NOW + 2 * DAY))
    assert source.codes(NOW + 2 * DAY) == set()
    assert source.codes(NOW + 2 * DAY + 15 * MINUTE) == {"SILENT"}


def test_an_outages_days_are_added_to_the_quarters_time() -> None:
    source = Watched(STATIC).add(outage(instant("2026-01-08T00:00"), instant("2026-01-07T12:00")))
    assert source.codes(instant("2026-02-20T00:00")) == set()
    source.add(restored(instant("2026-01-09T00:00")))
    quarter = source.at(instant("2026-01-10T00:00")).quarter
    assert quarter is not None
    # A day and a half stood still: two days more than the 12th.
    assert (quarter.due.day, quarter.due.nominal) == (date(2026, 1, 14), date(2026, 1, 10))
    assert source.codes(instant("2026-01-14T23:59")) == set()
    assert source.codes(instant("2026-01-15T00:00")) == {"STATIC_OVERDUE"}


def test_changes_of_an_outages_time_are_not_late_at_the_source() -> None:
    source = Watched(DYNAMIC).add(outage(NOW - 5 * HOUR, NOW - 6 * HOUR), restored(NOW - HOUR))
    source.add(pulse(NOW, 6 * HOUR - SECOND))
    verdict = source.at(NOW)
    assert verdict.source_lag == HOUR - SECOND
    assert {alarm.code.value for alarm in verdict.alarms} == {"SOURCE_LAG"}


def test_outages_are_joined_and_may_be_of_one_resource() -> None:
    pauses = Pauses()
    events: list[OutageEvent] = [
        OutageRestored("psb", "a", 50),
        OutageAccepted("psb", "a", 10),
        OutageAccepted("psb", "b", 40, frozenset({"residence_permit"})),
        OutageAccepted("psb", "never started", 70),
        OutageRestored("psb", "never started", 60),
    ]
    for offset, event in enumerate(events):
        pauses = observe_outage(pauses, event, At(0, "o/0", offset))
    assert pauses.stretches("residence_permit") == ((10, FOREVER),)
    assert pauses.stretches("marriage") == ((10, 50),)
    assert overlap(((10, 50), (60, 70)), 40, 65) == 15
    assert Pauses.from_datum(json.loads(json.dumps(pauses.to_datum()))) == pauses


def test_outages_are_read_from_the_register_by_whole_days() -> None:
    over = Excuse("o-1", frozenset({"marriage"}), date(2026, 3, 1), date(2026, 3, 3))
    lasting = Excuse("o-2", frozenset(), date(2026, 3, 10), None)
    pauses = Pauses.of([over, lasting])
    assert pauses.stretches("residence_permit") == ((instant("2026-03-10T00:00"), FOREVER),)
    assert pauses.stretches("marriage")[0] == (instant("2026-03-01T00:00"), instant("2026-03-03T00:00"))
    assert [over.covers("marriage", date(2026, 3, day)) for day in (1, 2, 3)] == [True, True, False]
