"""The register's outbox: which facts still have to go to Kafka, and what Kafka and the database know of one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from compliance.events import from_event, to_event
from compliance.models import RegisterModel
from compliance.register.decision import Decision
from compliance.register.tables import FACT, OUTBOX
from compliance.roles import Actor, Role
from compliance.view import RegisterView

# What was on Kafka before the database was, or stayed there when the database was lost.
ADOPTER = Actor(account="adopted", role=Role.OPERATOR_CITY)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A key that waits to go to Kafka: its newest version, and the ids of all its facts that wait."""

    model: RegisterModel
    facts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many facts wait, and since when the oldest does."""

    facts: int
    oldest: datetime | None


def waiting(engine: sa.Engine, up_to: int) -> tuple[Waiting, ...]:
    """What waits among the facts up to a number, in the order of their newest versions.

    Only the newest version of a key goes out. Were each sent, a repeat after a kill would send an older one again
    behind the newer: a grant that was revoked would be active for a moment.
    """
    query = (
        sa.select(FACT.c.id, FACT.c.kind, FACT.c.key, FACT.c.body)
        .join(OUTBOX, OUTBOX.c.fact == FACT.c.id)
        .where(OUTBOX.c.sent_at.is_(None), FACT.c.id <= up_to)
        .order_by(FACT.c.id)
    )
    found: dict[tuple[str, str], Waiting] = {}
    with engine.connect() as connection:
        for identity, kind, key, body in connection.execute(query):
            # Taken out and put in again: the order is that of the newest.
            before = found.pop((kind, key), None)
            facts = (*(before.facts if before else ()), identity)
            found[kind, key] = Waiting(from_event(kind, body), facts)
    return tuple(found.values())


def backlog(engine: sa.Engine) -> Backlog:
    """How much waits."""
    query = sa.select(sa.func.count(), sa.func.min(FACT.c.at)).select_from(
        OUTBOX.join(FACT, OUTBOX.c.fact == FACT.c.id)
    )
    with engine.connect() as connection:
        facts, oldest = connection.execute(query.where(OUTBOX.c.sent_at.is_(None))).one()
    return Backlog(facts, oldest)


def mark_sent(engine: sa.Engine, facts: Iterable[int], at: datetime) -> None:
    """Note that Kafka acknowledged facts."""
    rows = [{"one": identity} for identity in facts]
    if not rows:
        return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        query = sa.update(OUTBOX).where(OUTBOX.c.fact == sa.bindparam("one"), OUTBOX.c.sent_at.is_(None))
        connection.execute(query.values(sent_at=at), rows)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What Kafka has and the database never knew, and the facts that Kafka lost."""

    adopt: tuple[RegisterModel, ...]
    again: tuple[int, ...]


def compare(connection: sa.Connection, kafka: RegisterView) -> Reconciled:
    """Hold the register on Kafka against the database's.

    Kafka may have more: it is older than the database, or the database was lost or put back from a backup. It may
    have less: it was set up anew. A key of which a newer version waits is left alone: that one decides.
    """
    query = (
        sa.select(FACT.c.id, FACT.c.kind, FACT.c.key, FACT.c.body, OUTBOX.c.sent_at)
        .join(OUTBOX, OUTBOX.c.fact == FACT.c.id)
        .order_by(FACT.c.id)
    )
    known: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute(query):
        known.setdefault((row.kind, row.key), []).append(row)
    adopt: list[RegisterModel] = []
    again: list[int] = []
    there = {(model.kind, model.key): model for model in kafka.models()}
    for place, model in there.items():
        versions = known.get(place, [])
        if not versions:
            adopt.append(model)
            continue
        same = [version for version in versions if _is(model, version.body)]
        if versions[-1] in same or any(version.sent_at is None for version in versions):
            continue
        if same:
            again.append(versions[-1].id)
        else:
            adopt.append(model)
    again += [versions[-1].id for place, versions in known.items() if place not in there and versions[-1].sent_at]
    return Reconciled(tuple(adopt), tuple(again))


def reconcile(decision: Decision, kafka: RegisterView, at: datetime) -> Reconciled:
    """Adopt what Kafka alone knows, as facts that are sent already; let wait again what Kafka lost."""
    found = compare(decision.connection, kafka)
    for model in found.adopt:
        fact = decision.put(model, ADOPTER)
        decision.connection.execute(sa.update(OUTBOX).where(OUTBOX.c.fact == fact).values(sent_at=at))
    for fact in found.again:
        decision.connection.execute(sa.update(OUTBOX).where(OUTBOX.c.fact == fact).values(sent_at=None))
    return found


def _is(model: RegisterModel, body: dict[str, object]) -> bool:
    # Written by an older program, a body may lack what has a default since.
    return to_event(model) == body or from_event(model.kind, body) == model
