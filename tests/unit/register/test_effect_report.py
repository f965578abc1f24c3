"""Use files: records of use and effect beside each grant, inspected, and kept for three years (2025:27, 29)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.register.service import Register
from compliance.workflow import Matter
from schemas.refusals import RefusalCode
from tests.register import NOW, SUPERVISION, both, moved, refused, sqlite_register
from tests.sharing import ASKER, OWNER, active, child, found, state

RECORD = {
    "period_from": "2026-09-01",
    "period_until": "2026-09-30",
    "scenario": "低保审核",
    "process": "逐户比对",
    "storage": "政务云",
    "destruction": "用后即删",
    "subjects": 120,
}
EFFECT = {"period_from": "2026-09-01", "period_until": "2026-09-30", "effect": "少交材料", "materials_saved": 120}
INSPECTION = {"inspected_on": "2026-09-10", "finding": "正常", "document": "检查1号"}
GONE = {"disposed_on": "2029-09-02", "document": "销毁1号"}


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    """A register under both laws: the records' time is the State Council's."""
    with sqlite_register(tmp_path, both()) as made:
        yield found(made)


def _file(register: Register) -> tuple[Matter, Matter]:
    _, grant = active(register, "area")
    return grant, child(register, grant.number, "effect_report")


def test_uses_and_effects_are_recorded_by_the_subscriber(register: Register) -> None:
    _, file = _file(register)
    refused(register.act(file.number, "record_use", RECORD, OWNER, NOW), RefusalCode.E_ROLE)
    moved(register.act(file.number, "record_use", RECORD, ASKER, NOW), "OPEN")
    moved(register.act(file.number, "report_effect", EFFECT, ASKER, NOW), "OPEN")
    backwards = {**RECORD, "period_until": "2026-08-01"}
    refused(register.act(file.number, "record_use", backwards, ASKER, NOW), RefusalCode.E_FORM)
    assert [step.action for step in register.history(file.number)] == ["open", "record_use", "report_effect"]


def test_an_inspection_that_finds_over_scope_use_suspends_the_grant(register: Register) -> None:
    grant, file = _file(register)
    moved(register.act(file.number, "inspect", INSPECTION, SUPERVISION, NOW), "OPEN")
    assert state(register, grant.number) == "ACTIVE"
    over = {**INSPECTION, "over_scope": True}
    done = moved(register.act(file.number, "inspect", over, OWNER, NOW), "OPEN")
    assert done.matter.flags == ("OVER_SCOPE",)
    assert state(register, grant.number) == "SUSPENDED"
    moved(register.act(file.number, "inspect", over, OWNER, NOW), "OPEN")


def test_the_records_are_kept_three_years_after_the_last_use(register: Register) -> None:
    grant, file = _file(register)
    refused(register.act(file.number, "dispose_records", GONE, ASKER, NOW), RefusalCode.E_STATE)
    moved(register.act(grant.number, "end", {"reason": "用途已实现"}, ASKER, NOW), "ENDED")
    assert state(register, file.number) == "KEPT"
    moved(register.act(file.number, "report_effect", EFFECT, ASKER, NOW), "KEPT")
    last_day = datetime(2029, 9, 1, 15, 59, tzinfo=UTC)
    no = refused(register.act(file.number, "dispose_records", GONE, ASKER, last_day), RefusalCode.E_STATE)
    assert "2029-09-01" in no.detail
    after = datetime(2029, 9, 1, 16, 0, tzinfo=UTC)
    moved(register.act(file.number, "dispose_records", GONE, ASKER, after), "CLOSED")
