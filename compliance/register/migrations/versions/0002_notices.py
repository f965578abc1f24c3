"""Notices and the attempts to send them; both only added to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_APPEND_ONLY = ("notice", "message")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    """Make both tables, then their triggers."""
    op.create_table(
        "notice",
        sa.Column("seq", _BIG, primary_key=True, autoincrement=True),
        *(_text(name) for name in ("id", "cause", "kind", "level", "role")),
        *(_text(name, nullable=True) for name in ("agency", "division", "instead_of")),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("send_at", _INSTANT, nullable=False),
        _text("ways"),
        sa.Column("withdraws", _BIG, nullable=True),
        sa.UniqueConstraint("id", name="uq_notice_id"),
        sa.UniqueConstraint("withdraws", name="uq_notice_withdraws"),
        sa.ForeignKeyConstraint(["withdraws"], ["notice.seq"], name="fk_notice_withdraws"),
    )
    for column in ("cause", "agency", "send_at"):
        op.create_index(f"ix_notice_{column}", "notice", [column])
    op.create_table(
        "message",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("notice", _BIG, nullable=False),
        _text("way"),
        sa.Column("at", _INSTANT, nullable=False),
        _text("problem", nullable=True),
        sa.ForeignKeyConstraint(["notice"], ["notice.seq"], name="fk_message_notice"),
    )
    op.create_index("ix_message_notice_way", "message", ["notice", "way"])
    _guard()


def _guard() -> None:
    """Triggers that refuse to change or delete what is append-only; PostgreSQL's function is the first revision's."""
    if op.get_bind().dialect.name == "postgresql":
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
