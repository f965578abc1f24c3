"""How long ago the last drill and check of each kind was held, and whether that is too long (Art 49, 53)."""

from datetime import date, datetime, timedelta

from compliance.catalogue import local_date
from compliance.figures import Cell, Figures, columns
from compliance.register.service import Register
from compliance.workflow import Matter
from compliance.workflows.drill import CODE, DrillKind

TARGETS: dict[DrillKind, str] = {
    DrillKind.DISASTER_RECOVERY: "drill",
    DrillKind.RESTORE_TEST: "restore_test",
    DrillKind.SECURITY_CHECK: "security_check",
}
"""The clock of the law profiles that says how often."""

_COLUMNS = columns(
    ("kind", "类别", "kind"),
    ("last", "最近一次", "last"),
    ("result", "结果", "result"),
    ("days", "距今天数", "days since"),
    ("target", "目标天数", "target in days"),
    ("overdue", "超期", "overdue"),
    ("records", "依据记录", "records"),
)


def last_held(register: Register, kind: DrillKind, at: datetime) -> tuple[Matter, date] | None:
    """The last drill or check of a kind, as an instant knows it, and the day it was held on; None where there is none."""
    found: list[tuple[date, str, Matter]] = []
    for now in register.matters(CODE, subject=kind.value):
        matter = register.matter_at(now.number, at)
        if matter is not None and "hold" in matter.facts:
            found.append((date.fromisoformat(matter.fact("hold", "held_on")), matter.number, matter))
    if not found:
        return None
    day, _, matter = max(found, key=lambda each: each[:2])
    return matter, day


def days_since(register: Register, kind: DrillKind, at: datetime) -> int | None:
    """Days since the last one; None where there never was one."""
    last = last_held(register, kind, at)
    return None if last is None else (local_date(at) - last[1]).days


def drills(register: Register, at: datetime) -> Figures:
    """A row for each kind; one that was never held is overdue."""
    rows: list[tuple[Cell, ...]] = []
    for kind, clock in TARGETS.items():
        target = register.law.rule(clock).rule.amount or 0
        last = last_held(register, kind, at)
        if last is None:
            rows.append((kind.value, None, None, None, target, "OVERDUE", ()))
            continue
        matter, day = last
        overdue = "OVERDUE" if local_date(at) - day > timedelta(days=target) else None
        rows.append((kind.value, day, matter.state, (local_date(at) - day).days, target, overdue, (matter.number,)))
    told = {"as_of": at.isoformat()}
    return Figures("drills", "演练与检查", "drills and checks", "49, 53", _COLUMNS, rows, told)
