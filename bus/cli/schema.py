"""`bus schema describe`: the data-element dictionary on the command line."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from bus.cli.options import as_json_option
from bus.cli.tables import print_table
from schemas.dictionary import Element, elements
from schemas.errors import UsageError
from schemas.resource import ResourceSchema, packaged_text, resource_schema

_SUFFIX = ".avsc"


@click.group()
def schema() -> None:
    """Look at the schemas of resources."""


@schema.command()
@click.argument("resource")
@click.argument("field", required=False)
@as_json_option
def describe(resource: str, field: str | None, *, as_json: bool) -> None:
    """Describe every FIELD of a RESOURCE, or one: a packaged resource's code, or the path of an .avsc file."""
    known = _schema(resource)
    found = elements(known)
    if field is not None:
        found = tuple(element for element in found if element.name == field)
        if not found:
            raise UsageError(f"resource {known.code} has no field {field}; there are: {', '.join(known.fields)}")
    if as_json:
        click.echo(json.dumps([asdict(element) for element in found], ensure_ascii=False))
    elif field is not None:
        for name, value in asdict(found[0]).items():
            if value not in (None, False, ""):
                click.echo(f"{name}: {'yes' if value is True else value}")
    else:
        _print(known, found)


def _schema(resource: str) -> ResourceSchema:
    if not resource.endswith(_SUFFIX):
        return resource_schema(packaged_text(resource))
    try:
        return ResourceSchema(Path(resource).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{Path(resource).name}: cannot be read") from None


def _print(known: ResourceSchema, found: tuple[Element, ...]) -> None:
    click.echo(f"{known.code}: {known.cn} (Art {known.article}), {known.freshness}")
    rows = []
    for element in found:
        marks = [name for name in ("base_item", "required", "companion", "deprecated") if getattr(element, name)]
        marks += [element.role] if element.role else []
        marks += [f"copy of {element.reference_of}"] if element.reference_of else []
        codes = f"{element.code_list} ({element.code_policy})" if element.code_list else ""
        cells = (element.cn, element.article, element.type, element.section, element.sharing, codes)
        rows.append((element.name, *cells, ", ".join(marks)))
    print_table(("field", "信息项", "article", "type", "section", "class", "code list", "marks"), rows)
