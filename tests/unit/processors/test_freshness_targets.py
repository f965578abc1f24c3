"""What a source owes, read from the catalogue: class, cycle, and since when."""

from datetime import UTC, date, datetime, timedelta

import pytest

from compliance.catalogue import start_of
from compliance.entry import CatalogueEntry, FieldGroup, OwnerRule, SharingPeriod
from compliance.profiles import Law
from processors.freshness.targets import Limits, group_targets, targets_of
from processors.freshness.words import DAY, MINUTE, millis
from schemas.resource import packaged_text
from schemas.words import FreshnessClass
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import NOW, POLICE, STATS

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


def test_a_group_owes_its_own_class_and_cycle_since_it_was_named_and_the_buss_lags_are_told_at_the_resource(
    hall: Hall,
) -> None:
    [first] = versions(hall)
    looks = FieldGroup(fields=("sex_code",), freshness=FreshnessClass.STATIC, update_frequency="每月")
    named = {"field_groups": {"looks": looks, "rest": FieldGroup(fields=("name",))}}
    days = [datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4)]
    entries = tuple(
        first.model_copy(update={"version": number, "published_at": day, **more})
        for number, day, more in zip((1, 2, 3), days, ({}, named, named), strict=True)
    )
    whole = targets_of(entries, POLICE, LAW, LIMITS, NOW, "441302")
    assert whole is not None
    found, rest = (group_targets(entries, name, whole, LAW, LIMITS) for name in ("looks", "rest"))
    assert found is not None
    assert rest is not None
    assert (found.freshness, found.source_lag, found.silent_after) == ("STATIC", 31 * DAY + 15 * MINUTE, None)
    assert (rest.freshness, rest.source_lag, rest.silent_after) == ("DYNAMIC", whole.source_lag, whole.silent_after)
    assert found.duty_from == rest.duty_from == millis(days[1]) != whole.duty_from
    assert (found.division, found.bus_lag, found.delivery_lag, found.refused_share) == ("441302", None, None, None)
    assert group_targets(entries, "nothing", whole, LAW, LIMITS) is None
    # What was named once and is no more is owed no more; named again, it is owed since then.
    gone = entries[2].model_copy(update={"version": 4, "field_groups": {}})
    assert group_targets((*entries, gone), "looks", whole, LAW, LIMITS) is None
    again = entries[2].model_copy(update={"version": 5, "published_at": datetime(2026, 6, 1, tzinfo=UTC)})
    late = group_targets((*entries, gone, again), "looks", whole, LAW, LIMITS)
    assert late is not None
    assert late.duty_from == millis(datetime(2026, 6, 1, tzinfo=UTC))
