"""What can be told: the closed table of notices, each with article, urgency, whose desk it is, and what to do about it.

A notice is made of these sentences and of codes and times, so no text of its cause can enter. The alarms' rows carry
the alarms' own words (`processors/freshness/alarms.py`); a test holds both tables against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from compliance.models import ContactRole


class NoticeKind(StrEnum):
    """What a notice is about."""

    SILENT = "SILENT"
    SOURCE_LAG = "SOURCE_LAG"
    ADMISSION_LAG = "ADMISSION_LAG"
    DELIVERY_LAG = "DELIVERY_LAG"
    CLOCK_SKEW = "CLOCK_SKEW"
    STATIC_OVERDUE = "STATIC_OVERDUE"
    STATIC_LATE = "STATIC_LATE"
    DECLARATION_CONTRADICTED = "DECLARATION_CONTRADICTED"
    REFUSED_SHARE = "REFUSED_SHARE"
    DEADLINE = "DEADLINE"
    VACANCY = "VACANCY"
    ANNUAL_REPORT = "ANNUAL_REPORT"
    CALENDAR_MISSING = "CALENDAR_MISSING"
    LAW_EXPIRES = "LAW_EXPIRES"


class NoticeLevel(StrEnum):
    """How high a cause has risen: whoever handles it, the head of the agency, the authority."""

    HANDLER = "HANDLER"
    HEAD = "HEAD"
    AUTHORITY = "AUTHORITY"


RISING = tuple(NoticeLevel)
LEVEL_NAMES: Mapping[NoticeLevel, tuple[str, str]] = {
    NoticeLevel.HANDLER: ("通知", "notice"),
    NoticeLevel.HEAD: ("督办", "reminder to the head"),
    NoticeLevel.AUTHORITY: ("报主管部门", "report to the authority"),
}
WITHDRAWN = ("解除", "withdrawn")


class Urgency(StrEnum):
    """URGENT is told at any hour, ROUTINE in working time."""

    ROUTINE = "ROUTINE"
    URGENT = "URGENT"


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """One row of the table.

    Attributes:
        desk: whom at the agency it is told first.
        days: working days until the head is told, where the cause has no due day of its own *(assumption: the
            regulation sets none)*.
        page: where the steps stand.
    """

    article: str
    urgency: Urgency
    desk: ContactRole
    days: int
    sentence_zh: str
    sentence_en: str
    todo_zh: str
    todo_en: str
    page: str


_FRESH, _REGISTER, _TIME = "docs/freshness.md", "docs/register.md", "docs/time.md"
_TECHNICAL, _SHARING, _LEADER = ContactRole.TECHNICAL_OFFICER, ContactRole.SHARING_OFFICER, ContactRole.LEADER
_ROUTINE, _URGENT = Urgency.ROUTINE, Urgency.URGENT
RULES: Mapping[NoticeKind, NoticeRule] = {
    NoticeKind.SILENT: NoticeRule(
        "10, 16",
        _URGENT,
        _TECHNICAL,
        1,
        "数据源超过约定时间没有心跳也没有报送",
        "the source has sent neither heartbeat nor data within its period",
        "检查连接器是否运行、网络和证书；不能提供时按第四十七条提交书面通知",
        "check that the connector runs, its network and certificate; if supply is impossible, file the notice of Art 47",
        f"{_FRESH}#silent",
    ),
    NoticeKind.SOURCE_LAG: NoticeRule(
        "16",
        _ROUTINE,
        _TECHNICAL,
        3,
        "从信息变动到报送的时间超过目录标明的更新频率",
        "from change to publication it took longer than the update frequency in the catalogue allows",
        "检查业务系统到连接器的积压，调整读取间隔",
        "look for a backlog between business system and connector, and shorten the reading interval",
        f"{_FRESH}#source_lag",
    ),
    NoticeKind.ADMISSION_LAG: NoticeRule(
        "16, 37",
        _ROUTINE,
        _TECHNICAL,
        3,
        "报送到达平台后，入库的时间超过目标",
        "from arrival on the bus to admission it took longer than the target",
        "检查准入进程的积压和集群状态",
        "check the lag of the admit workers and the state of the cluster",
        f"{_FRESH}#admission_lag",
    ),
    NoticeKind.DELIVERY_LAG: NoticeRule(
        "16, 37",
        _ROUTINE,
        _TECHNICAL,
        3,
        "从入库到交付的时间超过目标",
        "from admission to delivery it took longer than the target",
        "检查交付进程的积压和该授权的状态",
        "check the lag of the deliver workers and where the grant stands",
        f"{_FRESH}#delivery_lag",
    ),
    NoticeKind.CLOCK_SKEW: NoticeRule(
        "10, 16",
        _ROUTINE,
        _TECHNICAL,
        3,
        "数据源的时钟与平台时钟不一致",
        "the source's clock and the bus's clock disagree",
        "校准数据源主机时间；校准前该源自报的时间不可信",
        "set the source's clock; until then the times that it states are not to be believed",
        f"{_FRESH}#clock_skew",
    ),
    NoticeKind.STATIC_OVERDUE: NoticeRule(
        "16",
        _URGENT,
        _SHARING,
        1,
        "上季度信息到期未更新，也未申报更新截止点或无变化",
        'the quarter\'s changes are due, and neither a high-water mark nor "no change" was declared',
        "提供该季度的变动信息，并申报截止点或无变化",
        "supply the quarter's changes and declare the high-water mark, or declare that nothing changed",
        f"{_FRESH}#static_overdue",
    ),
    NoticeKind.STATIC_LATE: NoticeRule(
        "16",
        _ROUTINE,
        _SHARING,
        5,
        "静态信息在期限之后才提供",
        "static information was supplied after its due date",
        "已按逾期标记并计入绩效；核对下一季度的更新安排",
        "it is marked late and counted in the indicators; check what is planned for the next quarter",
        f"{_FRESH}#static_late",
    ),
    NoticeKind.DECLARATION_CONTRADICTED: NoticeRule(
        "10, 16",
        _ROUTINE,
        _SHARING,
        3,
        "申报该季度已完成或无变化之后，又提供了该季度的变动",
        "changes of a quarter came after it had been declared complete or unchanged",
        "核实原申报，重新申报该季度",
        "check the declaration, and declare the quarter anew",
        f"{_FRESH}#declaration_contradicted",
    ),
    NoticeKind.REFUSED_SHARE: NoticeRule(
        "10",
        _ROUTINE,
        _TECHNICAL,
        3,
        "当日被拒绝的变动比例超过目标",
        "more of the day's changes were refused than the target allows",
        "按拒绝代码改正数据，代码的含义见机构手册",
        "mend the data by refusal code; the agencies' page says what to do about each",
        f"{_FRESH}#refused_share",
    ),
    NoticeKind.DEADLINE: NoticeRule(
        "58",
        _ROUTINE,
        _SHARING,
        5,
        "登记系统中的一件事项将到期限或已逾期",
        "something that is owed in the register is nearly due or overdue",
        "在期限内办理该件",
        "take the step that the matter waits for",
        f"{_REGISTER}#clocks",
    ),
    NoticeKind.VACANCY: NoticeRule(
        "10, 43",
        _ROUTINE,
        _LEADER,
        5,
        "第十条规定的人员空缺",
        "a role that Article 10 wants filled is vacant",
        "确定人员，并按第四十三条在五个工作日内告知",
        "name somebody, and tell the operator within the five working days of Art 43",
        f"{_REGISTER}#in-short",
    ),
    NoticeKind.ANNUAL_REPORT: NoticeRule(
        "50",
        _ROUTINE,
        _SHARING,
        20,
        "本年度信息共享工作报告尚未提交",
        "the year's report on information sharing is still to come",
        "在11月30日前提交年度报告",
        "file the annual report by 30 November",
        "docs/figures.md",
    ),
    NoticeKind.CALENDAR_MISSING: NoticeRule(
        "58",
        _ROUTINE,
        _TECHNICAL,
        5,
        "节假日安排通知尚未载入，期限只能暂定",
        "a year's notice of days of rest is not loaded, so deadlines are provisional",
        "载入国务院办公厅的节假日安排",
        "load the notice of the State Council's General Office",
        f"{_TIME}#a-years-notice",
    ),
    NoticeKind.LAW_EXPIRES: NoticeRule(
        "62",
        _ROUTINE,
        _SHARING,
        20,
        "办法的有效期将届满",
        "the municipal rule's validity ends soon",
        "评估办法，决定延续、修订或废止",
        "review the rule: prolong, revise or repeal it",
        f"{_TIME}#which-text-binds",
    ),
}


class Way(StrEnum):
    """How a notice leaves, beside the message that stands in the register."""

    WEBHOOK = "WEBHOOK"
    MAIL = "MAIL"


class SendProblem(StrEnum):
    """Why a notice did not leave: closed words, so that neither address nor answer is kept."""

    NO_ADDRESS = "NO_ADDRESS"
    UNREACHABLE = "UNREACHABLE"
    TIMEOUT = "TIMEOUT"
    TLS = "TLS"
    REFUSED = "REFUSED"
