"""`bus crosscheck …`: the hits that stand, and the rules that find them."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from bus.cli.options import as_json_option, limit_option
from bus.cli.tables import print_table
from bus.crosscheck.listing import standing_hits
from bus.crosscheck.rules import checks_of
from bus.settings import load
from compliance.catalogue import SHANGHAI
from compliance.crosschecks import CrossCheck
from processors.crosscheck.telling import Told
from processors.crosscheck.words import Version


@click.group()
def crosscheck() -> None:
    """Look at what cross-checks 多元校核 found, and at their rules."""


@crosscheck.command("list")
@click.option("--check", help="of one check")
@click.option("--agency", help="that one agency is asked about")
@limit_option
@as_json_option
def list_(check: str | None, agency: str | None, limit: int, *, as_json: bool) -> None:
    """List the hits that stand, the longest standing first; subjects are known by event ids alone."""
    found = [
        told
        for told in standing_hits(load())
        if check in (None, told.hit.check) and agency in (None, told.hit.asked.agency)
    ]
    if as_json:
        click.echo(json.dumps([_plain(told) for told in found], ensure_ascii=False))
        return
    heads = ("check", "asked", "left", "right", "differ", "since", "told", "pair")
    print_table(heads, [_row(told) for told in found[:limit]])
    if len(found) > limit:
        click.echo(f"there are more; --limit shows more than {limit}, --json all")


@crosscheck.command()
@as_json_option
def rules(*, as_json: bool) -> None:
    """List the rules that count here: the packaged ones and the city's own."""
    checks = checks_of(load())
    if as_json:
        click.echo(json.dumps([check.model_dump(mode="json") for check in checks], ensure_ascii=False))
        return
    heads = ("id", "kind", "article", "tolerance", "asks", "it says")
    print_table(heads, [_rule(check) for check in checks])


def _row(told: Told) -> tuple[str, ...]:
    hit = told.hit
    return (
        hit.check,
        hit.asked.agency,
        _side(hit.left),
        "nothing" if hit.right is None else _side(hit.right),
        ", ".join(hit.fields),
        _day(hit.since),
        _day(told.opened_at),
        hit.pair,
    )


def _side(version: Version) -> str:
    return f"{version.resource} {version.event_id}"


def _plain(told: Told) -> dict[str, Any]:
    hit = told.hit
    return {
        "pair": hit.pair,
        "check": hit.check,
        "asked": hit.asked.agency,
        "left": _plain_side(hit.left),
        "right": None if hit.right is None else _plain_side(hit.right),
        "fields": list(hit.fields),
        "since": _instant(hit.since).isoformat(),
        "opened_at": _instant(told.opened_at).isoformat(),
    }


def _plain_side(version: Version) -> dict[str, Any]:
    return {
        "resource": version.resource,
        "event_id": version.event_id,
        "agency": version.agency,
        "division": version.division,
    }


def _rule(check: CrossCheck) -> tuple[str, ...]:
    return (
        check.id,
        check.kind.value,
        check.articles + (" (assumption)" if check.assumption else ""),
        f"{check.tolerance_days} days",
        check.asks.lower(),
        f"{check.told_zh} {check.told_en}",
    )


def _day(at: int) -> str:
    return _instant(at).strftime("%Y-%m-%d %H:%M")


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(SHANGHAI)
