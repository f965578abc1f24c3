"""Everything about one version of one catalogue entry that admit asks for, compiled once (never per event)."""

from dataclasses import dataclass
from functools import lru_cache

from compliance.catalogue import deprecated_fields, required_fields, wanted_fields
from compliance.models import CatalogueEntry
from schemas.codelists import CodeList, load
from schemas.resource import ResourceSchema, resource_schema


@dataclass(frozen=True, slots=True)
class CodedField:
    """A field whose values come from a code list, and what happens to a value that does not (refuse | flag)."""

    name: str
    codes: CodeList
    refuse: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """One catalogue entry version, ready for the hot path.

    Attributes:
        layout: fingerprint of the submission schema; equal fingerprints are equal bytes on the wire.
        required: fields that must be present (catalogue over schema proposal, decisions 3).
        wanted: fields whose absence a record tells, among them those that an entry does not insist on.
        deprecated: fields that are still read and no longer asked for (Art 40).
        bounded: name, least and greatest wire value of the fields whose type cannot show every number.
    """

    entry: CatalogueEntry
    schema: ResourceSchema
    layout: str
    required: tuple[str, ...]
    wanted: tuple[str, ...]
    deprecated: tuple[str, ...]
    bounded: tuple[tuple[str, int, int], ...]
    coded: tuple[CodedField, ...]
    record_topic: str


@lru_cache(maxsize=1024)
def desk_of(entry: CatalogueEntry) -> Desk:
    """The desk of one entry version."""
    schema = resource_schema(entry.avro)
    coded = tuple(
        CodedField(name, load(spec.code_list), spec.code_policy == "refuse")
        for name, spec in schema.fields.items()
        if spec.code_list and spec.code_policy != "accept"
    )
    return Desk(
        entry=entry,
        schema=schema,
        layout=schema.submission.fingerprint,
        required=required_fields(entry),
        wanted=wanted_fields(entry),
        deprecated=deprecated_fields(entry),
        bounded=tuple((name, *spec.bounds) for name, spec in schema.fields.items() if spec.bounds is not None),
        coded=coded,
        record_topic=f"record.{entry.resource}",
    )
