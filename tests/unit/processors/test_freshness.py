"""Freshness of one source from day to day: silence, lags, clocks, refusals; each alarm with its edge, what clears it."""

from itertools import permutations

import pytest

from processors.freshness.alarms import OPERATOR, AlarmCode
from processors.freshness.judge import Status
from processors.freshness.state import Delivered
from processors.freshness.words import DAY, HOUR, MINUTE, SECOND, DeliveryLag, Pulse, quarter_name
from tests.freshness_source import DUTY, DYNAMIC, KEY, NOW, STATIC, Watched, beat, instant, pulse, supply

# -- silence -------------------------------------------------------------------------------------------------------


def test_a_source_is_silent_from_the_first_instant_after_its_period_and_no_more_once_it_speaks() -> None:
    source = Watched(DYNAMIC).add(beat(NOW))
    assert source.codes(NOW + 15 * MINUTE - 1) == set()
    [alarm] = source.at(NOW + 15 * MINUTE).alarms
    assert (alarm.code, alarm.since, alarm.owner) == (AlarmCode.SILENT, NOW + 15 * MINUTE, "psb")
    assert source.at(NOW + HOUR).alarms[0].since == alarm.since
    assert source.add(beat(NOW + 2 * HOUR)).codes(NOW + 2 * HOUR) == set()


def test_publishing_is_a_sign_of_life_too() -> None:
    assert Watched(DYNAMIC).add(beat(NOW), pulse(NOW + 10 * MINUTE)).codes(NOW + 20 * MINUTE) == set()


def test_a_source_that_was_never_heard_of_is_silent_since_it_owes() -> None:
    [alarm] = Watched(DYNAMIC).at(NOW).alarms
    assert (alarm.code, alarm.since) == (AlarmCode.SILENT, DUTY + 15 * MINUTE)
    assert Watched(DYNAMIC).at(NOW).status is Status.SILENT


def test_a_static_source_sends_no_heartbeats_and_is_not_silent() -> None:
    assert "SILENT" not in Watched(STATIC).codes(NOW)


# -- lags ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lag", "found"), [(15 * MINUTE, set()), (15 * MINUTE + 1, {"SOURCE_LAG"})])
def test_the_source_lag_is_from_business_time_to_publication(lag: int, found: set[str]) -> None:
    verdict = Watched(DYNAMIC).add(pulse(NOW, lag)).at(NOW)
    assert ({alarm.code.value for alarm in verdict.alarms}, verdict.source_lag) == (found, lag)


def test_a_heartbeat_that_says_how_far_the_data_are_complete_measures_the_lag_and_clears_it() -> None:
    source = Watched(DYNAMIC).add(pulse(NOW, HOUR), beat(NOW + MINUTE, behind=None))
    assert source.codes(NOW + MINUTE) == {"SOURCE_LAG"}
    assert source.add(beat(NOW + 2 * MINUTE, behind=SECOND)).codes(NOW + 2 * MINUTE) == set()
    assert source.add(beat(NOW + 3 * MINUTE, behind=HOUR)).codes(NOW + 3 * MINUTE) == {"SOURCE_LAG"}


def test_what_was_true_before_the_agency_owed_anything_is_an_initial_load_not_a_delay() -> None:
    assert Watched(DYNAMIC).add(pulse(NOW, NOW - DUTY + DAY)).at(NOW).source_lag is None


def test_a_measured_lag_says_something_for_an_hour() -> None:
    source = Watched(DYNAMIC).add(pulse(NOW, 2 * HOUR))
    assert source.at(NOW).next_at == NOW + 15 * MINUTE
    later = NOW + HOUR
    assert "SOURCE_LAG" in source.codes(later - 1)
    assert "SOURCE_LAG" not in source.codes(later)


