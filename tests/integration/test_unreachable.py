"""Where no Kafka answers: every command and client says so in one sentence, in its time, and ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bus import Publisher, Subscriber
from bus.keys.store import create_keys
from bus.local.certificates import issue_agency, issue_bus
from bus.metrics import Metrics
from bus.settings import Settings
from bus.wire.clients import Principal, admin
from bus.wire.registry import Registry
from bus.workers.supervisor import SHARING, SINGLE, environment_of
from bus.workers.watch import Watch, looks
from schemas.errors import KafkaUnavailableError
from tests.local_cluster import HOST, fresh_settings
from tests.processes import children_of, listens_to_sigterm, processes_of
from tests.threads import until

pytestmark = pytest.mark.timeout(400)

AGENCY = "nobody_home"
REQUEST_S = 1.0
# Whatever a command does besides waiting for Kafka: starting Python, above all.
GUARD_S = 100.0
# Those of `bus run all`: one of each kind of worker, the register's, freshness, cross-checks and intake.
PROCESSES = len(SHARING) + len(SINGLE)


@pytest.fixture(params=["closed", "silent"])
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Addresses at which nothing listens, or at which whoever listens never says a word."""
    settings = fresh_settings(tmp_path / "state", request_timeout_s=REQUEST_S)
    issue_bus(settings.state_dir)
    issue_agency(settings.state_dir, AGENCY)
    create_keys(settings.state_dir)
    with ExitStack() as doors:
        if request.param == "silent":
            for address in (settings.bootstrap_servers, settings.registry_url.split("/")[2]):
                doors.enter_context(socket.create_server((HOST, int(address.rsplit(":", 1)[1]))))
        yield settings


