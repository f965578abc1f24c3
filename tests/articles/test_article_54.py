"""Article 54: three gates, each PASS or FAIL with its reasons; a sanctioned year's projects are not taken in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from compliance.projects import REASONS, Facts, Gate, Reason, judge
from compliance.register.service import Register
from compliance.view import RegisterView
from compliance.workflow import Matter
from schemas.refusals import RefusalCode
from tests.catalogue import entry
from tests.city_register import city, published, wire
from tests.register import AUTHORITY, NOW, moved, of, refused
from tests.sharing import disputed, found, ordered

PROJECT = {
    "unit": "psb",
    "name": "智慧路灯二期",
    "budget_year": 2027,
    "needs": [{"item": "企业登记信息", "provider": "aic"}],
    "supplies": ["lamp"],
    "document": "可研报告",
}
DOCUMENT = {"document": "评审意见"}
OVERDUE = datetime(2026, 9, 8, 16, 0, tzinfo=UTC)


def test_article_54_a_project_goes_through_review_acceptance_and_funding(register: Register) -> None:
    city(register)
    made = moved(register.open("project", "file", {**PROJECT, "needs": []}, of("psb"), NOW), "FILED")
    number = made.matter.number
    failed = moved(register.act(number, "review", DOCUMENT, AUTHORITY, NOW), "REVIEW_FAILED")
    assert failed.matter.flags == ("REVIEW:NO_SHARING_NEED",)
    refused(register.act(number, "accept", {**DOCUMENT, "interconnected": True}, AUTHORITY, NOW), RefusalCode.E_STATE)
    moved(register.act(number, "amend", PROJECT, of("psb"), NOW), "FILED")
    moved(register.act(number, "review", DOCUMENT, AUTHORITY, NOW), "REVIEWED")

    moved(register.act(number, "accept", {**DOCUMENT, "interconnected": False}, AUTHORITY, NOW), "ACCEPTANCE_FAILED")
    assert register.history(number)[-1].flags == ("ACCEPTANCE:NO_CATALOGUE", "ACCEPTANCE:NOT_INTERCONNECTED")
    form = {"entries": [wire(entry())], "document": "目录"}
    moved(register.open("sub_catalogue", "submit", form, of("psb"), NOW), "SUBMITTED")
    moved(register.act(number, "accept", {**DOCUMENT, "interconnected": True}, AUTHORITY, NOW), "ACCEPTED")
    assert register.history(number)[-1].flags == ()

    moved(register.act(number, "fund", {**DOCUMENT, "year": 2028}, AUTHORITY, NOW), "FUNDING_REFUSED")
    assert register.history(number)[-1].flags == ("FUNDING:NOT_IN_FORCE",)
    published(register, entry())
    moved(register.act(number, "fund", {**DOCUMENT, "year": 2028}, AUTHORITY, NOW), "FUNDED")


def test_article_54_an_exchange_beside_the_platform_without_a_plan_shuts_the_funding(register: Register) -> None:
    city(register)
    published(register, entry())
    number = moved(register.open("project", "take_over", PROJECT, AUTHORITY, NOW), "ACCEPTED").matter.number
    old = {
        "unit": "psb",
        "counterpart": "aic",
        "name": "接口",
        "data": "企业登记",
        "direction": "RECEIVES",
        "manner": "FILES",
        "since": "2015-05-01",
    }
    exchange = moved(register.open("legacy_exchange", "register", old, of("psb"), NOW)).matter.number
    moved(register.act(number, "fund", {**DOCUMENT, "year": 2027}, AUTHORITY, NOW), "FUNDING_REFUSED")
    plan = {"until": (NOW + timedelta(days=90)).date().isoformat(), "steps": "改用共享平台"}
    moved(register.act(exchange, "plan", plan, of("psb"), NOW))
    moved(register.act(number, "fund", {**DOCUMENT, "year": 2027}, AUTHORITY, NOW), "FUNDED")


def test_article_54_projects_of_a_sanctioned_year_are_not_accepted_and_those_of_other_years_are(
    register: Register,
) -> None:
    found(register)
    early = moved(register.open("project", "file", PROJECT, of("psb"), NOW), "FILED").matter.number
    _, dispute = disputed(register)
    moved(ordered(register, dispute.number), "ORDERED")
    register.tick(OVERDUE)
    finding = {"found_on": "2026-09-09", "statement": "拒不提供", "document": "认定1号"}
    moved(register.act(dispute.number, "find_defied", finding, AUTHORITY, OVERDUE), "DEFIED")
    sanction = {"agency": "psb", "dispute": dispute.number, "year": 2027, "reason": "拒不执行", "document": "决定1号"}
    imposed = moved(register.open("sanction", "impose", sanction, AUTHORITY, OVERDUE), "IMPOSED").matter.number

    no = refused(register.open("project", "file", PROJECT, of("psb"), OVERDUE), RefusalCode.E_SANCTIONED)
    assert imposed in no.detail
    moved(register.open("project", "file", {**PROJECT, "budget_year": 2028}, of("psb"), OVERDUE), "FILED")
    moved(register.act(early, "review", DOCUMENT, AUTHORITY, OVERDUE), "REVIEW_FAILED")
    assert register.history(early)[-1].flags == ("REVIEW:SANCTIONED",)
    moved(register.act(imposed, "revoke", {"reason": "已整改", "document": "函"}, AUTHORITY, OVERDUE), "REVOKED")
    moved(register.open("project", "file", PROJECT, of("psb"), OVERDUE), "FILED")


def test_article_54_every_reason_has_an_article_and_two_sentences() -> None:
    nothing = Facts("nobody", 2027, 0, ())
    for gate in Gate:
        answer = judge(gate, nothing, RegisterView(), _Nothing(), NOW)
        assert not answer.passed
        for shut in answer.reasons:
            assert (shut.article, bool(shut.zh), bool(shut.en)) == (REASONS[shut.reason][0], True, True)
    assert set(REASONS) == set(Reason)


class _Nothing:
    """A register without matters."""

    def matters(
        self, workflow: str, *, states: Sequence[str] | None = None, **parties: str | None
    ) -> tuple[Matter, ...]:
        del workflow, states, parties
        return ()
