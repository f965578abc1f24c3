"""Article 58: the first of supervision and authority to receive a complaint handles it and answers in writing."""

from datetime import date

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.procedures import CIVIL, days
from tests.register import AUTHORITY, CITY, NOW, SUPERVISION, moved, refused

COMPLAINT = {"about": "psb", "division": CITY, "statement": "迟迟不提供"}
RECEIPT = {"received_on": "2026-09-01", "file_number": "惠信诉1号"}
COPY = {"received_on": "2026-09-02", "file_number": "惠监诉9号"}
ANSWER = {"document": "答复1号", "finding": "属实"}


def test_article_58_the_first_to_receive_handles_and_the_other_links_its_copy(register: Register) -> None:
    number = moved(register.open("complaint", "file", COMPLAINT, CIVIL, NOW), "FILED").matter.number
    refused(register.act(number, "copy_at_supervision", COPY, SUPERVISION, NOW), RefusalCode.E_STATE)
    moved(register.act(number, "receive_at_authority", RECEIPT, AUTHORITY, NOW), "AT_AUTHORITY")
    refused(register.act(number, "receive_at_supervision", COPY, SUPERVISION, days(1)), RefusalCode.E_STATE)
    linked = moved(register.act(number, "copy_at_supervision", COPY, SUPERVISION, days(1)), "AT_AUTHORITY").matter
    assert linked.fact("copy_at_supervision", "file_number") == "惠监诉9号"
    # 及时 has no number: a target of 15 working days; Sunday 20 September is worked.
    assert [(clock.rule, clock.due) for clock in register.clocks()] == [("complaint_answer", date(2026, 9, 21))]
    assert not [m for m in register.matters("complaint") if m.number != number]


def test_article_58_no_complaint_ends_without_a_written_answer_of_the_office_that_handles_it(
    register: Register,
) -> None:
    number = moved(register.open("complaint", "file", COMPLAINT, CIVIL, NOW)).matter.number
    refused(register.act(number, "answer_at_supervision", ANSWER, SUPERVISION, NOW), RefusalCode.E_STATE)
    moved(register.act(number, "receive_at_supervision", RECEIPT, SUPERVISION, NOW), "AT_SUPERVISION")
    refused(register.act(number, "answer_at_authority", ANSWER, AUTHORITY, NOW), RefusalCode.E_STATE)
    unwritten = register.act(number, "answer_at_supervision", {"finding": "属实"}, SUPERVISION, NOW)
    assert "document" in refused(unwritten, RefusalCode.E_FORM).detail
    moved(register.act(number, "answer_at_supervision", ANSWER, SUPERVISION, days(1)), "ANSWERED")
    assert register.clocks() == ()
