"""What one version of an entry changes of the version before, field by field (Art 14, 40)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from compliance.catalogue import clock, deprecated_fields, required_fields, schema_or_none, sharing_of
from compliance.entry import CatalogueEntry, OwnerRule
from schemas.field import FieldSpec

_NOT_ATTRIBUTES = frozenset({"resource", "version", "owners", "fields", "avro", "published_at"})

_TOLD_ALREADY = frozenset({"sharing", "section", "required", "deprecated"})


@dataclass(frozen=True, slots=True)
class EntryChanges:
    """The differences of two versions of an entry.

    Attributes:
        resource, old, new: the entry and its two version numbers; `old` None for an entry that is new.
        added, removed, deprecated, restored: fields; a restored one is deprecated no longer.
        reclassed: by field, sharing class before and after.
        required, optional: fields that must be supplied from now on, and no longer.
        reowned: owner rules that are no more, and those that are new, in words.
        moved: by field, section before and after.
        described: fields whose name, code list or other attributes changed in the schema.
        attributes: other keys of the entry that changed.
        policies: fields whose conditions, basis or law of repetition changed.
    """

    resource: str
    old: int | None
    new: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    reclassed: dict[str, tuple[str, str]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    reowned: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    described: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing but the number and the day of publication differs."""
        return self.old is not None and not self.lines()

    def lines(self) -> list[str]:
        """One line for people for each thing that changes."""
        found = [f"+ {name} added" for name in self.added]
        found += [f"- {name} removed" for name in self.removed]
        found += [f"~ {name} deprecated: still read, no longer asked for" for name in self.deprecated]
        found += [f"~ {name} no longer deprecated" for name in self.restored]
        found += [f"~ {name} re-classed: {old} → {new}" for name, (old, new) in self.reclassed.items()]
        found += [f"~ {name} required" for name in self.required]
        found += [f"~ {name} no longer required" for name in self.optional]
        found += [f"~ {name} moved: section {old} → {new}" for name, (old, new) in self.moved.items()]
        found += [f"~ {name} described otherwise in the schema" for name in self.described]
        found += [f"~ {name}: conditions or basis changed" for name in self.policies]
        found += [f"- owner {rule}" for rule in self.reowned[0]]
        found += [f"+ owner {rule}" for rule in self.reowned[1]]
        return found + [f"~ {name}" for name in self.attributes]


def entry_changes(before: CatalogueEntry | None, entry: CatalogueEntry) -> EntryChanges:
    """What `entry` changes of `before`; everything is new where there is no version before."""
    new = schema_or_none(entry)
    old = schema_or_none(before) if before is not None else None
    if before is None or old is None or new is None:
        added = tuple(new.fields) if new is not None else ()
        owners = tuple(in_words(rule) for rule in entry.owners)
        return EntryChanges(entry.resource, None, entry.version, added, reowned=((), owners))
    both = [name for name in new.fields if name in old.fields]
    classes = sharing_of(before), sharing_of(entry)
    wanted = set(required_fields(before)), set(required_fields(entry))
    marked = set(deprecated_fields(before)), set(deprecated_fields(entry))
    rules = [in_words(rule) for rule in before.owners], [in_words(rule) for rule in entry.owners]
    return EntryChanges(
        resource=entry.resource,
        old=before.version,
        new=entry.version,
        added=tuple(name for name in new.fields if name not in old.fields),
        removed=tuple(name for name in old.fields if name not in new.fields),
        deprecated=_in_order(both, marked[1] - marked[0]),
        restored=_in_order(both, marked[0] - marked[1]),
        reclassed={
            name: (classes[0][name].value, classes[1][name].value)
            for name in both
            if classes[0][name] is not classes[1][name]
        },
        required=_in_order(both, wanted[1] - wanted[0]),
        optional=_in_order(both, wanted[0] - wanted[1] - marked[1]),
        reowned=(
            tuple(rule for rule in rules[0] if rule not in rules[1]),
            tuple(rule for rule in rules[1] if rule not in rules[0]),
        ),
        moved={
            name: (old.fields[name].section, new.fields[name].section)
            for name in both
            if old.fields[name].section != new.fields[name].section
        },
        described=tuple(name for name in both if _described(old.fields[name]) != _described(new.fields[name])),
        attributes=tuple(
            name
            for name in type(entry).model_fields
            if name not in _NOT_ATTRIBUTES and getattr(before, name) != getattr(entry, name)
        ),
        policies=tuple(name for name in both if _reasons(before, name) != _reasons(entry, name)),
    )


def _in_order(names: Iterable[str], chosen: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in chosen)


def _described(spec: FieldSpec) -> dict[str, Any]:
    return {name: value for name, value in spec.attributes.items() if name not in _TOLD_ALREADY}


def _reasons(entry: CatalogueEntry, name: str) -> tuple[Any, ...]:
    policy = entry.fields.get(name)
    return (None,) * 3 if policy is None else (policy.conditions, policy.legal_basis, policy.repeats_under)


def in_words(rule: OwnerRule) -> str:
    """One owner rule in one line: `psb, divisions 441300, from 2026-07-01T00:00:00+08:00`."""
    said = [", ".join(rule.agencies)]
    if rule.divisions is not None:
        said.append(f"divisions {', '.join(rule.divisions)}")
    if rule.field is not None:
        said.append(f"{rule.field} {', '.join(rule.values or ())}")
    if rule.effective_from.year > 1970:  # noqa: PLR2004  the default, which people do not write
        said.append(f"from {clock(rule.effective_from)}")
    if rule.effective_until is not None:
        said.append(f"until {clock(rule.effective_until)}")
    return "; ".join(said)
