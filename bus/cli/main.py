"""The `bus` command: every group of commands in one table, every error as one sentence."""

import sys

import click

from bus.cli.calendar import calendar
from bus.cli.catalogue import catalogue
from bus.cli.clock import clock
from bus.cli.codes import codes
from bus.cli.declare import declare
from bus.cli.demo import demo
from bus.cli.docs import docs
from bus.cli.explain import explain
from bus.cli.keys import keys
from bus.cli.local import local
from bus.cli.matter import matter
from bus.cli.notice import notice
from bus.cli.register import init, register
from bus.cli.report import report
from bus.cli.run import run
from bus.cli.schema import schema
from bus.cli.workflow import workflow
from schemas.errors import BusError


@click.group()
def bus() -> None:
    """Exchange bus for municipal government data: one datum, one source, no delivery without a grant."""


# One line a group or command.
COMMANDS: tuple[click.Command, ...] = (
    calendar,
    catalogue,
    clock,
    codes,
    declare,
    demo,
    docs,
    explain,
    local,
    init,
    keys,
    matter,
    notice,
    register,
    report,
    run,
    schema,
    workflow,
)

for _command in COMMANDS:
    bus.add_command(_command)


def main() -> None:
    """Run the command line; a BusError leaves as one sentence with its exit code."""
    try:
        bus()
    except BusError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
