"""What a source owes, read from the catalogue: class, cycle, and since when."""

from datetime import UTC, date, datetime, timedelta

import pytest

from compliance.catalogue import start_of
from compliance.entry import CatalogueEntry, OwnerRule, SharingPeriod
from compliance.profiles import Law
from processors.freshness.targets import Limits, targets_of
from processors.freshness.words import DAY, MINUTE, millis
from schemas.resource import packaged_text
from schemas.words import FreshnessClass
from tests.builders import PERMIT
from tests.hall import NOW, POLICE, STATS, Hall

LAW = Law.packaged("huizhou-2016")
LIMITS = Limits()


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def versions(hall: Hall) -> tuple[CatalogueEntry, ...]:
    return tuple(hall.view.versions(PERMIT))


def test_a_dynamic_entry_owes_the_laws_target_and_signs_of_life(hall: Hall) -> None:
    [entry] = versions(hall)
    found = targets_of((entry.model_copy(update={"freshness": FreshnessClass.DYNAMIC}),), POLICE, LAW, LIMITS, NOW)
    assert found is not None
    assert (found.freshness, found.source_lag, found.silent_after) == ("DYNAMIC", 15 * MINUTE, 15 * MINUTE)
    shorter = targets_of((entry,), POLICE, Law.packaged("huizhou-2016", targets={"dynamic_update": 60}), LIMITS, NOW)
    assert shorter is not None
    assert shorter.source_lag == MINUTE


@pytest.mark.parametrize(("cycle", "lag"), [("每日", DAY), ("每周", 7 * DAY), ("每月", 31 * DAY), ("每季度", None)])
def test_a_static_entry_owes_its_quarter_and_a_shorter_cycle_where_it_marks_one(
    hall: Hall, cycle: str, lag: int | None
) -> None:
    [entry] = versions(hall)
    static = entry.model_copy(update={"freshness": FreshnessClass.STATIC, "update_frequency": cycle})
    found = targets_of((static,), POLICE, LAW, LIMITS, NOW, "441302")
    assert found is not None
    assert found.source_lag == (None if lag is None else lag + 15 * MINUTE)
    assert (found.silent_after, found.division) == (None, "441302")


def test_who_owns_nothing_owes_nothing(hall: Hall) -> None:
    [entry] = versions(hall)
    assert targets_of((entry,), "stranger", LAW, LIMITS, NOW) is None
    assert targets_of((entry.model_copy(update={"state": "RETIRED"}),), POLICE, LAW, LIMITS, NOW) is None
    assert targets_of((), POLICE, LAW, LIMITS, NOW) is None


def test_the_duty_began_with_the_first_version_that_names_the_owner(hall: Hall) -> None:
    [first] = versions(hall)
    period = SharingPeriod.model_validate({"from": date(2026, 3, 1)})
    first = first.model_copy(update={"sharing_period": period, "published_at": datetime(2026, 2, 1, tzinfo=UTC)})
    taken = datetime(2026, 6, 1, tzinfo=UTC)
    rules = (*first.owners, OwnerRule(agencies=(STATS,), effective_from=taken))
    second = first.model_copy(update={"version": 2, "owners": rules, "published_at": datetime(2026, 5, 1, tzinfo=UTC)})
    old, new = (targets_of((first, second), agency, LAW, LIMITS, NOW) for agency in (POLICE, STATS))
    assert old is not None
    assert new is not None
    assert (old.duty_from, new.duty_from) == (millis(start_of(date(2026, 3, 1))), millis(taken))


def test_an_owner_owes_until_its_rule_ends(hall: Hall) -> None:
    [entry] = versions(hall)
    ends = datetime(2026, 6, 1, tzinfo=UTC)
    going = (entry.owners[0].model_copy(update={"effective_until": ends}),)
    entry = entry.model_copy(update={"owners": going})
    assert targets_of((entry,), POLICE, LAW, LIMITS, ends - timedelta(milliseconds=1)) is not None
    assert targets_of((entry,), POLICE, LAW, LIMITS, ends) is None
