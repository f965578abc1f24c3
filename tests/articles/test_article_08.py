"""Article 8: the authority verifies, coordinates, checks; a county's authority acts for its own county alone."""

from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.catalogue import entry
from tests.city_register import VERIFICATION, city, drafted
from tests.register import AUTHORITY, COUNTY, NOW, moved, of, office, refused

OTHERS = (
    office(Role.OPERATOR_CITY),
    office(Role.GOVERNMENT_CITY),
    office(Role.ADMINISTRATOR),
    office(Role.AUTHORITY_COUNTY, COUNTY),
    of("psb", Role.LEADER),
)


def test_article_08_only_the_citys_authority_verifies_the_citys_catalogue(register: Register) -> None:
    city(register)
    number = drafted(register, entry())
    for other in OTHERS:
        no = refused(register.act(number, "verify", VERIFICATION, other, NOW), RefusalCode.E_ROLE)
        assert other.role.value in no.detail
    moved(register.act(number, "verify", VERIFICATION, AUTHORITY, NOW), "VERIFIED")
