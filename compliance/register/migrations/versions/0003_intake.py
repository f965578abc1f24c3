"""What the streams found: positions, what each finding said last, the alarms that stand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    """Make the three tables; none of them is history, which stands in matters and notices."""
    op.create_table(
        "intake_position",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next", _BIG, nullable=False),
    )
    op.create_table(
        "finding",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("stands", sa.Boolean, nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("told_at", _INSTANT, nullable=False),
        _text("matter", nullable=True),
        _text("problem", nullable=True),
        sa.Column("body", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(["matter"], ["matter.number"], name="fk_finding_matter"),
    )
    op.create_index("ix_finding_matter", "finding", ["matter"])
    op.create_table(
        "raised_alarm",
        sa.Column("name", sa.Text, primary_key=True),
        _text("cause"),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("stands", sa.Boolean, nullable=False),
        sa.Column("tell_at", _INSTANT, nullable=False),
        sa.Column("taken_back_at", _INSTANT, nullable=True),
    )
