"""Three lists about the catalogue as tables: entries without a producer (Art 36), gaps (39), exchanges beside it (10)."""

from collections.abc import Iterable
from datetime import datetime

from compliance.busfacts import BusFacts
from compliance.coverage import coverage
from compliance.figures import Cell, Figures, columns
from compliance.inclusion import gaps
from compliance.register.service import Register
from compliance.workflows.legacy_exchange import LEGACY_EXCHANGE

_COVERAGE = columns(
    ("agency", "单位", "agency"),
    ("resource", "信息资源", "resource"),
    ("name", "信息资源名称", "name"),
    ("lack", "未提供原因", "lack"),
    ("records", "依据记录", "records"),
)
_GAPS = columns(
    ("resource", "信息资源", "resource"),
    ("name", "信息资源名称", "name"),
    ("agency", "责任单位", "agency"),
    ("gap", "缺口", "gap"),
    ("basis", "依据", "basis"),
    ("article", "条款", "article"),
    ("records", "依据记录", "records"),
)
_LEGACY = columns(
    ("unit", "单位", "agency"),
    ("counterpart", "对方单位", "counterpart"),
    ("name", "名称", "name"),
    ("state", "迁移状态", "state"),
    ("since", "始于", "since"),
    ("until", "计划完成", "planned until"),
    ("marks", "标记", "marks"),
    ("records", "依据记录", "records"),
)


def uncovered(register: Register, at: datetime, facts: Iterable[BusFacts] = (), agency: str | None = None) -> Figures:
    """Entries in force that nobody supplies; who supplied, the bus counted."""
    alive = {(row.agency, row.resource) for row in facts if row.admitted}
    view = register.view(at)
    rows: list[tuple[Cell, ...]] = []
    for line in coverage(view, alive, at):
        if agency not in (None, line.agency):
            continue
        entry = view.entry(line.resource)
        record = (f"catalogue/{entry.key}",) if entry is not None else ()
        rows.append((line.agency, line.resource, line.name, line.lack.value, record))
    told = {"as_of": at.isoformat()}
    return Figures("coverage", "无提供者的目录条目", "entries without a producer", "36", _COVERAGE, rows, told)


def inclusion_gaps(register: Register, at: datetime, agency: str | None = None) -> Figures:
    """What must stand in the catalogue and does not, or stands there as not shared."""
    rows: list[tuple[Cell, ...]] = []
    for missing in gaps(register.view(at), register, at):
        item = missing.item
        if agency not in (None, item.agency):
            continue
        record = (item.matter,) if item.matter is not None else ()
        rows.append(
            (item.resource, item.name, item.agency, missing.gap.value, item.basis.title, item.basis.article, record)
        )
    told = {"as_of": at.isoformat()}
    return Figures("gaps", "应纳入目录而未纳入", "gaps of mandatory inclusion", "39", _GAPS, rows, told)


def legacy(register: Register, at: datetime, agency: str | None = None) -> Figures:
    """The registered exchanges beside the platform, with how far each has moved to it."""
    rows: list[tuple[Cell, ...]] = []
    for now in register.matters(LEGACY_EXCHANGE.code):
        matter = register.matter_at(now.number, at)
        if matter is None or agency not in (None, matter.parties.unit, matter.parties.subject):
            continue
        form = matter.facts["register"]
        until = matter.fact("plan", "until")
        named = (matter.parties.unit, matter.parties.subject, form["name"], matter.state, form["since"], until)
        rows.append((*named, matter.flags, (matter.number,)))
    told = {"as_of": at.isoformat()}
    return Figures("legacy", "平台外交换", "exchanges beside the platform", "10", _LEGACY, rows, told)
