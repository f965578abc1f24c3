"""Article 5: who holds another value than the responsible agency reports it, and the responsible agency decides."""

from datetime import date

from compliance.register.service import Register
from compliance.workflows.data_case_rules import origin_of
from schemas.refusals import RefusalCode
from tests.procedures import CIVIL, CORRECTED, NOTICE, POLICE, case, days, with_catalogue
from tests.register import NOW, OPERATOR, moved, refused

OWN_FILE = "本单位台账第12号"


def test_article_05_a_discrepancy_goes_to_the_owner_with_both_versions_and_the_owner_decides(
    register: Register,
) -> None:
    with_catalogue(register)
    one_sided = register.open("data_case", "report_discrepancy", case(), CIVIL, NOW)
    assert "both versions" in refused(one_sided, RefusalCode.E_FORM).detail
    form = case(compared_record=OWN_FILE)
    matter = moved(register.open("data_case", "report_discrepancy", form, CIVIL, NOW), "RECEIVED").matter
    assert origin_of(matter).value == "DISCREPANCY"
    assert (matter.parties.requester, matter.parties.provider) == ("civil_affairs", "psb")
    assert matter.fact("report_discrepancy", "event_id") == form["event_id"]
    assert matter.fact("report_discrepancy", "compared_record") == OWN_FILE
    # Art 56's three working days bind filed objections; here a target of five counts.
    assert [(clock.rule, clock.due) for clock in register.clocks()] == [("case_verification", date(2026, 9, 8))]
    moved(register.act(matter.number, "notify_owner", NOTICE, OPERATOR, days(1)), "NOTIFIED")
    assert [clock.rule for clock in register.clocks()] == ["case_owner_answer"]
    same = {**CORRECTED, "correcting_event": form["event_id"]}
    assert refused(register.act(matter.number, "answer", same, POLICE, days(2)), RefusalCode.E_FORM).field
    moved(register.act(matter.number, "answer", CORRECTED, POLICE, days(2)), "OWNER_DONE")


def test_article_05_the_owner_itself_corrects_by_an_event_and_files_no_discrepancy(register: Register) -> None:
    with_catalogue(register)
    answer = register.open("data_case", "report_discrepancy", case(compared_record=OWN_FILE), POLICE, NOW)
    assert "supersedes" in refused(answer, RefusalCode.E_FORM).detail
