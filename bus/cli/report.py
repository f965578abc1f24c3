"""`bus report …`: figures over the register and what the bus counted, as a table, JSON, CSV or Excel."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bus.cli.tables import print_table
from bus.register.counting import count
from bus.register.figures_workbook import write_figures
from bus.register.place import opened
from bus.register.qualityread import read_quality
from bus.settings import load
from compliance.annual import annual as annual_figures
from compliance.busfacts import BusFacts, facts_json, read_facts
from compliance.catalogue import end_of, local_date
from compliance.corrections import correction_marks
from compliance.drills import drills as drill_figures
from compliance.figures import Figures, as_csv, as_json, text
from compliance.indicator_table import read_weights
from compliance.indicators import indicators as indicator_figures
from compliance.listings import inclusion_gaps, uncovered
from compliance.listings import legacy as legacy_figures
from compliance.models import Agency
from compliance.obtainable import available as available_figures
from compliance.period import period
from compliance.quality import Weights
from compliance.qualitydays import Asked, quality_below, quality_trend, read_quality_weights
from compliance.qualitydays import quality as quality_figures
from compliance.register.service import Register
from schemas.errors import UsageError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_FORMATS = ("table", "json", "csv", "xlsx")

_agency_option = click.option("--agency", help="of this agency alone, by its code")
_facts_option = click.option(
    "--facts",
    "facts_file",
    type=_FILE,
    help="JSON file with what the bus counted, as `bus report facts` writes it",
)


def _output(command: Callable[..., Figures]) -> Callable[..., None]:
    """A command that answers figures: what form they take, where they go, and as of when they are."""

    @click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True)
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="file to write; xlsx wants one")
    @click.option("--as-of", type=_DAY, help="as it stood at the end of a day; now if not given")
    @wraps(command)
    def run(form: str, out: Path | None, as_of: datetime | None, **rest: Any) -> None:  # noqa: ANN401  each command's own options
        if form == "xlsx" and out is None:
            raise UsageError("--format xlsx wants --out FILE")
        at = datetime.now(UTC) if as_of is None else end_of(as_of.date()) - timedelta(milliseconds=1)
        with opened(load()) as register:
            figures = command(register=register, at=at, **rest)
        _write(figures, form, out)

    return run


def _write(figures: Figures, form: str, out: Path | None) -> None:
    if form == "xlsx" and out is not None:
        write_figures(out, figures)
    elif form == "table" and out is None:
        print_table([column.zh for column in figures.columns], [list(map(text, row)) for row in figures.rows])
        return
    else:
        written = as_json(figures) + "\n" if form == "json" else as_csv(figures)
        if out is None:
            click.echo(written, nl=False)
            return
        try:
            out.write_text(written, encoding="utf-8", newline="")
        except OSError as error:
            raise UsageError(f"{out.name}: cannot be written ({error.strerror})") from None
    click.echo(f"{len(figures.rows)} rows: {out}")


def _counted(path: Path | None) -> tuple[BusFacts, ...]:
    return () if path is None else read_facts(path)


def _agencies(register: Register, code: str | None, at: datetime) -> list[Agency]:
    """All agencies, or the one of that code."""
    known = sorted(register.view(at).agencies(), key=lambda agency: agency.code)
    chosen = [agency for agency in known if code in (None, agency.code)]
    if code is not None and not chosen:
        raise UsageError(f"the register has no agency {code}")
    return chosen


@click.group()
def report() -> None:
    """Figures of Articles 10, 36, 39, 49 to 51, 53 and 61, every row with the records it comes from."""


@report.command()
@click.option("--period", "name", required=True, help="year, quarter or month: 2026, 2026Q3, 2026-09")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="file to write")
def facts(name: str, out: Path | None) -> None:
    """Count what flowed in a period, by agency and resource, from Kafka's topics; JSON for the other reports."""
    settings = load()
    with opened(settings) as register:
        rows = count(settings, register.view(), period(name))
    written = facts_json(rows)
    if out is None:
        click.echo(written)
        return
    try:
        out.write_text(written + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out.name}: cannot be written ({error.strerror})") from None
    click.echo(f"{len(rows)} rows: {out}")


