"""Article 44, the dispute: negotiation, joint review, government, order, defiance and its sanction."""

from datetime import UTC, date, datetime

from compliance.models import GrantState
from compliance.register.service import Register
from compliance.sanctions import sanctioned
from compliance.workflows.dispute_rules import agenda
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, GOVERNMENT, NOW, OPERATOR, huizhou, moved, refused
from tests.sharing import (
    ASKER,
    BOARD,
    DECREE,
    DELIVERY,
    OPINION,
    OWNER,
    PETITION,
    active,
    child,
    disputed,
    file_confirmation,
    found,
    ordered,
    result,
    reviewed,
    state,
)

OVERDUE = datetime(2026, 9, 8, 16, 0, tzinfo=UTC)
"""Five working days after the order of 1 September are over."""
FINDING = {"found_on": "2026-09-09", "statement": "拒不提供", "document": "认定1号"}


def test_article_44_the_result_of_the_negotiation_is_published_and_binds_the_item(register: Register) -> None:
    found(register)
    item, dispute = disputed(register)
    moved(register.act(dispute.number, "publish_result", result("SHARE"), AUTHORITY, NOW), "SETTLED")
    assert state(register, item.number) == "CONFIRMED"
    assert register.history(dispute.number)[-1].form == result("SHARE")
    other, second = disputed(register)
    moved(register.act(second.number, "publish_result", result("OTHERWISE"), AUTHORITY, NOW), "SETTLED")
    assert state(register, other.number) == "SETTLED"
    assert state(register, other.parent or "") == "DECIDED"


def test_article_44_a_negotiation_without_result_goes_on_the_agenda(register: Register) -> None:
    found(register)
    _, dispute = disputed(register)
    [clock] = register.clocks()
    assert (clock.rule, clock.owes) == ("negotiation", "AUTHORITY_CITY")
    [done] = register.tick(datetime(2026, 9, 15, 16, 0, tzinfo=UTC))
    assert (done.matter.number, done.matter.state) == (dispute.number, "BOARD")
    assert done.matter.flags == ("NO_RESULT_PUBLISHED",)


def test_article_44_the_agenda_pools_what_is_still_disputed(register: Register) -> None:
    found(register)
    numbers = []
    for _ in range(2):
        _, dispute = disputed(register)
        numbers.append(dispute.number)
        moved(register.act(dispute.number, "publish_result", result("UNSOLVED"), AUTHORITY, NOW), "BOARD")
    moved(register.act(numbers[0], "opinion_legal", OPINION, BOARD["opinion_legal"], NOW), "BOARD")
    pooled = agenda(register)
    assert [one.dispute.number for one in pooled] == numbers
    assert [one.missing for one in pooled] == [
        ("authority", "staffing", "services"),
        ("authority", "staffing", "legal", "services"),
    ]


def test_article_44_the_joint_review_needs_four_opinions(register: Register) -> None:
    found(register)
    _, dispute = disputed(register)
    moved(register.act(dispute.number, "publish_result", result("UNSOLVED"), AUTHORITY, NOW), "BOARD")
    for action, member in BOARD.items():
        no = refused(
            register.act(dispute.number, "conclude_review", result("UNSOLVED"), AUTHORITY, NOW), RefusalCode.E_STATE
        )
        assert action.removeprefix("opinion_") in no.detail
        moved(register.act(dispute.number, action, OPINION, member, NOW), "BOARD")
    moved(register.act(dispute.number, "conclude_review", result("UNSOLVED"), AUTHORITY, NOW), "REVIEWED")


def test_article_44_only_a_party_petitions_and_only_after_the_review(register: Register) -> None:
    found(register)
    _, dispute = disputed(register)
    refused(register.act(dispute.number, "petition", PETITION, ASKER, NOW), RefusalCode.E_STATE)
    reviewed(register, dispute.number)
    refused(register.act(dispute.number, "petition", PETITION, AUTHORITY, NOW), RefusalCode.E_ROLE)
    moved(register.act(dispute.number, "petition", PETITION, OWNER, NOW), "GOVERNMENT")
    refused(register.act(dispute.number, "reject", DECREE, AUTHORITY, NOW), RefusalCode.E_ROLE)


def test_article_44_what_is_not_shared_in_the_end_closes_the_item(register: Register) -> None:
    found(register)
    item, dispute = disputed(register)
    reviewed(register, dispute.number)
    moved(register.act(dispute.number, "accept", {"reason": "不再争议"}, ASKER, NOW), "CLOSED_NOT_SHARED")
    assert state(register, item.number) == "CLOSED_NOT_SHARED"
    item, dispute = disputed(register)
    reviewed(register, dispute.number)
    moved(register.act(dispute.number, "petition", PETITION, ASKER, NOW), "GOVERNMENT")
    moved(register.act(dispute.number, "reject", DECREE, GOVERNMENT, NOW), "CLOSED_NOT_SHARED")
    assert state(register, item.number) == "CLOSED_NOT_SHARED"


