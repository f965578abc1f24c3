"""Article 51: four groups of indicators for each agency and period, each figure with the records it comes from."""

import pytest
from pydantic import ValidationError

from compliance.busfacts import BusFacts
from compliance.catalogue import local_date
from compliance.corrections import correction_marks
from compliance.figures import records
from compliance.indicator_table import INDICATORS, Group
from compliance.indicators import Value, indicators, values_of, weighted
from compliance.models import Contact, ContactRole
from compliance.period import period
from compliance.register.service import Register
from tests.catalogue import agencies
from tests.procedures import (
    CIVIL,
    CORRECTED,
    INCIDENT,
    NOTICE,
    OUTAGE,
    POLICE,
    days,
    objection,
    with_catalogue,
)
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, moved

THIRD_QUARTER = period("2026Q3")
FACTS = (
    BusFacts(
        agency="psb", resource="lamp", supplied=200, refused={"E_SCHEMA": 10}, late=19, denied=2, source="pulse@1-200"
    ),
)
RULES = {"kind": "SHARING_RULES", "division": CITY, "document": "共享规范", "dated": "2026-01-05"}


def _police(register: Register) -> dict[str, Value]:
    agency = register.view().agency("psb")
    assert agency is not None
    return {one.indicator.code: one for one in values_of(register, agency, THIRD_QUARTER, days(29), FACTS)}


def test_article_51_every_group_has_indicators_and_each_is_computed_with_its_records(register: Register) -> None:
    assert {one.group for one in INDICATORS.values()} == set(Group)
    three = tuple(Contact(role=role, name="某人", phone="0752-1") for role in ContactRole)
    with_catalogue(register, next(a for a in agencies() if a.code == "psb").model_copy(update={"contacts": three[:2]}))
    shown = moved(register.open("evidence", "enter", RULES, POLICE, NOW), "ENTERED").matter.number
    assert _police(register)["sharing_rules"].value == 0
    moved(register.act(shown, "confirm", {"reason": "已核"}, AUTHORITY, NOW), "CONFIRMED")
    case = moved(register.open("data_case", "object", objection(), CIVIL, NOW)).matter.number
    moved(register.act(case, "notify_owner", NOTICE, OPERATOR, NOW))
    moved(register.act(case, "answer", CORRECTED, POLICE, days(6)))
    outage = moved(register.open("outage", "report", OUTAGE, POLICE, days(4))).matter.number
    leak = moved(register.open("incident", "report", {**INCIDENT, "unit": "psb"}, OPERATOR, NOW)).matter.number
    found = _police(register)
    assert (found["sharing_rules"].value, found["sharing_rules"].records) == (1, (shown,))
    assert (found["named_persons"].good, found["named_persons"].total) == (2, 3)
    assert (found["conformance"].value, found["conformance"].records) == (0.95, ("bus:psb/lamp: pulse@1-200",))
    assert found["punctuality"].value == 0.9
    assert (found["corrections"].value, found["corrections"].records) == (0, (f"{case}#owner_correction",))
    assert (found["wrong_data"].value, found["wrong_data"].score, found["wrong_data"].records) == (1, 90, (case,))
    assert (found["over_scope"].value, found["over_scope"].score) == (2, 90)
    assert (found["leaks"].score, found["leaks"].records) == (50, (leak,))
    assert (found["outage_notices"].value, found["outage_notices"].records) == (0, (outage,))
    # Nothing was owed, so nothing is judged.
    assert (found["answers"].value, found["answers"].score) == (None, None)


def test_article_51_figures_are_made_again_as_they_were_and_weights_are_configuration(register: Register) -> None:
    with_catalogue(register)
    police = register.view().agencies()[0]
    before = indicators(register, (police,), THIRD_QUARTER, NOW, FACTS)
    case = moved(register.open("data_case", "object", objection(), CIVIL, days(1))).matter.number
    moved(register.act(case, "notify_owner", NOTICE, OPERATOR, days(1)))
    moved(register.act(case, "answer", CORRECTED, POLICE, days(2)))
    assert records(indicators(register, (police,), THIRD_QUARTER, NOW, FACTS)) == records(before)
    after = values_of(register, police, THIRD_QUARTER, days(3), FACTS)
    assert next(one for one in after if one.indicator.code == "wrong_data").records == (case,)
    assert weighted(after, {"wrong_data": 1}) == 90
    assert weighted(after, {"wrong_data": 1, "over_scope": 3, "answers": 50}) == 90
    assert weighted(after, {"answers": 1}) is None
    total = records(indicators(register, (police,), THIRD_QUARTER, days(3), FACTS, {"wrong_data": 1}))[-1]
    assert (total["indicator"], total["score"]) == ("total", 90)


def test_article_51_punctuality_is_of_what_had_a_time_to_keep(register: Register) -> None:
    with_catalogue(register)
    police = register.view().agencies()[0]

    def punctuality(**counted: int) -> Value:
        facts = (BusFacts(agency=police.code, resource="lamp", supplied=200, source="quality", **counted),)
        found = values_of(register, police, THIRD_QUARTER, days(29), facts)
        return next(one for one in found if one.indicator.code == "punctuality")

    assert (punctuality(timed=40, late=10).value, punctuality(timed=40, late=10).total) == (0.75, 40)
    assert punctuality(late=10).total == 200
    # Corrections and initial loads alone: nothing to judge.
    assert punctuality(timed=0).value is None
    with pytest.raises(ValidationError, match="late is more"):
        punctuality(timed=4, late=5)


def test_article_51_corrections_are_marked_from_the_clocks_of_the_cases(register: Register) -> None:
    with_catalogue(register)
    numbers = []
    for _ in range(3):
        case = moved(register.open("data_case", "object", objection(), CIVIL, NOW)).matter.number
        moved(register.act(case, "notify_owner", NOTICE, OPERATOR, NOW))
        numbers.append(case)
    moved(register.act(numbers[0], "answer", CORRECTED, POLICE, days(2)))
    moved(register.act(numbers[1], "answer", CORRECTED, POLICE, days(6)))

    def marked(day: int) -> dict[str, tuple[float, str, float | None]]:
        return {mark.of.record: (mark.value, mark.why, mark.measure) for mark in correction_marks(register, days(day))}

    assert marked(6) == {numbers[0]: (1, "", 2), numbers[1]: (0, "late", 4), numbers[2]: (0, "open", 4)}
    # What was not over yet, and what came later, nobody knew.
    assert marked(2) == {numbers[0]: (1, "", 2)}
    assert marked(1) == {}
    [one] = [mark for mark in correction_marks(register, days(6), "psb") if mark.of.record == numbers[2]]
    assert (one.of.agency, one.of.resource, one.of.day) == ("psb", "lamp", local_date(days(3)))
    assert list(correction_marks(register, days(6), "civil")) == []
