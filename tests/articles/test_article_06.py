"""Article 6: a grant serves one purpose of one agency; what was received goes nowhere else."""

from compliance.models import Grant
from compliance.register.service import Register
from compliance.roles import Actor, Role
from schemas.refusals import RefusalCode
from tests.register import NOW, moved, of, refused
from tests.sharing import ASKER, PURPOSE, active, application, found, wanted


def test_article_06_a_use_for_another_purpose_is_refused(register: Register) -> None:
    found(register)
    _, grant = active(register, "area")
    use = {"purpose": PURPOSE, "system": "低保系统", "recipients": ["civil_affairs"]}
    moved(register.act(grant.number, "declare_use", use, ASKER, NOW), "ACTIVE")
    other = {**use, "purpose": "商业分析"}
    no = refused(register.act(grant.number, "declare_use", other, ASKER, NOW), RefusalCode.E_PURPOSE)
    assert "商业分析" not in no.reason_en
    assert "new agreement" in no.detail


def test_article_06_what_was_received_is_passed_on_to_nobody(register: Register) -> None:
    found(register)
    _, grant = active(register, "area")
    for recipient in ("aic", "PUBLIC"):
        use = {"purpose": PURPOSE, "system": "低保系统", "recipients": ["civil_affairs", recipient]}
        no = refused(register.act(grant.number, "declare_use", use, ASKER, NOW), RefusalCode.E_ONWARD)
        assert no.field == "recipients.1"


def test_article_06_a_subscriber_cannot_be_asked_for_what_it_received(register: Register) -> None:
    found(register)
    active(register, "area")
    form = application(wanted("area", provider="civil_affairs"))
    refused(register.open("application", "submit", form, of("aic"), NOW), RefusalCode.E_ONWARD)


def test_article_06_nobody_without_a_name_applies(register: Register) -> None:
    found(register)
    form = application(wanted("area"))
    nobody = Actor(account="anonymous", role=Role.SHARING_OFFICER)
    refused(register.open("application", "submit", form, nobody, NOW), RefusalCode.E_ROLE)
    for name in ("anonymous", "public"):
        refused(register.open("application", "submit", form, of(name), NOW), RefusalCode.E_NOT_ONBOARDED)


def test_article_06_a_grant_names_its_purpose_and_basis(register: Register) -> None:
    found(register)
    _, grant = active(register, "area")
    model = register.view().grant(grant.parties.subject or "")
    assert isinstance(model, Grant)
    assert model.purpose == PURPOSE
    assert model.legal_basis is not None
    assert model.topic == f"delivery.civil_affairs.lamp.{model.id}"
