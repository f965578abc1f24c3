"""Why a catalogue entry is turned away: a closed set of codes, each with its article and one sentence.

Errors of what people write, not refusals of what agencies send: those are in `schemas/refusals.py`. A problem names
keys, fields and other entries, never a value that could be a person's.
"""

from dataclasses import dataclass
from enum import StrEnum

from compliance.positions import Path


class EntryCode(StrEnum):
    """The closed set of reasons against a catalogue entry."""

    E_CONTENT_MISSING = "E_CONTENT_MISSING"
    E_CLASS_MISSING = "E_CLASS_MISSING"
    E_BASE_ITEM = "E_BASE_ITEM"
    E_LICENSING = "E_LICENSING"
    E_NO_LEGAL_BASIS = "E_NO_LEGAL_BASIS"
    E_NO_CONDITIONS = "E_NO_CONDITIONS"
    E_FREQUENCY = "E_FREQUENCY"
    E_TWO_GROUPS = "E_TWO_GROUPS"
    E_ROUTE_REASON = "E_ROUTE_REASON"
    E_REPEAT = "E_REPEAT"
    E_REFERENCE = "E_REFERENCE"
    E_TWO_OWNERS = "E_TWO_OWNERS"
    E_OWNER_GAP = "E_OWNER_GAP"
    E_OWNER_TIME = "E_OWNER_TIME"
    E_NO_AGENCY = "E_NO_AGENCY"
    E_NO_FIELD = "E_NO_FIELD"
    E_COUNTY = "E_COUNTY"
    E_IDENTIFIER = "E_IDENTIFIER"
    E_IMMUTABLE = "E_IMMUTABLE"
    E_RETIRED = "E_RETIRED"
    E_VERSION_GAP = "E_VERSION_GAP"
    E_PARTITIONS = "E_PARTITIONS"
    E_SCHEMA = "E_SCHEMA"
    E_INCOMPATIBLE = "E_INCOMPATIBLE"
    E_KEY_CHANGED = "E_KEY_CHANGED"
    E_DEPRECATED = "E_DEPRECATED"
    E_FIELD_IN_USE = "E_FIELD_IN_USE"


@dataclass(frozen=True, slots=True)
class EntryRule:
    """The rule behind a code: article of the regulation and the sentence, in Chinese and English."""

    article: str
    zh: str
    en: str


