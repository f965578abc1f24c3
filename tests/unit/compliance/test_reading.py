"""Who may read: default deny, one code for each reason."""

from datetime import date, datetime, timedelta

import pytest

from compliance.catalogue import SHANGHAI
from compliance.decision import Permitted
from compliance.models import Agreement, FieldPolicy, Grant, GrantState, LegalBasis, OnboardingState
from compliance.reading import may_read, next_change_at
from schemas.refusals import RefusalCode, Refused
from schemas.resource import packaged_text
from schemas.words import SharingClass
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import NOW, STATS


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def code(hall: Hall, grant: Grant, at: datetime = NOW) -> RefusalCode | None:
    decision = may_read(hall.view, grant, at)
    return decision.code if isinstance(decision, Refused) else None


def test_an_active_grant_in_order_delivers(hall: Hall) -> None:
    assert isinstance(may_read(hall.view, hall.grant(("sex_code",)).grant, NOW), Permitted)


@pytest.mark.parametrize("state", [s for s in GrantState if s not in (GrantState.ACTIVE, GrantState.EXPIRED)])
def test_a_grant_that_is_not_active_delivers_nothing(hall: Hall, state: GrantState) -> None:
    assert code(hall, hall.grant(("sex_code",), state=state).grant) is RefusalCode.E_NO_GRANT


def test_an_expired_grant_delivers_nothing_from_midnight_in_shanghai_on(hall: Hall) -> None:
    grant = hall.grant(("sex_code",), valid_until=date(2026, 6, 30)).grant
    midnight = datetime(2026, 7, 1, tzinfo=SHANGHAI)
    assert code(hall, grant, midnight - timedelta(seconds=1)) is None
    assert code(hall, grant, midnight) is RefusalCode.E_GRANT_EXPIRED
    assert code(hall, grant, datetime(2025, 12, 31, 23, 59, tzinfo=SHANGHAI)) is RefusalCode.E_GRANT_EXPIRED
    assert next_change_at(hall.view, grant, NOW) == midnight
    assert code(hall, hall.grant(("sex_code",), state=GrantState.EXPIRED).grant) is RefusalCode.E_GRANT_EXPIRED


def test_a_grant_without_statute_delivers_nothing(hall: Hall) -> None:
    assert code(hall, hall.grant(("sex_code",), legal_basis=None).grant) is RefusalCode.E_NO_LEGAL_BASIS


def test_a_conditional_field_needs_an_agreement_in_force(hall: Hall) -> None:
    fields = ("household_address",)
    assert code(hall, hall.grant(fields).grant) is None
    assert code(hall, hall.grant(fields, agreement=None).grant) is RefusalCode.E_NO_AGREEMENT
    over = Agreement(
        number="1",
        signed_by_provider=date(2025, 1, 1),
        signed_by_subscriber=date(2025, 1, 1),
        valid_from=date(2025, 1, 1),
        valid_until=date(2026, 5, 31),
    )
    assert code(hall, hall.grant(fields, agreement=over).grant) is RefusalCode.E_NO_AGREEMENT


def test_an_unconditional_field_needs_no_agreement(hall: Hall) -> None:
    assert code(hall, hall.grant(("sex_code",), agreement=None).grant) is None


def test_a_field_that_is_not_shared_needs_a_decision_too(hall: Hall) -> None:
    basis = LegalBasis(title="保守国家秘密法", article="1", level="LAW")
    policy = FieldPolicy(sharing=SharingClass.NOT_SHARED, legal_basis=basis)
    hall.publish(packaged_text(PERMIT), version=2, fields={"household_address": policy})
    assert code(hall, hall.grant(("household_address",)).grant) is RefusalCode.E_FIELD_NOT_GRANTED
    assert code(hall, hall.grant(("household_address",), confirmation_number="QR-1").grant) is None


def test_a_field_that_does_not_exist_is_never_granted(hall: Hall) -> None:
    grant = hall.grant(("sex_code",)).grant.model_copy(update={"fields": ("sex_code", "nickname")})
    assert code(hall, grant) is RefusalCode.E_FIELD_NOT_GRANTED


def test_a_subscriber_that_is_not_connected_gets_nothing(hall: Hall) -> None:
    hall.agency(STATS, state=OnboardingState.CHECKED)
    assert code(hall, hall.grant(("sex_code",)).grant) is RefusalCode.E_NOT_ONBOARDED


def test_a_retired_entry_delivers_nothing(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, state="RETIRED")
    assert code(hall, hall.grant(("sex_code",)).grant) is RefusalCode.E_NOT_IN_CATALOGUE
