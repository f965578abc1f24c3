"""Why somebody may or may not: the decisions of the bus as answers, for every reason that there is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from compliance.decision import Permitted
from compliance.explain import Answer, Way, explain
from compliance.models import (
    Agency,
    Agreement,
    Contact,
    ContactRole,
    Grant,
    GrantState,
    OnboardingState,
    RegisterModel,
    SecrecyReview,
)
from compliance.view import RegisterView
from schemas.refusals import RULES, RefusalCode, Refused
from tests.catalogue import LAW, agencies, entry, grant

AT = datetime(2026, 6, 1, tzinfo=UTC)
AGREEMENT = Agreement(
    number="XY-1",
    signed_by_provider=date(2026, 1, 1),
    signed_by_subscriber=date(2026, 1, 1),
    valid_from=date(2026, 1, 1),
    valid_until=date(2026, 12, 31),
)


def connected(agency: Agency) -> Agency:
    contacts = tuple(Contact(role=role, name="示例", phone="0") for role in ContactRole)
    return agency.model_copy(update={"state": OnboardingState.CONNECTED, "contacts": contacts})


def review(**changes: Any) -> SecrecyReview:
    told = {"number": "R-1", "agency": "psb", "resource": "lamp", "catalogue_version": 1, "reviewer": "示例"}
    told |= {"reviewed_on": date(2026, 1, 1), "valid_until": date(2026, 12, 31), "result": "PASS"}
    return SecrecyReview(**{**told, **changes})


def given(**changes: Any) -> Grant:
    fields = changes.pop("fields", ("area",))
    return grant("lamp", fields, **{"legal_basis": LAW, "agreement": AGREEMENT, **changes})


@pytest.fixture
def view() -> RegisterView:
    """A register in which psb may write lamps and civil affairs may read their area."""
    made = RegisterView()
    models: tuple[RegisterModel, ...] = (*(connected(one) for one in agencies()), entry(), review(), given())
    for model in models:
        made.apply(model.kind, model.key, model)
    return made


def first(view: RegisterView, agency: str, way: Way, field: str | None = None, **more: Any) -> Answer:
    return explain(view, agency, "lamp", AT, way=way, field=field, **more)[0]


def code(answer: Answer) -> RefusalCode | None:
    return answer.decision.code if isinstance(answer.decision, Refused) else None


def test_an_owner_may_write_and_is_told_by_what(view: RegisterView) -> None:
    answer = first(view, "psb", Way.WRITE)
    assert isinstance(answer.decision, Permitted)
    assert (answer.under, answer.decision.article) == ("R-1", "5, 11, 15")
    assert "责任采集部门" in answer.decision.reason_zh
    assert "owner by version 1" in answer.decision.reason_en


def test_a_subscriber_may_read_and_is_told_by_what(view: RegisterView) -> None:
    answer = first(view, "civil_affairs", Way.READ, "area")
    assert isinstance(answer.decision, Permitted)
    assert (answer.under, answer.decision.article) == ("g-1", "44, 45, 48")
    assert "授权g-1生效至2026-12-31" in answer.decision.reason_zh
    assert answer.decision.reason_en == (
        "grant g-1 is active until 2026-12-31 on its statutory basis, under agreement XY-1"
    )


def test_a_refusal_is_the_rules_own_sentence(view: RegisterView) -> None:
    answer = first(view, "aic", Way.WRITE)
    assert isinstance(answer.decision, Refused)
    assert answer.decision.reason_zh == RULES[RefusalCode.E_OWNER].zh
    assert answer.decision.article == RULES[RefusalCode.E_OWNER].article


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": GrantState.SUSPENDED}, RefusalCode.E_NO_GRANT),
        ({"state": GrantState.EXPIRED}, RefusalCode.E_GRANT_EXPIRED),
        ({"valid_until": date(2026, 5, 31)}, RefusalCode.E_GRANT_EXPIRED),
        ({"agreement": None}, RefusalCode.E_NO_AGREEMENT),
        ({"legal_basis": None}, RefusalCode.E_NO_LEGAL_BASIS),
        ({"fields": ("nothing",)}, RefusalCode.E_FIELD_NOT_GRANTED),
        ({}, None),
    ],
)
def test_a_hypothetical_grant_is_judged_as_if_it_stood(
    view: RegisterView, changes: dict[str, Any], expected: RefusalCode | None
) -> None:
    before = view.version
    answer = first(view, "civil_affairs", Way.READ, grant=given(id="g-2", **changes))
    assert (answer.under, code(answer)) == ("g-2", expected)
    assert (view.version, view.grant("g-2")) == (before, None)


def test_a_field_that_the_grant_does_not_name_is_refused_by_name(view: RegisterView) -> None:
    answer = first(view, "civil_affairs", Way.READ, "number")
    assert code(answer) is RefusalCode.E_FIELD_NOT_GRANTED
    assert "(number)" in answer.decision.reason_en


@pytest.mark.parametrize("way", Way)
def test_a_field_that_does_not_exist_is_told_as_that(view: RegisterView, way: Way) -> None:
    agency = "psb" if way is Way.WRITE else "civil_affairs"
    assert code(first(view, agency, way, "colour")) is RefusalCode.E_SCHEMA
    assert code(first(view, "aic", Way.READ, "colour")) is RefusalCode.E_SCHEMA


def test_who_has_no_grant_is_told_what_is_missing_first(view: RegisterView) -> None:
    assert code(first(view, "aic", Way.READ)) is RefusalCode.E_NO_GRANT
    assert code(first(view, "nobody", Way.READ)) is RefusalCode.E_NOT_ONBOARDED
    assert code(first(view, "nobody", Way.WRITE)) is RefusalCode.E_NOT_ONBOARDED
    [answer] = explain(view, "aic", "nothing", AT, way=Way.READ)
    assert code(answer) is RefusalCode.E_NOT_IN_CATALOGUE


def test_every_grant_and_every_review_has_an_answer_and_what_permits_comes_first(view: RegisterView) -> None:
    revoked, failed = given(id="g-0", state=GrantState.REVOKED), review(number="R-2", result="FAIL")
    view.apply(revoked.kind, revoked.key, revoked)
    view.apply(failed.kind, failed.key, failed)
    read = explain(view, "civil_affairs", "lamp", AT, way=Way.READ)
    assert [(one.under, one.permitted) for one in read] == [("g-1", True), ("g-0", False)]
    write = explain(view, "psb", "lamp", AT, way=Way.WRITE)
    assert [(one.under, one.permitted) for one in write] == [("R-1", True), ("R-2", False)]


def test_an_owner_without_a_review_is_refused_for_that(view: RegisterView) -> None:
    view.apply("review", "psb/R-1", None)
    assert code(first(view, "psb", Way.WRITE)) is RefusalCode.E_SECRECY_REVIEW
