"""What a case about data demands and brings about: guards and effects of `compliance/workflows/data_case.py`."""

from typing import Any
from uuid import UUID, uuid5

from compliance.catalogue import schema_or_none
from compliance.divisions import DivisionSet
from compliance.entry import CatalogueEntry
from compliance.roles import Actor
from compliance.rulings import Waiver
from compliance.view import RegisterView
from compliance.workflow import Context, Matter, Parties, Put
from compliance.workflows.data_case_forms import Case, Origin
from schemas.refusals import RefusalCode, Refused

OPENINGS: dict[str, Origin] = {
    "object": Origin.OBJECTION,
    "report_discrepancy": Origin.DISCREPANCY,
    "report_digest": Origin.DIGEST,
    "report_name": Origin.NAME,
    "report_cross_check": Origin.CROSS_CHECK,
}
_FOUND_BY_THE_BUS = frozenset({Origin.DIGEST, Origin.NAME, Origin.CROSS_CHECK})
_WAIVERS = UUID("c0d0b7a4-6f5e-5b0c-8d0a-3e1f6c2b9a71")


def origin_of(matter: Matter) -> Origin:
    """Where a case comes from."""
    return next(origin for action, origin in OPENINGS.items() if action in matter.facts)


def opening_of(matter: Matter) -> str:
    """The action that opened a case."""
    return next(action for action in OPENINGS if action in matter.facts)


def current(matter: Matter, key: str) -> Any:  # noqa: ANN401  JSON
    """One value of what is disputed now: as it was revised last, else as the case was opened."""
    revised = matter.facts.get("revise")
    if revised is not None and (key == "fields" or revised.get(key)):
        return revised.get(key)
    return matter.fact(opening_of(matter), key)


def is_objection(context: Context) -> bool:
    """Somebody filed it, or objects by now."""
    return OPENINGS.get(context.transition.action) is Origin.OBJECTION or "object" in context.matter.facts


def is_found_by_others(context: Context) -> bool:
    """Nobody filed it."""
    return not is_objection(context)


def correction_asked(context: Context) -> bool:
    """Art 26 of the State Council's regulation, where it binds: an agency asked the owner to verify and correct."""
    known = any(rule.id == "correction_answer" for profile in context.law.profiles for rule in profile.clocks)
    return known and context.matter.parties.requester is not None


def _owners(entry: CatalogueEntry | None, division: str) -> tuple[str, ...]:
    """The agencies that may own a subject of that division, as the catalogue has it."""
    found: dict[str, None] = {}
    for rule in entry.owners if entry is not None else ():
        if rule.divisions is None or DivisionSet(rule.divisions).covers(division):
            found |= dict.fromkeys(rule.agencies)
    return tuple(found)


def parties_of(form: Case, actor: Actor, view: RegisterView) -> Parties:
    """Who is in a case: the owner that was named, else the only one that there is."""
    owners = _owners(view.entry(form.resource), form.division)
    owner = form.owner or (owners[0] if len(owners) == 1 else None)
    return Parties(form.division, requester=actor.agency, provider=owner, resource=form.resource, subject=form.token)


def in_catalogue(context: Context) -> Refused | None:
    """The resource is one of the catalogue, and has the fields."""
    entry = context.view.entry(context.form.resource)
    if entry is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "there is no entry for the resource", "resource")
    schema = schema_or_none(entry)
    known = schema.fields if schema is not None else {}
    unknown = [name for name in context.form.fields if name not in known]
    if unknown:
        return Refused(RefusalCode.E_FORM, f"the resource has no field {', '.join(unknown)}", "fields")
    return None


def owner_known(context: Context) -> Refused | None:
    """The owner is one of those of that division."""
    owners = _owners(context.view.entry(context.form.resource), context.form.division)
    if context.matter.parties.provider in owners:
        return None
    if context.form.owner is not None:
        return Refused(RefusalCode.E_FORM, "that agency is no owner of the resource there", "owner")
    detail = "the resource has several owners there: name one" if owners else "the resource has no owner there"
    return Refused(RefusalCode.E_FORM, detail, "owner")


def not_the_owner(context: Context) -> Refused | None:
    """An owner corrects its own data by an event; there is nobody else whom the case would go to."""
    if context.matter.parties.requester == context.matter.parties.provider:
        return Refused(RefusalCode.E_FORM, "the owner corrects its own data, by an event that supersedes", "owner")
    return None


def another_event(context: Context) -> Refused | None:
    """The correcting event is not the disputed one."""
    event = context.form.correcting_event
    if event is not None and event == current(context.matter, "event_id"):
        return Refused(RefusalCode.E_FORM, "the correcting event is the disputed one", "correcting_event")
    return None


def found_by_the_bus(context: Context) -> Refused | None:
    """The bus found it, so the bus may say how it goes on."""
    if origin_of(context.matter) not in _FOUND_BY_THE_BUS:
        return Refused(RefusalCode.E_STATE, "somebody filed this case: its difference is judged by people")
    return None


def from_a_hit(context: Context) -> Refused | None:
    """A pair can be waived where a cross-check of the bus compared one."""
    if current(context.matter, "compared") is None or context.matter.parties.subject is None:
        return Refused(RefusalCode.E_STATE, "no cross-check of the bus found this case: there is no pair to waive")
    return None


def fields_of_the_resource(context: Context) -> Refused | None:
    """The fields are the resource's."""
    entry = context.view.entry(context.matter.parties.resource or "")
    schema = schema_or_none(entry) if entry is not None else None
    unknown = [name for name in context.form.fields if schema is None or name not in schema.fields]
    if unknown:
        return Refused(RefusalCode.E_FORM, f"the resource has no field {', '.join(unknown)}", "fields")
    return None


def waiver(context: Context) -> tuple[Put, ...]:
    """The pair as it is compared now is in order: cross-checks pass it over while that stays (docs/freshness.md)."""
    matter = context.matter
    pair, compared = current(matter, "pair"), current(matter, "compared")
    model = Waiver(
        id=str(uuid5(_WAIVERS, f"{matter.number}|{pair}|{compared}")),
        token=matter.parties.subject or "",
        pair=pair,
        compared=compared,
        reason=context.form.reason,
        role=context.actor.role,
        decided_at=context.at,
        case=matter.number,
    )
    return (Put(model),)


def copy_first(context: Context) -> Refused | None:
    """An applicant has its copy before the case is closed; what the bus found itself has no applicant."""
    if context.matter.parties.requester is not None and "send_copy" not in context.matter.facts:
        return Refused(RefusalCode.E_STATE, "the applicant has not got its copy of the report")
    return None


def applicant_there(context: Context) -> Refused | None:
    """Somebody filed it, who can be told."""
    if context.matter.parties.requester is None:
        return Refused(RefusalCode.E_STATE, "the bus found this case itself: there is no applicant")
    return None
