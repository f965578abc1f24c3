"""Working days: the notices, make-up workdays, the count across holidays and years, suspensions, instants."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.workdays import CalendarYear, Due, Suspension, WorkCalendar, day_of, read_calendar_year
from schemas.errors import RegisterFileError, UsageError
from tests.examples import examples

CALENDAR = WorkCalendar.packaged()
FIRST, LAST = date(2016, 1, 1), date(2026, 12, 31)
EVERY_DAY = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
SHANGHAI = timezone(timedelta(hours=8))
FOLDER = Path(__file__).parents[3] / "compliance" / "calendar"
NOTICE_2027 = """\
year: 2027
notices:
  - title: made up
rest_days:
  - {name: 元旦, first: 2026-12-31, last: 2027-01-02}
  - {name: 春节, first: 2027-02-05, last: 2027-02-11}
  - {name: 劳动节, first: 2027-05-01, last: 2027-05-05}
  - {name: 国庆节, first: 2027-10-01, last: 2027-10-07}
makeup_workdays:
  - 2027-01-03
  - 2027-02-13
"""


def due(day: str, *, provisional: bool = False) -> Due:
    return Due(date.fromisoformat(day), date.fromisoformat(day), provisional)


def notice(tmp_path: Path, text: str = NOTICE_2027) -> CalendarYear:
    (tmp_path / "2027.yaml").write_text(text, encoding="utf-8")
    return read_calendar_year(tmp_path / "2027.yaml")


# -- what others say of the same days ------------------------------------------------------------------------------


def test_every_day_from_2016_to_2026_is_what_two_libraries_say_it_is() -> None:
    # They disagree with each other on one day only, 2005-12-31, which lies before the first packaged notice.
    china = holidays.country_holidays("CN", years=range(2016, 2027))
    ours = {day: CALENDAR.is_workday(day) for day in EVERY_DAY}
    assert {day for day in EVERY_DAY if ours[day] != china.is_working_day(day)} == set()
    assert {day for day in EVERY_DAY if ours[day] != chinese_calendar.is_workday(day)} == set()


def test_where_the_libraries_differ_is_still_that_one_day() -> None:
    china = holidays.country_holidays("CN", years=range(2004, 2016))
    days = [date(2004, 1, 1) + timedelta(days=n) for n in range((FIRST - date(2004, 1, 1)).days)]
    different = [day for day in days if china.is_working_day(day) != chinese_calendar.is_workday(day)]
    assert different == [date(2005, 12, 31)]


def test_the_make_up_workdays_of_2026_are_the_notice_s() -> None:
    weekend = [day for day in EVERY_DAY if day.year == 2026 and day.weekday() >= 5 and CALENDAR.is_workday(day)]
    assert [day.strftime("%m-%d") for day in weekend] == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


def test_every_packaged_year_names_its_notice() -> None:
    assert list(CALENDAR.years) == list(range(2016, 2027))
    for year, block in CALENDAR.years.items():
        first = block.notices[0]
        assert first.title == f"国务院办公厅关于{year}年部分节假日安排的通知"
        assert first.number is not None
        assert first.number.startswith(f"国办发明电〔{year - 1}〕")
        assert first.published_at is not None
        assert date(year - 1, 10, 1) <= first.published_at < date(year, 1, 1)
        assert block == read_calendar_year(FOLDER / f"{year}.yaml")
    assert [year for year, block in CALENDAR.years.items() if len(block.notices) > 1] == [2019, 2020]


def test_the_movable_holidays_of_provisional_years_are_the_library_s() -> None:
    china = holidays.country_holidays("CN", years=range(2027, 2036), language="en_US", observed=False)
    for year in range(2027, 2036):
        named = {day for day in china if day.year == year}
        weekdays = {date(year, 1, 1) + timedelta(days=n) for n in range(365)} - named
        for day in named:
            assert not CALENDAR.is_workday(day), day
        for day in weekdays:
            assert CALENDAR.is_workday(day) == (day.weekday() < 5), day


# -- the count -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "n", "day"),
    [
        ("2026-09-18", 5, "2026-09-24"),  # Friday; the Sunday after it is worked
        ("2026-09-19", 5, "2026-09-24"),  # a day of rest: the count begins after it
        ("2026-09-20", 3, "2026-09-23"),  # a Sunday that is worked
        ("2026-09-24", 3, "2026-09-30"),  # over the Mid-Autumn Festival
        ("2026-09-30", 5, "2026-10-13"),  # over the National Day week and a Saturday that is worked
        ("2026-02-12", 10, "2026-03-04"),  # over the Spring Festival
        ("2026-02-13", 3, "2026-02-25"),
        ("2026-04-30", 5, "2026-05-11"),  # over Labour Day and a Saturday that is worked
        ("2018-12-28", 1, "2018-12-29"),  # a Saturday that the notice for 2019 made a workday
        ("2018-12-29", 1, "2019-01-02"),  # and the Monday that it made a day of rest
        ("2020-01-23", 1, "2020-02-03"),  # the Spring Festival that was made longer
        ("2019-04-30", 1, "2019-05-05"),  # the Labour Day that was changed in March
    ],
)
def test_the_nth_workday_is_counted_as_the_notice_has_it(start: str, n: int, day: str) -> None:
    assert CALENDAR.nth_workday(date.fromisoformat(start), n) == due(day)


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        ("2026-12-10", 10, due("2026-12-24")),
        ("2026-12-14", 10, due("2026-12-28")),
        # From the 29th on the notice for the next year has moved days of December before.
        ("2026-12-17", 10, due("2026-12-31", provisional=True)),
        ("2026-12-18", 10, due("2027-01-04", provisional=True)),
        ("2026-12-31", 10, due("2027-01-15", provisional=True)),
        ("2027-02-04", 3, due("2027-02-11", provisional=True)),
        ("2027-09-30", 1, due("2027-10-04", provisional=True)),
        ("2040-04-30", 1, due("2040-05-03", provisional=True)),
        ("2015-12-28", 3, due("2015-12-31", provisional=True)),
    ],
)
def test_a_year_without_notice_is_counted_and_called_provisional(start: str, n: int, expected: Due) -> None:
    assert CALENDAR.nth_workday(date.fromisoformat(start), n) == expected


def test_a_loaded_notice_moves_what_was_provisional_and_nothing_else(tmp_path: Path) -> None:
    loaded = CALENDAR.with_year(notice(tmp_path))
    assert loaded.nth_workday(date(2026, 12, 17), 10) == due("2027-01-03")
    assert loaded.nth_workday(date(2026, 12, 18), 10) == due("2027-01-04")
    assert not loaded.is_provisional(2027)
    assert CALENDAR.is_provisional(2027)
    assert [day for day in EVERY_DAY if loaded.is_workday(day) != CALENDAR.is_workday(day)] == [date(2026, 12, 31)]
    assert all(CALENDAR.may_change(day) for day in (date(2026, 12, 29), date(2026, 12, 31), date(2027, 6, 1)))
    assert not CALENDAR.may_change(date(2026, 12, 28))
    assert not loaded.may_change(date(2026, 12, 31))


def test_a_notice_replaces_the_year_that_was_known(tmp_path: Path) -> None:
    loaded = CALENDAR.with_year(notice(tmp_path))
    changed = loaded.with_year(notice(tmp_path, NOTICE_2027.replace("  - 2027-02-13\n", "")))
    assert loaded.is_workday(date(2027, 2, 13))
    assert not changed.is_workday(date(2027, 2, 13))


def test_from_december_on_the_next_year_s_notice_is_missed(tmp_path: Path) -> None:
    assert CALENDAR.missing_notice(date(2026, 11, 30)) is None
    assert CALENDAR.missing_notice(date(2026, 12, 1)) == 2027
    assert CALENDAR.missing_notice(date(2027, 3, 1)) == 2027
    assert CALENDAR.with_year(notice(tmp_path)).missing_notice(date(2026, 12, 1)) is None


@pytest.mark.parametrize(
    ("nominal", "day", "provisional"),
    [
        ("2026-01-10", "2026-01-12", False),  # a Saturday
        ("2026-04-10", "2026-04-10", False),
        ("2026-10-10", "2026-10-10", False),  # a Saturday that is worked
        ("2027-01-10", "2027-01-11", True),  # a Sunday of a year without notice
    ],
)
def test_a_last_day_of_rest_moves_to_the_next_workday(nominal: str, day: str, provisional: bool) -> None:  # noqa: FBT001
    first = date.fromisoformat(nominal)
    assert CALENDAR.roll_rest_day(first) == Due(date.fromisoformat(day), first, provisional)


# -- suspensions ---------------------------------------------------------------------------------------------------


def test_a_typhoon_stops_the_count_where_it_blows() -> None:
    typhoon = Suspension(first=date(2026, 9, 22), last=date(2026, 9, 23), division="441322", reason="typhoon")
    calendar = CALENDAR.with_suspensions([typhoon])
    start = date(2026, 9, 18)
    assert calendar.nth_workday(start, 5, "441322").day == date(2026, 9, 29)
    assert calendar.nth_workday(start, 5, "441322102").day == date(2026, 9, 29)
    assert calendar.nth_workday(start, 5, "441302").day == date(2026, 9, 24)
    assert calendar.nth_workday(start, 5).day == date(2026, 9, 24)
    assert CALENDAR.nth_workday(start, 5, "441322").day == date(2026, 9, 24)


def test_a_suspension_of_the_city_binds_its_counties_and_one_without_division_everybody() -> None:
    day = date(2026, 9, 22)
    city = CALENDAR.with_suspensions([Suspension(first=day, last=day, division="441300", reason="flood")])
    assert not city.is_workday(day, "441322")
    assert city.is_workday(day)
    everybody = city.with_suspensions([Suspension(first=day, last=day, reason="flood")])
    assert len(everybody.suspensions) == 2
    assert not everybody.is_workday(day)
    assert everybody.roll_rest_day(day) == Due(date(2026, 9, 23), day, provisional=False)


def test_a_make_up_workday_can_be_suspended() -> None:
    day = date(2026, 10, 10)
    calendar = CALENDAR.with_suspensions([Suspension(first=day, last=day, reason="typhoon")])
    assert calendar.roll_rest_day(day).day == date(2026, 10, 12)


def test_a_suspension_without_end_is_an_error_and_no_endless_count() -> None:
    with pytest.raises(ValidationError, match="longer than"):
        Suspension(first=date(2026, 1, 1), last=date(2028, 1, 1), reason="a slip of the year")
    with pytest.raises(ValidationError, match="last lies before first"):
        Suspension(first=date(2026, 1, 2), last=date(2026, 1, 1), reason="the wrong way round")
    years = [Suspension(first=date(y, 1, 1), last=date(y, 12, 31), reason="for ever") for y in range(2026, 2038)]
    with pytest.raises(UsageError, match="ten years"):
        CALENDAR.with_suspensions(years).nth_workday(date(2026, 1, 1), 1)
    with pytest.raises(UsageError, match="ten years"):
        CALENDAR.with_suspensions(years).roll_rest_day(date(2026, 1, 1))


# -- instants ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 9, 30, 15, 59, 59, tzinfo=UTC), "2026-09-30"),
        (datetime(2026, 9, 30, 16, 0, tzinfo=UTC), "2026-10-01"),
        (datetime(2026, 9, 30, 23, 30, tzinfo=UTC), "2026-10-01"),
        (datetime(2026, 10, 1, 0, 0, tzinfo=SHANGHAI), "2026-10-01"),
        (datetime(2026, 9, 30, 23, 59, tzinfo=timezone(timedelta(hours=-11))), "2026-10-01"),
    ],
)
def test_an_instant_is_taken_to_its_day_in_shanghai(instant: datetime, day: str) -> None:
    assert day_of(instant) == date.fromisoformat(day)
    assert CALENDAR.is_workday(instant) == (day == "2026-09-30")
    assert CALENDAR.nth_workday(instant, 5) == CALENDAR.nth_workday(date.fromisoformat(day), 5)


@pytest.mark.parametrize("method", ["is_workday", "roll_rest_day", "missing_notice", "may_change"])
def test_an_instant_without_time_zone_is_refused(method: str) -> None:
    with pytest.raises(UsageError, match="time zone"):
        getattr(CALENDAR, method)(datetime(2026, 9, 30, 12, 0))  # noqa: DTZ001  that is what is refused
    with pytest.raises(UsageError, match="time zone"):
        CALENDAR.nth_workday(datetime(2026, 9, 30, 12, 0), 3)  # noqa: DTZ001  as above


def test_a_due_day_ends_at_midnight_in_shanghai() -> None:
    assert due("2026-09-24").ends_at == datetime(2026, 9, 24, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("n", [0, -1])
def test_there_is_no_zeroth_workday(n: int) -> None:
    with pytest.raises(UsageError, match="count from 1"):
        CALENDAR.nth_workday(date(2026, 1, 5), n)


def test_the_calendar_has_an_end() -> None:
    with pytest.raises(UsageError, match="9999"):
        CALENDAR.nth_workday(date.max, 1)
    with pytest.raises(UsageError, match="9999"):
        day_of(datetime.max.replace(tzinfo=UTC))
    with pytest.raises(UsageError, match="ten years"):
        CALENDAR.nth_workday(date(2026, 1, 5), 100_000)


# -- properties ----------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2015, 6, 1), date(2029, 12, 31))


@settings(max_examples=examples(80), deadline=None)
@given(DAYS, st.integers(1, 25))
def test_the_nth_workday_is_a_workday_with_n_minus_one_between(start: date, n: int) -> None:
    found = CALENDAR.nth_workday(start, n)
    between = [start + timedelta(days=k) for k in range(1, (found.day - start).days)]
    assert CALENDAR.is_workday(found.day)
    assert sum(map(CALENDAR.is_workday, between)) == n - 1
    assert found.provisional == any(map(CALENDAR.may_change, (*between, found.day)))


@settings(max_examples=examples(50), deadline=None)
@given(DAYS, st.integers(1, 15))
def test_later_starts_and_more_days_never_end_earlier(start: date, n: int) -> None:
    row = [CALENDAR.nth_workday(start + timedelta(days=k), n).day for k in range(6)]
    assert all(earlier <= later for earlier, later in pairwise(row))
    assert CALENDAR.nth_workday(start, n).day < CALENDAR.nth_workday(start, n + 1).day


@settings(max_examples=examples(50), deadline=None)
@given(DAYS)
def test_a_day_rolls_to_itself_or_over_days_of_rest_alone(day: date) -> None:
    rolled = CALENDAR.roll_rest_day(day)
    assert rolled.nominal == day
    assert CALENDAR.is_workday(rolled.day)
    assert not any(CALENDAR.is_workday(day + timedelta(days=k)) for k in range((rolled.day - day).days))


# -- year files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("year: 2027", "year: 27", "2027.yaml:1:1: year: is not a year from 1950 to 2200"),
        ("title: made up", "titel: made up", "2027.yaml:3:5: notices.0.titel: Extra inputs are not permitted"),
        ("first: 2027-10-01", "first: 2027-10-02", "2027.yaml:4:1: rest_days: the statutory holiday 2027-10-01"),
        ("last: 2027-10-07", "last: 2027-11-07", "2027.yaml:8:5: rest_days.3: lasts longer than 15 days"),
        ("last: 2027-10-07", "last: 2027-09-07", "2027.yaml:8:5: rest_days.3: last lies before first"),
        ("first: 2026-12-31", "first: 2026-13-31", "2027.yaml:5:16: rest_days.0.first: "),
        ("2027-05-01, last: 2027-05-05", "2027-02-11, last: 2027-02-12", "rest_days: rest_days names something twice"),
        ("- 2027-01-03", "- 2027-01-04", "2027.yaml:10:5: makeup_workdays.0: 2027-01-04 is no Saturday or Sunday"),
        ("- 2027-01-03", "- 2027-01-02", "2027.yaml:10:5: makeup_workdays.0: 2027-01-02 is a day of rest already"),
        ("- 2027-01-03", "- 2028-01-02", "2027.yaml:10:5: makeup_workdays.0: 2028-01-02 lies neither in 2027 nor in"),
        ("- 2027-01-03", "- 2027-02-13", "2027.yaml:9:1: makeup_workdays: makeup_workdays names something twice"),
        ("first: 2026-12-31", "first: 2026-11-30", "rest_days.0: "),
        ("year: 2027", "year: 2027\nyear: 2027", "2027.yaml:2:1: the key year stands twice"),
    ],
)
def test_an_error_of_a_year_file_tells_its_place_and_rule(tmp_path: Path, old: str, new: str, error: str) -> None:
    assert old in NOTICE_2027
    with pytest.raises(RegisterFileError) as caught:
        notice(tmp_path, NOTICE_2027.replace(old, new))
    assert error in str(caught.value)


def test_a_list_is_not_called_too_short_for_the_errors_of_its_items(tmp_path: Path) -> None:
    with pytest.raises(RegisterFileError) as caught:
        notice(tmp_path, NOTICE_2027.replace("title: made up", "titel: made up"))
    assert "at least 1" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"), [("- 2027\n", "2027.yaml:1:1: must be a mapping"), ("", "the file is empty")]
)
def test_a_file_that_is_no_year_says_so(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(RegisterFileError, match=error):
        notice(tmp_path, text)


def test_a_year_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(RegisterFileError, match="cannot be read"):
        read_calendar_year(tmp_path / "2027.yaml")
    (tmp_path / "2027.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(RegisterFileError, match="not UTF-8"):
        read_calendar_year(tmp_path / "2027.yaml")
