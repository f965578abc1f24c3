"""Whether a catalogue entry may be published: every rule of Art 4, 16, 36, 38, 39 and 40, by name.

`alone` needs the entry and its schema; `among` needs the register too. What other entries already supply is in
`compliance/repeat_rules.py`, who owns what at every instant in `compliance/owner_rules.py`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from compliance.catalogue import deprecated_fields, end_of, schema_of, schema_or_none, sharing_of
from compliance.entry import CatalogueEntry
from compliance.entry_codes import EntryCode, Problem
from compliance.models import Grant, GrantState
from compliance.owner_rules import ends_without_successor, handover, overlaps
from compliance.view import RegisterView
from schemas.codelists import names as code_lists
from schemas.errors import SchemaError
from schemas.resource import ResourceSchema
from schemas.words import FreshnessClass, SharingClass

NO_CONDITIONS = "无"
REAL_TIME = "实时"
# From the national guide's cycles; a year is longer than Art 16 allows.
FREQUENCIES = {
    FreshnessClass.DYNAMIC: (REAL_TIME,),
    FreshnessClass.STATIC: ("每日", "每周", "每月", "每季度"),
}
CODE_POLICIES = ("refuse", "flag", "accept")
_LIVE = (GrantState.PENDING, GrantState.ACTIVE, GrantState.SUSPENDED)


def alone(entry: CatalogueEntry) -> list[Problem]:
    """What is wrong with an entry whatever else the register holds."""
    try:
        schema = schema_of(entry)
    except SchemaError as error:
        return [Problem(EntryCode.E_SCHEMA, str(error), ("schema",))]
    if schema.code != entry.resource:
        return [Problem(EntryCode.E_SCHEMA, f"it is of resource {schema.code}", ("schema",))]
    return [
        *_sound(schema),
        *_contents(entry),
        *_names(entry, schema),
        *_groups(entry, schema),
        *_classes(entry, schema),
        *_deprecated(entry, schema),
        *overlaps(entry),
        *ends_without_successor(entry, schema),
    ]


def among(view: RegisterView, then: RegisterView, entry: CatalogueEntry, now: datetime | None = None) -> list[Problem]:
    """What is wrong with an entry beside what the register holds.

    Args:
        view: the register before.
        then: the register with everything applied that is to be applied together.
        entry: one of those.
        now: when it is to be applied, where that is to be judged.
    """
    found = [
        Problem(EntryCode.E_NO_AGENCY, f"there is no agency {code}", ("owners", index))
        for index, rule in enumerate(entry.owners)
        for code in rule.agencies
        if then.agency(code) is None
    ]
    found += _identifiers(then, entry)
    before = then.entry_version(entry.resource, entry.version - 1)
    found += _versions(then, entry, before)
    if before is None:
        return found
    old, new = schema_or_none(before), schema_or_none(entry)
    if old is None or new is None:
        return found
    # Where both versions come with one file a history is restored, and its hand-overs lie in the past.
    applied = now if view.entry_version(before.resource, before.version) is not None else None
    return [
        *found,
        *_compatible(then, entry, new),
        *_removed(then, entry, old, new, now),
        *handover(before, entry, new, applied),
    ]


def changed(old: CatalogueEntry, entry: CatalogueEntry) -> list[Problem]:
    """What is wrong with a version that the register has already; to retire it is all that may be done."""
    found = []
    if old != entry.model_copy(update={"state": old.state}):
        fields = type(entry).model_fields.items()
        names = [field.alias or name for name, field in fields if getattr(old, name) != getattr(entry, name)]
        found.append(Problem(EntryCode.E_IMMUTABLE, ", ".join(names), (names[0],)))
    if old.state == "RETIRED" and entry.state == "PUBLISHED":
        found.append(Problem(EntryCode.E_RETIRED, "", ("state",)))
    return found


def _sound(schema: ResourceSchema) -> Iterator[Problem]:
    """The schema is one that the workers can run on: an error in it would stop them, not the file."""
    try:
        for codec in (schema.submission, schema.record, *schema.sections.values()):
            _ = codec.fingerprint if codec is not None else None
    except SchemaError as error:
        yield Problem(EntryCode.E_SCHEMA, str(error), ("schema",))
    for name, spec in schema.fields.items():
        if spec.code_list is not None and spec.code_list not in code_lists():
            yield Problem(EntryCode.E_SCHEMA, f"{name} names a code list that there is not", ("schema",))
        if spec.code_policy not in CODE_POLICIES:
            yield Problem(EntryCode.E_SCHEMA, f"{name}: code_policy is none of {', '.join(CODE_POLICIES)}", ("schema",))
        if not isinstance(spec.attributes.get("deprecated", False), bool):
            yield Problem(EntryCode.E_SCHEMA, f"{name}: deprecated is neither true nor false", ("schema",))


def _contents(entry: CatalogueEntry) -> Iterator[Problem]:
    """Art 39 and decisions 35 beyond what the model demands; Art 16; Art 36."""
    if not entry.related_systems:
        yield Problem(EntryCode.E_CONTENT_MISSING, "related_systems 关联信息系统", ("related_systems",))
    if entry.conditions is None and not _conditional(entry):
        detail = f"conditions 共享条件; {NO_CONDITIONS} where there are none"
        yield Problem(EntryCode.E_CONTENT_MISSING, detail, ("conditions",))
    if entry.update_frequency not in FREQUENCIES[entry.freshness]:
        yield Problem(EntryCode.E_FREQUENCY, f"the entry is {entry.freshness.value}", ("update_frequency",))
    if entry.source_route == "PROVINCIAL" and entry.route_reason is None:
        yield Problem(EntryCode.E_ROUTE_REASON, "route_reason", ("source_route",))


def _names(entry: CatalogueEntry, schema: ResourceSchema) -> Iterator[Problem]:
    for index, rule in enumerate(entry.owners):
        if rule.field is not None and rule.field not in schema.fields:
            yield Problem(EntryCode.E_NO_FIELD, f"owner rule {index + 1} names {rule.field}", ("owners", index))
    for name in entry.fields:
        if name not in schema.fields:
            yield Problem(EntryCode.E_NO_FIELD, f"field policy for {name}", ("fields", name))


def _groups(entry: CatalogueEntry, schema: ResourceSchema) -> Iterator[Problem]:
    """Art 16: groups part the fields, and each has a frequency of its class."""
    of: dict[str, str] = {}
    for group, said in entry.field_groups.items():
        path = ("field_groups", group)
        for index, name in enumerate(said.fields):
            if name not in schema.fields:
                yield Problem(EntryCode.E_NO_FIELD, f"group {group} names {name}", (*path, "fields", index))
            elif name in of:
                detail = f"{name} is of {of[name]} and {group}"
                yield Problem(EntryCode.E_TWO_GROUPS, detail, (*path, "fields", index))
            of.setdefault(name, group)
        freshness, frequency = said.freshness or entry.freshness, said.update_frequency or entry.update_frequency
        unsaid = said.freshness is None and said.update_frequency is None
        if not unsaid and frequency not in FREQUENCIES[freshness]:
            yield Problem(EntryCode.E_FREQUENCY, f"group {group} is {freshness.value}", (*path, "update_frequency"))


def _classes(entry: CatalogueEntry, schema: ResourceSchema) -> Iterator[Problem]:
    """Art 4: a class for the entry and every field, and what each class asks for."""
    yield from _whole_class(entry)
    classes = sharing_of(entry)
    for name, spec in schema.fields.items():
        policy, path = entry.fields.get(name), ("fields", name)
        if "sharing" not in spec.attributes and (policy is None or policy.sharing is None):
            yield Problem(EntryCode.E_CLASS_MISSING, name, path)
            continue
        sharing = classes[name]
        if spec.attributes.get("base_item") and sharing is not SharingClass.UNCONDITIONAL:
            yield Problem(EntryCode.E_BASE_ITEM, name, path)
        if entry.licensing_related and sharing is not SharingClass.UNCONDITIONAL:
            yield Problem(EntryCode.E_LICENSING, name, path)
        basis = policy.legal_basis if policy is not None else None
        if basis is None and entry.sharing is SharingClass.NOT_SHARED:
            basis = entry.legal_basis
        if sharing is SharingClass.NOT_SHARED and (basis is None or not basis.statutory):
            yield Problem(EntryCode.E_NO_LEGAL_BASIS, name, path)
    unsaid = _conditional(entry)
    if unsaid and not _says(entry.conditions):
        yield Problem(EntryCode.E_NO_CONDITIONS, ", ".join(unsaid), ("conditions",))


def _whole_class(entry: CatalogueEntry) -> Iterator[Problem]:
    if entry.licensing_related and entry.sharing is not SharingClass.UNCONDITIONAL:
        yield Problem(EntryCode.E_LICENSING, "the entry", ("sharing",))
    if entry.sharing is SharingClass.NOT_SHARED and (entry.legal_basis is None or not entry.legal_basis.statutory):
        yield Problem(EntryCode.E_NO_LEGAL_BASIS, "the entry", ("sharing",))


def _conditional(entry: CatalogueEntry) -> list[str]:
    """What is conditional and names no conditions of its own: the entry's serve for it."""
    found = ["the entry"] if entry.sharing is SharingClass.CONDITIONAL else []
    for name, sharing in sharing_of(entry).items():
        policy = entry.fields.get(name)
        if sharing is SharingClass.CONDITIONAL and not _says(policy.conditions if policy is not None else None):
            found.append(name)
    return found


