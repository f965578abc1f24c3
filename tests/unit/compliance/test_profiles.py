"""Deadlines: what a county sets, the stricter that binds, and when each ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.profiles import (
    CountyOverride,
    Law,
    Profile,
    packaged_profile,
)
from compliance.workdays import Due, Suspension, WorkCalendar
from schemas.errors import UsageError
from tests.examples import examples

HUIZHOU, STATE = "huizhou-2016", "state-council-2025"
CALENDAR = WorkCalendar.packaged()
CITY = Law.packaged(HUIZHOU)
BOTH = Law.packaged(HUIZHOU, STATE)
LONGMEN = "441322"


def day(text: str) -> date:
    return date.fromisoformat(text)


def plain(text: str, *, provisional: bool = False) -> Due:
    return Due(day(text), day(text), provisional)


# -- when a clock ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "nominal", "due", "provisional"),
    [
        ("2025-12-31", "2026-01-10", "2026-01-12", False),  # a Saturday
        ("2026-01-01", "2026-04-10", "2026-04-10", False),
        ("2026-03-31", "2026-04-10", "2026-04-10", False),
        ("2026-04-01", "2026-07-10", "2026-07-10", False),
        ("2026-09-30", "2026-10-10", "2026-10-10", False),  # a Saturday, and a make-up workday
        ("2026-10-01", "2027-01-10", "2027-01-11", True),  # a Sunday of a year without notice
        ("2026-12-31", "2027-01-10", "2027-01-11", True),
    ],
)
def test_a_static_change_is_due_on_the_tenth_of_the_next_quarter(
    changed: str,
    nominal: str,
    due: str,
    provisional: bool,  # noqa: FBT001  a column of the table
) -> None:
    assert CITY.due("static_update", day(changed), CALENDAR) == Due(day(due), day(nominal), provisional)


@pytest.mark.parametrize(
    ("clock", "started", "due"),
    [
        ("annual_report", "2025-01-01", "2025-11-30"),  # a Sunday: it is not rolled
        ("annual_report", "2024-11-30", "2024-11-30"),
        ("annual_report", "2024-12-01", "2025-11-30"),
        ("annual_report_reminder", "2026-01-01", "2026-11-01"),
        ("application_answer", "2026-02-12", "2026-03-04"),
        ("owner_correction", "2026-09-24", "2026-09-30"),
        ("sanction_year", "2026-01-02", "2027-12-31"),
        ("validity", "2024-02-29", "2029-02-28"),
        ("board_pooling", "2026-09-01", "2026-10-08"),
        ("agreement_renewal_warning", "2026-12-31", "2026-12-01"),
        ("liability_evidence", "2026-05-06", "2029-05-06"),
    ],
)
def test_a_clock_of_the_city_ends_by_its_unit(clock: str, started: str, due: str) -> None:
    assert CITY.due(clock, day(started), CALENDAR).day == day(due)


def test_a_clock_that_starts_after_midnight_in_shanghai_starts_on_that_day() -> None:
    before, after = datetime(2026, 9, 17, 15, 59, tzinfo=UTC), datetime(2026, 9, 17, 16, 0, tzinfo=UTC)
    assert CITY.due("supply_confirmed", before, CALENDAR) == plain("2026-09-23")
    assert CITY.due("supply_confirmed", after, CALENDAR) == plain("2026-09-24")
    assert CITY.due_at("supply_confirmed", after, CALENDAR) == datetime(2026, 9, 24, 16, 0, tzinfo=UTC)
    with pytest.raises(UsageError, match="time zone"):
        CITY.due("supply_confirmed", before.replace(tzinfo=None), CALENDAR)


def test_seconds_end_at_an_instant_and_want_one() -> None:
    started = datetime(2026, 9, 17, 15, 50, tzinfo=UTC)
    assert CITY.due_at("dynamic_update", started, CALENDAR) == started + timedelta(seconds=900)
    assert CITY.due("dynamic_update", started, CALENDAR) == plain("2026-09-18")
    with pytest.raises(UsageError, match="instant"):
        CITY.due("dynamic_update", day("2026-09-17"), CALENDAR)


def test_a_suspension_lengthens_the_clock_of_who_sits_there() -> None:
    storm = Suspension(first=day("2026-09-22"), last=day("2026-09-22"), division=LONGMEN, reason="typhoon")
    calendar = CALENDAR.with_suspensions([storm])
    assert CITY.due("supply_confirmed", day("2026-09-18"), calendar, LONGMEN) == plain("2026-09-28")
    assert CITY.due("supply_confirmed", day("2026-09-18"), calendar) == plain("2026-09-24")


def test_an_end_outside_the_calendar_is_an_error_in_words() -> None:
    for clock in ("validity", "sanction_year", "liability_evidence", "annual_report", "backup", "application_answer"):
        with pytest.raises(UsageError, match="9999"):
            CITY.due(clock, date.max, CALENDAR)


# -- which clock binds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "profile", "amount"),
    [
        ("application_answer", STATE, 1),
        ("conditional_answer", HUIZHOU, 5),
        ("supply_confirmed", HUIZHOU, 5),
        ("conditional_supply", HUIZHOU, 5),
        ("catalogue_update", STATE, 10),  # as many days as the city's target, but a text
    ],
)
def test_of_two_texts_the_stricter_binds(clock: str, profile: str, amount: int) -> None:
    for law in (BOTH, Law.packaged(STATE, HUIZHOU)):
        binding = law.rule(clock)
        assert (binding.profile, binding.rule.amount) == (profile, amount)


def test_every_shared_clock_was_compared() -> None:
    city, state = ({clock.id for clock in packaged_profile(name).clocks} for name in (HUIZHOU, STATE))
    assert city & state == {
        "application_answer", "conditional_answer", "supply_confirmed", "conditional_supply", "catalogue_update",
    }  # fmt: skip
    assert {one.rule.id for one in BOTH.rules()} == city | state


def test_a_target_never_displaces_a_text_however_short_it_is() -> None:
    law = Law.packaged(HUIZHOU, STATE, targets={"catalogue_update": 3})
    assert law.rule("catalogue_update").profile == STATE
    assert Law.packaged(HUIZHOU, targets={"catalogue_update": 3}).rule("catalogue_update").rule.amount == 3


def test_of_two_times_to_keep_something_the_longer_binds() -> None:
    profile = packaged_profile(STATE)
    keep = next(clock for clock in profile.clocks if clock.id == "use_record_retention")
    longer = Profile.model_validate(
        {**profile.model_dump(), "id": "longer", "clocks": [keep.model_copy(update={"amount": 5})]}
    )
    assert Law((profile, longer)).rule("use_record_retention").profile == "longer"


def test_an_answer_may_be_extended_only_by_the_text_that_binds() -> None:
    extension = Law.packaged(STATE).extension("conditional_answer")
    assert extension is not None
    assert (extension.rule.id, extension.rule.amount) == ("conditional_extension", 10)
    assert BOTH.extension("conditional_answer") is None
    assert CITY.extension("application_answer") is None


def test_profiles_that_count_a_clock_differently_cannot_bind_together() -> None:
    profile = packaged_profile(STATE)
    raw = profile.model_dump(mode="json")
    raw["id"] = "in-calendar-days"
    raw["clocks"] = [{**clock, "unit": "CALENDAR_DAYS"} for clock in raw["clocks"] if clock["id"] == "catalogue_review"]
    with pytest.raises(UsageError, match="catalogue_review differently"):
        Law((profile, Profile.model_validate(raw)))


# -- counties ------------------------------------------------------------------------------------------------------


def longmen(clock: str = "application_answer", amount: int = 7) -> CountyOverride:
    return CountyOverride(division=LONGMEN, clock=clock, amount=amount)


def test_a_county_that_set_seven_days_has_seven_and_the_others_ten() -> None:
    law = Law.packaged(HUIZHOU, overrides=[longmen()])
    received = day("2026-09-18")
    assert law.due("application_answer", received, CALENDAR, LONGMEN) == plain("2026-09-29")
    assert law.due("application_answer", received, CALENDAR, "441322102") == plain("2026-09-29")
    assert law.rule("application_answer", LONGMEN).override == longmen()
    for other in (None, "441302", "441300"):
        assert law.due("application_answer", received, CALENDAR, other) == plain("2026-10-09")
        assert law.rule("application_answer", other).override is None


def test_a_county_s_longer_time_prevails_over_the_city_and_not_over_the_state() -> None:
    overrides = [longmen("conditional_answer", 12)]
    assert Law.packaged(HUIZHOU, overrides=overrides).rule("conditional_answer", LONGMEN).rule.amount == 12
    binding = Law.packaged(HUIZHOU, STATE, overrides=overrides).rule("conditional_answer", LONGMEN)
    assert (binding.profile, binding.rule.amount, binding.override) == (STATE, 10, None)


def test_a_county_s_shorter_time_binds_beside_the_state_s() -> None:
    law = Law.packaged(HUIZHOU, STATE, overrides=[longmen("conditional_answer", 3), longmen("application_answer", 7)])
    assert law.rule("conditional_answer", LONGMEN).rule.amount == 3
    assert law.rule("application_answer", LONGMEN).rule.amount == 1


def test_what_a_county_set_is_a_text_also_where_the_city_left_it_open() -> None:
    binding = Law.packaged(HUIZHOU, STATE, overrides=[longmen("catalogue_update", 4)]).rule("catalogue_update", LONGMEN)
    assert (binding.rule.amount, binding.rule.configured) == (4, False)


@pytest.mark.parametrize(
    ("profiles", "overrides", "error"),
    [
        ((HUIZHOU,), [longmen("no_such_clock")], "no clock no_such_clock in huizhou-2016"),
        ((HUIZHOU, STATE), [longmen("correction_answer")], "not of the municipal rule"),
        ((HUIZHOU,), [longmen("validity")], "no procedure"),
        ((HUIZHOU,), [longmen("annual_report")], "no procedure"),
        ((HUIZHOU,), [longmen("static_update", 31)], "a day from 1 to 28"),
        ((HUIZHOU,), [longmen(), longmen()], "sets application_answer twice"),
    ],
)
def test_what_no_county_can_set_is_refused(
    profiles: tuple[str, ...], overrides: list[CountyOverride], error: str
) -> None:
    with pytest.raises(UsageError, match=error):
        Law.packaged(*profiles, overrides=overrides)


@pytest.mark.parametrize("division", ["441300", "44132", "441322001", "44132x"])
def test_only_a_county_overrides(division: str) -> None:
    with pytest.raises(ValidationError, match="county"):
        CountyOverride(division=division, clock="application_answer", amount=7)


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from(["application_answer", "conditional_answer", "supply_confirmed"]), st.integers(1, 40))
def test_the_stricter_binds_whatever_a_county_sets(clock: str, amount: int) -> None:
    overrides = [longmen(clock, amount)]
    city = Law.packaged(HUIZHOU, overrides=overrides).rule(clock, LONGMEN).rule.amount
    state = Law.packaged(STATE).rule(clock).rule.amount
    assert city == amount
    assert state is not None
    assert Law.packaged(HUIZHOU, STATE, overrides=overrides).rule(clock, LONGMEN).rule.amount == min(amount, state)


# -- in force ------------------------------------------------------------------------------------------------------


def test_clocks_only_advise_until_the_day_that_the_rule_comes_into_force() -> None:
    assert CITY.advisory(day("2026-11-24"))
    assert CITY.expires_on() is None
    law = Law.packaged(HUIZHOU, effective_date=day("2026-07-01"))
    assert law.effective_date == day("2026-07-01")
    assert law.advisory(day("2026-06-30"))
    assert not law.advisory(day("2026-07-01"))
    assert law.advisory(datetime(2026, 6, 30, 15, 59, tzinfo=UTC))
    assert not law.advisory(datetime(2026, 6, 30, 16, 0, tzinfo=UTC))
    assert law.expires_on() == day("2031-07-01")
    assert law.due("validity_warning", day("2031-07-01"), CALENDAR).day == day("2031-01-02")


def test_the_rule_s_end_is_not_the_end_of_its_clocks() -> None:
    law = Law.packaged(HUIZHOU, effective_date=day("2020-02-29"))
    assert law.expires_on() == day("2025-02-28")
    assert not law.advisory(day("2026-01-01"))
    assert Law.packaged(STATE, effective_date=day("2020-02-29")).expires_on() is None


def test_a_text_with_a_date_of_its_own_binds_from_that_day_on() -> None:
    assert BOTH.advisory(day("2026-01-01"))
    assert not BOTH.advisory(day("2026-01-01"), "application_answer")
    assert BOTH.advisory(day("2025-07-31"), "application_answer")
    assert BOTH.advisory(day("2026-01-01"), "contact_change_notice")


# -- texts and errors ----------------------------------------------------------------------------------------------


def test_a_citation_names_text_and_article_in_both_languages() -> None:
    assert BOTH.citation("application_answer") == (
        "《政务数据共享条例（国务院令第809号）》第21条 "
        "(Regulation on the Sharing of Government Data (State Council Order 809), Art 21)"
    )
    assert "第44条、第54条" in CITY.citation("sanction_year")
    assert BOTH.rule("log_retention").citation_en == "Cybersecurity Law, Art 23"
    law = Law.packaged(HUIZHOU, overrides=[longmen()])
    assert "依第60条从441322规定" in law.citation("application_answer", LONGMEN)
    assert "county 441322" in law.citation("application_answer", LONGMEN)
    assert "441322" not in law.citation("application_answer")


def test_what_the_law_does_not_know_is_said_in_words() -> None:
    with pytest.raises(UsageError, match="no clock lunch in huizhou-2016, state-council-2025"):
        BOTH.rule("lunch")
    with pytest.raises(UsageError, match="there are: huizhou-2016, state-council-2025"):
        Law.packaged("huizhou-2061")
    with pytest.raises(UsageError, match="at least one profile"):
        Law.packaged()


@pytest.mark.parametrize(
    ("targets", "error"),
    [
        ({"application_answer": 3}, "is not a target: Art 44 sets it"),
        ({"annual_report_reminder": 3}, "a date of the year"),
        ({"negotiation": 0}, "negotiation: Input should be greater"),
    ],
)
def test_a_target_that_cannot_be_set_is_refused(targets: dict[str, int], error: str) -> None:
    with pytest.raises(UsageError, match=error):
        Law.packaged(HUIZHOU, targets=targets)


def test_a_text_in_force_binds_before_a_stricter_one_that_only_advises_yet() -> None:
    law = Law.packaged("huizhou-2016", "state-council-2025")
    assert law.rule("conditional_answer").profile == "huizhou-2016"
    assert law.rule("conditional_answer", on=date(2026, 9, 1)).profile == "state-council-2025"
    assert not law.advisory(date(2026, 9, 1), "conditional_answer")
    assert law.rule("conditional_answer", on=date(2025, 7, 31)).profile == "huizhou-2016"
    then = Law.packaged("huizhou-2016", "state-council-2025", effective_date=date(2026, 1, 1))
    assert then.rule("conditional_answer", on=date(2026, 9, 1)).profile == "huizhou-2016"
