"""What a worker says of itself over HTTP: its metrics, whether it lives, whether it is ready."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from confluent_kafka import KafkaError
from prometheus_client import CollectorRegistry, Counter

from bus.workers.health import Health, HealthServer
from schemas.errors import SettingsError
from tests.threads import until

HOST = "127.0.0.1"
A_MINUTE = 60.0


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[HealthServer, Health]]:
    registry, health = CollectorRegistry(), Health()
    Counter("bus_seen_total", "what was seen", registry=registry).inc(3)
    made = HealthServer(HOST, 0, registry, health)
    made.start()
    yield made, health
    made.stop()


@pytest.fixture
def server(running: tuple[HealthServer, Health]) -> HealthServer:
    return running[0]


@pytest.fixture(autouse=True)
def health(running: tuple[HealthServer, Health]) -> Health:
    """As at the start of a worker."""
    running[1].ready, running[1].problem, running[1].lost = False, None, False
    running[1].turned()
    return running[1]


def ask(server: HealthServer, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    """Status, kind of content, content."""
    connection = HTTPConnection(HOST, server.port, timeout=5)
    try:
        connection.request(method, path)
        answer: HTTPResponse = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        connection.close()


def standstill(health: Health) -> None:
    """The loop turned for the last time a minute ago."""
    health._turned -= A_MINUTE


def test_metrics_are_served_as_prometheus_reads_them(server: HealthServer) -> None:
    status, kind, body = ask(server, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain")
    assert b"\nbus_seen_total 3.0\n" in body


def answers(server: HealthServer) -> dict[str, int]:
    return {path: ask(server, f"/health{path}")[0] for path in ("", "/live", "/ready")}


def test_before_the_register_is_read_the_worker_lives_but_must_get_no_work(server: HealthServer) -> None:
    assert answers(server) == {"": 503, "/live": 200, "/ready": 503}


def test_a_worker_that_turns_is_live_and_ready(server: HealthServer, health: Health) -> None:
    health.ready = True
    assert answers(server) == {"": 200, "/live": 200, "/ready": 200}


def test_a_loop_that_hangs_is_neither_live_nor_ready(server: HealthServer, health: Health) -> None:
    health.ready = True
    standstill(health)
    assert answers(server) == {"": 503, "/live": 503, "/ready": 503}
    status, kind, body = ask(server, "/health")
    assert (status, kind) == (503, "application/json")
    assert json.loads(body) == {"live": False, "ready": True, "problem": None}


def test_a_turn_of_the_loop_brings_a_worker_back_to_life(server: HealthServer, health: Health) -> None:
    health.ready = True
    standstill(health)
    assert ask(server, "/health/ready")[0] == 503
    health.turned()
    assert ask(server, "/health/ready")[0] == 200


def test_a_problem_is_told_and_does_not_make_the_worker_unready(server: HealthServer, health: Health) -> None:
    health.ready, health.problem = True, "not provisioned: grant g1"
    status, _, body = ask(server, "/health")
    assert (status, json.loads(body)["problem"]) == (200, "not provisioned: grant g1")


def test_a_worker_that_lost_every_broker_lives_until_its_end_but_must_get_no_work(
    server: HealthServer, health: Health
) -> None:
    health.ready = True
    health.hear(KafkaError(KafkaError._TRANSPORT))
    assert answers(server) == {"": 200, "/live": 200, "/ready": 200}
    health.hear(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert answers(server) == {"": 503, "/live": 200, "/ready": 503}
    assert json.loads(ask(server, "/health")[2])["problem"] == "no answer from Kafka"


@pytest.mark.parametrize("path", ["/", "/metric", "/metrics/x", "/health/", "/health/other", "/../etc/passwd", "/%ff"])
def test_every_other_path_names_those_there_are(server: HealthServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert (status, body) == (404, b"there are /metrics, /health, /health/live, /health/ready\n")


def test_the_server_says_nothing_on_the_workers_streams(
    server: HealthServer, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(server, "/health/live")
    ask(server, "/nothing")
    assert capfd.readouterr() == ("", "")


def test_a_client_that_says_nothing_keeps_nobody_waiting(server: HealthServer) -> None:
    """A probe that never answers would have the worker killed."""
    with socket.create_connection((HOST, server.port), timeout=5) as silent:
        assert ask(server, "/health/live")[0] == 200
        silent.sendall(b"GET /hea")
        assert ask(server, "/metrics")[0] == 200


def test_a_client_that_says_nothing_does_not_keep_the_worker_from_its_end() -> None:
    made = HealthServer(HOST, 0, CollectorRegistry(), Health())
    made.start()
    with socket.create_connection((HOST, made.port), timeout=5):
        assert ask(made, "/health/live")[0] == 200
        made.stop()


def test_a_client_that_breaks_off_is_no_news(server: HealthServer, capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    for start in (b"", b"GET /metrics HTTP/1.1\r\n", b"\xff\x00\r\n\r\n"):
        with socket.create_connection((HOST, server.port), timeout=5) as client:
            client.sendall(start)
            # Closing with unread data or at once resets the connection.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert ask(server, "/health/live")[0] == 200
    until(lambda: set(threading.enumerate()) <= before, "the end of the requests")
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken_is_a_wrong_setting(server: HealthServer) -> None:
    with pytest.raises(SettingsError, match=rf"BUS_METRICS_PORT: cannot listen on {HOST}:{server.port} \(Address "):
        HealthServer(HOST, server.port, CollectorRegistry(), Health())


def test_after_stop_the_port_is_free_and_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    made = HealthServer(HOST, 0, CollectorRegistry(), Health())
    made.start()
    assert ask(made, "/health/live")[0] == 200
    made.stop()
    until(lambda: set(threading.enumerate()) <= before, "the end of the server's threads")
    again = HealthServer(HOST, made.port, CollectorRegistry(), Health())
    assert again.port == made.port
    again.start()
    again.stop()


def test_a_server_that_never_started_stops_too() -> None:
    """A worker may fail between the two."""
    made = HealthServer(HOST, 0, CollectorRegistry(), Health())
    made.stop()
    again = HealthServer(HOST, made.port, CollectorRegistry(), Health())
    again.stop()
