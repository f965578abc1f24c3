"""Indicators 绩效评价指标 (Art 51): four groups for each agency and period, every figure with the records it comes from.

What the bus and the register know is computed; rules and leaks found elsewhere are entered with evidence and count
once the authority confirmed them. Weights are configuration: the numbers here are only where none are given. A figure
without anything to judge has no value and no weight.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from compliance.annual import due_day
from compliance.busfacts import BusFacts, facts_of
from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.figures import Cell, Figures, columns
from compliance.modelfile import read_model, text_of
from compliance.models import Agency, ContactRole
from compliance.period import Period
from compliance.punctual import Kept, punctual
from compliance.register.service import Register
from compliance.workflow import Matter
from compliance.workflows import annual_report, data_case, evidence, incident, outage
from compliance.workflows.evidence import EvidenceKind
from compliance.workflows.incident import IncidentKind
from schemas.errors import UsageError

_THREE = (ContactRole.LEADER, ContactRole.SHARING_OFFICER, ContactRole.TECHNICAL_OFFICER)
_CORRECTION = ("owner_correction", "correction_answer", "case_owner_answer")
_CATALOGUE = ("change_report", "catalogue_update")
_ANSWERS = ("application_answer", "conditional_answer", "supply_confirmed", "conditional_supply", "supply_ordered")
_CONTACTS = ("contact_change_notice",)
_LEAKS = frozenset({IncidentKind.LEAK.value, IncidentKind.STATE_SECRET.value})


class Group(StrEnum):
    """The four groups of Art 51."""

    MECHANISM = "MECHANISM"
    SUPPLY = "SUPPLY"
    USE = "USE"
    DUTIES = "DUTIES"


GROUP_NAMES: dict[Group, tuple[str, str]] = {
    Group.MECHANISM: ("机制建设", "mechanism"),
    Group.SUPPLY: ("采集、核准与提供", "collection, verification and supply"),
    Group.USE: ("使用情况", "use"),
    Group.DUTIES: ("其他共享义务", "other duties"),
}


@dataclass(frozen=True, slots=True)
class Indicator:
    """What one indicator is.

    Attributes:
        weight: where the configuration names none.
        points_each: what each event of a count takes off 100; None where the value is a share.
    """

    code: str
    group: Group
    zh: str
    en: str
    weight: float
    points_each: float | None = None


INDICATORS: dict[str, Indicator] = {
    one.code: one
    for one in (
        Indicator("sharing_rules", Group.MECHANISM, "建立共享规范", "rules of sharing exist", 5),
        Indicator("secrecy_rules", Group.MECHANISM, "建立保密制度", "rules of secrecy exist", 5),
        Indicator("named_persons", Group.MECHANISM, "指定三类责任人并备查", "three persons are named", 10),
        Indicator("contact_notices", Group.MECHANISM, "责任人变更按期告知", "changes told in time", 5),
        Indicator("conformance", Group.SUPPLY, "信息符合技术规范", "changes that conform", 10),
        Indicator("punctuality", Group.SUPPLY, "信息按期更新", "changes in time", 10),
        Indicator("wrong_data", Group.SUPPLY, "经核查确认的错误", "errors that a case confirmed", 10, 10),
        Indicator("catalogue_current", Group.SUPPLY, "按要求编制、更新目录", "catalogue kept current in time", 5),
        Indicator("corrections", Group.SUPPLY, "异议按期核查更正反馈", "objections answered in time", 10),
        Indicator("over_scope", Group.USE, "超越授权范围使用", "attempts beyond the authorisation", 10, 5),
        Indicator("leaks", Group.USE, "泄露国家秘密、商业秘密、个人隐私", "leaks", 10, 50),
        Indicator("answers", Group.DUTIES, "共享申请按期答复和提供", "applications answered and served in time", 5),
        Indicator("annual_report", Group.DUTIES, "按期报送年度报告", "annual report in time", 3),
        Indicator("outage_notices", Group.DUTIES, "不可抗力按期通知", "outages told in time", 2),
    )
}
"""Every indicator, in the order of the article."""


class Weights(Model):
    """The weights of a period, as the authority sets them: by indicator; what is not named does not count."""

    weights: dict[str, float] = Field(min_length=1)


DEFAULT_WEIGHTS: dict[str, float] = {code: one.weight for code, one in INDICATORS.items()}


def read_weights(path: Path) -> dict[str, float]:
    """Weights from a YAML file: `weights:` with a number for each indicator.

    Raises:
        RegisterFileError: with line and column of what is wrong.
        UsageError: an indicator is unknown or its weight negative.
    """
    weights = read_model(text_of(path, path.name), path.name, Weights).weights
    unknown = sorted(weights.keys() - INDICATORS.keys())
    if unknown:
        raise UsageError(f"{path.name}: no indicator {', '.join(unknown)}; there are: {', '.join(INDICATORS)}")
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise UsageError(f"{path.name}: weights are not negative, and one of them at least is not nought")
    return weights


@dataclass(frozen=True, slots=True)
class Value:
    """One indicator of one agency.

    Attributes:
        value: a share from 0 to 1, or a count; None where there was nothing to judge.
        good, total: what the share was computed from.
        records: what it comes from: matters, clocks as `matter#rule`, register keys, counts of the bus.
    """

    indicator: Indicator
    value: float | None
    good: int
    total: int
    records: tuple[str, ...]

    @property
    def score(self) -> float | None:
        """From 0 to 100."""
        if self.value is None:
            return None
        if self.indicator.points_each is None:
            return self.value * 100
        return max(0.0, 100 - self.indicator.points_each * self.value)


def values_of(
    register: Register, agency: Agency, during: Period, at: datetime, facts: Iterable[BusFacts] = ()
) -> tuple[Value, ...]:
    """Every indicator of an agency in a period, as an instant sees it.

    Steps and clocks after that instant are not looked at; `facts` are what the bus counted in the period.
    """
    scene = _Scene(register, agency, during, at, facts_of(facts, agency.code))
    found = {
        "sharing_rules": scene.rule(EvidenceKind.SHARING_RULES),
        "secrecy_rules": scene.rule(EvidenceKind.SECRECY_RULES),
        "named_persons": scene.persons(),
        "contact_notices": scene.clocks(_CONTACTS),
        "conformance": scene.conformance(),
        "punctuality": scene.punctuality(),
        "wrong_data": scene.wrong_data(),
        "catalogue_current": scene.clocks(_CATALOGUE),
        "corrections": scene.clocks(_CORRECTION),
        "over_scope": scene.over_scope(),
        "leaks": scene.leaks(),
        "answers": scene.clocks(_ANSWERS),
        "annual_report": scene.annual_report(),
        "outage_notices": scene.outage_notices(),
    }
    return tuple(_value(INDICATORS[code], *counted) for code, counted in found.items())


_Counted = tuple[int, int, tuple[str, ...]]


def _value(indicator: Indicator, good: int, total: int, records: tuple[str, ...]) -> Value:
    if indicator.points_each is not None:
        return Value(indicator, float(total), good, total, records)
    return Value(indicator, good / total if total else None, good, total, records)


class _Scene:
    """What all indicators of one agency look at: each method answers (good, total, records)."""

    def __init__(
        self, register: Register, agency: Agency, during: Period, at: datetime, facts: Sequence[BusFacts]
    ) -> None:
        self._register, self._agency, self._during, self._at = register, agency, during, at
        self._facts = facts
        self._clocks = register.clocks(running=False, agency=agency.code)

    def rule(self, kind: EvidenceKind) -> _Counted:
        """Whether a confirmed document shows it, that was in force before the period's end."""
        shown = tuple(
            matter.number
            for matter in self._matters(evidence.CODE, subject=kind.value)
            if matter.state == "CONFIRMED" and self._day(matter, "dated") <= self._during.last.isoformat()
        )
        return int(bool(shown)), 1, shown

    def persons(self) -> _Counted:
        named = {contact.role for contact in self._agency.contacts} & set(_THREE)
        return (
            len(named),
            len(_THREE),
            tuple(f"agency/{self._agency.code}#{role.value}" for role in _THREE if role in named),
        )

    def clocks(self, rules: Sequence[str]) -> _Counted:
        found: Kept = punctual(self._clocks, rules, self._during, self._at)
        return len(found.kept), found.total, (*found.kept, *found.missed)

    def conformance(self) -> _Counted:
        rows = [row for row in self._facts if row.supplied]
        return sum(row.admitted for row in rows), sum(row.supplied for row in rows), tuple(row.record for row in rows)

    def punctuality(self) -> _Counted:
        rows = [row for row in self._facts if row.admitted]
        admitted = sum(row.admitted for row in rows)
        return admitted - sum(row.late for row in rows), admitted, tuple(row.record for row in rows)

    def wrong_data(self) -> _Counted:
        """Cases in which the agency, as owner, found that it was wrong, by the day of its answer."""
        wrong = tuple(
            matter.number
            for matter in self._matters(data_case.CODE, provider=True)
            if matter.fact("answer", "outcome") == "CORRECTED" and self._answered(matter.number, "answer")
        )
        return 0, len(wrong), wrong

    def over_scope(self) -> _Counted:
        rows = [row for row in self._facts if row.denied]
        return 0, sum(row.denied for row in rows), tuple(row.record for row in rows)

    def leaks(self) -> _Counted:
        """Incidents in its hands, and leaks that were found elsewhere and confirmed."""
        happened = [
            matter.number
            for matter in self._matters(incident.CODE)
            if matter.parties.subject in _LEAKS and self._happened(matter.fact("report", "occurred_at"))
        ]
        found = [
            matter.number
            for matter in self._matters(evidence.CODE, subject=EvidenceKind.LEAK.value)
            if matter.state == "CONFIRMED"
            and self._during.first.isoformat() <= self._day(matter, "dated") <= self._during.last.isoformat()
        ]
        return 0, len(happened) + len(found), (*happened, *found)

    def annual_report(self) -> _Counted:
        """Each year whose day lies in the period and is over, or is reported already; of mandatory units alone."""
        good, records, years = 0, [], range(self._during.first.year, self._during.last.year + 1)
        for year in years:
            due = due_day(self._register.law, self._register.calendar, year, self._agency.division)
            if self._agency.participation != "MANDATORY" or not self._during.holds(due):
                continue
            subject = annual_report.subject_of(self._agency.code, year)
            reports = [m for m in self._matters(annual_report.CODE, subject=subject) if m.state != "ASKED"]
            if not reports and local_date(self._at) <= due:
                continue
            good += any(f"LATE:{annual_report.CLOCK}" not in matter.flags for matter in reports)
            records.append(reports[0].number if reports else f"{subject}: none")
        return good, len(records), tuple(records)

    def outage_notices(self) -> _Counted:
        told = [matter for matter in self._matters(outage.CODE) if self._during.holds(local_date(matter.opened_at))]
        good = sum(f"LATE:{outage.NOTICE}" not in matter.flags for matter in told)
        return good, len(told), tuple(matter.number for matter in told)

    def _matters(self, workflow: str, *, provider: bool = False, **parties: str) -> list[Matter]:
        """The agency's matters as they stood at the instant."""
        whose = {"provider" if provider else "unit": self._agency.code, **parties}
        now = self._register.matters(workflow, **whose)
        then = (self._register.matter_at(matter.number, self._at) for matter in now)
        return [matter for matter in then if matter is not None]

    def _answered(self, number: str, action: str) -> bool:
        steps = (step for step in self._register.history(number) if step.action == action and step.at <= self._at)
        return any(self._during.holds(local_date(step.at)) for step in steps)

    def _happened(self, instant: str) -> bool:
        return self._during.holds(local_date(datetime.fromisoformat(instant)))

    @staticmethod
    def _day(matter: Matter, key: str) -> str:
        return str(matter.fact("enter", key) or matter.fact("find", key))


