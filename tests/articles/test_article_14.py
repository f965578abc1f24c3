"""Article 14: changes are reported in writing, the catalogue is adjusted and published again, old versions stay."""

from datetime import timedelta

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import entry, field, schema_text
from tests.city_register import PUBLICATION, city, drafted, finish, published, wire
from tests.register import AUTHORITY, NOW, OPERATOR, moved, of, refused

LATER = NOW + timedelta(days=1)
NOTICE = {
    "change": "SUPPLY",
    "resource": "lamp",
    "statement": "新增灯杆高度",
    "changed_on": "2026-09-01",
    "document": "函",
}
WIDER = schema_text("lamp", field("height", "灯杆高度"))


def test_article_14_the_authority_adjusts_attributes_by_a_new_version_and_the_old_one_stays(register: Register) -> None:
    city(register)
    published(register, entry())
    second = entry(version=2, platform="市共享平台二期")
    number = moved(register.open("change_notice", "report", NOTICE, of("psb"), NOW), "REPORTED").matter.number
    form = {"entry": wire(second), "reason": "平台迁移"}
    refused(register.act(number, "adjust", form, OPERATOR, LATER), RefusalCode.E_ROLE)
    moved(register.act(number, "adjust", form, AUTHORITY, LATER), "ADJUSTED")
    view = register.view()
    assert [(known.version, known.platform) for known in view.versions("lamp")] == [
        (1, "共享平台"),
        (2, "市共享平台二期"),
    ]
    assert {matter.parties.subject: matter.state for matter in register.matters("catalogue")} == {
        "lamp@1": "SUPERSEDED",
        "lamp@2": "PUBLISHED",
    }
    assert register.clocks() == ()


def test_article_14_a_notice_about_items_goes_the_whole_procedure_and_ends_with_it(register: Register) -> None:
    city(register)
    published(register, entry())
    number = moved(register.open("change_notice", "report", NOTICE, of("psb"), NOW), "REPORTED").matter.number
    form = {"entry": wire(entry(WIDER, version=2)), "reason": "新增信息项"}
    no = refused(register.act(number, "adjust", form, AUTHORITY, NOW), RefusalCode.E_STATE)
    assert no.article == "39, 40"
    assert register.matter(number).state == "REPORTED"  # type: ignore[union-attr]
    [draft] = moved(register.act(number, "draft", form, OPERATOR, NOW), "IN_PROCEDURE").others
    moved(register.act(draft.number, "drop", {"reason": "改错"}, OPERATOR, NOW), "DROPPED")
    [draft] = moved(register.act(number, "draft", form, OPERATOR, LATER), "IN_PROCEDURE").others
    done = finish(register, draft.number, LATER)
    assert (number, "ADJUSTED") in {(matter.number, matter.state) for matter in done.others}


def test_article_14_a_late_report_is_marked_and_a_dismissal_says_why(register: Register) -> None:
    city(register)
    published(register, entry())
    late = {**NOTICE, "changed_on": "2026-06-01"}
    made = moved(register.open("change_notice", "report", late, of("psb"), NOW))
    assert made.matter.flags == ("LATE:change_report",)
    number = made.matter.number
    refused(register.act(number, "dismiss", {"document": "函"}, AUTHORITY, NOW), RefusalCode.E_FORM)
    moved(register.act(number, "dismiss", {"document": "函", "reason": "目录已含"}, AUTHORITY, NOW), "NO_CHANGE")


def test_article_14_a_published_version_never_changes(register: Register) -> None:
    city(register)
    done = published(register, entry())
    no = refused(
        register.open("catalogue", "draft", {"entry": wire(entry(content="改"))}, OPERATOR, NOW), RefusalCode.E_VERSION
    )
    assert no.article == "14, 40"
    refused(register.act(done.matter.number, "publish", PUBLICATION, AUTHORITY, NOW), RefusalCode.E_STATE)
    drafted(register, entry(WIDER, version=2))
