"""Notices of changed persons: on paper, with vacancies, and what is wrong with one."""

from compliance.contacts import contact_list, vacancies
from compliance.models import ContactRole
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.city_register import connected, persons
from tests.register import NOW, OPERATOR, moved, of, refused

NOTICE = {"agency": "weather", "persons": persons(ContactRole.CONTACT), "effective_from": "2026-09-01"}


def test_the_day_on_which_paper_came_counts_and_only_the_operator_notes_it(book: Register) -> None:
    connected(book)
    form = {**NOTICE, "effective_from": "2026-08-17", "received_on": "2026-08-24"}
    assert moved(book.open("contact_change", "notify", form, OPERATOR, NOW)).matter.flags == ()
    late = {**form, "received_on": "2026-08-25"}
    assert moved(book.open("contact_change", "notify", late, OPERATOR, NOW)).matter.flags == (
        "LATE:contact_change_notice",
    )
    assert refused(book.open("contact_change", "notify", form, of("weather"), NOW), RefusalCode.E_FORM).field == (
        "received_on"
    )


def test_days_that_lie_ahead_are_refused(book: Register) -> None:
    connected(book)
    for changes, field in (
        ({"effective_from": "2026-09-02"}, "effective_from"),
        ({"received_on": "2026-09-02"}, "received_on"),
    ):
        no = refused(book.open("contact_change", "notify", {**NOTICE, **changes}, OPERATOR, NOW), RefusalCode.E_FORM)
        assert no.field == field


def test_a_role_is_vacant_until_somebody_fills_it(book: Register) -> None:
    connected(book)
    form = {**NOTICE, "persons": [{"role": "LEADER"}]}
    assert moved(book.open("contact_change", "notify", form, of("weather"), NOW)).matter.flags == ("VACANT:LEADER",)
    [line] = vacancies(book.view())
    assert (line.role, line.name, line.vacant_since) == (ContactRole.LEADER, None, NOW.date())
    assert len(contact_list(book.view())) == len(ContactRole)


def test_a_person_has_name_and_phone_and_each_role_is_named_once(book: Register) -> None:
    connected(book)
    half = {**NOTICE, "persons": [{"role": "LEADER", "name": "某人"}]}
    twice = {**NOTICE, "persons": persons(ContactRole.CONTACT, ContactRole.CONTACT)}
    for form in (half, twice):
        no = refused(book.open("contact_change", "notify", form, of("weather"), NOW), RefusalCode.E_FORM)
        assert "某人" not in no.detail


def test_an_agency_that_is_not_connected_has_nobody_on_the_list(book: Register) -> None:
    no = refused(book.open("contact_change", "notify", NOTICE, OPERATOR, NOW), RefusalCode.E_NOT_ONBOARDED)
    assert no.article == "43"
    assert contact_list(book.view()) == ()
