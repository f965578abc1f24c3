"""Cases about data: what an opening form must name, whose case it is, which clocks run under which law."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compliance.cases import flagged
from compliance.models import OwnerRule
from compliance.register.service import Register
from compliance.roles import Role
from compliance.workflows.data_case_rules import OPENINGS, origin_of
from schemas.refusals import RefusalCode
from tests.catalogue import entry, schema_text
from tests.procedures import (
    CIVIL,
    CONFIRMED,
    CORRECTED,
    EVENT,
    FINDING,
    NOTICE,
    OTHER_EVENT,
    POLICE,
    TOKEN,
    case,
    days,
    difference,
    objection,
    with_catalogue,
)
from tests.register import COUNTY, NOW, OPERATOR, both, moved, of, office, refused, sqlite_register

pytestmark = pytest.mark.parametrize("register", ["sqlite"], indirect=True)

NO_TOKEN = "441300199001011234"
SHARED = (
    OwnerRule(agencies=("psb",), divisions=("441300",)),
    OwnerRule(agencies=("aic", "civil_affairs"), divisions=("440100",)),
)


@pytest.mark.parametrize(
    ("action", "form", "word"),
    [
        ("object", objection(fields=None), "fields"),
        ("object", objection(event_id=None), "event_id or token"),
        ("object", objection(token=NO_TOKEN), "token"),
        ("object", objection(fields=["area", "area"]), "twice"),
        ("object", objection(fields=["height"]), "height"),
        ("report_discrepancy", case(), "both versions"),
        ("report_name", difference(token=None), "both events"),
        ("report_cross_check", difference(rule="死亡与户籍", compared_event=None), "both events"),
        ("report_digest", case(key_range="00-3f", source_count=-1, bus_count=1, compared_on="2026-09-01"), "source"),
    ],
)
def test_a_case_that_does_not_name_what_is_disputed_is_refused_in_words(
    register: Register, action: str, form: dict[str, Any], word: str
) -> None:
    with_catalogue(register)
    who = CIVIL if action in {"object", "report_discrepancy"} else OPERATOR
    answer = refused(register.open("data_case", action, form, who, NOW), RefusalCode.E_FORM)
    assert word in answer.detail
    assert NO_TOKEN not in answer.reason_en


def test_a_resource_outside_the_catalogue_has_no_cases(register: Register) -> None:
    assert not register.matters("data_case")
    refused(register.open("data_case", "object", objection(), CIVIL, NOW), RefusalCode.E_NOT_IN_CATALOGUE)


def test_the_owner_is_the_catalogues_and_must_be_named_where_it_has_several(register: Register) -> None:
    with_catalogue(register, entry(schema_text("bench"), owners=SHARED))
    there = {"resource": "bench", "division": "440103"}
    for owner in (None, "psb"):
        answer = register.open("data_case", "object", objection(**there, owner=owner), of("psb"), NOW)
        assert refused(answer, RefusalCode.E_FORM).field == "owner"
    named = register.open("data_case", "object", objection(**there, owner="aic"), CIVIL, NOW)
    assert moved(named).matter.parties.provider == "aic"
    alone = register.open("data_case", "object", objection(resource="bench"), CIVIL, NOW)
    assert moved(alone).matter.parties.provider == "psb"


def test_every_origin_is_read_from_what_opened_the_case_and_only_an_objection_has_the_articles_clock(
    register: Register,
) -> None:
    with_catalogue(register)
    digest = case(fields=None, event_id=None, key_range="0", source_count=1, bus_count=2, compared_on="2026-09-01")
    forms = {
        "object": (objection(), CIVIL),
        "report_discrepancy": (case(compared_event=OTHER_EVENT), CIVIL),
        "report_digest": (digest, OPERATOR),
        "report_name": (difference(), OPERATOR),
        "report_cross_check": (difference(rule="死亡与户籍"), OPERATOR),
    }
    assert forms.keys() == OPENINGS.keys()
    for action, (form, who) in forms.items():
        number = moved(register.open("data_case", action, form, who, NOW), "RECEIVED").matter.number
        matter = moved(register.act(number, "find_technical", FINDING, OPERATOR, days(1))).matter
        assert origin_of(matter) is OPENINGS[action]
        [running] = [clock for clock in register.clocks() if clock.matter == number]
        assert running.rule == ("technical_correction" if action == "object" else "case_correction")
    assert {clock.rule for clock in register.clocks(running=False)} == {
        "objection_verification",
        "case_verification",
        "technical_correction",
        "case_correction",
    }


def test_an_objection_to_the_format_of_a_resource_needs_no_record_and_flags_nothing(register: Register) -> None:
    with_catalogue(register)
    form = objection(about="FORMAT", fields=None, event_id=None)
    moved(register.open("data_case", "object", form, CIVIL, NOW))
    assert flagged(register) == {}


def test_two_cases_about_one_subject_flag_their_fields_together_until_each_is_closed(register: Register) -> None:
    with_catalogue(register)
    for field in ("area", "number"):
        moved(register.open("data_case", "report_name", difference(fields=[field]), OPERATOR, NOW))
    assert flagged(register) == {("lamp", TOKEN): frozenset({"area", "number"})}
    first = register.matters("data_case")[0].number
    moved(register.act(first, "find_unfounded", FINDING, OPERATOR, NOW))
    report = {"document": "报告", "archive_number": "1", "summary": "无误"}
    moved(register.act(first, "report", report, OPERATOR, NOW))
    moved(register.act(first, "close", None, OPERATOR, NOW), "CLOSED")
    assert flagged(register) == {("lamp", TOKEN): frozenset({"number"})}


def test_a_countys_operator_verifies_its_own_countys_cases_alone(register: Register) -> None:
    rules = (OwnerRule(agencies=("psb",)),)
    with_catalogue(register, entry(schema_text("bench"), owners=rules))
    form = objection(resource="bench", division=COUNTY)
    number = moved(register.open("data_case", "object", form, CIVIL, NOW)).matter.number
    stranger, own = office(Role.OPERATOR_COUNTY, "441302"), office(Role.OPERATOR_COUNTY, COUNTY)
    refused(register.act(number, "notify_owner", NOTICE, stranger, NOW), RefusalCode.E_ROLE)
    moved(register.act(number, "notify_owner", NOTICE, own, NOW), "NOTIFIED")


def test_an_owners_answer_says_whether_it_corrected_and_by_which_event(register: Register) -> None:
    with_catalogue(register)
    number = moved(register.open("data_case", "object", objection(), CIVIL, NOW)).matter.number
    moved(register.act(number, "notify_owner", NOTICE, OPERATOR, NOW))
    for wrong in (
        {**CONFIRMED, "correcting_event": EVENT},
        {**CORRECTED, "correcting_event": None},
        {**CORRECTED, "correcting_event": EVENT},
    ):
        refused(register.act(number, "answer", wrong, POLICE, NOW), RefusalCode.E_FORM)
    moved(register.act(number, "answer", CONFIRMED, POLICE, NOW), "OWNER_DONE")


def test_where_the_state_councils_regulation_binds_too_its_ten_working_days_run_beside(
    register: Register, tmp_path: Path
) -> None:
    del register
    (tmp_path / "both").mkdir()
    with sqlite_register(tmp_path / "both", both()) as both_laws:
        with_catalogue(both_laws)
        number = moved(both_laws.open("data_case", "object", objection(), CIVIL, NOW)).matter.number
        moved(both_laws.act(number, "notify_owner", NOTICE, OPERATOR, NOW))
        dues = {clock.rule: clock.due for clock in both_laws.clocks()}
        assert dues == {"owner_correction": date(2026, 9, 4), "correction_answer": date(2026, 9, 15)}
        found = moved(both_laws.open("data_case", "report_name", difference(), OPERATOR, NOW)).matter.number
        moved(both_laws.act(found, "notify_owner", NOTICE, OPERATOR, NOW))
        assert [clock.rule for clock in both_laws.clocks() if clock.matter == found] == ["case_owner_answer"]
        moved(both_laws.act(number, "answer", CONFIRMED, POLICE, days(20)))
        assert both_laws.matter(number).flags == ("LATE:owner_correction", "LATE:correction_answer")  # type: ignore[union-attr]
