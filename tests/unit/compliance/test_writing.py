"""Who may submit: one code for each reason, in one order."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.catalogue import SHANGHAI
from compliance.decision import Permitted
from compliance.models import NAMED_PERSONS, Contact, ContactRole, OnboardingState, SharingPeriod
from schemas.refusals import RefusalCode, Refused
from schemas.resource import packaged_text
from schemas.words import Classification
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, STATS
from tests.writing import code, decide

TEXT = packaged_text(PERMIT)
SECOND = timedelta(seconds=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(TEXT)


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=SHANGHAI)


def test_a_submission_in_order_is_permitted_and_says_under_which_entry(hall: Hall) -> None:
    assert decide(hall) == Permitted(hall.entry)


def test_an_unknown_agency_is_not_onboarded(hall: Hall) -> None:
    assert code(hall, agency_code="nobody") is RefusalCode.E_NOT_ONBOARDED


@pytest.mark.parametrize("state", [state for state in OnboardingState if state is not OnboardingState.CONNECTED])
def test_an_agency_that_is_not_connected_submits_nothing(hall: Hall, state: OnboardingState) -> None:
    hall.agency(POLICE, state=state)
    assert code(hall) is RefusalCode.E_NOT_ONBOARDED


@pytest.mark.parametrize("lacking", NAMED_PERSONS)
def test_an_agency_without_its_three_named_persons_submits_nothing(hall: Hall, lacking: ContactRole) -> None:
    rest = [Contact(role=role, name="某某", phone="0") for role in ContactRole if role is not lacking]
    hall.agency(POLICE, contacts=(*rest, rest[0]))
    assert code(hall) is RefusalCode.E_NOT_ONBOARDED


def test_a_resource_without_an_entry_in_force_takes_nothing(hall: Hall) -> None:
    assert code(hall, resource="unheard_of") is RefusalCode.E_NOT_IN_CATALOGUE
    hall.publish(TEXT, version=2, state="RETIRED")
    assert code(hall) is RefusalCode.E_NOT_IN_CATALOGUE
    assert code(hall, catalogue_version=2) is RefusalCode.E_NOT_IN_CATALOGUE


def test_the_sharing_period_is_counted_in_days_of_shanghai() -> None:
    hall = Hall(TEXT, sharing_period=SharingPeriod(from_=date(2026, 5, 1), until=date(2026, 6, 30)))
    for at, wanted in (
        (midnight(2026, 5, 1) - SECOND, RefusalCode.E_NOT_IN_CATALOGUE),
        (midnight(2026, 5, 1), None),
        (midnight(2026, 7, 1) - SECOND, None),
        (midnight(2026, 7, 1), RefusalCode.E_NOT_IN_CATALOGUE),
    ):
        assert code(hall, at) is wanted, at


def test_a_version_that_the_catalogue_does_not_have_is_refused(hall: Hall) -> None:
    for version in (-1, 0, 2, 2**31 - 1):
        found = decide(hall, catalogue_version=version)
        assert isinstance(found, Refused)
        assert (found.code, found.field) == (RefusalCode.E_VERSION, "catalogue_version")


def test_an_older_version_counts_until_the_grace_after_its_successor_is_over(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=NOW, grace_days=10)
    assert code(hall, NOW + 10 * DAY) is None
    assert code(hall, NOW + 10 * DAY + SECOND) is RefusalCode.E_VERSION
    assert code(hall, NOW + 10 * DAY + SECOND, catalogue_version=2) is None


def test_the_grace_runs_from_the_next_version_not_from_the_newest(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=NOW, grace_days=10)
    hall.publish(TEXT, version=3, published_at=NOW + 20 * DAY, grace_days=10)
    assert code(hall, NOW + 25 * DAY) is RefusalCode.E_VERSION
    assert code(hall, NOW + 25 * DAY, catalogue_version=2) is None


def test_without_grace_the_older_version_ends_with_the_new_one(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=NOW, grace_days=0)
    assert code(hall, NOW) is None
    assert code(hall, NOW + SECOND) is RefusalCode.E_VERSION


def test_a_grace_to_the_end_of_the_calendar_is_one(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=datetime(9999, 12, 31, tzinfo=UTC), grace_days=36_500)
    assert code(hall) is None
    with pytest.raises(ValueError, match="grace_days"):
        hall.publish(TEXT, version=2, grace_days=1_000_000_000)


def test_a_retired_older_version_has_no_grace(hall: Hall) -> None:
    hall.publish(TEXT, version=1, state="RETIRED")
    hall.publish(TEXT, version=2, published_at=NOW)
    assert code(hall) is RefusalCode.E_VERSION


def test_an_agency_that_no_rule_names_is_no_owner(hall: Hall) -> None:
    assert code(hall, agency_code=STATS) is RefusalCode.E_OWNER


@pytest.mark.parametrize("classification", [*(c.value for c in Classification if c.value != "NON_SECRET"), "", "非密"])
def test_whatever_is_not_plainly_non_secret_is_refused(hall: Hall, classification: str) -> None:
    found = decide(hall, classification=classification)
    assert isinstance(found, Refused)
    assert (found.code, found.field) == (RefusalCode.E_STATE_SECRET, "classification")


@pytest.mark.parametrize(
    ("review", "detail"),
    [
        ({"number": "R2"}, "the agency has no such review of the resource"),
        ({"agency": STATS}, "the agency has no such review of the resource"),
        ({"resource": "household_registration"}, "the agency has no such review of the resource"),
        ({"result": "FAIL"}, "the review did not pass"),
        ({"reviewed_on": date(2026, 6, 2)}, "the review is not valid on the day of submission"),
        ({"valid_until": date(2026, 5, 31)}, "the review is not valid on the day of submission"),
        ({"catalogue_version": 2}, "the review is of a later catalogue version"),
    ],
    ids=str,
)
def test_a_review_that_does_not_cover_the_submission_is_none(hall: Hall, review: dict[str, Any], detail: str) -> None:
    hall.view.apply("review", f"{POLICE}/R1", None)
    hall.review(**review)
    found = decide(hall)
    assert isinstance(found, Refused)
    assert (found.code, found.field, found.detail) == (RefusalCode.E_SECRECY_REVIEW, "review_number", detail)


def test_a_review_is_counted_in_days_of_shanghai(hall: Hall) -> None:
    hall.review(reviewed_on=date(2026, 5, 1), valid_until=date(2026, 6, 30))
    for at, stands in (
        (midnight(2026, 5, 1) - SECOND, False),
        (midnight(2026, 5, 1), True),
        (midnight(2026, 7, 1) - SECOND, True),
        (midnight(2026, 7, 1), False),
    ):
        assert (code(hall, at) is None) is stands, at


def test_a_review_of_an_earlier_version_stands_for_the_later_ones(hall: Hall) -> None:
    hall.publish(TEXT, version=2)
    assert code(hall, catalogue_version=2) is None


def test_of_several_reasons_the_first_in_the_order_of_the_articles_is_told(hall: Hall) -> None:
    """Each step mends what the step before complained of."""
    wrong: dict[str, Any] = {"catalogue_version": 9, "review_number": "R9", "classification": "SECRET"}
    hall.agency(STATS, state=OnboardingState.APPLIED)
    told = [code(hall, agency_code=STATS, resource="unheard_of", **wrong)]
    hall.agency(STATS)
    told.append(code(hall, agency_code=STATS, resource="unheard_of", **wrong))
    told.append(code(hall, agency_code=STATS, **wrong))
    told.append(code(hall, agency_code=STATS, **wrong | {"catalogue_version": 1}))
    told.append(code(hall, **wrong | {"catalogue_version": 1}))
    told.append(code(hall, **wrong | {"catalogue_version": 1, "classification": "NON_SECRET"}))
    assert told == [
        RefusalCode.E_NOT_ONBOARDED,
        RefusalCode.E_NOT_IN_CATALOGUE,
        RefusalCode.E_VERSION,
        RefusalCode.E_OWNER,
        RefusalCode.E_STATE_SECRET,
        RefusalCode.E_SECRECY_REVIEW,
    ]


def test_no_refusal_repeats_what_was_cited(hall: Hall) -> None:
    for name in ("review_number", "classification", "agency_code"):
        found = decide(hall, NOW, **{name: "CANARY"})
        assert isinstance(found, Refused)
        assert "CANARY" not in found.reason_zh + found.reason_en + repr(found)
