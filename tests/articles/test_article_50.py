"""Article 50: every unit reports by 30 November, also on a day of rest; the missing are listed, the authority publishes."""

from datetime import UTC, date, datetime

from compliance.annual import annual, due_day, missing, prefilled, reminder, to_remind
from compliance.busfacts import BusFacts
from compliance.figures import records
from compliance.models import Agency
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import agencies
from tests.procedures import CIVIL, POLICE, REPORT, with_catalogue
from tests.register import AUTHORITY, NOW, moved, refused

FIRST_OF_NOVEMBER = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
LAST_MINUTE = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
TOO_LATE = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
PUBLICATION = {"place": "共享平台", "published_on": "2026-12-15", "advice": "加强更正"}
FACTS = (
    BusFacts(agency="psb", resource="lamp", supplied=100, refused={"E_SCHEMA": 3}, lag_seconds=7, source="pulse@9"),
    BusFacts(agency="aic", resource="lamp", supplied=5, source="pulse@10"),
)


def _by_reference(code: str) -> Agency:
    return next(one for one in agencies() if one.code == code).model_copy(update={"participation": "BY_REFERENCE"})


def _codes(found: tuple[Agency, ...]) -> list[str]:
    return [agency.code for agency in found]


def test_article_50_the_last_day_is_30_november_also_where_it_is_a_day_of_rest(register: Register) -> None:
    for year, weekday in ((2024, 5), (2025, 6), (2026, 0)):
        due = due_day(register.law, register.calendar, year)
        assert due == date(year, 11, 30)
        assert due.weekday() == weekday


def test_article_50_reminded_from_1_november_listed_as_missing_after_the_30th_reported_and_published(
    register: Register,
) -> None:
    with_catalogue(register, _by_reference("county_bureau"))
    assert to_remind(register, 2026, NOW) == ()
    everybody = ["aic", "civil_affairs", "county_bureau", "psb"]
    assert _codes(to_remind(register, 2026, FIRST_OF_NOVEMBER)) == everybody
    for agency in to_remind(register, 2026, FIRST_OF_NOVEMBER):
        moved(register.open("annual_report", "remind", reminder(agency, 2026), AUTHORITY, FIRST_OF_NOVEMBER), "ASKED")
    assert {(clock.agency, clock.due) for clock in register.clocks()} == {
        (code, date(2026, 11, 30)) for code in ("aic", "civil_affairs", "psb")
    }
    asked = {matter.parties.unit: matter.number for matter in register.matters("annual_report")}
    in_time = moved(register.act(asked["psb"], "submit", REPORT, POLICE, LAST_MINUTE), "SUBMITTED").matter
    assert in_time.flags == ()
    assert missing(register, 2026, LAST_MINUTE) == ()
    # Who takes part by reference is reminded and never listed.
    assert _codes(missing(register, 2026, TOO_LATE)) == ["aic", "civil_affairs"]
    assert _codes(to_remind(register, 2026, TOO_LATE)) == ["aic", "civil_affairs", "county_bureau"]
    late = moved(register.act(asked["civil_affairs"], "submit", REPORT, CIVIL, TOO_LATE), "SUBMITTED").matter
    assert late.flags == ("LATE:annual_report",)
    refused(register.act(asked["psb"], "publish", PUBLICATION, POLICE, TOO_LATE), RefusalCode.E_ROLE)
    unadvised = {**PUBLICATION, "advice": ""}
    refused(register.act(asked["psb"], "publish", unadvised, AUTHORITY, TOO_LATE), RefusalCode.E_FORM)
    moved(register.act(asked["psb"], "publish", PUBLICATION, AUTHORITY, TOO_LATE), "PUBLISHED")
    states = {row["agency"]: (row["state"], row["late"]) for row in records(annual(register, 2026, TOO_LATE))}
    assert states == {
        "aic": ("MISSING", None),
        "civil_affairs": ("SUBMITTED", "LATE"),
        "county_bureau": ("ASKED", None),
        "psb": ("PUBLISHED", None),
    }


def test_article_50_a_report_is_filled_in_from_facts_beforehand_and_there_is_one_a_year(register: Register) -> None:
    with_catalogue(register)
    figures = {figure.name: figure for figure in prefilled(register, "psb", 2026, NOW, FACTS)}
    assert (figures["报送信息条数"].value, figures["被退回条数"].value) == (100, 3)
    assert figures["报送信息条数"].records == ("bus:psb/lamp: pulse@9",)
    form = {**REPORT, "figures": [figure.model_dump() for figure in figures.values()]}
    matter = moved(register.open("annual_report", "submit_unasked", form, POLICE, NOW), "SUBMITTED").matter
    assert matter.fact("submit_unasked", "figures")[0]["value"] == 100
    refused(register.open("annual_report", "submit_unasked", form, POLICE, NOW), RefusalCode.E_STATE)
    future = {**REPORT, "year": 2027}
    refused(register.open("annual_report", "submit_unasked", future, POLICE, NOW), RefusalCode.E_FORM)
