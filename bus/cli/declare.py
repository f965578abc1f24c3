"""`bus declare`: an agency's word on a quarter of static information."""

from datetime import UTC, datetime

import click

from bus.publishing.declare import declare as send
from bus.settings import load
from processors.freshness.words import Declares, Key, quarter_name, quarter_number
from schemas.errors import UsageError


@click.command()
@click.argument("agency")
@click.argument("resource")
@click.argument("quarter")
@click.option("--complete", "says", flag_value=Declares.HIGH_WATER.value, help="every change of it has been supplied")
@click.option("--no-change", "says", flag_value=Declares.NO_CHANGE.value, help="nothing changed in it")
@click.option("--group", default="", help="of this group of fields 字段组 alone, as the catalogue entry names it")
def declare(agency: str, resource: str, quarter: str, says: str | None, group: str) -> None:
    """Declare QUARTER (as 2026Q1) of AGENCY's static RESOURCE complete or without change 季度申报.

    The latest word on a quarter stands, so one that turned out wrong is declared anew.
    """
    if says is None:
        raise UsageError("say either --complete or --no-change")
    try:
        number = quarter_number(quarter)
    except ValueError as error:
        raise UsageError(f"QUARTER {error}") from None
    said = send(load(), Key(agency, resource, group), number, Declares(says), datetime.now(UTC))
    word = "complete" if said.says is Declares.HIGH_WATER else "without change"
    click.echo(f"{agency} declared {quarter_name(said.quarter)} of {said.key.told} {word}")
