"""The two sheets: everything of an entry goes there and comes back, and every wrong cell is named."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from compliance.catalogue import schema_of
from compliance.entry import CatalogueEntry
from compliance.models import FieldPolicy, LegalBasis, OwnerRule
from compliance.proposal import propose
from compliance.sheetread import Read, letters, read_sheets
from compliance.sheets import ENTRIES, ENTRY_COLUMNS, ITEM_COLUMNS, ITEMS, Row, table
from schemas.errors import RegisterFileError
from tests.builders import RESOURCES
from tests.catalogue import LAW, PUBLISHED, entry, field, register, schema_text
from tests.examples import examples
from tests.strategies import catalogue_entries

Sheets = dict[str, list[list[str]]]


def sheets_of(*entries: CatalogueEntry, schema: str = "a.avsc") -> Sheets:
    """The sheets of some entries, as a workbook holds them."""
    rows = [Row(known, register(), schema) for known in entries]
    items = [
        Row(row.entry, row.view, row.schema, spec) for row in rows for spec in schema_of(row.entry).fields.values()
    ]
    return {ENTRIES: table(ENTRY_COLUMNS, rows), ITEMS: table(ITEM_COLUMNS, items)}


def read(sheets: Sheets, text: str = "", *, judge: bool = True) -> Read:
    return read_sheets("c.xlsx", sheets, lambda _: text or schema_text(), judge=judge)


@pytest.mark.parametrize("code", RESOURCES)
def test_a_proposal_goes_to_the_sheets_and_comes_back_as_it_was(code: str) -> None:
    known = propose(code, PUBLISHED)
    found = read(sheets_of(known, schema="packaged"))
    assert found.entries == (known,)
    assert found.schema(known) == {"packaged": code}


@settings(max_examples=examples(80), deadline=None, suppress_health_check=list(HealthCheck))
@given(catalogue_entries())
def test_any_entry_comes_back_as_it_was(known: CatalogueEntry) -> None:
    found = read(sheets_of(known), known.avro, judge=False)
    assert found.entries == (known,)
    assert found.schema(known) == {"file": "a.avsc"}


def test_several_versions_and_resources_come_back_in_their_order() -> None:
    known = (entry(), entry(version=2), propose("marriage", PUBLISHED))
    sheets = sheets_of(*known[:2])
    other = sheets_of(known[2], schema="packaged")
    for title in (ENTRIES, ITEMS):
        sheets[title] += other[title][1:]
    assert read(sheets).entries == known


def test_columns_may_stand_in_any_order_and_derived_ones_may_be_missing_and_empty_rows_are_passed_over() -> None:
    sheets = sheets_of(entry())
    for title in (ENTRIES, ITEMS):
        sheets[title] = [list(reversed(row)) for row in sheets[title]]
        sheets[title].insert(1, [""] * len(sheets[title][0]))
    at = sheets[ENTRIES][0].index("信息资源提供方代码")
    for row in sheets[ENTRIES]:
        del row[at]
    assert read(sheets).entries == (entry(),)


def test_what_an_office_writes_by_hand_is_understood() -> None:
    sheets = sheets_of(entry())
    put(
        sheets,
        ENTRIES,
        2,
        "责任采集部门规则",
        "psb， aic;区划＝441302、441303；自=2026-07-01\ncivil_affairs;area=东,西",
    )
    put(sheets, ENTRIES, 2, "发布日期", "2026-01-01")
    put(sheets, ITEMS, 2, "类型来源", "")
    [found] = read(sheets, judge=False).entries
    assert found.owners == (
        OwnerRule(agencies=("psb", "aic"), divisions=("441302", "441303"), effective_from="2026-07-01T00:00:00+08:00"),
        OwnerRule(agencies=("civil_affairs",), field="area", values=("东", "西")),
    )
    assert found.published_at.isoformat() == "2025-12-31T16:00:00+00:00"
    assert found.fields == {"number": FieldPolicy(sharing="CONDITIONAL")}


def put(sheets: Sheets, title: str, row: int, heading: str, text: str) -> None:
    """Write one cell; rows count from 1, as in a sheet."""
    sheets[title][row - 1][sheets[title][0].index(heading)] = text


def place(sheets: Sheets, title: str, row: int, heading: str) -> str:
    return f"c.xlsx: {title} row {row} column {letters(sheets[title][0].index(heading))} ({heading}): "


def errors(sheets: Sheets, text: str = "") -> list[str]:
    with pytest.raises(RegisterFileError) as caught:
        read(sheets, text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("title", "heading", "text", "what"),
    [
        (ENTRIES, "共享类型", "随便", "is none of 无条件共享、有条件共享、不予共享"),
        (ENTRIES, "共享类型", "", "E_CLASS_MISSING (Art 4)"),
        (ENTRIES, "信息所在平台", "", "E_CONTENT_MISSING (Art 39)"),
        (ENTRIES, "关联信息系统", "", "E_CONTENT_MISSING (Art 39)"),
        (ENTRIES, "责任采集部门规则", "", "E_CONTENT_MISSING (Art 39)"),
        (ENTRIES, "共享期限起", "", "E_CONTENT_MISSING (Art 39)"),
        (ENTRIES, "共享条件", "无", "E_NO_CONDITIONS (Art 4)"),
        (ENTRIES, "更新周期", "每年", "E_FREQUENCY (Art 16)"),
        (ENTRIES, "动静态分类", "快", "is none of 动态、静态"),
        (ENTRIES, "发布日期", "昨天", "is not an instant with its time zone"),
        (ENTRIES, "共享期限止", "2025-01-01", "until lies before from"),
        (ENTRIES, "信息资源代码", "4/1", "is not a resource identifier"),
        (ENTRIES, "目录层级", "惠城", "is neither CITY nor the six digits of a county"),
        (ENTRIES, "是否向社会开放", "也许", "is neither 是 nor 否"),
        (ENTRIES, "分区数", "四", "is not a whole number"),
        (ENTRIES, "分区数", "0", "greater than or equal to 1"),
        (ENTRIES, "提供渠道", "省级平台", "E_ROUTE_REASON (Art 36)"),
        (ENTRIES, "责任采集部门规则", "PSB", "is not an agency code"),
        (ENTRIES, "责任采集部门规则", "psb;区划", "an owner rule is agencies, then 区划=…"),
        (ENTRIES, "责任采集部门规则", "psb;区划=441300;区划=441302", "says something twice"),
        (ENTRIES, "责任采集部门规则", "psb;colour=red", "E_NO_FIELD (Art 40)"),
        (ENTRIES, "责任采集部门规则", "psb\naic", "E_TWO_OWNERS (Art 5, 11)"),
        (ENTRIES, "依据名称", "某法", "Field required"),
        (ENTRIES, "结构文件", "", "names neither packaged nor a file"),
        (ENTRIES, "结构文件", "packaged", "no schema of the resource travels with the bus"),
        (ENTRIES, "资源编码", "", "says nothing that names an entry"),
        (ITEMS, "资源编码", "bench", "the sheet 目录 has no such entry and version"),
        (ITEMS, "目录版本", "2", "the sheet 目录 has no such entry and version"),
        (ITEMS, "字段名", "", "names no field"),
        (ITEMS, "字段名", "colour", "E_NO_FIELD (Art 40)"),
        (ITEMS, "共享类型", "半开", "is none of 无条件共享、有条件共享、不予共享"),
        (ITEMS, "共享类型", "", "E_CLASS_MISSING (Art 4)"),
        (ITEMS, "共享类型", "不予共享", "E_NO_LEGAL_BASIS (Art 4)"),
        (ITEMS, "信息项名称", "灯的编号", "differs from the schema"),
        (ITEMS, "数据类型", "日期型D", "differs from the schema"),
        (ITEMS, "必填", "看情况", "is neither 是 nor 否"),
        (ITEMS, "依据条款", "3", "Field required"),
        (ITEMS, "依据层级", "口头", "is none of 法律"),
    ],
)
def test_a_wrong_cell_is_named_by_sheet_row_and_column(title: str, heading: str, text: str, what: str) -> None:
    sheets = sheets_of(entry(fields={"number": FieldPolicy(sharing="CONDITIONAL")}))
    put(sheets, title, 2, heading, text)
    found = errors(sheets)
    pattern = re.escape(f"c.xlsx: {title} row 2 column ") + r"[A-Z]+ \(.+?\): "
    told = [line for line in found if what in line]
    assert told, found
    assert re.match(pattern, told[0]), told
    # What several cells say together is told at one of them.
    if not re.search("Field required|no such entry|E_ROUTE|lies before", what):
        assert told[0].startswith(place(sheets, title, 2, heading)), told


def remove(sheets: Sheets, title: str, row: int) -> None:
    del sheets[title][row - 1]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: s.pop(ITEMS), "c.xlsx: 信息项 row 1 column A: the sheet is missing or empty"),
        (lambda s: s.pop(ENTRIES), "c.xlsx: 目录 row 1 column A: the sheet is missing or empty"),
        (lambda s: put(s, ENTRIES, 1, "共享条件", "条件"), "there is no such heading, or it stands twice"),
        (lambda s: put(s, ENTRIES, 1, "共享条件", "条件"), "the heading 共享条件 is missing"),
        (
            lambda s: put(s, ENTRIES, 1, "信息资源提供方代码", "共享条件"),
            "there is no such heading, or it stands twice",
        ),
        (lambda s: s[ENTRIES][1].append("注"), "c.xlsx: 目录 row 2 column "),
        (
            lambda s: s[ENTRIES].append(list(s[ENTRIES][1])),
            "目录 row 3 column A (资源编码): the entry stands in row 2 already",
        ),
        (
            lambda s: s[ITEMS].append(list(s[ITEMS][1])),
            "信息项 row 4 column C (字段名): the field stands in row 2 already",
        ),
        (lambda s: remove(s, ITEMS, 3), "目录 row 2 column A (资源编码): the sheet 信息项 has no row for area"),
    ],
)
def test_a_wrong_shape_is_named_too(change: Callable[[Sheets], Any], what: str) -> None:
    sheets = sheets_of(entry())
    sheets[ENTRIES][0].append("")
    change(sheets)
    assert any(what in line for line in errors(sheets)), errors(sheets)


def test_all_errors_are_told_at_once_in_the_order_of_the_sheets_and_without_what_the_cells_hold() -> None:
    sheets = sheets_of(entry(fields={"area": FieldPolicy(sharing="CONDITIONAL")}))
    put(sheets, ITEMS, 3, "共享类型", "某人甲")
    put(sheets, ENTRIES, 2, "发布日期", "某人乙")
    put(sheets, ENTRIES, 2, "关联信息系统", "")
    put(sheets, ENTRIES, 2, "数据分级", "某人丙")
    found = errors(sheets)
    assert [line.split(" (")[1].split(")")[0] for line in found] == ["发布日期", "数据分级", "共享类型"]
    assert "某人" not in "\n".join(found)


def test_a_cell_that_cannot_be_read_is_told_once() -> None:
    sheets = sheets_of(entry())
    put(sheets, ENTRIES, 2, "共享类型", "随便")
    assert len(errors(sheets)) == 1


def test_a_schema_file_that_is_not_there_is_named() -> None:
    def missing(_: str) -> str:
        raise FileNotFoundError

    with pytest.raises(RegisterFileError, match=r"结构文件\): the file cannot be read beside the workbook"):
        read_sheets("c.xlsx", sheets_of(entry()), missing)


def test_a_law_that_allows_repetition_and_a_basis_stand_beside_their_field() -> None:
    policy = FieldPolicy(sharing="NOT_SHARED", legal_basis=LAW, repeats_under=LegalBasis(title="乙法", article="2"))
    sheets = sheets_of(entry(fields={"area": policy}))
    heads = sheets[ITEMS][0]
    shown = dict(zip(heads, sheets[ITEMS][2], strict=True))
    assert (shown["共享类型"], shown["类型来源"], shown["依据名称"], shown["依据层级"]) == (
        "不予共享",
        "目录",
        "测试法",
        "法律",
    )
    assert (shown["再次采集依据名称"], shown["再次采集依据层级"]) == ("乙法", "其他")


def test_a_row_that_leaves_the_class_to_the_schema_may_not_show_another() -> None:
    sheets = sheets_of(entry(schema_text("lamp", field("glow", sharing="UNCONDITIONAL"))))
    assert dict(zip(sheets[ITEMS][0], sheets[ITEMS][3], strict=True))["类型来源"] == "结构"
    put(sheets, ITEMS, 4, "共享类型", "有条件共享")
    [error] = errors(sheets, schema_text("lamp", field("glow", sharing="UNCONDITIONAL")))
    assert error == place(sheets, ITEMS, 4, "共享类型") + "differs from the schema"


def test_columns_are_lettered_as_in_a_sheet() -> None:
    assert [letters(at) for at in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
