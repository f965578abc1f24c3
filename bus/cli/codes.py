"""`bus codes`: the code lists, their rows, and who uses them."""

import json
from datetime import date, datetime
from typing import Any

import click

from bus.cli.options import as_json_option
from bus.cli.tables import print_table
from schemas.codelists import Code, CodeList, load, names
from schemas.dictionary import CodeUse, code_uses

_LAST = date.max


@click.command()
@click.argument("name", metavar="[LIST]", required=False)
@click.argument("code", required=False)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="the rows that are in force on a day; all if not given")
@as_json_option
@click.pass_context
def codes(context: click.Context, name: str | None, code: str | None, on: datetime | None, *, as_json: bool) -> None:
    """Show the code lists, the rows of one LIST, or what one CODE means in it.

    Ends with 1 when the list does not have the code (on that day).
    """
    day = on.date() if on is not None else None
    if name is None:
        _lists(as_json=as_json)
        return
    known = load(name)
    if code is None:
        _rows(known, [row for row in known.rows if _in_force(row, day)], as_json=as_json)
        return
    if not _one(known, code, day, as_json=as_json):
        context.exit(1)


def _in_force(row: Code, day: date | None) -> bool:
    return day is None or row.valid_from <= day <= row.valid_until


def _facts(known: CodeList) -> dict[str, Any]:
    return {
        **known.head,
        "rows": len(known.rows),
        "verified": sum(row.verified for row in known.rows),
        "used_by": [
            {"resource": use.resource, "field": use.field, "policy": use.policy} for use in code_uses(known.name)
        ],
    }


def _lists(*, as_json: bool) -> None:
    known = [load(name) for name in names()]
    if as_json:
        click.echo(json.dumps([_facts(codes) for codes in known], ensure_ascii=False))
        return
    rows = []
    for found in known:
        facts = _facts(found)
        counted = f"{facts['verified']} of {facts['rows']}"
        uses = _policies(code_uses(found.name))
        rows.append((found.name, found.title, found.standard, found.version, counted, uses))
    print_table(("list", "title", "standard", "version", "verified", "used by"), rows)


def _policies(uses: tuple[CodeUse, ...]) -> str:
    counts: dict[str, int] = {}
    for use in uses:
        counts[use.policy] = counts.get(use.policy, 0) + 1
    return ", ".join(f"{count} {policy}" for policy, count in sorted(counts.items()))


def _rows(known: CodeList, rows: list[Code], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**_facts(known), "codes": [_row(row) for row in rows]}, ensure_ascii=False))
        return
    for key, value in known.head.items():
        click.echo(f"{key}: {value}")
    click.echo(f"verified: {sum(row.verified for row in known.rows)} of {len(known.rows)} rows")
    for use in code_uses(known.name):
        click.echo(f"used by: {use.resource}.{use.field} ({use.policy})")
    _print(rows)


def _one(known: CodeList, code: str, day: date | None, *, as_json: bool) -> bool:
    """Show one code; whether the list has it, itself or as a finer code under one that it knows."""
    held = known.contains(code, day)
    rows = [row for row in known.rows if row.code == code and _in_force(row, day)]
    if as_json:
        facts = {"list": known.name, "code": code, "known": held, "name": known.name_of(code) if held else None}
        click.echo(json.dumps({**facts, "codes": [_row(row) for row in rows]}, ensure_ascii=False))
    elif rows:
        _print(rows)
    elif held:
        click.echo(f"{code}: not listed itself; it lies under {known.name_of(code)}")
    else:
        click.echo(f"{known.name} has no such code{f' on {day}' if day else ''}")
    return held


def _row(row: Code) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "kind": row.kind,
        "valid_from": None if row.valid_from == date.min else row.valid_from.isoformat(),
        "valid_until": None if row.valid_until == _LAST else row.valid_until.isoformat(),
        "verified": row.verified,
        "note": row.note,
    }


def _print(rows: list[Code]) -> None:
    lines = []
    for row in rows:
        facts = _row(row)
        dates = (facts["valid_from"] or "", facts["valid_until"] or "")
        lines.append((row.code, row.name, row.kind, *dates, "yes" if row.verified else "no", row.note))
    print_table(("code", "name", "kind", "from", "until", "verified", "note"), lines)
