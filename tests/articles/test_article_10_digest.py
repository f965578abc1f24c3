"""Article 10: what an agency supplied is what it has; a difference of digests becomes a case."""

from compliance.cases import flagged
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.procedures import CIVIL, CONFIRMED, NOTICE, POLICE, VERIFICATION, case, with_catalogue
from tests.register import NOW, OPERATOR, moved, refused

DIGEST = case(fields=None, event_id=None, key_range="00-3f", source_count=812, bus_count=811, compared_on="2026-09-01")


def test_article_10_a_difference_of_digests_is_a_case_at_the_owner_without_an_applicant(register: Register) -> None:
    with_catalogue(register)
    refused(register.open("data_case", "report_digest", DIGEST, CIVIL, NOW), RefusalCode.E_ROLE)
    matter = moved(register.open("data_case", "report_digest", DIGEST, OPERATOR, NOW), "RECEIVED").matter
    assert (matter.parties.requester, matter.parties.provider) == (None, "psb")
    assert flagged(register) == {}
    assert register.case_counts() == {("psb", "RECEIVED"): 1}
    moved(register.act(matter.number, "notify_owner", NOTICE, OPERATOR, NOW))
    moved(register.act(matter.number, "answer", CONFIRMED, POLICE, NOW))
    moved(register.act(matter.number, "report", VERIFICATION, OPERATOR, NOW))
    moved(register.act(matter.number, "close", None, OPERATOR, NOW), "CLOSED")
    assert register.case_counts() == {}
