"""`bus init` and `bus register …`: what must exist, and what people decided."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bus.cli.options import present_user
from bus.local.artifacts import deploy_text
from bus.provision.actual import Cluster
from bus.provision.register import Report, apply_register_file, read_register
from bus.provision.register import init as provision
from bus.register.place import opened
from bus.settings import load
from compliance.difference import Action
from compliance.events import to_event
from compliance.models import RegisterModel
from compliance.register.transfer import export_register, import_register
from compliance.registertext import register_text
from schemas.errors import UsageError


def show_report(report: Report, *, as_json: bool) -> None:
    """Print a report for people, or as one JSON object."""
    if as_json:
        differences = [
            {"kind": found.kind, "key": found.key, "action": found.action.value, "fields": found.fields}
            for found in report.differences
        ]
        body = {
            "dry_run": report.dry_run,
            "register": differences,
            "steps": report.steps,
            "warnings": report.warnings,
        }
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    marks = {Action.ADD: "+", Action.CHANGE: "~", Action.SAME: "="}
    for found in report.differences:
        changed = f" ({', '.join(found.fields)})" if found.fields else ""
        click.echo(f"{marks[found.action]} {found.kind} {found.key}{changed}")
    for step in report.steps:
        click.echo(f"* {step}")
    for warning in report.warnings:
        click.echo(f"! {warning}", err=True)
    if not report.steps and all(found.action is Action.SAME for found in report.differences):
        click.echo("nothing to change")
    elif report.dry_run:
        click.echo("dry run: nothing was changed")


@click.command()
@click.option("--dry-run", is_flag=True, help="print what would change, change nothing")
@click.option("--json", "as_json", is_flag=True, help="one JSON object in place of lines")
def init(*, dry_run: bool, as_json: bool) -> None:
    """Create topics, rights and schemas that the register asks for, and the key store."""
    settings = load()
    if not dry_run and not as_json:
        show_report(provision(settings, dry_run=True), as_json=False)
    show_report(provision(settings, dry_run=dry_run), as_json=as_json)


@click.group()
def register() -> None:
    """Show and change the register: agencies, catalogue, reviews, grants."""


@register.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="print what would change, change nothing")
@click.option("--json", "as_json", is_flag=True, help="one JSON object in place of lines")
@click.option("--as", "account", default=present_user, help="who applies it; by default the user of this process")
def apply(file: Path, account: str, *, dry_run: bool, as_json: bool) -> None:
    """Apply a register FILE (YAML): check it, provision, record, write the events, end what has ended."""
    show_report(apply_register_file(load(), file, dry_run=dry_run, account=account), as_json=as_json)


@register.command()
def example() -> None:
    """Print a register file to begin with: two agencies, a catalogue entry, a review, a grant.

    It names the certificates that `bus local certificate` makes for them.
    """
    # As a YAML text in double quotes wants it.
    folder = json.dumps(str(load().state_dir.absolute()), ensure_ascii=False)[1:-1]
    click.echo(deploy_text("register.example.yaml").replace("STATE_DIR", folder), nl=False)


@register.command()
@click.option("--json", "as_json", is_flag=True, help="every entry in full, one JSON object")
def show(*, as_json: bool) -> None:
    """Show the register as it stands on Kafka."""
    view = read_register(Cluster(load()))
    entries = [version for entry in view.entries() for version in view.versions(entry.resource)]
    models: list[RegisterModel] = [*view.agencies(), *entries, *view.reviews(), *view.grants()]
    if as_json:
        click.echo(json.dumps([{"kind": model.kind, **to_event(model)} for model in models], ensure_ascii=False))
        return
    table = Table("kind", "key", "state")
    for model in models:
        state = getattr(model, "state", getattr(model, "result", ""))
        table.add_row(model.kind, model.key, str(getattr(state, "value", state)))
    Console().print(table)


@register.command("export")
@click.argument("place", metavar="FOLDER", type=click.Path(path_type=Path), required=False)
@click.option("--yaml", "as_yaml", is_flag=True, help="print a register file instead: what stands now, without history")
@click.option("--json", "as_json", is_flag=True, help="one JSON object in place of lines")
def export(place: Path | None, *, as_yaml: bool, as_json: bool) -> None:
    """Write the whole register with its history into FOLDER: a file a table, and a manifest with digests."""
    if (place is None) is not as_yaml:
        raise UsageError("name either a FOLDER or --yaml")
    with opened(load()) as found:
        if place is None:
            click.echo(register_text(found.view()), nl=False)
            return
        _show_rows(export_register(found.engine, place), as_json=as_json)


@register.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="one JSON object in place of lines")
def import_(folder: Path, *, as_json: bool) -> None:
    """Read the export in FOLDER into an empty register; a file that was changed is refused."""
    with opened(load()) as found:
        _show_rows(import_register(found.engine, folder), as_json=as_json)


def _show_rows(rows: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows))
        return
    for name, number in rows.items():
        click.echo(f"{name}: {number}")
