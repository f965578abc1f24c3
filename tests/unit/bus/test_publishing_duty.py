"""What a source owes to say of itself: when a heartbeat is due, and which word on which quarter is true."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bus.publishing.duty import (
    Reading,
    declaration_datum,
    declaration_due,
    declaration_of,
    declared,
    heartbeat_due,
    static_parts,
)
from compliance.entry import CatalogueEntry
from compliance.profiles import Law
from compliance.workdays import WorkCalendar
from connectors.table import SHANGHAI
from processors.freshness.quarters import quarters
from processors.freshness.state import State
from processors.freshness.words import (
    SECOND,
    At,
    Declaration,
    Declares,
    Key,
    Targets,
    millis,
    quarter_name,
    quarter_number,
)
from schemas.errors import UsageError
from schemas.resource import envelope
from schemas.words import FreshnessClass
from tests.catalogue import entry

LAW = Law.packaged("huizhou-2016", "state-council-2025", effective_date=date(2025, 1, 1))
CALENDAR = WorkCalendar.packaged()
KEY = Key("psb", "residence_permit")
NEVER = millis(datetime.min.replace(tzinfo=UTC))


def instant(text: str) -> int:
    return millis(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


STATIC = Targets(FreshnessClass.STATIC, instant("2026-01-01T00:00"))
NOW = instant("2026-07-02T10:00")


def word(at: str, quarter: str, mark: str | None = None, key: Key = KEY) -> tuple[int, Declaration]:
    says = Declares.NO_CHANGE if mark is None else Declares.HIGH_WATER
    return instant(at), Declaration(key, quarter_number(quarter), says, None if mark is None else instant(mark))


def known(*words: tuple[int, Declaration]) -> State:
    return declared(KEY, ((At(ms, "declaration.psb", offset), one) for offset, (ms, one) in enumerate(words)))


FIRST = word("2026-04-02T00:00", "2026Q1", "2026-04-01T12:00")


def due(
    state: State, unchanged_since: int | None = NEVER, complete_until: int = NOW - SECOND, targets: Targets = STATIC
) -> Declaration | None:
    return declaration_due(state, targets, Reading(complete_until, unchanged_since), LAW, CALENDAR, NOW)


@pytest.mark.parametrize(
    ("last", "found"),
    [(None, True), (NOW, False), (NOW - 4_999, False), (NOW - 5_000, True), (NOW + 1, True)],
    ids=["never sent", "just sent", "a moment too early", "due", "the clock was set back"],
)
def test_a_heartbeat_is_due_after_its_time(last: int | None, *, found: bool) -> None:
    assert heartbeat_due(last, NOW, 5_000) is found


def test_a_quarter_without_change_is_declared_unchanged() -> None:
    assert due(known(FIRST)) == Declaration(KEY, quarter_number("2026Q2"), Declares.NO_CHANGE)
    before = instant("2026-04-01T00:00") - 1
    assert due(known(FIRST), before) == Declaration(KEY, quarter_number("2026Q2"), Declares.NO_CHANGE)


@pytest.mark.parametrize("since", ["2026-04-01T00:00", "2026-05-01T00:00", "2026-07-01T08:00", None])
def test_a_change_in_the_quarter_or_one_that_may_hide_it_is_declared_with_the_mark(since: str | None) -> None:
    found = due(known(FIRST), None if since is None else instant(since))
    assert found == Declaration(KEY, quarter_number("2026Q2"), Declares.HIGH_WATER, NOW - SECOND)


def test_where_an_earlier_quarter_is_open_the_mark_covers_both() -> None:
    found = due(known())
    assert found == Declaration(KEY, quarter_number("2026Q2"), Declares.HIGH_WATER, NOW - SECOND)
    state = known((NOW, found))
    assert [one.covered for one in quarters(state, STATIC, (), LAW, CALENDAR, NOW)] == [True, True]


@pytest.mark.parametrize(
    "told",
    [word("2026-07-01T09:00", "2026Q2"), word("2026-07-01T09:00", "2026Q2", "2026-07-01T08:00")],
    ids=["unchanged", "up to a mark"],
)
def test_a_quarter_that_anybody_declared_is_not_declared_again(told: tuple[int, Declaration]) -> None:
    assert due(known(FIRST, told)) is None


@pytest.mark.parametrize(
    "told",
    [
        word("2026-06-30T23:59", "2026Q2"),
        word("2026-07-01T09:00", "2026Q2", "2026-06-30T12:00"),
        word("2026-07-01T09:00", "2026Q2", key=Key("psb", "residence_permit", "group")),
        word("2026-07-01T09:00", "2026Q2", key=Key("psb", "marriage")),
    ],
    ids=["unchanged, before its end", "a mark before its end", "a group of the fields", "another resource"],
)
def test_a_word_that_does_not_cover_the_quarter_does_not_stand_for_one(told: tuple[int, Declaration]) -> None:
    found = due(known(FIRST, told))
    assert found is not None
    assert quarter_name(found.quarter) == "2026Q2"


GROUP = Key("psb", "lamp", "place")


def lamps(**changes: Any) -> list[CatalogueEntry]:
    quarterly = {"fields": ["area"], "freshness": "STATIC", "update_frequency": "每季度"}
    return [entry(field_groups={"place": quarterly, "number": {"fields": ["number"]}}, **changes)]


def test_of_a_dynamic_resource_its_static_groups_are_declared() -> None:
    found = static_parts(lamps(), GROUP.whole, LAW, datetime.now(UTC))
    assert list(found) == [GROUP]
    assert found[GROUP].freshness is FreshnessClass.STATIC


def test_of_a_static_resource_the_whole_is_declared() -> None:
    static = lamps(freshness=FreshnessClass.STATIC, update_frequency="每季度")
    assert list(static_parts(static, GROUP.whole, LAW, datetime.now(UTC))) == [GROUP.whole]


def test_who_owns_nothing_of_a_resource_declares_no_group_of_it() -> None:
    assert not list(static_parts(lamps(), Key("edu", "lamp"), LAW, datetime.now(UTC)))


@pytest.mark.parametrize(
    ("said_of", "covers"),
    [(GROUP, True), (GROUP.whole, True), (Key("psb", "lamp", "number"), False), (Key("aic", "lamp", "place"), False)],
)
def test_a_word_on_the_whole_covers_a_group_and_one_on_another_does_not(said_of: Key, *, covers: bool) -> None:
    ms, one = word("2026-07-02T00:00", "2026Q2", "2026-07-01T12:00", said_of)
    state = declared(GROUP, [(At(ms, "declaration.psb", 0), one)])
    assert state.key == GROUP
    assert (due(state) is None) is covers


def test_nothing_is_declared_before_the_source_was_read_beyond_the_quarters_end() -> None:
    over = instant("2026-07-01T00:00")
    assert due(known(FIRST), complete_until=over - 1) is None
    assert due(known(FIRST), complete_until=over) is not None


def test_who_owes_no_quarter_declares_none() -> None:
    assert due(known(), targets=Targets(FreshnessClass.DYNAMIC, STATIC.duty_from)) is None
    assert due(known(), targets=Targets(FreshnessClass.STATIC, instant("2026-07-01T00:00"))) is None


# -- what people declare -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", Declares)
def test_what_a_person_declares_covers_the_quarter(says: Declares) -> None:
    found = declaration_of(KEY, STATIC, quarter_number("2026Q2"), says, NOW)
    assert found.says is says
    assert due(known(FIRST, (NOW, found))) is None


@pytest.mark.parametrize(
    ("targets", "quarter", "told"),
    [
        (None, "2026Q2", "owes no quarterly declaration"),
        (Targets(FreshnessClass.DYNAMIC, STATIC.duty_from), "2026Q2", "owes no quarterly declaration"),
        (STATIC, "2026Q3", "2026Q3 is not over"),
        (STATIC, "2025Q4", "did not owe residence_permit in 2025Q4"),
    ],
    ids=["no owner", "dynamic", "not over", "before it owed"],
)
def test_nobody_declares_what_is_not_owed(targets: Targets | None, quarter: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        declaration_of(KEY, targets, quarter_number(quarter), Declares.NO_CHANGE, NOW)


def test_a_declaration_is_read_as_it_was_written() -> None:
    codec = envelope("declaration")
    for says in Declares:
        told = declaration_of(KEY, STATIC, quarter_number("2026Q2"), says, NOW)
        assert (
            Declaration.from_datum(codec.decode_physical(codec.encode_physical(declaration_datum(told, NOW)))) == told
        )
