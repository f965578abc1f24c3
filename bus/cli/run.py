"""`bus run …`: the long-running workers; what only one of them needs is loaded when that one runs."""

import logging
import signal
from pathlib import Path

import click

from bus.settings import load
from bus.workers.supervisor import SHARING, SINGLE, Supervisor


@click.group()
def run() -> None:
    """Run a worker until SIGTERM or Ctrl-C; it ends within BUS_STOP_TIMEOUT_S seconds."""


def _worker(kind: str) -> None:
    from bus.workers.wiring import WORKERS, run_until_signalled  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_until_signalled(settings, WORKERS[kind](settings))


@run.command()
def admit() -> None:
    """Admit submissions: change.* in, records, receipts and refusals out."""
    _worker("admit")


@run.command()
def deliver() -> None:
    """Deliver records to grants: record.* in, delivery.* out."""
    _worker("deliver")


@run.command()
def relocate() -> None:
    """Move records to their subject's home when two statutory numbers turn out to mean one subject."""
    _worker("relocate")


@run.command()
def register() -> None:
    """Relay the register's decisions to Kafka, and let its clocks run."""
    from bus.register.worker import run_register  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_register(settings)


@run.command()
def notices() -> None:
    """Tell people what stands in the register and was not told, and send what waits (docs/notices.md)."""
    from bus.notices.worker import run_notices  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_notices(settings)


@run.command()
def intake() -> None:
    """Take what the streams found into the register: alarms become notices, hits and differences become cases."""
    from bus.intake.worker import run_intake  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_intake(settings)


@run.command()
def freshness() -> None:
    """Watch how fresh each source is: pulses, heartbeats and declarations in, freshness and alarms out."""
    from bus.freshness.worker import run_freshness  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_freshness(settings)


@run.command()
def crosscheck() -> None:
    """Compare what sources say of one subject: record.* in, hits out (docs/freshness.md)."""
    from bus.crosscheck.worker import run_crosscheck  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_crosscheck(settings)


@run.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def connector(file: Path) -> None:
    """Publish the rows of the table that a connector FILE (YAML) names, exactly once."""
    from bus.workers.edges import run_connector  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_connector(settings, file)


@run.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def sink(file: Path) -> None:
    """Keep one grant's deliveries in the table that a sink FILE (YAML) names, exactly once."""
    from bus.workers.edges import run_sink  # noqa: PLC0415

    settings = load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    run_sink(settings, file)


@run.command(name="all")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="processes of admit, deliver and relocate each",
)
def everything(workers: int) -> None:
    """Run every worker but those at agencies, each a process, restarted when it ends."""
    commands = [*([kind] for kind in SHARING for _ in range(workers)), *([kind] for kind in SINGLE)]
    supervisor = Supervisor(load(), commands)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.run()
