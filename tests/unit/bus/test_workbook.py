"""Real workbooks: what is exported is imported without difference, and nothing in a file is run or trusted."""

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bus.catalogue.workbook import MAX_BYTES, read_workbook, write_workbook
from compliance.difference import Action, after, check, difference
from compliance.entry import CatalogueEntry, FieldGroup, FieldPolicy
from compliance.proposal import propose
from compliance.registerfile import read_register_file
from compliance.registertext import catalogue_text
from compliance.sheets import ENTRIES, ITEMS
from compliance.view import RegisterView
from schemas.errors import RegisterFileError, UsageError
from schemas.words import FreshnessClass, SharingClass
from tests.builders import RESOURCES
from tests.catalogue import PUBLISHED, agencies, entry, field, file_of, register, schema_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.xlsx"


def written(path: Path, *entries: CatalogueEntry) -> Any:
    """A workbook of some entries, opened for changes."""
    write_workbook(path, register(), entries)
    return load_workbook(path)


def cell(book: Any, title: str, row: int, heading: str) -> Any:
    sheet = book[title]
    heads = [found.value for found in sheet[1]]
    return sheet.cell(row, heads.index(heading) + 1)


def errors(path: Path) -> list[str]:
    with pytest.raises(RegisterFileError) as caught:
        read_workbook(path)
    return str(caught.value).splitlines()


def test_the_whole_catalogue_is_exported_imported_and_nothing_differs(path: Path) -> None:
    """All 26 resources: register → workbook → register file → register."""
    known = [propose(code, PUBLISHED) for code in RESOURCES]
    owners = sorted({agency for one in known for rule in one.owners for agency in rule.agencies})
    view = after(RegisterView(), file_of(*(agencies()[0].model_copy(update={"code": code}) for code in owners), *known))
    assert write_workbook(path, view, known) == (path,)
    read = read_workbook(path)
    assert read.entries == tuple(known)
    back = path.with_name("register.yaml")
    back.write_text(catalogue_text(read.entries, read.schema), encoding="utf-8")
    file = read_register_file(back)
    check(view, file)
    assert [found.action for found in difference(view, file)] == [Action.SAME] * 26


def test_the_sheets_have_the_headings_that_offices_know_and_the_owners_credit_code(path: Path) -> None:
    book = written(path, entry())
    assert book.sheetnames == [ENTRIES, ITEMS]
    heads = [found.value for found in book[ENTRIES][1]]
    for heading in (
        "信息资源分类",
        "信息资源名称",
        "信息资源代码",
        "信息资源提供方",
        "信息资源提供方代码",
        "信息资源摘要",
    ):
        assert heading in heads
    for heading in (
        "信息资源格式",
        "共享类型",
        "共享条件",
        "共享方式",
        "是否向社会开放",
        "更新周期",
        "发布日期",
        "关联资源代码",
    ):
        assert heading in heads
    assert cell(book, ENTRIES, 2, "信息资源提供方代码").value == "11441300007212348P"
    assert [found.value for found in book[ITEMS]["C"]] == ["字段名", "number", "area"]


def test_a_schema_of_ones_own_is_written_beside_the_workbook_and_read_from_there_alone(path: Path) -> None:
    own = entry(schema_text("lamp", field("glow")))
    assert write_workbook(path, register(), [own]) == (path, path.with_name("lamp@1.avsc"))
    read = read_workbook(path)
    assert read.entries == (own,)
    assert read.schema(own) == {"file": "lamp@1.avsc"}
    book = load_workbook(path)
    secret = path.parent.parent / "secret.avsc"
    secret.write_text(own.avro, encoding="utf-8")
    for name in ("../secret.avsc", str(secret), "nothing.avsc", ".."):
        cell(book, ENTRIES, 2, "结构文件").value = name
        book.save(path)
        [error] = errors(path)
        assert "the file cannot be read beside the workbook" in error


def test_a_text_that_begins_like_a_formula_stays_a_text(path: Path) -> None:
    known = entry(name="=1+1", content="+86", platform="@SUM(A1)", related_systems=("-1", "=cmd|' /C calc'!A0"))
    book = written(path, known)
    assert cell(book, ENTRIES, 2, "信息资源名称").data_type == "s"
    assert read_workbook(path).entries == (known,)


