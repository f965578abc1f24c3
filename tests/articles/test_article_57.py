"""Article 57: disputes on catalogue, supply and use go the way of Article 44 (its reference to 35 is a slip)."""

import pytest

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, NOW, OPERATOR, moved, refused
from tests.sharing import ASKER, DELIVERY, found, ordered, result


@pytest.mark.parametrize("kind", ["CATALOGUE", "SUPPLY", "USE"])
def test_article_57_a_dispute_of_each_kind_is_brought_to_the_authority(register: Register, kind: str) -> None:
    found(register)
    form = {"kind": kind, "against": "psb", "resource": "lamp", "statement": "口径不一"}
    made = moved(register.open("dispute", "file", form, ASKER, NOW), "NEGOTIATION").matter
    assert (made.parties.requester, made.parties.provider) == ("civil_affairs", "psb")
    moved(register.act(made.number, "publish_result", result("OTHERWISE"), AUTHORITY, NOW), "SETTLED")


def test_article_57_what_stays_disputed_goes_through_review_and_government(register: Register) -> None:
    found(register)
    form = {"kind": "SUPPLY", "against": "psb", "statement": "停供"}
    made = moved(register.open("dispute", "file", form, ASKER, NOW), "NEGOTIATION").matter
    moved(ordered(register, made.number), "ORDERED")
    moved(register.act(made.number, "comply", DELIVERY, OPERATOR, NOW), "COMPLIED")


def test_article_57_a_dispute_has_two_sides(register: Register) -> None:
    found(register)
    form = {"kind": "USE", "against": "civil_affairs", "statement": "自争"}
    refused(register.open("dispute", "file", form, ASKER, NOW), RefusalCode.E_FORM)
    unknown = {**form, "against": "nobody"}
    refused(register.open("dispute", "file", unknown, ASKER, NOW), RefusalCode.E_NOT_ONBOARDED)
    other = {**form, "kind": "WEATHER", "against": "psb"}
    refused(register.open("dispute", "file", other, ASKER, NOW), RefusalCode.E_FORM)
