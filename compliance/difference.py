"""What applying a register file would change, and whether it may (Art 14, 39, 40, decisions 19, 33)."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from compliance.catalogue import schema_of
from compliance.divisions import DivisionSet
from compliance.models import Agency, CatalogueEntry, Grant, GrantState, OwnerRule, RegisterModel, SecrecyReview
from compliance.registerfile import Item, RegisterFile
from compliance.view import RegisterView
from schemas.errors import RegisterFileError, SchemaError
from schemas.resource import ResourceSchema
from schemas.words import SharingClass

_STATUTORY = frozenset({"LAW", "ADMINISTRATIVE_REGULATION", "PARTY_STATE_COUNCIL_POLICY", "GOVERNMENT_RULE"})
# State → the states that may follow (decisions 33); what is not here is final.
GRANT_MOVES: dict[GrantState | None, frozenset[GrantState]] = {
    None: frozenset({GrantState.PENDING, GrantState.ACTIVE}),
    GrantState.PENDING: frozenset({GrantState.ACTIVE, GrantState.ENDED, GrantState.REVOKED}),
    GrantState.ACTIVE: frozenset({GrantState.SUSPENDED, GrantState.EXPIRED, GrantState.REVOKED, GrantState.ENDED}),
    GrantState.SUSPENDED: frozenset({GrantState.ACTIVE, GrantState.EXPIRED, GrantState.REVOKED, GrantState.ENDED}),
}
_FIXED_IN_A_GRANT = ("subscriber", "resource", "fields", "rows", "purpose")


class Action(StrEnum):
    """What happens to one entry."""

    ADD = "ADD"
    CHANGE = "CHANGE"
    SAME = "SAME"


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry of the file against the register; `fields` names what changes, never a value."""

    kind: str
    key: str
    action: Action
    fields: tuple[str, ...]
    model: RegisterModel


def known(view: RegisterView, model: RegisterModel) -> RegisterModel | None:
    """The register's present entry of a model's key."""
    if isinstance(model, Agency):
        return view.agency(model.code)
    if isinstance(model, CatalogueEntry):
        return view.entry_version(model.resource, model.version)
    if isinstance(model, SecrecyReview):
        return view.review(model.agency, model.number)
    return view.grant(model.id)


def difference(view: RegisterView, file: RegisterFile) -> tuple[Difference, ...]:
    """What applying the file would do, entry by entry; what the file does not mention stays."""
    found = []
    for item in file.items:
        old = known(view, item.model)
        fields: tuple[str, ...] = ()
        if old is None:
            action = Action.ADD
        else:
            fields = tuple(
                name for name in type(item.model).model_fields if getattr(old, name) != getattr(item.model, name)
            )
            action = Action.CHANGE if fields else Action.SAME
        found.append(Difference(item.kind, item.model.key, action, fields, item.model))
    return tuple(found)


def after(view: RegisterView, file: RegisterFile) -> RegisterView:
    """The register as it would be with the file applied; the given view stays as it is."""
    result = RegisterView()
    for model in (*view.agencies(), *_all_versions(view), *view.reviews(), *view.grants(), *file.models):
        result.apply(model.kind, model.key, model)
    return result


def _all_versions(view: RegisterView) -> tuple[CatalogueEntry, ...]:
    return tuple(version for entry in view.entries() for version in view.versions(entry.resource))


def check(view: RegisterView, file: RegisterFile) -> None:
    """Whether the file may be applied to the register.

    Raises:
        RegisterFileError: listing every reason against it, each with line and column.
    """
    then = after(view, file)
    errors = []
    for item in file.items:
        at = item.place
        errors += [
            f"{file.name}:{at.line}:{at.column}: {item.kind} {item.model.key}: {problem}"
            for problem in _problems(view, then, item)
        ]
    if errors:
        raise RegisterFileError("\n".join(errors))


def _problems(view: RegisterView, then: RegisterView, item: Item) -> list[str]:
    model = item.model
    if isinstance(model, CatalogueEntry):
        return _entry_problems(view, then, model)
    if isinstance(model, SecrecyReview):
        found = [] if then.agency(model.agency) else [f"there is no agency {model.agency}"]
        return found if then.entry(model.resource) else [*found, f"there is no catalogue entry {model.resource}"]
    if isinstance(model, Grant):
        return _grant_problems(view, then, model)
    return []


def _entry_problems(view: RegisterView, then: RegisterView, entry: CatalogueEntry) -> list[str]:
    found = _version_problems(view, then, entry)
    try:
        schema = schema_of(entry)
    except SchemaError as error:
        return [*found, str(error)]
    if schema.code != entry.resource:
        found.append(f"the schema is of resource {schema.code}")
    found += _reader_problems(then, entry, schema)
    return [*found, *_owner_problems(then, entry, schema), *_policy_problems(entry, schema)]


