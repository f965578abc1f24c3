"""What operators, the authority and the security officer look at: one table of boards, for Grafana and for Prometheus.

`bus/reference/boardfiles.py` makes the files of both from it. Expressions use `deploy/prometheus/rules/recording.yml`.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["short", "s", "percentunit", "cps", "dateTimeAsIso"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure or curve.

    Attributes:
        zh, en: its title in both languages.
        query: PromQL.
        legend: the labels that tell its series apart, in the order in which they are shown.
        unit: Grafana's name of it; `s` seconds, `cps` a second, `percentunit` a part of 1.
        shape: `number` for what matters now, `curve` for what matters over time.
    """

    zh: str
    en: str
    query: str
    legend: tuple[str, ...] = ()
    unit: Unit = "short"
    shape: Literal["number", "curve"] = "curve"


@dataclass(frozen=True, slots=True)
class Board:
    """A page of panels; `name` is its file's name and its address."""

    name: str
    zh: str
    en: str
    panels: tuple[Panel, ...]


def _firing(*owners: str) -> Panel:
    """How many alarms fire; of these owners, of all when none is named."""
    chosen = f', owner=~"{"|".join(owners)}"' if owners else ""
    query = f'sum(ALERTS{{alertstate="firing"{chosen}}}) or vector(0)'
    return Panel("正在告警", "Alarms firing", query, shape="number")


OPERATOR = Board(
    "operator",
    "运行：健康、积压、吞吐、拒收、事务",
    "Operator: health, lag, throughput, refusals, transactions",
    (
        _firing(),
        Panel("进程应答", "Workers that answer", 'up{job="exchange-bus"}', ("worker", "instance"), shape="number"),
        Panel("进程就绪", "Workers that are ready", "bus_ready", ("worker", "instance"), shape="number"),
        Panel("报告问题的进程", "Workers that name a problem", "bus_problem", ("worker", "instance"), shape="number"),
        Panel(
            "Kafka 与注册中心可达", "Kafka and registry answer", "bus_reachable", ("worker", "target"), shape="number"
        ),
        Panel("磁盘剩余", "Disk that is free", "bus_disk_free_ratio", ("worker", "instance"), "percentunit", "number"),
        Panel("积压（条）", "Lag in messages", "worker:bus_lag_messages:sum", ("worker",)),
        Panel("积压（时间）", "Age of what is read now", "max by (worker) (bus_lag_seconds)", ("worker",), "s"),
        Panel(
            "接收（条/秒）", "Admitted a second", "agency_resource:bus_admitted:rate5m", ("agency", "resource"), "cps"
        ),
        Panel(
            "投递（条/秒）", "Delivered a second", "grant_resource:bus_delivered:rate5m", ("grant", "resource"), "cps"
        ),
        Panel("拒收（条/秒，按代码）", "Refused a second, by code", "code:bus_refused:rate5m", ("code",), "cps"),
        Panel("端到端延迟 p50", "Publication to delivery, p50", "bus_end_to_end_seconds:p50_5m", unit="s"),
        Panel("端到端延迟 p99", "Publication to delivery, p99", "bus_end_to_end_seconds:p99_5m", unit="s"),
        Panel("端到端延迟目标", "Its target", "bus_end_to_end_seconds:target", (), "s", "number"),
        Panel("事务（次/秒）", "Transactions a second", "worker:bus_transactions:rate5m", ("worker",), "cps"),
        Panel(
            "事务中止（10 分钟）",
            "Transactions aborted in 10 minutes",
            "sum by (worker) (increase(bus_transaction_aborts_total[10m]))",
            ("worker",),
        ),
        Panel(
            "每批条数（平均）",
            "Messages in a batch, mean",
            "sum by (worker) (rate(bus_batch_messages_sum[5m])) / sum by (worker) (rate(bus_batch_messages_count[5m]))",
            ("worker",),
        ),
        Panel("通道清除（次/秒）", "Purges of the corridor a second", "sum(rate(bus_purged_total[5m]))", unit="cps"),
        Panel(
            "无法采用的心跳与申报（1 小时）",
            "Words about sources passed over in an hour",
            "sum by (kind) (increase(bus_freshness_passed_over_total[1h]))",
            ("kind",),
        ),
        Panel(
            "多元校核读取（条/秒）",
            "Records taken over by cross-checks a second",
            "sum by (resource) (rate(bus_crosscheck_records_total[5m]))",
            ("resource",),
            "cps",
        ),
        Panel("多元校核主体", "Subjects that cross-checks know", "max(bus_crosscheck_subjects)", shape="number"),
        Panel(
            "告警和核查发现的登记（1 小时）",
            "Findings taken into the register in an hour",
            "sum by (topic, result) (increase(bus_intake_total[1h]))",
            ("topic", "result"),
        ),
        Panel("未能立案的发现", "Findings without a case", "max(bus_intake_without_case)", shape="number"),
        Panel("等待再次通知的告警", "Alarms not told again yet", "max(bus_intake_alarms_waiting)", shape="number"),
        Panel(
            "待发通知", "Notices that wait", "max by (way) (bus_notices_waiting) or vector(0)", ("way",), shape="number"
        ),
        Panel(
            "已发通知（1 小时）",
            "Notices sent in an hour",
            "sum by (way) (increase(bus_notices_sent_total[1h])) or vector(0)",
            ("way",),
        ),
        Panel(
            "通知发送失败（1 小时）",
            "Failed attempts to send in an hour",
            "sum by (way) (increase(bus_notices_failed_total[1h])) or vector(0)",
            ("way",),
        ),
        Panel("补齐中的授权分区", "Grant partitions that catch up", "sum(bus_grants_catching_up)"),
        Panel("已读登记变更", "Register changes read", "bus_register_version", ("worker", "instance"), shape="number"),
    ),
)

