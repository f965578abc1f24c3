"""The three gates of an information system 项目三道关 (Art 54, decisions 38): PASS or FAIL, each with its reasons.

Reasons are computed from the register; an office adds none by hand. Sanctions are asked for the project's budget year,
whatever day it is filed (decisions 34).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from compliance.catalogue import in_force
from compliance.sanctions import sanctioned
from compliance.view import RegisterView
from compliance.workflow import Matter, Matters
from schemas.refusals import Refused


class Gate(StrEnum):
    """项目评审, 验收, 运维经费安排."""

    REVIEW = "REVIEW"
    ACCEPTANCE = "ACCEPTANCE"
    FUNDING = "FUNDING"


class Reason(StrEnum):
    """Why a gate stays shut; a closed set."""

    NO_SHARING_NEED = "NO_SHARING_NEED"
    SANCTIONED = "SANCTIONED"
    NO_CATALOGUE = "NO_CATALOGUE"
    NOT_CONNECTED = "NOT_CONNECTED"
    NOT_INTERCONNECTED = "NOT_INTERCONNECTED"
    NOT_IN_FORCE = "NOT_IN_FORCE"
    EXCHANGE_WITHOUT_PLAN = "EXCHANGE_WITHOUT_PLAN"


REASONS: dict[Reason, tuple[str, str, str]] = {
    Reason.NO_SHARING_NEED: ("54", "未明确部门间信息共享需求", "the need to share is not stated"),
    Reason.SANCTIONED: ("44, 54", "该预算年度项目不予受理", "projects of that budget year are not accepted"),
    Reason.NO_CATALOGUE: ("54", "未提交信息资源目录", "the resources were not submitted to the catalogue"),
    Reason.NOT_CONNECTED: ("43, 54", "单位未接入共享平台", "the agency is not connected to the platform"),
    Reason.NOT_INTERCONNECTED: (
        "54",
        "系统未能与其他部门互联共享",
        "the system did not exchange with others in its test",
    ),
    Reason.NOT_IN_FORCE: ("39, 54", "信息资源目录未公布或不在共享期限内", "resources have no entry in force"),
    Reason.EXCHANGE_WITHOUT_PLAN: (
        "10, 54",
        "平台外交换未列迁移计划",
        "an exchange beside the platform has no plan to move",
    ),
}
"""Article, Chinese and English of each reason."""


@dataclass(frozen=True, slots=True)
class Shut:
    """One reason, with what exactly: resources, or the number of a matter."""

    reason: Reason
    detail: str = ""

    @property
    def article(self) -> str:
        """What the reason rests on."""
        return REASONS[self.reason][0]

    @property
    def zh(self) -> str:
        """For people, in Chinese."""
        return REASONS[self.reason][1] + (f"：{self.detail}" if self.detail else "")

    @property
    def en(self) -> str:
        """For people, in English."""
        return REASONS[self.reason][2] + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate answers."""

    gate: Gate
    reasons: tuple[Shut, ...]

    @property
    def passed(self) -> bool:
        """PASS."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Facts:
    """What a gate looks at, of one project.

    Attributes:
        unit: the agency.
        year: the budget year that money is asked for.
        needs: how many sharing needs it states.
        resources: codes of the resources that it will supply.
        interconnected: the result of the test with others; None before there is one.
    """

    unit: str
    year: int
    needs: int
    resources: tuple[str, ...]
    interconnected: bool | None = None


def facts_of(project: Matter) -> Facts:
    """The facts of a project as it was filed last."""
    form: dict[str, Any] = dict(project.facts.get("amend") or project.facts.get("file") or project.facts["take_over"])
    tested = project.fact("accept", "interconnected")
    return Facts(
        unit=project.parties.unit or "",
        year=int(project.fact("fund", "year") or form["budget_year"]),
        needs=len(form["needs"]),
        resources=tuple(form["supplies"]),
        interconnected=tested,
    )


def judge(gate: Gate, facts: Facts, view: RegisterView, others: Matters, at: datetime) -> Judgement:
    """What a gate answers; every reason at once.

    Args:
        gate: which.
        facts: of the project.
        view: the register's models.
        others: its matters.
        at: now, for what is in force.
    """
    if gate is Gate.REVIEW:
        found = [*_needs(facts), *_sanction(facts, others)]
    elif gate is Gate.ACCEPTANCE:
        found = [*_needs(facts), *_submitted(facts, view, others), *_connected(facts, view), *_tested(facts)]
    else:
        found = [
            *_sanction(facts, others),
            *_connected(facts, view),
            *_in_force(facts, view, at),
            *_exchanges(facts, others),
        ]
    return Judgement(gate, tuple(found))


def _needs(facts: Facts) -> list[Shut]:
    return [] if facts.needs else [Shut(Reason.NO_SHARING_NEED)]


def _sanction(facts: Facts, others: Matters) -> list[Shut]:
    refused = sanctioned(others, facts.unit, facts.year)
    return [] if refused is None else [Shut(Reason.SANCTIONED, refused.detail)]


def _submitted(facts: Facts, view: RegisterView, others: Matters) -> list[Shut]:
    """A resource counts as submitted from the agency's sub-catalogue on, or when it stands in the catalogue."""
    known = {entry.resource for entry in view.entries()}
    for matter in others.matters("sub_catalogue", states=("SUBMITTED", "CONSOLIDATED"), unit=facts.unit):
        drawn = matter.fact("resubmit", "entries") or matter.fact("submit", "entries") or ()
        known |= {entry["resource"] for entry in drawn}
    missing = [code for code in facts.resources if code not in known]
    if not facts.resources:
        return [Shut(Reason.NO_CATALOGUE, "the project names no resource")]
    return [Shut(Reason.NO_CATALOGUE, ", ".join(missing))] if missing else []


def _connected(facts: Facts, view: RegisterView) -> list[Shut]:
    agency = view.agency(facts.unit)
    return [] if agency is not None and agency.onboarded else [Shut(Reason.NOT_CONNECTED)]


def _tested(facts: Facts) -> list[Shut]:
    return [] if facts.interconnected else [Shut(Reason.NOT_INTERCONNECTED)]


def _in_force(facts: Facts, view: RegisterView, at: datetime) -> list[Shut]:
    missing = [code for code in facts.resources if isinstance(in_force(view.entry(code), at), Refused)]
    return [Shut(Reason.NOT_IN_FORCE, ", ".join(missing))] if missing else []


def _exchanges(facts: Facts, others: Matters) -> list[Shut]:
    found = others.matters("legacy_exchange", states=("REGISTERED",), unit=facts.unit)
    return [Shut(Reason.EXCHANGE_WITHOUT_PLAN, matter.number) for matter in found]
