"""Article 47: an outage by force majeure is told in writing within three working days; accepted, it pauses update clocks."""

from datetime import date

import pytest

from compliance.outages import excuses
from compliance.register.service import Register
from compliance.roles import UNIT, Party
from compliance.workflow import NEW, Parties, Start, Transition, Workflow
from compliance.workflows import WORKFLOWS
from schemas.refusals import RefusalCode
from tests.procedures import OUTAGE, POLICE, days
from tests.register import AUTHORITY, CITY, NOW, moved, of, refused

# Until sources declare what they changed, no matter of the register starts the clock of static updates.
DECLARATION = Workflow(
    "declaration",
    "DEC",
    "申报",
    "declaration",
    "16",
    {"OPEN": ("待更新", "open"), "DONE": ("已更新", "done")},
    frozenset({"DONE"}),
    (
        Transition("open", (NEW,), "OPEN", (UNIT,), "16", "开", "open", starts=(Start("static_update", Party.UNIT),)),
        Transition("do", ("OPEN",), "DONE", (UNIT,), "16", "办", "do", stops=("static_update",)),
    ),
    lambda form, actor, view: Parties(CITY, unit=actor.agency, resource="lamp"),  # noqa: ARG005  a table's signature
)


def test_article_47_a_notice_within_three_working_days_is_in_time_and_a_later_one_is_flagged(
    register: Register,
) -> None:
    in_time = moved(register.open("outage", "report", OUTAGE, POLICE, days(3)), "NOTIFIED").matter
    assert in_time.flags == ()
    late = moved(register.open("outage", "report", OUTAGE, of("aic"), days(4))).matter
    assert late.flags == ("LATE:outage_notice",)
    missing = {key: value for key, value in OUTAGE.items() if key not in {"reason", "remedy"}}
    told = refused(register.open("outage", "report", missing, POLICE, NOW), RefusalCode.E_FORM).detail
    assert "reason" in told
    assert "remedy" in told


def test_article_47_only_an_accepted_outage_lets_the_agencys_update_clocks_stand_still(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WORKFLOWS, DECLARATION.code, DECLARATION)
    mine = moved(register.open("declaration", "open", None, POLICE, NOW)).matter.number
    moved(register.open("declaration", "open", None, of("aic"), NOW))
    due = date(2026, 10, 10)
    assert [clock.due for clock in register.clocks()] == [due, due]
    number = moved(register.open("outage", "report", OUTAGE, POLICE, days(1))).matter.number
    assert {clock.state for clock in register.clocks()} == {"RUNNING"}
    refused(register.act(number, "accept", {"reason": "属实"}, POLICE, days(2)), RefusalCode.E_ROLE)
    moved(register.act(number, "accept", {"reason": "属实"}, AUTHORITY, days(2)), "ACCEPTED")
    assert {clock.agency: clock.state for clock in register.clocks()} == {"psb": "PAUSED", "aic": "RUNNING"}
    register.tick(days(60))
    assert [clock.agency for clock in register.clocks() if clock.expired] == ["aic"]
    restored = {"restored_on": "2026-11-05", "remedy": "机房已修复"}
    moved(register.act(number, "restore", restored, POLICE, days(65)), "RESTORED")
    [clock] = register.clocks(agency="psb")
    # It stood still for the 65 days from 1 September to 5 November: 10 October becomes 14 December.
    assert (clock.state, clock.due, clock.paused_days) == ("RUNNING", date(2026, 12, 14), 65)
    [excuse] = excuses(register, "psb")
    assert (excuse.covers("lamp", date(2026, 9, 1)), excuse.covers("lamp", date(2026, 11, 5))) == (True, False)
    assert moved(register.act(mine, "do", None, POLICE, days(80))).matter.flags == ()


def test_article_47_an_outage_that_is_not_accepted_excuses_nothing(register: Register) -> None:
    number = moved(register.open("outage", "report", OUTAGE, POLICE, NOW)).matter.number
    moved(register.act(number, "reject", {"reason": "非不可抗力"}, AUTHORITY, NOW), "NOT_ACCEPTED")
    assert excuses(register, "psb") == ()
    early = {"restored_on": "2026-08-31", "remedy": "已修复"}
    refused(register.act(number, "restore", early, POLICE, NOW), RefusalCode.E_FORM)
    moved(register.act(number, "restore", {**early, "restored_on": "2026-09-01"}, POLICE, NOW), "RESTORED")
