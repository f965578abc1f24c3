"""What is marked of a record, a supply and a refusal, each with its edge; nothing but ids, codes and field names."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from compliance.crosschecks import packaged_crosschecks
from compliance.profiles import Law
from compliance.quality import Dimension
from compliance.workdays import WorkCalendar
from processors.crosscheck.facts import RecordFact, fact_of
from processors.crosscheck.words import Hit, Subject, Version
from processors.freshness.pauses import Outage, Pauses
from processors.freshness.words import DAY, HOUR, MINUTE, Key, Targets, day_number, millis
from processors.quality.marks import (
    WHOLE,
    Cell,
    Counted,
    Wants,
    asked_resources,
    refusal_mark,
    standing_marks,
    supply_mark,
)
from schemas.words import FreshnessClass

NOON = millis(datetime(2026, 9, 18, 4, tzinfo=UTC))
TODAY = day_number(NOON)
DUTY = millis(datetime(2026, 1, 1, tzinfo=UTC))
DYNAMIC = Targets(FreshnessClass.DYNAMIC, DUTY, source_lag=15 * MINUTE, bus_lag=MINUTE)
STATIC = Targets(FreshnessClass.STATIC, DUTY, division="441302")
WANTS = Wants(
    {"marriage": ("name", "day", "office", "state")},
    frozenset({"marriage"}),
    {Key("civil", "marriage"): DYNAMIC, Key("civil", "adoption"): STATIC},
    Law.packaged("huizhou-2016"),
    WorkCalendar.packaged(),
)
FACT = RecordFact(
    "marriage", b"t" * 16, b"", "e-1", 7, NOON - MINUTE, "civil", admitted_at=NOON, key_id="d1", supplies=True
)


def subject(*facts: RecordFact, hits: tuple[Hit, ...] = ()) -> Subject:
    return Subject({(fact.resource, fact.record): fact for fact in facts}, {hit.pair: hit for hit in hits})


def hit(left: RecordFact, right: RecordFact, *, asks_right: bool = False) -> Hit:
    sides = Version.of(left), Version.of(right)
    return Hit("name_by_number", left.token, *sides, ("name",), NOON, b"c", asks_right=asks_right)


def cell(dimension: Dimension, resource: str = "marriage") -> Cell:
    return Cell("civil", resource, TODAY, dimension)


def test_a_record_is_marked_on_the_day_of_its_admission_and_names_what_it_lacks() -> None:
    complete, consistent = standing_marks(subject(replace(FACT, missing=("day",))), WANTS)
    assert complete == Counted(cell(Dimension.COMPLETENESS), "e-1", 750_000, "day", NOON)
    assert consistent == Counted(cell(Dimension.CONSISTENCY), "e-1", WHOLE, "", NOON)


def test_what_was_wanted_when_it_came_is_missing_though_the_catalogue_wants_it_no_more() -> None:
    complete, _ = standing_marks(subject(replace(FACT, missing=("gone",))), WANTS)
    assert (complete.value, complete.why) == (800_000, "gone")


def test_a_hit_stands_on_the_record_whose_owner_it_asks() -> None:
    other = replace(FACT, resource="household", agency="psb", event_id="e-2")
    for asks_right, found in ((False, "name_by_number"), (True, "")):
        marks = standing_marks(subject(FACT, other, hits=(hit(FACT, other, asks_right=asks_right),)), WANTS)
        assert [mark.why for mark in marks if mark.cell == cell(Dimension.CONSISTENCY)] == [found]
        # Nobody compares the household's records here, and the catalogue does not know them.
        assert {mark.cell.resource for mark in marks} == {"marriage"}


def test_neither_what_is_gone_nor_what_is_older_than_facts_is_marked() -> None:
    assert standing_marks(subject(replace(FACT, present=False)), WANTS) == ()
    assert standing_marks(subject(replace(FACT, key_id=None)), WANTS) == ()


@pytest.mark.parametrize(("after", "value"), [(0, WHOLE), (1, 0)])
def test_a_dynamic_supply_is_late_beyond_the_sources_time_and_the_buss(after: int, value: int) -> None:
    true_at = NOON - 16 * MINUTE - after
    mark = supply_mark(replace(FACT, business_time=true_at), WANTS)
    assert mark == Counted(cell(Dimension.TIMELINESS), "e-1", value, "" if value else "late", NOON, 16 * 60)


@pytest.mark.parametrize(
    ("admitted", "value"),
    [
        # The tenth of October 2026 is a Saturday on which one works; the day ends at 16:00 UTC.
        (datetime(2026, 10, 10, 15, 59, 59, tzinfo=UTC), WHOLE),
        (datetime(2026, 10, 10, 16, tzinfo=UTC), 0),
    ],
)
def test_a_static_supply_is_late_after_the_quarters_due_day(admitted: datetime, value: int) -> None:
    fact = replace(FACT, resource="adoption", business_time=NOON, admitted_at=millis(admitted))
    mark = supply_mark(fact, WANTS)
    assert mark is not None
    assert (mark.value, mark.cell.dimension) == (value, Dimension.TIMELINESS)


def test_a_time_that_lies_ahead_is_a_wrong_clocks_and_no_early_supply() -> None:
    mark = supply_mark(replace(FACT, business_time=NOON + DAY), WANTS)
    assert mark is not None
    assert (mark.value, mark.took) == (WHOLE, 0)


@pytest.mark.parametrize(
    "fact",
    [
        replace(FACT, supplies=False),
        replace(FACT, business_time=DUTY - 1),
        replace(FACT, agency="psb"),
    ],
    ids=["a correction", "an initial load", "owes nothing"],
)
def test_what_has_no_time_to_keep_is_not_marked(fact: RecordFact) -> None:
    assert supply_mark(fact, WANTS) is None
    slow = replace(WANTS, targets={Key("civil", "marriage"): replace(DYNAMIC, source_lag=None)})
    assert supply_mark(FACT, slow) is None


@pytest.mark.parametrize(
    ("resource", "since", "until", "value"),
    [
        ("marriage", NOON - 20 * MINUTE, NOON - 5 * MINUTE, WHOLE),
        ("marriage", NOON - 20 * MINUTE, NOON - 6 * MINUTE, 0),
        ("adoption", NOON + 20 * DAY, NOON + 24 * DAY, WHOLE),
        ("adoption", NOON + 20 * DAY, NOON + 21 * DAY, 0),
    ],
)
def test_an_accepted_outage_adds_its_time(resource: str, since: int, until: int, value: int) -> None:
    """31 minutes, of which 16 are allowed; a supply of the 14th of October, four days after the quarter's due day."""
    admitted_at = NOON if resource == "marriage" else millis(datetime(2026, 10, 14, tzinfo=UTC))
    business_time = NOON - 31 * MINUTE if resource == "marriage" else NOON
    fact = replace(FACT, resource=resource, business_time=business_time, admitted_at=admitted_at)
    for pauses, expected in (({}, 0), ({"civil": Pauses({"o": Outage(since, until)})}, value)):
        mark = supply_mark(fact, replace(WANTS, pauses=pauses))
        assert mark is not None
        assert mark.value == expected


