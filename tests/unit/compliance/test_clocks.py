"""The clock tables of both legal texts, deadline by deadline, and what is said of a profile file with an error."""

from datetime import date
from pathlib import Path

import pytest

from compliance.profiles import Law, Role, Unit, packaged_profile, packaged_profiles, read_profile
from compliance.workdays import WorkCalendar
from schemas.errors import RegisterFileError

HUIZHOU, STATE = "huizhou-2016", "state-council-2025"
FOLDER = Path(__file__).parents[3] / "compliance" / "law"

# The regulation's deadlines by article: who, how much, in what unit.
CLOCKS_OF_THE_CITY = {
    "D1": ("dynamic_update", "16", Role.PROVIDER, Unit.SECONDS, 900),
    "D2": ("static_update", "16", Role.PROVIDER, Unit.QUARTER_DAY, 10),
    "D3": ("contact_change_notice", "43", Role.UNIT, Unit.WORKING_DAYS, 5),
    "D4": ("application_answer", "44", Role.PROVIDER, Unit.WORKING_DAYS, 10),
    "D5": ("supply_confirmed", "44", Role.PROVIDER, Unit.WORKING_DAYS, 5),
    "D6": ("supply_ordered", "44", Role.PROVIDER, Unit.WORKING_DAYS, 5),
    "D7": ("conditional_answer", "45", Role.PROVIDER, Unit.WORKING_DAYS, 5),
    "D8": ("pass_on_application", "46", Role.OPERATOR, Unit.WORKING_DAYS, 5),
    "D9": ("outage_notice", "47", Role.UNIT, Unit.WORKING_DAYS, 3),
    "D10": ("annual_report", "50", Role.UNIT, Unit.CALENDAR_DATE, None),
    "D11": ("objection_verification", "56", Role.OPERATOR, Unit.WORKING_DAYS, 3),
    "D12": ("technical_correction", "56", Role.OPERATOR, Unit.WORKING_DAYS, 3),
    "D13": ("owner_correction", "56", Role.OWNER, Unit.WORKING_DAYS, 3),
    "D14": ("sanction_year", "44, 54", Role.AUTHORITY, Unit.CALENDAR_YEAR_FOLLOWING, 1),
    "D15": ("validity", "62", Role.GOVERNMENT, Unit.YEARS, 5),
}
CLOCKS_OF_THE_STATE = {
    "application_answer": ("21", 1),
    "conditional_answer": ("21", 10),
    "conditional_extension": ("21", 10),
    "supply_confirmed": ("22", 20),
    "conditional_supply": ("22", 20),
    "catalogue_update": ("17", 10),
    "catalogue_update_extension": ("17", 5),
    "catalogue_review": ("17", 2),
    "correction_answer": ("26", 10),
    "use_record_retention": ("29", 3),
    "log_retention": ("23", 184),
}
OPEN_IN_THE_CITY_S_TEXT = {
    "dynamic_update", "first_hop", "annual_report_reminder", "owner_notification", "validity_warning", "change_report",
    "catalogue_update", "negotiation", "board_pooling", "complaint_answer", "agreement_renewal_warning", "backup",
    "offsite_backup", "security_check", "drill", "liability_evidence", "disposal_receipt",
    "case_verification", "case_correction", "case_owner_answer", "restore_test",
}  # fmt: skip


# -- the tables ----------------------------------------------------------------------------------------------------


def test_the_city_s_table_has_every_deadline_of_the_regulation() -> None:
    found = {
        clock.number: (clock.id, clock.article, clock.owner, clock.unit, clock.amount)
        for clock in packaged_profile(HUIZHOU).clocks
        if clock.number is not None
    }
    assert found == CLOCKS_OF_THE_CITY


def test_the_state_s_table_has_every_deadline_of_its_regulation() -> None:
    profile = packaged_profile(STATE)
    assert {clock.id: (clock.article, clock.amount) for clock in profile.clocks} == CLOCKS_OF_THE_STATE
    assert not any(clock.configured or clock.assumption for clock in profile.clocks)
    assert profile.effective_date == date(2025, 8, 1)


