"""The register's clocks within one transaction: started, stopped, found to be over, counted again."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.profiles import Law, Unit
from compliance.register.rows import Clock, clock_of
from compliance.register.tables import CLOCK, CLOCK_CHANGE, MATTER
from compliance.roles import CLOCK as CLOCK_ACTOR
from compliance.roles import Actor, Party
from compliance.workdays import Due, WorkCalendar
from compliance.workflow import Matter, Pause, Resume, Start, Transition, since


class Clockwork:
    """The clocks as one decision sees them.

    Args:
        connection: in the decision's transaction.
        law, calendar: what binds.
        at: the instant of the decision.
    """

    def __init__(self, connection: sa.Connection, law: Law, calendar: WorkCalendar, at: datetime) -> None:
        self._connection = connection
        self._law = law
        self._calendar = calendar
        self._at = at

    def start(self, matter: Matter, start: Start, form: Model | None, actor: Actor) -> None:
        """Start a clock for the party or office that owes, under the rule that binds in the matter's division."""
        counts_from = since(start, form, self._at)
        division = matter.parties.division
        binding = self._law.rule(start.clock, division, counts_from)
        due = self._law.due(start.clock, counts_from, self._calendar, division)
        identity = self._connection.execute(
            sa.insert(CLOCK).returning(CLOCK.c.id),
            {
                "matter": matter.number,
                "rule": start.clock,
                "profile": binding.profile,
                "article": binding.rule.article,
                "owes": start.owes.value,
                "agency": matter.parties.of(start.owes) if isinstance(start.owes, Party) else None,
                "division": division,
                "started": self._at,
                "counts_from": local_date(counts_from) if isinstance(counts_from, datetime) else counts_from,
                "nominal": due.nominal,
                "due": due.day,
                "provisional": due.provisional,
                "advisory": self._law.advisory(self._at, start.clock, division),
                "state": "RUNNING",
            },
        ).scalar_one()
        self._note(identity, "STARTED", due.day, actor, provisional=due.provisional)

    def stop(self, matter: Matter, transition: Transition, actor: Actor, *, all_of_them: bool) -> list[str]:
        """Stop what a transition stops, or every clock where the matter ends.

        Returns:
            a flag LATE:<rule> for each that what was owed came too late for.
        """
        query = sa.select(CLOCK).where(CLOCK.c.matter == matter.number, CLOCK.c.state != "STOPPED")
        if not all_of_them:
            query = query.where(CLOCK.c.rule.in_(transition.stops))
        late = []
        for row in self._connection.execute(query).mappings().all():
            clock = clock_of(row)
            self._connection.execute(
                sa.update(CLOCK).where(CLOCK.c.id == clock.id).values(state="STOPPED", ended=self._at)
            )
            self._note(clock.id, "STOPPED", clock.due, actor, transition.action, provisional=clock.provisional)
            # What the clock's own end brings about was not owed by anybody, so it is not late either.
            owed = clock.rule in transition.stops and clock.rule != transition.expiry_of
            if owed and clock.paused_since is None and local_date(self._at) > clock.due:
                late.append(f"LATE:{clock.rule}")
        return late

    def expire(self, clock_id: int) -> Clock | None:
        """Note that a running clock is over; None when it was noted before, or stopped in the meantime."""
        query = sa.select(CLOCK).where(CLOCK.c.id == clock_id, CLOCK.c.state == "RUNNING", CLOCK.c.expired.is_(None))
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        clock = clock_of(row)
        self._connection.execute(sa.update(CLOCK).where(CLOCK.c.id == clock.id).values(expired=self._at))
        self._note(clock.id, "EXPIRED", clock.due, CLOCK_ACTOR, provisional=clock.provisional)
        return clock

    def pause(self, pause: Pause, actor: Actor, cause: Matter) -> int:
        """Let an agency's running clocks stand still, but for those that were over before; returns how many."""
        found = [clock for clock in self._of(pause, "RUNNING") if clock.due >= pause.since]
        for clock in found:
            since_day = max(pause.since, clock.counts_from)
            values = {"state": "PAUSED", "paused_since": since_day}
            self._connection.execute(sa.update(CLOCK).where(CLOCK.c.id == clock.id).values(values))
            self._note(clock.id, "PAUSED", clock.due, actor, cause.number, provisional=clock.provisional)
        return len(found)

    def resume(self, resume: Resume, actor: Actor, cause: Matter) -> int:
        """Let an agency's paused clocks go on, due as many days later as they stood still; returns how many."""
        found = self._of(resume, "PAUSED")
        for clock in found:
            stood = (resume.until - (clock.paused_since or resume.until)).days
            days = clock.paused_days + max(stood, 0)
            due = self._due(clock, days)
            self._connection.execute(
                sa.update(CLOCK)
                .where(CLOCK.c.id == clock.id)
                .values(
                    state="RUNNING",
                    paused_since=None,
                    paused_days=days,
                    due=due.day,
                    nominal=due.nominal,
                    provisional=due.provisional,
                    expired=None,
                )
            )
            self._note(clock.id, "RESUMED", due.day, actor, cause.number, provisional=due.provisional)
        return len(found)

    def _of(self, effect: Pause | Resume, state: str) -> list[Clock]:
        query = sa.select(CLOCK).where(
            CLOCK.c.agency == effect.agency, CLOCK.c.rule.in_(effect.clocks), CLOCK.c.state == state
        )
        if effect.resources:
            matters = sa.select(MATTER.c.number).where(MATTER.c.resource.in_(effect.resources))
            query = query.where(CLOCK.c.matter.in_(matters))
        return [clock_of(row) for row in self._connection.execute(query).mappings().all()]

    def _due(self, clock: Clock, paused_days: int) -> Due:
        """A clock's due day as the law and the calendar are now, with the days on which it stood still added."""
        rule = self._law.rule(clock.rule, clock.division).rule
        # Only what counts seconds asks for the instant, and it counts from the action.
        counts_from = clock.started if rule.unit is Unit.SECONDS else clock.counts_from
        due = self._law.due(clock.rule, counts_from, self._calendar, clock.division)
        if not paused_days:
            return due
        later = due.day + timedelta(days=paused_days)
        if rule.roll_rest_day or rule.unit is Unit.WORKING_DAYS:
            return self._calendar.roll_rest_day(later, clock.division)
        return Due(later, later, due.provisional)

    def recompute(self, actor: Actor, reason: str) -> int:
        """Count every open clock again, after days or law changed; returns how many got another due day."""
        changed = 0
        for row in self._connection.execute(sa.select(CLOCK).where(CLOCK.c.state != "STOPPED")).mappings().all():
            clock = clock_of(row)
            due = self._due(clock, clock.paused_days)
            if (due.day, due.nominal, due.provisional) == (clock.due, clock.nominal, clock.provisional):
                continue
            self._connection.execute(
                sa.update(CLOCK)
                .where(CLOCK.c.id == clock.id)
                .values(due=due.day, nominal=due.nominal, provisional=due.provisional)
            )
            self._note(clock.id, "RECOMPUTED", due.day, actor, reason, provisional=due.provisional)
            changed += 1
        return changed

    def _note(
        self, clock: int, what: str, due: date, actor: Actor, reason: str | None = None, *, provisional: bool
    ) -> None:
        self._connection.execute(
            sa.insert(CLOCK_CHANGE),
            {
                "clock": clock,
                "what": what,
                "at": self._at,
                "due": due,
                "provisional": provisional,
                "account": actor.account,
                "reason": reason,
            },
        )
