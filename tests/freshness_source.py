"""One source, watched: what it and the bus say of it in the order in which it comes, a verdict at any time."""

from datetime import date, datetime

from compliance.catalogue import SHANGHAI
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.judge import Verdict, judge
from processors.freshness.pauses import Pauses, observe_outage
from processors.freshness.state import State, observe
from processors.freshness.words import (
    MINUTE,
    SECOND,
    At,
    Declaration,
    Declares,
    Event,
    Heartbeat,
    Key,
    OutageAccepted,
    OutageEvent,
    OutageRestored,
    Pulse,
    Targets,
    millis,
    quarter_number,
)
from schemas.words import FreshnessClass

KEY = Key("psb", "residence_permit")
LAW = Law.packaged("huizhou-2016", effective_date=date(2025, 1, 1))
CALENDAR = WorkCalendar.packaged()


def instant(text: str) -> int:
    """Milliseconds of a local time in Asia/Shanghai."""
    return millis(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


DUTY = instant("2025-10-01T00:00")
NOW = instant("2026-03-02T10:00")
DYNAMIC = Targets(FreshnessClass.DYNAMIC, DUTY, source_lag=15 * MINUTE, silent_after=15 * MINUTE)
STATIC = Targets(FreshnessClass.STATIC, DUTY)


class Watched:
    """One source: events in the order in which they come, a verdict at any time."""

    def __init__(self, targets: Targets, law: Law = LAW) -> None:
        self.state, self.pauses = State(KEY), Pauses()
        self._targets, self._law, self._offset = targets, law, 0

    def add(self, *events: tuple[int, Event | OutageEvent]) -> "Watched":
        for ms, event in events:
            at = At(ms, "t/0", self._offset)
            self._offset += 1
            if isinstance(event, OutageAccepted | OutageRestored):
                self.pauses = observe_outage(self.pauses, event, at)
            else:
                self.state = observe(self.state, event, at)
        return self

    def at(self, ms: int) -> Verdict:
        return judge(self.state, self.pauses, self._targets, self._law, CALENDAR, ms)

    def codes(self, ms: int) -> set[str]:
        return {alarm.code.value for alarm in self.at(ms).alarms}


def beat(ms: int, behind: int | None = 0, skew: int = 0) -> tuple[int, Heartbeat]:
    return ms, Heartbeat(KEY, ms + skew, None if behind is None else ms + skew - behind)


def pulse(ms: int, lag: int = MINUTE, transit: int = SECOND, admitted: int = 3, refused: int = 0) -> tuple[int, Pulse]:
    published = ms - transit
    return ms, Pulse(KEY, ms, admitted, refused, 0, 0, published - lag, published - lag, published, ms - transit)


def supply(at: str, business_time: str) -> tuple[int, Pulse]:
    ms, true_since = instant(at), instant(business_time)
    return ms, Pulse(KEY, ms, 3, 0, 0, 0, true_since, true_since, ms)


def declare(at: str, quarter: str, mark: str | None = None) -> tuple[int, Declaration]:
    says = Declares.NO_CHANGE if mark is None else Declares.HIGH_WATER
    return instant(at), Declaration(KEY, quarter_number(quarter), says, None if mark is None else instant(mark))
