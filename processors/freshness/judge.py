"""How a source stands at an instant: lags against targets, silence, the quarter's duty; a pure function of the state.

A verdict also says when time alone will change it, so nobody has to ask again before.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.alarms import RULES, Alarm, AlarmCode
from processors.freshness.pauses import FOREVER, Pauses, Stretches, last_restored, overlap, paused_since
from processors.freshness.quarters import CLOCK, Quarter, late_until, quarters
from processors.freshness.state import NOTHING, State
from processors.freshness.words import (
    Targets,
    day_number,
    day_of_number,
    day_start,
    number_of_day,
    quarter_name,
    quarter_of,
    quarter_start,
)
from schemas.words import FreshnessClass

_DYNAMIC_CLOCK = "dynamic_update"


class Status(StrEnum):
    """A source in one word, the first that applies of: PAUSED, OVERDUE, SILENT, LAGGING, LATE, FRESH, UNKNOWN."""

    PAUSED = "PAUSED"
    OVERDUE = "OVERDUE"
    SILENT = "SILENT"
    LAGGING = "LAGGING"
    LATE = "LATE"
    FRESH = "FRESH"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a source stands; times in milliseconds, None where nothing is known.

    Attributes:
        alarms: what is wrong, in the order of the rules.
        next_at: before it time alone changes neither alarms nor status; None when only an event can.
        source_lag, bus_lag, delivery_lag: as last measured.
        age: how old the data of the latest deliveries were at most.
        quarter: the quarter that is due last, of a static source; it stands in `quarters` with all others.
        paused_since: since when the clocks stand still.
    """

    status: Status
    alarms: tuple[Alarm, ...] = ()
    next_at: int | None = None
    source_lag: int | None = None
    bus_lag: int | None = None
    delivery_lag: int | None = None
    age: int | None = None
    last_sign: int | None = None
    quarters: tuple[Quarter, ...] = ()
    paused_since: int | None = None

    @property
    def quarter(self) -> Quarter | None:
        """The latest quarter that is over."""
        return self.quarters[-1] if self.quarters else None

    @property
    def late(self) -> int:
        """How many changes of the quarters that are kept were supplied too late."""
        return sum(one.late for one in self.quarters)


@dataclass(slots=True)
class _Case:
    """A verdict while it is made."""

    state: State
    targets: Targets
    stretches: Stretches
    law: Law
    at: int
    paused: int | None
    alarms: list[Alarm] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def alarm(self, code: AlarmCode, since: int, about: str = "") -> None:
        clock = CLOCK if self.targets.freshness is FreshnessClass.STATIC else _DYNAMIC_CLOCK
        advisory = RULES[code].duty and _advises(self.law, day_number(self.at), clock, self.targets.division)
        if advisory and self.law.effective_date is not None:
            self.until(day_start(number_of_day(self.law.effective_date)))
        self.alarms.append(Alarm(code, self.state.key, since, about, advisory))

    def until(self, when: int) -> None:
        """Look again at an instant, if it is still to come."""
        if self.at < when < FOREVER:
            self.times.append(when)

    def counts(self, measured_at: int) -> bool:
        """Whether a lag that was measured then still says something about now."""
        if self.at >= measured_at + self.targets.evidence_for:
            return False
        self.until(measured_at + self.targets.evidence_for)
        return True


def judge(state: State, pauses: Pauses, targets: Targets, law: Law, calendar: WorkCalendar, at: int) -> Verdict:
    """How a source stands.

    Args:
        state: what its events told.
        pauses: the outages of its agency.
        targets: what it owes.
        law: the clocks that bind.
        calendar: the working days.
        at: the instant that is asked about, not before the last event.
    """
    stretches = pauses.stretches(state.key.resource)
    case = _Case(state, targets, stretches, law, at, paused_since(stretches, at))
    for since, until in stretches:
        case.until(since)
        case.until(until)
    last_sign = _silence(case)
    _skew(case)
    source_lag = _source_lag(case)
    bus_lag = _bus_lag(case)
    delivery_lag, age = _deliveries(case)
    _refusals(case)
    found = _quarters(case, calendar) if targets.freshness is FreshnessClass.STATIC else ()
    return Verdict(
        _status(case),
        tuple(case.alarms),
        min(case.times, default=None),
        source_lag,
        bus_lag,
        delivery_lag,
        age,
        last_sign,
        found,
        case.paused,
    )


def _silence(case: _Case) -> int | None:
    state, limit = case.state, case.targets.silent_after
    last = max(state.sign.received_at, state.published.admitted_at)
    if limit is not None and case.paused is None:
        since = max(last, case.targets.duty_from, last_restored(case.stretches, case.at)) + limit
        if case.at >= since:
            case.alarm(AlarmCode.SILENT, since)
        case.until(since)
    return None if last == NOTHING else last