def _version_problems(view: RegisterView, then: RegisterView, entry: CatalogueEntry) -> list[str]:
    """Versions are immutable, follow one another, and keep their partitions."""
    found = []
    old = view.entry_version(entry.resource, entry.version)
    if old is not None and old != entry.model_copy(update={"state": old.state}):
        found.append("a published version never changes; publish the next version (Art 39, 40)")
    if old is not None and old.state == "RETIRED" and entry.state == "PUBLISHED":
        found.append("a retired entry stays retired; publish the next version (Art 39)")
    if entry.version > 1 and then.entry_version(entry.resource, entry.version - 1) is None:
        found.append(f"version {entry.version - 1} is missing; versions follow one another (Art 14)")
    if any(known.partitions != entry.partitions for known in then.versions(entry.resource)):
        found.append("partitions differ from another version; a topic is never re-partitioned (decisions 17)")
    return found


def _reader_problems(then: RegisterView, entry: CatalogueEntry, schema: ResourceSchema) -> list[str]:
    """Whoever reads one version can read the others: the record keeps its name, each field its type (Art 40)."""
    found = []
    for other in then.versions(entry.resource):
        if other.version >= entry.version:
            break
        try:
            earlier = schema_of(other)
        except SchemaError:
            continue
        if schema.avro["name"] != earlier.avro["name"]:
            found.append(f"the schema's name differs from version {other.version}; readers would break (Art 40)")
        found += [
            f"field {name}: the type differs from version {other.version}; readers would break, add a field (Art 40)"
            for name, spec in schema.fields.items()
            if name in earlier.fields and spec.avro != earlier.fields[name].avro
        ]
    return found


def _owner_problems(then: RegisterView, entry: CatalogueEntry, schema: ResourceSchema) -> list[str]:
    """Owners exist, and no datum has two of them."""
    codes = [code for rule in entry.owners for code in rule.agencies]
    found = [f"there is no agency {code}" for code in codes if then.agency(code) is None]
    found += [
        f"owner rule names field {rule.field}, which the schema lacks"
        for rule in entry.owners
        if rule.field is not None and rule.field not in schema.fields
    ]
    if any(overlapping(one, other) for one, other in combinations(entry.owners, 2)):
        found.append("two owner rules overlap: one datum would have two sources (Art 5, 11)")
    return found


def _policy_problems(entry: CatalogueEntry, schema: ResourceSchema) -> list[str]:
    """What the entry says of single fields is lawful (Art 4)."""
    found = []
    for name, policy in entry.fields.items():
        spec = schema.fields.get(name)
        if spec is None:
            found.append(f"field policy for {name}, which the schema lacks")
            continue
        if spec.attributes.get("base_item") and policy.sharing not in (None, SharingClass.UNCONDITIONAL):
            found.append(f"{name} is a base item and must be UNCONDITIONAL (Art 4)")
        basis = policy.legal_basis
        if policy.sharing is SharingClass.NOT_SHARED and (basis is None or basis.level not in _STATUTORY):
            found.append(f"{name} is NOT_SHARED without a statute, regulation, policy or government rule (Art 4)")
        if policy.sharing is SharingClass.CONDITIONAL and policy.conditions is None:
            found.append(f"{name} is CONDITIONAL without its conditions (Art 4)")
    return found


def overlapping(one: OwnerRule, other: OwnerRule) -> bool:
    """Whether a datum could lie in both rules at one instant."""
    if (one.effective_until is not None and one.effective_until <= other.effective_from) or (
        other.effective_until is not None and other.effective_until <= one.effective_from
    ):
        return False
    if one.field is not None and one.field == other.field and not set(one.values or ()) & set(other.values or ()):
        return False
    if one.divisions is None or other.divisions is None:
        return True
    return DivisionSet(one.divisions).overlaps(DivisionSet(other.divisions))


def _grant_problems(view: RegisterView, then: RegisterView, grant: Grant) -> list[str]:
    found: list[str] = []
    old = view.grant(grant.id)
    before = old.state if old is not None else None
    if grant.state is not before and grant.state not in GRANT_MOVES.get(before, frozenset()):
        found.append(f"a grant cannot go from {before.value if before else 'nothing'} to {grant.state.value}")
    if old is not None:
        found += [
            f"{name} of a grant never changes; make a new grant (decisions 19)"
            for name in _FIXED_IN_A_GRANT
            if getattr(old, name) != getattr(grant, name)
        ]
    if then.agency(grant.subscriber) is None:
        found.append(f"there is no agency {grant.subscriber}")
    entry = then.entry(grant.resource)
    if entry is None:
        return [*found, f"there is no catalogue entry {grant.resource}"]
    try:
        schema = schema_of(entry)
    except SchemaError:
        return found
    unknown = [name for name in grant.fields if name not in schema.fields]
    if unknown:
        found.append(f"the resource has no field {', '.join(unknown)}")
    if len(set(grant.fields)) != len(grant.fields):
        found.append("a field stands twice")
    if grant.valid_until < grant.valid_from:
        found.append("valid_until lies before valid_from")
    return found
