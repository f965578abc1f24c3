"""Alarms as values: the closed table of what can be wrong with a source, and when one is raised and cleared.

Each code says under which article, how bad, whose it is, in a sentence for people, and what to do; the page with the
steps is `docs/freshness.md`, one heading a code. An alarm holds agency, resource and times, never an identity.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from processors.freshness.words import Key

OPERATOR = "operator"
RUNBOOK = "docs/freshness.md"
_IDS = uuid.UUID("0c8f2f0a-94f3-5c2b-8a4e-3a51b7d92f60")


class AlarmCode(StrEnum):
    """What can be wrong with a source."""

    SILENT = "SILENT"
    SOURCE_LAG = "SOURCE_LAG"
    BUS_LAG = "BUS_LAG"
    DELIVERY_LAG = "DELIVERY_LAG"
    CLOCK_SKEW = "CLOCK_SKEW"
    STATIC_OVERDUE = "STATIC_OVERDUE"
    STATIC_LATE = "STATIC_LATE"
    DECLARATION_CONTRADICTED = "DECLARATION_CONTRADICTED"
    REFUSED_SHARE = "REFUSED_SHARE"


class Severity(StrEnum):
    """NOTICE: to be known; WARNING: to be mended; URGENT: a duty is broken or data stand still."""

    NOTICE = "NOTICE"
    WARNING = "WARNING"
    URGENT = "URGENT"


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One row of the table.

    Attributes:
        owner: AGENCY, the agency that supplies; OPERATOR, whoever runs the bus.
        duty: whether it says that an agency breaks a duty of the regulation, which before its day only advises.
    """

    article: str
    severity: Severity
    owner: Literal["AGENCY", "OPERATOR"]
    duty: bool
    sentence_zh: str
    sentence_en: str
    todo_zh: str
    todo_en: str


