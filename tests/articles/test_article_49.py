"""Article 49: incidents with severity and timeline, drills and checks with the days since the last."""

from datetime import timedelta

from compliance.drills import days_since, drills
from compliance.figures import records
from compliance.register.service import Register
from compliance.roles import Role
from compliance.workflows.drill import DrillKind
from schemas.refusals import RefusalCode
from tests.procedures import DRILL, INCIDENT, days
from tests.register import AUTHORITY, NOW, OPERATOR, moved, of, office, refused

REVIEW = {"cause": "权限过宽", "lessons": "收紧权限", "document": "总结1号"}
MEASURES = {"measures": "停止授权"}


def test_article_49_an_incident_keeps_its_timeline_and_severity_until_it_is_reviewed(register: Register) -> None:
    number = moved(
        register.open("incident", "report", INCIDENT, of("aic", Role.CONTACT), NOW), "REPORTED"
    ).matter.number
    note = {"happened_at": "2026-09-01T09:10:00+08:00", "what": "已通知单位"}
    moved(register.act(number, "note", note, OPERATOR, days(1)), "REPORTED")
    moved(register.act(number, "contain", MEASURES, OPERATOR, days(1)), "CONTAINED")
    moved(register.act(number, "grade", {"severity": "MAJOR", "reason": "范围扩大"}, AUTHORITY, days(2)), "CONTAINED")
    moved(register.act(number, "resolve", MEASURES, OPERATOR, days(2)), "RESOLVED")
    refused(register.act(number, "close", REVIEW, OPERATOR, days(3)), RefusalCode.E_ROLE)
    moved(register.act(number, "close", REVIEW, AUTHORITY, days(3)), "CLOSED")
    steps = register.history(number)
    assert [step.action for step in steps] == ["report", "note", "contain", "grade", "resolve", "close"]
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_article_49_state_secrets_are_grave_and_the_secrecy_office_is_heard_before_the_end(register: Register) -> None:
    secret = {**INCIDENT, "kind": "STATE_SECRET"}
    refused(register.open("incident", "report", secret, OPERATOR, NOW), RefusalCode.E_FORM)
    secret["severity"] = "MAJOR"
    number = moved(register.open("incident", "report", secret, OPERATOR, NOW)).matter.number
    lower = {"severity": "GENERAL", "reason": "影响有限"}
    assert refused(register.act(number, "grade", lower, OPERATOR, NOW), RefusalCode.E_FORM).article == "15"
    moved(register.act(number, "resolve", MEASURES, OPERATOR, NOW), "RESOLVED")
    assert refused(register.act(number, "close", REVIEW, AUTHORITY, NOW), RefusalCode.E_STATE).article == "15"
    opinion = {"opinion": "已消除", "document": "保密意见1号"}
    moved(register.act(number, "give_opinion", opinion, office(Role.SECRECY), NOW), "RESOLVED")
    moved(register.act(number, "close", REVIEW, AUTHORITY, NOW), "CLOSED")


def test_article_49_days_since_the_last_drill_and_check_are_known_and_too_many_are_told(register: Register) -> None:
    assert {row["overdue"] for row in records(drills(register, NOW))} == {"OVERDUE"}
    moved(register.open("drill", "hold", DRILL, OPERATOR, NOW), "PASSED")
    check = {**DRILL, "kind": "SECURITY_CHECK", "result": "FAILED"}
    number = moved(register.open("drill", "hold", check, AUTHORITY, NOW), "FAILED").matter.number
    moved(register.act(number, "mend", {"measures": "已补丁", "document": "整改1号"}, OPERATOR, NOW), "MENDED")
    assert days_since(register, DrillKind.DISASTER_RECOVERY, NOW) == 12
    rows = {row["kind"]: row for row in records(drills(register, NOW + timedelta(days=100)))}
    assert (rows["DISASTER_RECOVERY"]["days"], rows["DISASTER_RECOVERY"]["overdue"]) == (112, None)
    assert (rows["SECURITY_CHECK"]["days"], rows["SECURITY_CHECK"]["overdue"]) == (112, "OVERDUE")
