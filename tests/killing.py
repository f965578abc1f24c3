"""What the tests that kill workers share: a victim that kills itself at a step, submissions in order, what came out."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from bus import Change, Publisher
from bus.settings import Settings
from bus.workers.supervisor import environment_of
from tests.builders import permit
from tests.city import City
from tests.local_cluster import LocalBus
from tests.threads import WAIT_S

STEPS = range(1, 9)
SUBJECTS, VERSIONS = 12, 3


def quick_city(local_bus: LocalBus, folder: Path) -> City:
    """A city whose dead workers' partitions move soon, and their transactions are aborted soon."""
    quick = local_bus.settings.model_copy(update={"session_timeout_ms": 2_000, "batch_max_messages": 10})
    return City(quick, folder)


def kill_at(settings: Settings, kind: str, step: int, *more: str) -> None:
    """Run a victim until it has killed itself at a step; steps that idle turns take too are met a few times first."""
    occurrence = "4" if step in (1, 2) else "1"
    if kind == "intake" or (kind == "connector" and step == 1):
        occurrence = "1"
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.fault.victim", kind, str(step), occurrence, *more],
        env={**os.environ, **environment_of(settings)},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, errors = victim.communicate(timeout=2 * WAIT_S)
    finally:
        victim.kill()
    assert victim.returncode == -signal.SIGKILL, errors[-2000:]


def publish_versions(city: City) -> dict[str, list[str]]:
    """Publish several versions of several permits without waiting; event ids by permit, in order."""
    order: dict[str, list[str]] = defaultdict(list)
    with Publisher(city.owner, settings=city.settings) as publisher:
        for version in range(VERSIONS):
            batch = []
            for subject in range(SUBJECTS):
                row = permit(subject)
                event_id = f"{version:08x}-0000-4000-8000-{subject:012x}"
                order[str(row["residence_permit_number"])].append(event_id)
                batch.append(Change(row, datetime.now(UTC), event_id=event_id))
            publisher.publish(city.resource, batch)
            publisher.flush()
    return order


def orders(city: City, topic: str) -> dict[bytes, list[str]]:
    """Event ids by Kafka key, in the order of the topic."""
    found: dict[bytes, list[str]] = defaultdict(list)
    for key, row in city.decoded(topic):
        found[key].append(str(row.get("event_id") or row["change"]["event_id"]))
    return found


def count(city: City, topic: str) -> int:
    return len(city.data(topic))
