"""Article 41: a county's catalogue goes the same way through the county's own offices, and changes nothing of the city's."""

from compliance.entry import OwnerRule
from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.catalogue import entry, field, schema_text
from tests.city_register import (
    APPROVAL,
    COUNTY_AUTHORITY,
    COUNTY_GOVERNMENT,
    COUNTY_OPERATOR,
    PUBLICATION,
    VERIFICATION,
    city,
    drafted,
    published,
    wire,
)
from tests.register import AUTHORITY, COUNTY, NOW, OPERATOR, moved, office, refused
from tests.sharing import OTHER_COUNTY

OWN = (OwnerRule(agencies=("boluo_roads",), divisions=(COUNTY,)),)


def test_article_41_a_countys_entry_goes_through_its_own_offices(register: Register) -> None:
    city(register)
    own = entry(scope=COUNTY, owners=OWN)
    no = refused(register.open("catalogue", "draft", {"entry": wire(own)}, OPERATOR, NOW), RefusalCode.E_ROLE)
    assert no.article == "41"
    stranger = office(Role.OPERATOR_COUNTY, OTHER_COUNTY)
    refused(register.open("catalogue", "draft", {"entry": wire(own)}, stranger, NOW), RefusalCode.E_ROLE)
    number = drafted(register, own, COUNTY_OPERATOR)
    refused(register.act(number, "verify", VERIFICATION, AUTHORITY, NOW), RefusalCode.E_ROLE)
    moved(register.act(number, "verify", VERIFICATION, COUNTY_AUTHORITY, NOW), "VERIFIED")
    moved(register.act(number, "approve", APPROVAL, COUNTY_GOVERNMENT, NOW), "APPROVED")
    moved(register.act(number, "publish", PUBLICATION, COUNTY_AUTHORITY, NOW), "PUBLISHED")
    found = register.view().entry("lamp")
    assert found is not None
    assert found.scope == COUNTY


def test_article_41_a_county_changes_neither_owner_nor_class_of_a_citys_item(register: Register) -> None:
    city(register)
    published(register, entry(schema_text("lamp", field("height", "灯杆高度"))))
    copy = schema_text("pole", field("height", "灯杆高度", reference_of="lamp.height", sharing="UNCONDITIONAL"))
    form = {"entry": wire(entry(copy, scope=COUNTY, owners=OWN))}
    no = refused(register.open("catalogue", "draft", form, COUNTY_OPERATOR, NOW), RefusalCode.E_OWNER)
    assert no.article == "41"
    beyond = entry(schema_text("pole"), scope=COUNTY, owners=(OwnerRule(agencies=("boluo_roads",)),))
    no = refused(
        register.open("catalogue", "draft", {"entry": wire(beyond)}, COUNTY_OPERATOR, NOW), RefusalCode.E_OWNER
    )
    assert "E_COUNTY" in no.detail
