"""The freshness worker's desk without Kafka: the topics that it writes, and what sources say to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bus.freshness.desk import Desk
from bus.topics import ALARM, FRESHNESS
from compliance.profiles import Law
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from processors.batch import InMessage, Outgoing
from processors.freshness.targets import Limits
from processors.freshness.words import MINUTE, SECOND
from schemas.resource import envelope
from tests.builders import PERMIT
from tests.hall_register import POLICE

LAW, CALENDAR = Law.packaged("huizhou-2016"), WorkCalendar.packaged()
FRAMES = {FRESHNESS.pattern: b"", ALARM.pattern: b""}
BEATS = f"heartbeat.{POLICE}"
Said = tuple[InMessage, dict[str, Any] | None]


@dataclass
class Topics:
    """`freshness` and `alarm` as compaction leaves them, and everything that was written on `alarm`."""

    rows: dict[str, dict[bytes, dict[str, Any]]] = field(default_factory=lambda: {name: {} for name in FRAMES})
    told: list[dict[str, Any]] = field(default_factory=list)

    def write(self, due: Mapping[str, Sequence[Outgoing]]) -> None:
        for topic, messages in due.items():
            for message in messages:
                if message["value"] is None:
                    self.rows[topic].pop(message["key"])
                    continue
                row = envelope(topic).decode_physical(message["value"])
                self.rows[topic][message["key"]] = row
                if topic == ALARM.pattern:
                    self.told.append(row)

    @property
    def state(self) -> dict[str, Any]:
        [row] = self.rows[FRESHNESS.pattern].values()
        return row


def begun(view: RegisterView, topics: Topics, now: int) -> Desk:
    """A desk that catches up."""
    desk = Desk(LAW, CALENDAR, Limits(), FRAMES)
    desk.take_up(topics.rows[FRESHNESS.pattern], topics.rows[ALARM.pattern])
    desk.begin(view, now)
    return desk


def opened(view: RegisterView, topics: Topics, now: int) -> Desk:
    """A desk that had nothing to catch up with."""
    desk = begun(view, topics, now)
    desk.expect(view, now)
    return desk


def written(desk: Desk, topics: Topics, now: int) -> None:
    topics.write(desk.due(now))
    desk.written()


def beat(offset: int, at: int, agency: str = POLICE, group: str | None = None) -> Said:
    datum = {"agency": agency, "resource": PERMIT, "field_group": group, "sent_at": at, "complete_until": None}
    return InMessage(BEATS, 0, offset, at, None, None, {}), datum


def pulse(offset: int, at: int, admitted: int = 1) -> Said:
    datum = {
        "agency": POLICE,
        "resource": PERMIT,
        "admitted": admitted,
        "refused": 0,
        "withdrawn": 0,
        "corrected": 0,
        "earliest_business_time": at - SECOND,
        "latest_business_time": at - SECOND,
        "latest_published_at": at - SECOND,
        "earliest_appended_at": at - SECOND,
        "admitted_at": at,
    }
    return InMessage("pulse", 0, offset, at, None, None, {}), datum


def delivery(offset: int, at: int, lag: int) -> Said:
    datum = {
        "agency": POLICE,
        "resource": PERMIT,
        "grant": "g-1",
        "records": 3,
        "delivered_at": at,
        "admitted_at": at - lag,
        "business_time": at - lag - MINUTE,
    }
    return InMessage("bus.delivery-pulse", 0, offset, at, None, None, {}), datum
