"""What the catalogue procedure demands and brings about: guards and effects of `compliance/workflows/catalogue.py`."""

from collections.abc import Sequence
from datetime import datetime

from compliance.changes import entry_changes
from compliance.entry import CITY, CatalogueEntry
from compliance.entry_check import entry_problems, refusal_of
from compliance.proposal import DIVISION
from compliance.roles import Role
from compliance.view import RegisterView
from compliance.workflow import Act, Context, Effect, Matter, Parties, Put
from compliance.workflows.catalogue_forms import Adjustment, Draft, Retirement
from schemas.refusals import RefusalCode, Refused

CODE = "catalogue"
PENDING = ("DRAFT", "COSIGNED", "VERIFIED", "APPROVED", "RETURNED")
_CITY_OFFICES = frozenset({Role.OPERATOR_CITY, Role.AUTHORITY_CITY, Role.GOVERNMENT_CITY})
# Art 14 and 40: these follow the whole procedure, so the authority cannot adjust them by itself.
_BY_PROCEDURE = ("name", "content", "responsible_department", "owners", "avro", "baseline", "scope", "state")


def division_of(entry: CatalogueEntry) -> str:
    """The division whose offices make the catalogue that the entry belongs to (Art 39, 41)."""
    return DIVISION if entry.scope == CITY else entry.scope


def parties_of(form: Draft | Adjustment | Retirement, view: RegisterView) -> Parties:
    """The entry's catalogue, resource and version."""
    entry = view.entry(form.resource) if isinstance(form, Retirement) else form.entry
    if entry is None:
        return Parties(DIVISION, resource=getattr(form, "resource", None))
    return Parties(division_of(entry), resource=entry.resource, subject=entry.key)


def proposed(context: Context) -> CatalogueEntry | None:
    """The entry that a matter is about, as it would be published now; None when the register lost it."""
    form = context.form
    if isinstance(form, (Draft, Adjustment)):
        return _published(form.entry, context.at)
    if retires(context):
        entry = context.view.entry(context.matter.parties.resource or "")
        return None if entry is None else entry.model_copy(update={"state": "RETIRED"})
    drawn = context.matter.fact("redraft", "entry") or context.matter.fact("draft", "entry")
    return _published(CatalogueEntry.model_validate(drawn), context.at)


def retires(context: Context) -> bool:
    """Whether the matter takes an entry out of the catalogue."""
    return isinstance(context.form, Retirement) or "draft_retirement" in context.matter.facts


