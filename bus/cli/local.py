"""`bus local`: Kafka, the schema registry and certificates of this machine."""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from bus.local import cluster
from bus.local.certificates import issue_agency, issue_bus
from bus.settings import load

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


@click.group()
def local() -> None:
    """Run Kafka and the schema registry on this machine, with mutual TLS and access rights on."""


@local.command()
@click.option("--brokers", type=click.IntRange(1, 7), help="How many brokers; default: as before, at first 1.")
@_json
def up(brokers: int | None, *, as_json: bool) -> None:
    """Start Kafka and the registry; harmless when they run."""
    status = cluster.up(load(), brokers)
    _show(status, as_json=as_json)
    if not as_json:
        click.echo(f"state directory: {status.state_dir}")


@local.command()
@click.option("--wipe", is_flag=True, help="Also remove all data and logs; certificates, keys and downloads stay.")
@_json
def down(*, wipe: bool, as_json: bool) -> None:
    """Stop everything that `up` started; no process stays."""
    ended = cluster.down(load(), wipe=wipe)
    if as_json:
        click.echo(json.dumps({"ended": ended, "wiped": wipe}))
        return
    click.echo(f"stopped {', '.join(ended)}" if ended else "nothing was running")
    if wipe:
        click.echo("removed data and logs")


@local.command()
@_json
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Show what runs and whether it serves; ends with 3 when something does not."""
    found = cluster.status(load())
    _show(found, as_json=as_json)
    if not found.running:
        context.exit(3)


@local.command()
@click.argument("agency", required=False)
@click.option("--bus", "for_bus", is_flag=True, help="The bus's own certificates, as docker-compose.yml needs them.")
@_json
def certificate(agency: str | None, *, for_bus: bool, as_json: bool) -> None:
    """Issue AGENCY's TLS and signing certificates, or find them again.

    The signing certificate belongs into the agency's register entry; keys never leave the folder.
    """
    if (agency is None) != for_bus:
        raise click.UsageError("give either an agency's code or --bus")
    state_dir = load().state_dir
    if agency is None:
        made = {role: str(files.certificate.parent) for role, files in issue_bus(state_dir).items()}
        click.echo(json.dumps(made) if as_json else "\n".join(made.values()))
        return
    files = issue_agency(state_dir, agency)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "principal": files.tls.principal,
                    "certificate": str(files.tls.certificate),
                    "key": str(files.tls.key),
                    "ca": str(files.tls.ca),
                    "signing_certificate": str(files.signing_certificate),
                    "signing_key": str(files.signing_key),
                }
            )
        )
    else:
        click.echo(f"{files.tls.principal}: {files.tls.certificate.parent}")


def _show(found: cluster.LocalStatus, *, as_json: bool) -> None:
    if as_json:
        services = [{**asdict(service), "log": str(service.log)} for service in found.services]
        document = {"running": found.running, "state_dir": str(found.state_dir), "services": services}
        click.echo(json.dumps(document))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("service", "state", "pid", "address"):
        table.add_column(title)
    for service in found.services:
        state = "serving" if service.serving else "starting" if service.pid else "stopped"
        table.add_row(service.name, state, str(service.pid or ""), service.address)
    Console().print(table)