def test_article_44_the_government_s_order_gives_five_working_days(register: Register) -> None:
    found(register)
    item, dispute = disputed(register)
    moved(ordered(register, dispute.number), "ORDERED")
    assert state(register, item.number) == "ORDERED"
    [clock] = [clock for clock in register.clocks() if clock.matter == dispute.number]
    assert (clock.rule, clock.agency, clock.due) == ("supply_ordered", "psb", date(2026, 9, 8))
    refused(register.act(dispute.number, "comply", DELIVERY, OPERATOR, NOW), RefusalCode.E_STATE)
    grant = child(register, item.number, "grant")
    file_confirmation(register, grant.number)
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    done = moved(register.act(item.number, "deliver_first", DELIVERY, OPERATOR, NOW), "SUPPLIED")
    assert {matter.number: matter.state for matter in done.others}[dispute.number] == "COMPLIED"


def test_article_44_defiance_is_found_by_the_authority_and_only_when_overdue(register: Register) -> None:
    found(register)
    _, dispute = disputed(register)
    moved(ordered(register, dispute.number), "ORDERED")
    refused(register.act(dispute.number, "find_defied", FINDING, AUTHORITY, NOW), RefusalCode.E_STATE)
    [done] = [one for one in register.tick(OVERDUE) if one.matter.workflow == "dispute"]
    assert (done.matter.number, done.matter.state) == (dispute.number, "ORDER_OVERDUE")
    refused(register.act(dispute.number, "find_defied", FINDING, OPERATOR, OVERDUE), RefusalCode.E_ROLE)
    moved(register.act(dispute.number, "find_defied", FINDING, AUTHORITY, OVERDUE), "DEFIED")


def _imposition(dispute: str, year: int = 2027, agency: str = "psb") -> dict[str, object]:
    return {"agency": agency, "dispute": dispute, "year": year, "reason": "拒不执行", "document": "决定2号"}


def test_article_44_who_defies_gets_no_project_of_the_next_year(register: Register) -> None:
    found(register)
    _, dispute = disputed(register)
    form = _imposition(dispute.number)
    refused(register.open("sanction", "impose", form, AUTHORITY, NOW), RefusalCode.E_STATE)
    moved(ordered(register, dispute.number), "ORDERED")
    register.tick(OVERDUE)
    moved(register.act(dispute.number, "find_defied", FINDING, AUTHORITY, OVERDUE), "DEFIED")
    for wrong in (_imposition(dispute.number, 2026), _imposition(dispute.number, 2028)):
        refused(register.open("sanction", "impose", wrong, AUTHORITY, OVERDUE), RefusalCode.E_FORM)
    refused(
        register.open("sanction", "impose", _imposition(dispute.number, agency="aic"), AUTHORITY, OVERDUE),
        RefusalCode.E_STATE,
    )
    made = moved(register.open("sanction", "impose", form, AUTHORITY, OVERDUE), "IMPOSED").matter
    refused(register.open("sanction", "impose", form, AUTHORITY, OVERDUE), RefusalCode.E_STATE)
    no = sanctioned(register, "psb", 2027)
    assert no is not None
    assert no.code is RefusalCode.E_SANCTIONED
    assert [sanctioned(register, agency, year) for agency, year in (("psb", 2026), ("psb", 2028), ("aic", 2027))] == [
        None,
        None,
        None,
    ]
    moved(register.act(made.number, "revoke", DECREE, AUTHORITY, OVERDUE), "REVOKED")
    assert sanctioned(register, "psb", 2027) is None


def test_article_44_a_provider_that_obeys_late_has_obeyed_late(register: Register) -> None:
    found(register)
    item, dispute = disputed(register)
    moved(ordered(register, dispute.number), "ORDERED")
    grant = child(register, item.number, "grant")
    file_confirmation(register, grant.number)
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    register.tick(OVERDUE)
    moved(register.act(dispute.number, "find_defied", FINDING, AUTHORITY, OVERDUE), "DEFIED")
    moved(register.act(item.number, "deliver_first", DELIVERY, OPERATOR, OVERDUE), "SUPPLIED")
    after = register.matter(dispute.number)
    assert after is not None
    assert (after.state, after.flags) == ("COMPLIED", ("LATE:supply_ordered",))


def test_article_44_grants_that_stand_are_untouched_while_a_dispute_runs(register: Register) -> None:
    found(register)
    _, grant = active(register, "area")
    _, dispute = disputed(register)
    moved(ordered(register, dispute.number), "ORDERED")
    register.tick(OVERDUE)
    model = register.view().grant(grant.parties.subject or "")
    assert model is not None
    assert model.state is GrantState.ACTIVE
    assert state(register, grant.number) == "ACTIVE"


def test_article_44_every_limit_is_the_municipal_rule_s() -> None:
    law = huizhou()
    assert [law.rule(name).rule.amount for name in ("application_answer", "supply_confirmed", "supply_ordered")] == [
        10,
        5,
        5,
    ]