_COLUMNS = columns(
    ("agency", "单位", "agency"),
    ("group", "类别", "group"),
    ("indicator", "指标", "indicator"),
    ("name", "指标名称", "name"),
    ("value", "数值", "value"),
    ("good", "合格数", "good"),
    ("total", "总数", "total"),
    ("weight", "权重", "weight"),
    ("score", "得分", "score"),
    ("records", "依据记录", "records"),
)


def indicators(
    register: Register,
    agencies: Iterable[Agency],
    during: Period,
    at: datetime,
    facts: Sequence[BusFacts] = (),
    weights: Mapping[str, float] | None = None,
) -> Figures:
    """The table of indicators: a row for each agency and indicator, then its weighted mean as `total`."""
    chosen = DEFAULT_WEIGHTS if weights is None else weights
    rows: list[tuple[Cell, ...]] = []
    for agency in agencies:
        values = values_of(register, agency, during, at, facts)
        for one in values:
            kind, weight = one.indicator, chosen.get(one.indicator.code, 0)
            rows.append(
                (
                    agency.code,
                    kind.group.value,
                    kind.code,
                    kind.zh,
                    one.value,
                    one.good,
                    one.total,
                    weight,
                    one.score,
                    one.records,
                )
            )
        total = weighted(values, chosen)
        rows.append((agency.code, None, "total", "总分", None, None, None, None, total, ()))
    facts_told = {"period": during.name, "as_of": at.isoformat()}
    return Figures("indicators", "绩效评价指标", "performance indicators", "51", _COLUMNS, rows, facts_told)


def weighted(values: Iterable[Value], weights: Mapping[str, float]) -> float | None:
    """The weighted mean of the scores that there are; None where there are none."""
    judged = [(one.score, weights.get(one.indicator.code, 0)) for one in values if one.score is not None]
    whole = sum(weight for _, weight in judged)
    return sum(score * weight for score, weight in judged) / whole if whole else None