@report.command()
@click.option("--period", "name", required=True, help="year, quarter or month: 2026, 2026Q3, 2026-09")
@click.option("--weights", type=_FILE, help="YAML file: weights, a number for each indicator")
@_agency_option
@_facts_option
@_output
def indicators(
    register: Register, at: datetime, name: str, weights: Path | None, agency: str | None, facts_file: Path | None
) -> Figures:
    """Performance indicators 绩效评价指标 of each agency in a period (Art 51)."""
    chosen = None if weights is None else read_weights(weights)
    agencies = _agencies(register, agency, at)
    return indicator_figures(register, agencies, period(name), at, _counted(facts_file), chosen)


@report.command()
@_agency_option
@click.option("--resource", help="of this resource alone, by its code")
@click.option("--from", "first", type=_DAY, help="first day")
@click.option("--to", "last", type=_DAY, help="last day")
@click.option("--weights", type=_FILE, help="YAML file: a number for each dimension, such as timeliness: 2")
@click.option("--trend", is_flag=True, help="day by day")
@click.option("--below", is_flag=True, help="what took the scores down, by event id and case")
@_output
def quality(
    register: Register,
    at: datetime,
    agency: str | None,
    resource: str | None,
    first: datetime | None,
    last: datetime | None,
    weights: Path | None,
    *,
    trend: bool,
    below: bool,
) -> Figures:
    """Quality of data 数据质量 in five dimensions, by agency and resource, of what came in a time (Art 10, 51)."""
    if trend and below:
        raise UsageError("--trend or --below, not both")
    _agencies(register, agency, at)
    # Days after the instant are not looked at; how records of a day stand is known as of now alone.
    until = min(local_date(at), last.date()) if last else local_date(at)
    asked = Asked(agency, resource, first and first.date(), until)
    days, cases = read_quality(load()), tuple(correction_marks(register, at, agency))
    if below:
        return quality_below(days, cases, asked, at)
    chosen = Weights() if weights is None else read_quality_weights(weights)
    return (quality_trend if trend else quality_figures)(days, cases, asked, chosen, at)


@report.command()
@click.option("--year", type=click.IntRange(2016, 9999), help="of the reports; this one if not given")
@_agency_option
@_facts_option
@_output
def annual(register: Register, at: datetime, year: int | None, agency: str | None, facts_file: Path | None) -> Figures:
    """Annual reports 年度报告 of a year: who reported, who is missing; for one agency its figures too (Art 50)."""
    _agencies(register, agency, at)
    return annual_figures(register, year or local_date(at).year, at, _counted(facts_file), agency)


@report.command()
@click.argument("items", nargs=-1, required=True)
@click.option("--agency", required=True, help="that wants the items, by its code")
@_output
def available(register: Register, at: datetime, items: tuple[str, ...], agency: str) -> Figures:
    """Which ITEMS (Chinese names, or resource.field) an agency can have by sharing and must not ask for (Art 61)."""
    _agencies(register, agency, at)
    return available_figures(register.view(at), agency, items, at)


@report.command()
@_agency_option
@_facts_option
@_output
def coverage(register: Register, at: datetime, agency: str | None, facts_file: Path | None) -> Figures:
    """Catalogue entries that nobody supplies, and why (Art 36)."""
    _agencies(register, agency, at)
    return uncovered(register, at, _counted(facts_file), agency)


@report.command()
@_agency_option
@_output
def gaps(register: Register, at: datetime, agency: str | None) -> Figures:
    """What must stand in the catalogue and does not (Art 39)."""
    _agencies(register, agency, at)
    return inclusion_gaps(register, at, agency)


@report.command()
@_agency_option
@_output
def legacy(register: Register, at: datetime, agency: str | None) -> Figures:
    """Exchanges beside the platform, and how far each has moved to it (Art 10)."""
    _agencies(register, agency, at)
    return legacy_figures(register, at, agency)


@report.command()
@_output
def drills(register: Register, at: datetime) -> Figures:
    """Drills, restore tests and security checks: the days since the last of each kind (Art 49, 53)."""
    return drill_figures(register, at)
