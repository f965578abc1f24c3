"""Rows of the register's tables as the words of the workflows, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from compliance.register.tables import MATTER
from compliance.workflow import Matter, Parties


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a matter's history.

    Attributes:
        flags: words that this step added.
        cause: the matter and step ("number/seq") whose decision brought it about; None where somebody acted.
    """

    matter: str
    seq: int
    action: str
    source: str
    target: str
    account: str
    role: str
    agency: str | None
    at: datetime
    reason: str | None
    article: str
    form: Mapping[str, Any] | None = None
    flags: tuple[str, ...] = ()
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: who owes what by when, under which article.

    Attributes:
        owes: the party or office that owes it; `agency` is its code where it is an agency.
        counts_from: the day that is not counted.
        nominal: the due day before it was moved off a rest day.
        provisional: whether a year without its published notice was counted.
        advisory: whether the rules are not in force yet, so that the clock only advises (Art 62).
        paused_since: since when it stands still; None when it does not.
        paused_days: how many days it stood still in earlier pauses; `due` holds them already.
    """

    id: int
    matter: str
    rule: str
    profile: str
    article: str
    owes: str
    agency: str | None
    division: str
    started: datetime
    counts_from: date
    nominal: date
    due: date
    provisional: bool
    advisory: bool
    state: str
    ended: datetime | None = None
    expired: datetime | None = None
    paused_since: date | None = None
    paused_days: int = 0


def matter_of(row: sa.RowMapping) -> Matter:
    """A matter's head."""
    parties = Parties(row["division"], row["requester"], row["provider"], row["unit"], row["resource"], row["subject"])
    return Matter(
        row["number"],
        row["workflow"],
        row["state"],
        row["seq"],
        parties,
        row["opened_at"],
        row["parent"],
        row["facts"],
        tuple(row["flags"]),
    )


def matter_values(matter: Matter) -> dict[str, Any]:
    """A matter's head as column values."""
    return {
        "number": matter.number,
        "workflow": matter.workflow,
        "state": matter.state,
        "seq": matter.seq,
        **asdict(matter.parties),
        "parent": matter.parent,
        "opened_at": matter.opened_at,
        "facts": dict(matter.facts),
        "flags": list(matter.flags),
    }


def step_of(row: sa.RowMapping) -> Step:
    """A step."""
    return Step(**{**row, "flags": tuple(row["flags"])})


def clock_of(row: sa.RowMapping) -> Clock:
    """A clock's head."""
    return Clock(**row)


def select_matters(
    connection: sa.Connection,
    workflow: str | None,
    states: Iterable[str] | None,
    parties: Mapping[str, str | None],
) -> tuple[Matter, ...]:
    """Matters by workflow, states and parties, oldest first."""
    query = sa.select(MATTER).order_by(MATTER.c.opened_at, MATTER.c.number)
    if workflow is not None:
        query = query.where(MATTER.c.workflow == workflow)
    if states is not None:
        query = query.where(MATTER.c.state.in_(tuple(states)))
    for name, value in parties.items():
        query = query.where(MATTER.c[name] == value)
    return tuple(matter_of(row) for row in connection.execute(query).mappings())
