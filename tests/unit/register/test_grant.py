"""The life of a grant: active, suspended, over, disposed; each change goes to whoever delivers."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance.models import GrantState
from compliance.register.service import Register
from compliance.register.tables import FACT, OUTBOX
from compliance.roles import Actor, Role
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, NOW, OPERATOR, moved, office, refused, sqlite_register
from tests.sharing import (
    ASKER,
    DECREE,
    LAW,
    OWNER,
    active,
    agency,
    child,
    confirmed,
    file_confirmation,
    found,
    state,
)

OVER_SCOPE = {"cause": "OVER_SCOPE", "reason": "超范围使用", "document": "函1号"}
REVOCATION = {"reason": "依据废止", "citation": LAW, "consulted_on": "2026-09-01", "document": "函2号"}
RECEIPT = {"method": "DELETED", "disposed_on": "2026-09-02", "document": "回执1号"}
AFTER_ITS_LAST_DAY = datetime(2027, 8, 31, 16, 0, tzinfo=UTC)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Register]:
    with sqlite_register(tmp_path) as register:
        yield found(register)


def _model_state(register: Register, key: str | None) -> GrantState:
    model = register.view().grant(key or "")
    assert model is not None
    return model.state


def test_a_grant_says_everything_that_it_is_bound_to(city: Register) -> None:
    item, grant = active(city, "area", "number")
    model = city.view().grant(grant.parties.subject or "")
    assert model is not None
    assert model.id == f"g-{item.number.removeprefix('ITM-')}"
    assert (model.subscriber, model.resource, model.fields) == ("civil_affairs", "lamp", ("area", "number"))
    assert (model.valid_from, model.valid_until) == (date(2026, 9, 1), date(2027, 8, 31))
    assert child(city, grant.number, "effect_report").state == "OPEN"


def test_over_scope_use_is_answered_by_suspension_and_ended_by_rectification(city: Register) -> None:
    _, grant = active(city, "area")
    refused(city.act(grant.number, "suspend", OVER_SCOPE, ASKER, NOW), RefusalCode.E_ROLE)
    moved(city.act(grant.number, "suspend", OVER_SCOPE, OWNER, NOW), "SUSPENDED")
    assert _model_state(city, grant.parties.subject) is GrantState.SUSPENDED
    refused(city.act(grant.number, "resume", DECREE, OWNER, NOW), RefusalCode.E_ROLE)
    moved(city.act(grant.number, "resume", DECREE, AUTHORITY, NOW), "ACTIVE")
    assert _model_state(city, grant.parties.subject) is GrantState.ACTIVE


@pytest.mark.parametrize("actor", [OPERATOR, office(Role.SECURITY_ADMINISTRATOR)], ids=lambda actor: actor.role)
def test_in_an_emergency_the_operator_or_security_stops_it(city: Register, actor: Actor) -> None:
    _, grant = active(city, "area")
    refused(city.act(grant.number, "suspend", OVER_SCOPE, actor, NOW), RefusalCode.E_ROLE)
    moved(city.act(grant.number, "suspend", {**OVER_SCOPE, "cause": "EMERGENCY"}, actor, NOW), "SUSPENDED")


def test_an_administrator_grants_and_resumes_nothing(city: Register) -> None:
    _, grant = active(city, "area")
    moved(city.act(grant.number, "suspend", OVER_SCOPE, OWNER, NOW), "SUSPENDED")
    for role in (Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR):
        refused(city.act(grant.number, "resume", DECREE, office(role), NOW), RefusalCode.E_ROLE)


def test_it_expires_by_itself_after_its_last_day(city: Register) -> None:
    _, grant = active(city, "area")
    city.tick(datetime(2027, 8, 31, 15, 59, tzinfo=UTC))
    assert state(city, grant.number) == "ACTIVE"
    city.tick(AFTER_ITS_LAST_DAY)
    after = city.matter(grant.number)
    assert after is not None
    assert (after.state, after.flags) == ("EXPIRED", ())
    assert _model_state(city, grant.parties.subject) is GrantState.EXPIRED
    [clock] = [clock for clock in city.clocks() if clock.matter == grant.number]
    assert (clock.rule, clock.agency) == ("disposal_receipt", "civil_affairs")


def test_a_suspended_one_expires_too(city: Register) -> None:
    _, grant = active(city, "area")
    moved(city.act(grant.number, "suspend", OVER_SCOPE, OWNER, NOW), "SUSPENDED")
    city.tick(AFTER_ITS_LAST_DAY)
    assert state(city, grant.number) == "EXPIRED"


def test_one_that_never_became_active_lapses(city: Register) -> None:
    item, grant = confirmed(city, "area")
    file_confirmation(city, grant.number)
    city.tick(AFTER_ITS_LAST_DAY)
    assert state(city, grant.number) == "LAPSED"
    refused(city.act(grant.number, "activate", {}, OPERATOR, AFTER_ITS_LAST_DAY), RefusalCode.E_STATE)
    assert state(city, item.number) == "CONFIRMED"


def test_none_becomes_active_after_its_last_day(city: Register) -> None:
    _, grant = confirmed(city, "area")
    file_confirmation(city, grant.number)
    refused(city.act(grant.number, "activate", {}, OPERATOR, AFTER_ITS_LAST_DAY), RefusalCode.E_GRANT_EXPIRED)


def test_a_provider_revokes_with_cause_and_after_consulting(city: Register) -> None:
    _, grant = active(city, "area")
    bare = {"reason": "不想提供"}
    refused(city.act(grant.number, "revoke", bare, OWNER, NOW), RefusalCode.E_FORM)
    moved(city.act(grant.number, "revoke", REVOCATION, OWNER, NOW), "REVOKED")
    assert _model_state(city, grant.parties.subject) is GrantState.REVOKED


def test_the_subscriber_ends_it_and_owes_the_receipt_of_disposal(city: Register) -> None:
    _, grant = active(city, "area")
    moved(city.act(grant.number, "end", {"reason": "用途已实现"}, ASKER, NOW), "ENDED")
    assert _model_state(city, grant.parties.subject) is GrantState.ENDED
    [clock] = [clock for clock in city.clocks() if clock.matter == grant.number]
    assert (clock.rule, clock.due) == ("disposal_receipt", date(2026, 9, 15))
    refused(city.act(grant.number, "file_disposal", RECEIPT, OWNER, NOW), RefusalCode.E_ROLE)
    moved(city.act(grant.number, "file_disposal", RECEIPT, ASKER, NOW), "DISPOSED")
    assert [clock for clock in city.clocks() if clock.matter == grant.number] == []


def test_withdrawing_the_item_ends_its_grant(city: Register) -> None:
    item, grant = active(city, "area")
    moved(city.act(item.number, "withdraw", {"reason": "不再需要"}, ASKER, NOW), "WITHDRAWN")
    assert state(city, grant.number) == "ENDED"


def test_a_subscriber_that_is_disconnected_gets_nothing(city: Register) -> None:
    _, grant = confirmed(city, "area")
    file_confirmation(city, grant.number)
    gone = agency("newcomer", "441300").model_copy(update={"code": "civil_affairs"})
    city.put([gone], OPERATOR, NOW)
    refused(city.act(grant.number, "activate", {}, OPERATOR, NOW), RefusalCode.E_NOT_ONBOARDED)


def test_every_change_of_a_grant_goes_out_in_order(city: Register) -> None:
    _, grant = active(city, "area")
    key = grant.parties.subject or ""
    moved(city.act(grant.number, "suspend", OVER_SCOPE, OWNER, NOW), "SUSPENDED")
    query = sa.select(FACT.c.body).join(OUTBOX, OUTBOX.c.fact == FACT.c.id).where(FACT.c.key == key)
    with city._engine.connect() as connection:
        sent = [body["state"] for body in connection.execute(query.order_by(FACT.c.id)).scalars()]
    assert sent == ["PENDING", "PENDING", "ACTIVE", "SUSPENDED"]
