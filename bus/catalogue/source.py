"""Where a catalogue command reads the register: from Kafka, or from a register file without any."""

from pathlib import Path

from bus.provision.actual import Cluster
from bus.provision.register import read_register
from bus.settings import load
from compliance.difference import after
from compliance.entry import CatalogueEntry
from compliance.registerfile import read_register_file
from compliance.view import RegisterView
from schemas.errors import UsageError


def register_view(file: Path | None) -> RegisterView:
    """The register of a file, or the one on Kafka where no file is named.

    Raises:
        RegisterFileError: the file has errors.
        KafkaUnavailableError, RegistryUnavailableError, DeadlineError: Kafka cannot be read now.
    """
    if file is None:
        return read_register(Cluster(load()))
    return after(RegisterView(), read_register_file(file))


def chosen(view: RegisterView, resource: str | None, version: int | None = None) -> tuple[CatalogueEntry, ...]:
    """The newest version of every entry, of one entry, or one version of one, in the order of their codes.

    Raises:
        UsageError: the register has no such entry or version.
    """
    if resource is None:
        return tuple(sorted(view.entries(), key=lambda entry: entry.resource))
    found = view.entry(resource) if version is None else view.entry_version(resource, version)
    if found is None:
        known = ", ".join(entry.key for entry in view.versions(resource))
        known = known or ", ".join(sorted(entry.resource for entry in view.entries())) or "none"
        wanted = resource if version is None else f"{resource}@{version}"
        raise UsageError(f"the register has no catalogue entry {wanted}; there are: {known}")
    return (found,)
