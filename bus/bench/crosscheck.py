"""`python -m bus.bench.crosscheck`: how long the cross-check worker takes for an initial load; the last line is JSON.

So many records of every checked resource are written onto `record.*` of a cluster of the bench's own, as admit would
write them; what is sealed is noise. Then `bus run crosscheck` starts with an empty store and every rule. Counted is the
time from its start until it is ready: all folded, all judged, all told. Each planted fault must be found, once, by its
own check, and nothing else.
"""

import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import click
from confluent_kafka import Producer

from bus.bench.measure import Process, processes, used
from bus.bench.scene import FAULTS, RecordWriter, event_ids, subject
from bus.cli.demo import demo_settings
from bus.crosscheck.listing import standing_hits
from bus.local import cluster
from bus.local.process import port_is_free
from bus.provision.actual import Cluster
from bus.provision.apply import add, look
from bus.provision.desired import desired
from bus.register.relay import write_events
from bus.settings import Settings, load
from bus.topics import record_topic
from bus.wire.clients import Principal, producer
from bus.wire.deadline import Deadline
from compliance.crosschecks import packaged_crosschecks
from compliance.models import CatalogueEntry, OwnerRule, RegisterModel, SharingPeriod
from compliance.view import RegisterView
from processors.crosscheck.facts import Digester
from schemas.errors import DeadlineError
from schemas.resource import packaged_text, resource_schema
from schemas.words import FreshnessClass, SharingClass

_PARTITIONS = 4
_LONGEST_S = 3_600.0
_LOOK_S = 0.2
_OWNER = "bench"


def entry(resource: str) -> CatalogueEntry:
    """The catalogue entry of a packaged resource."""
    return CatalogueEntry(
        resource=resource,
        version=1,
        name="测试",
        content="测试",
        responsible_department="测试",
        update_frequency="实时",
        platform="市共享平台",
        scope_and_manner="接口",
        sharing_period=SharingPeriod(from_=date(2020, 1, 1)),
        freshness=FreshnessClass.DYNAMIC,
        sharing=SharingClass.CONDITIONAL,
        conditions="依法履职所必需",
        related_systems=("测试系统",),
        owners=(OwnerRule(agencies=(_OWNER,)),),
        partitions=_PARTITIONS,
        published_at=datetime.now(UTC) - timedelta(days=1),
        avro=packaged_text(resource),
    )


def checked_resources() -> list[str]:
    """Every resource that a packaged check looks at."""
    sides = (side for check in packaged_crosschecks().checks for side in (check.left, check.right) if side)
    return sorted({name for side in sides for name in side.resources})


def provision(settings: Settings) -> Cluster:
    """Topics, rights and schemas of every checked resource."""
    models: list[RegisterModel] = [entry(resource) for resource in checked_resources()]
    view = RegisterView()
    for model in models:
        view.apply(model.kind, model.key, model)
    place = Cluster(settings)
    add(place, look(place, desired(view, settings, datetime.now(UTC))))
    write_events(place, models)
    return place


def write(place: Cluster, settings: Settings, records: int) -> tuple[int, Counter[str]]:
    """Write so many records; the number of subjects, and of planted faults by check."""
    rng = Random(44)  # noqa: S311  a bench must repeat
    digester, ids = Digester("c1", rng.randbytes(32)), event_ids(45)
    writers = {}
    for resource in checked_resources():
        schema = resource_schema(packaged_text(resource))
        head = place.registry.head(record_topic(resource), schema.record)
        writers[resource] = RecordWriter(schema, packaged_crosschecks().checks, digester, head, _PARTITIONS, rng)
    out = producer(settings, Principal.role(settings, "operator"))
    written, number, planted = 0, 0, Counter[str]()
    while written < records:
        fault, token, words = subject(number)
        number += 1
        planted.update([] if fault is None else [fault])
        for said in words:
            partition, key, value = writers[said.resource].write(token, said, next(ids))
            _produce(out, record_topic(said.resource), partition, key, value)
            written += 1
    out.flush(settings.request_timeout_s)
    return number, planted


def _produce(out: Producer, topic: str, partition: int, key: bytes, value: bytes) -> None:
    while True:
        try:
            out.produce(topic, key=key, value=value, partition=partition)
        except BufferError:
            out.poll(0.05)
        else:
            out.poll(0)
            return


def ask(port: int, path: str) -> str | None:
    """What the worker says of itself; None where it does not answer, or with an error."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.HTTPError):
        return None


def taken_over(port: int) -> int:
    """How many records it has taken over."""
    lines = (ask(port, "/metrics") or "").splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("bus_crosscheck_records_total{"))


def measure(worker: Process, port: int, records: int) -> dict[str, float]:
    """Watch a worker from its start until it is ready."""
    begun, deadline = time.monotonic(), Deadline(_LONGEST_S, "the worker's readiness")
    folded = most = 0.0
    tenths: list[int] = []
    while ask(port, "/health/ready") is None:
        if worker.poll() is not None:
            raise DeadlineError("the worker ended")
        deadline.check()
        done, memory = taken_over(port), used(worker).rss_mb
        most = max(most, memory)
        if done >= (len(tenths) + 1) * records // 10:
            tenths.append(round(memory))
        if not folded and done >= records:
            folded = time.monotonic() - begun
        time.sleep(_LOOK_S)
    taken, end = time.monotonic() - begun, used(worker)
    return {
        "seconds": round(taken, 1),
        "folded_s": round(folded or taken, 1),
        "records_per_s": round(records / taken),
        "cpu_s": round(end.cpu_s, 1),
        "rss_tenth_mb": tenths[0] if tenths else 0,
        "rss_half_mb": tenths[len(tenths) // 2] if tenths else 0,
        "rss_end_mb": round(end.rss_mb),
        "rss_most_mb": round(max(most, end.rss_mb)),
    }


def free_port() -> int:
    """A port for the worker's metrics."""
    return next(port for port in range(19_600, 19_700) if port_is_free("127.0.0.1", port))


@click.command()
@click.option("--records", default=1_000_000, show_default=True, type=click.IntRange(1_000), help="to write and check")
def bench(records: int) -> None:
    """Measure, on a cluster of the bench's own that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="exchange-bus-crosscheck-"))
    settings = demo_settings(load(state_dir=folder))
    settings = settings.model_copy(update={"metrics_port": free_port()})
    try:
        cluster.up(settings)
        place = provision(settings)
        begun = time.monotonic()
        subjects, planted = write(place, settings, records)
        click.echo(f"{records:,} records of {subjects:,} subjects written in {time.monotonic() - begun:.0f} s")
        with processes(settings, ("bus", "run", "crosscheck")) as (worker,):
            found = measure(worker, settings.metrics_port, records)
        standing = Counter(told.hit.check for told in standing_hits(settings))
        store = settings.state_dir / "crosscheck" / "store.db"
        figures = {
            "records": records,
            "subjects": subjects,
            "hits": sum(standing.values()),
            "checks_that_hit": len(standing),
            **found,
            "store_mb": round(store.stat().st_size / 1e6),
        }
        click.echo(json.dumps(figures))
        if standing != planted:
            raise SystemExit(f"found {dict(standing)}, planted {dict(planted)}")
        if set(planted) != set(FAULTS):
            raise SystemExit("too few records for every fault")
    finally:
        cluster.down(settings, wipe=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    bench()
