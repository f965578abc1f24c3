"""The two sheets that offices know, 目录 and 信息项, as columns: what each shows of an entry, and where it goes back to.

A column whose key is empty is derived; it is shown to people and not read. Everything else is read back without loss.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.catalogue import clock, sharing_of
from compliance.entry import CITY, CatalogueEntry, FieldGroup, FieldPolicy, LegalBasis, OwnerRule
from compliance.national import (
    BASIS_LEVELS,
    FORMATS,
    FRESHNESS,
    LEVELS,
    ROUTES,
    SECTIONS,
    SHARING,
    STATES,
    classification,
    data_type,
    provider_codes,
)
from compliance.positions import Path
from compliance.view import RegisterView
from schemas.field import FieldSpec

ENTRIES, ITEMS = "目录", "信息项"
YES, NO = "是", "否"
BY_CATALOGUE, BY_SCHEMA = "目录", "结构"
CITY_WORD = "市级"
_FROM, _UNTIL, _DIVISIONS = "自", "至", "区划"
_CLASS, _CYCLE = "动静态", "更新周期"
_SPECIAL = re.compile(r"[\\;；,，、=＝\n]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
Take = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """What the cells of one row are shown of; `spec` None on the sheet of entries."""

    entry: CatalogueEntry
    view: RegisterView
    schema: str
    spec: FieldSpec | None = None

    @property
    def policy(self) -> FieldPolicy:
        """What the entry says of the item."""
        return self.entry.fields.get(self.item.name, FieldPolicy())

    @property
    def item(self) -> FieldSpec:
        """The item of a row of the second sheet."""
        assert self.spec is not None  # noqa: S101  every row of that sheet has one
        return self.spec


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        heading: in the first row.
        show: the cell's text.
        key: where its content goes within the entry, or within the item's policy; empty for a derived column.
        take: text to content; raises ValueError with a sentence.
    """

    heading: str
    show: Callable[[Row], str]
    key: Path = ()
    take: Take = str


# -- cells that hold more than one thing -------------------------------------------------------------------------


def escaped(text: str) -> str:
    """A text that may stand in a list: what would part it is escaped."""
    return _SPECIAL.sub(lambda found: "\\n" if found.group() == "\n" else f"\\{found.group()}", text)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found.group(1) == "n" else found.group(1), text).strip()


def _parts(text: str, marks: str) -> list[str]:
    """A text parted at any of some marks, where they are not escaped; still escaped, without empty parts."""
    found = re.findall(rf"(?:\\.|[^\\{marks}])+", text, re.DOTALL)
    return [part.strip() for part in found if part.strip()]


def _texts(text: str) -> list[str]:
    return [_unescaped(part) for part in _parts(text, "\n")]


def _codes(text: str) -> list[str]:
    return [_unescaped(part) for part in _parts(text, ",，、")]


def _owner(rule: OwnerRule) -> str:
    """`psb；区划=441300；topic=LAND,WATER；自=…；至=…`."""
    said = [",".join(rule.agencies)]
    if rule.divisions is not None:
        said.append(f"{_DIVISIONS}={','.join(rule.divisions)}")
    if rule.field is not None:
        said.append(f"{rule.field}={','.join(escaped(value) for value in rule.values or ())}")
    if rule.effective_from != OwnerRule.model_fields["effective_from"].default:
        said.append(f"{_FROM}={clock(rule.effective_from)}")
    if rule.effective_until is not None:
        said.append(f"{_UNTIL}={clock(rule.effective_until)}")
    return "；".join(said)


def _owners(text: str) -> list[dict[str, Any]]:
    return [_owner_rule(line) for line in _parts(text, "\n")]


def _owner_rule(line: str) -> dict[str, Any]:
    parts = _parts(line, ";；")
    rule: dict[str, Any] = {"agencies": _codes(parts[0]) if parts else []}
    keys = {_DIVISIONS: "divisions", _FROM: "effective_from", _UNTIL: "effective_until"}
    for part in parts[1:]:
        name, *content = _parts(part, "=＝")
        if len(content) != 1:
            raise ValueError(f"an owner rule is agencies, then {_DIVISIONS}=…, field=values, {_FROM}=…, {_UNTIL}=…")
        key = keys.get(name)
        if (key or "field") in rule:
            raise ValueError("an owner rule says something twice")
        if key == "divisions":
            rule[key] = _codes(content[0])
        elif key is not None:
            rule[key] = _moment(_unescaped(content[0]))
        else:
            rule |= {"field": name, "values": _codes(content[0])}
    return rule


