"""A connector tells what its source holds, and it is what the bus holds; after a kill every row has the id it had."""

import json
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bus import Change, Publisher, Subscriber
from bus.keys.store import digest_key
from bus.subscriber import Delivered
from bus.topics import change_topic, digest_topic, record_topic
from bus.wire.clients import Principal
from bus.wire.transaction import COMMIT
from bus.workers.connect import read_config
from connectors.naming import VersionNames
from connectors.table import TableSource
from processors.digests import SourceDigest, Standing, State, compare
from processors.freshness.words import millis
from processors.holding import Holding, digest_of, range_name, range_of
from processors.reports import refused_topic
from schemas.codec import unframe
from schemas.resource import envelope
from tests.builders import permit
from tests.city import City
from tests.killing import kill_at, quick_city
from tests.local_cluster import LocalBus
from tests.source_table import connecting, write_table
from tests.threads import running, until

pytestmark = pytest.mark.kafka

ROWS = 35
QUICK = {"connector_batch_rows": 10, "connector_poll_ms": 50, "connector_digest_s": 0.2}


def run_sql(folder: Path, *statements: str) -> None:
    engine = create_engine(f"sqlite:///{folder / 'source.sqlite'}")
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def change_file(file: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def on_the_bus(city: City) -> set[str]:
    """The event ids of the records that stand."""
    standing: dict[bytes, str] = {}
    for key, row in city.entries(record_topic(city.resource)):
        if row is None or row["change"]["operation"] == "WITHDRAW":
            standing.pop(key, None)
        else:
            standing[key] = str(row["change"]["event_id"])
    return set(standing.values())


def digests(city: City) -> list[SourceDigest]:
    found, topic = [], digest_topic(city.owner)
    for message in city.read(topic):
        framed = unframe(message.value())
        assert framed is not None
        assert message.key() == f"{city.owner}.{city.resource}".encode()
        found.append(SourceDigest.from_datum(envelope("digest").decode_physical(framed[1]), message.timestamp()[1]))
    return found


def holding(ids: set[str]) -> Holding:
    found = Holding()
    for one in ids:
        found.add(one)
    return found


def test_what_a_connector_tells_of_its_source_is_what_the_bus_holds_until_they_differ(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    city = City(local_bus.settings, tmp_path)
    city.apply()
    quick = city.settings.model_copy(update=QUICK)
    file = change_file(write_table(city, tmp_path, ROWS), lambda content: content["source"].update(operation="op"))
    run_sql(
        tmp_path,
        "alter table permits add column op text default 'UPDATE'",
        "update permits set birth_date = '某日' where id = 3",
        "update permits set id_number = 'X' where id = 5",
        "update permits set op = 'WITHDRAW' where id = 7",
    )
    standing, told = Standing(), []

    def compared() -> SourceDigest:
        """Each new digest against the bus as it is now; the newest."""
        nonlocal standing
        found = digests(city)
        for digest in found:
            held = holding(on_the_bus(city))
            standing, difference = compare(standing, digest, held, millis(datetime.now(UTC)))
            told.extend([difference] if difference is not None else [])
        return found[-1]

    with running(city.settings, "admit"), connecting(quick, file):

        def holds_all() -> bool:
            found = digests(city)
            return bool(found) and found[-1].holding == holding(on_the_bus(city)) and found[-1].refused == 2

        until(holds_all, "a digest of all that was admitted")
        ids = on_the_bus(city)
        # One was refused by the connector, one by admit, one was withdrawn.
        assert len(ids) == ROWS - 3
        assert {row["stage"] for row in city.data(refused_topic(city.owner))} == {"CONNECTOR", "ADMIT"}
        assert {uuid.UUID(one).version for one in ids} == {8}
        newest = digests(city)[-1]
        assert newest.complete_until is not None
        assert newest.complete_until <= newest.taken_at <= newest.at
        assert sum(many for _, many, _ in newest.holding.ranges()) == len(ids)

        # A row goes without a mark: nobody told the bus.
        run_sql(tmp_path, "delete from permits where id = 9")
        until(lambda: bool(compared() and told), "the difference")
        [lost] = {digest_of(one) for one in ids} - {digest_of(one) for one in of_the_source(city, file)}
        [difference] = told
        name, source_count, bus_count = difference.ranges[0]
        assert (difference.state, len(difference.ranges), name) == (State.OPEN, 1, range_name(range_of(lost)))
        assert bus_count == source_count + 1


def of_the_source(city: City, file: Path) -> set[str]:
    """The ids of the table's rows, computed beside the connector; those that it can read."""
    config = read_config(file)
    names = VersionNames(digest_key(Principal.agency(city.settings, city.owner).folder), config.agency, config.resource)
    source = TableSource(config.source, city.schema, names)
    found = source.read(None, 1_000, datetime.now(UTC)).rows
    source.close()
    return {row.event_id for row in found if isinstance(row, Change)}


def test_a_row_has_the_same_id_after_a_kill_and_under_another_name_of_its_connector(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    city = quick_city(local_bus, tmp_path)
    city.apply()
    quick = city.settings.model_copy(update=QUICK)
    file = write_table(city, tmp_path, ROWS)
    expected = of_the_source(city, file)
    assert len(expected) == ROWS

    def published() -> Counter[str]:
        rows = city.data(change_topic(city.owner, city.resource))
        return Counter(str(change["event_id"]) for row in rows for change in row["changes"])

    # Killed with its first transaction open: what it wrote is never seen, and is written again.
    kill_at(quick, "connector", COMMIT, str(file))
    assert published() == Counter()
    with connecting(quick, file):
        until(lambda: sum(published().values()) >= ROWS, "every row")
        until(lambda: bool(digests(city)), "a digest")
    assert published() == Counter(expected)
    assert digests(city)[-1].holding == holding(expected)
    change_file(file, lambda content: content.update(name=f"again-{city.suffix}"))
    with connecting(quick, file):
        until(lambda: sum(published().values()) >= 2 * ROWS, "every row again")
    assert published() == Counter(dict.fromkeys(expected, 2))


def test_what_was_refused_and_is_admitted_when_the_source_is_read_anew_is_in_the_digest(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    city = City(local_bus.settings, tmp_path)
    city.apply()
    quick = city.settings.model_copy(update=QUICK)
    file = write_table(city, tmp_path, ROWS)
    run_sql(tmp_path, "update permits set residence_township = null")
    with running(city.settings, "admit"):
        with connecting(quick, file):
            until(lambda: bool(digests(city)) and digests(city)[-1].refused == ROWS, "a digest without a row")
        assert list(digests(city)[-1].holding.ranges()) == []
        city.add_version(published_at=(datetime.now(UTC) - timedelta(days=1)).isoformat(), grace_days=0)
        city.versions[1]["fields"]["residence_township"]["required"] = False
        city.apply()
        change_file(file, lambda content: content.update(name=f"again-{city.suffix}"))
        with connecting(quick, file):
            until(lambda: len(on_the_bus(city)) == ROWS, "the admission of every row")
            until(lambda: digests(city)[-1].holding == holding(on_the_bus(city)), "a digest of every row")
        assert digests(city)[-1].refused == 0


def test_a_record_that_returns_to_an_earlier_version_reaches_its_subscriber_and_a_repeat_does_not(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    city = City(local_bus.settings, tmp_path)
    grant = city.add_grant("permits")
    city.apply()
    at = datetime.now(UTC)
    before, after = (
        Change(permit(1, residence_address_detail=detail), at, event_id=str(uuid.uuid4())) for detail in ("甲", "乙")
    )
    with running(city.settings, "admit", "deliver"), Publisher(city.owner, settings=city.settings) as publisher:
        for change in (before, before, after, before):
            publication = publisher.publish(city.resource, [change])
            publisher.flush()
            assert [receipt.admitted for receipt in publication.receipts()] == [True]
        with Subscriber(city.subscriber, grant=grant, settings=city.settings, positions={}) as subscriber:
            seen: list[Delivered] = []

            def has_three() -> bool:
                seen.extend(subscriber.batch(10))
                return len(seen) >= 3

            until(has_three, "three versions")
            assert [record.event_id for record in seen] == [before.event_id, after.event_id, before.event_id]
            assert subscriber.poll(1.0) is None
            # Read once more from the beginning by the same program: all of it was returned already.
            subscriber.go_to({})
            assert subscriber.poll(2.0) is None
