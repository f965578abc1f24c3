"""A connector's and a sink's process; apart from `bus/workers/wiring.py`, whose workers need no database library."""

from pathlib import Path

from bus.settings import Settings
from bus.workers.connect import ConnectorWorker, read_config
from bus.workers.health import HealthServer
from bus.workers.signals import end_when_stuck, end_within, stop_when_signalled
from bus.workers.sink import SinkWorker, read_sink_config
from bus.workers.watch import tell_health


def run_connector(settings: Settings, file: Path) -> None:
    """Run the connector of a file in the main thread until SIGTERM or SIGINT."""
    _run_edge(settings, ConnectorWorker(settings, read_config(file)))


def run_sink(settings: Settings, file: Path) -> None:
    """Run the sink of a file in the main thread until SIGTERM or SIGINT."""
    _run_edge(settings, SinkWorker(settings, read_sink_config(file)))


def _run_edge(settings: Settings, worker: ConnectorWorker | SinkWorker) -> None:
    stop_when_signalled(worker.stop, settings.stop_timeout_s)
    end_when_stuck()
    tell_health(worker.metrics, worker.health)
    server = HealthServer(settings.metrics_host, settings.metrics_port, worker.metrics.registry, worker.health)
    server.start()
    try:
        worker.run()
    finally:
        end_within(settings.stop_timeout_s)
        server.stop()
