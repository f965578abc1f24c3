"""`bus keys …`: which keys are in force, and how they are changed."""

import json

import click

from bus.keys import rotation
from bus.keys.store import load_keys
from bus.provision.actual import Cluster
from bus.provision.register import read_register
from bus.settings import load
from bus.topics import RELOCATION, record_topic
from bus.wire.clients import admin
from bus.workers.relocation import RelocationBook
from schemas.resource import envelope


@click.group()
def keys() -> None:
    """Show and change the keys behind tokens and sealed sections; never prints a key."""


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object in place of lines")
def show(*, as_json: bool) -> None:
    """Show the ids of the keys in force."""
    found = load_keys(load().state_dir)
    facts = {
        "tokens": found.tokens.key_id,
        "retiring": found.retiring.key_id if found.retiring else None,
        "sections": found.current,
        "readable_sections": sorted(found.sections),
        "digests": found.digests.key_id,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        click.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value or '-'}")


@keys.command()
@click.option("--digests", is_flag=True, help="replace the key of digests too, where somebody else saw it")
def rotate(*, digests: bool) -> None:
    """Add new token keys and section keys; the workers take them when they are started again."""
    made = rotation.rotate(load().state_dir, digests=digests)
    click.echo(f"token keys {made} are in force for workers that start from now on: start all of them again.")
    click.echo("relocate then moves every record; `bus keys retire` ends the change.")


@keys.command()
def retire() -> None:
    """Remove the retiring token keys, once relocate has moved every record."""
    settings = load()
    cluster = Cluster(settings)
    view = read_register(cluster)
    head = cluster.registry.head(RELOCATION.pattern, envelope("relocation"))
    book = RelocationBook(settings, cluster.principal, admin(settings, cluster.principal), head)
    applied = {place: progress.token_key for place, progress in book.read().items()}
    partitions = {record_topic(entry.resource): entry.partitions for entry in view.entries()}
    gone = rotation.retire(settings.state_dir, applied, partitions)
    click.echo(f"token keys {gone} are gone: start the workers again.")