def _group(name: str, group: FieldGroup) -> str:
    """`photo=photo,photo_taken_on；动静态=静态；更新周期=每季度`."""
    said = [f"{name}={','.join(group.fields)}"]
    if group.freshness is not None:
        said.append(f"{_CLASS}={FRESHNESS[group.freshness]}")
    if group.update_frequency is not None:
        said.append(f"{_CYCLE}={escaped(group.update_frequency)}")
    return "；".join(said)


def _groups(text: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in _parts(text, "\n"):
        said = [_parts(part, "=＝") for part in _parts(line, ";；")]
        if any(len(part) != 2 for part in said):  # noqa: PLR2004  a name and what is said of it
            raise ValueError(f"a group is name=fields, then {_CLASS}=…, {_CYCLE}=…")
        (name, fields), *more = said
        keys = [key for key, _ in more]
        if name in found or len(set(keys)) != len(keys) or not {_CLASS, _CYCLE}.issuperset(keys):
            raise ValueError(f"a group is told once, and has {_CLASS} and {_CYCLE} alone, each once")
        group: dict[str, Any] = {"fields": _codes(fields)}
        for key, content in more:
            word = _unescaped(content)
            group |= {"freshness": _word(FRESHNESS)(word)} if key == _CLASS else {"update_frequency": word}
        found[name] = group
    return found


def _word(words: Mapping[Any, str]) -> Take:
    """One of the guide's words, back to the register's own."""
    back = {shown: str(getattr(own, "value", own)) for own, shown in words.items()}

    def take(text: str) -> str:
        if text not in back:
            raise ValueError(f"is none of {'、'.join(back)}")
        return back[text]

    return take


def _truth(text: str) -> bool:
    if text not in (YES, NO):
        raise ValueError(f"is neither {YES} nor {NO}")
    return text == YES


def _moment(text: str) -> str:
    """An instant; a day alone is its first moment in Asia/Shanghai."""
    return f"{text}T00:00:00+08:00" if _DAY.fullmatch(text) else text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is not a whole number")
    return int(text)


def _shown(words: Mapping[Any, str], word: object) -> str:
    return "" if word is None else words[word]


def _yes(value: bool | None) -> str:  # noqa: FBT001  one value to show
    return "" if value is None else YES if value else NO


def _basis(heading: str, key: str, of: Callable[[Row], LegalBasis | None]) -> tuple[Column, ...]:
    """The three columns of a basis: title, article, level."""
    return (
        Column(f"{heading}名称", lambda row: basis.title if (basis := of(row)) else "", (key, "title")),
        Column(f"{heading}条款", lambda row: basis.article if (basis := of(row)) else "", (key, "article")),
        Column(
            f"{heading}层级",
            lambda row: BASIS_LEVELS[basis.level] if (basis := of(row)) else "",
            (key, "level"),
            _word(BASIS_LEVELS),
        ),
    )


# -- the sheets --------------------------------------------------------------------------------------------------

ENTRY_COLUMNS: tuple[Column, ...] = (
    Column("资源编码", lambda row: row.entry.resource, ("resource",)),
    Column("目录版本", lambda row: str(row.entry.version), ("version",), _number),
    Column("信息资源分类", lambda row: classification(row.entry.identifier)),
    Column("信息资源名称", lambda row: row.entry.name, ("name",)),
    Column("信息资源代码", lambda row: row.entry.identifier or "", ("identifier",)),
    Column("信息资源提供方", lambda row: row.entry.responsible_department, ("responsible_department",)),
    Column("信息资源提供方代码", lambda row: "\n".join(provider_codes(row.entry, row.view))),
    Column("责任采集部门规则", lambda row: "\n".join(_owner(rule) for rule in row.entry.owners), ("owners",), _owners),
    Column("信息资源摘要", lambda row: row.entry.content, ("content",)),
    Column("信息资源格式", lambda row: _shown(FORMATS, row.entry.format), ("format",), _word(FORMATS)),
    Column("共享类型", lambda row: SHARING[row.entry.sharing], ("sharing",), _word(SHARING)),
    Column("共享条件", lambda row: row.entry.conditions or "", ("conditions",)),
    Column("共享方式", lambda row: row.entry.scope_and_manner, ("scope_and_manner",)),
    *_basis("依据", "legal_basis", lambda row: row.entry.legal_basis),
    Column("是否向社会开放", lambda row: _yes(row.entry.open), ("open",), _truth),
    Column("开放条件", lambda row: row.entry.open_condition or "", ("open_condition",)),
    Column("更新周期", lambda row: row.entry.update_frequency, ("update_frequency",)),
    Column("动静态分类", lambda row: FRESHNESS[row.entry.freshness], ("freshness",), _word(FRESHNESS)),
    Column("发布日期", lambda row: clock(row.entry.published_at), ("published_at",), _moment),
    Column("共享期限起", lambda row: row.entry.sharing_period.from_.isoformat(), ("sharing_period", "from")),
    Column(
        "共享期限止",
        lambda row: until.isoformat() if (until := row.entry.sharing_period.until) else "",
        ("sharing_period", "until"),
    ),
    Column("信息所在平台", lambda row: row.entry.platform, ("platform",)),
    Column(
        "关联信息系统", lambda row: "\n".join(map(escaped, row.entry.related_systems)), ("related_systems",), _texts
    ),
    Column("关联资源代码", lambda row: "\n".join(row.entry.related), ("related",), _texts),
    Column("基准信息", lambda row: _yes(row.entry.baseline), ("baseline",), _truth),
    Column("涉及行政许可或并联审批", lambda row: _yes(row.entry.licensing_related), ("licensing_related",), _truth),
    Column("数据分级", lambda row: _shown(LEVELS, row.entry.level), ("level",), _word(LEVELS)),
    Column("提供渠道", lambda row: ROUTES[row.entry.source_route], ("source_route",), _word(ROUTES)),
    Column("省级平台提供理由", lambda row: row.entry.route_reason or "", ("route_reason",)),
    Column(
        "目录层级",
        lambda row: CITY_WORD if row.entry.scope == CITY else row.entry.scope,
        ("scope",),
        lambda text: CITY if text == CITY_WORD else text,
    ),
    Column("状态", lambda row: STATES[row.entry.state], ("state",), _word(STATES)),
    Column("分区数", lambda row: str(row.entry.partitions), ("partitions",), _number),
    Column("宽限天数", lambda row: str(row.entry.grace_days), ("grace_days",), _number),
    Column(
        "字段组",
        lambda row: "\n".join(_group(name, group) for name, group in row.entry.field_groups.items()),
        ("field_groups",),
        _groups,
    ),
    Column("结构文件", lambda row: row.schema, ("schema",)),
)

ITEM_COLUMNS: tuple[Column, ...] = (
    Column("资源编码", lambda row: row.entry.resource, ("resource",)),
    Column("目录版本", lambda row: str(row.entry.version), ("version",), _number),
    Column("字段名", lambda row: row.item.name, ("name",)),
    Column("信息项名称", lambda row: row.item.cn),
    Column("数据类型", lambda row: data_type(row.item)),
    Column("安全分区", lambda row: SECTIONS[row.item.section]),
    Column("代码表", lambda row: row.item.code_list or ""),
    Column("基础信息项", lambda row: _yes(bool(row.item.attributes.get("base_item")))),
    Column("共享类型", lambda row: SHARING[sharing_of(row.entry)[row.item.name]], ("sharing",), _word(SHARING)),
    Column(
        "类型来源",
        lambda row: BY_SCHEMA if row.policy.sharing is None else BY_CATALOGUE,
        ("by",),
        _word({BY_SCHEMA: BY_SCHEMA, BY_CATALOGUE: BY_CATALOGUE}),
    ),
    Column("共享条件", lambda row: row.policy.conditions or "", ("conditions",)),
    *_basis("依据", "legal_basis", lambda row: row.policy.legal_basis),
    Column("必填", lambda row: _yes(row.policy.required), ("required",), _truth),
    *_basis("再次采集依据", "repeats_under", lambda row: row.policy.repeats_under),
)


def table(columns: Iterable[Column], rows: Iterable[Row]) -> list[list[str]]:
    """Headings, then one line a row."""
    known = tuple(columns)
    return [[column.heading for column in known], *([column.show(row) for column in known] for row in rows)]