def _says(conditions: str | None) -> bool:
    return conditions not in (None, NO_CONDITIONS)


def _deprecated(entry: CatalogueEntry, schema: ResourceSchema) -> Iterator[Problem]:
    """A deprecated field is read, and asked for by nobody."""
    rule = schema.subject
    keys = {rule.type_field, rule.number_field, rule.fallback_number_field, schema.division_field}
    keys |= {*schema.record_key_fields, *(owner.field for owner in entry.owners)}
    for name in deprecated_fields(entry):
        policy = entry.fields.get(name)
        if name in keys:
            yield Problem(EntryCode.E_DEPRECATED, f"{name} keys, places or assigns the record", ("schema",))
        if policy is not None and policy.required:
            yield Problem(EntryCode.E_DEPRECATED, f"{name} is required", ("fields", name))


def _identifiers(then: RegisterView, entry: CatalogueEntry) -> Iterator[Problem]:
    for other in then.entries() if entry.identifier is not None else ():
        if other.resource != entry.resource and other.identifier == entry.identifier:
            yield Problem(EntryCode.E_IDENTIFIER, f"it is {other.resource}'s", ("identifier",))
    for other in then.versions(entry.resource):
        if other.version < entry.version and other.identifier not in (None, entry.identifier):
            yield Problem(EntryCode.E_IDENTIFIER, f"version {other.version} has another", ("identifier",))


