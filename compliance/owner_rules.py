"""One datum, one source, at every instant: owner rules neither overlap nor leave a gap, also from version to version.

The newest version of an entry alone says who may write, from the moment it is applied. So a version that changes an
owner carries both halves: the old owner's rule until the effective time, the new owner's from it on (Art 40).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import combinations
from typing import TypeVar

from compliance.catalogue import clock, end_of, local_date
from compliance.divisions import DivisionSet
from compliance.entry import CatalogueEntry, OwnerRule
from compliance.entry_codes import EntryCode, Problem
from schemas.codelists import load
from schemas.resource import ResourceSchema

_INSTANT = timedelta(milliseconds=1)
_COUNTY = 6
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """Data that every rule treats alike, by an example: a division, and a value of the field that rules bind."""

    division: str | None
    field: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        """`division 441302, topic LAND`."""
        said = [f"division {self.division}"] if self.division else []
        said += [f"{self.field} {self.value}"] if self.field else []
        return ", ".join(said) or "the resource"


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


def overlaps(entry: CatalogueEntry) -> list[Problem]:
    """Two rules that would give one datum two sources (Art 5, 11)."""
    return [
        Problem(EntryCode.E_TWO_OWNERS, f"rules {one + 1} and {two + 1}", ("owners", two))
        for one, two in combinations(range(len(entry.owners)), 2)
        if overlapping(entry.owners[one], entry.owners[two])
    ]


def ends_without_successor(entry: CatalogueEntry, schema: ResourceSchema) -> list[Problem]:
    """A rule that ends, inside the sharing period, with nobody to write what it covered."""
    until = entry.sharing_period.until
    shared_until = None if until is None else end_of(until)
    parts = parts_of(entry.owners, schema, local_date(entry.published_at))
    found = []
    for index, rule in enumerate(entry.owners):
        end = rule.effective_until
        if end is None or (shared_until is not None and end >= shared_until):
            continue
        left = [part for part in parts if _covers(rule, part) and owners_at(entry.owners, part, end) == frozenset()]
        if left:
            detail = f"{left[0]} has no owner from {clock(end)} on"
            found.append(Problem(EntryCode.E_OWNER_GAP, detail, ("owners", index)))
    return found


def handover(
    before: CatalogueEntry, entry: CatalogueEntry, schema: ResourceSchema, now: datetime | None = None
) -> list[Problem]:
    """What is wrong in the way from one version's owners to the next one's.

    Whether the values of a field without a code list are all given away cannot be known, and is not asked.

    Args:
        before: the version before.
        entry: the version that follows it.
        schema: of the entry.
        now: when the version is applied; None when that is not asked, as when a whole history is restored.
    """
    published = entry.published_at
    first, settled = min(published, now or published), max(published, now or published)
    rules = (*before.owners, *entry.owners)
    ends = {rule.effective_until for rule in rules if rule.effective_until is not None}
    instants = sorted({rule.effective_from for rule in rules} | ends)
    early = [first - _INSTANT, *(at for at in instants if first <= at < settled)]
    late = [settled, *(at for at in instants if at > settled)]
    found: dict[EntryCode, Problem] = {}
    for part in parts_of(rules, schema, local_date(published)):
        problem = _early(before, entry, part, early) or _late(before, entry, part, late)
        if problem is not None:
            # Parts that fail in the same way are told once, by the first of them.
            found.setdefault(problem.code, problem)
    return list(found.values())


def _early(before: CatalogueEntry, entry: CatalogueEntry, part: Part, instants: Iterable[datetime]) -> Problem | None:
    """Until the version is published and applied, it must say what its predecessor says."""
    for at in instants:
        old, new = owners_at(before.owners, part, at), owners_at(entry.owners, part, at)
        if not old or new is None or old == new:
            continue
        if not new:
            detail = f"{part}: the rule of the owner so far must stand until the change takes effect"
            return Problem(EntryCode.E_OWNER_GAP, detail, ("owners",))
        detail = f"{part}: end the old rule and begin the new one at one instant, from {clock(entry.published_at)}"
        return Problem(EntryCode.E_OWNER_TIME, f"{detail} on", ("owners",))
    return None


def _late(before: CatalogueEntry, entry: CatalogueEntry, part: Part, instants: Iterable[datetime]) -> Problem | None:
    """What had an owner goes on having one."""
    for at in instants:
        if owners_at(before.owners, part, at) and owners_at(entry.owners, part, at) == frozenset():
            return Problem(EntryCode.E_OWNER_GAP, f"{part} has no owner from {clock(at)} on", ("owners",))
    return None


def owners_at(rules: Sequence[OwnerRule], part: Part, at: datetime) -> frozenset[str] | None:
    """The agencies that own a part at an instant; None where only rules about another field could tell."""
    found: set[str] = set()
    unknown = False
    for rule in rules:
        if rule.effective_from <= at and (rule.effective_until is None or at < rule.effective_until):
            if _covers(rule, part):
                found.update(rule.agencies)
            elif rule.field not in (None, part.field) and _in_division(rule, part):
                unknown = True
    return None if unknown and not found else frozenset(found)


def _covers(rule: OwnerRule, part: Part) -> bool:
    bound = rule.field is None or (rule.field == part.field and part.value in (rule.values or ()))
    return bound and _in_division(rule, part)


def _in_division(rule: OwnerRule, part: Part) -> bool:
    return rule.divisions is None or _division_set(rule.divisions).covers(part.division)


@lru_cache(maxsize=1024)
def _division_set(codes: tuple[str, ...]) -> DivisionSet:
    return DivisionSet(codes)


def parts_of(rules: Sequence[OwnerRule], schema: ResourceSchema, on: date) -> list[Part]:
    """One example of every kind of datum that the rules tell apart."""
    divisions = _examples(rules, _divisions(rules, on), lambda rule, code: _in_division(rule, Part(code)))
    fields = sorted({rule.field for rule in rules if rule.field is not None})
    bound = [(name, value) for name in fields for value in _values(rules, name, schema)]
    pairs = _examples(rules, bound, lambda rule, pair: rule.field == pair[0] and pair[1] in (rule.values or ()))
    where: list[str | None] = [*divisions] or [None]
    what: list[tuple[str | None, str | None]] = [*pairs] or [(None, None)]
    return [Part(division, field, value) for division in where for field, value in what]


def _examples(rules: Sequence[OwnerRule], candidates: Iterable[T], met: Callable[[OwnerRule, T], bool]) -> list[T]:
    """The first of all candidates that the same rules meet."""
    seen: dict[tuple[bool, ...], T] = {}
    for candidate in candidates:
        seen.setdefault(tuple(met(rule, candidate) for rule in rules), candidate)
    return list(seen.values())


def _values(rules: Sequence[OwnerRule], name: str, schema: ResourceSchema) -> list[str]:
    """What the rules name, and every code of the field's list."""
    named = [value for rule in rules if rule.field == name for value in rule.values or ()]
    spec = schema.fields.get(name)
    return [*named, *(load(spec.code_list) if spec is not None and spec.code_list else ())]


def _divisions(rules: Sequence[OwnerRule], on: date) -> list[str]:
    """The counties of what the rules name, or what is finer; of the whole city where a rule names none.

    Towns are not listed anywhere: where rules name some of a county, the others are not asked for.
    """
    named = {code for rule in rules for code in rule.divisions or ()}
    finer = {code[:_COUNTY] for code in named if len(code) > _COUNTY}
    if any(rule.divisions is None for rule in rules):
        named |= {f"{code[:4]}00" for code in named}
    rows = load("gbt2260_division").rows
    counties = [row.code for row in rows if row.valid_from <= on <= row.valid_until and not row.code.endswith("00")]
    found: list[str] = []
    for code in sorted(named):
        within = DivisionSet([code])
        below = [county for county in counties if within.covers(county)] if len(code) == _COUNTY else []
        found += below or [code]
    return [code for code in dict.fromkeys(found) if code not in finer]
