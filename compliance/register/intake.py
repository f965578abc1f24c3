"""What the register knows of what the streams found: up to where it has taken in, which case, which alarms stand.

All is written in the transaction of the decision that follows from a message (`Register.deciding`), so a kill leaves
either both or neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from compliance.notices import Cause
from compliance.register.tables import FINDING, INTAKE_POSITION, NOTICE, RAISED

Place = tuple[str, int]
"""A topic and one of its partitions."""


def positions(engine: sa.Engine) -> dict[Place, int]:
    """The offset that comes next, by place; what is not named begins with the first."""
    with engine.connect() as connection:
        return {(topic, partition): after for topic, partition, after in connection.execute(sa.select(INTAKE_POSITION))}


def take_in(connection: sa.Connection, place: Place, offset: int) -> bool:
    """Note that the message at an offset is taken in by this transaction; False where one did so before.

    The transaction must be one that `Register.deciding` serialises: so of two that take in, one sees what the other did.
    """
    at = (INTAKE_POSITION.c.topic == place[0]) & (INTAKE_POSITION.c.partition == place[1])
    known = connection.execute(sa.select(INTAKE_POSITION.c.next).where(at)).scalar()
    if known is None:
        values = {"topic": place[0], "partition": place[1], "next": offset + 1}
        connection.execute(sa.insert(INTAKE_POSITION).values(values))
        return True
    if offset < known:
        return False
    connection.execute(sa.update(INTAKE_POSITION).where(at).values(next=offset + 1))
    return True


def begin_anew(connection: sa.Connection, place: Place) -> None:
    """Read a place from its beginning: its topic was made anew. What was known of it stays, so repeats are known."""
    at = (INTAKE_POSITION.c.topic == place[0]) & (INTAKE_POSITION.c.partition == place[1])
    connection.execute(sa.delete(INTAKE_POSITION).where(at))


# -- findings ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What a stream said last of one pair or source.

    Attributes:
        kind: which topic said it; `key`: of which pair or source.
        stands: whether it is open.
        opened_at: since when; another opening is another finding, and another case.
        told_at: when it was said, by the clock of whoever said it.
        matter: the newest case; None where none could be opened.
        problem: code of the refusal, where there is one.
        body: what was said, as JSON.
    """

    kind: str
    key: str
    stands: bool
    opened_at: datetime
    told_at: datetime
    body: Mapping[str, Any]
    matter: str | None = None
    problem: str | None = None


def finding_of(connection: sa.Connection, kind: str, key: str) -> Finding | None:
    """What is known of one pair or source."""
    query = sa.select(FINDING).where(FINDING.c.kind == kind, FINDING.c.key == key)
    row = connection.execute(query).mappings().first()
    return None if row is None else Finding(**row)


def keep_finding(connection: sa.Connection, finding: Finding) -> None:
    """Take over what was said last."""
    at = (FINDING.c.kind == finding.kind) & (FINDING.c.key == finding.key)
    values = {name: getattr(finding, name) for name in Finding.__slots__}
    if connection.execute(sa.update(FINDING).where(at).values(values)).rowcount == 0:
        connection.execute(sa.insert(FINDING).values(values))


def without_case(engine: sa.Engine) -> tuple[Finding, ...]:
    """What stands and could not become a case yet, oldest first."""
    query = sa.select(FINDING).where(FINDING.c.stands, FINDING.c.matter.is_(None))
    with engine.connect() as connection:
        return tuple(Finding(**row) for row in connection.execute(query.order_by(FINDING.c.opened_at)).mappings())


# -- alarms ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm by its name: what it is the cause of, whether it stands, from when on it is told.

    Attributes:
        taken_back_at: when a notice of this name was taken back last.
    """

    name: str
    cause: Cause
    stands: bool
    tell_at: datetime
    taken_back_at: datetime | None = None


def alarm_of(connection: sa.Connection, name: str) -> RaisedAlarm | None:
    """What is known of one alarm."""
    row = connection.execute(sa.select(RAISED).where(RAISED.c.name == name)).mappings().first()
    return None if row is None else _alarm(row)


def keep_alarm(connection: sa.Connection, alarm: RaisedAlarm) -> None:
    """Take over how an alarm stands."""
    values = {
        "name": alarm.name,
        "cause": str(alarm.cause.id),
        "body": alarm.cause.model_dump(mode="json", exclude_none=True),
        "stands": alarm.stands,
        "tell_at": alarm.tell_at,
        "taken_back_at": alarm.taken_back_at,
    }
    if connection.execute(sa.update(RAISED).where(RAISED.c.name == alarm.name).values(values)).rowcount == 0:
        connection.execute(sa.insert(RAISED).values(values))


def standing_alarms(engine: sa.Engine) -> tuple[RaisedAlarm, ...]:
    """Every alarm that stands, told or not."""
    with engine.connect() as connection:
        query = sa.select(RAISED).where(RAISED.c.stands).order_by(RAISED.c.tell_at, RAISED.c.name)
        return tuple(_alarm(row) for row in connection.execute(query).mappings())


def forget_alarms(connection: sa.Connection, before: datetime | None = None) -> None:
    """Forget what stands no more and was taken back before an instant; without one all of them."""
    gone = sa.delete(RAISED)
    if before is not None:
        old = RAISED.c.taken_back_at.is_(None) | (RAISED.c.taken_back_at < before)
        gone = gone.where(RAISED.c.stands.is_(False), old)
    connection.execute(gone)


def was_told(connection: sa.Connection, cause: UUID) -> bool:
    """Whether anybody was ever told of a cause."""
    query = sa.select(sa.literal(1)).where(NOTICE.c.cause == str(cause)).limit(1)
    return connection.execute(query).first() is not None


def _alarm(row: sa.RowMapping) -> RaisedAlarm:
    cause = Cause.model_validate(row["body"])
    return RaisedAlarm(row["name"], cause, row["stands"], row["tell_at"], row["taken_back_at"])
