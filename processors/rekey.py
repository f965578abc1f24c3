"""Re-keying: after the token keys were changed, every record moves to the token that its subject has under the new ones.

It is a relocation like that of an identity link, with one difference: the new token follows from the number itself, so
the sections are opened. So what cross-checks compare is made anew, under the keys and by the checks of today. Whoever
holds the old keys no longer recognises anybody (Art 47).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from compliance.catalogue import wanted_fields
from compliance.entry import CatalogueEntry
from processors.batch import Outgoing
from processors.crosscheck.facts import FactMaker
from processors.deliver import RecordMessage
from processors.keying import TOKEN_BYTES, TokenKeys, discriminator_of, link_target_of, record_key, subject_of, token_of
from processors.links import Links, link_entry
from processors.relocate import LEAVES, Leaving
from processors.sealing import SEALED_SECTIONS, Opener
from schemas.errors import KeyStoreError
from schemas.partition import partition_of
from schemas.refusals import Refused
from schemas.resource import ResourceSchema, resource_schema


@dataclass(slots=True)
class Rekeyed:
    """What re-keying decided about some messages.

    Attributes:
        leaving: the records that stand under a token of other keys.
        links: messages for the topic of links, where the records are identity links.
        left: how many could not be re-keyed, because today's rules refuse their number.
    """

    leaving: list[Leaving] = field(default_factory=list)
    links: list[Outgoing] = field(default_factory=list)
    left: int = 0


class Rekeyer:
    """Finds what stands under a token of other keys.

    Args:
        links: the identity links, under the keys in force.
        tokens: the token keys in force.
        opener: of the sealed sections.
        link_head: leading bytes of a link entry.
        facts: makes what cross-checks compare, under the keys in force.
    """

    def __init__(self, links: Links, tokens: TokenKeys, opener: Opener, link_head: bytes, facts: FactMaker) -> None:
        self._links = links
        self._tokens = tokens
        self._opener = opener
        self._link_head = link_head
        self._facts = facts

    def rekey(
        self,
        partition: int,
        messages: Iterable[RecordMessage],
        decode: Callable[[RecordMessage], dict[str, Any]],
        entry_of: Callable[[int], CatalogueEntry],
        partitions: int,
        on: date,
    ) -> Rekeyed:
        """Decide about messages of one partition, in offset order; of each key the last counts.

        Args:
            partition: that they stand on.
            messages: tombstones among them are passed over.
            decode: a message's record.
            entry_of: the entry of a catalogue version.
            partitions: of the topic.
            on: the day for which numbers must make sense.
        """
        last: dict[bytes, dict[str, Any]] = {}
        for message in messages:
            if message.value is not None:
                last[message.key] = decode(message)
        found = Rekeyed()
        for key, record in last.items():
            stale = record["submission"]["token_key"] != self._tokens.key_id
            if stale and record["change"]["operation"] not in LEAVES:
                self._rekey(key, partition, record, entry_of, partitions, on, found)
        return found

    def _rekey(
        self,
        key: bytes,
        partition: int,
        record: dict[str, Any],
        entry_of: Callable[[int], CatalogueEntry],
        partitions: int,
        on: date,
        found: Rekeyed,
    ) -> None:
        entry = entry_of(record["submission"]["layout_version"])
        schema = resource_schema(entry.avro)
        data = self._opened(key, record, schema)
        identity = subject_of(schema, data, on)
        discriminator = discriminator_of(schema, data, self._tokens)
        target = link_target_of(schema, data, on) if schema.links_to else None
        if isinstance(identity, Refused) or isinstance(discriminator, str) or isinstance(target, Refused):
            found.left += 1
            return
        token = token_of(identity, self._tokens)
        if target is not None:
            link = link_entry(record, token_of(target, self._tokens), self._tokens.key_id)
            found.links.append({"key": key[:TOKEN_BYTES], "value": None, "partition": 0})
            found.links.append({"key": token, "value": self._link_head + link, "partition": 0})
        else:
            token = self._links.home(token)
        change = {**record["change"], "discriminator": discriminator}
        compared = self._facts.compared(schema, wanted_fields(entry), data, on)
        home = record_key(token, discriminator, self._tokens)
        place = partition_of(token, partitions)
        anew = {**record, "change": change, "compared": compared}
        found.leaving.append(Leaving(key, partition, anew, token, home, place, gone=False))

    def _opened(self, key: bytes, record: dict[str, Any], schema: ResourceSchema) -> dict[str, Any]:
        """Every field of a record; errors as `Opener.open`."""
        data = dict(record["open"])
        bound = key[:TOKEN_BYTES] + record["change"]["event_id"].encode()
        for section in SEALED_SECTIONS:
            codec, cipher = schema.sections[section], record[section]
            if cipher is None:
                continue
            if codec is None:
                raise KeyStoreError(f"a record has a section {section}, which its catalogue version lacks")
            data |= codec.decode_physical(self._opener.open(record["submission"]["key_id"], section, cipher, bound))
        return data
