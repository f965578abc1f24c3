"""What the register says while the freshness worker leads: who owes what, outages, suspensions, groups of fields."""

from datetime import date, timedelta

import pytest

from bus.topics import FRESHNESS
from compliance.entry import FieldGroup
from compliance.models import Agency, OnboardingState
from compliance.register.kept import reckoning_of
from compliance.rulings import Outage, OutageState
from compliance.view import RegisterView
from compliance.workdays import Suspension
from processors.freshness.quarters import plain_due
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
from schemas.resource import packaged_text
from schemas.words import FreshnessClass
from tests.builders import PERMIT
from tests.freshness_desk import BEATS, CALENDAR, LAW, Topics, beat, opened, written
from tests.hall import NOW_MS, Hall
from tests.hall_register import POLICE


@pytest.fixture
def view() -> RegisterView:
    return Hall(packaged_text(PERMIT)).view


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
