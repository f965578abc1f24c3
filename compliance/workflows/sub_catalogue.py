"""An agency's own catalogue 本单位目录 (Art 10): submitted by the agency, consolidated by the operator into drafts.

Nothing is lost on the way: of each entry the operator says that it is taken, or why not.
"""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from compliance.entry import CITY, CatalogueEntry, Model
from compliance.proposal import DIVISION
from compliance.roles import OPERATOR, UNIT, Actor
from compliance.values import ResourceCode, Text, distinct
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Open, Parties, Transition, Workflow
from compliance.workflows.catalogue_forms import Draft
from schemas.refusals import RefusalCode, Refused

_MOST_ENTRIES = 200


class Submission(Model):
    """The agency's entries; all of one catalogue, the city's or a county's."""

    entries: tuple[CatalogueEntry, ...] = Field(min_length=1, max_length=_MOST_ENTRIES)
    document: Text

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("entries", (entry.resource for entry in self.entries))
        if len({entry.scope for entry in self.entries}) > 1:
            raise ValueError("entries belong to different catalogues: submit each catalogue for itself")
        return self


class LeftOut(Model):
    """An entry that is not taken, and why."""

    resource: ResourceCode
    reason: Text


class Consolidation(Model):
    """Which entries go into the catalogue procedure, and which do not."""

    taken: tuple[ResourceCode, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("taken and left_out", (*self.taken, *(item.resource for item in self.left_out)))
        return self


class Return(Model):
    """Everything that the agency has to mend."""

    defects: tuple[Text, ...] = Field(min_length=1)


class Withdrawal(Model):
    """Why the agency takes it back."""

    reason: Text


def _parties(form: Submission, actor: Actor, view: RegisterView) -> Parties:
    del view
    scope = form.entries[0].scope
    return Parties(DIVISION if scope == CITY else scope, unit=actor.agency)


def _own_entries(context: Context) -> Refused | None:
    """An agency submits what it owns a part of, and nothing of others."""
    unit = context.matter.parties.unit
    if context.view.agency(unit or "") is None:
        return Refused(RefusalCode.E_NOT_ONBOARDED, "the agency is not in the register")
    foreign = [
        entry.resource for entry in context.form.entries if all(unit not in rule.agencies for rule in entry.owners)
    ]
    if foreign:
        return Refused(RefusalCode.E_OWNER, f"the agency owns no part of {', '.join(foreign)}", "owners", "10, 11")
    return None


def _same_catalogue(context: Context) -> Refused | None:
    scope = context.form.entries[0].scope
    if context.matter.parties.division != (DIVISION if scope == CITY else scope):
        return Refused(RefusalCode.E_FORM, "it belongs to another catalogue than before", "entries")
    return None


def _submitted(context: Context) -> tuple[CatalogueEntry, ...]:
    drawn = context.matter.fact("resubmit", "entries") or context.matter.fact("submit", "entries") or ()
    return tuple(CatalogueEntry.model_validate(entry) for entry in drawn)


def _each_is_answered(context: Context) -> Refused | None:
    form: Consolidation = context.form
    answered = {*form.taken, *(item.resource for item in form.left_out)}
    submitted = {entry.resource for entry in _submitted(context)}
    if answered != submitted:
        names = ", ".join(sorted(answered ^ submitted))
        return Refused(RefusalCode.E_FORM, f"each entry is either taken or left out with a reason: {names}", "taken")
    return None


def _open_drafts(context: Context) -> Sequence[Effect]:
    taken = set(context.form.taken)
    return [
        Open("catalogue", "draft", Draft(entry=entry, origin=context.matter.number))
        for entry in _submitted(context)
        if entry.resource in taken
    ]


SUB_CATALOGUE = Workflow(
    code="sub_catalogue",
    prefix="SUB",
    zh="本单位目录报送",
    en="an agency's own catalogue",
    articles="10",
    states={
        "SUBMITTED": ("已报送", "submitted"),
        "RETURNED": ("已退回", "returned"),
        "CONSOLIDATED": ("已汇总", "consolidated into drafts"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
    },
    ends=frozenset({"CONSOLIDATED", "WITHDRAWN"}),
    parties=_parties,
    transitions=(
        Transition(
            "submit",
            (NEW,),
            "SUBMITTED",
            (UNIT,),
            "10",
            "报送本单位目录",
            "submit the agency's entries",
            form=Submission,
            guards=(_own_entries,),
        ),
        Transition(
            "return",
            ("SUBMITTED",),
            "RETURNED",
            (OPERATOR,),
            "10",
            "退回",
            "return it, with all that is to be mended",
            form=Return,
        ),
        Transition(
            "resubmit",
            ("RETURNED",),
            "SUBMITTED",
            (UNIT,),
            "10",
            "重新报送",
            "submit it again",
            form=Submission,
            guards=(_own_entries, _same_catalogue),
        ),
        Transition(
            "consolidate",
            ("SUBMITTED",),
            "CONSOLIDATED",
            (OPERATOR,),
            "10, 39",
            "汇总编入目录",
            "consolidate it: a draft for each entry that is taken",
            form=Consolidation,
            guards=(_each_is_answered,),
            effects=(_open_drafts,),
        ),
        Transition(
            "withdraw",
            ("SUBMITTED", "RETURNED"),
            "WITHDRAWN",
            (UNIT,),
            "10",
            "撤回",
            "take it back",
            form=Withdrawal,
        ),
    ),
)