_ROWS: Mapping[AlarmCode, tuple[str, Severity, Literal["AGENCY", "OPERATOR"], bool, str, str, str, str]] = {
    AlarmCode.SILENT: (
        "10, 16",
        Severity.URGENT,
        "AGENCY",
        True,
        "数据源超过约定时间没有心跳也没有报送",
        "the source has sent neither heartbeat nor data within its period",
        "检查连接器是否运行、网络和证书；不能提供时按第四十七条提交书面通知",
        "check that the connector runs, its network and certificate; if supply is impossible, file the notice of Art 47",
    ),
    AlarmCode.SOURCE_LAG: (
        "16",
        Severity.WARNING,
        "AGENCY",
        True,
        "从信息变动到报送的时间超过目录标明的更新频率",
        "from change to publication it took longer than the update frequency in the catalogue allows",
        "检查业务系统到连接器的积压，调整读取间隔",
        "look for a backlog between business system and connector, and shorten the reading interval",
    ),
    AlarmCode.BUS_LAG: (
        "16, 37",
        Severity.WARNING,
        "OPERATOR",
        False,
        "报送到达平台后，入库的时间超过目标",
        "from arrival on the bus to admission it took longer than the target",
        "检查准入进程的积压和集群状态",
        "check the lag of the admit workers and the state of the cluster",
    ),
    AlarmCode.DELIVERY_LAG: (
        "16, 37",
        Severity.WARNING,
        "OPERATOR",
        False,
        "从入库到交付的时间超过目标",
        "from admission to delivery it took longer than the target",
        "检查交付进程的积压和该授权的状态",
        "check the lag of the deliver workers and where the grant stands",
    ),
    AlarmCode.CLOCK_SKEW: (
        "10, 16",
        Severity.WARNING,
        "AGENCY",
        False,
        "数据源的时钟与平台时钟不一致",
        "the source's clock and the bus's clock disagree",
        "校准数据源主机时间；校准前该源自报的时间不可信",
        "set the source's clock; until then the times that it states are not to be believed",
    ),
    AlarmCode.STATIC_OVERDUE: (
        "16",
        Severity.URGENT,
        "AGENCY",
        True,
        "上季度信息到期未更新，也未申报更新截止点或无变化",
        'the quarter\'s changes are due, and neither a high-water mark nor "no change" was declared',
        "提供该季度的变动信息，并申报截止点或无变化",
        "supply the quarter's changes and declare the high-water mark, or declare that nothing changed",
    ),
    AlarmCode.STATIC_LATE: (
        "16",
        Severity.NOTICE,
        "AGENCY",
        True,
        "静态信息在期限之后才提供",
        "static information was supplied after its due date",
        "已按逾期标记并计入绩效；核对下一季度的更新安排",
        "it is marked late and counted in the indicators; check what is planned for the next quarter",
    ),
    AlarmCode.DECLARATION_CONTRADICTED: (
        "10, 16",
        Severity.WARNING,
        "AGENCY",
        True,
        "申报该季度已完成或无变化之后，又提供了该季度的变动",
        "changes of a quarter came after it had been declared complete or unchanged",
        "核实原申报，重新申报该季度",
        "check the declaration, and declare the quarter anew",
    ),
    AlarmCode.REFUSED_SHARE: (
        "10",
        Severity.WARNING,
        "AGENCY",
        True,
        "当日被拒绝的变动比例超过目标",
        "more of the day's changes were refused than the target allows",
        "按拒绝代码改正数据，代码的含义见机构手册",
        "mend the data by refusal code; the agencies' page says what to do about each",
    ),
}
RULES: Mapping[AlarmCode, AlarmRule] = {code: AlarmRule(*row) for code, row in _ROWS.items()}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong.

    Attributes:
        about: what of the source it is about: a quarter, a grant; empty for the source itself.
        since: since when it is wrong, which is not when it was seen.
        advisory: whether the regulation is not in force yet, so that nothing may follow (decisions 30).
    """

    code: AlarmCode
    key: Key
    since: int
    about: str = ""
    advisory: bool = False

    @property
    def name(self) -> str:
        """What tells it from every other alarm that stands at the same time; the key of its Kafka messages."""
        return "|".join((self.code.value, str(self.key), self.about))

    @property
    def alarm_id(self) -> str:
        """An id that is the same whoever computes it, and another one when it is raised again."""
        return str(uuid.uuid5(_IDS, f"{self.name}|{self.since}"))

    @property
    def owner(self) -> str:
        """The code of the agency that must act, or `operator`."""
        return self.key.agency if RULES[self.code].owner == "AGENCY" else OPERATOR

    @property
    def runbook(self) -> str:
        """Where the steps stand."""
        return f"{RUNBOOK}#{self.code.value.lower()}"

    def to_datum(self, raised_at: int, cleared_at: int | None = None) -> dict[str, Any]:
        """The physical datum of `schemas/envelope/alarm.avsc`."""
        rule = RULES[self.code]
        return {
            "alarm_id": self.alarm_id,
            "code": self.code.value,
            "agency": self.key.agency,
            "resource": self.key.resource,
            "field_group": self.key.group or None,
            "about": self.about or None,
            "owner": self.owner,
            "severity": rule.severity.value,
            "advisory": self.advisory,
            "article": rule.article,
            "reason_zh": rule.sentence_zh,
            "reason_en": rule.sentence_en,
            "todo_zh": rule.todo_zh,
            "todo_en": rule.todo_en,
            "runbook": self.runbook,
            "since": self.since,
            "raised_at": raised_at,
            "cleared_at": cleared_at,
        }


@dataclass(frozen=True, slots=True)
class Settled:
    """What a verdict changes: the alarms that stand now, by name, and what is to be told."""

    standing: Mapping[str, Alarm]
    raised: tuple[Alarm, ...] = ()
    cleared: tuple[Alarm, ...] = ()


def settle(standing: Mapping[str, Alarm], found: Iterable[Alarm]) -> Settled:
    """Compare what stands with what was found; both of one source.

    An alarm that goes on keeps its first `since`, and is told once; one that is found no more is cleared once.
    """
    now = {alarm.name: alarm for alarm in found}
    raised = tuple(alarm for name, alarm in now.items() if name not in standing)
    cleared = tuple(alarm for name, alarm in standing.items() if name not in now)
    if not raised and not cleared:
        return Settled(standing)
    kept = {
        name: replace(alarm, since=standing[name].since) if name in standing else alarm for name, alarm in now.items()
    }
    return Settled(kept, raised, cleared)
