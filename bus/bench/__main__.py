"""`make bench`: the bus against a raw exactly-once copy of the same bytes, on this machine, in one run.

(a) raw: every record that admit wrote, as a message of its own, through two exactly-once hops, each a process with the
same clients, batches and transactions as a worker, and nothing done to the bytes. (b) the bus: the same events as
signed submissions of 500 through admit and deliver, under one grant of every field. The last line is one JSON object.
"""

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
from confluent_kafka.cimpl import NewTopic

from bus.bench.city import OWNER, PARTITIONS, RAW_TOPIC, RESOURCE, Maker, register
from bus.bench.measure import Latency, Throughput, latency, processes, throughput, written
from bus.cli.demo import demo_settings
from bus.keys.store import create_keys
from bus.local import cluster
from bus.provision.actual import Cluster
from bus.provision.apply import add, look
from bus.provision.desired import desired
from bus.register.relay import write_events
from bus.settings import Settings, load
from bus.topics import change_topic, record_topic
from bus.wire.clients import Principal, consumer, producer
from compliance.models import Grant
from compliance.view import RegisterView
from schemas.codec import unframe
from schemas.errors import NotProvisionedError
from schemas.resource import packaged_text, resource_schema

_RAW = (RAW_TOPIC, "bench.raw.mid", "bench.raw.out")
_ADMIT, _DELIVER = ("bus", "run", "admit"), ("bus", "run", "deliver")
_RATE = 5_000
# Kafka compiles the code of small transactions while it runs them: its first 20 s of them are its slowest.
_WARM_S, _LATENCY_S = 20, 20
_SUBMISSION = 500


def provision(settings: Settings) -> Grant:
    """The bench's register, topics, rights and schemas."""
    models, grant = register(settings)
    create_keys(settings.state_dir)
    view = RegisterView()
    for model in models:
        view.apply(model.kind, model.key, model)
    place = Cluster(settings)
    add(place, look(place, desired(view, settings, datetime.now(UTC))))
    write_events(place, models)
    for future in place.admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in _RAW]).values():
        place.wait(future, "cannot create the raw topics")
    return grant


def prepare(settings: Settings, events: int) -> None:
    """Write the submissions that the bus will work off."""
    topic = change_topic(OWNER, RESOURCE)
    head = Cluster(settings).registry.head(topic, resource_schema(packaged_text(RESOURCE)).submission)
    maker = Maker(settings, head, min(100_000, max(1_000, events // 5)))
    writer = producer(settings, Principal.role(settings, "operator"))
    for made in maker.submissions(events, _SUBMISSION):
        writer.produce(topic, value=made.value, partition=made.partition, headers=made.headers)  # type: ignore[arg-type]  # its list is declared invariant
        writer.poll(0)
    writer.flush(settings.request_timeout_s)


def prepare_raw(settings: Settings, events: int) -> None:
    """Write the same bytes that admit wrote, one message an event."""
    operator = Principal.role(settings, "operator")
    reader, writer = consumer(settings, operator, "bench.prepare"), producer(settings, operator)
    reader.subscribe([record_topic(RESOURCE)])
    copied = 0
    while copied < events:
        for message in reader.consume(5_000, 1.0):
            if message.error() is None and copied < events:
                while True:
                    try:
                        writer.produce(
                            _RAW[0], value=message.value(), key=message.key(), partition=message.partition() or 0
                        )
                    except BufferError:
                        writer.poll(0.05)
                    else:
                        break
                copied += 1
        writer.poll(0)
    writer.flush(settings.request_timeout_s)
    reader.close()


def show(name: str, found: Throughput, steps: tuple[str, ...]) -> None:
    """One run for people."""
    click.echo(f"{name}: {found.events_per_s:,.0f} events/s")
    for step, cpu, (begin, end) in zip(steps, found.cpu_us, found.rss_mb, strict=True):
        click.echo(f"  {step}: {cpu:.1f} µs processor time an event, {begin:.0f} → {end:.0f} MB resident")


@click.command()
@click.option("--events", default=500_000, show_default=True, type=click.IntRange(10_000), help="events of each run")
def bench(events: int) -> None:
    """Measure, on a cluster of the bench's own that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="exchange-bus-bench-"))
    settings = demo_settings(load(state_dir=folder))
    try:
        cluster.up(settings)
        run(settings, events)
    finally:
        cluster.down(settings, wipe=True)
        shutil.rmtree(folder, ignore_errors=True)


def run(settings: Settings, events: int) -> None:
    """All measurements, in order."""
    grant = provision(settings)
    codec = resource_schema(packaged_text(RESOURCE)).delivery(grant.fields)

    def published_ms(value: bytes) -> float:
        framed = unframe(value)
        if framed is None:
            raise NotProvisionedError("a delivery is not in Confluent's wire format")
        return float(codec.decode_physical(framed[1])["published_at"])

    def paced(topic: str, kind: str, rate: int) -> Latency:
        warm, count = rate * _WARM_S, rate * (_WARM_S + _LATENCY_S)
        reader = published_ms if kind == "bus" else raw_ms
        pace = ("bus.bench.pace", kind, str(rate), str(count))
        return latency(settings, topic, PARTITIONS, count, warm, reader, pace)

    def raw_ms(value: bytes) -> float:
        return int.from_bytes(value[:8], "big") / 1e6

    click.echo(f"preparing {events:,} events")
    prepare(settings, events)
    with processes(settings, _ADMIT, _DELIVER) as workers:
        counts = [written(settings, topic, PARTITIONS) for topic in (record_topic(RESOURCE), grant.topic)]
        bus = throughput(workers, counts, events)
        show("bus", bus, ("admit", "deliver"))
        full, half = (paced(grant.topic, "bus", rate) for rate in (_RATE, _RATE // 2))
    for found, rate in ((full, _RATE), (half, _RATE // 2)):
        click.echo(f"bus at {rate:,}/s: p50 {found.p50_ms:.0f} ms, p99 {found.p99_ms:.0f} ms")
    prepare_raw(settings, events)
    copies = (("bus.bench.raw", _RAW[0], _RAW[1]), ("bus.bench.raw", _RAW[1], _RAW[2]))
    with processes(settings, *copies) as hops:
        raw = throughput(hops, [written(settings, topic, PARTITIONS) for topic in _RAW[1:]], events)
        show("raw copy", raw, ("first hop", "second hop"))
        raw_full = paced(_RAW[2], "raw", _RATE)
    click.echo(f"raw copy at {_RATE:,}/s: p50 {raw_full.p50_ms:.0f} ms, p99 {raw_full.p99_ms:.0f} ms")
    figures = {
        "events": events,
        "events_per_s": round(bus.events_per_s),
        "raw_events_per_s": round(raw.events_per_s),
        "ratio": round(bus.events_per_s / raw.events_per_s, 3),
        "admit_us": round(bus.cpu_us[0], 1),
        "deliver_us": round(bus.cpu_us[1], 1),
        "rss_mb": round(max(end for _, end in bus.rss_mb)),
        "p50_ms": round(full.p50_ms, 1),
        "p99_ms": round(full.p99_ms, 1),
        "p99_half_load_ms": round(half.p99_ms, 1),
        "raw_p50_ms": round(raw_full.p50_ms, 1),
        "raw_p99_ms": round(raw_full.p99_ms, 1),
    }
    click.echo(json.dumps(figures))


if __name__ == "__main__":
    bench()