def test_groups_of_fields_stand_in_one_cell_and_what_it_cannot_mean_is_named(path: Path) -> None:
    groups = {
        "looks": FieldGroup(fields=("area",), freshness=FreshnessClass.STATIC, update_frequency="每月"),
        "plate": FieldGroup(fields=("number",)),
    }
    book = written(path, entry(field_groups=groups))
    shown = cell(book, ENTRIES, 2, "字段组")
    assert shown.value == "looks=area；动静态=静态；更新周期=每月\nplate=number"
    assert read_workbook(path).entries == (entry(field_groups=groups),)
    for wrong in (
        "looks",
        "looks=area；动静态=慢",
        "looks=area；颜色=红",
        "looks=area\nlooks=number",
        "looks=area；更新周期=每月；更新周期=每月",
        "looks=colour",
        "looks=area\nplate=area",
    ):
        shown.value = wrong
        book.save(path)
        [error] = errors(path)
        assert "(字段组)" in error


def test_a_formula_is_not_run_but_named(path: Path) -> None:
    book = written(path, entry())
    cell(book, ENTRIES, 2, "分区数").value = "=2+2"
    cell(book, ITEMS, 3, "共享条件").value = "=A1"
    book.save(path)
    cell(book, ENTRIES, 2, "数据分级").value = "高"
    book.save(path)
    found = [line for line in errors(path) if "formula" in line]
    assert len(found) == 2
    assert len(errors(path)) == 3, "told together with what else is wrong"
    assert all("holds a formula or an error; write what it shows" in line for line in found)
    assert "目录 row 2 column " in found[0]
    assert "信息项 row 3 column " in found[1]


def test_days_and_numbers_that_a_spreadsheet_made_of_texts_are_read(path: Path) -> None:
    book = written(path, entry())
    cell(book, ENTRIES, 2, "目录版本").value = 1
    cell(book, ENTRIES, 2, "分区数").value = 4.0
    cell(book, ENTRIES, 2, "共享期限起").value = datetime(2026, 1, 1)  # noqa: DTZ001  a sheet knows no time zone
    cell(book, ENTRIES, 2, "发布日期").value = datetime(2026, 1, 1, 8)  # noqa: DTZ001  as above
    for row in (2, 3):
        cell(book, ITEMS, row, "目录版本").value = 1
    book.save(path)
    assert read_workbook(path).entries == (entry(),)


def test_errors_of_both_sheets_are_told_at_once_with_sheet_row_and_column(path: Path) -> None:
    said = {"number": FieldPolicy(sharing=SharingClass.CONDITIONAL)}
    book = written(path, entry(), entry(schema_text("bench"), fields=said))
    cell(book, ENTRIES, 3, "共享类型").value = "随便"
    cell(book, ENTRIES, 2, "关联信息系统").value = None
    cell(book, ITEMS, 4, "共享类型").value = None
    book.save(path)
    assert [line.partition(" (")[0] for line in errors(path)] == [
        "catalogue.xlsx: 目录 row 2 column Y",
        "catalogue.xlsx: 目录 row 3 column K",
        "catalogue.xlsx: 信息项 row 4 column I",
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", "目录,信息项\n".encode(), b"\xd0\xcf\x11\xe0" * 200])
def test_a_file_that_is_no_workbook_is_said_to_be_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert errors(path) == ["catalogue.xlsx: is not an Excel workbook (.xlsx)"]


def test_an_archive_that_is_no_workbook_is_said_to_be_none(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    assert errors(path) == ["catalogue.xlsx: is not an Excel workbook (.xlsx)"]


def test_a_file_that_is_too_large_packed_or_unpacked_is_not_opened(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 270_000_000)
    assert path.stat().st_size < MAX_BYTES
    assert "when unpacked" in errors(path)[0]
    path.write_bytes(b"0" * (MAX_BYTES + 1))
    assert f"larger than {MAX_BYTES} bytes" in errors(path)[0]


def test_a_workbook_that_is_not_there_cannot_be_read(path: Path) -> None:
    assert errors(path) == ["catalogue.xlsx: cannot be read (No such file or directory)"]


def test_what_a_sheet_cannot_hold_is_refused_and_not_lost(path: Path) -> None:
    for text, what in (("a\x07b", "目录 row 2 column D"), ("a\rb", "characters that a sheet does not keep")):
        with pytest.raises(UsageError, match=what) as caught:
            write_workbook(path, register(), [entry(name=text)])
        assert "\x07" not in str(caught.value)


def test_an_entry_that_todays_rules_would_refuse_is_exported_all_the_same(path: Path) -> None:
    old = entry(related_systems=(), conditions=None, update_frequency="经常")
    written(path, old)
    assert read_workbook(path, judge=False).entries == (old,)
    assert len(errors(path)) == 3


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_workbook(tmp_path / "nowhere" / "c.xlsx", register(), [entry()])
