"""The data-element dictionary (Art 38): what every field of a resource is, as plain values for pages and commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.field import FieldSpec
from schemas.resource import ResourceSchema, packaged_resources, packaged_text, resource_schema


@dataclass(frozen=True, slots=True)
class Element:
    """One data element: a field of a resource with everything that its schema says of it.

    Attributes:
        type: the kind of value, with precision and scale where it has them.
        role: subject_type, subject_number or subject_name, where it plays one.
        code_policy: what happens to a value that the list lacks.
        sharing: the proposed class; the catalogue entry has the last word.
        base_item: must be shared unconditionally (Art 4).
        companion: added so that subject, owner or value can be told; the regulation does not list it (decisions 5).
        reference_of: the field with authority that it is a copy of (Art 28).
    """

    resource: str
    name: str
    cn: str
    doc: str
    article: str
    type: str
    section: str
    role: str | None
    code_list: str | None
    code_policy: str | None
    sharing: str
    base_item: bool
    required: bool
    companion: bool
    reference_of: str | None
    deprecated: bool


@dataclass(frozen=True, slots=True)
class CodeUse:
    """A field whose values come from a code list, and what happens to other ones."""

    resource: str
    field: str
    policy: str


def elements(schema: ResourceSchema) -> tuple[Element, ...]:
    """The data elements of a resource, in the schema's order."""
    return tuple(_element(schema, spec) for spec in schema.fields.values())


def _element(schema: ResourceSchema, spec: FieldSpec) -> Element:
    said = spec.attributes
    return Element(
        resource=schema.code,
        name=spec.name,
        cn=spec.cn,
        doc=str(said.get("doc", "")),
        article=str(said.get("article", "")),
        type=_type(spec),
        section=spec.section,
        role=spec.role,
        code_list=spec.code_list,
        code_policy=spec.code_policy if spec.code_list else None,
        sharing=spec.sharing.value,
        base_item=bool(said.get("base_item")),
        required=spec.required,
        companion=bool(said.get("companion")),
        reference_of=said.get("reference_of"),
        deprecated=said.get("deprecated") is True,
    )


def _type(spec: FieldSpec) -> str:
    branch: Any = next((part for part in spec.avro if part != "null"), None)
    if spec.value_type == "decimal" and isinstance(branch, Mapping):
        return f"decimal({branch['precision']},{branch.get('scale', 0)})"
    return spec.value_type


@cache
def code_uses(code_list: str) -> tuple[CodeUse, ...]:
    """Which fields of the packaged resources use a code list, and under which policy."""
    schemas = (resource_schema(packaged_text(code)) for code in packaged_resources())
    return tuple(
        CodeUse(schema.code, name, spec.code_policy)
        for schema in schemas
        for name, spec in schema.fields.items()
        if spec.code_list == code_list
    )
