"""Complaints, liability, incidents, drills and evidence: what their guards refuse."""

from datetime import UTC, datetime

import pytest

from compliance.drills import last_held
from compliance.register.service import Register
from compliance.roles import Role
from compliance.workflows.drill import DrillKind
from schemas.refusals import RefusalCode
from tests.procedures import CIVIL, CLAIM, DRILL, INCIDENT, POLICE, days, with_catalogue
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, SUPERVISION, moved, of, office, refused

pytestmark = pytest.mark.parametrize("register", ["sqlite"], indirect=True)
LATER = "2026-09-02"
COMPLAINT = {"about": "psb", "division": CITY, "statement": "不提供"}


def test_nobody_complains_of_itself_and_nothing_is_received_before_it_comes(register: Register) -> None:
    assert refused(register.open("complaint", "file", COMPLAINT, POLICE, NOW), RefusalCode.E_FORM).field == "about"
    number = moved(register.open("complaint", "file", COMPLAINT, CIVIL, NOW)).matter.number
    ahead = {"received_on": LATER, "file_number": "1"}
    answer = register.act(number, "receive_at_supervision", ahead, SUPERVISION, NOW)
    assert refused(answer, RefusalCode.E_FORM).field == "received_on"
    moved(register.act(number, "withdraw", {"reason": "已解决"}, CIVIL, NOW), "WITHDRAWN")


def test_liability_is_claimed_from_another_agency_that_was_an_owner(register: Register) -> None:
    refused(register.open("liability", "file", CLAIM, CIVIL, NOW), RefusalCode.E_NOT_IN_CATALOGUE)
    with_catalogue(register)
    for supplier, who in (("aic", CIVIL), ("psb", POLICE)):
        answer = register.open("liability", "file", {**CLAIM, "supplier": supplier}, who, NOW)
        assert refused(answer, RefusalCode.E_FORM).field == "supplier"
    twice = {**CLAIM, "delivered_events": [CLAIM["delivered_events"][0]] * 2}
    assert "twice" in refused(register.open("liability", "file", twice, CIVIL, NOW), RefusalCode.E_FORM).detail


def test_an_incident_is_neither_reported_nor_noted_before_it_happens(register: Register) -> None:
    ahead = {**INCIDENT, "occurred_at": "2026-09-02T08:00:00+08:00"}
    assert refused(register.open("incident", "report", ahead, POLICE, NOW), RefusalCode.E_FORM).field == "occurred_at"
    number = moved(register.open("incident", "report", INCIDENT, POLICE, NOW)).matter.number
    note = {"happened_at": "2026-09-02T08:00:00+08:00", "what": "通知"}
    assert refused(register.act(number, "note", note, OPERATOR, NOW), RefusalCode.E_FORM).field == "happened_at"
    moved(register.act(number, "note", note, OPERATOR, days(1)))
    opinion = {"opinion": "无", "document": "1号"}
    refused(register.act(number, "give_opinion", opinion, office(Role.SECRECY), NOW), RefusalCode.E_STATE)
    refused(register.open("incident", "report", INCIDENT, office(Role.LEGAL), NOW), RefusalCode.E_ROLE)


def test_a_failed_drill_is_open_until_it_is_mended_and_the_latest_day_counts(register: Register) -> None:
    ahead = {**DRILL, "held_on": LATER}
    assert refused(register.open("drill", "hold", ahead, OPERATOR, NOW), RefusalCode.E_FORM).field == "held_on"
    failed = moved(register.open("drill", "hold", {**DRILL, "result": "FAILED"}, OPERATOR, NOW), "FAILED").matter
    moved(register.open("drill", "hold", {**DRILL, "held_on": "2026-01-05"}, OPERATOR, NOW), "PASSED")
    last = last_held(register, DrillKind.DISASTER_RECOVERY, NOW)
    assert last is not None
    assert last[0].number == failed.number
    assert last_held(register, DrillKind.DISASTER_RECOVERY, datetime(2026, 8, 1, tzinfo=UTC)) is None
    stray = {**DRILL, "copy_made_on": "2026-08-01"}
    assert "RESTORE_TEST" in refused(register.open("drill", "hold", stray, OPERATOR, NOW), RefusalCode.E_FORM).detail


def test_evidence_counts_once_the_authority_confirmed_it_and_an_office_may_find_some(register: Register) -> None:
    rules = {"kind": "SECRECY_RULES", "division": CITY, "document": "保密制度", "dated": "2026-01-01"}
    number = moved(register.open("evidence", "enter", rules, POLICE, NOW), "ENTERED").matter.number
    refused(register.act(number, "confirm", {"reason": "已核"}, SUPERVISION, NOW), RefusalCode.E_ROLE)
    moved(register.act(number, "reject", {"reason": "未盖章"}, AUTHORITY, NOW), "REJECTED")
    leak = {**rules, "kind": "LEAK", "agency": "aic"}
    refused(register.open("evidence", "find", leak, of("psb"), NOW), RefusalCode.E_ROLE)
    assert moved(register.open("evidence", "find", leak, SUPERVISION, NOW)).matter.parties.unit == "aic"
