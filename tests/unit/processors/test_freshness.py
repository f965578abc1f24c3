"""Freshness of one source: each alarm with its edge, what pauses it, what clears it."""

import json
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path

import pytest

from compliance.catalogue import SHANGHAI
from compliance.outages import Excuse
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.alarms import OPERATOR, RULES, Alarm, AlarmCode, Severity, settle
from processors.freshness.board import Board
from processors.freshness.judge import Status, Verdict, judge
from processors.freshness.pauses import FOREVER, Pauses, observe_outage, overlap
from processors.freshness.state import Delivered, State, Supplied, observe
from processors.freshness.words import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    At,
    Declaration,
    Declares,
    DeliveryLag,
    Event,
    Heartbeat,
    Key,
    OutageAccepted,
    OutageEvent,
    OutageRestored,
    Pulse,
    Targets,
    millis,
    quarter_name,
    quarter_number,
    quarter_of,
)
from schemas.resource import envelope
from schemas.words import FreshnessClass

ROOT = Path(__file__).parents[3]
KEY = Key("psb", "residence_permit")
LAW = Law.packaged("huizhou-2016", effective_date=date(2025, 1, 1))
CALENDAR = WorkCalendar.packaged()


def instant(text: str) -> int:
    """Milliseconds of a local time in Asia/Shanghai."""
    return millis(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


DUTY = instant("2025-10-01T00:00")
NOW = instant("2026-03-02T10:00")
DYNAMIC = Targets(FreshnessClass.DYNAMIC, DUTY, source_lag=15 * MINUTE, silent_after=15 * MINUTE)
STATIC = Targets(FreshnessClass.STATIC, DUTY)


class Watched:
    """One source: events in the order in which they come, a verdict at any time."""

    def __init__(self, targets: Targets, law: Law = LAW) -> None:
        self.state, self.pauses = State(KEY), Pauses()
        self._targets, self._law, self._offset = targets, law, 0

    def add(self, *events: tuple[int, Event | OutageEvent]) -> "Watched":
        for ms, event in events:
            at = At(ms, "t/0", self._offset)
            self._offset += 1
            if isinstance(event, OutageAccepted | OutageRestored):
                self.pauses = observe_outage(self.pauses, event, at)
            else:
                self.state = observe(self.state, event, at)
        return self

    def at(self, ms: int) -> Verdict:
        return judge(self.state, self.pauses, self._targets, self._law, CALENDAR, ms)

    def codes(self, ms: int) -> set[str]:
        return {alarm.code.value for alarm in self.at(ms).alarms}


def beat(ms: int, behind: int | None = 0, skew: int = 0) -> tuple[int, Heartbeat]:
    return ms, Heartbeat(KEY, ms + skew, None if behind is None else ms + skew - behind)


def pulse(ms: int, lag: int = MINUTE, transit: int = SECOND, admitted: int = 3, refused: int = 0) -> tuple[int, Pulse]:
    published = ms - transit
    return ms, Pulse(KEY, ms, admitted, refused, 0, 0, published - lag, published - lag, published, ms - transit)


def supply(at: str, business_time: str) -> tuple[int, Pulse]:
    ms, true_since = instant(at), instant(business_time)
    return ms, Pulse(KEY, ms, 3, 0, 0, 0, true_since, true_since, ms)


def declare(at: str, quarter: str, mark: str | None = None) -> tuple[int, Declaration]:
    says = Declares.NO_CHANGE if mark is None else Declares.HIGH_WATER
    return instant(at), Declaration(KEY, quarter_number(quarter), says, None if mark is None else instant(mark))


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


# -- static --------------------------------------------------------------------------------------------------------


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


# -- outages -------------------------------------------------------------------------------------------------------


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


# -- alarms --------------------------------------------------------------------------------------------------------


def test_before_the_regulation_is_in_force_a_duty_only_advises() -> None:
    def advisory(law: Law) -> bool:
        [alarm] = Watched(STATIC, law).at(NOW).alarms
        return alarm.advisory

    assert not advisory(LAW)
    assert advisory(Law.packaged("huizhou-2016"))
    coming = Law.packaged("huizhou-2016", effective_date=date(2026, 3, 3))
    assert advisory(coming)
    assert Watched(STATIC, coming).at(NOW).next_at == instant("2026-03-03T00:00")


def test_every_code_has_its_row_and_its_page() -> None:
    page = (ROOT / "docs/freshness.md").read_text(encoding="utf-8")
    assert set(RULES) == set(AlarmCode)
    for code, rule in RULES.items():
        assert f"\n### {code.value}\n" in page, code
        assert rule.sentence_zh
        assert rule.sentence_en
        assert rule.todo_zh
        assert rule.todo_en
        assert rule.severity in Severity


def test_an_alarm_is_told_when_it_comes_and_when_it_goes_and_keeps_its_beginning() -> None:
    first, later = Alarm(AlarmCode.SILENT, KEY, 5), Alarm(AlarmCode.SILENT, KEY, 9)
    told = settle({}, [first])
    assert (told.raised, told.cleared) == ((first,), ())
    again = settle(told.standing, [later])
    assert (again.raised, again.cleared, tuple(again.standing.values())) == ((), (), (first,))
    other = Alarm(AlarmCode.ADMISSION_LAG, KEY, 7)
    changed = settle(again.standing, [later, other])
    assert changed.standing[first.name].since == 5
    assert settle(changed.standing, []).cleared == (first, other)


def test_messages_are_as_their_schemas_say() -> None:
    board = Board(LAW, CALENDAR)
    board.expect(KEY, STATIC, NOW)
    for offset, (ms, event) in enumerate(
        [supply("2026-01-13T00:00", "2025-11-01T00:00"), declare("2026-01-12T08:00", "2025Q4"), beat(NOW)]
    ):
        board.observe(event, At(ms, "t/0", offset))
    codec = envelope("freshness")
    datum = board.to_datum(KEY, NOW)
    assert codec.decode_physical(codec.encode_physical(datum)) == datum
    assert (datum["quarter"], datum["late"], datum["covered"]) == ("2025Q4", 3, True)
    [late, contradicted] = board.standing(KEY)
    fresh = Board(LAW, CALENDAR)
    fresh.restore(KEY, datum)
    told = fresh.expect(KEY, STATIC, NOW)
    assert (told.raised, told.cleared) == ((), ())
    assert (fresh.state(KEY), fresh.standing(KEY)) == (board.state(KEY), (late, contradicted))
    alarm = late.to_datum(NOW)
    read = envelope("alarm").decode(envelope("alarm").encode_physical(alarm))
    assert (read["code"], read["owner"], read["since"]) == (
        "STATIC_LATE",
        "psb",
        datetime.fromtimestamp(late.since / 1000, UTC),
    )


def test_what_sources_send_is_read_from_their_messages() -> None:
    who = {"agency": "psb", "resource": "residence_permit", "field_group": None}
    sent = {**who, "connector": "c", "sent_at": NOW, "complete_until": None}
    codec = envelope("heartbeat")
    assert Heartbeat.from_datum(codec.decode_physical(codec.encode_physical(sent))) == Heartbeat(KEY, NOW)
    word = {**who, "declaration_id": "00000000-0000-4000-8000-000000000000", "declared_at": NOW}
    codec = envelope("declaration")
    said = codec.encode_physical({**word, "quarter": "2025Q4", "says": "NO_CHANGE", "mark": None})
    assert Declaration.from_datum(codec.decode_physical(said)) == declare("2026-01-01T00:00", "2025Q4")[1]
    for wrong in ({"quarter": "2025Q5"}, {"quarter": "25Q1"}, {"says": "PERHAPS"}, {"says": "HIGH_WATER"}, {"mark": 1}):
        with pytest.raises(ValueError, match=r"quarter|PERHAPS|mark"):
            Declaration.from_datum({**word, "quarter": "2025Q4", "says": "NO_CHANGE", "mark": None, **wrong})


def test_quarters_are_counted_in_shanghai() -> None:
    assert quarter_name(quarter_of(millis(datetime(2025, 12, 31, 15, 59, tzinfo=UTC)))) == "2025Q4"
    assert quarter_name(quarter_of(millis(datetime(2025, 12, 31, 16, 0, tzinfo=UTC)))) == "2026Q1"


# -- the board -----------------------------------------------------------------------------------------------------


def test_a_source_that_owes_nothing_any_more_is_cleared_and_never_judged_again() -> None:
    board = Board(LAW, CALENDAR)
    assert [alarm.code for alarm in board.expect(KEY, DYNAMIC, NOW).raised] == [AlarmCode.SILENT]
    assert [alarm.code for alarm in board.forget(KEY, NOW).cleared] == [AlarmCode.SILENT]
    assert (list(board.keys), board.next_at) == ([], None)
    assert board.observe(beat(NOW)[1], At(NOW, "h/0", 0)) == ()


def test_an_outage_concerns_every_source_of_its_agency_and_no_other() -> None:
    board = Board(LAW, CALENDAR)
    keys = (KEY, Key("psb", "marriage"), Key("aic", "marriage"))
    for key in keys:
        board.expect(key, DYNAMIC, NOW)
    told = board.observe(OutageAccepted("psb", "o-1", NOW - DAY), At(NOW, "o/0", 0))
    assert {one.key for one in told if one.cleared} == set(keys[:2])
    none = board.pause("psb", Pauses(), NOW + SECOND)
    assert {one.key for one in none if one.raised} == set(keys[:2])


def test_events_are_for_their_own_source() -> None:
    with pytest.raises(ValueError, match=r"psb\.residence_permit was handed to"):
        observe(State(Key("aic", "marriage")), beat(NOW)[1], At(NOW, "h/0", 0))


@pytest.mark.parametrize("wrong", [{"source_lag": 0}, {"evidence_for": 0}, {"refused_share": 1.0}])
def test_targets_that_nobody_could_keep_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"target|share"):
        Targets(FreshnessClass.DYNAMIC, DUTY, **wrong)
