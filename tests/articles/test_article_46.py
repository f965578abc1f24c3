"""Article 46: across counties through the operators, passed on within five working days, every hop on record."""

from datetime import UTC, date, datetime, timedelta

from compliance.forwarded import trace
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.register import COUNTY, NOW, OPERATOR, moved, of, refused
from tests.sharing import (
    BOLUO_OPERATOR,
    HUIDONG_OPERATOR,
    OTHER_COUNTY,
    application,
    found,
    wanted,
)

UNIT = of("boluo_civil")
LETTER = {"letter": "转办函1号"}
WELL = wanted("area", provider="huidong_water", resource="well")
LAMP = wanted("area")


def _applied(register: Register, item: dict[str, object] = WELL) -> str:
    form = application(item)
    return moved(register.open("forwarding", "apply", form, UNIT, NOW), "AT_OWN_OPERATOR").matter.number


def test_article_46_a_direct_application_to_another_county_is_refused_with_the_right_address(
    register: Register,
) -> None:
    found(register)
    no = refused(register.open("application", "submit", application(WELL), UNIT, NOW), RefusalCode.E_ROUTE)
    assert f"platform operator of {COUNTY}" in no.detail
    assert no.article == "46"
    own = application(wanted("area", provider="boluo_roads", resource="bridge"))
    moved(register.open("application", "submit", own, UNIT, NOW), "OPEN")
    refused(register.open("forwarding", "apply", own, UNIT, NOW), RefusalCode.E_ROUTE)
    refused(
        register.open("forwarding", "apply", application(WELL), of("civil_affairs"), NOW),
        RefusalCode.E_ROUTE,
    )
    refused(register.open("forwarding", "apply", application(WELL, LAMP), UNIT, NOW), RefusalCode.E_ROUTE)


def test_article_46_the_receiving_operator_passes_it_on_within_five_working_days(register: Register) -> None:
    found(register)
    first = _applied(register)
    refused(register.act(first, "send_to_county", LETTER, HUIDONG_OPERATOR, NOW), RefusalCode.E_ROLE)
    [leg] = moved(register.act(first, "send_to_county", LETTER, BOLUO_OPERATOR, NOW), "SENT_ON").others
    [clock] = register.clocks()
    assert (clock.rule, clock.article, clock.division) == ("pass_on_application", "46", OTHER_COUNTY)
    assert (clock.owes, clock.due) == ("OPERATOR_COUNTY", date(2026, 9, 8))
    refused(register.act(leg.number, "pass_on", LETTER, BOLUO_OPERATOR, NOW), RefusalCode.E_ROLE)
    [late] = register.tick(datetime(2026, 9, 8, 16, 0, tzinfo=UTC))
    assert (late.matter.state, late.matter.flags) == ("AT_RECEIVING_OPERATOR", ("PASS_ON_OVERDUE",))


def test_article_46_the_provider_s_own_clock_starts_at_its_receipt(register: Register) -> None:
    found(register)
    first = _applied(register)
    [leg] = moved(register.act(first, "send_to_county", LETTER, BOLUO_OPERATOR, NOW), "SENT_ON").others
    receipt = NOW + timedelta(days=3)
    done = moved(register.act(leg.number, "pass_on", LETTER, HUIDONG_OPERATOR, receipt), "PASSED_ON")
    [item] = [matter for matter in done.others if matter.workflow == "application_item"]
    [clock] = register.clocks()
    assert (clock.rule, clock.agency) == ("application_answer", "huidong_water")
    assert (clock.counts_from, clock.due) == (date(2026, 9, 4), date(2026, 9, 18))
    moved(register.act(item.number, "confirm", {}, of("huidong_water"), receipt), "CONFIRMED")


def test_article_46_the_way_may_lead_over_the_city_s_operator(register: Register) -> None:
    found(register)
    first = _applied(register)
    [leg] = moved(register.act(first, "send_to_city", LETTER, BOLUO_OPERATOR, NOW), "SENT_ON").others
    [clock] = register.clocks()
    assert clock.owes == "OPERATOR_CITY"
    refused(register.act(leg.number, "pass_on", LETTER, HUIDONG_OPERATOR, NOW), RefusalCode.E_ROLE)
    moved(register.act(leg.number, "pass_on", LETTER, OPERATOR, NOW), "PASSED_ON")
    to_the_city = _applied(register, LAMP)
    refused(register.act(to_the_city, "send_to_county", LETTER, BOLUO_OPERATOR, NOW), RefusalCode.E_ROUTE)
    moved(register.act(to_the_city, "send_to_city", LETTER, BOLUO_OPERATOR, NOW), "SENT_ON")


def test_article_46_the_trace_shows_every_hop_and_its_date(register: Register) -> None:
    found(register)
    first = _applied(register)
    days = [NOW + timedelta(days=offset) for offset in (1, 3)]
    [leg] = moved(register.act(first, "send_to_county", LETTER, BOLUO_OPERATOR, days[0]), "SENT_ON").others
    done = moved(register.act(leg.number, "pass_on", LETTER, HUIDONG_OPERATOR, days[1]), "PASSED_ON")
    hops = [(hop.action, hop.division, hop.at) for hop in trace(register, first)]
    assert hops == [
        ("apply", COUNTY, NOW),
        ("send_to_county", COUNTY, days[0]),
        ("arrive", OTHER_COUNTY, days[0]),
        ("pass_on", OTHER_COUNTY, days[1]),
        ("receive_forwarded", COUNTY, days[1]),
    ]
    for matter in done.others:
        assert trace(register, matter.number) == trace(register, first)
    assert trace(register, "FWD-1999-00001") == ()


def test_article_46_an_application_is_returned_or_withdrawn_on_its_way(register: Register) -> None:
    found(register)
    returned = moved(
        register.act(_applied(register), "return", {"reason": "可自行采集", "document": "函1号"}, BOLUO_OPERATOR, NOW),
        "RETURNED",
    )
    assert returned.matter.flags == ()
    moved(register.act(_applied(register), "withdraw", {"reason": "不再需要"}, UNIT, NOW), "WITHDRAWN")
    assert register.clocks() == ()


def test_article_46_the_first_hop_has_a_target(register: Register) -> None:
    found(register)
    first = _applied(register)
    [clock] = register.clocks()
    assert (clock.rule, clock.division, clock.due) == ("first_hop", COUNTY, date(2026, 9, 8))
    [done] = register.tick(datetime(2026, 9, 8, 16, 0, tzinfo=UTC))
    assert (done.matter.number, done.matter.flags) == (first, ("FIRST_HOP_OVERDUE",))
