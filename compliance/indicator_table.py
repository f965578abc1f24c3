"""What the indicators of Article 51 are, group by group, and the weights that an authority sets instead of the given ones."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from compliance.entry import Model
from compliance.modelfile import read_model, text_of
from schemas.errors import UsageError


class Group(StrEnum):
    """The four groups of Art 51."""

    MECHANISM = "MECHANISM"
    SUPPLY = "SUPPLY"
    USE = "USE"
    DUTIES = "DUTIES"


GROUP_NAMES: dict[Group, tuple[str, str]] = {
    Group.MECHANISM: ("机制建设", "mechanism"),
    Group.SUPPLY: ("采集、核准与提供", "collection, verification and supply"),
    Group.USE: ("使用情况", "use"),
    Group.DUTIES: ("其他共享义务", "other duties"),
}


@dataclass(frozen=True, slots=True)
class Indicator:
    """What one indicator is.

    Attributes:
        weight: where the configuration names none.
        points_each: what each event of a count takes off 100; None where the value is a share.
    """

    code: str
    group: Group
    zh: str
    en: str
    weight: float
    points_each: float | None = None


INDICATORS: dict[str, Indicator] = {
    one.code: one
    for one in (
        Indicator("sharing_rules", Group.MECHANISM, "建立共享规范", "rules of sharing exist", 5),
        Indicator("secrecy_rules", Group.MECHANISM, "建立保密制度", "rules of secrecy exist", 5),
        Indicator("named_persons", Group.MECHANISM, "指定三类责任人并备查", "three persons are named", 10),
        Indicator("contact_notices", Group.MECHANISM, "责任人变更按期告知", "changes told in time", 5),
        Indicator("conformance", Group.SUPPLY, "信息符合技术规范", "changes that conform", 10),
        Indicator("punctuality", Group.SUPPLY, "信息按期更新", "changes in time", 10),
        Indicator("wrong_data", Group.SUPPLY, "经核查确认的错误", "errors that a case confirmed", 10, 10),
        Indicator("catalogue_current", Group.SUPPLY, "按要求编制、更新目录", "catalogue kept current in time", 5),
        Indicator("corrections", Group.SUPPLY, "异议按期核查更正反馈", "objections answered in time", 10),
        Indicator("over_scope", Group.USE, "超越授权范围使用", "attempts beyond the authorisation", 10, 5),
        Indicator("leaks", Group.USE, "泄露国家秘密、商业秘密、个人隐私", "leaks", 10, 50),
        Indicator("answers", Group.DUTIES, "共享申请按期答复和提供", "applications answered and served in time", 5),
        Indicator(
            "legacy_exchanges",
            Group.DUTIES,
            "平台外交换已迁移或列入计划",
            "exchanges beside the platform that move to it",
            2,
        ),
        Indicator("annual_report", Group.DUTIES, "按期报送年度报告", "annual report in time", 2),
        Indicator("outage_notices", Group.DUTIES, "不可抗力按期通知", "outages told in time", 1),
    )
}
"""Every indicator, in the order of the article."""


class Weights(Model):
    """The weights of a period, as the authority sets them: by indicator; what is not named does not count."""

    weights: dict[str, float] = Field(min_length=1)


DEFAULT_WEIGHTS: dict[str, float] = {code: one.weight for code, one in INDICATORS.items()}


def read_weights(path: Path) -> dict[str, float]:
    """Weights from a YAML file: `weights:` with a number for each indicator.

    Raises:
        RegisterFileError: with line and column of what is wrong.
        UsageError: an indicator is unknown or its weight negative.
    """
    weights = read_model(text_of(path, path.name), path.name, Weights).weights
    unknown = sorted(weights.keys() - INDICATORS.keys())
    if unknown:
        raise UsageError(f"{path.name}: no indicator {', '.join(unknown)}; there are: {', '.join(INDICATORS)}")
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise UsageError(f"{path.name}: weights are not negative, and one of them at least is not nought")
    return weights
