"""The `bus` command: every group of commands in one table, every error as one sentence."""

import sys
from importlib import import_module

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
    """Run the command line; a BusError leaves as one sentence with its exit code."""
    try:
        bus()
    except BusError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
