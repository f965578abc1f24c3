"""Information systems paid by the government 信息化项目 (Art 54, decisions 38): review, acceptance, funding.

The authority opens each gate, and the register answers: PASS or FAIL, with its reasons as flags of the step
(`compliance/projects.py`). Funding is asked again for every year.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import Field

from compliance.entry import LegalBasis, Model
from compliance.projects import Facts, Gate, Judgement, facts_of, judge
from compliance.roles import AUTHORITY, UNIT, Actor
from compliance.sanctions import sanctioned
from compliance.values import AgencyCode, ResourceCode, Text
from compliance.view import RegisterView
from compliance.workflow import NEW, Choice, Context, Effect, Flag, Parties, Transition, Workflow
from compliance.workflows.sharing import Withdrawal, division_of
from schemas.refusals import RefusalCode, Refused

_FIRST_YEAR, _LAST_YEAR = 2016, 2999


class Need(Model):
    """One need to share: what is wanted of whom, on what basis."""

    item: Text
    provider: AgencyCode | None = None
    legal_basis: LegalBasis | None = None


class Project(Model):
    """The project form: the system, the budget year, what it needs of others and what it will supply.

    `needs` may be left empty: then the review answers FAIL with that reason (Art 54).
    """

    unit: AgencyCode
    name: Text
    budget_year: int = Field(ge=_FIRST_YEAR, le=_LAST_YEAR)
    needs: tuple[Need, ...] = ()
    supplies: tuple[ResourceCode, ...] = ()
    document: Text


class Review(Model):
    """The record of the review."""

    document: Text


class Acceptance(Model):
    """The record of the acceptance, and whether the system exchanged with others in its test."""

    interconnected: bool
    document: Text


class Funding(Model):
    """The year for which running costs are asked."""

    year: int = Field(ge=_FIRST_YEAR, le=_LAST_YEAR)
    document: Text


def _parties(form: Project, actor: Actor, view: RegisterView) -> Parties:
    del actor
    return Parties(division_of(view, form.unit), unit=form.unit, subject=form.name)


def _accepted(context: Context) -> Refused | None:
    """No project of a sanctioned budget year is taken in, whatever day it is filed (Art 44)."""
    form: Project = context.form
    if context.view.agency(form.unit) is None:
        return Refused(RefusalCode.E_FORM, "the register has no such agency", "unit")
    return sanctioned(context.others, form.unit, form.budget_year)


def _same_unit(context: Context) -> Refused | None:
    if context.form.unit != context.matter.parties.unit:
        return Refused(RefusalCode.E_FORM, "the project is another agency's", "unit")
    return None


def _facts(context: Context) -> Facts:
    facts = facts_of(context.matter)
    if isinstance(context.form, Acceptance):
        return replace(facts, interconnected=context.form.interconnected)
    if isinstance(context.form, Funding):
        return replace(facts, year=context.form.year)
    return facts


def _judgement(context: Context, gate: Gate) -> Judgement:
    return judge(gate, _facts(context), context.view, context.others, context.at)


def _passes(gate: Gate) -> Callable[[Context], bool]:
    return lambda context: _judgement(context, gate).passed


def _tell(gate: Gate) -> Callable[[Context], Sequence[Effect]]:
    return lambda context: [Flag(f"{gate.value}:{shut.reason.value}") for shut in _judgement(context, gate).reasons]


def _gate(action: str, gate: Gate, sources: tuple[str, ...], states: tuple[str, str], zh: str, en: str) -> Transition:
    forms: dict[Gate, type[Model]] = {Gate.REVIEW: Review, Gate.ACCEPTANCE: Acceptance, Gate.FUNDING: Funding}
    passed, failed = states
    return Transition(
        action,
        sources,
        Choice(((_passes(gate), passed),), failed),
        (AUTHORITY,),
        "54",
        zh,
        en,
        form=forms[gate],
        effects=(_tell(gate),),
    )


PROJECT = Workflow(
    code="project",
    prefix="PRJ",
    zh="信息化项目管理",
    en="project gates",
    articles="54",
    states={
        "FILED": ("已申报", "filed"),
        "REVIEWED": ("评审通过", "passed the review"),
        "REVIEW_FAILED": ("评审未通过", "failed the review"),
        "ACCEPTED": ("验收通过", "passed the acceptance"),
        "ACCEPTANCE_FAILED": ("验收未通过", "failed the acceptance"),
        "FUNDED": ("已安排运维经费", "running costs granted"),
        "FUNDING_REFUSED": ("不予安排运维经费", "running costs not granted"),
        "WITHDRAWN": ("已撤回", "withdrawn"),
        "CLOSED": ("系统已停用", "the system was switched off"),
    },
    ends=frozenset({"WITHDRAWN", "CLOSED"}),
    parties=_parties,
    transitions=(
        Transition(
            "file",
            (NEW,),
            "FILED",
            (UNIT,),
            "54",
            "申报项目",
            "file a project",
            form=Project,
            guards=(_accepted,),
        ),
        Transition(
            "take_over",
            (NEW,),
            "ACCEPTED",
            (AUTHORITY,),
            "54",
            "登记在用系统",
            "take a system on file that is in use",
            form=Project,
            guards=(_accepted,),
        ),
        Transition(
            "amend",
            ("FILED", "REVIEW_FAILED"),
            "FILED",
            (UNIT,),
            "54",
            "补充修改",
            "amend the project",
            form=Project,
            guards=(_same_unit, _accepted),
        ),
        _gate("review", Gate.REVIEW, ("FILED",), ("REVIEWED", "REVIEW_FAILED"), "项目评审", "review"),
        _gate(
            "accept",
            Gate.ACCEPTANCE,
            ("REVIEWED", "ACCEPTANCE_FAILED"),
            ("ACCEPTED", "ACCEPTANCE_FAILED"),
            "项目验收",
            "accept the system",
        ),
        _gate(
            "fund",
            Gate.FUNDING,
            ("ACCEPTED", "FUNDED", "FUNDING_REFUSED"),
            ("FUNDED", "FUNDING_REFUSED"),
            "安排年度运维经费",
            "grant the running costs of a year",
        ),
        Transition(
            "withdraw",
            ("FILED", "REVIEW_FAILED", "REVIEWED"),
            "WITHDRAWN",
            (UNIT,),
            "54",
            "撤回申报",
            "withdraw the project",
            form=Withdrawal,
        ),
        Transition(
            "close",
            ("ACCEPTED", "FUNDED", "FUNDING_REFUSED", "ACCEPTANCE_FAILED"),
            "CLOSED",
            (AUTHORITY, UNIT),
            "54",
            "系统停用",
            "note that the system was switched off",
            form=Withdrawal,
        ),
    ),
)
