"""Article 44, the application: items with their bases, answers in ten working days, supply in five."""

from datetime import UTC, date, datetime

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.register import NOW, OPERATOR, moved, of, refused
from tests.sharing import (
    ASKER,
    DELIVERY,
    OWNER,
    REASONS,
    active,
    application,
    apply,
    child,
    confirmed,
    file_confirmation,
    found,
    state,
    wanted,
)

DUE = date(2026, 9, 15)
LAST_INSTANT = datetime(2026, 9, 15, 15, 59, tzinfo=UTC)
TOO_LATE = datetime(2026, 9, 15, 16, 0, tzinfo=UTC)
"""00:00 of 16 September in Huizhou."""


def test_article_44_an_item_without_name_or_basis_is_refused_and_all_are_named(register: Register) -> None:
    found(register)
    form = application(wanted("area", name=None), wanted("area"), wanted("area", legal_basis=None))
    no = refused(register.open("application", "submit", form, ASKER, NOW), RefusalCode.E_NO_LEGAL_BASIS)
    assert "items.0.name" in no.detail
    assert "items.2.legal_basis" in no.detail
    assert no.article == "44, 45"
    assert register.matters("application") == ()


def test_article_44_what_is_missing_is_told_once_all_together(register: Register) -> None:
    found(register)
    form = application(wanted("area", frequency=None), phone=None, approved_on=None)
    made = moved(register.open("application", "submit", form, ASKER, NOW), "INCOMPLETE")
    assert made.matter.flags == ("INCOMPLETE_TOLD",)
    assert register.clocks() == ()
    still = application(wanted("area"), phone=None)
    no = refused(register.act(made.matter.number, "complete", still, ASKER, NOW), RefusalCode.E_FORM)
    assert no.detail == "missing: phone"
    done = moved(register.act(made.matter.number, "complete", application(wanted("area")), ASKER, NOW), "OPEN")
    [item] = done.others
    assert item.state == "AWAITING_ANSWER"
    missing = {"missing": ["职责依据", "系统备案"]}
    moved(register.act(item.number, "tell_missing", missing, OWNER, NOW), "INCOMPLETE")
    assert register.clocks() == ()
    moved(register.act(item.number, "complete", {"statement": "已补"}, ASKER, NOW), "AWAITING_ANSWER")
    assert [clock.due for clock in register.clocks()] == [DUE]
    refused(register.act(item.number, "tell_missing", missing, OWNER, NOW), RefusalCode.E_STATE)


def test_article_44_each_item_is_answered_by_itself_and_the_application_ends_with_the_last(register: Register) -> None:
    found(register)
    first, second = apply(register, wanted("area"), wanted("area", name="路灯二"))
    parent = first.parent or ""
    moved(register.act(first.number, "withdraw", {"reason": "不再需要"}, ASKER, NOW), "WITHDRAWN")
    assert state(register, second.number) == "AWAITING_ANSWER"
    assert state(register, parent) == "OPEN"
    moved(register.act(second.number, "withdraw", {"reason": "不再需要"}, ASKER, NOW), "WITHDRAWN")
    assert state(register, parent) == "DECIDED"
    assert register.clocks() == ()


def test_article_44_withdrawing_the_application_withdraws_what_is_open(register: Register) -> None:
    found(register)
    first, second = apply(register, wanted("area"), wanted("area", name="路灯二"))
    moved(register.act(second.number, "confirm", {}, OWNER, NOW), "CONFIRMED")
    grant = child(register, second.number, "grant")
    moved(register.act(first.parent or "", "withdraw", {"reason": "撤回"}, ASKER, NOW), "WITHDRAWN")
    assert {state(register, one.number) for one in (first, second)} == {"WITHDRAWN"}
    assert state(register, grant.number) == "LAPSED"
    assert register.clocks() == ()


def test_article_44_the_provider_answers_within_ten_working_days(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("area"))
    [clock] = register.clocks()
    assert (clock.rule, clock.article, clock.agency, clock.due) == ("application_answer", "44", "psb", DUE)
    assert register.tick(LAST_INSTANT) == ()
    moved(register.act(item.number, "confirm", {}, OWNER, LAST_INSTANT), "CONFIRMED")
    assert register.tick(TOO_LATE) == ()


