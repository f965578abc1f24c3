"""One resource as its `.avsc` file describes it, and every schema that follows from it.

The law stands in the file as custom attributes (see DESIGN.md, *schemas*). From the one resource schema derive the
submission on `change.*`, the record on `record.*` with its sealed sections, and the delivery of a grant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from schemas.codec import Codec
from schemas.errors import SchemaError, UsageError
from schemas.field import FieldSpec, field_of
from schemas.provenance import COMPARED, FACTS, HEAD, NAMESPACE, PROVENANCE, TIMESTAMP, UUID
from schemas.refusals import RefusalCode, Refused
from schemas.resource_rules import SECTIONS, read
from schemas.wire import ending


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """How the subject is identified: which fields hold its document type and number (Art 15, decisions 7)."""

    kind: Literal["person", "organisation", "feature"]
    type_field: str | None
    type_constant: str | None
    number_field: str
    name_field: str | None
    fallback_type: str | None
    fallback_number_field: str | None
    fallback_reason_field: str | None
    """Must say why, where the fallback is used; None where no reason is asked for."""
    fallback_class_field: str | None
    """Must hold a code of its list, where the fallback is used; None where the resource holds no others anyway."""


class ResourceSchema:
    """A resource schema, parsed and checked; immutable.

    Args:
        avsc: the Avro schema as JSON text.

    Raises:
        SchemaError: when an attribute is missing or contradicts another, with every problem and its field.
    """

    def __init__(self, avsc: str) -> None:
        self.avro: dict[str, Any] = read(avsc)
        self.code: str = self.avro["resource"]
        self.cn: str = self.avro["cn"]
        self.article: str = self.avro["article"]
        self.freshness: str = self.avro["freshness"]
        self.record_key: tuple[tuple[str, ...], ...] = tuple(
            (part,) if isinstance(part, str) else tuple(part) for part in self.avro["record_key"]
        )
        self.division_field: str | None = self.avro["division"].get("field")
        links = self.avro.get("links_to")
        self.links_to: tuple[str, str] | None = (links["type_field"], links["number_field"]) if links else None
        self.fields: dict[str, FieldSpec] = {spec["name"]: field_of(spec) for spec in self.avro["fields"]}
        subject = self.avro["subject"]
        self.subject = SubjectRule(
            kind=subject["kind"],
            type_field=subject.get("type_field"),
            type_constant=subject.get("type_constant"),
            number_field=subject["number_field"],
            name_field=subject.get("name_field"),
            fallback_type=subject.get("fallback_type"),
            fallback_number_field=subject.get("fallback_number_field"),
            fallback_reason_field=subject.get("fallback_reason_field"),
            fallback_class_field=subject.get("fallback_class_field"),
        )

    @property
    def record_key_fields(self) -> tuple[str, ...]:
        """Every field that may take part in the record's own key."""
        return tuple(name for part in self.record_key for name in part)

    def names(self, section: str) -> tuple[str, ...]:
        """The fields of one section, in the schema's order."""
        return tuple(name for name, spec in self.fields.items() if spec.section == section)

    # -- derived schemas ---------------------------------------------------------------------------------------

    @cached_property
    def change(self) -> Codec:
        """Codec of one change within a submission."""
        return Codec({**self._change_schema(), "namespace": NAMESPACE})

    def _change_schema(self) -> dict[str, Any]:
        return {
            "type": "record",
            "name": f"{self._name}Change",
            "fields": [
                {"name": "event_id", "type": UUID},
                {"name": "operation", "type": "string"},
                {"name": "business_time", "type": TIMESTAMP},
                {"name": "subject_division_code", "type": ["null", "string"], "default": None},
                {"name": "supersedes", "type": ["null", "string"], "default": None},
                {"name": "data", "type": {**self.avro, "namespace": NAMESPACE}},
            ],
        }

    @cached_property
    def submission(self) -> Codec:
        """Codec of `change.<agency>.<resource>`: one signed submission of 1 to 1,000 changes (decisions 15)."""
        change = self._change_schema()
        return Codec(
            {
                "type": "record",
                "name": f"{self._name}Submission",
                "namespace": NAMESPACE,
                "fields": [
                    {"name": "submission_id", "type": UUID},
                    {"name": "agency", "type": "string"},
                    {"name": "resource", "type": "string"},
                    {"name": "catalogue_version", "type": "int"},
                    {"name": "review_number", "type": "string"},
                    {"name": "classification", "type": "string"},
                    {"name": "published_at", "type": TIMESTAMP},
                    {"name": "changes", "type": {"type": "array", "items": change}},
                ],
            }
        )

    @cached_property
    def record(self) -> Codec:
        """Codec of `record.<resource>`: head, submission facts, open fields, two sealed sections, what is compared.

        The bytes of an Avro record are the bytes of its fields one after another, so admit writes the parts with
        `head_bytes`, `record_facts` and `schemas/wire.py:nullable` and joins them. What is compared stands last: a
        withdrawal has none, and neither has a record from before it was written.
        """
        return Codec(
            {
                "type": "record",
                "name": f"{self._name}Record",
                "namespace": NAMESPACE,
                "resource": self.code,
                "fields": [
                    {"name": "change", "type": HEAD},
                    {"name": "submission", "type": FACTS},
                    {"name": "open", "type": self._section_schema("open")},
                    {"name": "identity", "type": ["null", "bytes"], "default": None},
                    {"name": "restricted", "type": ["null", "bytes"], "default": None},
                    {"name": "compared", "type": ["null", COMPARED], "default": None},
                ],
            }
        )

    @cached_property
    def record_before(self) -> Codec:
        """Codec of the records that were written before anything was compared: the same without the last field."""
        return Codec({**self.record.schema, "fields": self.record.schema["fields"][:-1]})

    @cached_property
    def sections(self) -> dict[str, Codec | None]:
        """The codec of each section; None for a section without fields."""
        return {
            section: Codec(self._section_schema(section)) if section == "open" or self.names(section) else None
            for section in SECTIONS
        }

    @cached_property
    def all_written(self) -> tuple[tuple[str, int], ...]:
        """Name and ending of every field, in the schema's order."""
        return tuple((name, ending(spec.avro)) for name, spec in self.fields.items())

    @cached_property
    def written(self) -> dict[str, tuple[tuple[str, int], ...]]:
        """Name and ending of each field of a section, in the section's order."""
        return {section: tuple(zip(self.names(section), ends, strict=True)) for section, ends in self.endings.items()}

    @cached_property
    def endings(self) -> dict[str, tuple[int, ...]]:
        """How the value of each field of a section ends, in the section's order."""
        return {section: tuple(ending(self.fields[name].avro) for name in self.names(section)) for section in SECTIONS}

    def delivery(self, fields: Iterable[str]) -> Codec:
        """Codec of a delivery topic: provenance, and exactly the granted fields in the schema's order.

        Deliver writes its bytes in two parts, `delivery_bytes` and the granted fields as they stand in the record, with
        the union's branch between them.

        Raises:
            SchemaError: when a granted field does not exist.
        """
        return Codec(
            {
                "type": "record",
                "name": f"{self._name}Delivery",
                "namespace": NAMESPACE,
                "resource": self.code,
                "fields": [
                    *PROVENANCE,
                    {"name": "data", "type": ["null", self.granted(fields).schema], "default": None},
                ],
            }
        )

    def granted(self, fields: Iterable[str]) -> Codec:
        """Codec of the granted fields alone, in the schema's order; errors as `delivery`."""
        wanted = set(fields)
        unknown = wanted - set(self.fields)
        if unknown:
            raise SchemaError(f"resource {self.code} has no field {', '.join(sorted(unknown))}")
        return Codec(
            {
                "type": "record",
                "name": f"{self._name}Granted",
                "namespace": NAMESPACE,
                "fields": [self._plain(name) for name in self.fields if name in wanted],
            }
        )

    @property
    def _name(self) -> str:
        return str(self.avro["name"])

    def _plain(self, name: str) -> dict[str, Any]:
        return {"name": name, "type": self.fields[name].avro, "default": None, "cn": self.fields[name].cn}

    def _section_schema(self, section: str) -> dict[str, Any]:
        return {
            "type": "record",
            "name": f"{self._name}{section.capitalize()}",
            "namespace": NAMESPACE,
            "fields": [self._plain(name) for name in self.names(section)],
        }

    # -- what a publisher hands over ---------------------------------------------------------------------------

    def check(self, data: Mapping[str, Any]) -> Refused | None:
        """Whether the values have the types that the schema says; unknown fields are refused, never dropped.

        Lengths and codes are admit's business.
        """
        for name, value in data.items():
            spec = self.fields.get(name)
            if spec is None:
                return Refused(RefusalCode.E_SCHEMA, "the resource has no such field", name[:60])
            refused = spec.check(value)
            if refused is not None:
                return refused
        return None


