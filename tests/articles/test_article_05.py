"""Article 5 where it concerns grants: the owner alone answers, and every step of authorisation is on record."""

from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, GOVERNMENT, NOW, OPERATOR, moved, of, office, refused
from tests.sharing import OWNER, active, apply, confirmed, found, wanted


def test_article_05_only_the_owner_answers_for_its_information(register: Register) -> None:
    found(register)
    [item] = apply(register, wanted("area"))
    strangers = (OPERATOR, AUTHORITY, GOVERNMENT, office(Role.ADMINISTRATOR), of("aic"), of("psb", Role.CONTACT))
    for stranger in strangers:
        no = refused(register.act(item.number, "confirm", {}, stranger, NOW), RefusalCode.E_ROLE)
        assert stranger.role.value in no.detail
    assert len(register.history(item.number)) == 1
    moved(register.act(item.number, "confirm", {}, OWNER, NOW), "CONFIRMED")


def test_article_05_nobody_makes_a_grant_by_hand(register: Register) -> None:
    found(register)
    _, grant = confirmed(register, "area")
    form = grant.facts["propose"]
    for actor in (OWNER, OPERATOR, AUTHORITY, office(Role.ADMINISTRATOR)):
        refused(register.open("grant", "propose", {**form, "id": "g-mine"}, actor, NOW), RefusalCode.E_ROLE)
    assert register.view().grant("g-mine") is None


def test_article_05_authorisation_is_on_record_from_the_application_to_the_grant(register: Register) -> None:
    found(register)
    item, grant = active(register, "area")
    steps = [*register.history(item.parent or ""), *register.history(item.number), *register.history(grant.number)]
    assert [step.action for step in steps] == [
        *("submit", "open", "confirm"),
        *("propose", "file_confirmation", "activate"),
    ]
    assert all(step.account and step.role and step.article for step in steps)
    assert steps[3].cause == f"{item.number}/2"
