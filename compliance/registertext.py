"""Catalogue entries, or the whole register, as the text of a register file: what `compliance/registerfile.py` reads back without loss."""

from collections.abc import Callable, Iterable
from typing import Any

import yaml

from compliance.entry import CatalogueEntry
from compliance.models import Agency, Grant, SecrecyReview
from compliance.registerfile import VERSION
from compliance.view import RegisterView
from schemas.resource import packaged_resources, packaged_text, platform_resources

Schema = dict[str, str] | str
_WIDTH = 120


class _Plain(yaml.CSafeDumper):
    """Writes every value out: a register file has no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the library's signature
        """Never an alias."""
        return True


def plain_yaml(content: object) -> str:
    """YAML as people write it: keys in their order, Chinese as it is, no aliases."""
    return yaml.dump(content, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=_WIDTH)


def packaged_schema(entry: CatalogueEntry) -> Schema:
    """`{packaged: name}` where the entry's schema is the one that travels with the bus, else its text."""
    if entry.resource in (*packaged_resources(), *platform_resources()) and packaged_text(entry.resource) == entry.avro:
        return {"packaged": entry.resource}
    return entry.avro


def entry_datum(entry: CatalogueEntry, schema: Callable[[CatalogueEntry], Schema] = packaged_schema) -> dict[str, Any]:
    """One entry as a register file holds it; what is as the model would take it anyhow is left out."""
    said = entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    # The number of partitions is for ever: it is said even where it is the usual one.
    return {**said, "partitions": entry.partitions, "schema": schema(entry)}


def catalogue_text(
    entries: Iterable[CatalogueEntry],
    schema: Callable[[CatalogueEntry], Schema] = packaged_schema,
    remarks: Iterable[str] = (),
) -> str:
    """A register file with a catalogue alone.

    Args:
        entries: in the order in which they shall stand.
        schema: how each names its schema.
        remarks: comment lines at the top.
    """
    content = {"version": VERSION, "catalogue": [entry_datum(entry, schema) for entry in entries]}
    return "".join(f"# {line}\n" for line in remarks) + plain_yaml(content)


def register_text(view: RegisterView) -> str:
    """The whole register as a register file: agencies, every version of every entry, reviews, grants."""
    entries = [version for entry in view.entries() for version in view.versions(entry.resource)]

    def said(model: Agency | SecrecyReview | Grant) -> dict[str, Any]:
        return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    content = {
        "version": VERSION,
        "agencies": [said(agency) for agency in view.agencies()],
        "catalogue": [entry_datum(entry) for entry in entries],
        "reviews": [said(review) for review in view.reviews()],
        "grants": [said(grant) for grant in view.grants()],
    }
    return plain_yaml(content)
