"""The freshness worker's table: what is written is all that a successor needs, and nothing is told twice."""

import tracemalloc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from bus.freshness.desk import Desk, event_of
from bus.freshness.shell import AllToOne
from bus.topics import ALARM, FRESHNESS
from compliance.entry import FieldGroup
from compliance.models import Agency, OnboardingState
from compliance.profiles import Law
from compliance.register.kept import reckoning_of
from compliance.rulings import Outage, OutageState
from compliance.view import RegisterView
from compliance.workdays import Suspension, WorkCalendar
from processors.batch import InMessage, Outgoing
from processors.freshness.quarters import plain_due
from processors.freshness.targets import Limits
from processors.freshness.words import (
    MINUTE,
    SECOND,
    day_number,
    day_of_number,
    day_start,
    number_of_day,
    quarter_name,
    quarter_of,
)
from schemas.resource import envelope, packaged_text
from schemas.words import FreshnessClass
from tests.builders import PERMIT
from tests.hall import NOW_MS, Hall
from tests.hall_register import POLICE

LAW, CALENDAR = Law.packaged("huizhou-2016"), WorkCalendar.packaged()
FRAMES = {FRESHNESS.pattern: b"", ALARM.pattern: b""}
BEATS = f"heartbeat.{POLICE}"
Said = tuple[InMessage, dict[str, Any] | None]


@pytest.fixture
def view() -> RegisterView:
    return Hall(packaged_text(PERMIT)).view


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


def behind(messages: Iterable[Said], positions: Mapping[str, int]) -> Iterator[Said]:
    """What a consumer reads that is set to positions."""
    return ((one, datum) for one, datum in messages if one.offset >= positions.get(f"{one.topic}/{one.partition}", 0))


# -- kills ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_however_often_the_lead_is_killed_the_table_ends_as_if_it_had_not_been(view: RegisterView, seed: int) -> None:
    """A dead lead's last messages may be written or not; the next one reads on from what is in the table."""
    random, messages, at = Random(seed), [], NOW_MS  # noqa: S311  tests must repeat
    for number in range(60):
        at += random.randrange(20 * MINUTE)
        # Transactions of admit leave gaps between pulses.
        messages.append(pulse(3 * number, at) if random.random() < 0.5 else beat(number, at))
    end = at + MINUTE
    whole, cut = Topics(), Topics()
    desk = opened(view, whole, NOW_MS)
    for said in messages:
        desk.observe(*said)
    written(desk, whole, end)
    kills = sorted(random.sample(range(1, 60), 5))
    for last in (*kills, 60):
        # It begins late: what came meanwhile is caught up with at the time of the next message, or later.
        desk = begun(view, cut, end)
        unread = list(behind(messages[:last], desk.positions))
        missed = random.randrange(len(unread) + 1)
        for number, said in enumerate(unread):
            if number == missed:
                desk.expect(view, said[0].append_ms)
            desk.observe(*said)
            if number > missed and number % 3 == 0:
                written(desk, cut, said[0].append_ms)
    desk = begun(view, cut, end)
    for said in behind(messages, desk.positions):
        desk.observe(*said)
    desk.expect(view, end)
    written(desk, cut, end)
    assert cut.state == whole.state
    # What was raised in between depends on who looked when; what stands, and that each end has its beginning, does not.
    open_alarms = [{row["alarm_id"]: row["cleared_at"] is None for row in one.told} for one in (whole, cut)]
    standing = [{alarm for alarm, stands in found.items() if stands} for found in open_alarms]
    assert standing[0] == standing[1]
    for alarm in open_alarms[1]:
        ends = [row["cleared_at"] is not None for row in cut.told if row["alarm_id"] == alarm]
        assert ends in ([False], [False, True])


def test_what_was_not_written_is_due_again(view: RegisterView) -> None:
    topics = Topics()
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    first = desk.due(NOW_MS + SECOND)
    desk.undone()
    assert desk.due(NOW_MS + SECOND) == first
    desk.written()
    assert desk.due(NOW_MS + SECOND) == {}


# -- alarms --------------------------------------------------------------------------------------------------------


def test_an_alarm_that_came_and_went_between_two_writings_was_never_told(view: RegisterView) -> None:
    topics = Topics()
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    written(desk, topics, NOW_MS)
    assert topics.told == []
    # Silent for an hour and heard of again, all between two looks.
    desk.observe(*beat(1, NOW_MS + 60 * MINUTE))
    written(desk, topics, NOW_MS + 60 * MINUTE + SECOND)
    assert topics.told == []
    written(desk, topics, NOW_MS + 90 * MINUTE)
    assert [(row["code"], row["owner"], row["cleared_at"]) for row in topics.told] == [("SILENT", POLICE, None)]
    assert desk.standing() == {("SILENT", POLICE, POLICE): 1}


