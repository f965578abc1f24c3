"""Article 9: the operator connects and compiles; it neither verifies, approves nor publishes, and grants to nobody."""

import pytest

from compliance.register.service import Register
from compliance.roles import Role
from compliance.workflow import NEW, Parties, Transition, advance
from compliance.workflows import WORKFLOWS
from schemas.refusals import RefusalCode
from tests.catalogue import entry
from tests.city_register import APPROVAL, PUBLICATION, VERIFICATION, city, drafted
from tests.register import AUTHORITY, GOVERNMENT, NOW, OPERATOR, moved, office, refused


def test_article_09_the_operator_compiles_the_catalogue_and_decides_nothing_about_it(register: Register) -> None:
    city(register)
    number = drafted(register, entry())
    for action, form, whose in (
        ("verify", VERIFICATION, AUTHORITY),
        ("approve", APPROVAL, GOVERNMENT),
        ("publish", PUBLICATION, AUTHORITY),
    ):
        refused(register.act(number, action, form, OPERATOR, NOW), RefusalCode.E_ROLE)
        moved(register.act(number, action, form, whose, NOW))


@pytest.mark.parametrize("role", [Role.OPERATOR_CITY, Role.ADMINISTRATOR, Role.AUDITOR])
def test_article_09_neither_operator_nor_administrator_answers_for_an_owner(role: Role) -> None:
    item, parties = WORKFLOWS["application_item"], Parties("441300", requester="a", provider="b")
    possible = [(state, t.action) for state in (NEW, *item.states) for t in item.leaving(state)]
    answers = [(state, action) for state, action in possible if action in {"confirm", "refuse", "file_confirmation"}]
    assert answers
    for state, action in answers:
        assert not isinstance(advance(item, state, action, office(role), parties), Transition)
