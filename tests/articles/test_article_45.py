"""Article 45: conditional and uncatalogued information in five working days, reasons for a no, the filed form."""

from datetime import UTC, date, datetime
from pathlib import Path

from compliance.models import GrantState
from compliance.profiles import CountyOverride, Law
from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.register import (
    AUTHORITY,
    COUNTY,
    IN_FORCE,
    NOW,
    OPERATOR,
    both,
    moved,
    of,
    office,
    refused,
    sqlite_register,
)
from tests.sharing import (
    ASKER,
    OPINION,
    OWNER,
    REASONS,
    apply,
    child,
    confirmed,
    file_confirmation,
    found,
    resource,
    result,
    signed,
    state,
    wanted,
)

TOO_LATE = datetime(2026, 9, 8, 16, 0, tzinfo=UTC)


def test_article_45_a_conditional_item_is_answered_within_five_working_days(register: Register) -> None:
    found(register)
    apply(register, wanted("number"))
    [clock] = register.clocks()
    assert (clock.rule, clock.article, clock.due) == ("conditional_answer", "45", date(2026, 9, 8))


def test_article_45_one_conditional_field_makes_the_item_conditional(register: Register) -> None:
    found(register)
    apply(register, wanted("area", "number"))
    [clock] = register.clocks()
    assert clock.rule == "conditional_answer"


def test_article_45_silence_leads_to_negotiation_too(register: Register) -> None:
    """The text names no consequence; Article 44's is taken (an assumption)."""
    found(register)
    [item] = apply(register, wanted("number"))
    [done] = register.tick(TOO_LATE)
    assert (done.matter.number, done.matter.state) == (item.number, "NEGOTIATION")


def test_article_45_a_refusal_has_reason_citation_and_document(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("number"))
    no = refused(register.act(item.number, "refuse", {"reason": "不宜"}, OWNER, NOW), RefusalCode.E_NO_REASON)
    assert no.detail == "missing: citation, document"
    circular = {**REASONS, "citation": {"title": "本局通知", "article": "1"}}
    refused(register.act(item.number, "refuse", circular, OWNER, NOW), RefusalCode.E_NO_REASON)
    moved(register.act(item.number, "refuse", REASONS, OWNER, NOW), "REFUSED")


def test_article_45_a_refusal_is_accepted_or_brought_to_the_authority(register: Register) -> None:
    found(register)
    first, second = apply(register, wanted("number"), wanted("number", name="路灯二"))
    for item in (first, second):
        moved(register.act(item.number, "refuse", REASONS, OWNER, NOW), "REFUSED")
    moved(register.act(first.number, "accept_refusal", {"statement": "同意"}, ASKER, NOW), "CLOSED_NOT_SHARED")
    moved(register.act(second.number, "contest", {"statement": "不同意"}, ASKER, NOW), "NEGOTIATION")
    dispute = child(register, second.number, "dispute")
    heard = {"consult_legal": Role.LEGAL, "consult_secrecy": Role.SECRECY, "consult_supervision": Role.SUPERVISION}
    for action, role in heard.items():
        no = refused(
            register.act(dispute.number, "publish_result", result("SHARE"), AUTHORITY, NOW), RefusalCode.E_STATE
        )
        assert action.removeprefix("consult_") in no.detail
        moved(register.act(dispute.number, action, OPINION, office(role), NOW), "NEGOTIATION")
    moved(register.act(dispute.number, "publish_result", result("SHARE"), AUTHORITY, NOW), "SETTLED")
    assert state(register, second.number) == "CONFIRMED"


def test_article_45_no_grant_without_the_filed_confirmation(register: Register) -> None:
    found(register)
    _, grant = confirmed(register, "number")
    signed(register, "number")
    refused(register.act(grant.number, "activate", {}, OPERATOR, NOW), RefusalCode.E_STATE)
    file_confirmation(register, grant.number)
    refused(register.act(grant.number, "activate", {}, OWNER, NOW), RefusalCode.E_ROLE)
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    model = register.view().grant(grant.parties.subject or "")
    assert model is not None
    assert (model.state, model.confirmation_number) == (GrantState.ACTIVE, "确认〔2026〕1号")


