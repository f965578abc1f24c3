"""A grant, compiled: which rows, which fields, which sections must be opened, under which pseudonym.

The law of this file: **no delivery without a grant**. A plan names the granted fields one by one, so a field that a
schema gains later is in no plan (design 1). Compiled when the register changes, never per event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from compliance.divisions import DivisionSet
from compliance.models import CatalogueEntry, Grant
from processors.sealing import SEALED_SECTIONS
from schemas.codec import Codec
from schemas.provenance import delivery_head
from schemas.resource import ResourceSchema, resource_schema

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
    """

    grant: Grant
    topic: str
    fields: frozenset[str]
    divisions: DivisionSet | None
    codec: Codec
    granted: Codec
    pseudonyms: Pseudonyms = field(repr=False)

    def sealed_in(self, layout: ResourceSchema) -> tuple[str, ...]:
        """The sealed sections in which a catalogue version put granted fields; no other one is opened.

        Asked for each version that wrote records, since a field may move to another section with a new version.
        """
        needed = {layout.fields[name].section for name in self.fields if name in layout.fields}
        return tuple(section for section in SEALED_SECTIONS if section in needed)

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
    )


def delivery_value(
    record: dict[str, Any],
    row: dict[str, Any] | None,
    plan: GrantPlan,
    subject: bytes,
    operation: str,
    reason: str | None,
    moved_to: bytes | None = None,
) -> bytes:
    """Avro bytes of one delivery: provenance, then the row as the plan's codec cuts it, or null where there is none.

    The codec names the granted fields and takes no others out of `row`.
    """
    change, facts = record["change"], record["submission"]
    flags = change["flags"]
    head = delivery_head().encode_physical(
        {
            "event_id": change["event_id"],
            "operation": operation,
            "reason": reason,
            "subject": subject,
            "owner": facts["agency"],
            "business_time": change["business_time"],
            "published_at": facts["published_at"],
            "admitted_at": facts["admitted_at"],
            "catalogue_version": facts["catalogue_version"],
            "grant": plan.grant.id,
            "supersedes": change["supersedes"],
            "flags": plan.visible_flags(flags) if flags else (),
            "moved_to": moved_to,
            "moved_at": change["moved_at"],
        }
    )
    return head + (_NULL if row is None else _ROW + plan.granted.encode_physical(row))
