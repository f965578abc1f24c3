"""The code lists: dated, with source, and what they contain on which day."""

import re
from datetime import date
from itertools import pairwise

import pytest

from schemas.codelists import load, names, parse
from schemas.errors import SchemaError, UsageError

TODAY = date(2026, 6, 1)
HEAD = "# list: x\n# standard: own\n# title: 表\n# version: 1\n# source: here\n"
COLUMNS = "code,name,kind,valid_from,valid_until,verified,note\n"


@pytest.mark.parametrize("name", names())
def test_every_list_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    codes = load(name)
    assert codes.version
    assert codes.source
    assert codes.title
    assert codes.standard
    assert len(codes) >= 2
    for row in codes.rows:
        assert row.valid_from <= row.valid_until, row.code
        assert re.fullmatch(r"[A-Za-z0-9_]+", row.code, re.ASCII), row.code


@pytest.mark.parametrize("name", names())
def test_the_periods_of_one_code_do_not_overlap(name: str) -> None:
    periods: dict[str, list[tuple[date, date]]] = {}
    for row in load(name).rows:
        periods.setdefault(row.code, []).append((row.valid_from, row.valid_until))
    for code, spans in periods.items():
        ordered = sorted(spans)
        assert all(first[1] < second[0] for first, second in pairwise(ordered)), code


def test_huizhous_counties_of_today_are_known_and_the_former_ones_only_in_their_time() -> None:
    divisions = load("gbt2260_division")
    for code, name in {
        "441300": "惠州市",
        "441302": "惠城区",
        "441303": "惠阳区",
        "441322": "博罗县",
        "441323": "惠东县",
        "441324": "龙门县",
    }.items():
        assert divisions.contains(code, TODAY)
        assert divisions.name_of(code) == name
    assert divisions.contains("441381", date(2000, 1, 1))
    assert not divisions.contains("441381", TODAY)
    assert divisions.contains("441381")
    assert not divisions.contains("441302", date(1980, 1, 1))
    assert not divisions.contains("441305")


def test_every_province_and_every_prefecture_of_guangdong_is_listed() -> None:
    rows = load("gbt2260_division").rows
    assert len({row.code for row in rows if row.kind == "province"}) == 34
    assert load("gbt2260_division").name_of("710000") == "台湾省"
    today = {row.code for row in rows if row.kind == "prefecture" and row.valid_from <= TODAY <= row.valid_until}
    assert len(today) == 21
    assert {code[:2] for code in today} == {"44"}


def test_townships_are_accepted_under_a_known_county_only() -> None:
    divisions = load("gbt2260_division")
    assert divisions.contains("441302003", TODAY)
    assert divisions.contains("441302003004", TODAY)
    assert divisions.name_of("441302003") == "惠城区"
    for code in ("441305003", "44130200", "4413020030", "44130200X", "441302００３", ""):
        assert not divisions.contains(code, TODAY), code
        assert divisions.name_of(code) is None


def test_the_zones_without_a_code_have_one_of_ours_and_are_marked() -> None:
    zones = [row for row in load("gbt2260_division").rows if row.kind == "extension"]
    assert {row.code for row in zones} == {"441396", "441397"}
    assert all("own code" in row.note and not row.verified for row in zones)


def test_sex_and_ethnicity_are_the_standards() -> None:
    assert set(load("gbt2261_1_sex")) == {"0", "1", "2", "9"}
    ethnicity = load("gbt3304_ethnicity")
    assert set(ethnicity) == {f"{number:02d}" for number in range(1, 57)} | {"97", "98"}
    assert ethnicity.name_of("56") == "基诺族"
    assert {row.code for row in ethnicity.rows if not row.verified} == {"97", "98"}


def test_an_industry_is_a_letter_and_up_to_four_digits_of_a_known_division() -> None:
    industries = load("gbt4754_industry")
    assert {code for code in industries if len(code) == 1} == set("ABCDEFGHIJKLMNOPQRST")
    for code in ("I", "I65", "I651", "I6510"):
        assert industries.contains(code, TODAY), code
    for code in ("U", "I99", "A65", "I65100", "6510", "I65A"):
        assert not industries.contains(code, TODAY), code
    divisions = sorted(code[1:] for code in industries if len(code) == 3)
    assert divisions == [f"{number:02d}" for number in range(1, 98)]


def test_an_unknown_list_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="gbt2260_division"):
        load("../errors")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (COLUMNS, "its head lacks"),
        (HEAD.replace("list: x", "list: y") + COLUMNS, "its own name"),
        (HEAD + "code,name\n1,a\n", "columns"),
        (HEAD + COLUMNS + "1,a,,,,maybe,\n", "line 7.*verified"),
        (HEAD + COLUMNS + "1,a,,2026-13-01,,yes,\n", "line 7"),
        (HEAD + COLUMNS + "1,a,,,,yes,\n,b,,,,yes,\n", "line 8.*empty"),
    ],
)
def test_a_file_that_breaks_its_own_rules_is_refused_with_the_line(text: str, why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        parse("x", text)


def test_a_list_is_read_once() -> None:
    assert load("currency") is load("currency")
    assert load("currency").contains("CNY", TODAY)
    assert "17 codes" in repr(load("currency"))
