"""The catalogue in the national core metadata (政务信息资源目录编制指南(试行), 发改高技〔2017〕1272号).

The register keeps words of its own; this page translates them into the guide's names and codes, for other platforms
and for the two sheets that offices know. What Art 16 and 39 and decisions 35 want beyond the guide stands beside it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.catalogue import local_date, required_fields, schema_of, sharing_of
from compliance.entry import CatalogueEntry, DataLevel, ResourceFormat
from compliance.view import RegisterView
from schemas.field import FieldSpec
from schemas.words import FreshnessClass, SharingClass

GUIDE = "政务信息资源目录编制指南(试行) 发改高技〔2017〕1272号"
CLASSES = {"1": "基础信息资源", "2": "主题信息资源", "3": "部门信息资源"}
SHARING = {
    SharingClass.UNCONDITIONAL: "无条件共享",
    SharingClass.CONDITIONAL: "有条件共享",
    SharingClass.NOT_SHARED: "不予共享",
}
CYCLES = ("实时", "每日", "每周", "每月", "每季度", "每年")
FORMATS = {
    ResourceFormat.FILE: "电子文件",
    ResourceFormat.SPREADSHEET: "电子表格",
    ResourceFormat.DATABASE: "数据库",
    ResourceFormat.GRAPHICS: "图形图像",
    ResourceFormat.STREAM: "流媒体",
    ResourceFormat.SELF_DESCRIBED: "自描述格式",
    ResourceFormat.SERVICE: "服务接口",
}
FRESHNESS = {FreshnessClass.DYNAMIC: "动态", FreshnessClass.STATIC: "静态"}
LEVELS = {DataLevel.GENERAL: "一般数据", DataLevel.IMPORTANT: "重要数据", DataLevel.CORE: "核心数据"}
BASIS_LEVELS = {
    "LAW": "法律",
    "ADMINISTRATIVE_REGULATION": "行政法规",
    "PARTY_STATE_COUNCIL_POLICY": "党中央、国务院政策",
    "GOVERNMENT_RULE": "政府规章",
    "OTHER": "其他",
}
ROUTES = {"CITY": "市级单位", "PROVINCIAL": "省级平台"}
STATES = {"PUBLISHED": "已公布", "RETIRED": "已停用"}
SECTIONS = {"open": "一般", "identity": "身份标识", "restricted": "敏感"}
DATA_TYPES = {
    "string": "字符型C",
    "int": "整型I",
    "long": "整型I",
    "float": "浮点型F",
    "double": "双精度型B",
    "decimal": "数值型N",
    "date": "日期型D",
    "timestamp": "日期时间型T",
    "boolean": "逻辑型L",
    "bytes": "通用型G",
}


def ordinal(words: Iterable[object], word: object) -> str:
    """The guide's code of a word: its place in the guide's own order, from 1; empty for a word that it lacks."""
    known = list(words)
    return str(known.index(word) + 1) if word in known else ""


def classification(identifier: str | None) -> str:
    """信息资源分类, from the classification code that an identifier begins with; empty where there is none."""
    if identifier is None:
        return ""
    code = identifier.partition("/")[0]
    parts = [CLASSES.get(code[0], code[0]), code[1:3], code[3:6], code[6:]]
    return "/".join(part for part in parts if part)


def data_type(spec: FieldSpec) -> str:
    """数据类型 of an item, in the guide's letters."""
    return DATA_TYPES.get(spec.value_type, "通用型G")


def provider_codes(entry: CatalogueEntry, view: RegisterView) -> tuple[str, ...]:
    """信息资源提供方代码: the credit codes of the owners that the register knows."""
    codes = dict.fromkeys(code for rule in entry.owners for code in rule.agencies)
    known = (view.agency(code) for code in codes)
    return tuple(agency.credit_code for agency in known if agency is not None)


def core_metadata(entry: CatalogueEntry, view: RegisterView) -> dict[str, Any]:
    """One entry in the guide's names and codes; what the guide does not know of stands under 扩展.

    Args:
        entry: one version.
        view: the register, for the owners' credit codes.
    """
    classes = sharing_of(entry)
    return {
        "信息资源分类": classification(entry.identifier),
        "信息资源名称": entry.name,
        "信息资源代码": entry.identifier or "",
        "信息资源提供方": entry.responsible_department,
        "信息资源提供方代码": list(provider_codes(entry, view)),
        "信息资源摘要": entry.content,
        "信息资源格式": ordinal(FORMATS, entry.format),
        "信息项信息": [_item(entry, spec, classes[name]) for name, spec in schema_of(entry).fields.items()],
        "共享属性": {
            "共享类型": ordinal(SHARING, entry.sharing),
            "共享条件": entry.conditions or "",
            "共享方式": entry.scope_and_manner,
        },
        "开放属性": {"是否向社会开放": "1" if entry.open else "0", "开放条件": entry.open_condition or ""},
        "更新周期": ordinal(CYCLES, entry.update_frequency),
        "发布日期": local_date(entry.published_at).isoformat(),
        "关联资源代码": list(entry.related),
        "扩展": {
            "资源编码": entry.resource,
            "目录版本": entry.version,
            "动静态分类": FRESHNESS[entry.freshness],
            "信息所在平台": entry.platform,
            "关联信息系统": list(entry.related_systems),
            "共享期限起": entry.sharing_period.from_.isoformat(),
            "共享期限止": entry.sharing_period.until.isoformat() if entry.sharing_period.until else "",
            "基准信息": entry.baseline,
            "涉及行政许可或并联审批": entry.licensing_related,
            "数据分级": LEVELS[entry.level] if entry.level else "",
            "提供渠道": ROUTES[entry.source_route],
            "目录层级": entry.scope,
            "状态": STATES[entry.state],
            "字段组": [
                {
                    "名称": name,
                    "字段名": list(group.fields),
                    "动静态分类": FRESHNESS[group.freshness or entry.freshness],
                    "更新周期": ordinal(CYCLES, group.update_frequency or entry.update_frequency),
                }
                for name, group in entry.field_groups.items()
            ],
        },
    }


def _item(entry: CatalogueEntry, spec: FieldSpec, sharing: SharingClass) -> dict[str, Any]:
    policy = entry.fields.get(spec.name)
    return {
        "信息项名称": spec.cn,
        "数据类型": data_type(spec),
        "字段名": spec.name,
        "共享类型": ordinal(SHARING, sharing),
        "共享条件": (policy.conditions if policy else None) or "",
        "必填": spec.name in required_fields(entry),
        "代码表": spec.code_list or "",
        "安全分区": SECTIONS[spec.section],
    }


def document(view: RegisterView, entries: Iterable[CatalogueEntry]) -> Mapping[str, Any]:
    """A whole catalogue for other platforms: the guide's name, and the entries."""
    return {"依据": GUIDE, "目录": [core_metadata(entry, view) for entry in entries]}
