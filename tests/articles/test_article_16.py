"""Article 16, the catalogue's part: every entry is marked dynamic or static with its frequency, and published so."""

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from schemas.words import FreshnessClass
from tests.catalogue import entry
from tests.city_register import city, published, wire
from tests.register import NOW, OPERATOR, refused


def test_article_16_frequency_and_class_agree_and_are_published(register: Register) -> None:
    city(register)
    wrong = {"entry": wire(entry(freshness=FreshnessClass.STATIC))}
    no = refused(register.open("catalogue", "draft", wrong, OPERATOR, NOW), RefusalCode.E_FORM)
    assert "E_FREQUENCY" in no.detail
    assert no.article == "16"
    lacking = {key: value for key, value in wire(entry()).items() if key != "update_frequency"}
    refused(register.open("catalogue", "draft", {"entry": lacking}, OPERATOR, NOW), RefusalCode.E_FORM)
    published(register, entry(update_frequency="每季度", freshness=FreshnessClass.STATIC))
    found = register.view().entry("lamp")
    assert found is not None
    assert (found.update_frequency, found.freshness) == ("每季度", FreshnessClass.STATIC)
