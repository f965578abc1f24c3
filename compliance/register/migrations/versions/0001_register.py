"""The register as it began: matters, steps, clocks, facts, outbox; what is append-only is held by triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_APPEND_ONLY = ("step", "clock_change", "fact")


def _text(name: str, *rest: object, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *rest, nullable=nullable)  # type: ignore[arg-type]  # constraints


def upgrade() -> None:
    """Make all tables, then the triggers."""
    op.create_table(
        "counter",
        _text("name"),
        sa.Column("last", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counter"),
    )
    op.create_table(
        "matter",
        _text("number"),
        _text("workflow"),
        _text("state"),
        sa.Column("seq", sa.Integer, nullable=False),
        _text("division"),
        *(_text(name, nullable=True) for name in ("requester", "provider", "unit", "resource", "subject", "parent")),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_matter"),
        sa.ForeignKeyConstraint(["parent"], ["matter.number"], name="fk_matter_parent"),
    )
    op.create_index("ix_matter_workflow_state", "matter", ["workflow", "state"])
    op.create_index("ix_matter_parent", "matter", ["parent"])
    op.create_table(
        "step",
        _text("matter"),
        sa.Column("seq", sa.Integer, nullable=False),
        *(_text(name) for name in ("action", "source", "target", "account", "role")),
        _text("agency", nullable=True),
        sa.Column("at", _INSTANT, nullable=False),
        _text("reason", nullable=True),
        _text("article"),
        sa.Column("form", sa.JSON, nullable=True),
        sa.Column("flags", sa.JSON, nullable=False),
        _text("cause", nullable=True),
        sa.PrimaryKeyConstraint("matter", "seq", name="pk_step"),
        sa.ForeignKeyConstraint(["matter"], ["matter.number"], name="fk_step_matter"),
    )
    op.create_index("ix_step_at", "step", ["at"])
    op.create_table(
        "clock",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        *(_text(name) for name in ("matter", "rule", "profile", "article", "owes")),
        _text("agency", nullable=True),
        _text("division"),
        sa.Column("started", _INSTANT, nullable=False),
        *(sa.Column(name, sa.Date, nullable=False) for name in ("counts_from", "nominal", "due")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("provisional", "advisory")),
        _text("state"),
        *(sa.Column(name, _INSTANT, nullable=True) for name in ("ended", "expired")),
        sa.Column("paused_since", sa.Date, nullable=True),
        sa.Column("paused_days", sa.Integer, nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["matter"], ["matter.number"], name="fk_clock_matter"),
    )
    op.create_index("ix_clock_state_due", "clock", ["state", "due"])
    op.create_index("ix_clock_matter", "clock", ["matter"])
    op.create_table(
        "clock_change",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("clock", _BIG, nullable=False),
        _text("what"),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("due", sa.Date, nullable=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        _text("account"),
        _text("reason", nullable=True),
        sa.ForeignKeyConstraint(["clock"], ["clock.id"], name="fk_clock_change_clock"),
    )
    op.create_index("ix_clock_change_clock", "clock_change", ["clock"])
    op.create_table(
        "fact",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        _text("kind"),
        _text("key"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        _text("account"),
        _text("role"),
        _text("matter", nullable=True),
        sa.Column("step", sa.Integer, nullable=True),
        sa.Column("body", sa.JSON, nullable=False),
        sa.UniqueConstraint("kind", "key", "version", name="uq_fact_kind_key_version"),
    )
    op.create_index("ix_fact_at", "fact", ["at"])
    op.create_table(
        "outbox",
        sa.Column("fact", _BIG, nullable=False, autoincrement=False),
        sa.Column("sent_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("fact", name="pk_outbox"),
        sa.ForeignKeyConstraint(["fact"], ["fact.id"], name="fk_outbox_fact"),
    )
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"])
    _guard()


def _guard() -> None:
    """Triggers that refuse to change or delete what is append-only."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION register_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the register only adds to %', TG_TABLE_NAME; END $$"
        )
        for table in _APPEND_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION register_append_only()"
            )
        return
    for table in _APPEND_ONLY:
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'the register only adds to {table}'); END"
            )
