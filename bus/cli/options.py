"""Options that several commands share, worded once."""

import getpass
from pathlib import Path

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="one JSON document in place of text")
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