def record(operation: str, moved_at: int | None = None) -> dict[str, Any]:
    change = {
        "event_id": "e-1",
        "operation": operation,
        "business_time": NOON,
        "subject_division_code": "441302",
        "moved_at": moved_at,
    }
    return {"change": change, "submission": {"agency": "civil", "admitted_at": NOON + HOUR}, "compared": None}


@pytest.mark.parametrize(
    ("operation", "moved_at", "supplies"),
    [
        ("CREATE", None, True),
        ("UPDATE", None, True),
        ("CANCEL", None, True),
        ("CORRECT", None, False),
        ("WITHDRAW", None, False),
        ("MOVE", NOON, False),
        ("UPDATE", NOON, False),
    ],
)
def test_only_what_is_new_here_is_a_supply(operation: str, moved_at: int | None, *, supplies: bool) -> None:
    assert fact_of("marriage", 3, b"k" * 32, record(operation, moved_at)).supplies is supplies


def test_a_refusal_is_traceable_and_repeats_nothing_that_an_agency_made_up() -> None:
    datum = {
        "agency": "civil",
        "resource": "marriage",
        "refused_at": NOON,
        "code": "E_CODE",
        "event_id": "0b5f6a3e-8f59-4a8c-9c3e-0d4f0c1f7f10",
        "detail": "x",
    }
    whole = Counted(cell(Dimension.CONFORMANCE), datum["event_id"], 0, "E_CODE", NOON)
    assert refusal_mark(datum, "refused.civil/0@5") == whole
    for strange in ("somebody's name", None):
        assert refusal_mark({**datum, "event_id": strange}, "refused.civil/0@5").record == "refused.civil/0@5"
    with pytest.raises(ValueError, match="is not a valid RefusalCode"):
        refusal_mark({**datum, "code": "somebody"}, "refused.civil/0@5")


def test_asked_are_the_resources_to_whose_owner_a_case_can_go() -> None:
    checks = packaged_crosschecks().checks
    asked = asked_resources(checks)
    for check in checks:
        side = check.right if check.asks == "RIGHT" and check.right else check.left
        assert set(side.resources) <= asked
    assert asked_resources(()) == frozenset()
