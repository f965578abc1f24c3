"""What other texts want in the catalogue 应当纳入目录的信息 (Art 39): listed with the text that says so.

Chapter 2 of the regulation needs no listing. What is missing from the catalogue is told by `compliance/inclusion.py`.
"""

from compliance.entry import LegalBasis, Model
from compliance.proposal import DIVISION
from compliance.roles import AUTHORITY, OPERATOR, Actor
from compliance.values import AgencyCode, Day, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Parties, Transition, Workflow
from schemas.refusals import RefusalCode, Refused


class MandatoryItem(Model):
    """One resource, the agency that is to supply it, the text that says so, and from when."""

    resource: ResourceCode
    name: Text
    agency: AgencyCode
    basis: LegalBasis
    from_day: Day


class Lifting(Model):
    """Why the text no longer wants it in the catalogue."""

    reason: Text
    document: Text


def _parties(form: MandatoryItem, actor: Actor, view: RegisterView) -> Parties:
    del view
    division = actor.division if actor.division is not None else DIVISION
    return Parties(division, unit=form.agency, resource=form.resource)


def _listed_once(context: Context) -> Refused | None:
    form: MandatoryItem = context.form
    if context.view.agency(form.agency) is None:
        return Refused(RefusalCode.E_FORM, "the register has no such agency", "agency")
    for other in context.others.matters("mandatory_item", states=("LISTED",), resource=form.resource):
        if other.fact("list", "basis") == form.basis.model_dump(mode="json"):
            return Refused(RefusalCode.E_CONFLICT, "listed already by the same text", "resource")
    return None


MANDATORY_ITEM = Workflow(
    code="mandatory_item",
    prefix="MAN",
    zh="应当纳入目录的信息",
    en="item that a text wants in the catalogue",
    articles="39",
    states={"LISTED": ("已列入", "listed"), "LIFTED": ("已解除", "no longer wanted")},
    ends=frozenset({"LIFTED"}),
    parties=_parties,
    transitions=(
        Transition(
            "list",
            (NEW,),
            "LISTED",
            (OPERATOR, AUTHORITY),
            "39",
            "列入应当纳入清单",
            "list it with the text that says so",
            form=MandatoryItem,
            guards=(_listed_once,),
        ),
        Transition(
            "lift",
            ("LISTED",),
            "LIFTED",
            (AUTHORITY,),
            "39",
            "解除",
            "take it off the list",
            form=Lifting,
        ),
    ),
)
