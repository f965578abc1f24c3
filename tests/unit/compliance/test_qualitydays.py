"""Figures of quality: scores over days, their trend, what took them down, each with the records it comes from."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from compliance.figures import records
from compliance.quality import Dimension, Mark, Of, Weights
from compliance.qualitydays import (
    Asked,
    DayQuality,
    quality,
    quality_below,
    quality_trend,
    read_quality_weights,
)
from schemas.errors import RegisterFileError

NOW = datetime(2026, 9, 20, 4, tzinfo=UTC)
FIRST, SECOND = date(2026, 9, 18), date(2026, 9, 19)


def score(
    dimension: str, records: int, value: int, *below: tuple[str, str], total: int | None = None
) -> dict[str, object]:
    rows = [{"record": record, "why": why, "value": 0, "at": 1_789_700_000_000} for record, why in below]
    return {
        "dimension": dimension,
        "records": records,
        "value": value * 1_000_000,
        "took": [0] * 8,
        "below": rows,
        "below_total": len(rows) if total is None else total,
    }


def day(resource: str, on: date, *scores: dict[str, object]) -> DayQuality:
    number = (on - date(1970, 1, 1)).days
    return DayQuality.from_datum({"agency": "psb", "resource": resource, "day": number, "scores": scores})


DAYS = (
    day("marriage", FIRST, score("CONFORMANCE", 10, 9, ("e-1", "E_CODE")), score("COMPLETENESS", 9, 9)),
    day("marriage", SECOND, score("CONFORMANCE", 30, 29, ("e-2", "E_SCHEMA"), total=5)),
    day("adoption", SECOND, score("TIMELINESS", 4, 3, ("e-3", "late"))),
)
CASES = (
    Mark(Dimension.CORRECTION, Of("psb", "marriage", FIRST, "CASE-1"), 1.0, "", 2.0),
    Mark(Dimension.CORRECTION, Of("psb", "marriage", SECOND, "CASE-2"), 0.0, "open", 4.0),
)


def test_scores_are_of_all_records_of_the_days_and_weighed() -> None:
    adoption, marriage = records(quality(DAYS, CASES, Asked(), Weights(correction=0), NOW))
    assert adoption["timeliness"] == adoption["total"] == 0.75
    assert (adoption["conformance"], adoption["records"]) == (None, ["quality:psb.adoption.2026-09-19"])
    # 38 of 40, not the mean of the days.
    assert (marriage["conformance"], marriage["completeness"], marriage["correction"]) == (0.95, 1, 0.5)
    assert marriage["total"] == pytest.approx(0.975)
    assert marriage["records"] == [
        "quality:psb.marriage.2026-09-18",
        "quality:psb.marriage.2026-09-19",
        "CASE-1",
        "CASE-2",
    ]


def test_only_what_is_asked_for_counts() -> None:
    assert records(quality(DAYS, CASES, Asked(agency="aic"), Weights(), NOW)) == []
    [only] = records(quality(DAYS, CASES, Asked(resource="marriage", last=FIRST), Weights(), NOW))
    assert (only["conformance"], only["correction"]) == (0.9, 1)
    [only] = records(quality(DAYS, CASES, Asked("psb", "marriage", SECOND), Weights(), NOW))
    assert (only["conformance"], only["completeness"], only["correction"]) == (0.9667, None, 0)


def test_the_trend_is_one_row_a_day() -> None:
    rows = records(quality_trend(DAYS, CASES, Asked(resource="marriage"), Weights(), NOW))
    assert [(row["day"], row["conformance"], row["correction"]) for row in rows] == [
        ("2026-09-18", 0.9, 1),
        ("2026-09-19", 0.9667, 0),
    ]


def test_many_days_are_named_by_the_first_and_the_last() -> None:
    days = [day("marriage", FIRST + timedelta(number), score("CONFORMANCE", 1, 1)) for number in range(5)]
    [row] = records(quality(days, (), Asked(), Weights(), NOW))
    assert row["records"] == ["quality:psb.marriage.2026-09-18 .. quality:psb.marriage.2026-09-22"]


def test_what_took_scores_down_is_listed_by_record_and_what_is_not_kept_is_counted() -> None:
    found = [
        (row["resource"], row["day"], row["dimension"], row["record"], row["why"])
        for row in records(quality_below(DAYS, CASES, Asked(), NOW))
    ]
    assert found == [
        ("adoption", "2026-09-19", "TIMELINESS", "e-3", "late"),
        ("marriage", "2026-09-18", "CONFORMANCE", "e-1", "E_CODE"),
        ("marriage", "2026-09-19", "CONFORMANCE", "", "另有 4 条未列出 (4 more)"),
        ("marriage", "2026-09-19", "CONFORMANCE", "e-2", "E_SCHEMA"),
        ("marriage", "2026-09-19", "CORRECTION", "CASE-2", "open"),
    ]


def test_weights_are_a_file_whose_errors_name_the_place(tmp_path: Path) -> None:
    file = tmp_path / "weights.yaml"
    file.write_text("timeliness: 3\nconsistency: 0\n", encoding="utf-8")
    assert read_quality_weights(file) == Weights(timeliness=3, consistency=0)
    file.write_text("timeliness: 3\nbeauty: 1\n", encoding="utf-8")
    with pytest.raises(RegisterFileError, match=r"weights\.yaml:2:1: beauty"):
        read_quality_weights(file)
