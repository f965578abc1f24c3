"""Article 60: among a county's own bodies, what its government set goes before the municipal rule."""

from datetime import UTC, date, datetime

from compliance.profiles import CountyOverride
from compliance.register.service import Register
from tests.register import COUNTY, GOVERNMENT, NOW, moved, of
from tests.sharing import application, apply, found, wanted

SEVEN = CountyOverride(division=COUNTY, clock="application_answer", amount=7, basis="县府办〔2026〕1号")


def test_article_60_a_county_that_set_seven_days_gets_seven_and_others_ten(register: Register) -> None:
    found(register)
    register.keep([SEVEN], GOVERNMENT, NOW, "县府办〔2026〕1号")
    boluo = application(wanted("area", provider="boluo_roads", resource="bridge"))
    moved(register.open("application", "submit", boluo, of("boluo_civil"), NOW), "OPEN")
    apply(register, wanted("area"), wanted("area", provider="huidong_water", resource="well"))
    assert {(clock.agency, clock.due) for clock in register.clocks()} == {
        ("boluo_roads", date(2026, 9, 10)),
        ("psb", date(2026, 9, 15)),
        ("huidong_water", date(2026, 9, 15)),
    }


def test_article_60_a_county_s_rule_recounts_what_runs_and_silence_follows_it(register: Register) -> None:
    found(register)
    boluo = application(wanted("area", provider="boluo_roads", resource="bridge"))
    moved(register.open("application", "submit", boluo, of("boluo_civil"), NOW), "OPEN")
    assert [clock.due for clock in register.clocks()] == [date(2026, 9, 15)]
    assert register.keep([SEVEN], GOVERNMENT, NOW, "县府办〔2026〕1号") == 1
    assert [clock.due for clock in register.clocks()] == [date(2026, 9, 10)]
    [done] = register.tick(datetime(2026, 9, 10, 16, 0, tzinfo=UTC))
    assert done.matter.state == "NEGOTIATION"


def test_article_60_the_county_s_own_offices_act_among_its_bodies(register: Register) -> None:
    found(register)
    register.keep([SEVEN], GOVERNMENT, NOW, "县府办〔2026〕1号")
    assert register.law.rule("application_answer", COUNTY).override == SEVEN
    assert register.law.rule("application_answer", "441302").override is None
