"""`bus demo`: the main job, shown."""

import shutil
import signal
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console

from bus.demo.show import Demo
from bus.local import cluster
from bus.local.process import port_is_free
from bus.settings import Settings, load

_HOST = "127.0.0.1"
_FIRST_PORT = 24_092


def demo_folder(base: Settings) -> Path:
    """The demo's own state directory."""
    return base.state_dir / "demo"


def demo_settings(base: Settings) -> Settings:
    """The settings of the demo: a state directory below the user's own, and ports that are free."""
    kafka = int(base.bootstrap_servers.split(",")[0].rsplit(":", 1)[1])
    registry = urlsplit(base.registry_url).port or 0
    for offset in range(0, 2_000, 20):
        broker, schemas = (kafka, registry) if offset == 0 else (_FIRST_PORT + offset, _FIRST_PORT + offset + 1)
        if all(port_is_free(_HOST, port) for port in (broker, broker + 1_000, schemas)):
            break
    return base.model_copy(
        update={
            "state_dir": demo_folder(base),
            "bootstrap_servers": f"{_HOST}:{broker}",
            "registry_url": f"https://{_HOST}:{schemas}/apis/ccompat/v7",
            "metrics_port": 0,
        }
    )


@click.command()
@click.option("--keep", is_flag=True, help="leave everything running at the end")
@click.option(
    "--people", default=10_000, show_default=True, type=click.IntRange(50, 1_000_000), help="residence permits"
)
def demo(*, keep: bool, people: int) -> None:
    """Show the main job on real Kafka, with generated people, in a cluster of its own."""
    # As Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = load()
    earlier = settings.model_copy(update={"state_dir": demo_folder(settings)})
    if earlier.state_dir.exists():
        # A run that was kept or cut off; the demo's own folder only, and before its ports are looked at.
        cluster.down(earlier, wipe=True)
        shutil.rmtree(earlier.state_dir, ignore_errors=True)
    settings = demo_settings(settings)
    Demo(settings, people, Console()).run(keep=keep)
