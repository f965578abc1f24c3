"""Quality beside the cross-checks: sums as they should be, told when they change, gone with their day, never twice."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.crosscheck.book import KEPT_DAYS, Graded
from bus.crosscheck.store import Changes
from compliance.quality import Dimension
from compliance.register.kept import reckoning_of
from compliance.rulings import Outage, OutageState
from compliance.workdays import Suspension
from processors.crosscheck.facts import RecordFact
from processors.freshness.words import DAY, HOUR, MINUTE, day_number, day_of_number, millis
from processors.quality.marks import HAPPENED, STANDS, WHOLE, Cell, Counted
from processors.quality.sums import LISTED, Place, Tally
from tests.examples import examples
from tests.quality_town import HEAD, KilledError, Town, Worker, catalogue, day_of, standing_pairs

NOON = millis(datetime(2026, 9, 18, 4, tzinfo=UTC))
TODAY = day_number(NOON)
TOKEN = b"t" * 16
EVENT = "0b5f6a3e-8f59-4a8c-9c3e-0d4f0c1f7f10"
LAMP = RecordFact(
    "lamp",
    TOKEN,
    b"",
    "e-1",
    0,
    NOON - MINUTE,
    "psb",
    digests={"area:CODE": b"a"},
    holds=frozenset({"same_area.left"}),
    admitted_at=NOON,
    key_id="d1",
    supplies=True,
)
WIRE = replace(LAMP, resource="wire", agency="aic", event_id="e-2", holds=frozenset({"same_area.right"}))


def pulse(admitted: int, agency: str = "psb", resource: str = "lamp", at: int = NOON) -> dict[str, Any]:
    return {"agency": agency, "resource": resource, "admitted": admitted, "admitted_at": at}


def refusal(**changes: Any) -> dict[str, Any]:
    return {
        "agency": "psb",
        "resource": "lamp",
        "refused_at": NOON,
        "code": "E_CODE",
        "event_id": EVENT,
        **changes,
    }


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(Town(), tmp_path / "store.db", NOON)
    yield made
    made.close()


def scores(town: Town, agency: str = "psb", resource: str = "lamp", day: int = TODAY) -> dict[str, tuple[int, float]]:
    datum = town.told()[day_of(agency, resource, day)]
    return {one["dimension"]: (one["records"], one["value"] / one["records"] / WHOLE) for one in datum["scores"]}


def below(town: Town, agency: str = "psb", resource: str = "lamp") -> set[tuple[str, str, str]]:
    datum = town.told()[day_of(agency, resource, TODAY)]
    return {(one["dimension"], row["record"], row["why"]) for one in datum["scores"] for row in one["below"]}


def test_records_late_incomplete_refused_and_in_a_hit_and_then_mended(worker: Worker) -> None:
    town = worker.town
    town.facts += [
        replace(LAMP, missing=("colour",), digests={"area:CODE": b"b"}),
        WIRE,
        replace(LAMP, token=b"u" * 16, event_id="e-3", business_time=NOON - HOUR),
    ]
    town.pulses += [pulse(2), pulse(1, "aic", "wire")]
    town.refusals += [refusal()]
    worker.through(NOON)
    assert standing_pairs(town) == {"same_area": 1}
    assert scores(town) == {
        "CONFORMANCE": (3, pytest.approx(2 / 3, abs=1e-6)),
        "COMPLETENESS": (2, 0.5),
        "TIMELINESS": (2, 0.5),
        "CONSISTENCY": (2, 0.5),
    }
    assert below(town) == {
        ("CONFORMANCE", EVENT, "E_CODE"),
        ("COMPLETENESS", "e-1", "colour"),
        ("TIMELINESS", "e-3", "late"),
        ("CONSISTENCY", "e-1", "same_area"),
    }
    assert scores(town, "aic", "wire") == {
        "CONFORMANCE": (1, 1),
        "COMPLETENESS": (1, 1),
        "TIMELINESS": (1, 1),
    }
    town.facts.append(replace(LAMP, version=3, event_id="e-4", supplies=False))
    town.pulses.append(pulse(1))
    worker.through(NOON)
    assert scores(town) == {
        "CONFORMANCE": (4, 0.75),
        "COMPLETENESS": (2, 1),
        "TIMELINESS": (2, 0.5),
        "CONSISTENCY": (2, 1),
    }
    assert worker.grading.latest(NOON)["psb", "lamp", "CONSISTENCY"] == 1


def test_a_day_is_told_when_it_changed_and_not_again(worker: Worker) -> None:
    worker.town.facts.append(LAMP)
    worker.through(NOON)
    told = len(worker.town.quality)
    worker.through(NOON)
    assert len(worker.town.quality) == told
    worker.town.pulses.append(pulse(1))
    worker.through(NOON)
    assert len(worker.town.quality) == told + 1
    datum = worker.town.told()[day_of("psb", "lamp", TODAY)]
    assert datum["seen"] == {"record.lamp/0": 1, "pulse/0": 1, "refused.psb/0": 0}


def test_an_accepted_outage_and_a_suspension_of_the_register_count(worker: Worker) -> None:
    view, day = catalogue(), day_of_number(TODAY)
    outage = Outage(number="OUT-1", agency="psb", state=OutageState.ACCEPTED, started_on=day)
    storm = reckoning_of(Suspension(first=day, last=day, reason="台风"))
    for model in (outage, storm):
        view.apply(model.kind, model.key, model)
    late = replace(LAMP, business_time=NOON - HOUR)
    before = worker.grading.wants
    worker.grading.want(view, NOON)
    assert not worker.grading.wants.calendar.is_workday(day)
    assert before.calendar.is_workday(day)
    calendar = worker.grading.wants.calendar
    worker.town.facts.append(late)
    worker.through(NOON)
    assert scores(worker.town)["TIMELINESS"] == (1, 1)
    outage = outage.model_copy(update={"state": OutageState.RESTORED, "restored_on": day})
    view.apply(outage.kind, outage.key, outage)
    worker.grading.want(view, NOON)
    # Due days are remembered by calendar: one that says the same stays.
    assert worker.grading.wants.calendar is calendar
    worker.town.facts.append(replace(late, version=1, event_id="e-2"))
    worker.through(NOON)
    assert scores(worker.town)["TIMELINESS"] == (2, 0.5)


def test_what_an_agency_makes_up_in_its_refusals_is_passed_over(worker: Worker) -> None:
    worker.town.refusals += [
        refusal(agency="aic"),
        refusal(resource="somebody"),
        refusal(code="E_SOMEBODY"),
        refusal(refused_at=NOON + DAY),
        {"strange": 1},
        refusal(event_id="somebody's name"),
    ]
    worker.through(NOON)
    assert below(worker.town) == {("CONFORMANCE", "refused.psb/0@5", "E_CODE")}
    assert set(worker.town.told()) == {day_of("psb", "lamp", TODAY)}


def test_a_record_that_is_gone_leaves_its_supply_and_a_day_without_marks_goes(worker: Worker) -> None:
    town = worker.town
    town.facts += [LAMP, replace(WIRE, supplies=False)]
    worker.through(NOON)
    town.facts += [replace(one, version=5, present=False, supplies=False) for one in (LAMP, WIRE)]
    worker.through(NOON)
    assert scores(town) == {"TIMELINESS": (1, 1)}
    assert dict(town.quality)[day_of("aic", "wire", TODAY).encode()] is None


def test_days_of_more_than_a_year_ago_are_gone_whatever_comes_of_them(worker: Worker) -> None:
    town = worker.town
    town.facts.append(replace(LAMP, missing=("colour",)))
    worker.through(NOON)
    later = NOON + (KEPT_DAYS + 1) * DAY
    worker.through(later).through(later)
    assert town.told() == {}
    town.facts.append(replace(LAMP, version=3, admitted_at=later, event_id="e-9", supplies=False))
    worker.through(later)
    assert set(town.told()) == {day_of("psb", "lamp", day_number(later))}
    assert worker.store.book.due(10) == []


def test_of_what_happened_only_the_newest_are_kept_and_of_what_stands_all(worker: Worker) -> None:
    cells = {kind: Cell("psb", "lamp", TODAY, kind) for kind in (Dimension.TIMELINESS, Dimension.COMPLETENESS)}
    for first in range(0, 2 * LISTED, LISTED):
        tally = Tally()
        for cell in cells.values():
            tally.count(Counted(cell, str(number), 0, "x", number) for number in range(first, first + LISTED))
        worker.store.keep(Changes(graded=Graded(tally=tally)), NOON)
    datum = worker.store.book.datum(Place("psb", "lamp", TODAY), {}, NOON)
    assert datum is not None
    for one in datum["scores"]:
        assert (one["records"], one["below_total"]) == (2 * LISTED, 2 * LISTED)
        assert [row["at"] for row in one["below"]] == list(range(2 * LISTED - 1, LISTED - 1, -1))
    gone = Tally()
    gone.count((Counted(cells[Dimension.COMPLETENESS], str(at), 0, "x", at) for at in range(LISTED, 2 * LISTED)), -1)
    worker.store.keep(Changes(graded=Graded(tally=gone)), NOON)
    datum = worker.store.book.datum(Place("psb", "lamp", TODAY), {}, NOON)
    assert datum is not None
    [complete] = [one for one in datum["scores"] if one["dimension"] == "COMPLETENESS"]
    assert [row["at"] for row in complete["below"]] == list(range(LISTED - 1, -1, -1))


def test_a_lost_store_goes_on_from_what_was_told_though_pulses_and_versions_are_gone(tmp_path: Path) -> None:
    town, path = Town(), tmp_path / "store.db"
    late = replace(LAMP, business_time=NOON - HOUR, missing=("colour",))
    town.facts += [late, WIRE]
    town.pulses += [pulse(5)]
    town.refusals += [refusal()]
    worker = Worker(town, path, NOON).through(NOON)
    told = town.told()
    worker.close()
    path.unlink()
    # Compaction leaves a hole where an earlier version stood; here it says nothing any more.
    town.facts[1] = replace(WIRE, present=False, supplies=False)
    town.pulses[0] = pulse(0)
    town.pulses.append(pulse(2))
    town.refusals.append(refusal(event_id=None))
    worker = Worker(town, path, NOON).through(NOON)
    assert scores(town)["CONFORMANCE"] == (9, pytest.approx(7 / 9, abs=1e-6))
    assert scores(town)["TIMELINESS"] == (1, 0)
    assert ("CONFORMANCE", EVENT, "E_CODE") in below(town)
    assert ("CONFORMANCE", "refused.psb/0@1", "E_CODE") in below(town)
    # The wire's supply happened, though nothing stands of it.
    assert scores(town, "aic", "wire") == {"TIMELINESS": (1, 1)}
    assert told[day_of("psb", "lamp", TODAY)]["seen"] == {"record.lamp/0": 1, "pulse/0": 1, "refused.psb/0": 1}
    worker.close()


@st.composite
def days_of_work(draw: st.DrawFn) -> Town:
    """Lamps and wires, pulses and refusals of three days."""
    town = Town()
    for version in range(draw(st.integers(0, 12))):
        lamp = draw(st.booleans())
        admitted_at = NOON + draw(st.integers(0, 2)) * DAY + version
        town.facts.append(
            replace(
                LAMP if lamp else WIRE,
                token=draw(st.sampled_from([b"t" * 16, b"u" * 16])),
                record=draw(st.sampled_from([b"", b"x"])),
                version=version,
                event_id=f"e-{version}",
                admitted_at=admitted_at,
                business_time=admitted_at - draw(st.sampled_from([0, 5, 40])) * MINUTE,
                digests={"area:CODE": draw(st.sampled_from([b"a", b"b"]))},
                missing=tuple(draw(st.sets(st.sampled_from(["area", "colour"])))),
                present=draw(st.sampled_from([True, True, True, False])),
                supplies=draw(st.booleans()),
            )
        )
    for _ in range(draw(st.integers(0, 5))):
        town.pulses.append(pulse(draw(st.integers(0, 9)), at=NOON + draw(st.integers(0, 2)) * DAY))
        town.refusals.append(refusal(event_id=None, refused_at=NOON + draw(st.integers(0, 2)) * DAY))
    return town


END = NOON + 4 * DAY


def one_run(town: Town, path: Path, step: Callable[[str], None], sizes: list[int]) -> None:
    """A worker that begins, works and ends, or ends before."""
    with suppress(KilledError):
        worker = Worker(town, path, END, step)
        try:
            worker.through(END, sizes)
        finally:
            worker.close()


@settings(max_examples=examples(25), deadline=None)
@given(town=days_of_work(), random=st.randoms(use_true_random=False))
def test_whatever_ends_or_is_lost_the_sums_that_were_told_are_those_of_all_that_came(
    town: Town, random: Random
) -> None:
    def may_end(_: str) -> None:
        if random.random() < 0.15:
            raise KilledError

    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        for _ in range(4):
            one_run(town, path, may_end, [random.randint(0, 3) for _ in range(4)])
            if random.random() < 0.3:
                path.unlink(missing_ok=True)
        worker = Worker(town, path, END).through(END)
        told, anew, happened = town.sums(), worker.anew(), town.happened(worker.grading.wants)
        worker.close()
    for dimensions, wanted in ((STANDS, anew), (HAPPENED, happened)):
        assert {cell: one for cell, one in told.sums.items() if cell.dimension in dimensions} == wanted.sums
        found = {mark: times for mark, times in told.below.items() if mark.cell.dimension in dimensions}
        assert found == {mark._replace(took=None): times for mark, times in wanted.below.items()}
    assert all(value is None or value.startswith(HEAD) for _, value in town.quality)
