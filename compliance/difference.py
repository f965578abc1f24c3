"""What applying a register file would change, and whether it may (Art 14, 39, 40, decisions 19, 33)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from compliance.catalogue import schema_of
from compliance.entry_codes import Problem
from compliance.entry_rules import alone, among, changed
from compliance.models import Agency, CatalogueEntry, Grant, GrantState, RegisterModel, SecrecyReview
from compliance.positions import Path
from compliance.registerfile import Item, RegisterFile
from compliance.repeat_rules import repeats
from compliance.rulings import Outage, Reckoning, Waiver
from compliance.view import RegisterView
from schemas.errors import RegisterFileError, SchemaError
from schemas.resource import packaged_resources

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
    if isinstance(model, Outage):
        return view.outage(model.number)
    if isinstance(model, Reckoning):
        return view.reckoning(model.key)
    return view.waiver(model.pair, model.compared) if isinstance(model, Waiver) else view.grant(model.id)


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
    for model in (*view.models(), *file.models):
        result.apply(model.kind, model.key, model)
    return result


def check(view: RegisterView, file: RegisterFile, now: datetime | None = None) -> None:
    """Whether the file may be applied to the register.

    Args:
        view: the register.
        file: what is to be applied.
        now: when; owner changes may not lie before it. None where that is not to be judged.

    Raises:
        RegisterFileError: listing every reason against it, each with line and column.
    """
    errors = problems(view, file, now)
    if errors:
        raise RegisterFileError("\n".join(errors))


def problems(view: RegisterView, file: RegisterFile, now: datetime | None = None) -> list[str]:
    """Every reason against applying the file, in its order, as `file:line:column: kind key: why`."""
    then = after(view, file)
    found = []
    for item in file.items:
        for path, what in _problems(view, then, file, item, now):
            at = item.at(path)
            found.append(f"{file.name}:{at.line}:{at.column}: {item.kind} {item.model.key}: {what}")
    return found


def _problems(
    view: RegisterView, then: RegisterView, file: RegisterFile, item: Item, now: datetime | None
) -> list[tuple[Path, str]]:
    model = item.model
    if isinstance(model, CatalogueEntry):
        return [(found.path, str(found)) for found in _entry_problems(view, then, file, model, now)]
    if isinstance(model, SecrecyReview):
        missing = [] if then.agency(model.agency) else [f"there is no agency {model.agency}"]
        missing += [] if then.entry(model.resource) else [f"there is no catalogue entry {model.resource}"]
        return [((), what) for what in missing]
    if isinstance(model, Grant):
        return [((), what) for what in _grant_problems(view, then, model)]
    return []


def _entry_problems(
    view: RegisterView, then: RegisterView, file: RegisterFile, entry: CatalogueEntry, now: datetime | None
) -> list[Problem]:
    """A version that is published already is left as it is, whatever today's rules would say to it."""
    old = view.entry_version(entry.resource, entry.version)
    if old is not None:
        return changed(old, entry)
    found = [
        *alone(entry),
        *among(view, then, entry, now),
        *repeats(then, entry, _standing(view, file, entry)),
    ]
    # A gap within a version is one against the version before too: it is told once.
    return list({str(problem): problem for problem in reversed(found)}.values())[::-1]


def _standing(view: RegisterView, file: RegisterFile, entry: CatalogueEntry) -> list[CatalogueEntry]:
    """The entries that come before a new one: the register's, Chapter 2's, and those above it in the file."""
    newest = {known.resource: known for known in view.entries()}
    above = True
    for model in file.models:
        above = above and model is not entry
        if isinstance(model, CatalogueEntry) and (above or model.resource in packaged_resources()):
            known = newest.get(model.resource)
            if known is None or known.version <= model.version:
                newest[model.resource] = model
    return list(newest.values())


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
    return found
