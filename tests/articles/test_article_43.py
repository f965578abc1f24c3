"""Article 43: first connection, changes of named persons within five working days, the published list."""

from datetime import UTC, datetime

from compliance.contacts import contact_list
from compliance.indicators import values_of
from compliance.models import ContactRole, OnboardingState
from compliance.period import period
from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.city_register import CHECK, CONNECTION, application, city, connected, known, persons
from tests.register import AUTHORITY, NOW, OPERATOR, moved, of, refused

# Changed on Friday 25 September 2026: two make-up and holiday weeks follow.
CHANGED = "2026-09-25"


def test_article_43_applied_checked_connected_each_by_whom_it_belongs_to(register: Register) -> None:
    made = moved(register.open("onboarding", "apply", application(), of("weather"), NOW), "APPLIED")
    number = made.matter.number
    assert known(register).state is OnboardingState.APPLIED
    refused(register.act(number, "connect", CONNECTION, OPERATOR, NOW), RefusalCode.E_STATE)
    refused(register.act(number, "check", CHECK, AUTHORITY, NOW), RefusalCode.E_ROLE)
    moved(register.act(number, "check", CHECK, OPERATOR, NOW), "CHECKED")
    assert not known(register).onboarded
    done = moved(register.act(number, "connect", CONNECTION, OPERATOR, NOW), "CONNECTED")
    assert known(register).onboarded
    assert [(step.action, step.article) for step in register.history(done.matter.number)] == [
        ("apply", "43"),
        ("check", "10, 43"),
        ("connect", "43"),
    ]


def test_article_43_an_agency_applies_for_itself_alone(register: Register) -> None:
    no = refused(register.open("onboarding", "apply", application(), of("aic"), NOW), RefusalCode.E_ROLE)
    assert no.article == "43"
    refused(
        register.open("onboarding", "apply", application(), of("weather", Role.TECHNICAL_OFFICER), NOW),
        RefusalCode.E_ROLE,
    )
    assert register.view().agency("weather") is None


def test_article_43_the_operator_asks_for_the_person_who_handles_it(register: Register) -> None:
    form = application(contacts=persons(lacking=ContactRole.CONTACT))
    number = moved(register.open("onboarding", "apply", form, of("weather"), NOW)).matter.number
    refused(register.act(number, "check", CHECK, OPERATOR, NOW), RefusalCode.E_NOT_ONBOARDED)
    moved(register.act(number, "return", {"missing": ["具体经办人"]}, OPERATOR, NOW), "RETURNED")
    moved(register.act(number, "resubmit", application(), of("weather"), NOW), "APPLIED")
    moved(register.act(number, "check", CHECK, OPERATOR, NOW), "CHECKED")


def test_article_43_a_notice_on_the_fifth_working_day_is_in_time_and_on_the_sixth_late(register: Register) -> None:
    connected(register)
    due = register.law.due("contact_change_notice", datetime(2026, 9, 25, tzinfo=UTC), register.calendar)
    last_instant = datetime(due.day.year, due.day.month, due.day.day, 15, 59, 59, tzinfo=UTC)
    too_late = datetime(due.day.year, due.day.month, due.day.day, 16, 0, tzinfo=UTC)
    form = {"agency": "weather", "persons": persons(ContactRole.CONTACT), "effective_from": CHANGED}
    by = of("weather", Role.CONTACT)
    assert moved(register.open("contact_change", "notify", form, by, last_instant), "NOTIFIED").matter.flags == ()
    late = moved(register.open("contact_change", "notify", form, by, too_late), "NOTIFIED")
    assert late.matter.flags == ("LATE:contact_change_notice",)


def test_article_43_the_list_of_all_units_has_five_roles_and_follows_each_change(register: Register) -> None:
    connected(register, contacts=persons(lacking=ContactRole.RESPONSIBLE_LEADER))
    lines = [line for line in contact_list(register.view()) if line.agency == "weather"]
    assert [line.role for line in lines] == list(ContactRole)
    assert all(line.name for line in lines)
    change = {"role": "CONTACT", "name": "他人", "phone": "0752-7654321"}
    form = {"agency": "weather", "persons": [change], "effective_from": "2026-09-01"}
    moved(register.open("contact_change", "notify", form, of("weather"), NOW))
    [line] = [line for line in contact_list(register.view()) if line.role is ContactRole.CONTACT]
    assert (line.name, line.phone) == ("他人", "0752-7654321")
    assert "他人" not in repr(line)
    assert "0752" not in repr(line)


def test_article_43_a_unit_tells_its_own_changes_alone(register: Register) -> None:
    city(register)
    form = {"agency": "psb", "persons": persons(ContactRole.CONTACT), "effective_from": "2026-09-01"}
    refused(register.open("contact_change", "notify", form, of("aic"), NOW), RefusalCode.E_ROLE)
    moved(register.open("contact_change", "notify", form, of("psb"), NOW), "NOTIFIED")


def test_article_43_late_notices_and_vacancies_count_in_the_indicators(register: Register) -> None:
    number = connected(register).matter.number
    form = {"agency": "weather", "persons": persons(ContactRole.CONTACT), "effective_from": "2026-08-03"}
    late = moved(register.open("contact_change", "notify", form, of("weather"), NOW)).matter.number
    moved(register.act(number, "report_vacancy", {"role": "LEADER", "since": "2026-09-01"}, OPERATOR, NOW))
    told = {one.indicator.code: one for one in values_of(register, known(register), period("2026"), NOW)}
    assert (told["contact_notices"].good, told["contact_notices"].total) == (0, 1)
    assert told["contact_notices"].records == (late,)
    assert (told["named_persons"].good, told["named_persons"].total) == (2, 3)
