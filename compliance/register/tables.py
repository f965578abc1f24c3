"""The register's tables, as the newest migration leaves them; a test holds both against each other.

Steps, facts and clock changes are only ever added: triggers refuse to change or delete them. What stands of a matter
or a clock now is a head beside its history, and follows from it.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An instant, kept in UTC; naive ones are refused. SQLite knows no time zones, so it gets UTC without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Into the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Out of it."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, *rest: Any, nullable: bool = False) -> sa.Column[Any]:  # noqa: ANN401  constraints
    return sa.Column(name, sa.Text, *rest, nullable=nullable)


COUNTER = sa.Table(
    "counter",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)
"""The last number given, for each prefix and year."""

MATTER = sa.Table(
    "matter",
    METADATA,
    sa.Column("number", sa.Text, primary_key=True),
    _text("workflow"),
    _text("state"),
    sa.Column("seq", sa.Integer, nullable=False),
    _text("division"),
    _text("requester", nullable=True),
    _text("provider", nullable=True),
    _text("unit", nullable=True),
    _text("resource", nullable=True),
    _text("subject", nullable=True),
    _text("parent", sa.ForeignKey("matter.number"), nullable=True),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("flags", sa.JSON, nullable=False),
    sa.Index("ix_matter_workflow_state", "workflow", "state"),
    sa.Index("ix_matter_parent", "parent"),
)
"""Each matter's head."""

STEP = sa.Table(
    "step",
    METADATA,
    sa.Column("matter", sa.Text, sa.ForeignKey("matter.number"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    _text("action"),
    _text("source"),
    _text("target"),
    _text("account"),
    _text("role"),
    _text("agency", nullable=True),
    sa.Column("at", Instant, nullable=False),
    _text("reason", nullable=True),
    _text("article"),
    sa.Column("form", sa.JSON, nullable=True),
    sa.Column("flags", sa.JSON, nullable=False),
    _text("cause", nullable=True),
    sa.Index("ix_step_at", "at"),
)
"""What was done: append-only. `cause` is the matter and step whose decision brought this one about."""

CLOCK = sa.Table(
    "clock",
    METADATA,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    sa.Column("matter", sa.Text, sa.ForeignKey("matter.number"), nullable=False),
    _text("rule"),
    _text("profile"),
    _text("article"),
    _text("owes"),
    _text("agency", nullable=True),
    _text("division"),
    sa.Column("started", Instant, nullable=False),
    sa.Column("counts_from", sa.Date, nullable=False),
    sa.Column("nominal", sa.Date, nullable=False),
    sa.Column("due", sa.Date, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("advisory", sa.Boolean, nullable=False),
    _text("state"),
    sa.Column("ended", Instant, nullable=True),
    sa.Column("expired", Instant, nullable=True),
    sa.Column("paused_since", sa.Date, nullable=True),
    sa.Column("paused_days", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_clock_state_due", "state", "due"),
    sa.Index("ix_clock_matter", "matter"),
)
"""Each clock's head: RUNNING, PAUSED or STOPPED; `expired` is when it was found to be over, `paused_days` how long it
stood still in earlier pauses."""

CLOCK_CHANGE = sa.Table(
    "clock_change",
    METADATA,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    sa.Column("clock", _BIG, sa.ForeignKey("clock.id"), nullable=False),
    _text("what"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("due", sa.Date, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    _text("account"),
    _text("reason", nullable=True),
    sa.Index("ix_clock_change_clock", "clock"),
)
"""What became of a clock: append-only, so that the first due date and each recomputed one stay."""

FACT = sa.Table(
    "fact",
    METADATA,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    _text("kind"),
    _text("key"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", Instant, nullable=False),
    _text("account"),
    _text("role"),
    _text("matter", nullable=True),
    sa.Column("step", sa.Integer, nullable=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.UniqueConstraint("kind", "key", "version"),
    sa.Index("ix_fact_at", "at"),
)
"""Every version of every register model: append-only. The highest version is the current one."""

OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("fact", _BIG, sa.ForeignKey("fact.id"), primary_key=True, autoincrement=False),
    sa.Column("sent_at", Instant, nullable=True),
    sa.Index("ix_outbox_sent_at", "sent_at"),
)
"""The facts that belong on Kafka, written in the transaction that decides them; when they were acknowledged there."""

NOTICE = sa.Table(
    "notice",
    METADATA,
    sa.Column("seq", _BIG, primary_key=True, autoincrement=True),
    _text("id"),
    _text("cause"),
    _text("kind"),
    _text("level"),
    _text("role"),
    _text("agency", nullable=True),
    _text("division", nullable=True),
    _text("instead_of", nullable=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("send_at", Instant, nullable=False),
    _text("ways"),
    sa.Column("withdraws", _BIG, sa.ForeignKey("notice.seq"), nullable=True),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("withdraws"),
    sa.Index("ix_notice_cause", "cause"),
    sa.Index("ix_notice_agency", "agency"),
    sa.Index("ix_notice_send_at", "send_at"),
)
"""What is told to which role: append-only, so a withdrawal is a notice of its own. `body` is the cause; `ways` by which
it leaves beside the register, with commas."""

MESSAGE = sa.Table(
    "message",
    METADATA,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    sa.Column("notice", _BIG, sa.ForeignKey("notice.seq"), nullable=False),
    _text("way"),
    sa.Column("at", Instant, nullable=False),
    _text("problem", nullable=True),
    sa.Index("ix_message_notice_way", "notice", "way"),
)
"""Each attempt to send a notice: append-only. Without a problem it was sent."""

INTAKE_POSITION = sa.Table(
    "intake_position",
    METADATA,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("next", _BIG, nullable=False),
)
"""Up to where what the streams found was taken into the register: the offset that comes next."""

FINDING = sa.Table(
    "finding",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("stands", sa.Boolean, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("told_at", Instant, nullable=False),
    _text("matter", sa.ForeignKey("matter.number"), nullable=True),
    _text("problem", nullable=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("ix_finding_matter", "matter"),
)
"""What a cross-check or a comparison of digests said last of each pair or source, and the newest case about it. Without
`matter` there is none, and `problem` says why."""

RAISED = sa.Table(
    "raised_alarm",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    _text("cause"),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),
    sa.Column("tell_at", Instant, nullable=False),
    sa.Column("taken_back_at", Instant, nullable=True),
)
"""Each alarm that stands, or was taken back lately: its cause, and from when on it is told."""

APPEND_ONLY = ("step", "clock_change", "fact", "notice", "message")
