"""The main job on real Kafka: a city at work, and changes for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bus import Change
from tests.builders import permit
from tests.city import City
from tests.threads import running


def now() -> datetime:
    """The time of a change that happens."""
    return datetime.now(UTC)


def changes(count: int, seed: int = 1, **fields: object) -> list[Change]:
    """Changes of as many permits; `fields` replace what was made."""
    return [Change(permit(seed + index, **fields), now()) for index in range(count)]


@contextmanager
def at_work(city: City) -> Iterator[tuple[City, str, str]]:
    """The city with a full grant and a county grant without identity, admit and deliver running; and both grants."""
    full = city.add_grant("full")
    county = city.add_grant("county", ("sex_code", "residence_county"), rows={"divisions": ["441302"]})
    city.apply()
    with running(city.settings, "admit", "deliver"):
        yield city, full, county
