"""Article 12: baseline information is co-signed by the staffing office before the government approves it."""

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import entry
from tests.city_register import RETURN, VERIFICATION, city, drafted, finish, wire
from tests.register import AUTHORITY, NOW, OPERATOR, STAFFING, moved, refused

SIGNED = {"document": "编办函1号", "signed_on": "2026-09-01"}


def test_article_12_a_baseline_entry_needs_the_staffing_offices_cosignature(register: Register) -> None:
    city(register)
    number = drafted(register, entry(baseline=True))
    no = refused(register.act(number, "verify", VERIFICATION, AUTHORITY, NOW), RefusalCode.E_STATE)
    assert no.article == "12"
    refused(register.act(number, "cosign", SIGNED, AUTHORITY, NOW), RefusalCode.E_ROLE)
    moved(register.act(number, "cosign", SIGNED, STAFFING, NOW), "COSIGNED")
    # A draft that changes is co-signed again.
    moved(register.act(number, "return", RETURN, AUTHORITY, NOW), "RETURNED")
    moved(register.act(number, "redraft", {"entry": wire(entry(baseline=True, content="新"))}, OPERATOR, NOW), "DRAFT")
    refused(register.act(number, "verify", VERIFICATION, AUTHORITY, NOW), RefusalCode.E_STATE)
    moved(register.act(number, "cosign", SIGNED, STAFFING, NOW), "COSIGNED")
    finish(register, number)
    found = register.view().entry("lamp")
    assert found is not None
    assert found.content == "新"
    assert register.matters("catalogue")[0].fact("approve", "approval_number")


def test_article_12_other_entries_are_not_cosigned(register: Register) -> None:
    city(register)
    number = drafted(register, entry())
    refused(register.act(number, "cosign", SIGNED, STAFFING, NOW), RefusalCode.E_STATE)
