"""Figures as tables: JSON and CSV say the same, periods have their days, and what is counted is read with its errors."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from compliance.busfacts import BusFacts, facts_of, read_facts
from compliance.figures import Figures, as_csv, as_json, columns, records, text
from compliance.indicator_table import DEFAULT_WEIGHTS, INDICATORS, read_weights
from compliance.period import period
from schemas.errors import BusError, UsageError

TABLE = Figures(
    "test",
    "测试",
    "test",
    "51",
    columns(
        ("agency", "单位", "agency"), ("share", "比例", "share"), ("on", "日期", "day"), ("records", "记录", "records")
    ),
    [("psb", 2 / 3, date(2026, 9, 1), ("A-1", "B-2")), ("=cmd()", None, None, ()), ("甲,\n乙", -1, None, ("@x",))],
    {"period": "2026"},
)


def test_json_names_columns_and_keeps_numbers_days_and_lists() -> None:
    read = json.loads(as_json(TABLE))
    assert read["rows"] == records(TABLE)
    assert read["rows"][0] == {"agency": "psb", "share": 0.6667, "on": "2026-09-01", "records": ["A-1", "B-2"]}
    assert read["columns"][1] == {"code": "share", "zh": "比例", "en": "share"}
    assert read["period"] == "2026"


def test_csv_can_be_read_back_and_no_text_is_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(TABLE))))
    assert rows[0] == ["单位", "比例", "日期", "记录"]
    assert rows[1] == ["psb", "0.6667", "2026-09-01", "A-1; B-2"]
    assert rows[2] == ["'=cmd()", "", "", ""]
    # A negative number is a number, and a text that looks like one is not made of it.
    assert rows[3] == ["甲,\n乙", "-1", "", "'@x"]


def test_a_share_is_told_with_four_digits_at_the_most() -> None:
    assert [text(cell) for cell in (0.5, 1.0, 0.12345, 100.0, 7)] == ["0.5", "1", "0.1235", "100", "7"]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_a_period_has_its_first_and_last_day(name: str, first: date, last: date) -> None:
    found = period(name)
    assert (found.first, found.last) == (first, last)
    assert found.holds(first)
    assert found.holds(last)
    assert not found.holds(date(last.year + 1, 1, 1))


@pytest.mark.parametrize("name", ["", "26", "2026Q5", "2026-13", "2026q1", "0000", "２０２６", "2026-1"])
def test_what_is_no_period_is_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError, match="2026Q3"):
        period(name)


def test_what_the_bus_counted_is_read_and_wrong_rows_are_named_without_their_values(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    row = {"agency": "psb", "resource": "lamp", "supplied": 9, "refused": {"E_SCHEMA": 2}, "source": "pulse"}
    path.write_text(json.dumps([row, {**row, "agency": "aic"}]), encoding="utf-8")
    [mine] = facts_of(read_facts(path), "psb")
    assert (mine.admitted, mine.record) == (7, "bus:psb/lamp: pulse")
    path.write_text(json.dumps([{**row, "supplied": -1, "refused": {"E_NOTHING": 1}}]), encoding="utf-8")
    with pytest.raises(UsageError, match=r"0\.supplied") as told:
        read_facts(path)
    assert "E_NOTHING" not in str(told.value).partition("0.refused")[2].partition(":")[2].partition("'")[0]
    with pytest.raises(UsageError, match="cannot be read"):
        read_facts(tmp_path / "none.json")


def test_more_refused_or_late_than_supplied_cannot_be() -> None:
    with pytest.raises(ValidationError, match="refused"):
        BusFacts(agency="psb", resource="lamp", supplied=1, refused={"E_SCHEMA": 2}, source="pulse")
    with pytest.raises(ValidationError, match="late"):
        BusFacts(agency="psb", resource="lamp", supplied=1, late=2, source="pulse")


def test_weights_are_a_file_of_known_indicators(tmp_path: Path) -> None:
    assert DEFAULT_WEIGHTS.keys() == INDICATORS.keys()
    assert sum(DEFAULT_WEIGHTS.values()) == 100
    path = tmp_path / "weights.yaml"
    path.write_text("weights:\n  leaks: 3\n  answers: 1.5\n", encoding="utf-8")
    assert read_weights(path) == {"leaks": 3, "answers": 1.5}
    for wrong, word in (
        ("weights: {luck: 1}", "no indicator luck"),
        ("weights: {leaks: -1}", "negative"),
        ("a: 1", "weights"),
    ):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(BusError, match=word):
            read_weights(path)
