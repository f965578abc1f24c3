"""Whether one entry may stand in the catalogue, asked of the register: every rule at once, and the answer as a refusal.

`compliance/difference.py` asks the same of a register file.
"""

from collections.abc import Sequence
from datetime import datetime

from compliance.entry import CatalogueEntry
from compliance.entry_codes import ENTRY_RULES, EntryCode, Problem
from compliance.entry_rules import alone, among, changed
from compliance.repeat_rules import repeats
from compliance.view import RegisterView
from schemas.refusals import RefusalCode, Refused

_AS_REFUSAL: dict[EntryCode, RefusalCode] = {
    EntryCode.E_CLASS_MISSING: RefusalCode.E_CLASS,
    EntryCode.E_BASE_ITEM: RefusalCode.E_CLASS,
    EntryCode.E_LICENSING: RefusalCode.E_CLASS,
    EntryCode.E_NO_CONDITIONS: RefusalCode.E_CLASS,
    EntryCode.E_NO_LEGAL_BASIS: RefusalCode.E_NO_LEGAL_BASIS,
    EntryCode.E_TWO_OWNERS: RefusalCode.E_OWNER,
    EntryCode.E_OWNER_GAP: RefusalCode.E_OWNER,
    EntryCode.E_OWNER_TIME: RefusalCode.E_OWNER,
    EntryCode.E_REPEAT: RefusalCode.E_OWNER,
    EntryCode.E_COUNTY: RefusalCode.E_OWNER,
    EntryCode.E_IMMUTABLE: RefusalCode.E_VERSION,
    EntryCode.E_RETIRED: RefusalCode.E_VERSION,
    EntryCode.E_VERSION_GAP: RefusalCode.E_VERSION,
    EntryCode.E_SCHEMA: RefusalCode.E_SCHEMA,
    EntryCode.E_INCOMPATIBLE: RefusalCode.E_SCHEMA,
    EntryCode.E_KEY_CHANGED: RefusalCode.E_SCHEMA,
    EntryCode.E_DEPRECATED: RefusalCode.E_SCHEMA,
}


def entry_problems(view: RegisterView, entry: CatalogueEntry, now: datetime | None = None) -> list[Problem]:
    """Everything that speaks against an entry beside what the register holds; of a known version, what it changes.

    Args:
        view: the register before; not changed.
        entry: the entry.
        now: when it is to be published; None where that is not to be judged.
    """
    old = view.entry_version(entry.resource, entry.version)
    if old is not None:
        return changed(old, entry)
    then = view.copy()
    then.apply(entry.kind, entry.key, entry)
    found = [*alone(entry), *among(view, then, entry, now), *repeats(then, entry, view.entries())]
    # A gap within a version is one against the version before too: it is told once.
    return list({str(problem): problem for problem in reversed(found)}.values())[::-1]


def refusal_of(problems: Sequence[Problem]) -> Refused | None:
    """All problems as one refusal, of the first one's kind and article; None where there are none."""
    if not problems:
        return None
    first = problems[0]
    code = _AS_REFUSAL.get(first.code, RefusalCode.E_FORM)
    field = str(first.path[-1]) if first.path and isinstance(first.path[-1], str) else None
    return Refused(code, "; ".join(str(problem) for problem in problems), field, ENTRY_RULES[first.code].article)
