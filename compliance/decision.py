"""The value of every "yes": what is permitted, under which rule; every "no" is a `Refused`."""

from dataclasses import dataclass

from compliance.models import CatalogueEntry, Grant


@dataclass(frozen=True, slots=True)
class Permitted:
    """A decision that says yes, with what it rests on."""

    entry: CatalogueEntry
    grant: Grant | None = None
