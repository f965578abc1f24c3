"""Article 11: what sharing can give is not collected again, unless a law says so."""

from compliance.entry import FieldPolicy, OwnerRule
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import LAW, entry, field, schema_text
from tests.city_register import city, drafted, published, wire
from tests.register import NOW, OPERATOR, moved, refused

AGAIN = schema_text("torch", field("height", "灯杆高度"))
AIC = (OwnerRule(agencies=("aic",), divisions=("441300",)),)


def test_article_11_a_repeated_item_is_refused_with_a_pointer_to_its_source(register: Register) -> None:
    city(register)
    moved(published(register, entry(schema_text("lamp", field("height", "灯杆高度")))), "PUBLISHED")
    again = entry(AGAIN, owners=AIC)
    no = refused(register.open("catalogue", "draft", {"entry": wire(again)}, OPERATOR, NOW), RefusalCode.E_OWNER)
    assert no.article == "5, 11"
    assert "see lamp.height" in no.detail
    drafted(register, entry(AGAIN, owners=AIC, fields={"height": FieldPolicy(repeats_under=LAW)}))


def test_article_11_one_datum_has_one_source(register: Register) -> None:
    city(register)
    two = (*AIC, OwnerRule(agencies=("psb",), divisions=("441302",)))
    form = {"entry": wire(entry(owners=two))}
    no = refused(register.open("catalogue", "draft", form, OPERATOR, NOW), RefusalCode.E_OWNER)
    assert "E_TWO_OWNERS" in no.detail
