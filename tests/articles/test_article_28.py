"""Article 28: names are compared with those of the police; a difference is a case at the owner, and the field is flagged."""

from compliance.cases import flagged
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.procedures import CIVIL, TOKEN, difference, with_catalogue
from tests.register import NOW, OPERATOR, moved, refused


def test_article_28_a_difference_of_names_is_a_case_that_names_two_events_and_no_person(register: Register) -> None:
    with_catalogue(register)
    form = difference(fields=["number"])
    refused(register.open("data_case", "report_name", form, CIVIL, NOW), RefusalCode.E_ROLE)
    matter = moved(register.open("data_case", "report_name", form, OPERATOR, NOW), "RECEIVED").matter
    assert matter.parties.provider == "psb"
    assert flagged(register) == {("lamp", TOKEN): frozenset({"number"})}
    named = refused(
        register.open("data_case", "report_name", {**form, "name": "金丝雀验收"}, OPERATOR, NOW), RefusalCode.E_FORM
    )
    assert "金丝雀" not in named.reason_en
