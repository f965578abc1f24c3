"""Indicators 绩效评价指标 (Art 51): four groups for each agency and period, every figure with the records it comes from.

What the bus and the register know is computed; rules and leaks found elsewhere are entered with evidence and count
once the authority confirmed them. Weights are configuration: the numbers here are only where none are given. A figure
without anything to judge has no value and no weight.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.annual import due_day
from compliance.busfacts import BusFacts, facts_of
from compliance.catalogue import local_date
from compliance.figures import Cell, Figures, columns
from compliance.indicator_table import DEFAULT_WEIGHTS, INDICATORS, Indicator
from compliance.models import NAMED_PERSONS, Agency
from compliance.period import Period
from compliance.punctual import Kept, punctual
from compliance.register.rows import Step
from compliance.register.service import Register
from compliance.workflow import Matter
from compliance.workflows import (
    annual_report,
    change_notice,
    contact_change,
    data_case,
    effect_report,
    evidence,
    incident,
    outage,
)
from compliance.workflows.change_notice import CHANGE_NOTICE
from compliance.workflows.contact_change import CONTACT_CHANGE
from compliance.workflows.evidence import EvidenceKind
from compliance.workflows.incident import IncidentKind
from compliance.workflows.legacy_exchange import LEGACY_EXCHANGE, UNPLANNED

_CORRECTION = ("owner_correction", "correction_answer", "case_owner_answer")
_CATALOGUE = ("catalogue_update",)
_ANSWERS = ("application_answer", "conditional_answer", "supply_confirmed", "conditional_supply", "supply_ordered")
_LEAKS = frozenset({IncidentKind.LEAK.value, IncidentKind.STATE_SECRET.value})


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
        "contact_notices": scene.notices(CONTACT_CHANGE.code, contact_change.CLOCK),
        "conformance": scene.conformance(),
        "punctuality": scene.punctuality(),
        "wrong_data": scene.wrong_data(),
        "catalogue_current": scene.catalogue_current(),
        "corrections": scene.clocks(_CORRECTION),
        "over_scope": scene.over_scope(),
        "leaks": scene.leaks(),
        "answers": scene.clocks(_ANSWERS),
        "legacy_exchanges": scene.legacy_exchanges(),
        "annual_report": scene.annual_report(),
        "outage_notices": scene.notices(outage.CODE, outage.NOTICE),
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
        """The three of Art 10; a role that is vacant counts as nobody's."""
        named = {contact.role for contact in self._agency.contacts if contact.vacant_since is None}
        filled = tuple(f"agency/{self._agency.code}#{role.value}" for role in NAMED_PERSONS if role in named)
        return len(filled), len(NAMED_PERSONS), filled

    def clocks(self, rules: Sequence[str]) -> _Counted:
        found: Kept = punctual(self._clocks, rules, self._during, self._at)
        return len(found.kept), found.total, (*found.kept, *found.missed)

    def conformance(self) -> _Counted:
        rows = [row for row in self._facts if row.supplied]
        return sum(row.admitted for row in rows), sum(row.supplied for row in rows), tuple(row.record for row in rows)

    def punctuality(self) -> _Counted:
        """Of what had a time to keep: corrections, withdrawals and initial loads have none."""
        rows = [row for row in self._facts if row.due]
        due = sum(row.due for row in rows)
        return due - sum(row.late for row in rows), due, tuple(row.record for row in rows)

    def wrong_data(self) -> _Counted:
        """Cases in which the agency, as owner, found that it was wrong, by the day of its answer or correcting event."""
        wrong = tuple(
            matter.number
            for matter in self._matters(data_case.CODE, "provider")
            if any(
                step.action == "see_corrected"
                or (step.action == "answer" and matter.fact("answer", "outcome") == "CORRECTED")
                for step in self._steps(matter.number)
            )
        )
        return 0, len(wrong), wrong

    def over_scope(self) -> _Counted:
        """What the bus refused, and uses that an inspection of the agency's use files found beyond the grant."""
        rows = [row for row in self._facts if row.denied]
        found = [
            matter.number
            for matter in self._matters(effect_report.EFFECT_REPORT.code, "requester")
            if any(effect_report.OVER_SCOPE in step.flags for step in self._steps(matter.number))
        ]
        return 0, sum(row.denied for row in rows) + len(found), (*(row.record for row in rows), *found)

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

    def legacy_exchanges(self) -> _Counted:
        """Exchanges beside the platform as they stand: one that is only registered has no plan yet (Art 10)."""
        known = self._matters(LEGACY_EXCHANGE.code)
        good = sum(matter.state not in UNPLANNED for matter in known)
        return good, len(known), tuple(matter.number for matter in known)

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

    def notices(self, workflow: str, clock: str) -> _Counted:
        """Notices of the period, and how many came in time: what is told begins before anybody can start a clock."""
        told = [matter for matter in self._matters(workflow) if self._during.holds(local_date(matter.opened_at))]
        good = sum(f"LATE:{clock}" not in matter.flags for matter in told)
        return good, len(told), tuple(matter.number for matter in told)

    def catalogue_current(self) -> _Counted:
        """Changes reported in time (Art 14), and the updates that the agency itself owed (2025:17)."""
        reports = self.notices(CHANGE_NOTICE.code, change_notice.REPORT_CLOCK)
        updates = self.clocks(_CATALOGUE)
        return reports[0] + updates[0], reports[1] + updates[1], (*reports[2], *updates[2])

    def _matters(self, workflow: str, party: str = "unit", **parties: str) -> list[Matter]:
        """The agency's matters as they stood at the instant."""
        now = self._register.matters(workflow, **{party: self._agency.code}, **parties)
        then = (self._register.matter_at(matter.number, self._at) for matter in now)
        return [matter for matter in then if matter is not None]

    def _steps(self, number: str) -> list[Step]:
        """The steps of a matter that were taken in the period, as far as the instant knows them."""
        steps = self._register.history(number)
        return [step for step in steps if step.at <= self._at and self._during.holds(local_date(step.at))]

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
