"""Article 40: items, content and owner change by the whole procedure; an owner change leaves no gap and no overlap."""

from datetime import UTC, datetime, timedelta

from compliance.entry import OwnerRule
from compliance.register.service import Register
from compliance.writing import compile_owner
from schemas.refusals import RefusalCode
from tests.catalogue import entry, field, schema_text
from tests.city_register import APPROVAL, PUBLICATION, VERIFICATION, city, drafted, finish, published, wire
from tests.register import AUTHORITY, GOVERNMENT, NOW, OPERATOR, moved, refused

CHANGE = datetime(2026, 10, 1, tzinfo=UTC)
HANDOVER = (
    OwnerRule(agencies=("psb",), divisions=("441300",), effective_until=CHANGE),
    OwnerRule(agencies=("aic",), divisions=("441300",), effective_from=CHANGE),
)


def test_article_40_items_content_and_owner_are_not_adjusted_by_the_authority_alone(register: Register) -> None:
    city(register)
    published(register, entry())
    wider = schema_text("lamp", field("height", "灯杆高度"))
    for changed in (entry(wider, version=2), entry(version=2, content="改"), entry(version=2, owners=HANDOVER)):
        form = {"entry": wire(changed), "reason": "调整"}
        no = refused(register.open("catalogue", "adjust", form, AUTHORITY, NOW), RefusalCode.E_STATE)
        assert no.article == "39, 40"
    moved(published(register, entry(wider, version=2), NOW + timedelta(days=1)), "PUBLISHED")


def test_article_40_an_owner_change_takes_effect_at_one_instant(register: Register) -> None:
    city(register)
    published(register, entry())
    gap = (HANDOVER[0], HANDOVER[1].model_copy(update={"effective_from": CHANGE + timedelta(hours=1)}))
    form = {"entry": wire(entry(version=2, owners=gap))}
    no = refused(register.open("catalogue", "draft", form, OPERATOR, NOW), RefusalCode.E_OWNER)
    assert "E_OWNER_GAP" in no.detail
    published(register, entry(version=2, owners=HANDOVER), NOW + timedelta(days=1))
    found = register.view().entry("lamp")
    assert found is not None
    for at, owner in ((CHANGE - timedelta(seconds=1), "psb"), (CHANGE, "aic")):
        owning = [code for code in ("psb", "aic") if compile_owner(found, code, at).covers("441302", {})]
        assert owning == [owner]


def test_article_40_an_owner_change_that_was_approved_too_late_is_returned_and_not_published(
    register: Register,
) -> None:
    city(register)
    published(register, entry())
    number = drafted(register, entry(version=2, owners=HANDOVER), at=NOW + timedelta(days=1))
    moved(register.act(number, "verify", VERIFICATION, AUTHORITY, NOW + timedelta(days=1)))
    moved(register.act(number, "approve", APPROVAL, GOVERNMENT, NOW + timedelta(days=1)))
    after = CHANGE + timedelta(days=1)
    no = refused(register.act(number, "publish", PUBLICATION, AUTHORITY, after), RefusalCode.E_OWNER)
    assert "E_OWNER_TIME" in no.detail
    moved(register.act(number, "return", {"defects": ["生效时间已过"]}, AUTHORITY, after), "RETURNED")


def test_article_40_an_entry_leaves_the_catalogue_the_way_it_came(register: Register) -> None:
    city(register)
    first = published(register, entry()).matter.number
    form = {"resource": "lamp", "reason": "业务取消", "document": "函"}
    refused(register.open("catalogue", "draft_retirement", form, AUTHORITY, NOW), RefusalCode.E_ROLE)
    number = moved(register.open("catalogue", "draft_retirement", form, OPERATOR, NOW), "DRAFT").matter.number
    done = moved(finish(register, number), "RETIRED")
    assert [(other.number, other.state) for other in done.others] == [(first, "RETIRED")]
    found = register.view().entry("lamp")
    assert found is not None
    assert (found.version, found.state) == (1, "RETIRED")
    refused(register.open("catalogue", "draft_retirement", form, OPERATOR, NOW), RefusalCode.E_NOT_IN_CATALOGUE)
