"""Liability 责任追究 (Art 59, decisions 37): who bore liability for wrong shared data complains about who supplied them."""

from typing import Literal, Self

from pydantic import Field, model_validator

from compliance.entry import Model
from compliance.roles import ANY_AGENCY, AUTHORITY, Actor
from compliance.values import AgencyCode, Day, DivisionCode, FieldName, ResourceCode, Text, distinct
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Parties, Transition, Workflow
from compliance.workflows.data_case_forms import EventId
from schemas.refusals import RefusalCode, Refused


class Claim(Model):
    """What an agency acted on, what it bore for that, and the proof.

    Attributes:
        supplier: the agency that supplied the wrong data.
        delivered_events: what was delivered and relied upon, by event id; the bus shows from which signed submission.
        act: the administrative act 行政行为 that rested on it.
        borne: how liability was borne: reconsideration 行政复议, litigation 行政诉讼 or state compensation 国家赔偿.
        borne_document: the decision or judgment; with `borne_on`, the proof that liability was borne.
    """

    supplier: AgencyCode
    division: DivisionCode
    resource: ResourceCode
    fields: tuple[FieldName, ...] = Field(min_length=1)
    delivered_events: tuple[EventId, ...] = Field(min_length=1)
    act: Text
    borne: Literal["RECONSIDERATION", "LITIGATION", "STATE_COMPENSATION"]
    borne_document: Text
    borne_on: Day
    proof: tuple[Text, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("fields", self.fields)
        distinct("delivered_events", self.delivered_events)
        return self


class Investigation(Model):
    """What the authority found: which event was wrong, and who supplied it."""

    finding: Text
    wrong_events: tuple[EventId, ...] = ()
    documents: tuple[Text, ...] = ()


class Ruling(Model):
    """How the authority dealt with it 处理决定."""

    outcome: Literal["SUPPLIER_LIABLE", "PARTLY_LIABLE", "NOT_LIABLE"]
    measures: Text
    document: Text


class Transfer(Model):
    """The written transfer to supervision of what breaks discipline or law."""

    document: Text
    suspicion: Text


def _parties(form: Claim, actor: Actor, view: RegisterView) -> Parties:
    del view
    return Parties(form.division, requester=actor.agency, provider=form.supplier, resource=form.resource)


def _supplied(context: Context) -> Refused | None:
    """The supplier is, or was in some version, an owner of the resource; and somebody else than who complains."""
    form: Claim = context.form
    if form.supplier == context.actor.agency:
        return Refused(RefusalCode.E_FORM, "the supplier is the agency that complains", "supplier")
    owners = {
        agency for entry in context.view.versions(form.resource) for rule in entry.owners for agency in rule.agencies
    }
    if not owners:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "there is no entry for the resource", "resource")
    if form.supplier not in owners:
        return Refused(RefusalCode.E_FORM, "that agency never was an owner of the resource", "supplier")
    return None


def _of_the_claim(context: Context) -> Refused | None:
    if set(context.form.wrong_events) - set(context.matter.fact("file", "delivered_events")):
        return Refused(RefusalCode.E_FORM, "an event is not among those of the claim", "wrong_events")
    return None


LIABILITY = Workflow(
    code="liability",
    prefix="LIA",
    zh="责任追究",
    en="liability for wrong data",
    articles="59",
    states={
        "FILED": ("已提出", "filed"),
        "INVESTIGATED": ("已调查", "investigated"),
        "DECIDED": ("已处理", "decided"),
        "TRANSFERRED_TO_SUP": ("已移交监察部门", "transferred to supervision"),
    },
    ends=frozenset({"DECIDED", "TRANSFERRED_TO_SUP"}),
    parties=_parties,
    transitions=(
        Transition(
            "file",
            (NEW,),
            "FILED",
            (ANY_AGENCY,),
            "59",
            "投诉提供错误信息的机关",
            "complain about the supplier, with proof",
            form=Claim,
            guards=(_supplied,),
        ),
        Transition(
            "investigate",
            ("FILED",),
            "INVESTIGATED",
            (AUTHORITY,),
            "59",
            "调查",
            "investigate",
            form=Investigation,
            guards=(_of_the_claim,),
        ),
        Transition("decide", ("INVESTIGATED",), "DECIDED", (AUTHORITY,), "59", "作出处理", "deal with it", form=Ruling),
        Transition(
            "transfer",
            ("DECIDED",),
            "TRANSFERRED_TO_SUP",
            (AUTHORITY,),
            "59",
            "书面移交监察部门",
            "transfer to supervision in writing",
            form=Transfer,
        ),
    ),
)
