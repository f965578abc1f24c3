"""Groups of fields: what is told of a resource is told of its groups, and a group's own word of it alone."""

from dataclasses import replace
from datetime import date, datetime

from compliance.catalogue import SHANGHAI
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from processors.freshness.alarms import AlarmCode
from processors.freshness.board import Board
from processors.freshness.groups import groups_of, parts
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
    Pulse,
    Targets,
    millis,
    quarter_number,
)
from schemas.resource import envelope
from schemas.words import FreshnessClass

WHOLE = Key("psb", "residence_permit")
PHOTO, SPOT = (Key("psb", "residence_permit", group) for group in ("photo", "spot"))
LAW = Law.packaged("huizhou-2016", effective_date=date(2025, 1, 1))
NOW = millis(datetime(2026, 2, 3, 10, tzinfo=SHANGHAI))
DUTY = NOW - 100 * DAY
DYNAMIC = Targets(FreshnessClass.DYNAMIC, DUTY, source_lag=15 * MINUTE, silent_after=15 * MINUTE)
OF_ROWS = {"bus_lag": None, "delivery_lag": None, "clock_tolerance": None, "refused_share": None}
STATIC = Targets(FreshnessClass.STATIC, DUTY)


class Source:
    """One resource with its groups on a board."""

    def __init__(self, whole: Targets, groups: dict[Key, Targets]) -> None:
        self.board, self._offset = Board(LAW, WorkCalendar.packaged()), 0
        self._groups = groups_of({WHOLE, *groups})
        for key, targets in {WHOLE: whole, **groups}.items():
            self.board.expect(key, targets, NOW)

    def told(self, event: Event, ms: int, offset: int | None = None) -> None:
        at = At(ms, "t/0", self._offset if offset is None else offset)
        self._offset += offset is None
        for part in parts(event, self._groups):
            self.board.observe(part, at)

    def codes(self, key: Key) -> set[str]:
        return {alarm.code.value for alarm in self.board.standing(key)}


def of_group(targets: Targets) -> Targets:
    return replace(targets, **OF_ROWS)


def row(ms: int, age: int, refused: int = 0) -> Pulse:
    return Pulse(WHOLE, ms, 3, refused, 0, 0, ms - age, ms - age, ms, ms, ms)


def test_rows_that_are_old_make_a_dynamic_group_late_while_its_static_resource_is_fresh() -> None:
    source = Source(replace(STATIC, duty_from=NOW - DAY), {SPOT: of_group(replace(DYNAMIC, duty_from=NOW - DAY))})
    source.told(row(NOW, HOUR), NOW)
    assert source.codes(SPOT) == {"SOURCE_LAG"}
    assert source.codes(WHOLE) == set()
    [alarm] = source.board.standing(SPOT)
    written = envelope("alarm").decode(envelope("alarm").encode_physical(alarm.to_datum(NOW)))
    assert (written["resource"], written["field_group"]) == ("residence_permit", "spot")
    assert alarm.name == "SOURCE_LAG|psb.residence_permit/spot|"
    source.told(row(NOW + MINUTE, SECOND), NOW + MINUTE)
    assert source.codes(SPOT) == set()


def test_a_static_group_of_a_dynamic_resource_is_due_by_quarter_and_its_declaration_clears_it_alone() -> None:
    source = Source(DYNAMIC, {PHOTO: of_group(STATIC), SPOT: of_group(STATIC)})
    source.told(row(NOW, SECOND), NOW)
    assert [alarm.about for alarm in source.board.standing(PHOTO)] == ["2025Q4"]
    assert (source.codes(PHOTO), source.codes(SPOT), source.codes(WHOLE)) == (2 * ({"STATIC_OVERDUE"},)) + (set(),)
    source.told(Declaration(PHOTO, quarter_number("2025Q4"), Declares.NO_CHANGE), NOW + SECOND)
    assert (source.codes(PHOTO), source.codes(SPOT)) == (set(), {"STATIC_OVERDUE"})
    source.told(Declaration(WHOLE, quarter_number("2025Q4"), Declares.HIGH_WATER, NOW), NOW + 2 * SECOND)
    assert source.codes(SPOT) == set()


def test_a_groups_word_is_no_word_on_the_resource() -> None:
    source = Source(STATIC, {PHOTO: of_group(STATIC)})
    source.told(Declaration(PHOTO, quarter_number("2025Q4"), Declares.HIGH_WATER, NOW), NOW)
    assert (source.codes(PHOTO), source.codes(WHOLE)) == (set(), {"STATIC_OVERDUE"})


def test_a_heartbeat_of_the_whole_is_one_of_each_group_and_a_groups_own_of_that_alone() -> None:
    source = Source(DYNAMIC, {PHOTO: of_group(DYNAMIC), SPOT: of_group(DYNAMIC)})
    keys = (WHOLE, PHOTO, SPOT)
    assert [source.codes(key) for key in keys] == 3 * [{"SILENT"}]
    source.told(Heartbeat(PHOTO, NOW), NOW)
    assert [source.codes(key) for key in keys] == [{"SILENT"}, set(), {"SILENT"}]
    source.told(Heartbeat(WHOLE, NOW + SECOND), NOW + SECOND)
    assert [source.codes(key) for key in keys] == 3 * [set()]


def test_whose_fields_a_late_row_changed_nobody_knows_so_it_is_told_at_the_resource_alone() -> None:
    """Late, after a declaration, and refused: of the resource, whose rows they are."""
    source = Source(STATIC, {PHOTO: of_group(STATIC)})
    source.told(Declaration(WHOLE, quarter_number("2025Q4"), Declares.NO_CHANGE), NOW)
    source.told(row(NOW + SECOND, 60 * DAY, refused=100), NOW + SECOND)
    assert source.codes(WHOLE) == {"STATIC_LATE", "DECLARATION_CONTRADICTED", "REFUSED_SHARE"}
    assert source.codes(PHOTO) == set()
    assert source.board.state(PHOTO).traffic == source.board.state(PHOTO).supplied == {}


def test_a_group_that_is_named_later_knows_what_was_said_of_the_whole_and_a_repeat_tells_it_nothing() -> None:
    said = Declaration(WHOLE, quarter_number("2025Q4"), Declares.HIGH_WATER, NOW)
    first = Source(DYNAMIC, {PHOTO: of_group(STATIC)})
    later = Source(DYNAMIC, {})
    for source in (first, later):
        source.told(said, NOW)
        source.told(row(NOW, SECOND), NOW)
    assert later.board.expect(PHOTO, of_group(STATIC), NOW).raised == ()
    assert later.board.state(PHOTO) == first.board.state(PHOTO)
    before = first.board.state(PHOTO)
    first.told(said, NOW, 0)
    assert first.board.state(PHOTO) is before
    # Named no more and named again, it begins anew.
    first.board.observe(Declaration(PHOTO, quarter_number("2025Q3"), Declares.NO_CHANGE), At(NOW, "t/0", 9))
    first.board.forget(PHOTO, NOW)
    assert first.board.state(PHOTO) == before


def test_a_delivery_concerns_no_group() -> None:
    groups = groups_of((WHOLE, PHOTO, Key("aic", "residence_permit", "photo")))
    assert groups[WHOLE] == (PHOTO,)
    delivery = DeliveryLag(WHOLE, "g-1", NOW, NOW - HOUR)
    assert parts(delivery, groups) == (delivery,)
    assert AlarmCode.DELIVERY_LAG not in {alarm.code for alarm in Source(DYNAMIC, {}).board.standing(PHOTO)}
