"""The register's front door: open a matter, act on it, let time pass, and look at what stands or stood.

Every action names its actor, and every answer is a value: `Moved`, or `Refused` with code, reason and article. Time
is an argument.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.events import from_event
from compliance.models import MODELS
from compliance.profiles import Law
from compliance.register.clockwork import Clockwork
from compliance.register.database import serialise
from compliance.register.decision import Decision, Moved, NoError
from compliance.register.kept import KEPT, calendar_with, law_with, reckoning_of
from compliance.register.outbox import Reconciled, reconcile
from compliance.register.rows import Clock, Step, matter_of, select_matters, step_of
from compliance.register.tables import CLOCK, FACT, MATTER, STEP
from compliance.roles import Actor
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from compliance.workflow import Matter
from compliance.workflows import workflow as workflow_of
from compliance.workflows.data_case import CODE as DATA_CASE
from compliance.workflows.data_case import OPEN_STATES
from schemas.refusals import RefusalCode, Refused


class Register:
    """The register over one database.

    Args:
        engine: of `compliance/register/database.py:open_engine`, migrated.
        law: the profiles that bind; county overrides that the register holds are added.
        calendar: working days; years and suspensions that the register holds are added.
    """

    def __init__(self, engine: sa.Engine, law: Law, calendar: WorkCalendar) -> None:
        self._engine = engine
        self._first_law = law
        self._first_calendar = calendar
        self._law = law
        self._calendar = calendar
        self._view = RegisterView()
        self._seen = 0

    # -- acting -------------------------------------------------------------------------------------------------

    def open(
        self, workflow: str, action: str, form: Model | Mapping[str, Any] | None, actor: Actor, at: datetime
    ) -> Moved | Refused:
        """Open a matter of a workflow.

        Raises:
            UsageError: there is no such workflow.
        """
        table = workflow_of(workflow)
        return self._decide(at, lambda decision: decision.open(table, action, form, actor))

    def act(
        self,
        number: str,
        action: str,
        form: Model | Mapping[str, Any] | None,
        actor: Actor,
        at: datetime,
        *,
        seq: int | None = None,
    ) -> Moved | Refused:
        """Take an action on a matter; with `seq`, only if no other step was taken since that one."""
        return self._decide(at, lambda decision: decision.act(number, action, form, actor, seq=seq))

    def put(self, models: Sequence[Any], actor: Actor, at: datetime, *, seen: int | None = None) -> bool:
        """Take models over as they are, as a register file does; one transaction for all.

        Args:
            models: register models, or what the register alone keeps.
            actor: who takes them over.
            at: when.
            seen: number of the last fact that was looked at; if another came since, nothing is taken over.

        Returns:
            whether they were taken over.
        """
        with self.deciding(at) as decision:
            if seen is not None and seen != self._seen:
                return False
            for model in models:
                decision.put(model, actor)
        return True

    def reconcile(self, kafka: RegisterView, at: datetime) -> Reconciled:
        """Adopt what Kafka's register alone knows, and let wait again what Kafka lost."""
        with self.deciding(at) as decision:
            return reconcile(decision, kafka, at)

    def tick(self, at: datetime) -> tuple[Moved, ...]:
        """Let time pass up to an instant: every clock that is over is noted, and what follows by itself is taken.

        One transaction a clock, in the order in which they fell due; a second call at the same instant does nothing.
        """
        moved = []
        with self._engine.connect() as connection:
            query = sa.select(CLOCK.c.id).where(
                CLOCK.c.state == "RUNNING", CLOCK.c.expired.is_(None), CLOCK.c.due < local_date(at)
            )
            over = connection.execute(query.order_by(CLOCK.c.due, CLOCK.c.id)).scalars().all()
        for clock in over:
            with self.deciding(at) as decision:
                done = decision.expire(clock)
            if done is not None:
                moved.append(done)
        return tuple(moved)

    def keep(self, models: Sequence[Model], actor: Actor, at: datetime, reason: str) -> int:
        """Take over a calendar year, a suspension or a county's own deadline, and count all open clocks again.

        Returns:
            how many clocks got another due day.
        """
        with self.deciding(at) as decision:
            for model in models:
                decision.put(model, actor)
                decision.put(reckoning_of(model), actor)
            self._catch_up(decision.connection)
            clocks = Clockwork(decision.connection, self._law, self._calendar, at)
            return clocks.recompute(actor, reason)

    # -- looking ------------------------------------------------------------------------------------------------

    def matter(self, number: str) -> Matter | None:
        """A matter as it stands."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(MATTER).where(MATTER.c.number == number)).mappings().first()
        return None if row is None else matter_of(row)

    def matters(
        self, workflow: str | None = None, *, states: Sequence[str] | None = None, **parties: str | None
    ) -> tuple[Matter, ...]:
        """Matters, oldest first."""
        with self._engine.connect() as connection:
            return select_matters(connection, workflow, states, parties)

    def history(self, number: str) -> tuple[Step, ...]:
        """Every step of a matter, in order."""
        with self._engine.connect() as connection:
            query = sa.select(STEP).where(STEP.c.matter == number).order_by(STEP.c.seq)
            return tuple(step_of(row) for row in connection.execute(query).mappings())

    def matter_at(self, number: str, at: datetime) -> Matter | None:
        """A matter as it stood at an instant, made again from its steps; None before it was opened."""
        matter = self.matter(number)
        steps = [step for step in self.history(number) if step.at <= at]
        if matter is None or not steps:
            return None
        facts: dict[str, Mapping[str, Any]] = {}
        flags: dict[str, None] = {}
        for step in steps:
            facts[step.action] = step.form or {}
            flags |= dict.fromkeys(step.flags)
        return replace(matter, state=steps[-1].target, seq=steps[-1].seq, facts=facts, flags=tuple(flags))

    def clocks(
        self,
        *,
        running: bool = True,
        agency: str | None = None,
        matter: str | None = None,
        due_before: date | None = None,
        limit: int | None = None,
    ) -> tuple[Clock, ...]:
        """Clocks by due day, so that what is overdue longest comes first.

        Args:
            running: only those that run.
            agency: only what this agency owes.
            matter: only of this matter.
            due_before: only what was due before that day, and does not stand still.
            limit: so many at the most.
        """
        # By place, not by name: there may be a hundred thousand.
        columns = (CLOCK.c[name] for name in Clock.__dataclass_fields__)
        query = sa.select(*columns).order_by(CLOCK.c.due, CLOCK.c.id).limit(limit)
        if running:
            query = query.where(CLOCK.c.state != "STOPPED")
        if due_before is not None:
            query = query.where(CLOCK.c.due < due_before, CLOCK.c.state == "RUNNING")
        for column, value in ((CLOCK.c.agency, agency), (CLOCK.c.matter, matter)):
            query = query if value is None else query.where(column == value)
        with self._engine.connect() as connection:
            return tuple(Clock(*row) for row in connection.execute(query))

    def clock_counts(self, today: date) -> dict[tuple[str, str], tuple[int, int]]:
        """How many clocks are open, and how many of them run and are overdue, by profile and article."""
        late = sa.func.sum(sa.case((sa.and_(CLOCK.c.due < today, CLOCK.c.state == "RUNNING"), 1), else_=0))
        query = sa.select(CLOCK.c.profile, CLOCK.c.article, sa.func.count(), late).where(CLOCK.c.state != "STOPPED")
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(CLOCK.c.profile, CLOCK.c.article)).all()
        return {(profile, article): (int(running), int(overdue)) for profile, article, running, overdue in rows}

    def case_counts(self) -> dict[tuple[str, str], int]:
        """How many cases about data are open, by responsible agency and state."""
        query = sa.select(MATTER.c.provider, MATTER.c.state, sa.func.count()).where(
            MATTER.c.workflow == DATA_CASE, MATTER.c.state.in_(OPEN_STATES)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.group_by(MATTER.c.provider, MATTER.c.state)).all()
        return {(agency or "", state): int(number) for agency, state, number in rows}

    def view(self, at: datetime | None = None) -> RegisterView:
        """The register's models, now or as they stood at an instant."""
        if at is None:
            with self._engine.connect() as connection:
                self._catch_up(connection)
            return self._view
        view = RegisterView()
        with self._engine.connect() as connection:
            query = sa.select(FACT.c.kind, FACT.c.key, FACT.c.body).where(FACT.c.at <= at).order_by(FACT.c.id)
            for kind, key, body in connection.execute(query):
                if kind in MODELS:
                    view.apply(kind, key, from_event(kind, body))
        return view

    @property
    def engine(self) -> sa.Engine:
        """Its database."""
        return self._engine

    @property
    def seen(self) -> int:
        """Number of the last fact that `view` has taken over."""
        return self._seen

    @property
    def law(self) -> Law:
        """The law that binds, with what counties decided."""
        self.view()
        return self._law

    @property
    def calendar(self) -> WorkCalendar:
        """The working days, with what was loaded."""
        self.view()
        return self._calendar

    # -- within -------------------------------------------------------------------------------------------------

    def _decide(self, at: datetime, action: Callable[[Decision], Moved]) -> Moved | Refused:
        try:
            with self.deciding(at) as decision:
                return action(decision)
        except NoError as no:
            return no.refused

    @contextmanager
    def deciding(self, at: datetime) -> Iterator[Decision]:
        """One transaction for all that is done with the decision and on its connection.

        Raises:
            NoError: refused, and all of it undone; also where somebody else changed the same thing first (E_CONFLICT).
        """
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                serialise(connection)
                self._catch_up(connection)
                seen = self._seen
                try:
                    yield Decision(connection, self._view, self._law, self._calendar, at)
                except BaseException:
                    if self._seen != seen:
                        # What was taken over of this very transaction is undone with it.
                        self._view, self._seen = RegisterView(), 0
                        self._law, self._calendar = self._first_law, self._first_calendar
                    raise
        except sa.exc.IntegrityError:
            raise NoError(Refused(RefusalCode.E_CONFLICT, "the same thing was changed by another decision")) from None

    def _catch_up(self, connection: sa.Connection) -> None:
        """Take over the facts that came since the last look."""
        query = sa.select(FACT.c.id, FACT.c.kind, FACT.c.key, FACT.c.body).where(FACT.c.id > self._seen)
        kept = False
        for identity, kind, key, body in connection.execute(query.order_by(FACT.c.id)).all():
            if kind in MODELS:
                self._view.apply(kind, key, from_event(kind, body))
            kept = kept or kind in KEPT
            self._seen = identity
        if kept:
            self._take_kept(connection)

    def _take_kept(self, connection: sa.Connection) -> None:
        newest: dict[tuple[str, str], Any] = {}
        query = sa.select(FACT.c.kind, FACT.c.key, FACT.c.body).where(FACT.c.kind.in_(KEPT)).order_by(FACT.c.id)
        for kind, key, body in connection.execute(query):
            newest[kind, key] = KEPT[kind].model_validate(body)
        self._calendar = calendar_with(self._first_calendar, newest.values())
        self._law = law_with(self._first_law, newest.values())
