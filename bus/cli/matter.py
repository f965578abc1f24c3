"""`bus matter …`: open a matter of a workflow, act on it, look at it and at its history."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bus.cli.acting import INSTANT, acting_options, actor_of, form_of, instant_of, tell_refusal
from bus.cli.options import as_json_option
from bus.cli.tables import print_table
from bus.register.place import opened
from bus.settings import load
from compliance.diagram import actors
from compliance.register.decision import Moved
from compliance.register.rows import Clock
from compliance.workflow import NEW, Matter, Transition, advance
from compliance.workflows import WORKFLOWS, workflow
from schemas.errors import UsageError
from schemas.refusals import Refused


@click.group()
def matter() -> None:
    """Open matters 件 of the regulation's procedures, act on them, look at them."""


@matter.command("open")
@click.argument("code", metavar="WORKFLOW")
@click.argument("action")
@acting_options
@as_json_option
@click.pass_context
def open_(
    context: click.Context,
    code: str,
    action: str,
    form: Path | None,
    account: str,
    role: str,
    agency: str | None,
    division: str | None,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """Open a matter of WORKFLOW by ACTION; ends with 1 when it is refused, with 2 when the form has errors."""
    table, actor, moment = workflow(code), actor_of(account, role, agency, division), instant_of(at)
    opening = next((t for t in table.leaving(NEW) if t.action == action), None)
    with opened(load()) as register:
        filled = form_of(form, opening) if opening is not None else None
        answer = register.open(code, action, filled, actor, moment)
    _tell(context, answer, as_json=as_json)


@matter.command()
@click.argument("number")
@click.argument("action")
@acting_options
@click.option("--seen", type=click.IntRange(1), help="the step that was seen last; refused when another came since")
@as_json_option
@click.pass_context
def act(
    context: click.Context,
    number: str,
    action: str,
    form: Path | None,
    account: str,
    role: str,
    agency: str | None,
    division: str | None,
    at: datetime | None,
    seen: int | None,
    *,
    as_json: bool,
) -> None:
    """Take ACTION on the matter NUMBER; ends with 1 when it is refused, with 2 when the form has errors."""
    actor, moment = actor_of(account, role, agency, division), instant_of(at)
    with opened(load()) as register:
        found = _known(register.matter(number), number)
        step = advance(workflow(found.workflow), found.state, action, actor, found.parties)
        # What may not be done at all is told before what is wrong with its form.
        filled = form_of(form, step) if isinstance(step, Transition) else None
        answer = register.act(number, action, filled, actor, moment, seq=seen)
    _tell(context, answer, as_json=as_json)


@matter.command()
@click.argument("number")
@click.option("--at", type=INSTANT, help="as it stood then; as it stands now if not given")
@as_json_option
def show(number: str, at: datetime | None, *, as_json: bool) -> None:
    """Show the matter NUMBER: its state, what was filled in, its clocks, and what can be done next by whom."""
    with opened(load()) as register:
        found = register.matter(number) if at is None else register.matter_at(number, at)
        found = _known(found, number)
        clocks = [clock for clock in register.clocks(running=True, matter=number) if at is None or clock.started <= at]
        children = [child.number for child in register.matters(parent=number)]
    table = workflow(found.workflow)
    zh, en = table.states[found.state]
    if as_json:
        next_steps = [
            {"action": t.action, "article": t.article, "zh": t.zh, "en": t.en} for t in table.leaving(found.state)
        ]
        body = {
            **_plain(found),
            "children": children,
            "clocks": [_clock(clock) for clock in clocks],
            "next": next_steps,
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    click.echo(f"{found.number}  {table.zh} {table.en}: {zh} {en} ({found.state}), step {found.seq}")
    for name, value in asdict(found.parties).items():
        if value is not None:
            click.echo(f"{name}: {value}")
    for name, value in (("parent", found.parent), ("children", ", ".join(children)), ("flags", ", ".join(found.flags))):
        if value:
            click.echo(f"{name}: {value}")
    for action, facts in found.facts.items():
        click.echo(f"{action}: {json.dumps(facts, ensure_ascii=False)}")
    for clock in clocks:
        click.echo(f"clock {clock.rule}: {clock.agency or clock.owes} owes it by {clock.due} (Art {clock.article})")
    for t in table.leaving(found.state):
        click.echo(f"next: {t.action} {t.zh} ({t.en}), Art {t.article}, by {actors(t)}")


@matter.command("list")
@click.option("--workflow", "code", type=click.Choice(sorted(WORKFLOWS)), help="of one workflow")
@click.option("--state", help="in one state")
@click.option("--agency", help="that concern this agency, as requester, provider or unit")
@click.option("--open", "only_open", is_flag=True, help="those in which something is still to be done")
@as_json_option
def list_(code: str | None, state: str | None, agency: str | None, *, only_open: bool, as_json: bool) -> None:
    """List matters, oldest first."""
    with opened(load()) as register:
        found = register.matters(code, states=None if state is None else (state,))
    if agency is not None:
        found = tuple(m for m in found if agency in (m.parties.requester, m.parties.provider, m.parties.unit))
    if only_open:
        found = tuple(m for m in found if m.state not in workflow(m.workflow).ends)
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    rows = [
        (
            one.number,
            f"{workflow(one.workflow).zh} {one.workflow}",
            f"{workflow(one.workflow).states[one.state][0]} {one.state}",
            one.parties.requester or one.parties.unit or "",
            one.parties.provider or "",
            one.parties.resource or one.parties.subject or "",
            ", ".join(one.flags),
        )
        for one in found
    ]
    print_table(("number", "workflow", "state", "of", "provider", "about", "flags"), rows)


@matter.command()
@click.argument("number")
@as_json_option
def history(number: str, *, as_json: bool) -> None:
    """Show every step of the matter NUMBER: who did what when, in which role, under which article."""
    with opened(load()) as register:
        _known(register.matter(number), number)
        steps = register.history(number)
    if as_json:
        click.echo(json.dumps([{**asdict(step), "at": step.at.isoformat()} for step in steps], ensure_ascii=False))
        return
    rows = [
        (
            str(step.seq),
            step.at.isoformat(),
            step.action,
            f"{step.source or 'NEW'} → {step.target}",
            step.account,
            step.role,
            step.agency or "",
            step.article,
            step.reason or "",
        )
        for step in steps
    ]
    print_table(("step", "at", "action", "state", "account", "role", "agency", "article", "reason"), rows)


def _known(found: Matter | None, number: str) -> Matter:
    if found is None:
        raise UsageError(f"there is no matter {number}, or there was none then; `bus matter list` shows them")
    return found


def _plain(found: Matter) -> dict[str, Any]:
    return {
        **asdict(found),
        "opened_at": found.opened_at.isoformat(),
        "facts": dict(found.facts),
        "flags": list(found.flags),
    }


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "rule": clock.rule,
        "article": clock.article,
        "owes": clock.agency or clock.owes,
        "due": clock.due.isoformat(),
    }


def _tell(context: click.Context, answer: Moved | Refused, *, as_json: bool) -> None:
    if isinstance(answer, Refused):
        tell_refusal(context, answer, as_json=as_json)
        return
    if as_json:
        body = {**_plain(answer.matter), "others": [_plain(other) for other in answer.others]}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    for one in (answer.matter, *answer.others):
        zh, en = workflow(one.workflow).states[one.state]
        click.echo(f"{one.number}: {zh} {en} ({one.state}), step {one.seq}")
