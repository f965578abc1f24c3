"""Article 48: agreements of both sides, for one purpose; their end or breach stops delivery at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.decision import Permitted
from compliance.models import Grant, GrantState
from compliance.reading import may_read
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, NOW, OPERATOR, moved, of, refused
from tests.sharing import (
    ASKER,
    DECREE,
    OWNER,
    active,
    confirmed,
    draft,
    file_confirmation,
    found,
    signature,
    signed,
    state,
)

BREACH = {"kind": "LEAK", "reason": "外泄", "document": "认定3号"}


def _model(register: Register, grant: str) -> Grant:
    model = register.view().grant(grant)
    assert model is not None
    return model


def test_article_48_conditional_fields_need_an_agreement_that_both_signed(register: Register) -> None:
    found(register)
    _, grant = confirmed(register, "number")
    file_confirmation(register, grant.number)
    refused(register.act(grant.number, "activate", {}, OPERATOR, NOW), RefusalCode.E_NO_AGREEMENT)
    made = moved(register.open("agreement", "draft", draft("number"), ASKER, NOW), "DRAFTED").matter
    refused(register.act(made.number, "sign_provider", signature(), ASKER, NOW), RefusalCode.E_ROLE)
    moved(register.act(made.number, "sign_subscriber", signature(), ASKER, NOW), "SIGNED_BY_SUBSCRIBER")
    refused(register.act(grant.number, "activate", {}, OPERATOR, NOW), RefusalCode.E_NO_AGREEMENT)
    tomorrow = signature(NOW.date() + timedelta(days=1))
    refused(register.act(made.number, "sign_provider", tomorrow, OWNER, NOW), RefusalCode.E_FORM)
    moved(register.act(made.number, "sign_provider", signature(), OWNER, NOW), "ACTIVE")
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    model = _model(register, grant.parties.subject or "")
    assert model.agreement is not None
    assert model.agreement.number == made.number
    assert isinstance(may_read(register.view(), model, NOW), Permitted)


def test_article_48_what_is_not_shared_is_shared_under_agreement_and_decision(register: Register) -> None:
    found(register)
    _, grant = active(register, "secret")
    assert isinstance(may_read(register.view(), _model(register, grant.parties.subject or ""), NOW), Permitted)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": "统计分析"}, RefusalCode.E_PURPOSE),
        ({"fields": ["area"]}, RefusalCode.E_NO_AGREEMENT),
        ({"valid_from": "2026-09-02"}, RefusalCode.E_NO_AGREEMENT),
        ({"resource": "lantern"}, RefusalCode.E_NO_AGREEMENT),
        ({"rows": {"divisions": ["441322"]}}, RefusalCode.E_NO_AGREEMENT),
    ],
)
def test_article_48_an_agreement_serves_its_own_purpose_and_scope(
    register: Register, changes: dict[str, Any], code: RefusalCode
) -> None:
    found(register)
    _, grant = confirmed(register, "number")
    file_confirmation(register, grant.number)
    made = moved(register.open("agreement", "draft", {**draft("number"), **changes}, ASKER, NOW), "DRAFTED").matter
    moved(register.act(made.number, "sign_provider", signature(), OWNER, NOW))
    moved(register.act(made.number, "sign_subscriber", signature(), ASKER, NOW), "ACTIVE")
    refused(register.act(grant.number, "activate", {}, OPERATOR, NOW), code)
    signed(register, "number")
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")


@pytest.mark.parametrize(
    ("action", "form", "by", "ends_in"),
    [
        ("declare_breach", BREACH, OWNER, "BREACHED"),
        ("declare_breach", BREACH, AUTHORITY, "BREACHED"),
        ("end", DECREE, ASKER, "ENDED"),
    ],
    ids=["breach by the provider", "breach by the authority", "end"],
)
def test_article_48_breach_or_end_suspends_the_grants_at_once(
    register: Register, action: str, form: dict[str, Any], by: Any, ends_in: str
) -> None:
    found(register)
    _, open_grant = active(register, "area")
    _, grant = active(register, "number")
    [agreement] = register.matters("agreement")
    done = moved(register.act(agreement.number, action, form, by, NOW), ends_in)
    assert {matter.number: matter.state for matter in done.others}[grant.number] == "SUSPENDED"
    assert _model(register, grant.parties.subject or "").state is GrantState.SUSPENDED
    assert state(register, open_grant.number) == "ACTIVE"
    refused(register.act(grant.number, "resume", DECREE, AUTHORITY, NOW), RefusalCode.E_NO_AGREEMENT)
    signed(register, "number")
    moved(register.act(grant.number, "resume", DECREE, AUTHORITY, NOW), "ACTIVE")


def test_article_48_an_agreement_ends_by_itself_after_its_last_day(register: Register) -> None:
    found(register)
    _, grant = confirmed(register, "number")
    signed(register, "number", valid_until="2026-12-31")
    file_confirmation(register, grant.number)
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    [agreement] = register.matters("agreement")
    [clock] = [clock for clock in register.clocks() if clock.matter == agreement.number]
    assert clock.due == date(2026, 12, 31)
    register.tick(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    assert state(register, agreement.number) == "ACTIVE"
    register.tick(datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert state(register, agreement.number) == "ENDED"
    assert state(register, grant.number) == "SUSPENDED"


def test_article_48_a_grant_taken_over_without_a_matter_is_suspended_too(register: Register) -> None:
    found(register)
    agreement = signed(register, "number")
    _, grant = confirmed(register, "number")
    file_confirmation(register, grant.number)
    moved(register.act(grant.number, "activate", {}, OPERATOR, NOW), "ACTIVE")
    taken_over = _model(register, grant.parties.subject or "").model_copy(update={"id": "old-1"})
    register.put([taken_over], OPERATOR, NOW)
    moved(register.act(agreement.number, "declare_breach", BREACH, OWNER, NOW), "BREACHED")
    assert _model(register, "old-1").state is GrantState.SUSPENDED


def test_article_48_a_draft_is_between_two_connected_agencies_and_may_be_given_up(register: Register) -> None:
    found(register)
    refused(
        register.open("agreement", "draft", draft("number", provider="civil_affairs"), ASKER, NOW), RefusalCode.E_FORM
    )
    refused(
        register.open("agreement", "draft", draft("number", provider="newcomer"), ASKER, NOW),
        RefusalCode.E_NOT_ONBOARDED,
    )
    refused(register.open("agreement", "draft", draft("number"), of("aic"), NOW), RefusalCode.E_ROLE)
    made = moved(register.open("agreement", "draft", draft("number"), OWNER, NOW), "DRAFTED").matter
    moved(register.act(made.number, "abandon", {"reason": "改用无条件"}, OWNER, NOW), "ABANDONED")
    assert register.clocks() == ()
