"""Killed at every step of its numbered sequence, relocate neither loses nor repeats anything, and keeps the order.

What is visible is judged read-committed. The successor is a new worker, as a supervisor would start it.
"""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from bus import Change, Publisher
from bus.demo.people import Maker
from tests.builders import permit
from tests.city import City
from tests.killing import SUBJECTS, kill_at, quick_city
from tests.local_cluster import LocalBus
from tests.threads import running, until

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    return quick_city(local_bus, tmp_path)


@pytest.mark.parametrize("step", [3, 4, 5, 6, 7, 8])
def test_relocate_killed_at_a_step_moves_everything_once(city: City, step: int) -> None:
    links = city.add_resource("identity_link")
    city.apply()
    # Other people at every step: the cities share one cluster, and so its links.
    maker = Maker(Random(step))  # noqa: S311  tests must repeat
    born = date(1980 + step, 1, 1)
    given_up, new = ([maker.citizen_number("441302", born, "1") for _ in range(SUBJECTS)] for _ in range(2))
    old = [permit(subject, id_type="111", id_number=number) for subject, number in enumerate(given_up)]
    topic = f"record.{city.resource}"
    with running(city.settings, "admit"), Publisher(city.owner, settings=city.settings) as publisher:
        admitted = publisher.publish(city.resource, [Change(row, datetime.now(UTC)) for row in old]).receipts()
        pairs = [Change(_link(*numbers), datetime.now(UTC)) for numbers in zip(given_up, new, strict=True)]
        linked = publisher.publish(links, pairs).receipts()
    assert all(receipt.admitted for receipt in (*admitted, *linked))
    kill_at(city.settings, "relocate", step)
    with running(city.settings, "relocate"):
        until(lambda: len(_touched(city, topic, left=True)) >= SUBJECTS, "every move")
    moved, left = (Counter(_touched(city, topic, left=gone)) for gone in (False, True))
    assert moved == left == Counter(str(receipt.event_id) for receipt in admitted)
    standing = {message.key(): message.value() for message in city.read(topic)}
    assert sum(value is not None for value in standing.values()) == SUBJECTS


def _touched(city: City, topic: str, *, left: bool) -> list[str]:
    """The event ids of what the relocate worker wrote: at the old keys, or at the homes."""
    changes = [row["change"] for row in city.data(topic) if row["change"]["moved_at"]]
    return [str(change["event_id"]) for change in changes if (change["operation"] == "MOVE") is left]


def _link(old: str, new: str) -> dict[str, object]:
    numbers = {"old_id_type": "111", "old_id_number": old, "new_id_type": "111", "new_id_number": new}
    return {**numbers, "kind": "CORRECTED", "effective_on": None, "basis": None}
