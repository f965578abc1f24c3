"""What the freshness worker knows while it leads: the board, what was told of it, and what is to be told next.

`freshness` is the table's own change log: each message holds a source's verdict, state and the positions up to which
the state was folded. All that changed is written in one transaction with its alarms, so the positions in it are true of
every source at once, and a successor goes on behind them. No client of Kafka is known here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bus.topics import ALARM, DECLARATION, DELIVERY_PULSE, FRESHNESS, HEARTBEAT, PULSE
from compliance.outages import excuses_in
from compliance.profiles import Law
from compliance.register.kept import calendar_with, kept_of, law_with
from compliance.rulings import Reckoning
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.batch import InMessage, Outgoing
from processors.freshness.alarms import Alarm
from processors.freshness.board import Board
from processors.freshness.groups import groups_of, parts
from processors.freshness.pauses import Pauses
from processors.freshness.report import standing_of
from processors.freshness.targets import Limits, owed
from processors.freshness.words import At, Declaration, DeliveryLag, Event, Heartbeat, Key, Pulse, Targets
from schemas.errors import SchemaError
from schemas.resource import envelope

_FRESHNESS, _ALARM = envelope(FRESHNESS.envelope or ""), envelope(ALARM.envelope or "")
_HEARTBEATS, _DECLARATIONS = (kind.pattern.split("<", maxsplit=1)[0] for kind in (HEARTBEAT, DECLARATION))
Rows = Mapping[bytes, Mapping[str, Any]]
Told = dict[str, tuple[Alarm, int]]


def expected(view: RegisterView, law: Law, limits: Limits, at: datetime) -> Iterator[tuple[Key, Targets]]:
    """The sources that the register knows: each connected agency's part of each entry that names it as owner.

    Beside each of them stand the groups of fields that the entry names.
    """
    for entry in view.entries():
        versions = view.versions(entry.resource)
        for code in sorted({code for one in versions for rule in one.owners for code in rule.agencies}):
            agency = view.agency(code)
            if agency is None or not agency.onboarded:
                continue
            yield from owed(versions, code, law, limits, at, agency.division).items()


def event_of(topic: str, datum: Mapping[str, Any]) -> Event:
    """The event of a decoded message.

    Raises:
        ValueError, KeyError, TypeError: it is no such event, or an agency speaks for another one.
    """
    if topic == PULSE.pattern:
        return Pulse.from_datum(datum)
    if topic == DELIVERY_PULSE.pattern:
        return DeliveryLag.from_datum(datum)
    beats = topic.startswith(_HEARTBEATS)
    event = Heartbeat.from_datum(datum) if beats else Declaration.from_datum(datum)
    if event.key.agency != topic.removeprefix(_HEARTBEATS if beats else _DECLARATIONS):
        # Only the agency itself may write there, so it decides whose word it is (Art 7).
        raise ValueError("the topic is another agency's")
    return event


class Desk:
    """The board of the one worker that leads.

    Args:
        law: the clocks that bind, before what counties set.
        calendar: the working days that are packaged; the register's come to them.
        limits: the operator's numbers.
        frames: frame heads of `freshness` and `alarm`.
    """

    def __init__(self, law: Law, calendar: WorkCalendar, limits: Limits, frames: Mapping[str, bytes]) -> None:
        self._law, self._limits, self._frames = law, limits, frames
        self._packaged = law, calendar
        self._reckonings: tuple[Reckoning, ...] = ()
        self._board = Board(law, calendar)
        self._wanted: dict[Key, Targets] = {}
        self._groups: Mapping[Key, tuple[Key, ...]] = {}
        self._expected: dict[Key, Targets] = {}
        # What `alarm` says of each source: by id, the alarm and when it was raised.
        self._told: dict[Key, Told] = {}
        self._pauses: dict[str, Pauses] = {}
        self._dirty: set[Key] = set()
        self._gone: set[Key] = set()
        self._pending: tuple[set[Key], set[Key], dict[Key, Told]] = set(), set(), {}
        self.positions: dict[str, int] = {}
        """By topic/partition the offset to go on with; of what is not there, the beginning."""
        self.passed_over: Counter[str] = Counter()
        """By kind of topic, the messages that nobody could read or that are about no source."""

    def take_up(self, freshness: Rows, alarms: Rows) -> None:
        """Go on from what was written: the latest values of `freshness` and of `alarm` by key."""
        for key, datum in ((_key_of(datum), datum) for datum in freshness.values()):
            self._board.restore(key, datum)
            self._told[key] = {alarm.alarm_id: (alarm, alarm.since) for alarm in standing_of(key, datum)}
            self._gone.add(key)
            for place, offset in datum["state"]["seen"].items():
                self.positions[place] = max(self.positions.get(place, 0), offset + 1)
        for row in alarms.values():
            told, alarm_id = self._told.get(_key_of(row), {}), row["alarm_id"]
            if alarm_id in told:
                told[alarm_id] = told[alarm_id][0], row["raised_at"]

    def begin(self, view: RegisterView, now: int) -> None:
        """Take over whose events count. Until `expect` they are folded and nobody is judged.

        Half of what was missed would make a source silent that is not, or silent since another instant.
        """
        if view.reckonings() != self._reckonings:
            self._reckonings, (law, calendar) = view.reckonings(), self._packaged
            kept = kept_of(self._reckonings)
            self._law = law_with(law, kept)
            self._dirty |= {one.key for one in self._board.reckon(self._law, calendar_with(calendar, kept), now)}
        self._wanted = dict(expected(view, self._law, self._limits, datetime.fromtimestamp(now / 1000, UTC)))
        self._groups = groups_of(self._wanted)
        pauses = {agency: Pauses.of(found) for agency, found in excuses_in(view).items()}
        for agency in pauses.keys() | self._pauses.keys():
            if pauses.get(agency) != self._pauses.get(agency):
                told = self._board.pause(agency, pauses.get(agency, Pauses()), now)
                self._dirty |= {one.key for one in told}
        self._pauses = pauses

    def expect(self, view: RegisterView, now: int) -> None:
        """Judge the sources that the register knows now, from here on; those that it knows no more are cleared."""
        self.begin(view, now)
        wanted = self._wanted
        for key, targets in wanted.items():
            if self._expected.get(key) != targets:
                self._board.expect(key, targets, now)
                self._dirty.add(key)
        for key in self._expected.keys() - wanted.keys():
            self._board.forget(key, now)
            self._gone.add(key)
        self._gone -= wanted.keys()
        self._dirty -= self._gone
        self._expected = wanted

    def observe(self, message: InMessage, datum: Mapping[str, Any] | None) -> None:
        """One message and what was read in it; None where nothing could be read."""
        kind, place = _kind_of(message.topic), f"{message.topic}/{message.partition}"
        self.positions[place] = max(self.positions.get(place, 0), message.offset + 1)
        try:
            event = None if datum is None else event_of(message.topic, datum)
        except (ValueError, KeyError, TypeError, SchemaError):
            event = None
        if event is None or event.key not in self._wanted:
            self.passed_over[kind] += 1
            return
        if self._expected:
            self._tick(message.append_ms)
        at = At(message.append_ms, place, message.offset)
        for part in parts(event, self._groups):
            self._dirty |= {one.key for one in self._board.observe(part, at)}

    def _tick(self, now: int) -> None:
        self._dirty |= {one.key for one in self._board.tick(now)}

    def due(self, now: int) -> dict[str, list[Outgoing]]:
        """What is to be written now, all of it in one transaction; nothing when nothing changed. Ends with `written`.

        Alarms are told against what was told last: one that came and went in between was never told.
        """
        self._tick(now)
        told: dict[Key, Told] = {}
        states: list[Outgoing] = []
        alarms: list[Outgoing] = []
        for key in sorted(self._dirty | self._gone):
            before = self._told.get(key, {})
            standing = self._board.standing(key) if key in self._expected else ()
            told[key] = {alarm.alarm_id: before.get(alarm.alarm_id, (alarm, now)) for alarm in standing}
            # Cleared ones first: what is wrong anew has the same key as what was wrong before.
            alarms += [self._alarm(*before[one], now) for one in sorted(before.keys() - told[key].keys())]
            alarms += [self._alarm(*told[key][one], None) for one in sorted(told[key].keys() - before.keys())]
            value = None
            if key in self._expected:
                datum = self._board.to_datum(key, now)
                value = self._frames[FRESHNESS.pattern] + _FRESHNESS.encode_physical(datum)
            states.append({"key": str(key).encode(), "value": value, "partition": 0})
        self._pending = self._dirty, self._gone, told
        self._dirty, self._gone = set(), set()
        return {topic: rows for topic, rows in ((ALARM.pattern, alarms), (FRESHNESS.pattern, states)) if rows}

    def _alarm(self, alarm: Alarm, raised_at: int, cleared_at: int | None) -> Outgoing:
        value = _ALARM.encode_physical(alarm.to_datum(raised_at, cleared_at))
        return {"key": alarm.name.encode(), "value": self._frames[ALARM.pattern] + value, "partition": 0}

    def written(self) -> None:
        """What was due is on Kafka."""
        for key, told in self._pending[2].items():
            if told:
                self._told[key] = told
            else:
                self._told.pop(key, None)

    def undone(self) -> None:
        """What was due was not written: it is due again."""
        dirty, gone, _ = self._pending
        self._dirty |= dirty & self._expected.keys()
        self._gone |= gone - self._expected.keys()

    def statuses(self, now: int) -> Counter[tuple[str, str]]:
        """How many sources of each agency stand how, groups of fields too, by agency and status."""
        found = ((key.agency, self._board.verdict(key, now).status.value) for key in self._expected)
        return Counter(found)

    def standing(self) -> Counter[tuple[str, str, str]]:
        """How many alarms were told and stand, by code, agency and who must act."""
        return Counter(
            (alarm.code.value, alarm.key.agency, alarm.owner)
            for told in self._told.values()
            for alarm, _ in told.values()
        )


def latest(messages: Iterable[tuple[bytes, bytes | None]]) -> dict[bytes, bytes]:
    """The values that compaction would leave."""
    found: dict[bytes, bytes] = {}
    for key, value in messages:
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def _kind_of(topic: str) -> str:
    """`delivery-pulse` of `bus.delivery-pulse`, `heartbeat` of `heartbeat.psb`."""
    return topic.removeprefix("bus.").split(".", maxsplit=1)[0]


def _key_of(datum: Mapping[str, Any]) -> Key:
    return Key(datum["agency"], datum["resource"], datum["field_group"] or "")