def _published(entry: CatalogueEntry, at: datetime) -> CatalogueEntry:
    return entry.model_copy(update={"published_at": at.replace(microsecond=at.microsecond // 1000 * 1000)})


# -- what must hold ------------------------------------------------------------------------------------------------


def own_tier(context: Context) -> Refused | None:
    """A county makes its own catalogue (Art 41); the core holds the county's offices to their county."""
    entry = proposed(context)
    if entry is not None and entry.scope != CITY and context.actor.role in _CITY_OFFICES:
        detail = f"an entry of county {entry.scope} is the matter of that county's offices"
        return Refused(RefusalCode.E_ROLE, detail, "scope", "41")
    return None


def not_begun(context: Context) -> Refused | None:
    """A published version never changes, and one version is one matter."""
    entry: CatalogueEntry = context.form.entry
    if context.view.entry_version(entry.resource, entry.version) is not None:
        return Refused(RefusalCode.E_VERSION, "that version is published; draft the next one", "version", "14, 40")
    if entry.state != "PUBLISHED":
        return Refused(RefusalCode.E_FORM, "a version does not begin as retired", "state")
    found = context.others.matters(CODE, states=PENDING, resource=entry.resource)
    if any(other.number != context.matter.number for other in found):
        return Refused(RefusalCode.E_CONFLICT, "another draft for the resource is under way", "resource")
    return None


def may_retire(context: Context) -> Refused | None:
    """There is something to retire, and nothing else under way for it."""
    entry = context.view.entry(context.form.resource)
    if entry is None or entry.state != "PUBLISHED":
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "there is nothing to retire", "resource")
    if context.others.matters(CODE, states=PENDING, resource=entry.resource):
        return Refused(RefusalCode.E_CONFLICT, "another draft for the resource is under way", "resource")
    return None


def same_version(context: Context) -> Refused | None:
    """What comes again is the same version of the same entry."""
    if retires(context):
        return Refused(RefusalCode.E_STATE, "a retirement is given up and drafted again")
    if context.form.entry.key != context.matter.parties.subject:
        return Refused(RefusalCode.E_FORM, "it is another entry or version than the matter's", "entry")
    if division_of(context.form.entry) != context.matter.parties.division:
        return Refused(RefusalCode.E_FORM, "it belongs to another catalogue than the matter's", "scope")
    return None


def rules_hold(context: Context) -> Refused | None:
    """Every rule of the catalogue, asked again at each step: the register may have changed meanwhile (Art 4 to 41)."""
    entry = proposed(context)
    if entry is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "the entry is no longer there", "resource")
    return refusal_of(entry_problems(context.view, entry, context.at))


def is_baseline(context: Context) -> Refused | None:
    """Only baseline information is co-signed (Art 12)."""
    entry = proposed(context)
    if entry is None or not entry.baseline:
        return Refused(RefusalCode.E_STATE, "only a baseline entry is co-signed", "baseline", "12")
    return None


def cosigned(context: Context) -> Refused | None:
    """Baseline information has the staffing office's co-signature under this very draft (Art 12)."""
    entry = proposed(context)
    if entry is not None and entry.baseline and context.matter.state != "COSIGNED":
        return Refused(
            RefusalCode.E_STATE, "the staffing office has not co-signed the baseline entry", "baseline", "12"
        )
    return None


def only_attributes(context: Context) -> Refused | None:
    """Items, content and owner go the whole way; what is left the authority adjusts by itself (Art 14, 40)."""
    entry: CatalogueEntry = context.form.entry
    before = context.view.entry_version(entry.resource, entry.version - 1)
    if before is None or before != context.view.entry(entry.resource):
        return Refused(RefusalCode.E_VERSION, "an adjustment is the version after the newest one", "version")
    named = type(entry).model_fields
    fixed = [named[name].alias or name for name in _BY_PROCEDURE if getattr(before, name) != getattr(entry, name)]
    if fixed:
        detail = f"{', '.join(fixed)} change by the whole procedure of Art 39 alone"
        return Refused(RefusalCode.E_STATE, detail, fixed[0], "39, 40")
    if entry_changes(before, entry).same:
        return Refused(RefusalCode.E_FORM, "the version changes nothing", "entry")
    return None


def is_replaced(context: Context) -> Refused | None:
    """A newer version is published."""
    newest = context.view.entry(context.matter.parties.resource or "")
    if newest is None or newest.key == context.matter.parties.subject:
        return Refused(RefusalCode.E_STATE, "no newer version is published")
    return None


def is_retired(context: Context) -> Refused | None:
    """The entry was taken out of the catalogue by a matter of its own."""
    newest = context.view.entry(context.matter.parties.resource or "")
    if newest is None or newest.state != "RETIRED":
        return Refused(RefusalCode.E_STATE, "an entry leaves the catalogue by draft_retirement", cited="40")
    return None


# -- what follows --------------------------------------------------------------------------------------------------


def publish(context: Context) -> Sequence[Effect]:
    """The version becomes current and goes out; the matter of the version before ends, and the notice is served."""
    entry = proposed(context)
    if entry is None:
        raise KeyError("a catalogue matter without its entry")
    action = "retire" if entry.state == "RETIRED" else "supersede"
    older = context.others.matters(CODE, states=("PUBLISHED",), resource=entry.resource)
    return (Put(entry), *(Act(matter.number, action) for matter in older), *_serve(context, "settle"))


def give_back(context: Context) -> Sequence[Effect]:
    """The notice that a dropped draft was made for is open again."""
    return _serve(context, "take_back")


def _serve(context: Context, action: str) -> tuple[Effect, ...]:
    parent: Matter | None = context.others.matter(context.matter.parent) if context.matter.parent else None
    if parent is None or parent.workflow != "change_notice" or parent.state != "IN_PROCEDURE":
        return ()
    return (Act(parent.number, action),)


def has_review_clock(context: Context) -> bool:
    """Whether a profile in force limits how long review and publication take (2025 Art 17)."""
    return any(binding.rule.id == "catalogue_review" for binding in context.law.rules())