def test_article_45_what_is_agreed_in_part_is_granted_and_the_rest_goes_its_own_way(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("area", "number"))
    everything = {"fields": ["area", "number"], "reasons": REASONS}
    refused(register.act(item.number, "confirm_part", everything, OWNER, NOW), RefusalCode.E_FORM)
    refused(register.act(item.number, "confirm_part", {"fields": ["area"]}, OWNER, NOW), RefusalCode.E_NO_REASON)
    moved(
        register.act(item.number, "confirm_part", {"fields": ["area"], "reasons": REASONS}, OWNER, NOW),
        "PARTLY_CONFIRMED",
    )
    grant = child(register, item.number, "grant")
    assert grant.fact("propose", "fields") == ["area"]
    rest = child(register, item.number, "application_item")
    assert (rest.state, rest.fact("split_off", "fields")) == ("REFUSED", ["number"])
    moved(register.act(rest.number, "contest", {"statement": "不同意"}, ASKER, NOW), "NEGOTIATION")
    moved(register.act(item.number, "withdraw", {"reason": "撤回"}, ASKER, NOW), "WITHDRAWN")
    assert state(register, item.parent or "") == "OPEN"
    moved(register.act(rest.number, "withdraw", {"reason": "撤回"}, ASKER, NOW), "WITHDRAWN")
    assert state(register, item.parent or "") == "DECIDED"


def test_article_45_a_replacement_is_an_ordinary_answer(register: Register) -> None:
    found(register)
    register.put([resource("lantern", "psb", ["area"])], OPERATOR, NOW)
    first, second = apply(register, wanted("number"), wanted("number", name="路灯二"))
    offer = {"resource": "lantern", "fields": ["area"], "explanation": "更合适"}
    foreign = {**offer, "resource": "bridge"}
    refused(register.act(first.number, "offer_replacement", foreign, OWNER, NOW), RefusalCode.E_ROUTE)
    for item in (first, second):
        moved(register.act(item.number, "offer_replacement", offer, OWNER, NOW), "REPLACEMENT_OFFERED")
    moved(register.act(first.number, "accept_replacement", {"statement": "同意"}, ASKER, NOW), "CONFIRMED")
    assert child(register, first.number, "grant").fact("propose", "resource") == "lantern"
    moved(register.act(second.number, "decline_replacement", {"statement": "不用"}, ASKER, NOW), "NEGOTIATION")


def test_article_45_information_outside_the_catalogue_is_applied_for_and_brought_into_it(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted(resource=None, name="井盖"))
    assert item.flags == ("OUT_OF_CATALOGUE",)
    assert [clock.rule for clock in register.clocks()] == ["conditional_answer"]
    moved(register.act(item.number, "confirm", {}, OWNER, NOW), "CONFIRMED")
    assert register.matters("grant") == ()
    catalogued = {"resource": "cover", "fields": ["area"]}
    refused(register.act(item.number, "catalogue", catalogued, OPERATOR, NOW), RefusalCode.E_NOT_IN_CATALOGUE)
    register.put([resource("cover", "psb", ["area"])], OPERATOR, NOW)
    moved(register.act(item.number, "catalogue", catalogued, OPERATOR, NOW), "CONFIRMED")
    assert child(register, item.number, "grant").fact("propose", "resource") == "cover"
    refused(register.act(item.number, "catalogue", catalogued, OPERATOR, NOW), RefusalCode.E_STATE)


EXTENSION = {"reason": "需会同多部门", "document": "同意1号", "first_limit": "2026-09-15", "told_on": "2026-09-10"}


def test_article_45_the_municipal_limit_knows_no_extension(tmp_path: Path) -> None:
    with sqlite_register(tmp_path, both()) as register:
        found(register)
        [item] = apply(register, wanted("number"))
        no = refused(register.act(item.number, "extend", EXTENSION, AUTHORITY, NOW), RefusalCode.E_STATE)
        assert no.detail == "the limit that binds cannot be extended"


def test_article_45_the_state_council_s_limit_is_extended_once_from_its_end(tmp_path: Path) -> None:
    """Where a county set a longer limit than the State Council, that of 2025 binds, and can be extended."""
    longer = CountyOverride(division=COUNTY, clock="conditional_answer", amount=15)
    law = Law.packaged("huizhou-2016", "state-council-2025", overrides=[longer], effective_date=IN_FORCE)
    with sqlite_register(tmp_path, law) as register:
        found(register)
        [item] = apply(register, wanted("secret", provider="boluo_roads", resource="bridge"))
        roads = of("boluo_roads")
        refused(register.act(item.number, "extend", EXTENSION, roads, NOW), RefusalCode.E_ROLE)
        early = {**EXTENSION, "first_limit": "2026-09-14"}
        refused(register.act(item.number, "extend", early, AUTHORITY, NOW), RefusalCode.E_FORM)
        moved(register.act(item.number, "extend", EXTENSION, AUTHORITY, NOW), "AWAITING_ANSWER")
        [clock] = register.clocks()
        assert (clock.rule, clock.article, clock.due) == ("conditional_extension", "21", date(2026, 9, 29))
        refused(register.act(item.number, "extend", EXTENSION, AUTHORITY, NOW), RefusalCode.E_STATE)
        [done] = register.tick(datetime(2026, 9, 29, 16, 0, tzinfo=UTC))
        assert (done.matter.state, done.matter.flags) == ("NEGOTIATION", ("LATE:conditional_extension",))
