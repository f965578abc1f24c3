"""`bus workflow …`: the procedures as tables and diagrams, and the forms of their actions."""

import json

import click

from bus.cli.options import as_json_option
from bus.cli.tables import print_table
from compliance.diagram import actors, clocks, diagram
from compliance.formtext import form_text
from compliance.workflow import Transition
from compliance.workflows import WORKFLOWS
from compliance.workflows import workflow as table_of
from schemas.errors import UsageError


@click.group()
def workflow() -> None:
    """Show the regulation's procedures, and the forms of their actions."""


@workflow.command("list")
@as_json_option
def list_(*, as_json: bool) -> None:
    """List the workflows."""
    if as_json:
        told = [
            {"code": w.code, "prefix": w.prefix, "zh": w.zh, "en": w.en, "articles": w.articles}
            for w in WORKFLOWS.values()
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    rows = [(w.code, w.prefix, w.zh, w.en, w.articles, str(len(w.states))) for w in WORKFLOWS.values()]
    print_table(("code", "numbers", "name", "in English", "articles", "states"), rows)


@workflow.command()
@click.argument("code")
@as_json_option
def show(code: str, *, as_json: bool) -> None:
    """Show the workflow CODE: who may do what in which state, under which article, and its diagram (Mermaid)."""
    table = table_of(code)
    if as_json:
        body = {
            "code": table.code,
            "prefix": table.prefix,
            "zh": table.zh,
            "en": table.en,
            "articles": table.articles,
            "states": {
                state: {"zh": zh, "en": en, "end": state in table.ends} for state, (zh, en) in table.states.items()
            },
            "transitions": [_plain(t) for t in table.transitions],
            "diagram": diagram(table),
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    click.echo(f"{table.zh} {table.code}: {table.en} (Art {table.articles})")
    rows = [
        (
            t.action,
            f"{t.zh} {t.en}",
            " ".join(source or "NEW" for source in t.sources),
            " ".join(t.targets),
            actors(t),
            t.article,
            clocks(t),
        )
        for t in table.transitions
    ]
    print_table(("action", "what", "from", "to", "by", "article", "clocks"), rows)
    click.echo(diagram(table))


@workflow.command()
@click.argument("code")
@click.argument("action")
def form(code: str, action: str) -> None:
    """Print an empty form for ACTION of the workflow CODE; every field says what it wants."""
    table = table_of(code)
    found = [t for t in table.transitions if t.action == action]
    if not found:
        known = ", ".join(dict.fromkeys(t.action for t in table.transitions))
        raise UsageError(f"{code} has no action {action}; there are: {known}")
    # An action may stand in several rows; each form of it once.
    for transition in {t.form: t for t in reversed(found)}.values():
        click.echo(form_text(table, transition), nl=False)


def _plain(t: Transition) -> dict[str, object]:
    return {
        "action": t.action,
        "zh": t.zh,
        "en": t.en,
        "from": [source or "NEW" for source in t.sources],
        "to": list(t.targets),
        "by": actors(t),
        "article": t.article,
        "starts": [start.clock for start in t.starts],
        "stops": list(t.stops),
        "taken_when_over": t.expiry_of,
        "form": None if t.form is None else sorted(t.form.model_fields),
    }
