"""`bus calendar …`: the working days: a year's notice is loaded, and every open clock counted again."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from bus.cli.acting import FORM
from bus.cli.options import as_json_option, present_user
from bus.register.place import opened
from bus.settings import load
from compliance.roles import Actor, Role
from compliance.workdays import read_calendar_year


@click.group()
def calendar() -> None:
    """Load and show the working days."""


@calendar.command("load")
@click.argument("file", type=FORM)
@click.option("--as", "account", default=present_user, help="who loads it; the user of this process if not given")
@as_json_option
def load_(file: Path, account: str, *, as_json: bool) -> None:
    """Load a year FILE (YAML) and count every open clock again."""
    year = read_calendar_year(file)
    actor = Actor(account=account, role=Role.OPERATOR_CITY)
    with opened(load()) as register:
        changed = register.keep([year], actor, datetime.now(UTC), f"the notice for {year.year} was loaded")
    if as_json:
        click.echo(json.dumps({"year": year.year, "clocks_changed": changed}))
    else:
        click.echo(f"{year.year} is loaded; {changed} open clock(s) got another due day")


@calendar.command()
@click.argument("year", type=click.IntRange(1950, 2200))
@as_json_option
def show(year: int, *, as_json: bool) -> None:
    """Show what the register knows of YEAR's days of rest and make-up workdays."""
    with opened(load()) as register:
        found = register.calendar.years.get(year)
        suspensions = [one for one in register.calendar.suspensions if one.first.year <= year <= one.last.year]
    if as_json:
        body = {
            "year": year,
            "provisional": found is None,
            "notice": None if found is None else found.model_dump(mode="json"),
            "suspensions": [one.model_dump(mode="json") for one in suspensions],
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    if found is None:
        click.echo(f"{year} is provisional: its notice is not loaded; `bus calendar load FILE` loads it")
    else:
        for notice in found.notices:
            click.echo(f"{notice.title} {notice.number or ''}".rstrip())
        for period in found.rest_days:
            click.echo(f"rest {period.first} to {period.last}: {period.name}")
        for day in found.makeup_workdays:
            click.echo(f"worked {day}")
    for one in suspensions:
        click.echo(f"suspended {one.first} to {one.last} in {one.division or 'every division'}: {one.reason}")
