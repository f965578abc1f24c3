"""The catalogue in the national core metadata: complete, in the guide's names and codes."""

import json

import pytest

from compliance.entry import FieldGroup
from compliance.models import DataLevel, ResourceFormat
from compliance.national import (
    CYCLES,
    FORMATS,
    GUIDE,
    SHARING,
    classification,
    core_metadata,
    document,
    ordinal,
)
from compliance.proposal import propose
from schemas.resource import packaged_text, resource_schema
from schemas.words import FreshnessClass, SharingClass
from tests.builders import RESOURCES
from tests.catalogue import PUBLISHED, entry, register

CORE = (
    "信息资源分类",
    "信息资源名称",
    "信息资源代码",
    "信息资源提供方",
    "信息资源提供方代码",
    "信息资源摘要",
    "信息资源格式",
)
CORE = (*CORE, "信息项信息", "共享属性", "开放属性", "更新周期", "发布日期", "关联资源代码")


@pytest.mark.parametrize("code", RESOURCES)
def test_every_proposal_has_the_whole_core_metadata(code: str) -> None:
    known = propose(code, PUBLISHED)
    found = core_metadata(known, register())
    assert tuple(found)[:-1] == CORE
    assert found["信息资源代码"] == known.identifier
    assert found["更新周期"] == ("1" if known.freshness.value == "DYNAMIC" else "5")
    assert found["发布日期"] == "2026-01-01"
    schema = resource_schema(packaged_text(code))
    assert [item["信息项名称"] for item in found["信息项信息"]] == [spec.cn for spec in schema.fields.values()]
    assert all(item["数据类型"] and item["共享类型"] in "123" for item in found["信息项信息"])
    assert json.loads(json.dumps(document(register(), [known]), ensure_ascii=False)) == {"依据": GUIDE, "目录": [found]}


def test_the_guides_codes_count_from_one_in_its_order() -> None:
    assert [ordinal(SHARING, sharing) for sharing in SharingClass] == ["1", "2", "3"]
    assert [ordinal(CYCLES, cycle) for cycle in ("实时", "每季度", "每年", "有空时")] == ["1", "5", "6", ""]
    assert [ordinal(FORMATS, kind) for kind in (*ResourceFormat, None)] == [*"1234567", ""]


def test_the_owners_credit_codes_are_the_providers_codes() -> None:
    assert core_metadata(entry(), register())["信息资源提供方代码"] == ["11441300007212348P"]


def test_what_an_entry_does_not_say_is_empty_and_not_invented() -> None:
    found = core_metadata(entry(), register())
    assert (found["信息资源分类"], found["信息资源代码"], found["信息资源格式"]) == ("", "", "")
    assert found["扩展"]["数据分级"] == ""
    assert core_metadata(entry(level=DataLevel.CORE), register())["扩展"]["数据分级"] == "核心数据"


def test_a_group_of_fields_shows_the_class_and_cycle_that_hold_for_it() -> None:
    own = FieldGroup(fields=("area",), freshness=FreshnessClass.STATIC, update_frequency="每月")
    found = core_metadata(entry(field_groups={"looks": own, "plate": FieldGroup(fields=("number",))}), register())
    assert found["扩展"]["字段组"] == [
        {"名称": "looks", "字段名": ["area"], "动静态分类": "静态", "更新周期": "4"},
        {"名称": "plate", "字段名": ["number"], "动静态分类": "动态", "更新周期": "1"},
    ]


def test_the_classification_is_read_from_the_identifier() -> None:
    assert classification("306013001/000012") == "部门信息资源/06/013/001"
    assert classification("101018/000001") == "基础信息资源/01/018"
    assert classification(None) == ""