def test_the_lags_of_the_bus_are_the_operators() -> None:
    late = DeliveryLag(KEY, "g-1", NOW + 2 * MINUTE, NOW, NOW - HOUR)
    verdict = Watched(DYNAMIC).add(pulse(NOW, transit=MINUTE + 1), (NOW, late)).at(NOW + 2 * MINUTE)
    assert {(alarm.code.value, alarm.about, alarm.owner) for alarm in verdict.alarms} == {
        ("ADMISSION_LAG", "", OPERATOR),
        ("DELIVERY_LAG", "g-1", OPERATOR),
    }
    assert (verdict.bus_lag, verdict.delivery_lag, verdict.age) == (MINUTE + 1, 2 * MINUTE, HOUR + 2 * MINUTE)


def test_a_delivery_within_the_target_clears_its_own_grant_alone() -> None:
    def delivered(at: int, grant: str, lag: int) -> tuple[int, DeliveryLag]:
        return at, DeliveryLag(KEY, grant, at, at - lag)

    source = Watched(DYNAMIC).add(beat(NOW), delivered(NOW, "g-1", HOUR), delivered(NOW, "g-2", HOUR))
    later = NOW + 2 * MINUTE
    source.add(delivered(later, "g-2", SECOND))
    assert [alarm.about for alarm in source.at(later).alarms] == ["g-1"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_of_two_minutes_the_longest_delivery_counts_in_whatever_order_workers_told(order: tuple[int, ...]) -> None:
    """Of two workers one is behind: what it told last must not be hidden by the other's next delivery."""
    times = [NOW, NOW + MINUTE - SECOND, NOW + MINUTE, NOW + 2 * MINUTE]
    found = [Delivered(at, lag, age) for at, lag, age in zip(times, (9, HOUR, 7, 5), (1, 2, 3, 4), strict=True)]
    known = found[order[0]]
    for number in order[1:]:
        known = known.joined(found[number])
    assert known == Delivered(NOW + 2 * MINUTE, 5, 4, 7)
    assert found[2].joined(found[0]).joined(found[1]).longest == HOUR


# -- clocks of sources ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [3 * MINUTE, -3 * MINUTE])
def test_a_wrong_clock_is_told_and_no_lag_of_the_bus(skew: int) -> None:
    published = NOW + skew
    told = Pulse(KEY, NOW + SECOND, 3, 0, 0, 0, published, published, published, NOW)
    source = Watched(DYNAMIC).add(beat(NOW, skew=skew), (NOW + SECOND, told))
    assert source.codes(NOW + SECOND) == {"CLOCK_SKEW"}
    assert source.at(NOW + SECOND).bus_lag == SECOND
    assert source.add(beat(NOW + MINUTE)).codes(NOW + MINUTE) == set()


def test_a_business_time_that_lies_ahead_is_a_wrong_clock_and_pushes_nothing_out() -> None:
    ahead = (NOW + SECOND, Pulse(KEY, NOW + SECOND, 1, 0, 0, 0, NOW + 9_999 * DAY, NOW + 9_999 * DAY, NOW))
    source = Watched(STATIC).add(supply("2026-01-05T10:00", "2025-12-20T10:00"), ahead)
    assert "CLOCK_SKEW" in source.codes(NOW + SECOND)
    assert {quarter_name(quarter) for quarter in source.state.supplied} == {"2025Q4", "2026Q1"}


# -- refusals ------------------------------------------------------------------------------------------------------


def test_a_days_refusals_ring_from_the_share_on_and_until_the_day_is_over() -> None:
    source = Watched(DYNAMIC).add(pulse(NOW, admitted=95, refused=5))
    assert source.codes(NOW) == set()
    source.add(pulse(NOW + SECOND, admitted=0, refused=1), beat(instant("2026-03-02T23:59")))
    [alarm] = source.at(NOW + SECOND).alarms
    assert (alarm.code, alarm.since) == (AlarmCode.REFUSED_SHARE, NOW)
    assert source.codes(instant("2026-03-03T00:00")) == set()


def test_one_wrong_row_of_a_small_office_is_no_alarm() -> None:
    assert Watched(DYNAMIC).add(pulse(NOW, admitted=1, refused=4)).codes(NOW) == set()
