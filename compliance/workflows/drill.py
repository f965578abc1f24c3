"""Drills and checks (Art 49, 53): disaster recovery 灾难恢复演练, restore of the off-site backup, security check.

One that failed is not done with: what it found is mended first.
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import model_validator

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.roles import AUTHORITY, OPERATOR, Actor, By, Role
from compliance.values import Day, DivisionCode, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Choice, Context, Parties, Transition, Workflow
from schemas.refusals import RefusalCode, Refused

CODE = "drill"
_WHO = By(OPERATOR.roles | AUTHORITY.roles | {Role.SECURITY_ADMINISTRATOR})


class DrillKind(StrEnum):
    """What is tried out."""

    DISASTER_RECOVERY = "DISASTER_RECOVERY"
    RESTORE_TEST = "RESTORE_TEST"
    SECURITY_CHECK = "SECURITY_CHECK"


class Plan(Model):
    """What is to be tried out, and when."""

    kind: DrillKind
    division: DivisionCode
    planned_on: Day
    scope: Text


class Held(Model):
    """What was tried out and what came of it.

    Attributes:
        copy_made_on: of the off-site copy that a restore test restored.
        resources: whose records were restored or checked.
    """

    kind: DrillKind
    division: DivisionCode
    held_on: Day
    result: Literal["PASSED", "FAILED"]
    findings: Text
    document: Text
    copy_made_on: Day | None = None
    resources: tuple[ResourceCode, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.kind is DrillKind.RESTORE_TEST) != (self.copy_made_on is not None):
            raise ValueError("copy_made_on is given exactly for a RESTORE_TEST")
        return self


class Mended(Model):
    """What was mended of what a failed one found."""

    measures: Text
    document: Text


def _parties(form: Plan | Held, actor: Actor, view: RegisterView) -> Parties:
    del actor, view
    return Parties(form.division, subject=form.kind.value)


def _as_planned(context: Context) -> Refused | None:
    if context.form.kind.value != context.matter.parties.subject:
        return Refused(RefusalCode.E_FORM, "is another kind than the one that was planned", "kind")
    return None


def _held(context: Context) -> Refused | None:
    if context.form.held_on > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies in the future", "held_on")
    return None


def _passed(context: Context) -> bool:
    return bool(context.form.result == "PASSED")


DRILL = Workflow(
    code=CODE,
    prefix="DRL",
    zh="演练与检查",
    en="drill or check",
    articles="49, 53",
    states={
        "PLANNED": ("已计划", "planned"),
        "PASSED": ("通过", "passed"),
        "FAILED": ("未通过", "failed"),
        "MENDED": ("已整改", "mended"),
    },
    ends=frozenset({"PASSED", "MENDED"}),
    parties=_parties,
    transitions=(
        Transition("plan", (NEW,), "PLANNED", (_WHO,), "49, 53", "计划演练或检查", "plan one", form=Plan),
        Transition(
            "hold",
            (NEW, "PLANNED"),
            Choice(((_passed, "PASSED"),), "FAILED"),
            (_WHO,),
            "49, 53",
            "登记演练或检查结果",
            "record what came of it",
            form=Held,
            guards=(_as_planned, _held),
        ),
        Transition("mend", ("FAILED",), "MENDED", (_WHO,), "49, 53", "整改", "mend what it found", form=Mended),
    ),
)