def test_while_it_catches_up_nobody_is_judged_by_half_of_what_was_said(view: RegisterView) -> None:
    """A successor that begins an hour late: silence counts from the last word, as for one who heard all of them."""
    topics, whole = Topics(), Topics()
    words = [beat(number, NOW_MS + 10 * MINUTE * number) for number in range(6)]
    late = NOW_MS + 120 * MINUTE
    never_killed = opened(view, whole, NOW_MS)
    for said in words:
        never_killed.observe(*said)
    written(never_killed, whole, late)
    desk = opened(view, topics, NOW_MS)
    desk.observe(*words[0])
    written(desk, topics, NOW_MS)
    desk = begun(view, topics, late)
    for said in words[1:]:
        desk.observe(*said)
    desk.expect(view, late)
    written(desk, topics, late)
    assert [row["alarm_id"] for row in topics.told] == [row["alarm_id"] for row in whole.told] != []
    assert topics.state == whole.state


def test_a_successor_clears_an_alarm_with_the_time_at_which_it_was_raised(view: RegisterView) -> None:
    topics = Topics()
    raised, cleared = NOW_MS + 90 * MINUTE, NOW_MS + 100 * MINUTE
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    written(desk, topics, raised)
    desk = opened(view, topics, raised + SECOND)
    written(desk, topics, raised + SECOND)
    assert len(topics.told) == 1
    desk.observe(*beat(1, cleared))
    written(desk, topics, cleared)
    [first, second] = topics.told
    assert first["alarm_id"] == second["alarm_id"]
    assert (second["raised_at"], second["cleared_at"]) == (raised, cleared)
    assert desk.standing() == {}


@pytest.mark.parametrize("restarted", [False, True])
def test_who_is_not_connected_any_more_owes_nothing(view: RegisterView, restarted: bool) -> None:  # noqa: FBT001
    topics = Topics()
    desk = opened(view, topics, NOW_MS)
    written(desk, topics, NOW_MS)
    assert [row["code"] for row in topics.told] == ["SILENT"]
    agency = view.agency(POLICE)
    assert agency is not None
    gone = agency.model_copy(update={"state": next(one for one in OnboardingState if one.value != "CONNECTED")})
    view.apply(Agency.kind, POLICE, gone)
    if restarted:
        desk = opened(view, topics, NOW_MS + SECOND)
    else:
        desk.expect(view, NOW_MS + SECOND)
    written(desk, topics, NOW_MS + SECOND)
    assert [row["cleared_at"] is None for row in topics.told] == [True, False]
    assert topics.rows[FRESHNESS.pattern] == {}
    assert desk.statuses(NOW_MS) == desk.standing() == {}


# -- outages -------------------------------------------------------------------------------------------------------


def outage(view: RegisterView, started_on: date, restored_on: date | None = None, agency: str = POLICE) -> None:
    state = OutageState.ACCEPTED if restored_on is None else OutageState.RESTORED
    told = Outage(number="OUT-1", agency=agency, state=state, started_on=started_on, restored_on=restored_on)
    view.apply(told.kind, told.key, told)


def test_an_accepted_outage_clears_silence_and_its_end_counts_anew(view: RegisterView) -> None:
    topics, first = Topics(), day_of_number(day_number(NOW_MS))
    desk = opened(view, topics, NOW_MS)
    written(desk, topics, NOW_MS)
    assert topics.state["status"] == "SILENT"
    outage(view, first, agency="stats")
    desk.expect(view, NOW_MS + SECOND)
    written(desk, topics, NOW_MS + SECOND)
    assert topics.state["status"] == "SILENT"
    outage(view, first)
    desk.expect(view, NOW_MS + 2 * SECOND)
    written(desk, topics, NOW_MS + 2 * SECOND)
    assert topics.state["status"] == "PAUSED"
    assert [row["cleared_at"] for row in topics.told] == [None, NOW_MS + 2 * SECOND]
    # Who takes over knows it from the register.
    desk = opened(view, topics, NOW_MS + MINUTE)
    written(desk, topics, NOW_MS + MINUTE)
    assert (topics.state["status"], len(topics.told)) == ("PAUSED", 2)
    outage(view, first, first + timedelta(days=3))
    desk.expect(view, NOW_MS + 2 * MINUTE)
    begins = day_start(day_number(NOW_MS) + 3)
    for at, status in ((begins - 1, "PAUSED"), (begins + 15 * MINUTE - 1, "UNKNOWN"), (begins + 15 * MINUTE, "SILENT")):
        written(desk, topics, at)
        assert topics.state["status"] == status


