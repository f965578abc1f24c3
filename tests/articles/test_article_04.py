"""Article 4: the three sharing classes, and what each asks for, refused at the draft with its own article."""

from typing import Any

from compliance.entry import FieldPolicy
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from schemas.words import SharingClass
from tests.catalogue import CIRCULAR, LAW, entry, field, schema_text
from tests.city_register import city, published, wire
from tests.register import NOW, OPERATOR, moved, refused

UNCLASSED = schema_text("lamp", field("height", sharing=None))
BASE = schema_text("lamp", field("height", base_item=True))


WRONG: list[tuple[dict[str, Any], RefusalCode, str]] = [
    ({"text": UNCLASSED}, RefusalCode.E_CLASS, "E_CLASS_MISSING"),
    ({"text": BASE}, RefusalCode.E_CLASS, "E_BASE_ITEM"),
    ({"licensing_related": True}, RefusalCode.E_CLASS, "E_LICENSING"),
    ({"conditions": "无"}, RefusalCode.E_CLASS, "E_NO_CONDITIONS"),
    (
        {"fields": {"area": FieldPolicy(sharing=SharingClass.NOT_SHARED, legal_basis=CIRCULAR)}},
        RefusalCode.E_NO_LEGAL_BASIS,
        "E_NO_LEGAL_BASIS",
    ),
]


def test_article_04_an_entry_that_breaks_the_rules_of_its_class_is_not_even_a_draft(register: Register) -> None:
    city(register)
    for changes, code, named in WRONG:
        no = refused(register.open("catalogue", "draft", {"entry": wire(entry(**changes))}, OPERATOR, NOW), code)
        assert named in no.detail
        assert no.article == "4"
    assert register.matters("catalogue") == ()


def test_article_04_not_shared_under_a_statute_is_published(register: Register) -> None:
    city(register)
    secret = entry(fields={"area": FieldPolicy(sharing=SharingClass.NOT_SHARED, legal_basis=LAW)})
    moved(published(register, secret), "PUBLISHED")
