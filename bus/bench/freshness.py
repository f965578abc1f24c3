"""`python -m bus.bench.freshness`: how fast a freshness worker catches up with pulses, and in how much memory.

Pulses stand on Kafka as admit writes them, in transactions, over the sources of the demo's register. Then a worker
begins with nothing, and the time counts until it leads. The last line is one JSON object.
"""

import json
import shutil
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bus.cli.demo import demo_settings
from bus.demo.register import AGENCIES, write_register
from bus.freshness.worker import FreshnessWorker
from bus.local import cluster
from bus.local.certificates import issue_agency
from bus.provision.register import apply_register_file
from bus.register.place import opened
from bus.settings import Settings, load
from bus.topics import PULSE
from bus.wire.clients import Principal
from bus.wire.deadline import Deadline
from bus.wire.registry import Registry
from bus.wire.transaction import Transactions
from compliance.view import RegisterView
from schemas.resource import envelope

_TOGETHER = 500
_LOOK_S = 0.1
_PATIENCE_S = 3_600.0
# Between two pulses, so that a million of them lie within the week that they are kept.
_STEP_MS = 500


def sources(view: RegisterView) -> list[tuple[str, str]]:
    """Agency and resource of everything that somebody owes."""
    return sorted(
        {
            (code, entry.resource)
            for entry in view.entries()
            for rule in entry.owners
            for code in rule.agencies
            if view.agency(code)
        }
    )


def write(settings: Settings, found: list[tuple[str, str]], number: int) -> float:
    """So many pulses, the last of them now; the seconds that it took."""
    principal, codec = Principal.role(settings, "operator"), envelope("pulse")
    head = Registry(settings, principal).head(PULSE.pattern, codec)
    writer = Transactions(settings, principal, "bench.freshness")
    writer.start()
    begun, now = time.perf_counter(), time.time_ns() // 1_000_000
    for first in range(0, number, _TOGETHER):
        rows = []
        for at in range(first, min(first + _TOGETHER, number)):
            agency, resource = found[at % len(found)]
            datum = _pulse(agency, resource, now - (number - at) * _STEP_MS)
            rows.append(
                {"key": f"{agency}.{resource}".encode(), "value": head + codec.encode_physical(datum), "partition": 0}
            )
        writer.run({PULSE.pattern: rows}, {}, None)  # type: ignore[dict-item]  # each row is an Outgoing
    return time.perf_counter() - begun


def _pulse(agency: str, resource: str, at: int) -> dict[str, Any]:
    return {
        "agency": agency,
        "resource": resource,
        "admitted": 3,
        "refused": 0,
        "withdrawn": 0,
        "corrected": 0,
        "earliest_business_time": at - 60_000,
        "latest_business_time": at - 30_000,
        "latest_published_at": at - 1_000,
        "earliest_appended_at": at - 500,
        "latest_appended_at": at - 500,
        "admitted_at": at,
    }


def catch_up(settings: Settings) -> dict[str, float]:
    """Seconds until a worker leads that began with what stands on Kafka, and its memory in MB."""
    worker = FreshnessWorker(settings)
    thread = threading.Thread(target=worker.run)
    before, most, begun = resident(), 0.0, time.perf_counter()
    thread.start()
    try:
        deadline = Deadline(_PATIENCE_S, "the lead")
        while not worker.leads:
            deadline.check()
            most = max(most, resident())
            time.sleep(_LOOK_S)
        taken = time.perf_counter() - begun
    finally:
        worker.stop()
        thread.join(60)
    return {"seconds": taken, "memory_before_mb": before, "memory_most_mb": most}


def resident() -> float:
    """The memory of this process, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@click.command()
@click.option("--pulses", default=1_000_000, show_default=True, help="how many")
def bench(pulses: int) -> None:
    """Measure, on a cluster of the bench's own that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="exchange-bus-freshness-"))
    settings = demo_settings(load(state_dir=folder))
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    try:
        cluster.up(settings)
        for code in AGENCIES:
            issue_agency(settings.state_dir, code)
        apply_register_file(settings, write_register(settings.state_dir, datetime.now(UTC)))
        with opened(settings) as register:
            found = sources(register.view())
        figures = {"pulses": float(pulses), "sources": float(len(found)), "written_s": write(settings, found, pulses)}
        click.echo(json.dumps(figures))
        figures |= catch_up(settings)
        figures["pulses_a_second"] = pulses / figures["seconds"]
    finally:
        cluster.down(settings, wipe=True)
        shutil.rmtree(folder, ignore_errors=True)
    click.echo(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    bench()
