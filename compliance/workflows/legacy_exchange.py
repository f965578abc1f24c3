"""Exchanges beside the platform 平台外交换 (Art 10; decisions 41): each is registered, and moves to the platform.

One that was built after the rules came into force should not be there (不得另行建设): it is registered all the same,
and marked.
"""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from compliance.catalogue import local_date
from compliance.entry import LegalBasis, Model
from compliance.models import GrantState
from compliance.roles import AUTHORITY, OPERATOR, SUPERVISION, UNIT, UNIT_ANYBODY, Actor
from compliance.values import AgencyCode, Day, GrantId, Text, distinct
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Flag, Parties, Transition, Workflow
from compliance.workflows.sharing import division_of
from schemas.refusals import RefusalCode, Refused

BUILT_LATER = "BUILT_AFTER_THE_RULES"
UNPLANNED = ("REGISTERED",)


class Exchange(Model):
    """What goes between two agencies without the platform: which data, which way, how, since when."""

    unit: AgencyCode
    counterpart: AgencyCode
    name: Text
    data: Text
    direction: Literal["SUPPLIES", "RECEIVES", "BOTH"]
    manner: Literal["INTERFACE", "DATABASE", "FILES", "PLATFORM", "OTHER"]
    since: Day
    document: Text | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.unit == self.counterpart:
            raise ValueError("counterpart is the agency itself: an exchange is between two")
        return self


class Plan(Model):
    """By when and how the exchange moves to the platform."""

    until: Day
    steps: Text
    document: Text | None = None


class Migration(Model):
    """The grants that took the exchange's place, and the day on which it was switched off."""

    grants: tuple[GrantId, ...] = Field(min_length=1)
    switched_off_on: Day
    document: Text

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("grants", self.grants)
        return self


class Exemption(Model):
    """Why the exchange stays beside the platform, and the law that allows it (such as: it holds state secrets)."""

    reason: Text
    legal_basis: LegalBasis
    document: Text


def _known(context: Context) -> Refused | None:
    for field in ("unit", "counterpart"):
        if context.view.agency(getattr(context.form, field)) is None:
            return Refused(RefusalCode.E_FORM, "the register has no such agency", field)
    return None


def _ahead(context: Context) -> Refused | None:
    if context.form.until < local_date(context.at):
        return Refused(RefusalCode.E_FORM, "a plan ends after today", "until")
    return None


def _replaced(context: Context) -> Refused | None:
    """The grants deliver between the same two agencies."""
    if context.form.switched_off_on > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies ahead", "switched_off_on")
    both = {context.matter.parties.unit, context.matter.parties.subject}
    for name in context.form.grants:
        grant = context.view.grant(name)
        if grant is None or grant.state is not GrantState.ACTIVE or grant.subscriber not in both:
            detail = "a grant that is named is not active for one of the two agencies"
            return Refused(RefusalCode.E_NO_GRANT, detail, "grants")
    return None


def _mark(context: Context) -> Sequence[Effect]:
    effective = context.law.effective_date
    return (Flag(BUILT_LATER),) if effective is not None and context.form.since >= effective else ()


def _parties(form: Exchange, actor: Actor, view: RegisterView) -> Parties:
    del actor
    return Parties(division_of(view, form.unit), unit=form.unit, subject=form.counterpart)


LEGACY_EXCHANGE = Workflow(
    code="legacy_exchange",
    prefix="LEG",
    zh="平台外交换登记与迁移",
    en="exchange beside the platform",
    articles="10",
    states={
        "REGISTERED": ("已登记", "registered"),
        "MIGRATING": ("迁移中", "moving to the platform"),
        "MIGRATED": ("已迁移", "moved to the platform"),
        "EXEMPTED": ("依法保留", "stays, by law"),
    },
    ends=frozenset({"MIGRATED", "EXEMPTED"}),
    parties=_parties,
    transitions=(
        Transition(
            "register",
            (NEW,),
            "REGISTERED",
            (UNIT_ANYBODY, OPERATOR, AUTHORITY, SUPERVISION),
            "10",
            "登记平台外交换",
            "register an exchange beside the platform",
            form=Exchange,
            guards=(_known,),
            effects=(_mark,),
        ),
        Transition(
            "plan",
            ("REGISTERED", "MIGRATING"),
            "MIGRATING",
            (UNIT,),
            "10",
            "报送迁移计划",
            "say by when it moves",
            form=Plan,
            guards=(_ahead,),
        ),
        Transition(
            "migrate",
            ("REGISTERED", "MIGRATING"),
            "MIGRATED",
            (OPERATOR,),
            "10",
            "确认已迁移",
            "confirm that it moved",
            form=Migration,
            guards=(_replaced,),
        ),
        Transition(
            "exempt",
            ("REGISTERED", "MIGRATING"),
            "EXEMPTED",
            (AUTHORITY,),
            "10",
            "依法保留",
            "let it stay, by law",
            form=Exemption,
        ),
    ),
)
