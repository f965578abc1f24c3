"""What a source holds and what the bus holds, compared by the worker: a row that went unmarked, a kill, a mended end."""

from pathlib import Path
from typing import Any

import pytest

from bus.crosscheck.worker import CrossCheckWorker
from bus.topics import DIFFERENCE
from processors.holding import digest_of as digest
from processors.holding import range_name, range_of
from tests.city import City
from tests.journey.test_digests import QUICK, ROWS, of_the_source, on_the_bus, run_sql
from tests.local_cluster import LocalBus
from tests.source_table import connecting, write_table
from tests.threads import in_thread, leads, running, until

pytestmark = pytest.mark.kafka


def told(city: City) -> list[dict[str, Any]]:
    found = []
    for key, row in city.decoded(DIFFERENCE.pattern):
        if row["agency"] == city.owner:
            assert key == f"{city.owner}.{city.resource}".encode()
            found.append(row)
    return found


def test_a_row_that_goes_without_a_mark_is_told_and_closed_once_it_is_back(local_bus: LocalBus, tmp_path: Path) -> None:
    settings = local_bus.settings.model_copy(update={"session_timeout_ms": 6_000})
    city = City(settings, tmp_path)
    city.apply()
    file = write_table(city, tmp_path, ROWS)
    store = settings.state_dir / "crosscheck"
    with running(settings, "admit"), connecting(settings.model_copy(update=QUICK), file):
        until(lambda: len(on_the_bus(city)) == ROWS, "every row")
        everything = of_the_source(city, file)
        run_sql(
            tmp_path, "create table aside as select * from permits where id = 9", "delete from permits where id = 9"
        )
        [lost] = everything - of_the_source(city, file)
        with in_thread(CrossCheckWorker(settings, checks=()), leads):
            until(lambda: bool(told(city)), "the difference")
        [opened] = told(city)
        [differing] = opened["ranges"]
        assert (opened["state"], opened["refused"]) == ("OPEN", 0)
        assert differing["key_range"] == range_name(range_of(digest(lost)))
        assert differing["bus_count"] == differing["source_count"] + 1
        # Its store is lost, and meanwhile the row is back: what it told stands on Kafka, and is closed.
        for left in store.iterdir():
            left.unlink()
        run_sql(tmp_path, "insert into permits select * from aside")
        assert of_the_source(city, file) == everything
        with in_thread(CrossCheckWorker(settings, checks=()), leads):
            until(lambda: len(told(city)) > 1, "its end")
        closed = told(city)[-1]
        assert (closed["state"], closed["ranges"], closed["since"]) == ("CLOSED", [], opened["since"])
        assert len(told(city)) == 2