def test_a_suspension_that_the_register_tells_moves_the_due_day_and_clears_what_is_not_overdue_yet() -> None:
    view = Hall(packaged_text(PERMIT), freshness=FreshnessClass.STATIC).view
    quarter = quarter_of(NOW_MS)
    due = plain_due(quarter, LAW, CALENDAR, "441300").day
    topics, late = Topics(), day_start(number_of_day(due) + 1)
    desk = opened(view, topics, late)
    written(desk, topics, late)
    assert topics.state["due_day"] == number_of_day(due)
    storm = Suspension(first=due, last=due, reason="台风")
    told = reckoning_of(storm)
    view.apply(told.kind, told.key, told)
    desk.expect(view, late + SECOND)
    written(desk, topics, late + SECOND)
    assert topics.state["due_day"] > number_of_day(due)
    cleared = [(row["code"], row["about"]) for row in topics.told if row["cleared_at"] is not None]
    assert cleared == [("STATIC_OVERDUE", quarter_name(quarter))]


# -- deliveries ----------------------------------------------------------------------------------------------------


def test_a_late_delivery_is_an_alarm_of_the_operator_until_two_minutes_are_in_time(view: RegisterView) -> None:
    desk, topics = opened(view, Topics(), NOW_MS), Topics()
    desk.observe(*beat(0, NOW_MS))
    desk.observe(*delivery(0, NOW_MS, 5 * MINUTE))
    desk.observe(*delivery(2, NOW_MS + SECOND, SECOND))
    written(desk, topics, NOW_MS + SECOND)
    [told] = topics.told
    assert (told["code"], told["about"], told["owner"], told["cleared_at"]) == ("DELIVERY_LAG", "g-1", "operator", None)
    assert topics.state["status"] == "LAGGING"
    assert (topics.state["delivery_lag_ms"], topics.state["age_ms"]) == (5 * MINUTE, 6 * MINUTE)
    desk.observe(*delivery(4, NOW_MS + 2 * MINUTE, SECOND))
    written(desk, topics, NOW_MS + 2 * MINUTE)
    assert [row["cleared_at"] for row in topics.told] == [None, NOW_MS + 2 * MINUTE]
    assert (topics.state["status"], topics.state["age_ms"]) == ("FRESH", SECOND + MINUTE)
    assert desk.positions["bus.delivery-pulse/0"] == 5


# -- groups of fields ----------------------------------------------------------------------------------------------


def grouped() -> RegisterView:
    """A dynamic resource with a group of its class and a static one."""
    spot = FieldGroup(fields=("sex_code",))
    photo = FieldGroup(fields=("name",), freshness=FreshnessClass.STATIC, update_frequency="每季度")
    return Hall(packaged_text(PERMIT), field_groups={"spot": spot, "photo": photo}).view


def test_beside_each_source_stand_its_groups_and_a_group_that_nobody_named_is_passed_over() -> None:
    desk, topics = opened(grouped(), Topics(), NOW_MS), Topics()
    desk.observe(*beat(0, NOW_MS))
    written(desk, topics, NOW_MS)
    found = {row["field_group"]: (row["freshness"], row["status"]) for row in topics.rows[FRESHNESS.pattern].values()}
    assert found == {None: ("DYNAMIC", "FRESH"), "spot": ("DYNAMIC", "FRESH"), "photo": ("STATIC", "FRESH")}
    assert sorted(topics.rows[FRESHNESS.pattern])[1:] == [
        f"{POLICE}.{PERMIT}/{group}".encode() for group in ("photo", "spot")
    ]
    desk.observe(*beat(1, NOW_MS, group="sopt"))
    assert desk.passed_over == {"heartbeat": 1}
    assert sum(desk.statuses(NOW_MS).values()) == 3


