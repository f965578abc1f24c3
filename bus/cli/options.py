"""Options that several commands share, worded once."""

import getpass
from pathlib import Path

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="one JSON document in place of text")
limit_option = click.option(
    "--limit",
    default=200,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="rows at the most; --json has all",
)
register_option = click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="read the register from this file, without Kafka",
)


def present_user() -> str:
    """The user of this process; a container may know none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