AUTHORITY = Board(
    "authority",
    "主管部门：期限、登记决定、共享",
    "Authority: clocks, decisions of the register, sharing",
    (
        _firing("authority"),
        Panel(
            "数据源告警（按单位与代码）",
            "Alarms about sources, by agency and code",
            "sum by (agency, code) (bus_alarms_standing)",
            ("agency", "code"),
            shape="number",
        ),
        Panel(
            "数据源（按单位与状态）",
            "Sources, by agency and how they stand",
            "sum by (agency, status) (bus_freshness_sources)",
            ("agency", "status"),
            shape="number",
        ),
        Panel(
            "多元校核命中（按单位与规则）",
            "Cross-check hits, by asked agency and check",
            "sum by (agency, check) (bus_crosscheck_hits) or on() vector(0)",
            ("agency", "check"),
            shape="number",
        ),
        Panel(
            "数据质量（最近一日，按单位与维度）",
            "Quality of the last day, by agency and dimension, the worst resource",
            "min by (agency, dimension) (bus_quality_score)",
            ("agency", "dimension"),
            "percentunit",
            "number",
        ),
        Panel("逾期事项合计", "Clocks overdue, all", "sum(bus_clocks_overdue)", shape="number"),
        Panel("进行中的期限合计", "Clocks running, all", "sum(bus_clocks_running)", shape="number"),
        Panel(
            "逾期事项（按条文）",
            "Clocks overdue, by article",
            "sum by (profile, article) (bus_clocks_overdue)",
            ("profile", "article"),
            shape="number",
        ),
        Panel(
            "进行中的期限（按条文）",
            "Clocks running, by article",
            "sum by (profile, article) (bus_clocks_running)",
            ("profile", "article"),
            shape="number",
        ),
        Panel(
            "未结数据核查（按责任单位与状态）",
            "Cases about data that are open, by responsible agency and state",
            "sum by (agency, state) (bus_cases_open) or vector(0)",
            ("agency", "state"),
            shape="number",
        ),
        Panel("待送出的决定", "Decisions that wait for Kafka", "sum(bus_register_outbox_pending)", shape="number"),
        Panel("最早待送决定的时间", "Age of the oldest of them", "max(bus_register_outbox_oldest_seconds)", unit="s"),
        Panel(
            "登记事件（一天，按种类）",
            "Register events in a day, by kind",
            "sum by (kind) (increase(bus_register_sent_total[1d]))",
            ("kind",),
        ),
        Panel(
            "单位接收量（一天）",
            "Admitted in a day, by agency",
            "sum by (agency) (increase(bus_admitted_total[1d]))",
            ("agency",),
        ),
        Panel(
            "单位拒收比例（一天）",
            "Part refused in a day, by agency",
            "sum by (agency) (increase(bus_refused_total[1d])) / (sum by (agency) (increase(bus_refused_total[1d]))"
            " + sum by (agency) (increase(bus_admitted_total[1d])))",
            ("agency",),
            "percentunit",
        ),
        Panel(
            "授权投递量（一天）",
            "Delivered in a day, by grant",
            "sum by (grant) (increase(bus_delivered_total[1d]))",
            ("grant",),
        ),
    ),
)

SECURITY = Board(
    "security",
    "安全：证书、密钥、授权终止、涉密",
    "Security: certificates, keys, ended grants, classified data",
    (
        _firing("security"),
        Panel(
            "证书剩余时间",
            "Time left of certificates",
            "sort(kind_holder:bus_certificate_left_seconds:min)",
            ("kind", "holder"),
            "s",
            "number",
        ),
        Panel(
            "密钥文件一致",
            "Key store is the one in use",
            "bus_key_store_current",
            ("worker", "instance"),
            shape="number",
        ),
        Panel(
            "权限偏差（按种类）",
            "Access rules that differ from the register's, by kind",
            "sum by (kind) (bus_rights_drift)",
            ("kind",),
            shape="number",
        ),
        Panel("使用中的标识密钥", "Token keys in use", "bus_token_keys", ("worker", "instance"), shape="number"),
        # What the bus did stands in the transaction that did it; what people decided goes out by the register's outbox.
        Panel(
            "审计滞后（最旧的未公布决定）",
            "Audit lag: age of the oldest decision that is not on Kafka",
            "max(bus_register_outbox_oldest_seconds)",
            unit="s",
            shape="number",
        ),
        Panel("涉密数据事件", "Incidents with classified data", "sum by (kind) (bus_incidents_total)", ("kind",)),
        Panel(
            "签名被拒（1 小时，按单位）",
            "Signatures refused in an hour, by agency",
            'sum by (agency) (increase(bus_refused_total{code="E_SIGNATURE"}[1h]))',
            ("agency",),
        ),
        Panel(
            "越权被拒（1 小时，按单位与代码）",
            "Refused for want of a right in an hour, by agency and code",
            'sum by (agency, code) (increase(bus_refused_total{code=~"E_OWNER|E_ROUTE|E_NOT_ONBOARDED"}[1h]))',
            ("agency", "code"),
        ),
        Panel("授权停止次数", "Grants stopped", "sum(bus_grant_stop_seconds_count)", shape="number"),
        Panel(
            "授权停止平均用时",
            "Time to stop a grant, mean",
            "sum(bus_grant_stop_seconds_sum) / (sum(bus_grant_stop_seconds_count) > 0) or vector(0)",
            unit="s",
        ),
        Panel("换号迁移（条/秒）", "Records moved a second", "sum(rate(bus_relocated_total[5m]))", unit="cps"),
    ),
)

BOARDS = (OPERATOR, AUTHORITY, SECURITY)
