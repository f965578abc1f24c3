"""One decision and all that follows from it, in one transaction: steps, clocks, facts, further matters.

Either all of it stands or nothing does: a refusal anywhere undoes the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.models import MODELS
from compliance.profiles import Law
from compliance.register.clockwork import Clockwork
from compliance.register.kept import named
from compliance.register.rows import matter_of, matter_values, select_matters
from compliance.register.tables import CLOCK, COUNTER, FACT, MATTER, OUTBOX, STEP
from compliance.roles import CLOCK as CLOCK_ACTOR
from compliance.roles import Actor
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from compliance.workflow import (
    NEW,
    Act,
    Context,
    Flag,
    Matter,
    Open,
    Parties,
    Pause,
    Put,
    Resume,
    Transition,
    Workflow,
    advance,
    fill_in,
)
from compliance.workflows import workflow as workflow_of
from schemas.refusals import RefusalCode, Refused

_DEEPEST = 8
_NOWHERE = Parties("")


class NoError(Exception):
    """A refusal on its way out of a transaction, which it undoes."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason_en)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Moved:
    """What an action did: the matter as it stands now, and the matters that the same decision opened or moved."""

    matter: Matter
    transition: Transition
    others: tuple[Matter, ...] = ()


class Decision:
    """The unit of work around one action; it answers the rules' look-ups from within its own transaction.

    Args:
        connection: in a transaction that the caller ends; NoError undoes it.
        view: the register before; not changed.
        law, calendar: what binds.
        at: the instant of the action.
    """

    def __init__(
        self, connection: sa.Connection, view: RegisterView, law: Law, calendar: WorkCalendar, at: datetime
    ) -> None:
        self.connection = connection
        self._view = view
        self._own_view = False
        self._law = law
        self._calendar = calendar
        self._at = at
        self.clocks = Clockwork(connection, law, calendar, at)
        self.moved: dict[str, Matter] = {}

    @property
    def view(self) -> RegisterView:
        """The register as this decision leaves it."""
        return self._view

    # -- what the rules may ask ---------------------------------------------------------------------------------

    def matter(self, number: str) -> Matter | None:
        """One matter."""
        row = self.connection.execute(sa.select(MATTER).where(MATTER.c.number == number)).mappings().first()
        return None if row is None else matter_of(row)

    def matters(
        self, workflow: str, *, states: Sequence[str] | None = None, **parties: str | None
    ) -> tuple[Matter, ...]:
        """The matters of a workflow whose parties have these values."""
        return select_matters(self.connection, workflow, states, parties)

    def children(self, number: str) -> tuple[Matter, ...]:
        """The matters that were opened by one."""
        return select_matters(self.connection, None, None, {"parent": number})

    def due(self, number: str, clock: str) -> date | None:
        """The due day of a matter's running clock; None where none of that rule runs."""
        query = sa.select(CLOCK.c.due).where(
            CLOCK.c.matter == number, CLOCK.c.rule == clock, CLOCK.c.state != "STOPPED"
        )
        return self.connection.execute(query.order_by(CLOCK.c.id.desc())).scalars().first()

    # -- acting -------------------------------------------------------------------------------------------------

    def open(
        self,
        workflow: Workflow,
        action: str,
        data: Model | Mapping[str, Any] | None,
        actor: Actor,
        cause: Matter | None = None,
        depth: int = 0,
    ) -> Moved:
        """Open a matter; the form that opens it says whom it concerns.

        Raises:
            NoError: refused.
        """
        matter = Matter(NEW, workflow.code, NEW, 0, _NOWHERE, self._at, cause.number if cause else None)
        opening = next((t for t in workflow.leaving(NEW) if t.action == action), None)
        if opening is None:
            # Only the table knows the sentence for what it does not have.
            raise NoError(_refused(advance(workflow, NEW, action, actor, _NOWHERE)))
        form = fill_in(opening, data)
        if isinstance(form, Refused):
            raise NoError(form)
        matter = replace(matter, parties=workflow.parties(form, actor, self._view))
        return self._take(workflow, matter, action, form, actor, cause, depth)

    def act(
        self,
        number: str,
        action: str,
        data: Model | Mapping[str, Any] | None,
        actor: Actor,
        *,
        seq: int | None = None,
        cause: Matter | None = None,
        depth: int = 0,
    ) -> Moved:
        """Take one action on a matter; with `seq`, the step that the actor saw last, another one since is a conflict.

        Raises:
            NoError: refused; nothing was changed.
        """
        matter = self.matter(number)
        if matter is None:
            raise NoError(Refused(RefusalCode.E_STATE, "there is no matter of that number", "number"))
        if seq is not None and seq != matter.seq:
            raise NoError(Refused(RefusalCode.E_CONFLICT, f"step {matter.seq} was taken since step {seq} was seen"))
        return self._take(workflow_of(matter.workflow), matter, action, data, actor, cause, depth)

    def _take(
        self,
        workflow: Workflow,
        matter: Matter,
        action: str,
        data: Model | Mapping[str, Any] | None,
        actor: Actor,
        cause: Matter | None,
        depth: int,
    ) -> Moved:
        if depth > _DEEPEST:
            raise RuntimeError(f"the consequences of {workflow.code}:{action} never end")
        transition = _sure(
            advance(workflow, matter.state, action, actor, matter.parties), cause, workflow, matter, action
        )
        form = fill_in(transition, data)
        if isinstance(form, Refused):
            raise NoError(form)
        context = Context(matter, transition, form, actor, self._at, self._view, self._law, self._calendar, self)
        for guard in transition.guards:
            refused = guard(context)
            if refused is not None:
                raise NoError(replace(refused, cited=refused.cited or transition.article))
        target = transition.lead(context)
        effects = [effect for consequence in transition.effects for effect in consequence(context)]
        flags = [effect.word for effect in effects if isinstance(effect, Flag)]
        flags += self.clocks.stop(matter, transition, actor, all_of_them=target in workflow.ends)
        after = self._write_step(workflow, matter, transition, target, form, actor, tuple(flags), cause)
        for start in transition.starts:
            if start.when is None or start.when(context):
                self.clocks.start(after, start, form, actor)
        for effect in effects:
            self._follow(effect, after, actor, depth)
        return Moved(after, transition, tuple(m for key, m in self.moved.items() if key != after.number))

    def _follow(self, effect: object, cause: Matter, actor: Actor, depth: int) -> None:
        if isinstance(effect, Put):
            self.put(effect.model, actor, cause)
        elif isinstance(effect, Open):
            self.open(workflow_of(effect.workflow), effect.action, effect.form, actor, cause, depth + 1)
        elif isinstance(effect, Act):
            self.act(effect.number, effect.action, effect.form, actor, cause=cause, depth=depth + 1)
        elif isinstance(effect, Pause):
            self.clocks.pause(effect, actor, cause)
        elif isinstance(effect, Resume):
            self.clocks.resume(effect, actor, cause)

    # -- writing ------------------------------------------------------------------------------------------------

    def _write_step(
        self,
        workflow: Workflow,
        matter: Matter,
        transition: Transition,
        target: str,
        form: Model | None,
        actor: Actor,
        flags: tuple[str, ...],
        cause: Matter | None,
    ) -> Matter:
        filled = None if form is None else form.model_dump(mode="json", by_alias=True)
        after = replace(
            matter,
            number=matter.number or self._number(workflow.prefix),
            state=target,
            seq=matter.seq + 1,
            facts={**matter.facts, transition.action: filled or {}},
            flags=tuple(dict.fromkeys((*matter.flags, *flags))),
        )
        if matter.seq == 0:
            self.connection.execute(sa.insert(MATTER), matter_values(after))
        else:
            done = self.connection.execute(
                sa.update(MATTER)
                .where(MATTER.c.number == matter.number, MATTER.c.seq == matter.seq)
                .values(state=after.state, seq=after.seq, facts=dict(after.facts), flags=list(after.flags))
            )
            if done.rowcount != 1:
                raise NoError(Refused(RefusalCode.E_CONFLICT, f"step {after.seq} was taken by somebody else"))
        self.connection.execute(
            sa.insert(STEP),
            {
                "matter": after.number,
                "seq": after.seq,
                "action": transition.action,
                "source": matter.state,
                "target": target,
                "account": actor.account,
                "role": actor.role.value,
                "agency": actor.agency,
                "at": self._at,
                "reason": getattr(form, "reason", None),
                "article": transition.article,
                "form": filled,
                "flags": list(flags),
                "cause": f"{cause.number}/{cause.seq}" if cause is not None else None,
            },
        )
        self.moved[after.number] = after
        return after

    def _number(self, prefix: str) -> str:
        name = f"{prefix}-{local_date(self._at).year}"
        insert = postgresql.insert if self.connection.dialect.name == "postgresql" else sqlite.insert
        query = insert(COUNTER).values(name=name, last=1)
        last = self.connection.execute(
            query.on_conflict_do_update(index_elements=["name"], set_={"last": COUNTER.c.last + 1}).returning(
                COUNTER.c.last
            )
        ).scalar_one()
        return f"{name}-{last:05d}"

    def put(self, model: Any, actor: Actor, cause: Matter | None = None) -> int:  # noqa: ANN401  any model with kind and key
        """Make a model the current one of its key; what belongs on Kafka goes to the outbox with it.

        Returns:
            the number of the fact.
        """
        kind, key = named(model)
        newest = self.connection.execute(
            sa.select(sa.func.max(FACT.c.version)).where(FACT.c.kind == kind, FACT.c.key == key)
        ).scalar()
        identity: int = self.connection.execute(
            sa.insert(FACT).returning(FACT.c.id),
            {
                "kind": kind,
                "key": key,
                "version": (newest or 0) + 1,
                "at": self._at,
                "account": actor.account,
                "role": actor.role.value,
                "matter": cause.number if cause is not None else None,
                "step": cause.seq if cause is not None else None,
                "body": model.model_dump(mode="json", by_alias=True),
            },
        ).scalar_one()
        if kind in MODELS:
            self.connection.execute(sa.insert(OUTBOX), {"fact": identity})
            if not self._own_view:
                self._view, self._own_view = self._view.copy(), True
            self._view.apply(kind, key, model)
        return identity

    def expire(self, clock_id: int) -> Moved | None:
        """Note that a clock is over, and take what its table says follows by itself (Art 44: silence)."""
        clock = self.clocks.expire(clock_id)
        matter = None if clock is None else self.matter(clock.matter)
        if clock is None or matter is None or self._law.advisory(self._at, clock.rule, clock.division):
            return None
        transition = workflow_of(matter.workflow).expiry(matter.state, clock.rule)
        return None if transition is None else self.act(matter.number, transition.action, None, CLOCK_ACTOR)


def _refused(answer: Transition | Refused) -> Refused:
    if isinstance(answer, Refused):
        return answer
    raise TypeError("the table has a transition after all")


def _sure(
    answer: Transition | Refused, cause: Matter | None, workflow: Workflow, matter: Matter, action: str
) -> Transition:
    """The transition; one that another decision brings about is not asked for its role: that decision was."""
    if isinstance(answer, Transition):
        return answer
    if cause is not None and answer.code is RefusalCode.E_ROLE:
        return next(t for t in workflow.leaving(matter.state) if t.action == action)
    raise NoError(answer)
