"""`bus catalogue …`: propose, show, compare, export and import the shared catalogue."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from bus.catalogue.source import chosen, register_view
from bus.catalogue.workbook import read_workbook, write_workbook
from bus.cli.options import as_json_option, register_option
from bus.cli.tables import print_table
from compliance.catalogue import deprecated_fields, local_date, required_fields, schema_of, sharing_of, start_of
from compliance.changes import EntryChanges, entry_changes, in_words
from compliance.difference import after, problems
from compliance.entry import CatalogueEntry
from compliance.events import to_event
from compliance.national import CYCLES, SHARING, document, ordinal
from compliance.proposal import propose, remarks
from compliance.registerfile import RegisterFile, read_register_file
from compliance.registertext import catalogue_text
from compliance.view import RegisterView
from schemas.errors import RegisterFileError, UsageError
from schemas.resource import packaged_resources

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def catalogue() -> None:
    """Propose, show, compare, export and import the shared catalogue 共享目录."""


@catalogue.command()
@click.argument("resources", nargs=-1)
@click.option(
    "--published", type=click.DateTime(["%Y-%m-%d"]), help="first day on which it is shared; today if not given"
)
@click.option(
    "--partitions",
    default=4,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="of each resource's topics, for ever",
)
def generate(resources: tuple[str, ...], published: datetime | None, partitions: int) -> None:
    """Print the catalogue section of a register file for RESOURCES, or for all packaged ones, from their schemas."""
    day: date = published.date() if published is not None else local_date(datetime.now(UTC))
    wanted = resources or packaged_resources()
    entries = [propose(resource, start_of(day), partitions=partitions) for resource in dict.fromkeys(wanted)]
    click.echo(catalogue_text(entries, remarks=remarks(tuple(dict.fromkeys(wanted)))), nl=False)


@catalogue.command()
@click.argument("resource", required=False)
@click.option("--version", type=click.IntRange(1), help="one version; the newest if not given")
@register_option
@as_json_option
def show(resource: str | None, version: int | None, file: Path | None, *, as_json: bool) -> None:
    """Show the catalogue, or the entry of RESOURCE with its fields and versions."""
    if version is not None and resource is None:
        raise UsageError("--version wants a RESOURCE")
    view = register_view(file)
    entries = chosen(view, resource, version)
    if as_json:
        known = [{**to_event(entry), "versions": _versions(view, entry)} for entry in entries]
        click.echo(json.dumps(known, ensure_ascii=False))
    elif resource is None:
        _show_all(view, entries)
    else:
        _show_one(view, entries[0])


def _versions(view: RegisterView, entry: CatalogueEntry) -> list[int]:
    return [known.version for known in view.versions(entry.resource)]


def _show_all(view: RegisterView, entries: tuple[CatalogueEntry, ...]) -> None:
    rows = []
    for entry in entries:
        owners = ", ".join(dict.fromkeys(code for rule in entry.owners for code in rule.agencies))
        version = f"{entry.version} of {len(view.versions(entry.resource))}"
        cells = (entry.name, entry.responsible_department, SHARING[entry.sharing], entry.update_frequency, owners)
        rows.append((entry.resource, version, *cells, entry.state))
    heads = ("resource", "version", "信息资源名称", "责任采集部门", "共享类型", "更新周期", "owners", "state")
    print_table(heads, rows)


def _show_one(view: RegisterView, entry: CatalogueEntry) -> None:
    facts = to_event(entry)
    for name in ("schema", "fields", "owners", "resource", "version"):
        facts.pop(name)
    numbers = ", ".join(str(number) for number in _versions(view, entry))
    click.echo(f"{entry.resource} version {entry.version} (versions: {numbers})")
    for name, value in facts.items():
        if value not in (None, [], {}, ""):
            click.echo(f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    for rule in entry.owners:
        click.echo(f"  owner: {in_words(rule)}")
    classes, required, deprecated = sharing_of(entry), required_fields(entry), deprecated_fields(entry)
    rows = []
    for name, spec in schema_of(entry).fields.items():
        policy = entry.fields.get(name)
        conditions = (policy.conditions if policy is not None else None) or ""
        marks = ("yes" if name in required else "", "yes" if name in deprecated else "")
        rows.append((name, spec.cn, spec.section, SHARING[classes[name]], conditions, *marks))
    print_table(("field", "信息项", "section", "共享类型", "共享条件", "required", "deprecated"), rows)


@catalogue.command()
@click.argument("changed", metavar="FILE", type=_FILE)
@register_option
@as_json_option
def diff(changed: Path, file: Path | None, *, as_json: bool) -> None:
    """Show field by field what applying the register FILE would change in the catalogue, and what speaks against it.

    Ends with 2 when a rule speaks against it, as `bus register apply` would.
    """
    written = read_register_file(changed)
    view = register_view(file)
    found = _changes(view, written)
    against = problems(view, written, datetime.now(UTC))
    if as_json:
        body = [{**asdict(changes), "same": changes.same} for changes in found]
        click.echo(json.dumps({"entries": body, "problems": against}, ensure_ascii=False))
    else:
        for changes in found:
            _print_changes(changes)
        if not found:
            click.echo("the file changes nothing in the catalogue")
    if against:
        raise RegisterFileError("\n".join(against))


def _changes(view: RegisterView, written: RegisterFile) -> list[EntryChanges]:
    """What each entry of the file changes of the version before; entries that the register has already are left out."""
    then = after(view, written)
    found = []
    for model in written.models:
        if isinstance(model, CatalogueEntry):
            old = view.entry_version(model.resource, model.version)
            if old == model:
                continue
            found.append(entry_changes(old or then.entry_version(model.resource, model.version - 1), model))
    return found


def _print_changes(changes: EntryChanges) -> None:
    before = "a new entry" if changes.old is None else f"version {changes.old}"
    click.echo(f"{changes.resource}: {before} → version {changes.new}")
    for line in changes.lines() or ["= no field, owner, class or attribute changes"]:
        click.echo(f"  {line}")


@catalogue.command()
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", required=True, type=click.Choice(["json", "xlsx"]), help="for platforms, or for offices"
)
@register_option
@as_json_option
def export(target: Path, form: str, file: Path | None, *, as_json: bool) -> None:
    """Write the newest version of every entry into FILE, in the national core metadata."""
    view = register_view(file)
    entries = chosen(view, None)
    if form == "xlsx":
        written = write_workbook(target, view, entries)
    else:
        written = (target,)
        text = json.dumps(document(view, entries), ensure_ascii=False, indent=2) + "\n"
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{target.name}: cannot be written ({error.strerror})") from None
    unknown = [entry.key for entry in entries if not ordinal(CYCLES, entry.update_frequency)]
    facts: dict[str, Any] = {"files": [str(path) for path in written], "entries": len(entries), "no_cycle": unknown}
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(f"{len(entries)} entries: {', '.join(facts['files'])}")
    if unknown:
        click.echo(f"! the guide has no code for the update frequency of {', '.join(unknown)}", err=True)


@catalogue.command(name="import")
@click.argument("workbook", metavar="FILE", type=_FILE)
def import_(workbook: Path) -> None:
    """Print the register file that a workbook FILE (.xlsx) holds; errors name sheet, row and column."""
    read = read_workbook(workbook)
    click.echo(catalogue_text(read.entries, read.schema), nl=False)
