"""Article 2: who takes part by duty, and who by reference."""

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.city_register import application, connected, known
from tests.register import NOW, of, refused

BY_DUTY = ("ADMINISTRATIVE_ORGAN", "AUTHORISED_ORGANISATION")
BY_REFERENCE = ("CENTRAL_AGENCY", "OTHER_ORGAN")


def test_article_02_organs_join_by_duty_and_others_by_reference(register: Register) -> None:
    kinds = [*((kind, "MANDATORY") for kind in BY_DUTY), *((kind, "BY_REFERENCE") for kind in BY_REFERENCE)]
    for kind, participation in kinds:
        other = "MANDATORY" if participation == "BY_REFERENCE" else "BY_REFERENCE"
        wrong = application(type=kind, participation=other)
        no = refused(register.open("onboarding", "apply", wrong, of("weather"), NOW), RefusalCode.E_FORM)
        assert "participation does not fit the type" in no.detail
    connected(register, type="CENTRAL_AGENCY", participation="BY_REFERENCE")
    assert known(register).participation == "BY_REFERENCE"
    assert known(register).onboarded
