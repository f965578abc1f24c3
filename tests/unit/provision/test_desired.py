"""What must exist, derived from the register alone: topics, schemas, rights, and what has ended."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bus.provision.desired import FIXED, Desired, Life, desired, life_of
from bus.provision.rights import agency_rights, grant_right, worker_rights
from bus.settings import Settings
from bus.topics import CHANGE, DELIVERY, KINDS, RECORD, TopicKind, topic_config
from compliance.catalogue import SHANGHAI
from compliance.models import Grant, GrantState, OnboardingState, OwnerRule, RegisterModel
from compliance.view import RegisterView
from schemas.errors import UsageError
from schemas.resource import envelope, packaged_text, resource_schema
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, STATS

TEXT = packaged_text(PERMIT)
SETTINGS = Settings(replication_factor=3, min_insync_replicas=2)
RECORDS, CHANGES = f"record.{PERMIT}", f"change.{POLICE}.{PERMIT}"
FIXED_NAMES = {kind.pattern for kind in FIXED}


@pytest.fixture
def hall() -> Hall:
    return Hall(TEXT, partitions=5)


def wanted(hall: Hall, at: datetime = NOW) -> Desired:
    return desired(hall.view, SETTINGS, at)


def granted(hall: Hall, fields: tuple[str, ...] = ("sex_code",), **changes: Any) -> Grant:
    grant = hall.grant(fields, **changes).grant
    hall.view.apply("grant", grant.id, grant)
    return grant


def wider(name: str = "nickname") -> str:
    """The schema with one field more."""
    content = json.loads(TEXT)
    content["fields"].append(
        {"name": name, "type": ["null", "string"], "default": None, "cn": "别名", "section": "open"}
    )
    return json.dumps(content)


# -- topics --------------------------------------------------------------------------------------------------------


def test_an_empty_register_asks_for_the_buss_own_topics_and_the_workers_rights() -> None:
    found = desired(RegisterView(), SETTINGS, NOW)
    assert set(found.topics) == FIXED_NAMES
    assert found.rights == worker_rights()
    assert (found.known, found.ended, found.due) == ({}, (), {})


def test_every_agency_has_its_reports_and_every_owner_its_corridor(hall: Hall) -> None:
    reports = {
        f"{kind}.{code}"
        for kind in ("receipt", "refused", "cursor", "heartbeat", "declaration", "digest")
        for code in (POLICE, STATS)
    }
    assert set(wanted(hall).topics) == FIXED_NAMES | reports | {RECORDS, CHANGES}


@pytest.mark.parametrize(
    ("name", "kind", "partitions"),
    [
        (RECORDS, RECORD, 5),
        (CHANGES, CHANGE, 5),
        ("delivery.stats.residence_permit.g1", DELIVERY, 5),
    ],
)
def test_what_a_catalogue_entry_asks_for_has_its_partitions(
    hall: Hall, name: str, kind: TopicKind, partitions: int
) -> None:
    granted(hall)
    topic = wanted(hall).topics[name]
    assert (topic.name, topic.partitions, topic.replication_factor) == (name, partitions, 3)
    assert topic.config == topic_config(kind, SETTINGS)


def test_everything_else_has_one_partition_as_the_table_says(hall: Hall) -> None:
    topics = wanted(hall).topics
    assert {topic.partitions for name, topic in topics.items() if name not in (RECORDS, CHANGES)} == {1}
    assert {topic.replication_factor for topic in topics.values()} == {3}
    assert {topic.config["min.insync.replicas"] for topic in topics.values()} == {"2"}
    assert all(kind.pattern in topics for kind in KINDS if "<" not in kind.pattern)


def test_an_owner_of_any_version_keeps_its_corridor_and_one_that_is_not_registered_gets_none(hall: Hall) -> None:
    hall.publish(TEXT, version=2, partitions=5, owners=(OwnerRule(agencies=(STATS, "stranger")),))
    corridors = {name for name in wanted(hall).topics if name.startswith("change.")}
    assert corridors == {CHANGES, f"change.{STATS}.{PERMIT}"}


def test_an_agency_that_is_not_connected_yet_has_its_topics_too(hall: Hall) -> None:
    """Admit refuses what it publishes, and the reason must reach it."""
    hall.agency(POLICE, state=OnboardingState.APPLIED, contacts=())
    found = wanted(hall)
    assert CHANGES in found.topics
    assert agency_rights(POLICE) <= found.rights


def test_a_retired_entry_keeps_its_topics(hall: Hall) -> None:
    hall.publish(TEXT, version=1, state="RETIRED", partitions=5)
    assert {RECORDS, CHANGES} <= set(wanted(hall).topics)


# -- schemas -------------------------------------------------------------------------------------------------------


def test_every_topic_has_the_schema_of_its_values(hall: Hall) -> None:
    grant = granted(hall)
    found = wanted(hall)
    layout = resource_schema(TEXT)
    assert set(found.schemas) == set(found.topics)
    assert [codec.text for codec in found.schemas[RECORDS]] == [layout.record.text]
    assert [codec.text for codec in found.schemas[CHANGES]] == [layout.submission.text]
    assert [codec.text for codec in found.schemas[grant.topic]] == [layout.delivery(grant.fields).text]
    assert found.schemas[f"receipt.{POLICE}"] == (envelope("receipt"),)
    assert found.schemas["register.grant"] == (envelope("register_grant"),)


def test_the_schemas_of_all_versions_are_registered_oldest_first_and_each_once(hall: Hall) -> None:
    hall.publish(wider(), version=2, partitions=5)
    hall.publish(wider(), version=3, partitions=5, update_frequency="每日")
    texts = [codec.text for codec in wanted(hall).schemas[CHANGES]]
    assert texts == [resource_schema(text).submission.text for text in (TEXT, wider())]


def test_a_delivery_has_the_schemas_of_the_versions_that_have_its_fields(hall: Hall) -> None:
    hall.publish(wider(), version=2, partitions=5)
    old, new = granted(hall, id="old"), granted(hall, ("sex_code", "nickname"), id="new")
    found = wanted(hall).schemas
    # Of a field that both versions have, the projection is the same: one schema.
    assert [codec.text for codec in found[old.topic]] == [resource_schema(TEXT).delivery(old.fields).text]
    assert [codec.text for codec in found[new.topic]] == [resource_schema(wider()).delivery(new.fields).text]


# -- rights --------------------------------------------------------------------------------------------------------


def test_rights_are_the_agencies_the_workers_and_the_readable_grants(hall: Hall) -> None:
    grant = granted(hall)
    everybody = worker_rights() | agency_rights(POLICE) | agency_rights(STATS)
    assert wanted(hall).rights == everybody | {grant_right(grant)}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": GrantState.PENDING},
        {"state": GrantState.SUSPENDED},
        {"state": GrantState.REVOKED},
        {"valid_from": date(2026, 6, 2)},
        {"valid_until": date(2026, 5, 31)},
        {"legal_basis": None},
        {"fields": ("household_address",), "agreement": None},
        {"subscriber": "stranger"},
    ],
    ids=str,
)
def test_a_grant_that_may_not_be_read_gives_no_right(hall: Hall, changes: dict[str, Any]) -> None:
    grant = granted(hall).model_copy(update=changes)
    hall.view.apply("grant", grant.id, grant)
    assert grant_right(grant) not in wanted(hall).rights


def test_a_subscriber_that_is_not_connected_reads_nothing(hall: Hall) -> None:
    grant = granted(hall)
    hall.agency(STATS, state=OnboardingState.CHECKED)
    found = wanted(hall)
    assert grant_right(grant) not in found.rights
    assert grant.topic in found.topics


def test_an_agency_with_the_buss_own_code_stops_everything(hall: Hall) -> None:
    hall.agency("bus")
    with pytest.raises(UsageError, match="agency code bus is the bus's own"):
        wanted(hall)


# -- the life of a grant -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(GrantState))
def test_a_grants_topic_lives_while_it_is_active_or_suspended(hall: Hall, state: GrantState) -> None:
    grant = granted(hall, state=state)
    found = wanted(hall)
    lives = state in (GrantState.ACTIVE, GrantState.SUSPENDED)
    assert (grant.topic in found.topics) is lives
    assert (grant in found.ended) is (not lives and state is not GrantState.PENDING)


def test_a_grant_ends_by_itself_after_its_last_day_in_shanghai(hall: Hall) -> None:
    grant = granted(hall, valid_until=date(2026, 6, 30))
    midnight = datetime(2026, 7, 1, tzinfo=SHANGHAI)
    second = timedelta(seconds=1)
    assert life_of(grant, midnight - second) is Life.DELIVERABLE
    assert life_of(grant, midnight) is Life.ENDED
    before, later = wanted(hall, midnight - second), wanted(hall, midnight)
    assert (before.ended, later.ended) == ((), (grant,))
    assert grant_right(grant) in before.rights
    assert grant_right(grant) not in later.rights
    assert before.due == {"g1": midnight}
    assert later.due == {}


def test_a_grant_until_the_end_of_the_calendar_never_ends(hall: Hall) -> None:
    grant = granted(hall, valid_until=date.max)
    assert life_of(grant, NOW + 365_000 * DAY) is Life.DELIVERABLE


def test_of_an_ended_grant_the_schemas_are_still_known(hall: Hall) -> None:
    grant = granted(hall, state=GrantState.ENDED)
    found = wanted(hall)
    assert [codec.text for codec in found.known[grant.topic]] == [resource_schema(TEXT).delivery(grant.fields).text]
    assert grant.topic not in found.schemas


def test_a_grant_on_a_resource_without_entry_asks_for_nothing(hall: Hall) -> None:
    grant = granted(hall)
    hall.view.apply("catalogue", f"{PERMIT}@1", None)
    found = wanted(hall)
    assert grant.topic not in found.topics
    assert grant_right(grant) not in found.rights


# -- a pure function -----------------------------------------------------------------------------------------------


def test_the_same_register_asks_for_the_same_whatever_order_it_came_in(hall: Hall) -> None:
    hall.publish(wider(), version=2, partitions=5)
    granted(hall, id="g2")
    granted(hall, id="g1", state=GrantState.REVOKED)
    again = RegisterView()
    view = hall.view
    models: list[RegisterModel] = [*view.agencies(), *view.versions(PERMIT), *view.reviews(), *view.grants()]
    for model in reversed(models):
        again.apply(model.kind, model.key, model)
    one, other = wanted(hall), desired(again, SETTINGS, NOW)
    assert one.topics == other.topics
    assert one.rights == other.rights
    assert {name: [codec.text for codec in codecs] for name, codecs in one.schemas.items()} == {
        name: [codec.text for codec in codecs] for name, codecs in other.schemas.items()
    }
