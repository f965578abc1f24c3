"""What an outage does to clocks: which stand still, from when, and that counting again keeps it."""

from datetime import date

import pytest

from compliance.events import from_event, to_event
from compliance.outages import excuses, excuses_in
from compliance.register.outbox import backlog
from compliance.register.service import Register
from compliance.roles import UNIT, Party
from compliance.rulings import Outage, OutageState
from compliance.workdays import Suspension
from compliance.workflow import NEW, Parties, Start, Transition, Workflow
from compliance.workflows import WORKFLOWS
from schemas.refusals import RefusalCode
from tests.procedures import OUTAGE, POLICE, days
from tests.register import AUTHORITY, CITY, NOW, moved, refused

pytestmark = pytest.mark.parametrize("register", ["sqlite"], indirect=True)
ACCEPTED = {"reason": "属实"}


def declaration(resource: str, *clocks: str) -> Workflow:
    """A matter that owes an update of a resource, and other things."""
    starts = tuple(Start(clock, Party.UNIT) for clock in clocks)
    return Workflow(
        f"declare_{resource}",
        "DEC",
        "申报",
        "declaration",
        "16",
        {"OPEN": ("待办", "open"), "DONE": ("已办", "done")},
        frozenset({"DONE"}),
        (
            Transition("open", (NEW,), "OPEN", (UNIT,), "16", "开", "open", starts=starts),
            Transition("do", ("OPEN",), "DONE", (UNIT,), "16", "办", "do", stops=clocks),
        ),
        lambda form, actor, view: Parties(CITY, unit=actor.agency, resource=resource),  # noqa: ARG005  a table's signature
    )


def opened(register: Register, monkeypatch: pytest.MonkeyPatch, table: Workflow) -> str:
    monkeypatch.setitem(WORKFLOWS, table.code, table)
    return moved(register.open(table.code, "open", None, POLICE, NOW)).matter.number


def accepted(register: Register, **changes: object) -> str:
    number = moved(register.open("outage", "report", {**OUTAGE, **changes}, POLICE, days(1))).matter.number
    return moved(register.act(number, "accept", ACCEPTED, AUTHORITY, days(1)), "ACCEPTED").matter.number


def states(register: Register) -> dict[str, str]:
    return {clock.rule: clock.state for clock in register.clocks()}


def test_only_update_clocks_of_the_resources_that_are_named_stand_still(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(register, monkeypatch, declaration("lamp", "static_update", "contact_change_notice"))
    accepted(register, resources=["bench"])
    assert states(register) == {"static_update": "RUNNING", "contact_change_notice": "RUNNING"}
    accepted(register, resources=["lamp"])
    assert states(register) == {"static_update": "PAUSED", "contact_change_notice": "RUNNING"}


def test_what_was_due_before_the_outage_stays_due(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(register, monkeypatch, declaration("lamp", "static_update"))
    number = moved(register.open("outage", "report", {**OUTAGE, "started_on": "2026-10-12"}, POLICE, days(42))).matter
    moved(register.act(number.number, "accept", ACCEPTED, AUTHORITY, days(42)))
    assert states(register) == {"static_update": "RUNNING"}


def test_a_paused_clock_is_neither_over_nor_late_and_a_finished_one_stays_finished(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = opened(register, monkeypatch, declaration("lamp", "static_update"))
    outage = accepted(register)
    register.tick(days(300))
    assert [clock.expired for clock in register.clocks()] == [None]
    assert moved(register.act(number, "do", None, POLICE, days(300)), "DONE").matter.flags == ()
    restored = {"restored_on": "2027-06-01", "remedy": "已修复"}
    moved(register.act(outage, "restore", restored, POLICE, days(300)), "RESTORED")
    assert register.clocks() == ()


def test_counting_again_keeps_the_days_on_which_a_clock_stood_still(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(register, monkeypatch, declaration("lamp", "static_update"))
    outage = accepted(register)
    moved(register.act(outage, "restore", {"restored_on": "2026-09-11", "remedy": "已修复"}, POLICE, days(10)))
    [clock] = register.clocks()
    assert (clock.due, clock.paused_days, clock.paused_since) == (date(2026, 10, 20), 10, None)
    typhoon = Suspension(first=date(2026, 10, 20), last=date(2026, 10, 20), reason="台风停工")
    assert register.keep([typhoon], AUTHORITY, days(11), "台风") == 1
    assert register.clocks()[0].due == date(2026, 10, 21)
    assert register.keep([], AUTHORITY, days(12), "again") == 0


def test_an_outage_neither_begins_nor_ends_in_the_future(register: Register) -> None:
    ahead = {**OUTAGE, "started_on": "2026-09-02"}
    assert refused(register.open("outage", "report", ahead, POLICE, NOW), RefusalCode.E_FORM).field == "started_on"
    number = moved(register.open("outage", "report", OUTAGE, POLICE, NOW)).matter.number
    later = {"restored_on": "2026-09-02", "remedy": "已修复"}
    assert refused(register.act(number, "restore", later, POLICE, NOW), RefusalCode.E_FORM).field == "restored_on"


def test_what_is_accepted_and_restored_is_a_fact_for_kafka_and_what_is_not_accepted_is_none(register: Register) -> None:
    refused_one = moved(register.open("outage", "report", OUTAGE, POLICE, days(1))).matter.number
    moved(register.act(refused_one, "reject", ACCEPTED, AUTHORITY, days(1)), "NOT_ACCEPTED")
    restored = {"restored_on": "2026-09-11", "remedy": "已修复"}
    moved(register.act(refused_one, "restore", restored, POLICE, days(10)), "RESTORED")
    assert register.view().outages() == ()
    number = accepted(register, resources=["lamp"])
    assert backlog(register.engine).facts == 1
    told = register.view().outage(number)
    assert told == Outage(
        number=number, agency="psb", resources=("lamp",), state=OutageState.ACCEPTED, started_on=date(2026, 9, 1)
    )
    assert from_event("outage", to_event(told)) == told
    moved(register.act(number, "restore", restored, POLICE, days(10)), "RESTORED")
    [ended] = register.view().outages()
    assert (ended.state, ended.restored_on) == (OutageState.RESTORED, date(2026, 9, 11))
    # What workers make of it is what the register itself says.
    assert excuses_in(register.view()) == {"psb": excuses(register, "psb")}


def test_an_excuse_covers_the_named_resources_and_all_where_none_is_named(register: Register) -> None:
    accepted(register, resources=["lamp"])
    accepted(register)
    named, whole = excuses(register, "psb")
    assert (named.covers("lamp", date(2030, 1, 1)), named.covers("bench", date(2030, 1, 1))) == (True, False)
    assert (whole.covers("bench", date(2026, 9, 1)), whole.covers("bench", date(2026, 8, 31))) == (True, False)
