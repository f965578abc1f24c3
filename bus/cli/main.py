"""The `bus` command: every group of commands in one table, every error as one sentence."""

import io
import sys
import threading
from importlib import import_module
from pathlib import Path
from traceback import walk_tb

import click

from schemas.errors import BusError

# One line a group or command: the module of `bus/cli/` in which it stands under its own name.
COMMANDS = {
    "calendar": "calendar",
    "catalogue": "catalogue",
    "clock": "clock",
    "codes": "codes",
    "crosscheck": "crosscheck",
    "declare": "declare",
    "demo": "demo",
    "docs": "docs",
    "explain": "explain",
    "local": "local",
    "init": "register",
    "keys": "keys",
    "matter": "matter",
    "notice": "notice",
    "register": "register",
    "report": "report",
    "run": "run",
    "schema": "schema",
    "workflow": "workflow",
}

_ROOMS = frozenset({"bus", "compliance", "connectors", "processors", "schemas"})
_PLACES = 4


class Tree(click.Group):
    """A group whose commands are loaded when they are asked for: no command waits for what another one needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """All names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f"bus.cli.{COMMANDS[cmd_name]}"), cmd_name)
        assert isinstance(found, click.Command)  # noqa: S101  the table says so
        return found


@click.group(cls=Tree)
def bus() -> None:
    """Exchange bus for municipal government data: one datum, one source, no delivery without a grant."""


def main() -> None:
    """Run the command line; a BusError leaves as one sentence with its exit code, and so does whatever else it is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no Chinese shows signs in its place, and the command goes on.
            stream.reconfigure(errors="backslashreplace")
    threading.excepthook = _hear
    try:
        bus()
    except BusError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001  the last place where a text with data in it can be held back
        click.echo(f"error: {unforeseen(error)}", err=True)
        sys.exit(BusError.exit_code)


def _hear(args: threading.ExceptHookArgs) -> None:
    if isinstance(args.exc_value, Exception):
        click.echo(f"error: {unforeseen(args.exc_value)}", err=True)


def unforeseen(error: Exception) -> str:
    """What is told of an error that nobody foresaw: its kind and place; its own text may hold what nobody may read.

    What the operating system says of a file holds no data, and tells what to mend.
    """
    home = Path(__file__).parents[2]
    places = [
        f"{path.relative_to(home)}:{line}"
        for path, line in ((Path(frame.f_code.co_filename), line) for frame, line in walk_tb(error.__traceback__))
        if path.is_relative_to(home) and path.relative_to(home).parts[0] in _ROOMS
    ]
    at = " < ".join(list(dict.fromkeys(reversed(places)))[:_PLACES])
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''} (at {at})"
    return f"an error of the bus itself, please report it: {type(error).__name__} at {at}"
