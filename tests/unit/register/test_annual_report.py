"""Annual reports: one matter for each unit and year, whoever begins it."""

from datetime import UTC, datetime

import pytest

from compliance.annual import annual, reminder, report_of
from compliance.figures import records
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import agencies
from tests.procedures import POLICE, REPORT, with_catalogue
from tests.register import AUTHORITY, NOW, moved, refused

pytestmark = pytest.mark.parametrize("register", ["sqlite"], indirect=True)
DECEMBER = datetime(2026, 12, 5, tzinfo=UTC)
POLICE_AGENCY = agencies()[0]


def test_a_unit_is_asked_once_a_year_and_only_if_the_register_knows_it(register: Register) -> None:
    form = reminder(POLICE_AGENCY, 2026)
    assert refused(register.open("annual_report", "remind", form, AUTHORITY, NOW), RefusalCode.E_FORM).field == "agency"
    with_catalogue(register)
    moved(register.open("annual_report", "remind", form, AUTHORITY, NOW), "ASKED")
    refused(register.open("annual_report", "remind", form, AUTHORITY, NOW), RefusalCode.E_STATE)
    refused(register.open("annual_report", "submit_unasked", REPORT, POLICE, NOW), RefusalCode.E_STATE)
    wrong = form.model_copy(update={"year": 2025})
    field = refused(register.open("annual_report", "remind", wrong, AUTHORITY, NOW), RefusalCode.E_FORM).field
    assert field == "year_begins"
    moved(register.open("annual_report", "remind", reminder(POLICE_AGENCY, 2025), AUTHORITY, NOW), "ASKED")


def test_a_report_is_of_the_year_that_was_asked_for(register: Register) -> None:
    with_catalogue(register)
    number = moved(
        register.open("annual_report", "remind", reminder(POLICE_AGENCY, 2025), AUTHORITY, NOW)
    ).matter.number
    assert refused(register.act(number, "submit", REPORT, POLICE, NOW), RefusalCode.E_FORM).field == "year"


def test_an_unasked_report_after_the_day_is_late_but_for_one_by_reference(register: Register) -> None:
    by_reference = agencies()[2].model_copy(update={"participation": "BY_REFERENCE"})
    with_catalogue(register, by_reference)
    late = moved(register.open("annual_report", "submit_unasked", REPORT, POLICE, DECEMBER)).matter
    assert late.flags == ("LATE:annual_report",)
    civil = POLICE.model_copy(update={"agency": by_reference.code})
    assert moved(register.open("annual_report", "submit_unasked", REPORT, civil, DECEMBER)).matter.flags == ()


def test_the_table_shows_a_year_as_it_stood(register: Register) -> None:
    with_catalogue(register)
    moved(register.open("annual_report", "submit_unasked", REPORT, POLICE, DECEMBER))
    assert report_of(register, "psb", 2026, NOW) is None
    before = {row["agency"]: row["state"] for row in records(annual(register, 2026, NOW))}
    after = {row["agency"]: row["state"] for row in records(annual(register, 2026, DECEMBER))}
    assert (before["psb"], after["psb"], after["aic"]) == ("NOT_ASKED", "SUBMITTED", "MISSING")
    [head, *figures] = records(annual(register, 2026, DECEMBER, agency="psb"))
    assert head["figure"] is None
    assert {row["figure"] for row in figures} >= {"报送信息条数", "有效共享授权数"}
