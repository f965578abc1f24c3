"""`/metrics` and `/health` of one worker, on loopback unless the settings say otherwise.

`/health/live`: the process works. `/health/ready`: it has read the register, its loop turned lately, Kafka answers.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from confluent_kafka import KafkaError
from prometheus_client import CollectorRegistry, make_wsgi_app

from schemas.errors import SettingsError

_STALE_S = 60.0
_LOOK_EVERY_S = 0.1


class Health:
    """What a worker says of itself; the loop calls `turned` once a turn."""

    def __init__(self) -> None:
        self.ready = False
        self.problem: str | None = None
        self._turned = time.monotonic()
        self.lost = False
        """No broker answered any more; the worker is about to end."""

    def hear(self, error: KafkaError) -> None:
        """What the reader says of its connections."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  documented name
            self.lost = True

    def turned(self) -> None:
        """The loop went round."""
        self._turned = time.monotonic()

    @property
    def live(self) -> bool:
        """Whether the loop turned within the last minute."""
        return time.monotonic() - self._turned < _STALE_S


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: a client that says nothing keeps neither a probe nor the worker's end waiting."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  the standard library's signature
        """Say nothing: a client went away or was silent too long; errors of the application are told elsewhere."""


class _SilentHandler(WSGIRequestHandler):
    """Normal running logs nothing."""

    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  the standard library's signature
        """Say nothing."""


class HealthServer:
    """Serves metrics and health in a thread of its own.

    Args:
        host, port: where to listen; port 0 takes a free one.
        registry: the metrics.
        health: the worker's word.
    """

    def __init__(self, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        metrics = make_wsgi_app(registry)

        def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            if path == "/metrics":
                found: Iterable[bytes] = metrics(environ, start)
                return found
            if path in ("/health", "/health/live", "/health/ready"):
                ready = health.ready and not health.lost
                good = health.live and (ready or path.endswith("live"))
                problem = "no answer from Kafka" if health.lost else health.problem
                body = {"live": health.live, "ready": ready, "problem": problem}
                start("200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")])
                return [json.dumps(body).encode()]
            start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"there are /metrics, /health, /health/live, /health/ready\n"]

        try:
            self._server = make_server(host, port, app, _Server, _SilentHandler)
        except OSError as error:
            raise SettingsError(f"BUS_METRICS_PORT: cannot listen on {host}:{port} ({error.strerror})") from None
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_EVERY_S,), name="health", daemon=True
        )

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End serving and let the port go; a server that never started has only a port."""
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()
