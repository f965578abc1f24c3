"""The measurements behind `make bench`; see `bus/bench/__main__.py` for what they are compared with."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import TopicPartition

from bus.settings import Settings
from bus.wire.clients import Principal, admin, consumer
from bus.wire.deadline import Deadline
from bus.wire.table import end_offsets
from bus.workers.supervisor import environment_of
from schemas.errors import DeadlineError

_TICKS = os.sysconf("SC_CLK_TCK")
_LONGEST_S = 3_600.0
_LOOK_S = 0.05
_EVERY = 7
_READ_S = 0.005


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used: processor seconds so far, resident memory now in MB."""

    cpu_s: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """One throughput run, from a tenth of the events to the last.

    Attributes:
        events_per_s: at the last hop.
        cpu_us: processor time an event of each hop's process, microseconds.
        rss_mb: resident memory of each hop's process at a tenth and at the end.
    """

    events_per_s: float
    cpu_us: tuple[float, ...]
    rss_mb: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from publication to a subscriber's read."""

    p50_ms: float
    p99_ms: float
    events: int


Process = subprocess.Popen[bytes]


def used(process: Process) -> Used:
    """Read it from the kernel (proc(5))."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return Used((int(fields[11]) + int(fields[12])) / _TICKS, int(resident.split()[1]) / 1024)


@contextmanager
def processes(settings: Settings, *commands: Sequence[str]) -> Iterator[tuple[Process, ...]]:
    """Python modules as processes of their own, ended by SIGTERM."""
    environment = {**os.environ, **environment_of(settings)}
    started = tuple(
        subprocess.Popen([sys.executable, "-m", *command], env=environment)  # noqa: S603  our own modules
        for command in commands
    )
    try:
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(settings.stop_timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def written(settings: Settings, topic: str, partitions: int) -> Callable[[], int]:
    """A function that tells how many offsets a topic spans; a thousandth of them are transaction markers."""
    client = admin(settings, Principal.role(settings, "operator"))
    places = [(topic, part) for part in range(partitions)]
    return lambda: sum(end_offsets(client, places, settings.request_timeout_s).values())


def throughput(hops: Sequence[Process], counts: Sequence[Callable[[], int]], events: int) -> Throughput:
    """Watch each hop's topic while the hops work off what was prepared; the rate is the last hop's."""
    deadline = Deadline(_LONGEST_S, "the end of a throughput run")
    before: list[_Mark | None] = [None] * len(hops)
    after: list[_Mark | None] = [None] * len(hops)
    while after[-1] is None:
        for index, (hop, count) in enumerate(zip(hops, counts, strict=True)):
            now = count()
            if before[index] is None and now >= events // 10:
                before[index] = _Mark(time.monotonic(), now, used(hop))
            if after[index] is None and now >= events:
                after[index] = _Mark(time.monotonic(), now, used(hop))
        deadline.check()
        time.sleep(_LOOK_S)
    spans = [(begin, end) for begin, end in zip(before, after, strict=True) if begin is not None and end is not None]
    first, last = spans[-1]
    return Throughput(
        (last.count - first.count) / (last.at - first.at),
        tuple((end.used.cpu_s - begin.used.cpu_s) / (end.count - begin.count) * 1e6 for begin, end in spans),
        tuple((begin.used.rss_mb, end.used.rss_mb) for begin, end in spans),
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    """A moment of a run: monotonic seconds, how many had been written, what the hop had used."""

    at: float
    count: int
    used: Used


def latency(
    settings: Settings,
    topic: str,
    partitions: int,
    events: int,
    left_out: int,
    published_ms: Callable[[bytes], float],
    pace: Sequence[str],
) -> Latency:
    """Read a topic from its present end while another process publishes at its pace.

    Args:
        settings: where Kafka is.
        topic: the last hop's.
        partitions: of it.
        events: how many to wait for.
        left_out: how many at the beginning only warm up; of the rest every seventh is timed.
        published_ms: reads the time of publication out of a value, milliseconds since the epoch.
        pace: the publishing module and its arguments.
    """
    reader = consumer(settings, Principal.role(settings, "operator"), "bench.latency", **{"fetch.wait.max.ms": 10})
    client = admin(settings, Principal.role(settings, "operator"))
    places = [(topic, part) for part in range(partitions)]
    ends = end_offsets(client, places, settings.request_timeout_s)
    reader.assign([TopicPartition(name, part, offset) for (name, part), offset in ends.items()])
    timed: list[tuple[float, bytes]] = []
    seen = 0
    deadline = Deadline(_LONGEST_S, "the end of a latency run")
    with processes(settings, pace) as (sender,):
        while seen < events:
            for message in reader.consume(500, _READ_S):
                if message.error() is None:
                    seen += 1
                    if seen > left_out and seen % _EVERY == 0:
                        value = message.value()
                        assert isinstance(value, bytes)  # noqa: S101  what is measured writes no tombstones
                        timed.append((time.time() * 1000, value))
            if sender.poll():
                raise DeadlineError("the sender could not keep to its plan; see what it said")
            deadline.check()
    reader.close()
    # Decoded only now: in the window it would take processor time from what is measured.
    counted = sorted(read_ms - published_ms(value) for read_ms, value in timed)
    return Latency(counted[len(counted) // 2], counted[int(len(counted) * 0.99)], len(counted))
