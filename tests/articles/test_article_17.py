"""Article 17: sharing is free of charge."""

import pytest

from compliance.models import Grant
from compliance.register.service import Register
from compliance.workflows.grant_forms import GrantProposal
from compliance.workflows.sharing import Condition
from schemas.refusals import RefusalCode
from tests.register import NOW, moved, refused
from tests.sharing import OWNER, apply, found, wanted


def test_article_17_a_condition_that_demands_payment_is_refused(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("area"))
    conditions = [{"about": "USE", "text": "仅供内部使用"}, {"about": "PAYMENT", "text": "按月结算"}]
    no = refused(register.act(item.number, "confirm", {"conditions": conditions}, OWNER, NOW), RefusalCode.E_PRICE)
    assert no.field == "conditions.1"
    replacement = {"resource": "lamp", "fields": ["area"], "explanation": "同", "conditions": conditions}
    refused(register.act(item.number, "offer_replacement", replacement, OWNER, NOW), RefusalCode.E_PRICE)
    moved(register.act(item.number, "confirm", {"conditions": conditions[:1]}, OWNER, NOW), "CONFIRMED")


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("每次查询收费五元", True),
        ("须支付接口使用费用", True),
        ("有偿使用", True),
        ("A fee of 5 yuan per call", True),
        ("免费提供, 另付服务费用", True),
        ("无偿使用", False),
        ("免费", False),
        ("不得收取任何费用", False),
        ("Free of charge, for internal use", False),
        ("仅限每日一次, 留存不超过三十日", False),
    ],
)
def test_article_17_a_price_is_known_by_its_words_too(text: str, demands: bool) -> None:  # noqa: FBT001  a table
    assert Condition(about="OTHER", text=text).demands_payment is demands


def test_article_17_a_grant_has_no_price() -> None:
    names = set(Grant.model_fields) | set(GrantProposal.model_fields)
    assert not [name for name in names if any(word in name for word in ("price", "fee", "charge", "cost", "pay"))]