def _skew(case: _Case) -> None:
    """A clock that is ahead shows in what it stamped; one that is behind in the heartbeats alone."""
    sign, supply, limit = case.state.sign, case.state.supply, case.targets.clock_tolerance
    if limit is None:
        return
    since = NOTHING
    if supply.admitted_at > sign.received_at:
        ahead = max(supply.published_at, supply.latest) - supply.admitted_at
        since = supply.admitted_at if ahead > limit else NOTHING
    if since == NOTHING and sign.received_at != NOTHING and abs(sign.sent_at - sign.received_at) > limit:
        since = sign.received_at
    if since != NOTHING:
        case.alarm(AlarmCode.CLOCK_SKEW, since)


def _source_lag(case: _Case) -> int | None:
    """From the latest evidence: a publication, or a heartbeat that says up to when the data are complete."""
    supply, complete = case.state.supply, case.state.complete
    if complete.received_at >= supply.admitted_at:
        measured_at, start, end = complete.received_at, complete.complete_until, complete.sent_at
    else:
        # What was true before the agency owed anything is an initial load, not a delay.
        owed = supply.earliest if supply.earliest >= case.targets.duty_from else supply.latest
        measured_at, start, end = supply.admitted_at, owed, max(supply.published_at, owed)
        if owed < case.targets.duty_from:
            return None
    if measured_at == NOTHING:
        return None
    lag = max(0, end - start) - overlap(case.stretches, start, end)
    limit = case.targets.source_lag
    if limit is not None and lag > limit and case.paused is None and case.counts(measured_at):
        case.alarm(AlarmCode.SOURCE_LAG, start + limit)
    return lag


def _bus_lag(case: _Case) -> int | None:
    """By the broker's clock and the bus's own, so that a source's wrong clock is no lag of the bus."""
    latest, limit = case.state.published, case.targets.bus_lag
    if latest.appended_at == NOTHING:
        return None
    lag = max(0, latest.admitted_at - latest.appended_at)
    if limit is not None and lag > limit and case.counts(latest.admitted_at):
        case.alarm(AlarmCode.ADMISSION_LAG, latest.appended_at + limit)
    return lag


def _deliveries(case: _Case) -> tuple[int | None, int | None]:
    lags, ages = [], []
    limit = case.targets.delivery_lag
    for grant, delivered in sorted(case.state.delivered.items()):
        lags.append(delivered.longest)
        if delivered.age != NOTHING:
            ages.append(delivered.age)
        if limit is not None and delivered.longest > limit and case.counts(delivered.at):
            case.alarm(AlarmCode.DELIVERY_LAG, delivered.at - delivered.longest + limit, grant)
    return max(lags, default=None), max(ages, default=None)


def _refusals(case: _Case) -> None:
    """Judged by the last day on which anything came, until that day or a better one is over."""
    traffic, limit = case.state.traffic, case.targets.refused_share
    if limit is None or not traffic:
        return
    day = max(traffic)
    last = traffic[day]
    over_at = day_start(day + 1)
    many = last.refused >= case.targets.refused_least and last.refused > limit * (last.refused + last.admitted)
    if many and case.at < over_at:
        case.alarm(AlarmCode.REFUSED_SHARE, last.refused_at)
        case.until(over_at)


def _quarters(case: _Case, calendar: WorkCalendar) -> tuple[Quarter, ...]:
    at = case.at
    found = tuple(quarters(case.state, case.targets, case.stretches, case.law, calendar, at))
    for one in found:
        name = quarter_name(one.quarter)
        if one.overdue_since is not None and case.paused is None:
            case.alarm(AlarmCode.STATIC_OVERDUE, one.overdue_since, name)
        if one.late and at < late_until(one):
            case.alarm(AlarmCode.STATIC_LATE, one.late_since, name)
            case.until(late_until(one))
        if one.contradicted_since is not None:
            case.alarm(AlarmCode.DECLARATION_CONTRADICTED, one.contradicted_since, name)
        if not one.covered:
            case.until(one.ends_at)
    case.until(quarter_start(quarter_of(at) + 1))
    return found


_RANK = {
    Status.OVERDUE: {AlarmCode.STATIC_OVERDUE},
    Status.SILENT: {AlarmCode.SILENT},
    Status.LAGGING: {AlarmCode.SOURCE_LAG, AlarmCode.ADMISSION_LAG, AlarmCode.DELIVERY_LAG},
    Status.LATE: {AlarmCode.STATIC_LATE},
}


def _status(case: _Case) -> Status:
    if case.paused is not None:
        return Status.PAUSED
    codes = {alarm.code for alarm in case.alarms}
    for status, among in _RANK.items():
        if codes & among:
            return status
    return Status.FRESH if case.state.seen else Status.UNKNOWN


@lru_cache(maxsize=4096)
def _advises(law: Law, day: int, clock: str, division: str | None) -> bool:
    return law.advisory(day_of_number(day), clock, division)
