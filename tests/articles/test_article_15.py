"""Article 15, the register's part: secrecy reviews stand on file before anything is supplied."""

from datetime import UTC, datetime

from compliance.register.service import Register
from compliance.writing import may_submit
from schemas.refusals import RefusalCode, Refused
from tests.catalogue import entry
from tests.city_register import city, published
from tests.register import NOW, moved, of, refused

REVIEW = {
    "number": "BM-2026-1",
    "resource": "lamp",
    "catalogue_version": 1,
    "reviewer": "某人",
    "reviewed_on": "2026-09-01",
    "valid_until": "2026-12-31",
    "result": "PASS",
    "conclusion": "不涉及国家秘密",
    "document": "保密审查表1号",
}
LAST = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
OVER = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)


def submits(register: Register, at: datetime, number: str = "BM-2026-1") -> object:
    return may_submit(register.view(), "psb", "lamp", 1, number, "NON_SECRET", at)


def test_article_15_nothing_is_supplied_before_the_review_and_after_its_last_day(register: Register) -> None:
    city(register)
    published(register, entry())
    no = submits(register, NOW)
    assert isinstance(no, Refused)
    assert no.code is RefusalCode.E_SECRECY_REVIEW
    made = moved(register.open("secrecy_review", "file", REVIEW, of("psb"), NOW), "ON_FILE")
    assert not isinstance(submits(register, LAST), Refused)
    assert register.tick(LAST) == ()
    assert isinstance(submits(register, OVER), Refused)
    [ended] = register.tick(OVER)
    assert (ended.matter.number, ended.matter.state) == (made.matter.number, "EXPIRED")
    assert ended.matter.flags == ()


def test_article_15_a_failed_or_withdrawn_review_admits_nothing(register: Register) -> None:
    city(register)
    published(register, entry())
    moved(
        register.open("secrecy_review", "file", {**REVIEW, "number": "F1", "result": "FAIL"}, of("psb"), NOW), "FAILED"
    )
    assert isinstance(submits(register, NOW, "F1"), Refused)
    number = moved(register.open("secrecy_review", "file", REVIEW, of("psb"), NOW)).matter.number
    moved(register.act(number, "revoke", {"reason": "密级变更"}, of("psb"), NOW), "REVOKED")
    assert isinstance(submits(register, NOW), Refused)
    assert register.clocks() == ()


def test_article_15_only_an_owner_files_for_what_the_catalogue_has(register: Register) -> None:
    city(register)
    refused(register.open("secrecy_review", "file", REVIEW, of("psb"), NOW), RefusalCode.E_NOT_IN_CATALOGUE)
    published(register, entry())
    refused(register.open("secrecy_review", "file", REVIEW, of("aic"), NOW), RefusalCode.E_OWNER)
    ahead = {**REVIEW, "reviewed_on": "2026-09-02"}
    assert refused(register.open("secrecy_review", "file", ahead, of("psb"), NOW), RefusalCode.E_FORM).field
    moved(register.open("secrecy_review", "file", REVIEW, of("psb"), NOW))
    refused(register.open("secrecy_review", "file", REVIEW, of("psb"), NOW), RefusalCode.E_CONFLICT)
