"""Standing secrecy reviews 保密审查 (Art 15, decisions 11): filed by the agency for a resource and catalogue version.

A submission cites the review. It ends by its own last day, and can be withdrawn before; a failed review is filed too,
and admits nothing.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.models import SecrecyReview
from compliance.roles import AUTHORITY, BY_CLOCK, SECRECY, UNIT, Actor, Party
from compliance.values import Day, ResourceCode, ReviewNumber, Text, ordered
from compliance.view import RegisterView
from compliance.workflow import NEW, Choice, Context, Effect, Parties, Put, Start, Transition, Workflow
from compliance.workflows.sharing import division_of
from schemas.refusals import RefusalCode, Refused

CLOCK = "review_end"


class Review(Model):
    """The review form 保密审查表: what was reviewed, by whom, with what result, until when it stands."""

    number: ReviewNumber
    resource: ResourceCode
    catalogue_version: int = Field(ge=1)
    reviewer: Text = Field(repr=False)
    reviewed_on: Day
    valid_until: Day
    result: Literal["PASS", "FAIL"]
    conclusion: Text
    document: Text

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("reviewed_on", self.reviewed_on, "valid_until", self.valid_until)
        return self

    @property
    def eve(self) -> date:
        """The day before the last: the clock of its end counts from it."""
        return self.valid_until - timedelta(days=1)


class Revocation(Model):
    """Why the review no longer stands."""

    reason: Text
    document: Text | None = None


def _owner(context: Context) -> Refused | None:
    """The reviewed entry is in the catalogue, and the agency owns a part of it now or later."""
    form: Review = context.form
    entry = context.view.entry_version(form.resource, form.catalogue_version)
    if entry is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE, "the catalogue has no such version", "catalogue_version")
    unit, at = context.matter.parties.unit, context.at
    rules = [rule for rule in entry.owners if unit in rule.agencies]
    if not any(rule.effective_until is None or rule.effective_until > at for rule in rules):
        return Refused(RefusalCode.E_OWNER, "the agency owns no part of the resource", "resource")
    return None


def _days(context: Context) -> Refused | None:
    form: Review = context.form
    today = local_date(context.at)
    if form.reviewed_on > today:
        return Refused(RefusalCode.E_FORM, "lies ahead: the review comes before the supply", "reviewed_on")
    if form.valid_until < today:
        return Refused(RefusalCode.E_FORM, "is over already", "valid_until")
    return None


def _new_number(context: Context) -> Refused | None:
    if context.view.review(context.matter.parties.unit or "", context.form.number) is not None:
        return Refused(RefusalCode.E_CONFLICT, "the agency has a review of that number", "number")
    return None


def _passed(context: Context) -> bool:
    return bool(context.form.result == "PASS")


def _put(context: Context) -> Sequence[Effect]:
    form: Review = context.form
    return (
        Put(
            SecrecyReview(
                number=form.number,
                agency=context.matter.parties.unit or "",
                resource=form.resource,
                catalogue_version=form.catalogue_version,
                reviewer=form.reviewer,
                reviewed_on=form.reviewed_on,
                valid_until=form.valid_until,
                result=form.result,
            )
        ),
    )


def _put_failed(context: Context) -> Sequence[Effect]:
    review = context.view.review(context.matter.parties.unit or "", context.matter.parties.subject or "")
    return () if review is None else (Put(review.model_copy(update={"result": "FAIL"})),)


def _parties(form: Review, actor: Actor, view: RegisterView) -> Parties:
    return Parties(
        division_of(view, actor.agency or ""), unit=actor.agency, resource=form.resource, subject=form.number
    )


SECRECY_REVIEW = Workflow(
    code="secrecy_review",
    prefix="SEC",
    zh="保密审查备案",
    en="secrecy review on file",
    articles="15",
    states={
        "ON_FILE": ("已备案", "on file"),
        "FAILED": ("审查未通过", "not passed"),
        "EXPIRED": ("已到期", "over"),
        "REVOKED": ("已撤销", "withdrawn"),
    },
    ends=frozenset({"FAILED", "EXPIRED", "REVOKED"}),
    parties=_parties,
    transitions=(
        Transition(
            "file",
            (NEW,),
            Choice(((_passed, "ON_FILE"),), "FAILED"),
            (UNIT,),
            "15",
            "报送保密审查",
            "file a secrecy review",
            form=Review,
            starts=(Start(CLOCK, Party.UNIT, since="eve", when=_passed),),
            guards=(_owner, _days, _new_number),
            effects=(_put,),
        ),
        Transition(
            "revoke",
            ("ON_FILE",),
            "REVOKED",
            (UNIT, SECRECY, AUTHORITY),
            "15",
            "撤销保密审查",
            "withdraw the review",
            form=Revocation,
            effects=(_put_failed,),
        ),
        Transition(
            "expire",
            ("ON_FILE",),
            "EXPIRED",
            (BY_CLOCK,),
            "15",
            "保密审查到期",
            "the review is over",
            stops=(CLOCK,),
            expiry_of=CLOCK,
        ),
    ),
)
