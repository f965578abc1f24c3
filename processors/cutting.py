"""A record cut into the parts that deliver passes on; no field is decoded to be encoded again.

A record that another schema wrote than its catalogue version's present one is first written anew under that, by the
general reader and writer: the law is the same, only slower.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.sealing import SEALED_SECTIONS, Opener
from schemas.codec import Codec, unframe
from schemas.errors import SchemaError
from schemas.provenance import Facts, RecordHead, cut_facts, cut_head
from schemas.resource import ResourceSchema
from schemas.wire import after_sized, field_ends, sized

_NULL, _COMPARED = b"\x00", 2  # branches of `compared`, which ends with the block that ends an array
_NOT_READABLE = (IndexError, ValueError)  # ValueError: what is no UTF-8


class Section(NamedTuple):
    """The bytes of some fields, and the offsets at which each begins and the last ends."""

    data: bytes
    ends: list[int]


@dataclass(slots=True)
class CutRecord:
    """One record, cut.

    Attributes:
        sections: the open section, and those that were opened.
        sealed: those that were not, as they came.
    """

    head: RecordHead
    facts: Facts
    layout: ResourceSchema
    sections: dict[str, Section]
    sealed: dict[str, bytes] = field(repr=False)

    def open(self, section: str, token: bytes, opener: Opener) -> None:
        """Open one sealed section, once; nothing happens where the record has none.

        Raises:
            KeyStoreError: it does not open.
            SchemaError: what was inside is not of this schema.
        """
        sealed = self.sealed.pop(section, None)
        if sealed is None:
            return
        plain = opener.open(self.facts.key_id, section, sealed, token + self.head.event_id)
        ends = field_ends(plain, 0, self.layout.endings[section])
        if ends[-1] != len(plain):
            raise SchemaError(f"a sealed section is not of the schema of catalogue version {self.facts.layout_version}")
        self.sections[section] = Section(plain, ends)


class Cutter:
    """Cuts the records of one batch; remembers the facts that the last one shared with its submission.

    Args:
        codecs: record codec by the schema id that wrote it.
        layouts: resource schema by the catalogue version that laid a record's sections out.
    """

    def __init__(self, codecs: Mapping[int, Codec], layouts: Mapping[int, ResourceSchema]) -> None:
        self._codecs = codecs
        self._layouts = layouts
        self._facts: Facts | None = None
        self._present = {
            schema_id: tuple(version for version, layout in layouts.items() if layout.record.text == codec.text)
            for schema_id, codec in codecs.items()
        }

    def cut(self, offset: int, value: bytes) -> CutRecord:
        """The parts of one record.

        Raises:
            SchemaError: it is not readable, which only a defect or a foreign writer can cause.
        """
        framed = unframe(value)
        codec = self._codecs.get(framed[0]) if framed else None
        if framed is None or codec is None:
            raise SchemaError(f"record at offset {offset} was not written by admit")
        schema_id, payload = framed
        try:
            found = self._cut(payload, self._present[schema_id])
            if found is None:
                found = self._cut(self._anew(offset, codec, payload), tuple(self._layouts))
        except _NOT_READABLE:
            found = None
        if found is None:
            raise SchemaError(f"record at offset {offset} is not of the schema that it cites")
        return found

    def _anew(self, offset: int, codec: Codec, payload: bytes) -> bytes:
        """The record as its catalogue version would be written today."""
        record = codec.decode_physical(payload)
        version = record["submission"]["layout_version"]
        layout = self._layouts.get(version)
        if layout is None:
            raise SchemaError(f"record at offset {offset} cites catalogue version {version}, which is unknown")
        return layout.record.encode_physical(record)

    def _cut(self, data: bytes, versions: tuple[int, ...]) -> CutRecord | None:
        """The parts of a record that one of these catalogue versions laid out; None where another one did."""
        if not versions:
            return None
        head = cut_head(data, 0)
        facts = self._facts
        if facts is None or not data.startswith(facts.raw, head.end):
            facts = self._facts = cut_facts(data, head.end)
        if facts.layout_version not in versions:
            return None
        layout = self._layouts[facts.layout_version]
        ends = field_ends(data, head.end + len(facts.raw), layout.endings["open"])
        sealed, at = {}, ends[-1]
        for section in SEALED_SECTIONS:
            at += 1
            if data[at - 1]:
                sealed[section] = sized(data, at)
                at = after_sized(data, at)
        # What cross-checks compare stands last, and never leaves: it is not cut, only seen to be there, whole or null.
        compared = data[at:]
        if compared != _NULL and (compared[0] != _COMPARED or compared[-1]):
            return None
        return CutRecord(head, facts, layout, {"open": Section(data, ends)}, sealed)