def test_article_44_silence_of_ten_working_days_opens_negotiation(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("area"))
    [done] = register.tick(TOO_LATE)
    assert (done.matter.number, done.matter.state) == (item.number, "NEGOTIATION")
    assert done.matter.flags == ("LATE:application_answer",)
    dispute = child(register, item.number, "dispute")
    assert dispute.state == "NEGOTIATION"
    assert dispute.fact("open_from_item", "cause") == "SILENCE"
    step = register.history(item.number)[-1]
    assert (step.role, step.action) == ("CLOCK", "silence")
    assert register.tick(TOO_LATE) == ()


def test_article_44_refusing_an_unconditional_item_always_leads_to_negotiation(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("area"))
    moved(register.act(item.number, "refuse", REASONS, OWNER, NOW), "NEGOTIATION")
    assert child(register, item.number, "dispute").fact("open_from_item", "cause") == "REFUSED"


def test_article_44_confirmed_items_are_supplied_within_five_working_days(register: Register) -> None:
    found(register)
    item, grant = confirmed(register, "area")
    [clock] = [clock for clock in register.clocks() if clock.matter == item.number]
    assert (clock.rule, clock.due) == ("supply_confirmed", date(2026, 9, 8))
    refused(register.act(item.number, "deliver_first", DELIVERY, OPERATOR, NOW), RefusalCode.E_NO_GRANT)
    file_confirmation(register, grant.number)
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    done = moved(register.act(item.number, "deliver_first", DELIVERY, OPERATOR, NOW), "SUPPLIED")
    assert done.matter.flags == ()
    assert state(register, item.parent or "") == "DECIDED"


def test_article_44_an_overdue_supply_is_flagged(register: Register) -> None:
    found(register)
    item, _ = active(register, "area")
    late = datetime(2026, 9, 9, 1, 0, tzinfo=UTC)
    [done] = register.tick(late)
    assert (done.matter.state, done.matter.flags) == ("CONFIRMED", ("SUPPLY_OVERDUE",))
    supplied = moved(register.act(item.number, "deliver_first", DELIVERY, OPERATOR, late), "SUPPLIED")
    assert supplied.matter.flags == ("SUPPLY_OVERDUE", "LATE:supply_confirmed")


def test_article_44_an_application_outside_the_platform_counts_from_its_recorded_receipt(register: Register) -> None:
    found(register)
    form = {**application(wanted("area")), "requester": "civil_affairs", "received_on": "2026-08-27"}
    moved(register.open("application", "record", form, OPERATOR, NOW), "OPEN")
    [clock] = register.clocks()
    assert (clock.counts_from, clock.due) == (date(2026, 8, 27), date(2026, 9, 10))


def test_article_44_an_item_is_asked_of_its_owner(register: Register) -> None:
    found(register)
    wrong = application(wanted("area", provider="aic"))
    no = refused(register.open("application", "submit", wrong, ASKER, NOW), RefusalCode.E_ROUTE)
    assert no.detail == "supplied by: psb"
    unknown = application(wanted("nothing"))
    refused(register.open("application", "submit", unknown, ASKER, NOW), RefusalCode.E_FIELD_NOT_GRANTED)
    gone = application(wanted("area", resource="nowhere"))
    refused(register.open("application", "submit", gone, ASKER, NOW), RefusalCode.E_NOT_IN_CATALOGUE)
    stranger = of("newcomer")
    refused(
        register.open("application", "submit", application(wanted("area")), stranger, NOW), RefusalCode.E_NOT_ONBOARDED
    )


def test_article_44_a_renewal_is_a_new_application_that_may_start_before_the_end(register: Register) -> None:
    found(register)
    item, grant = active(register, "area")
    moved(register.act(item.number, "deliver_first", DELIVERY, OPERATOR, NOW), "SUPPLIED")
    renewed = wanted("area", renews=grant.parties.subject, valid_from="2027-06-01", valid_until="2028-08-31")
    [again] = apply(register, renewed)
    assert again.fact("open", "renews") == grant.parties.subject
    stranger = application(wanted("area", renews="g-1999-00001"))
    refused(register.open("application", "submit", stranger, ASKER, NOW), RefusalCode.E_NO_GRANT)
