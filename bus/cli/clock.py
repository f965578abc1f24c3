"""`bus clock …`: who owes what by when under which article, and letting time pass."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime

import click

from bus.cli.acting import INSTANT, instant_of
from bus.cli.options import as_json_option, limit_option
from bus.cli.tables import print_table
from bus.register.place import opened
from bus.settings import load
from compliance.catalogue import local_date
from compliance.register.rows import Clock
from compliance.roles import ROLE_NAMES, Role


@click.group()
def clock() -> None:
    """Look at the deadlines that run, and let time pass."""


@clock.command("list")
@click.option("--agency", help="what one agency owes")
@click.option("--overdue", is_flag=True, help="what is overdue alone")
@limit_option
@as_json_option
def list_(agency: str | None, limit: int, *, overdue: bool, as_json: bool) -> None:
    """List the clocks that run, what is overdue longest first."""
    today = local_date(datetime.now(UTC))
    with opened(load()) as register:
        found = register.clocks(
            agency=agency, due_before=today if overdue else None, limit=None if as_json else limit + 1
        )
    if as_json:
        click.echo(json.dumps([_plain(one, today) for one in found], ensure_ascii=False))
        return
    rows = [
        (
            one.due.isoformat() + (" provisional" if one.provisional else ""),
            _left(one, today),
            one.agency or _office(one.owes),
            one.rule,
            f"{one.profile} Art {one.article}",
            one.matter,
            " ".join(word for word, holds in _REMARKS if holds(one)),
        )
        for one in found[:limit]
    ]
    print_table(("due", "days", "who owes", "what", "article", "matter", ""), rows)
    if len(found) > limit:
        click.echo(f"there are more; --limit shows more than {limit}, --json all")


@clock.command()
@click.option("--at", type=INSTANT, help="up to when; now if not given")
@as_json_option
def tick(at: datetime | None, *, as_json: bool) -> None:
    """Note every clock that is over, and take what follows by itself; `bus run register` does it all the time."""
    with opened(load()) as register:
        moved = register.tick(instant_of(at))
    if as_json:
        told = [
            {"matter": one.matter.number, "state": one.matter.state, "action": one.transition.action} for one in moved
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in moved:
        click.echo(f"{one.matter.number}: {one.transition.action} → {one.matter.state} (Art {one.transition.article})")
    if not moved:
        click.echo("nothing follows by itself")


_REMARKS: tuple[tuple[str, Callable[[Clock], bool]], ...] = (
    ("advises only", lambda one: one.advisory),
    ("stands still", lambda one: one.state == "PAUSED"),
)


def _left(one: Clock, today: date) -> str:
    days = (one.due - today).days
    return f"{-days} overdue" if days < 0 else f"{days} left"


def _office(owes: str) -> str:
    return " ".join(ROLE_NAMES[Role(owes)]) if owes in set(Role) else owes


def _plain(one: Clock, today: date) -> dict[str, object]:
    told = {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(one).items()}
    return {**told, "overdue": one.due < today and one.state == "RUNNING"}
