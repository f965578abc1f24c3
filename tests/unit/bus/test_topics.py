"""The table of topics: names, how each is kept, and that everybody who names a topic means the same."""

import re

import pytest

from bus.settings import Settings
from bus.topics import (
    ALARM,
    CHANGE,
    CURSOR,
    DAY_MS,
    DECLARATION,
    DELIVERY,
    DELIVERY_PULSE,
    DIFFERENCE,
    DIGEST,
    FOREVER,
    FRESHNESS,
    HEARTBEAT,
    HIT,
    INCIDENT,
    KINDS,
    LINK,
    PROGRESS,
    PULSE,
    QUALITY,
    RECEIPT,
    RECORD,
    REFUSED,
    REGISTER,
    RELOCATION,
    TopicKind,
    change_topic,
    cursor_topic,
    declaration_topic,
    digest_topic,
    heartbeat_topic,
    record_topic,
    register_topic,
    topic_config,
)
from compliance.models import MODELS
from processors.reports import receipt_topic, refused_topic
from schemas.resource import envelope, packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import STATS

SETTINGS = Settings(min_insync_replicas=2, replication_factor=3, corridor_retention_ms=3_600_000)
LONGEST_AGENCY, LONGEST_RESOURCE, LONGEST_GRANT = "a" * 40, "r" * 60, "g" * 40


def filled(kind: TopicKind, agency: str = "psb", resource: str = "permit", grant: str = "g-1") -> str:
    values = {"agency": agency, "resource": resource, "grant": grant, "subscriber": agency}
    return re.sub(r"<(\w+)>", lambda found: values[found[1]], kind.pattern)


def config(kind: TopicKind) -> dict[str, str]:
    return topic_config(kind, SETTINGS)


# -- names ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_topic_stands_in_the_table_once() -> None:
    assert [kind.pattern for kind in KINDS] == [
        "change.<agency>.<resource>",
        "record.<resource>",
        "delivery.<subscriber>.<resource>.<grant>",
        "receipt.<agency>",
        "refused.<agency>",
        "cursor.<agency>",
        "pulse",
        "heartbeat.<agency>",
        "declaration.<agency>",
        "digest.<agency>",
        "difference",
        "freshness",
        "alarm",
        "hit",
        "quality",
        "incident",
        "bus.delivery-progress",
        "bus.delivery-pulse",
        "bus.identity-links",
        "bus.relocation-progress",
        "register.agency",
        "register.catalogue",
        "register.review",
        "register.grant",
        "register.outage",
        "register.reckoning",
        "register.waiver",
    ]


def test_whoever_names_a_topic_names_it_as_the_table_does() -> None:
    grant = Hall(packaged_text(PERMIT)).grant(("sex_code",), id="g-1").grant
    assert change_topic("psb", "permit") == filled(CHANGE)
    assert record_topic("permit") == filled(RECORD)
    assert cursor_topic("psb") == filled(CURSOR)
    assert heartbeat_topic("psb") == filled(HEARTBEAT)
    assert declaration_topic("psb") == filled(DECLARATION)
    assert digest_topic("psb") == filled(DIGEST)
    assert receipt_topic("psb") == filled(RECEIPT)
    assert refused_topic("psb") == filled(REFUSED)
    assert grant.topic == filled(DELIVERY, agency=STATS, resource=PERMIT)
    assert tuple(register_topic(kind) for kind in MODELS) == tuple(kind.pattern for kind in REGISTER)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.pattern)
def test_the_longest_name_is_one_that_kafka_takes(kind: TopicKind) -> None:
    name = filled(kind, LONGEST_AGENCY, LONGEST_RESOURCE, LONGEST_GRANT)
    assert re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name)


# -- how they are kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.pattern)
def test_a_topic_has_either_a_schema_of_the_bus_or_one_of_the_catalogue(kind: TopicKind) -> None:
    assert (kind.envelope is None) is (kind.partitions is None) is (kind in (CHANGE, RECORD, DELIVERY))
    if kind.envelope is not None:
        assert envelope(kind.envelope).schema["type"] == "record"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.pattern)
def test_a_topic_is_either_compacted_or_kept_for_a_time(kind: TopicKind) -> None:
    found = config(kind)
    assert found["cleanup.policy"] == ("compact" if kind.compacted else "delete")
    assert ("retention.ms" in found) is not kind.compacted
    assert found["min.insync.replicas"] == "2"
    assert all(isinstance(value, str) for value in found.values())


def test_state_is_compacted_and_reports_are_not() -> None:
    assert {kind.pattern for kind in KINDS if kind.compacted} == {
        kind.pattern
        for kind in (
            *(RECORD, DELIVERY, CURSOR, DIFFERENCE, FRESHNESS, ALARM, HIT, QUALITY, PROGRESS, LINK, RELOCATION),
            *REGISTER,
        )
    }


@pytest.mark.parametrize(
    ("kind", "days"),
    [(RECEIPT, 30), (REFUSED, 180), (PULSE, 7), (DELIVERY_PULSE, 7), (HEARTBEAT, 7), (DIGEST, 35)],
    ids=["receipts", "refusals", "pulses", "delivery pulses", "heartbeats", "digests"],
)
def test_reports_are_kept_for_their_days(kind: TopicKind, days: int) -> None:
    assert config(kind)["retention.ms"] == str(days * DAY_MS)


def test_incidents_and_declarations_are_kept_for_ever() -> None:
    assert config(INCIDENT)["retention.ms"] == config(DECLARATION)["retention.ms"] == str(FOREVER) == "-1"


def test_the_corridor_is_short_lets_oversized_submissions_in_and_keeps_the_brokers_time() -> None:
    assert config(CHANGE) == {
        "cleanup.policy": "delete",
        "retention.ms": "3600000",
        "max.message.bytes": str(SETTINGS.topic_max_bytes),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2",
    }
    assert int(config(CHANGE)["max.message.bytes"]) > SETTINGS.submission_max_bytes


def test_compaction_of_records_waits_a_week_for_the_archiver() -> None:
    assert config(RECORD)["min.compaction.lag.ms"] == str(7 * DAY_MS)
    assert config(RECORD)["delete.retention.ms"] == str(30 * DAY_MS)
    assert config(DELIVERY)["min.compaction.lag.ms"] == str(DAY_MS)


def test_the_time_of_what_a_source_says_is_the_brokers() -> None:
    assert [kind for kind in KINDS if "message.timestamp.type" in config(kind)] == [
        CHANGE,
        HEARTBEAT,
        DECLARATION,
        DIGEST,
    ]


# -- who writes and reads ------------------------------------------------------------------------------------------


def test_no_agency_writes_what_others_rely_on() -> None:
    writers = {kind.pattern: kind.written_by for kind in KINDS}
    assert {name for name, who in writers.items() if "agency" in who} == {
        "change.<agency>.<resource>",
        "refused.<agency>",
        "cursor.<agency>",
        "heartbeat.<agency>",
        "declaration.<agency>",
        "digest.<agency>",
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.pattern)
def test_every_row_says_what_it_holds_and_for_whom(kind: TopicKind) -> None:
    assert kind.holds
    assert kind.written_by
    assert kind.read_by
    assert not kind.holds.endswith(".")
