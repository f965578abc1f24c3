"""`bus docs FOLDER`: the reference pages."""

from pathlib import Path

import click

from bus.reference import write


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def docs(context: click.Context, folder: Path) -> None:
    """Write the generated pages below FOLDER, from the tables that the bus runs on."""
    root = context.find_root().command
    assert isinstance(root, click.Group)  # noqa: S101  `bus` is a group
    write(root, folder)