@cache
def resource_schema(avsc: str) -> ResourceSchema:
    """The parsed resource schema of an `.avsc` text; parsed once for each text."""
    return ResourceSchema(avsc)


@cache
def packaged_resources() -> tuple[str, ...]:
    """The codes of the resources of Articles 18 to 35, whose schema files travel with the bus."""
    return _in_folder("resources")


@cache
def platform_resources() -> tuple[str, ...]:
    """The codes of the resources that the bus itself asks for, beside those of the regulation: identity links."""
    return _in_folder("platform")


def _in_folder(folder: str) -> tuple[str, ...]:
    found = (files("schemas") / folder).iterdir()
    return tuple(sorted(item.name.removesuffix(".avsc") for item in found if item.name.endswith(".avsc")))


@cache
def packaged_text(resource: str) -> str:
    """The `.avsc` text of a packaged resource, of the regulation or of the platform.

    Raises:
        UsageError: when there is none of that name.
    """
    for folder, known in (("resources", packaged_resources()), ("platform", platform_resources())):
        if resource in known:
            return (files("schemas") / folder / f"{resource}.avsc").read_text(encoding="utf-8")
    there_are = ", ".join((*packaged_resources(), *platform_resources()))
    raise UsageError(f"no packaged schema for resource {resource}; there are: {there_are}")


@cache
def envelope(name: str) -> Codec:
    """Codec of an envelope schema: receipt, refusal, pulse, incident, progress, cursor, register_*."""
    return Codec((files("schemas") / "envelope" / f"{name}.avsc").read_text(encoding="utf-8"))