def test_a_number_means_the_same_clock_in_every_profile() -> None:
    for name in packaged_profiles():
        for clock in packaged_profile(name).clocks:
            if clock.number is not None:
                assert CLOCKS_OF_THE_CITY[clock.number][0] == clock.id


def test_targets_and_assumptions_are_marked() -> None:
    clocks = packaged_profile(HUIZHOU).clocks
    assert {clock.id for clock in clocks if clock.configured} == OPEN_IN_THE_CITY_S_TEXT
    assumed = {clock.id for clock in clocks if clock.assumption}
    assert assumed == {"conditional_answer", "conditional_supply", "agreement_end", "grant_end", "review_end"}


def test_only_the_static_update_and_the_pooling_roll_over_days_of_rest() -> None:
    rolling = [one.rule.id for one in Law.packaged(HUIZHOU, STATE).rules() if one.rule.roll_rest_day]
    assert rolling == ["static_update", "board_pooling"]


@pytest.mark.parametrize("name", [HUIZHOU, STATE])
def test_a_packaged_profile_is_read_like_any_file(name: str) -> None:
    assert read_profile(FOLDER / f"{name}.yaml") == packaged_profile(name)


# -- profile files -----------------------------------------------------------------------------------------------

CLOCK = """\
id: mine
title_zh: 我的办法
title_en: My measures
level: MUNICIPAL_RULE
clocks:
  - id: application_answer
    number: D4
    article: "44"
    title_zh: 答复
    title_en: Answer
    starts_zh: 收到
    starts_en: receipt
    owner: PROVIDER
    unit: WORKING_DAYS
    amount: 10
    after_zh: 协商
    after_en: negotiation
"""
SECOND = CLOCK[CLOCK.index("  - id") :]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("owner: PROVIDER", "owner: SOMEBODY", "mine.yaml:13:5: clocks.0.owner: "),
        ("amount: 10", "amuont: 10", "mine.yaml:15:5: clocks.0.amuont: "),
        ("    amount: 10\n", "", "mine.yaml:6:5: clocks.0: WORKING_DAYS wants an amount"),
        ("amount: 10", "amount: 10\n    month: 3", "wants an amount, and neither month nor day"),
        ("unit: WORKING_DAYS", "unit: CALENDAR_DATE", "CALENDAR_DATE wants month and day, and no amount"),
        ("WORKING_DAYS\n    amount: 10", "CALENDAR_DATE\n    month: 4\n    day: 31", "month 4 has no day 31"),
        ("WORKING_DAYS\n    amount: 10", "CALENDAR_DATE\n    month: 2\n    day: 29", "does not come every year"),
        ("WORKING_DAYS\n    amount: 10", "QUARTER_DAY\n    amount: 29", "QUARTER_DAY is a day from 1 to 28"),
        ("amount: 10", "amount: 10\n    before: true", "only CALENDAR_DAYS can be counted back"),
        ("amount: 10", "amount: 10\n    roll_rest_day: true", "is not moved from a day of rest"),
        ("amount: 10", "amount: 10\n    law_zh: 法", "law_zh and law_en belong together"),
        ("amount: 10", "amount: 10\n    extends: lunch", "extends lunch, which is not there"),
        (SECOND, SECOND + SECOND, "mine.yaml:5:1: clocks: clocks names something twice"),
    ],
)
def test_an_error_of_a_profile_file_tells_its_place_and_rule(tmp_path: Path, old: str, new: str, error: str) -> None:
    assert old in CLOCK
    (tmp_path / "mine.yaml").write_text(CLOCK.replace(old, new), encoding="utf-8")
    with pytest.raises(RegisterFileError) as caught:
        read_profile(tmp_path / "mine.yaml")
    assert error in str(caught.value)


def test_a_successor_s_table_is_a_file_and_no_code(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(CLOCK.replace("amount: 10", "amount: 6"), encoding="utf-8")
    law = Law([read_profile(tmp_path / "mine.yaml")])
    assert law.due("application_answer", date(2026, 9, 18), WorkCalendar.packaged()).day == date(2026, 9, 28)
    assert [profile.id for profile in law.profiles] == ["mine"]
