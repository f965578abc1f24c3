"""Admit, may the agency submit this: route, register, catalogue version, owner, review, secrecy."""

from datetime import date, timedelta

import pytest

from compliance.models import OwnerRule, SharingPeriod
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, STATS
from tests.submissions import admitted, refusal, submit

SECOND = timedelta(seconds=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


# -- route and register --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lie", [{"agency": STATS}, {"resource": "household_registration"}])
def test_a_submission_that_names_another_agency_or_resource_than_its_topic_is_refused(
    hall: Hall, lie: dict[str, str]
) -> None:
    assert refusal(hall, submit(hall, **lie)) == "E_ROUTE"


@pytest.mark.parametrize("lack", [{"state": "CHECKED"}, {"state": "APPLIED"}, {"contacts": ()}])
def test_an_agency_that_is_not_connected_or_lacks_its_three_persons_may_not_write(
    hall: Hall, lack: dict[str, object]
) -> None:
    hall.agency(POLICE, **lack)
    assert refusal(hall, submit(hall)) == "E_NOT_ONBOARDED"


def test_a_resource_without_an_entry_is_refused(hall: Hall) -> None:
    message = submit(hall)
    hall.view.apply("catalogue", f"{PERMIT}@1", None)
    assert refusal(hall, message) == "E_NOT_IN_CATALOGUE"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "RETIRED"},
        {"sharing_period": SharingPeriod(from_=date(2026, 6, 2))},
        {"sharing_period": SharingPeriod(from_=date(2020, 1, 1), until=date(2026, 5, 31))},
    ],
)
def test_a_retired_entry_or_one_outside_its_sharing_period_is_refused(hall: Hall, change: dict[str, object]) -> None:
    hall.publish(packaged_text(PERMIT), **change)
    assert refusal(hall, submit(hall)) == "E_NOT_IN_CATALOGUE"


def test_a_sharing_period_is_counted_in_days_of_shanghai(hall: Hall) -> None:
    period = SharingPeriod(from_=date(2026, 6, 1), until=date(2026, 6, 1))
    hall.publish(packaged_text(PERMIT), sharing_period=period)
    midnight = NOW.replace(hour=16) - DAY  # 24:00 of 31 May in Shanghai
    assert refusal(hall, submit(hall, append=midnight - SECOND)) == "E_NOT_IN_CATALOGUE"
    assert admitted(hall, submit(hall, append=midnight))
    assert admitted(hall, submit(hall, append=midnight + DAY - SECOND))
    assert refusal(hall, submit(hall, append=midnight + DAY)) == "E_NOT_IN_CATALOGUE"


def test_a_catalogue_version_that_never_was_is_refused(hall: Hall) -> None:
    assert refusal(hall, submit(hall, catalogue_version=2)) == "E_VERSION"


def test_an_older_version_is_admitted_until_its_grace_is_over(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, published_at=NOW - 10 * DAY, grace_days=10)
    assert admitted(hall, submit(hall, catalogue_version=2))
    assert admitted(hall, submit(hall, append=NOW))
    assert refusal(hall, submit(hall, append=NOW + SECOND)) == "E_VERSION"


def test_the_grace_of_a_version_runs_from_its_own_successor(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, published_at=NOW - 40 * DAY, grace_days=30)
    hall.publish(packaged_text(PERMIT), version=3, published_at=NOW - DAY, grace_days=30)
    assert refusal(hall, submit(hall, catalogue_version=1)) == "E_VERSION"
    assert admitted(hall, submit(hall, catalogue_version=2))


def test_an_agency_that_no_owner_rule_names_is_refused() -> None:
    hall = Hall(packaged_text(PERMIT), OwnerRule(agencies=(STATS,)))
    assert refusal(hall, submit(hall)) == "E_OWNER"


def test_an_owner_rule_binds_from_its_first_instant_to_before_its_last() -> None:
    rule = OwnerRule(agencies=(POLICE,), effective_from=NOW - 2 * DAY, effective_until=NOW - DAY)
    hall = Hall(packaged_text(PERMIT), rule)
    assert refusal(hall, submit(hall, append=NOW - 2 * DAY - SECOND)) == "E_OWNER"
    assert admitted(hall, submit(hall, append=NOW - 2 * DAY))
    assert admitted(hall, submit(hall, append=NOW - DAY - SECOND))
    assert refusal(hall, submit(hall, append=NOW - DAY)) == "E_OWNER"


# -- secrecy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"result": "FAIL"},
        {"reviewed_on": date(2026, 6, 2)},
        {"valid_until": date(2026, 5, 31)},
        {"resource": "household_registration"},
        {"catalogue_version": 2},
    ],
)
def test_a_review_that_failed_or_is_of_another_time_resource_or_version_covers_nothing(
    hall: Hall, change: dict[str, object]
) -> None:
    hall.review(**change)
    assert refusal(hall, submit(hall)) == "E_SECRECY_REVIEW"


def test_a_review_holds_on_its_first_and_last_day(hall: Hall) -> None:
    hall.review(reviewed_on=date(2026, 6, 1), valid_until=date(2026, 6, 1))
    assert admitted(hall, submit(hall))


def test_a_review_that_nobody_filed_or_another_agency_did_covers_nothing(hall: Hall) -> None:
    hall.review(number="R2", agency=STATS)
    for number in ("", "R2", "R9"):
        assert refusal(hall, submit(hall, review_number=number)) == "E_SECRECY_REVIEW"


@pytest.mark.parametrize("classification", ["INTERNAL", "CONFIDENTIAL", "SECRET", "TOP_SECRET", "", "non_secret"])
def test_data_that_are_not_non_secret_are_refused_purged_at_once_and_open_an_incident(
    hall: Hall, classification: str
) -> None:
    message = submit(hall, classification=classification)
    verdict = hall.admit(submit(hall), message)
    assert verdict.codes == [(-1, "E_STATE_SECRET", "classification")]
    assert verdict.outcome.purge == [(message.topic, message.partition, message.offset)]
    [incident] = verdict.incidents
    assert (incident["kind"], incident["agency"], incident["resource"]) == ("STATE_SECRET_FOUND", POLICE, PERMIT)
    assert (incident["topic"], incident["partition"], incident["offset"]) == message[:3]
    assert verdict.outcome.counts["incidents", "STATE_SECRET_FOUND"] == 1
    assert len(verdict.records) == 1, "the submission before it is not affected"


def test_a_batch_that_is_worked_again_opens_the_same_incident(hall: Hall) -> None:
    message = submit(hall, classification="SECRET")
    first, again = hall.admit(message), hall.admit(message)
    assert first.incidents[0]["incident_id"] == again.incidents[0]["incident_id"]


def test_any_other_refusal_purges_nothing(hall: Hall) -> None:
    verdict = hall.admit(submit(hall, review_number="R9"))
    assert not verdict.outcome.purge
    assert not verdict.incidents