ENTRY_RULES: dict[EntryCode, EntryRule] = {
    EntryCode.E_CONTENT_MISSING: EntryRule(
        "39", "目录条目缺少必备内容", "the entry lacks one of the contents that every entry must have"
    ),
    EntryCode.E_CLASS_MISSING: EntryRule("4", "信息项没有共享类型", "a field has no sharing class"),
    EntryCode.E_BASE_ITEM: EntryRule("4", "基础信息项必须无条件共享", "a base item must be UNCONDITIONAL"),
    EntryCode.E_LICENSING: EntryRule(
        "4",
        "与行政许可或者并联审批相关的信息必须无条件共享",
        "what belongs to a licence or a parallel approval must be UNCONDITIONAL, with every field",
    ),
    EntryCode.E_NO_LEGAL_BASIS: EntryRule(
        "4",
        "不予共享没有法律、行政法规、党中央国务院政策或者政府规章依据",
        "NOT_SHARED needs a statute, an administrative regulation, a Party or State Council policy or a government rule",
    ),
    EntryCode.E_NO_CONDITIONS: EntryRule(
        "4", "条件共享没有列明共享条件", "CONDITIONAL needs its conditions, the entry's or the field's own"
    ),
    EntryCode.E_FREQUENCY: EntryRule(
        "16",
        "更新频率与动态、静态分类不符",
        "the update frequency contradicts the freshness class: DYNAMIC is 实时, STATIC is 每日, 每周, 每月 or 每季度",
    ),
    EntryCode.E_TWO_GROUPS: EntryRule(
        "16", "同一信息项列入两个字段组", "a field stands in two groups: its update frequency would be two"
    ),
    EntryCode.E_ROUTE_REASON: EntryRule(
        "36",
        "由省级平台提供而没有说明理由",
        "an entry that the province's platform supplies says why the city cannot",
    ),
    EntryCode.E_REPEAT: EntryRule(
        "5, 11",
        "重复采集其他条目已提供的信息项",
        "another entry already supplies the item; what sharing can give is not collected again, unless a law says so",
    ),
    EntryCode.E_REFERENCE: EntryRule(
        "5, 28", "引用项指向不存在的信息项", "a reference copy points to a field that no entry has"
    ),
    EntryCode.E_TWO_OWNERS: EntryRule(
        "5, 11", "同一数据有两个责任采集部门", "two owner rules overlap: one datum would have two sources"
    ),
    EntryCode.E_OWNER_GAP: EntryRule(
        "40", "有数据在一段时间内没有责任采集部门", "a part of the resource would have no owner for a time"
    ),
    EntryCode.E_OWNER_TIME: EntryRule(
        "40",
        "责任采集部门的变更没有统一的生效时间",
        "a change of owner takes effect at one instant, not before its version is published and applied",
    ),
    EntryCode.E_NO_AGENCY: EntryRule("11, 39", "责任采集部门不在单位名册内", "an owner is not a registered agency"),
    EntryCode.E_NO_FIELD: EntryRule("40", "所列信息项不在结构内", "a field is named that the schema lacks"),
    EntryCode.E_COUNTY: EntryRule(
        "41",
        "县(区)目录条目不得改变市级信息项的责任采集部门或者共享类型",
        "a county's entry stays within its county, and changes neither owner nor class of a city's field",
    ),
    EntryCode.E_IDENTIFIER: EntryRule(
        "38", "信息资源代码重复或者变更", "a resource identifier belongs to one resource, for ever"
    ),
    EntryCode.E_IMMUTABLE: EntryRule(
        "39, 40", "已公布的版本不得修改", "a published version never changes; publish the next version"
    ),
    EntryCode.E_RETIRED: EntryRule(
        "39", "已停用的条目不得恢复", "a retired entry stays retired; publish the next version"
    ),
    EntryCode.E_VERSION_GAP: EntryRule(
        "14", "目录版本不连续", "versions follow one another, in number and in time of publication"
    ),
    EntryCode.E_PARTITIONS: EntryRule(
        "40",
        "分区数与其他版本不同",
        "the number of partitions differs from another version's: a topic is never re-partitioned (decisions 17)",
    ),
    EntryCode.E_SCHEMA: EntryRule("38", "结构文件不符合规则", "the schema is not one of this resource"),
    EntryCode.E_INCOMPATIBLE: EntryRule(
        "38, 40",
        "结构与以前的版本不兼容",
        "the schema would break readers or writers of an earlier version: a field keeps its type for ever",
    ),
    EntryCode.E_KEY_CHANGED: EntryRule(
        "15",
        "主体标识或者记录主键与以前的版本不同",
        "what keys subject and record never changes: the same record would be two",
    ),
    EntryCode.E_DEPRECATED: EntryRule(
        "40", "停用的信息项不得仍为必需", "a deprecated field is still asked for, by the entry or by the record's key"
    ),
    EntryCode.E_FIELD_IN_USE: EntryRule(
        "40", "删除的信息项仍在授权范围内", "a field is removed that a live grant delivers; end the grant first"
    ),
}

# The contents of Art 39, freshness and class (Art 4, 16), and what auditors look for (decisions 35).
MANDATED = frozenset(
    {
        "name",
        "content",
        "responsible_department",
        "update_frequency",
        "platform",
        "scope_and_manner",
        "sharing_period",
        "freshness",
        "sharing",
        "owners",
        "related_systems",
        "conditions",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason against an entry.

    Attributes:
        detail: what exactly, naming keys, fields and rules.
        path: the keys that lead to it within the entry, for the line and column or the cell.
    """

    code: EntryCode
    detail: str = ""
    path: Path = ()

    def __str__(self) -> str:
        """`E_BASE_ITEM (Art 4): a base item must be UNCONDITIONAL: sex_code`."""
        return sentence(self.code, self.detail)


def sentence(code: EntryCode, detail: str = "") -> str:
    """Code, article and sentence, with what exactly where there is something to say."""
    rule = ENTRY_RULES[code]
    text = f"{code.value} (Art {rule.article}): {rule.en}"
    return f"{text}: {detail}" if detail else text
