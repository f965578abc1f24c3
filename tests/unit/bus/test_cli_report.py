"""`bus report …`: each list in each form, over the register's own database."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bus.register.figures_workbook import write_figures
from bus.register.place import opened
from bus.settings import load
from compliance.figures import Figures, columns
from schemas.errors import UsageError
from tests.command import Command
from tests.procedures import DRILL, with_catalogue
from tests.register import AUTHORITY, NOW, OPERATOR, moved, state_with_register

EXCHANGE = {
    "unit": "psb",
    "counterpart": "aic",
    "name": "=户籍前置机",
    "data": "户籍",
    "direction": "SUPPLIES",
    "manner": "DATABASE",
    "since": "2014-05-01",
}


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A register with four agencies, the lamp entry, a drill and an exchange beside the platform."""
    monkeypatch.setenv("BUS_STATE_DIR", str(state_with_register(tmp_path / "state")))
    monkeypatch.delenv("BUS_REGISTER_URL", raising=False)
    with opened(load()) as register:
        with_catalogue(register)
        moved(register.open("drill", "hold", DRILL, OPERATOR, NOW))
        moved(register.open("legacy_exchange", "register", EXCHANGE, AUTHORITY, NOW))
    return tmp_path


def rows(out: str) -> list[dict[str, object]]:
    found = json.loads(out)["rows"]
    assert isinstance(found, list)
    return found


def test_every_list_is_shown_as_a_table_with_chinese_headings(standing: Path, bus_command: Command) -> None:
    del standing
    for words, heading in (
        (("indicators", "--period", "2026Q3"), "指标名称"),
        (("annual", "--year", "2026"), "参与方式"),
        (("available", "路灯区域", "lamp.area", "--agency", "aic"), "不得要求重复提供"),
        (("coverage",), "未提供原因"),
        (("gaps",), "缺口"),
        (("legacy",), "迁移状态"),
        (("drills",), "距今天数"),
    ):
        ran = bus_command("report", *words)
        assert ran.code == 0, ran.err
        assert heading in ran.out


def test_json_and_csv_and_excel_hold_the_same_rows(standing: Path, bus_command: Command) -> None:
    as_json = rows(bus_command("report", "legacy", "--format", "json").out)
    assert [(row["unit"], row["state"], row["marks"]) for row in as_json] == [("psb", "REGISTERED", [])]
    [_, line] = csv.reader(io.StringIO(bus_command("report", "legacy", "--format", "csv").out))
    assert line[:4] == ["psb", "aic", "'=户籍前置机", "REGISTERED"]
    target = standing / "legacy.xlsx"
    assert bus_command("report", "legacy", "--format", "xlsx", "--out", target).out == f"1 rows: {target}\n"
    sheet = load_workbook(target)["平台外交换"]
    assert [cell.value for cell in sheet[1]][:2] == ["单位", "对方单位"]
    name = sheet.cell(2, 3)
    assert (name.value, name.data_type) == ("=户籍前置机", "s")


def test_figures_are_as_of_a_day_and_of_one_agency(standing: Path, bus_command: Command) -> None:
    del standing
    words = ("report", "drills", "--format", "json", "--as-of")
    before = rows(bus_command(*words, "2026-08-31").out)
    after = rows(bus_command(*words, "2026-09-11").out)
    assert (before[0]["days"], after[0]["days"]) == (None, 22)
    words = ("report", "indicators", "--period", "2026", "--agency", "psb", "--format", "json", "--as-of", "2026-09-30")
    found = {row["indicator"]: row for row in rows(bus_command(*words).out)}
    assert (found["legacy_exchanges"]["value"], found["named_persons"]["score"]) == (0, 0)
    assert found["total"]["agency"] == "psb"


def test_what_the_bus_counted_and_weights_come_from_files(standing: Path, bus_command: Command) -> None:
    facts, weights = standing / "facts.json", standing / "weights.yaml"
    row = {"agency": "psb", "resource": "lamp", "supplied": 4, "refused": {"E_SCHEMA": 1}, "source": "pulse"}
    facts.write_text(json.dumps([row]), encoding="utf-8")
    weights.write_text("weights: {conformance: 1}", encoding="utf-8")
    words = ("report", "indicators", "--period", "2026", "--agency", "psb", "--format", "json")
    [*_, total] = rows(bus_command(*words, "--facts", facts, "--weights", weights).out)
    assert total["score"] == 75
    alive = ("report", "coverage", "--agency", "psb", "--format", "json")
    assert rows(bus_command(*alive, "--facts", facts).out)[0]["lack"] == "NOT_CONNECTED"


def test_what_cannot_be_is_one_sentence_and_exit_code_2(standing: Path, bus_command: Command) -> None:
    for words, told in (
        (("legacy", "--format", "xlsx"), "wants --out"),
        (("annual", "--agency", "nobody"), "no agency nobody"),
        (("indicators", "--period", "soon"), "2026Q3"),
        (("legacy", "--format", "csv", "--out", standing / "none" / "a.csv"), "cannot be written"),
        (("legacy", "--format", "xlsx", "--out", standing / "none" / "a.xlsx"), "cannot be written"),
    ):
        ran = bus_command("report", *words)
        assert ran.code == 2
        assert told in ran.err
        assert "Traceback" not in ran.err


def test_a_cell_that_a_sheet_cannot_hold_is_named_by_its_place(tmp_path: Path) -> None:
    for cell, told in (("x" * 40_000, "longer"), ("a\x00b", "character")):
        table = Figures("t", "表", "t", "51", columns(("a", "甲", "a")), [(cell,)])
        with pytest.raises(UsageError, match=f"row 2 column A: .*{told}"):
            write_figures(tmp_path / "t.xlsx", table)


def test_quality_is_shown_one_way_at_a_time_and_of_agencies_that_there_are(
    standing: Path, bus_command: Command
) -> None:
    del standing
    both = bus_command("report", "quality", "--trend", "--below")
    assert (both.code, both.err) == (2, "error: --trend or --below, not both\n")
    nobody = bus_command("report", "quality", "--agency", "nobody")
    assert (nobody.code, nobody.err) == (2, "error: the register has no agency nobody\n")
