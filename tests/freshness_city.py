"""A city of sources over two years, with faults planted and written down: what the rules must find, and no more.

60 agencies, 26 resources, every agency with two of them. Each fault has a stretch of its source's time to itself.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from random import Random

from compliance.catalogue import SHANGHAI
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.alarms import AlarmCode
from processors.freshness.quarters import plain_due
from processors.freshness.words import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    At,
    Declaration,
    Declares,
    DeliveryLag,
    Event,
    Heartbeat,
    Key,
    OutageAccepted,
    OutageEvent,
    OutageRestored,
    Pulse,
    Targets,
    day_start,
    millis,
    number_of_day,
    quarter_name,
    quarter_of,
    quarter_start,
)
from schemas.resource import packaged_resources, packaged_text, resource_schema
from schemas.words import FreshnessClass

START = millis(datetime(2025, 1, 1, tzinfo=SHANGHAI))
END = millis(datetime(2027, 1, 1, tzinfo=SHANGHAI))
BEAT = 4 * DAY
SLOT = 20 * DAY
CALENDAR = WorkCalendar.packaged()
LAW = Law.packaged("huizhou-2016", "state-council-2025", effective_date=date(2025, 1, 1))
CLASSES = {name: FreshnessClass(resource_schema(packaged_text(name)).freshness) for name in packaged_resources()}
DYNAMIC = Targets(FreshnessClass.DYNAMIC, START, source_lag=15 * MINUTE, silent_after=BEAT + 6 * HOUR)
STATIC = Targets(FreshnessClass.STATIC, START)
DYNAMIC_FAULTS = ("silent", "outage", "source_lag", "bus_lag", "delivery_lag", "ahead", "behind", "refused")
STATIC_FAULTS = ("missing", "premature", "late", "contradicted", "outage", "last_hour", "next_hour", "mark")
Fault = tuple[AlarmCode, Key, str]


class City:
    """The events of two years in their order, and the alarms that they must raise."""

    def __init__(self, seed: int = 1, agencies: int = 60) -> None:
        self._random = Random(seed)  # noqa: S311  made-up cities
        self._events: list[tuple[int, str, Event | OutageEvent]] = []
        self.planted: Counter[Fault] = Counter()
        self.sources: dict[Key, Targets] = {}
        names = sorted(CLASSES)
        for number in range(agencies):
            for step in (0, 7):
                resource = names[(number + step) % len(names)]
                key = Key(f"agency_{number:02}", resource)
                dynamic = CLASSES[resource] is FreshnessClass.DYNAMIC
                self.sources[key] = DYNAMIC if dynamic else STATIC
        for number, (key, targets) in enumerate(self.sources.items()):
            if targets is DYNAMIC:
                self._dynamic(key, number)
            else:
                self._static(key, number)

    def events(self) -> Iterator[tuple[Event | OutageEvent, At]]:
        """In the order of time, each with its place; one in fifty comes twice, as after a restart."""
        offsets: Counter[str] = Counter()
        for ms, partition, event in sorted(self._events, key=lambda item: item[0]):
            at = At(ms, partition, offsets[partition])
            offsets[partition] += 1
            yield event, at
            if self._random.random() < 0.02:
                yield event, at

    def _add(self, ms: int, event: Event | OutageEvent) -> None:
        if START <= ms < END:
            topic = {Pulse: "pulse", DeliveryLag: "delivered"}.get(type(event))
            agency = event.agency if isinstance(event, OutageAccepted | OutageRestored) else event.key.agency
            self._events.append((ms, topic or f"{type(event).__name__}.{agency}", event))

    # -- dynamic sources -------------------------------------------------------------------------------------------

    def _dynamic(self, key: Key, number: int) -> None:
        slots = list(range(2, (END - START) // SLOT - 1))
        self._random.shuffle(slots)
        faults = {slots[0]: DYNAMIC_FAULTS[number % 8], slots[1]: DYNAMIC_FAULTS[(number // 8 + 3) % 8]}
        for slot in range((END - START) // SLOT + 1):
            self._slot(key, START + slot * SLOT, faults.get(slot, ""))

    def _slot(self, key: Key, start: int, fault: str) -> None:
        """Twenty days of one source: a heartbeat every fourth day, something published on every fifth."""
        wrong = range(4, 16)
        skew = {"ahead": 10 * MINUTE, "behind": -10 * MINUTE}.get(fault, 0)
        for day in range(0, SLOT // DAY, 4):
            beat = start + day * DAY + self._random.randrange(4 * HOUR)
            if fault not in ("silent", "outage") or day not in wrong:
                sent = beat - SECOND + (skew if day in wrong else 0)
                self._add(beat, Heartbeat(key, sent, sent - MINUTE))
        for day in (1, 6, 11, 16):
            at = start + day * DAY + 8 * HOUR + self._random.randrange(8 * HOUR)
            self._publish(
                key,
                at,
                fault if day == 6 or (day == 11 and fault in ("silent", "outage")) else "",
                skew if day in wrong else 0,
            )
        if fault == "outage":
            self._add(
                start + 5 * DAY, OutageAccepted(key.agency, f"o-{start}", start + 3 * DAY, frozenset({key.resource}))
            )
            self._add(start + 15 * DAY, OutageRestored(key.agency, f"o-{start}", start + 15 * DAY))
        elif fault:
            self.planted[{**_CODES, "ahead": AlarmCode.CLOCK_SKEW, "behind": AlarmCode.CLOCK_SKEW}[fault], key, ""] += (
                fault != "delivery_lag"
            )

    def _publish(self, key: Key, at: int, fault: str, skew: int) -> None:
        if fault in ("silent", "outage"):
            return
        admitted = self._random.randrange(1, 50)
        bus = 5 * MINUTE if fault == "bus_lag" else SECOND
        published = at - bus - SECOND + skew
        latest = published - self._random.randrange(30 * SECOND, 9 * MINUTE)
        earliest = latest - (2 * HOUR if fault == "source_lag" else MINUTE)
        refused = 40 if fault == "refused" else self._random.randrange(2)
        self._add(at, Pulse(key, at, admitted, refused, 0, 0, earliest, latest, published, at - bus))
        lag = (10 * MINUTE) if fault == "delivery_lag" else 3 * SECOND
        self._add(at + lag, DeliveryLag(key, "g-1", at + lag, at, earliest))
        if fault == "delivery_lag":
            self.planted[AlarmCode.DELIVERY_LAG, key, "g-1"] += 1

    # -- static sources --------------------------------------------------------------------------------------------

    def _static(self, key: Key, number: int) -> None:
        first, last = quarter_of(START), quarter_of(END - 1)
        chosen = self._random.sample(range(first, last), 2)
        faults = {chosen[0]: STATIC_FAULTS[number % 8], chosen[1]: STATIC_FAULTS[(number // 8 + 5) % 8]}
        for quarter in range(first, last + 1):
            start, over = quarter_start(quarter), quarter_start(quarter + 1)
            for _ in range(self._random.randrange(1, 6)):
                at = start + self._random.randrange(10 * DAY, over - start)
                self._supply(key, at, start + self._random.randrange(at - start))
            if quarter < last:
                self._quarter(key, quarter, faults.get(quarter, ""))

    def _supply(self, key: Key, at: int, business_time: int) -> None:
        self._add(at, Pulse(key, at, 3, 0, 0, 0, business_time, business_time, at - SECOND))

    def _quarter(self, key: Key, quarter: int, fault: str) -> None:
        name, over = quarter_name(quarter), quarter_start(quarter + 1)
        due_day = number_of_day(plain_due(quarter, LAW, CALENDAR, None).day)
        due = day_start(due_day + 1)
        inside = over - 5 * DAY
        on_time = over + DAY + self._random.randrange(8 * DAY)
        # Changes of the quarter that come within the ten days, before the declaration.
        self._supply(key, over + self._random.randrange(DAY), inside)
        unchanged = Declaration(key, quarter, Declares.NO_CHANGE)
        complete = Declaration(key, quarter, Declares.HIGH_WATER, over)
        overdue = (AlarmCode.STATIC_OVERDUE, key, name)
        if fault == "missing":
            self.planted[overdue] += 1
            self._add(due + 12 * DAY, unchanged)
        elif fault == "premature":
            self.planted[overdue] += 1
            self._add(over - 20 * DAY, unchanged)
            self._add(due + 3 * DAY, unchanged)
        elif fault == "mark":
            self.planted[overdue] += 1
            self._add(on_time, Declaration(key, quarter, Declares.HIGH_WATER, over - 9 * DAY))
            self._add(due + 3 * DAY, complete)
        elif fault == "late":
            self.planted[overdue] += 1
            self.planted[AlarmCode.STATIC_LATE, key, name] += 1
            self._supply(key, due + 2 * DAY, inside)
            self._add(due + 3 * DAY, complete)
        elif fault == "contradicted":
            self.planted[AlarmCode.DECLARATION_CONTRADICTED, key, name] += 1
            self._add(over + 2 * DAY, unchanged)
            self._supply(key, over + 4 * DAY, inside)
            self._add(over + 6 * DAY, complete)
        elif fault == "outage":
            # Five days stood still: five more to supply in.
            self._add(
                over + 5 * DAY, OutageAccepted(key.agency, f"o-{name}", over + 4 * DAY, frozenset({key.resource}))
            )
            self._add(over + 9 * DAY, OutageRestored(key.agency, f"o-{name}", over + 9 * DAY))
            self._add(due + 4 * DAY, complete)
        elif fault == "last_hour":
            self._add(due - 1, complete)
        elif fault == "next_hour":
            self.planted[overdue] += 1
            self._add(due + SECOND, complete)
        else:
            self._add(on_time, complete if self._random.random() < 0.5 else unchanged)


_CODES = {
    "silent": AlarmCode.SILENT,
    "source_lag": AlarmCode.SOURCE_LAG,
    "bus_lag": AlarmCode.ADMISSION_LAG,
    "delivery_lag": AlarmCode.DELIVERY_LAG,
    "refused": AlarmCode.REFUSED_SHARE,
}
# A rest day, a make-up workday and an ordinary day end these quarters' time to supply.
DUE_DAYS = {"2025Q4": date(2026, 1, 12), "2026Q3": date(2026, 10, 10), "2025Q3": date(2025, 10, 10)}