def start(settings: Settings, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bus", *words],
        env={**os.environ, **environment_of(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def commands(folder: Path) -> list[tuple[str, ...]]:
    """Every command that needs Kafka, with what it needs besides."""
    (folder / "register.yaml").write_text('version: "1"\n', encoding="utf-8")
    source = {"url": "sqlite://", "table": "t", "key": ["id"], "updated_at": "at", "columns": {"name": "n"}}
    connector = {"name": "a-table", "agency": AGENCY, "resource": "residence_permit", "source": source}
    (folder / "connector.yaml").write_text(json.dumps(connector), encoding="utf-8")
    sink = {"agency": AGENCY, "grant": "a-grant", "url": "sqlite://", "table": "t"}
    (folder / "sink.yaml").write_text(json.dumps(sink), encoding="utf-8")
    return [
        ("init",),
        ("register", "apply", str(folder / "register.yaml")),
        ("register", "show"),
        ("run", "admit"),
        ("run", "deliver"),
        ("run", "connector", str(folder / "connector.yaml")),
        ("run", "sink", str(folder / "sink.yaml")),
    ]


@pytest.mark.parametrize("nowhere", ["closed"], indirect=True)
def test_every_command_says_so_in_one_sentence_and_ends_with_3(nowhere: Settings, tmp_path: Path) -> None:
    all_say_so(nowhere, commands(tmp_path))


@pytest.mark.parametrize("nowhere", ["silent"], indirect=True)
def test_neither_a_silent_kafka_nor_a_silent_registry_is_waited_for_longer(nowhere: Settings) -> None:
    # The first thing that each asks: Kafka's topics, the register, the registry.
    all_say_so(nowhere, [("init",), ("run", "admit"), ("run", "deliver")])


def all_say_so(settings: Settings, wanted: Sequence[tuple[str, ...]]) -> None:
    running = {words: start(settings, *words) for words in wanted}
    try:
        for words, process in running.items():
            out, err = process.communicate(timeout=GUARD_S)
            assert process.returncode == 3, (words, err)
            assert out == "", words
            [line] = err.splitlines()
            assert line.startswith("error: "), words
            assert "no answer from" in line, words
            # The setting to look at.
            assert "BUS_BOOTSTRAP_SERVERS" in line or "BUS_REGISTRY_URL" in line, words
    finally:
        for process in running.values():
            process.kill()


@pytest.mark.parametrize("client", [Publisher, Subscriber])
def test_the_clients_raise_the_typed_error_and_write_nothing(
    nowhere: Settings, client: Callable[..., object], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KafkaUnavailableError, match="no answer from Kafka") as raised:
        client(AGENCY, settings=nowhere)
    assert raised.value.retryable
    assert capfd.readouterr() == ("", "")


def test_the_watch_tells_that_neither_answers(nowhere: Settings) -> None:
    principal, metrics = Principal.role(nowhere, "admit"), Metrics("admit")
    Watch(metrics, looks(nowhere, admin(nowhere, principal), Registry(nowhere, principal))).look()
    for target in ("kafka", "registry"):
        assert metrics.registry.get_sample_value("bus_reachable", {"worker": "admit", "target": target}) == 0


@pytest.mark.parametrize("nowhere", ["silent"], indirect=True)
def test_a_worker_that_waits_for_kafka_still_ends_at_its_stop_timeout(nowhere: Settings) -> None:
    patient = nowhere.model_copy(update={"request_timeout_s": 10 * GUARD_S, "stop_timeout_s": 0.5})
    worker = start(patient, "run", "admit")
    try:
        # From here on it reads the register, or tries to.
        until(lambda: listens_to_sigterm(worker.pid), "a worker that is ready to be stopped")
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=GUARD_S)
        assert worker.returncode == 3
        assert err == "error: did not end within 0.5 s (BUS_STOP_TIMEOUT_S) and was cut off\n"
    finally:
        worker.kill()


@contextmanager
def supervised(nowhere: Settings) -> Iterator[subprocess.Popen[str]]:
    """`bus run all`; admit waits for a register that does not come, longer than it may once it is stopped."""
    patient = nowhere.model_copy(update={"request_timeout_s": 10 * GUARD_S, "stop_timeout_s": 0.5})
    supervisor = start(patient, "run", "all")
    try:

        def admit_waits() -> bool:
            # The others are not as far: without the registry they cannot be made.
            workers = children_of(supervisor.pid)
            admit = [pid for pid in workers if b"\0admit\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            return len(workers) == PROCESSES and any(map(listens_to_sigterm, admit))

        until(admit_waits, "a worker that is ready to be stopped", GUARD_S)
        yield supervisor
    finally:
        supervisor.kill()
        supervisor.communicate()
        until(lambda: processes_of(nowhere.state_dir) == [], "the end of every worker")


@pytest.mark.parametrize("nowhere", ["silent"], indirect=True)
def test_a_supervisor_whose_worker_was_cut_off_does_not_end_as_if_all_were_well(nowhere: Settings) -> None:
    with supervised(nowhere) as supervisor:
        supervisor.terminate()
        _, err = supervisor.communicate(timeout=GUARD_S)
        assert supervisor.returncode == 3
        # The single ones may have been cut off while they waited for the same Kafka, or not have come so far.
        told = "error: workers did not end as they should, by exit code: admit (3)"
        last = err.splitlines()[-1]
        assert last.startswith(told)
        assert re.fullmatch(r"(, register \(3\))?(, freshness \(3\))?(, crosscheck \(3\))?", last.removeprefix(told))


@pytest.mark.parametrize("nowhere", ["silent"], indirect=True)
def test_no_worker_outlives_a_supervisor_that_was_killed(nowhere: Settings) -> None:
    with supervised(nowhere) as supervisor:
        workers = children_of(supervisor.pid)
        assert len(workers) == PROCESSES
        supervisor.kill()
        until(lambda: not any(Path(f"/proc/{pid}/fd").exists() for pid in workers), "the workers' end")


def test_ctrl_c_while_the_workers_start_is_a_good_end(nowhere: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bus", "run", "all"],
        env={**os.environ, **environment_of(nowhere)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    until(lambda: bool(children_of(process.pid)), "the first worker's process")
    # As a terminal does: to every process of the group.
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=GUARD_S)
    assert (process.returncode, said) == (0, "")