def _versions(then: RegisterView, entry: CatalogueEntry, before: CatalogueEntry | None) -> Iterator[Problem]:
    """Versions follow one another, and keep their partitions."""
    if before is None and entry.version > 1:
        yield Problem(EntryCode.E_VERSION_GAP, f"version {entry.version - 1} is missing", ("version",))
    if before is not None and entry.published_at < before.published_at:
        detail = f"it would be published before version {before.version}"
        yield Problem(EntryCode.E_VERSION_GAP, detail, ("published_at",))
    if before is not None and entry.scope != before.scope:
        yield Problem(EntryCode.E_COUNTY, f"version {before.version} is of another catalogue", ("scope",))
    if any(other.partitions != entry.partitions for other in then.versions(entry.resource)):
        yield Problem(EntryCode.E_PARTITIONS, "", ("partitions",))


def _compatible(then: RegisterView, entry: CatalogueEntry, new: ResourceSchema) -> Iterator[Problem]:
    """Readers and writers of every earlier version go on; the registry has the last word (FULL_TRANSITIVE)."""
    told: set[str] = set()
    earlier = [
        (other, schema_or_none(other)) for other in then.versions(entry.resource) if other.version < entry.version
    ]
    for other, old in earlier:
        if old is None:
            continue
        if _keying(old) != _keying(new) and EntryCode.E_KEY_CHANGED not in told:
            told.add(EntryCode.E_KEY_CHANGED)
            yield Problem(EntryCode.E_KEY_CHANGED, f"version {other.version} keys otherwise", ("schema",))
        if old.avro["name"] != new.avro["name"] and "name" not in told:
            told.add("name")
            yield Problem(EntryCode.E_INCOMPATIBLE, "the record's own name changes", ("schema",))
        for name, spec in new.fields.items():
            if name in old.fields and old.fields[name].avro != spec.avro and name not in told:
                told.add(name)
                detail = f"{name} has another type in version {other.version}; deprecate it and add a new field"
                yield Problem(EntryCode.E_INCOMPATIBLE, detail, ("schema",))


def _keying(schema: ResourceSchema) -> tuple[Any, ...]:
    return schema.subject, schema.record_key


def _removed(
    then: RegisterView, entry: CatalogueEntry, old: ResourceSchema, new: ResourceSchema, now: datetime | None
) -> Iterator[Problem]:
    """What a live grant delivers does not vanish under it (Art 40): the grant ends first, in the same file at the latest."""
    gone = old.fields.keys() - new.fields.keys()
    for grant in then.grants_on(entry.resource):
        held = sorted(gone & set(grant.fields))
        if held and _is_live(grant, now):
            yield Problem(EntryCode.E_FIELD_IN_USE, f"grant {grant.id} delivers {', '.join(held)}", ("schema",))


def _is_live(grant: Grant, now: datetime | None) -> bool:
    return grant.state in _LIVE and (now is None or now < end_of(grant.valid_until))
