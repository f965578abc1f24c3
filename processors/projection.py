"""A grant, compiled: which rows, which fields, which sections must be opened, under which pseudonym.

The law of this file: **no delivery without a grant**. A plan names the granted fields one by one, so a field that a
schema gains later is in no plan (design 1). Compiled when the register changes, never per event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from compliance.divisions import DivisionSet
from compliance.models import CatalogueEntry, Grant
from processors.cutting import CutRecord
from processors.sealing import SEALED_SECTIONS
from schemas.codec import Codec
from schemas.provenance import delivery_bytes
from schemas.resource import ResourceSchema, resource_schema
from schemas.resource_rules import SECTIONS
from schemas.wire import text

_NULL, _ROW = b"\x00", b"\x02"  # branches of `data`


class Pseudonyms:
    """Pairwise pseudonyms of one subscriber: AES-256 of each 16-byte token as one block (decisions 20).

    Tokens are pseudorandom, so a single block is a permutation, not a leak; the bus can turn it back for a complaint.

    Args:
        root: the 32-byte pseudonym key of the platform.
        subscriber: the agency whose pseudonyms these are.
    """

    def __init__(self, root: bytes, subscriber: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"pseudonym:" + subscriber.encode()).derive(root)
        # ECB on purpose: every block is an independent pseudorandom token, and equal tokens must give equal pseudonyms.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  see above

    def of(self, tokens: bytes) -> bytes:
        """The pseudonyms of any number of 16-byte tokens that stand one after another; one call for a whole batch."""
        return self._cipher.encryptor().update(tokens)

    def resolve(self, pseudonyms: bytes) -> bytes:
        """The tokens behind pseudonyms, for a complaint or an inquiry."""
        return self._cipher.decryptor().update(pseudonyms)


@dataclass(frozen=True, slots=True, eq=False)
class GrantPlan:
    """One grant, ready for the hot path.

    Attributes:
        divisions: the rows it covers; None covers all.
        codec: of its delivery topic, as registered.
        granted: of the granted fields alone.
        fields: granted field names; what `visible_flags` filters by.
        id_written: the grant's id, as it stands in each delivery.
    """

    grant: Grant
    topic: str
    fields: frozenset[str]
    divisions: DivisionSet | None
    codec: Codec
    granted: Codec
    pseudonyms: Pseudonyms = field(repr=False)
    id_written: bytes

    def sealed_in(self, layout: ResourceSchema) -> tuple[str, ...]:
        """The sealed sections in which a catalogue version put granted fields; no other one is opened.

        Asked for each version that wrote records, since a field may move to another section with a new version.
        """
        return _sealed_in(self, layout)

    def visible_flags(self, flags: Sequence[str]) -> list[str]:
        """The flags on granted fields; a doubt about a field that is not granted tells something about it."""
        return [flag for flag in flags if flag.partition(":")[0] in self.fields]


def compile_grant(grant: Grant, entry: CatalogueEntry, pseudonym_root: bytes) -> GrantPlan:
    """The plan of a permitted grant.

    Raises:
        SchemaError: when the entry has no such field; `may_read` refuses such a grant before.
    """
    schema = resource_schema(entry.avro)
    divisions = grant.rows.divisions
    return GrantPlan(
        grant=grant,
        topic=grant.topic,
        fields=frozenset(grant.fields),
        divisions=None if divisions is None else DivisionSet(divisions),
        codec=schema.delivery(grant.fields),
        granted=schema.granted(grant.fields),
        pseudonyms=Pseudonyms(pseudonym_root, grant.subscriber),
        id_written=text(grant.id),
    )


def delivery_value(
    record: CutRecord, plan: GrantPlan, subject: bytes, leaves: str | None, moved_to: bytes | None = None
) -> bytes:
    """Avro bytes of one delivery: provenance, then the granted fields as they stand in the record.

    Args:
        record: with every section open in which granted fields are.
        plan: of the grant.
        subject: the subscriber's pseudonym of the subject.
        leaves: the reason with which the record leaves the subscriber; then no row goes along.
        moved_to: the pseudonym under which the subject goes on.
    """
    flags = record.head.flags
    head = delivery_bytes(
        record.head,
        record.facts,
        subject,
        plan.id_written,
        leaves,
        plan.visible_flags(flags) if flags else (),
        moved_to,
    )
    if leaves is not None:
        return head + _NULL
    sections, parts = record.sections, [head, _ROW]
    for section, first, last in runs_of(plan, record.layout):
        cut = sections.get(section)
        # A section that the record does not have, or fields that its version did not have yet, are null.
        parts.append(_NULL * (last - first) if cut is None else cut.data[cut.ends[first] : cut.ends[last]])
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _sealed_in(plan: GrantPlan, layout: ResourceSchema) -> tuple[str, ...]:
    needed = {layout.fields[name].section for name in plan.fields if name in layout.fields}
    return tuple(section for section in SEALED_SECTIONS if section in needed)


@lru_cache(maxsize=1024)
def runs_of(plan: GrantPlan, layout: ResourceSchema) -> tuple[tuple[str, int, int], ...]:
    """Where a plan's fields stand in records of one layout, in the order of the delivery.

    Each run is a section and the places of its first field and of the one after its last; `""` is a section that no
    record has.
    """
    places = {name: (section, at) for section in SECTIONS for at, name in enumerate(layout.names(section))}
    runs: list[tuple[str, int, int]] = []
    for spec in plan.granted.schema["fields"]:
        section, at = places.get(spec["name"], ("", 0))
        if runs and runs[-1][0] == section and (not section or runs[-1][2] == at):
            runs[-1] = (section, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((section, at, at + 1))
    return tuple(runs)
