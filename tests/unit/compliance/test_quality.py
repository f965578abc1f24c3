"""Quality scores: each dimension with its edge, traceable to records, the same whatever the order of marks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from compliance.profiles import Law
from compliance.quality import (
    Dimension,
    Mark,
    Of,
    Score,
    Weights,
    completeness,
    conformance,
    consistency,
    correction,
    score,
    scores,
    timeliness,
    total,
    trend,
)
from compliance.workdays import WorkCalendar
from tests.examples import examples

DAY = date(2026, 9, 18)
NOON = datetime(2026, 9, 18, 4, tzinfo=UTC)
LAW, CALENDAR = Law.packaged("huizhou-2016"), WorkCalendar.packaged()


def of(record: str = "e-1", day: date = DAY, agency: str = "psb", resource: str = "marriage") -> Of:
    return Of(agency, resource, day, record)


def test_a_refused_change_does_not_conform_and_says_why() -> None:
    assert conformance(of()).value == 1
    assert conformance(of(), "E_CODE") == Mark(Dimension.CONFORMANCE, of(), 0, "E_CODE")


def test_completeness_is_the_share_of_wanted_fields_and_names_the_missing() -> None:
    mark = completeness(of(), ("a", "b", "c", "d"), {"a", "c", "more"})
    assert (mark.value, mark.why) == (0.5, "b, d")
    assert completeness(of(), (), ()).value == 1


@pytest.mark.parametrize(("after", "value"), [(timedelta(0), 0), (timedelta(milliseconds=-1), 1)])
def test_timely_is_before_the_first_instant_that_is_too_late(after: timedelta, value: int) -> None:
    due = NOON + timedelta(hours=1)
    mark = timeliness(of(), NOON, due + after, due)
    assert (mark.value, mark.why) == (value, "" if value else "late")
    assert mark.measure == pytest.approx(3600, abs=0.01)


def test_a_record_with_a_hit_is_inconsistent() -> None:
    assert consistency(of()).value == 1
    assert consistency(of(), ["name_by_number", "death_household", "name_by_number"]) == Mark(
        Dimension.CONSISTENCY, of(), 0, "death_household, name_by_number"
    )


@pytest.mark.parametrize(
    ("corrected", "now", "found"),
    [
        (date(2026, 9, 22), date(2026, 9, 30), (1, "", 3.0)),
        (date(2026, 9, 23), date(2026, 9, 30), (0, "late", 4.0)),
        (None, date(2026, 9, 23), (0, "open", 4.0)),
        (None, date(2026, 9, 22), None),
    ],
    ids=["in time", "late", "overdue", "still running"],
)
def test_a_correction_is_judged_by_the_owners_clock(
    corrected: date | None, now: date, found: tuple[float, str, float] | None
) -> None:
    """Told on Friday the 18th; Sunday the 20th is worked, so the third working day is Tuesday the 22nd."""
    mark = correction(of("case-1"), NOON, corrected, now, LAW, CALENDAR)
    assert (mark and (mark.value, mark.why, mark.measure)) == found


def test_a_score_is_traceable_to_its_records() -> None:
    marks = [conformance(of("e-1")), conformance(of("e-2"), "E_CODE"), conformance(of("e-3")), conformance(of("e-4"))]
    assert score(marks) == Score(0.75, ("e-1", "e-2", "e-3", "e-4"), (marks[1],))
    assert score([]) is None


def test_a_record_that_was_mended_counts_as_it_is_now_and_stays_in_the_trend() -> None:
    later = DAY + timedelta(days=3)
    marks = [consistency(of("e-1"), ["x"]), consistency(of("e-1", later)), consistency(of("e-2"))]
    found = scores(marks)[("psb", "marriage")][Dimension.CONSISTENCY]
    assert (found.value, found.records, found.below) == (1, ("e-1", "e-2"), ())
    days = trend(marks, Dimension.CONSISTENCY, "psb", "marriage")
    assert [(day, one.value) for day, one in days] == [(DAY, 0.5), (later, 1)]
    assert trend(marks, Dimension.CONSISTENCY, "psb", "adoption") == ()


def test_agencies_and_resources_are_told_apart() -> None:
    found = scores([conformance(of()), conformance(of(agency="aic")), conformance(of(resource="adoption"), "E_KEY")])
    assert {key: by[Dimension.CONFORMANCE].value for key, by in found.items()} == {
        ("aic", "marriage"): 1,
        ("psb", "adoption"): 0,
        ("psb", "marriage"): 1,
    }


def test_the_total_weighs_the_dimensions_that_have_marks() -> None:
    by = scores([conformance(of(), "E_CODE"), consistency(of())])[("psb", "marriage")]
    assert total(by, Weights()) == 0.5
    assert total(by, Weights(conformance=3)) == 0.25
    assert total(by, Weights(conformance=0, consistency=0)) is None
    with pytest.raises(ValidationError, match="no dimension has a weight"):
        Weights(conformance=0, completeness=0, timeliness=0, consistency=0, correction=0)
    with pytest.raises(ValidationError):
        Weights(conformance=-1)


def test_a_mark_is_a_share() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Mark(Dimension.CONFORMANCE, of(), 1.1)


def test_the_median_says_how_long_corrections_took() -> None:
    marks = [Mark(Dimension.CORRECTION, of(str(days)), 1, "", days) for days in (1, 2, 9)]
    found = score(marks)
    assert found is not None
    assert found.measure == 2


@settings(max_examples=examples(50), deadline=None)
@given(
    marks=st.lists(
        st.builds(
            Mark,
            st.sampled_from(Dimension),
            st.builds(
                Of,
                st.sampled_from("ab"),
                st.sampled_from("rs"),
                st.dates(DAY, DAY + timedelta(3)),
                st.sampled_from("123"),
            ),
            st.sampled_from([0.0, 0.25, 1.0]),
            st.sampled_from(["", "why"]),
            st.none() | st.sampled_from([1.0, 2.0]),
        ),
        max_size=12,
    ),
    random=st.randoms(use_true_random=False),
)
def test_neither_order_nor_repetition_of_marks_changes_a_score(marks: list[Mark], random: object) -> None:
    shuffled = marks + marks[:3]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found, again = scores(marks), scores(shuffled)
    assert found == again
    for (agency, resource), by in found.items():
        for one in by.values():
            assert 0 <= one.value <= 1
            ids = {mark.of.record for mark in marks if (mark.of.agency, mark.of.resource) == (agency, resource)}
            assert set(one.records) <= ids
            assert {mark.of.record for mark in one.below} <= set(one.records)
