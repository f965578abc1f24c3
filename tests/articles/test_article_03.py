"""Article 3: whoever takes part is of one of four types; baseline information is marked in the catalogue."""

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import entry
from tests.city_register import application, city, published
from tests.register import NOW, moved, of, refused


def test_article_03_an_agency_of_a_fifth_type_is_refused(register: Register) -> None:
    form = application(type="COMPANY")
    no = refused(register.open("onboarding", "apply", form, of("weather"), NOW), RefusalCode.E_FORM)
    assert no.detail.startswith("type:")
    assert "COMPANY" not in no.detail


def test_article_03_a_credit_code_with_a_wrong_check_character_is_refused_and_not_repeated(register: Register) -> None:
    form = application(credit_code="11441300007212348Q")
    no = refused(register.open("onboarding", "apply", form, of("weather"), NOW), RefusalCode.E_FORM)
    assert no.detail.startswith("credit_code:")
    assert "11441300007212348Q" not in no.reason_en


def test_article_03_baseline_information_is_marked_in_the_published_entry(register: Register) -> None:
    city(register)
    moved(published(register, entry(baseline=True)), "PUBLISHED")
    found = register.view().entry("lamp")
    assert found is not None
    assert found.baseline
