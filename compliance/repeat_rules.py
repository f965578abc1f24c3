"""What sharing can give is not collected again (Art 5, 11), and a county leaves the city's fields as they are (Art 41).

An item is a kind of subject and a Chinese name. Chapter 2 of the regulation repeats items itself, and points from the
repeats to the authority (Art 28): the packaged resources are taken as they are, with what their files list.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compliance.catalogue import schema_or_none, sharing_of
from compliance.divisions import DivisionSet
from compliance.entry import CITY, CatalogueEntry
from compliance.entry_codes import EntryCode, Problem
from compliance.view import RegisterView
from schemas.field import FieldSpec
from schemas.resource import ResourceSchema, packaged_resources, packaged_text, resource_schema
from schemas.words import SharingClass

_POINTERS = 3


@dataclass(frozen=True, slots=True)
class Supplier:
    """A field that supplies an item with authority."""

    entry: CatalogueEntry
    field: str

    def __str__(self) -> str:
        """`household_registration.name`."""
        return f"{self.entry.resource}.{self.field}"

    @property
    def sharing(self) -> SharingClass:
        """The field's class."""
        return sharing_of(self.entry)[self.field]

    @property
    def owners(self) -> frozenset[str]:
        """Every agency that owns a part of it, at whatever time."""
        return frozenset(code for rule in self.entry.owners for code in rule.agencies)


def item_of(schema: ResourceSchema, spec: FieldSpec) -> tuple[str, str]:
    """What a field tells of whom: kind of subject, and the Chinese name without differences of width and space."""
    return schema.subject.kind, "".join(unicodedata.normalize("NFKC", spec.cn).split())


def repeats(view: RegisterView, entry: CatalogueEntry, others: Iterable[CatalogueEntry]) -> list[Problem]:
    """What an entry would collect again, and what a county's entry would change of the city's.

    Args:
        view: the register with everything that is applied together, for what reference copies point to.
        entry: the new entry or version.
        others: the entries that stand before it.
    """
    schema = schema_or_none(entry)
    if schema is None:
        return []
    suppliers = _suppliers(entry, others)
    by_name = {str(supplier): supplier for found in suppliers.values() for supplier in found}
    found = [*_references(view, schema), *_county(entry)]
    for name in _new_fields(view, entry, schema):
        spec = schema.fields[name]
        known = suppliers.get(item_of(schema, spec), ())
        if known and not _may_repeat(entry, spec):
            named = ", ".join(str(supplier) for supplier in known[:_POINTERS])
            found.append(Problem(EntryCode.E_REPEAT, f"{name} {spec.cn}: see {named}", ("fields", name)))
        target = by_name.get(str(spec.attributes.get("reference_of")))
        same = {str(supplier): supplier for supplier in (*known, *([target] if target else ()))}
        if entry.scope != CITY:
            found += _changes(entry, spec, [supplier for supplier in same.values() if supplier.entry.scope == CITY])
    return found


def _may_repeat(entry: CatalogueEntry, spec: FieldSpec) -> bool:
    """A copy that names its authority, what only keys or explains, and what a law wants collected again."""
    policy = entry.fields.get(spec.name)
    under = policy.repeats_under if policy is not None else None
    excused = spec.attributes.get("reference_of") or spec.attributes.get("companion")
    return bool(excused) or (under is not None and under.statutory)


def _new_fields(view: RegisterView, entry: CatalogueEntry, schema: ResourceSchema) -> list[str]:
    """The fields that no earlier version has, and that Chapter 2 does not list for this resource."""
    old: set[str] = set()
    if entry.resource in packaged_resources():
        old |= resource_schema(packaged_text(entry.resource)).fields.keys()
    before = view.entry_version(entry.resource, entry.version - 1)
    known = schema_or_none(before) if before is not None else None
    if known is not None:
        old |= known.fields.keys()
    return [name for name in schema.fields if name not in old]


def _suppliers(entry: CatalogueEntry, others: Iterable[CatalogueEntry]) -> dict[tuple[str, str], tuple[Supplier, ...]]:
    """Who supplies which item: the city's entries to all, a county's to that county alone."""
    found: dict[tuple[str, str], tuple[Supplier, ...]] = {}
    for other in others:
        heard = other.scope in (CITY, entry.scope)
        schema = schema_or_none(other)
        if schema is None or other.resource == entry.resource or other.state != "PUBLISHED" or not heard:
            continue
        for name, spec in schema.fields.items():
            if not spec.attributes.get("reference_of") and not spec.attributes.get("companion"):
                item = item_of(schema, spec)
                found[item] = (*found.get(item, ()), Supplier(other, name))
    return found


def _references(view: RegisterView, schema: ResourceSchema) -> Iterator[Problem]:
    """A reference copy points to a field that there is, in the register or among the packaged resources."""
    for name, spec in schema.fields.items():
        target = spec.attributes.get("reference_of")
        if target is None:
            continue
        resource, _, field = str(target).partition(".")
        if resource == schema.code or field not in _fields_of(view, resource):
            yield Problem(EntryCode.E_REFERENCE, f"{name} points to {target}", ("schema",))


def _fields_of(view: RegisterView, resource: str) -> set[str]:
    entry = view.entry(resource)
    if entry is not None:
        schema = schema_or_none(entry)
        return set(schema.fields) if schema is not None else set()
    return set(resource_schema(packaged_text(resource)).fields) if resource in packaged_resources() else set()


def _county(entry: CatalogueEntry) -> Iterator[Problem]:
    """A county's owner rules lie in the county."""
    if entry.scope == CITY:
        return
    county = DivisionSet([entry.scope])
    for index, rule in enumerate(entry.owners):
        if rule.divisions is None or not all(county.covers(code) for code in rule.divisions):
            detail = f"owner rule {index + 1} reaches beyond {entry.scope}"
            yield Problem(EntryCode.E_COUNTY, detail, ("owners", index))


def _changes(entry: CatalogueEntry, spec: FieldSpec, known: Iterable[Supplier]) -> Iterator[Problem]:
    """What a county's field would change of the city's field of the same item."""
    path = ("fields", spec.name)
    copies = bool(spec.attributes.get("reference_of"))
    owners = {code for rule in entry.owners for code in rule.agencies}
    for city in known:
        if sharing_of(entry)[spec.name] is not city.sharing:
            yield Problem(EntryCode.E_COUNTY, f"{spec.name} is {city.sharing.value} in {city}", path)
        # A reference copy claims no authority, so it has no owner to be compared.
        if not copies and not owners <= city.owners:
            yield Problem(EntryCode.E_COUNTY, f"{spec.name} is owned by other agencies in {city}", path)