def test_a_successor_goes_on_with_the_groups_and_tells_nothing_twice() -> None:
    view, topics, silent = grouped(), Topics(), NOW_MS + 20 * MINUTE
    desk = opened(view, topics, NOW_MS)
    desk.observe(*beat(0, NOW_MS))
    desk.observe(*beat(1, silent - MINUTE, group="spot"))
    written(desk, topics, silent)
    assert [(row["code"], row["field_group"]) for row in topics.told] == [("SILENT", None)]
    # `spot` falls silent and is told by the successor, once; what is read again changes nothing.
    desk = opened(view, topics, silent + SECOND)
    desk.observe(*beat(1, silent - MINUTE, group="spot"))
    written(desk, topics, silent + SECOND)
    assert len(topics.told) == 1
    assert desk.positions[f"{BEATS}/0"] == 2
    written(desk, topics, silent + 15 * MINUTE)
    desk = opened(view, topics, silent + 16 * MINUTE)
    desk.observe(*beat(2, silent + 16 * MINUTE, group="spot"))
    written(desk, topics, silent + 16 * MINUTE)
    assert [(row["code"], row["field_group"], row["cleared_at"] is None) for row in topics.told[1:]] == [
        ("SILENT", "spot", True),
        ("SILENT", "spot", False),
    ]
    [raised, cleared] = topics.told[1:]
    assert (raised["alarm_id"], raised["raised_at"]) == (cleared["alarm_id"], cleared["raised_at"])


@pytest.mark.parametrize("restarted", [False, True])
def test_a_group_that_the_catalogue_names_no_more_is_cleared(restarted: bool) -> None:  # noqa: FBT001
    view, topics = grouped(), Topics()
    desk = opened(view, topics, NOW_MS)
    written(desk, topics, NOW_MS)
    told = {row["field_group"] for row in topics.told}
    assert told == {None, "spot"}
    entry = view.entry(PERMIT)
    assert entry is not None
    bare = entry.model_copy(update={"version": 2, "field_groups": {}})
    view.apply(bare.kind, bare.key, bare)
    if restarted:
        desk = opened(view, topics, NOW_MS + SECOND)
    else:
        desk.expect(view, NOW_MS + SECOND)
    written(desk, topics, NOW_MS + SECOND)
    assert [row["field_group"] for row in topics.told if row["cleared_at"] is not None] == ["spot"]
    assert list(topics.rows[FRESHNESS.pattern]) == [f"{POLICE}.{PERMIT}".encode()]


# -- what comes in -------------------------------------------------------------------------------------------------


def test_an_agency_speaks_for_itself_alone_and_what_says_nothing_is_counted(view: RegisterView) -> None:
    desk = opened(view, Topics(), NOW_MS)
    _, datum = beat(0, NOW_MS)
    with pytest.raises(ValueError, match="another agency's"):
        event_of("heartbeat.stats", datum)
    desk.observe(InMessage("heartbeat.stats", 0, 0, NOW_MS, None, None, {}), datum)
    desk.observe(InMessage(BEATS, 0, 7, NOW_MS, None, None, {}), None)
    desk.observe(InMessage(BEATS, 0, 8, NOW_MS, None, None, {}), {"agency": POLICE})
    desk.observe(*beat(9, NOW_MS, "stats"))
    assert desk.passed_over == {"heartbeat": 4}
    # And it is not read again.
    assert desk.positions == {"heartbeat.stats/0": 1, f"{BEATS}/0": 10}


def test_memory_does_not_grow_with_pulses(view: RegisterView) -> None:
    desk, topics = opened(view, Topics(), NOW_MS), Topics()

    def run(first: int, last: int) -> int:
        for number in range(first, last):
            desk.observe(*pulse(2 * number, NOW_MS + 100 * number))
            if number % 100 == 0:
                desk.due(NOW_MS + 100 * number)
                desk.written()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = run(0, 1_000)
        after = run(1_000, 4_000)
    finally:
        tracemalloc.stop()
    assert topics.told == []
    # Two bytes a pulse: one pointer kept of each would be eight.
    assert after - before < 6_000


# -- who leads -----------------------------------------------------------------------------------------------------


class Cluster:
    """What a client knows of the topics."""

    @staticmethod
    def partitions_for_topic(topic: str) -> set[int] | None:
        return {"pulse": {0}, "heartbeat.psb": {1, 0}}.get(topic)


def test_one_gets_everything_and_keeps_it_when_others_come() -> None:
    topics = ["pulse", "heartbeat.psb", "heartbeat.new"]
    leads, follows = AllToOne(lambda: True), AllToOne(lambda: False)
    found = follows.assign(Cluster(), {"b": follows.metadata(topics), "a": follows.metadata(topics)})
    assert {member: dict(one.assignment) for member, one in found.items()} == {
        "a": {"heartbeat.new": [], "heartbeat.psb": [0, 1], "pulse": [0]},
        "b": {},
    }
    found = follows.assign(Cluster(), {"b": leads.metadata(topics), "a": follows.metadata(topics)})
    assert [member for member, one in found.items() if one.assignment] == ["b"]
