"""The catalogue procedure beyond its articles' tests: drafts that cross, drafts that come again, its clocks."""

from datetime import date, timedelta
from pathlib import Path

from compliance.entry import OwnerRule
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import LAW, entry, field, grant, schema_text
from tests.city_register import PUBLICATION, RETURN, VERIFICATION, city, drafted, finish, published, wire
from tests.register import AUTHORITY, COUNTY, GOVERNMENT, NOW, OPERATOR, both, moved, of, refused, sqlite_register

LATER = NOW + timedelta(days=1)
RETIREMENT = {"resource": "lamp", "reason": "业务取消", "document": "函"}


def test_one_draft_of_a_resource_is_under_way_at_a_time(book: Register) -> None:
    city(book)
    number = drafted(book, entry())
    refused(book.open("catalogue", "draft", {"entry": wire(entry())}, OPERATOR, NOW), RefusalCode.E_CONFLICT)
    finish(book, number)
    drafted(book, entry(version=2, content="改"), at=LATER)
    refused(book.open("catalogue", "draft_retirement", RETIREMENT, OPERATOR, LATER), RefusalCode.E_CONFLICT)


def test_what_comes_again_is_the_same_version_of_the_same_catalogue(book: Register) -> None:
    city(book)
    number = drafted(book, entry())
    moved(book.act(number, "return", RETURN, AUTHORITY, NOW), "RETURNED")
    own = (OwnerRule(agencies=("boluo_roads",), divisions=(COUNTY,)),)
    for other in (entry(schema_text("bench")), entry(version=2), entry(scope=COUNTY, owners=own)):
        answer = book.act(number, "redraft", {"entry": wire(other)}, OPERATOR, NOW)
        assert not hasattr(answer, "matter")
    moved(book.act(number, "redraft", {"entry": wire(entry(content="改"))}, OPERATOR, NOW), "DRAFT")
    done = finish(book, number)
    found = book.view().entry("lamp")
    assert found is not None
    assert (done.matter.state, found.content) == ("PUBLISHED", "改")


def test_a_version_does_not_begin_as_retired(book: Register) -> None:
    city(book)
    no = refused(
        book.open("catalogue", "draft", {"entry": wire(entry(state="RETIRED"))}, OPERATOR, NOW), RefusalCode.E_FORM
    )
    assert no.field == "state"


def test_a_retirement_that_is_returned_is_given_up(book: Register) -> None:
    city(book)
    published(book, entry())
    number = moved(book.open("catalogue", "draft_retirement", RETIREMENT, OPERATOR, NOW)).matter.number
    moved(book.act(number, "verify", VERIFICATION, AUTHORITY, NOW))
    moved(book.act(number, "return", RETURN, GOVERNMENT, NOW), "RETURNED")
    refused(book.act(number, "redraft", {"entry": wire(entry())}, OPERATOR, NOW), RefusalCode.E_STATE)
    moved(book.act(number, "drop", {"reason": "保留"}, OPERATOR, NOW), "DROPPED")
    assert [matter.state for matter in book.matters("catalogue")] == ["PUBLISHED", "DROPPED"]


def test_rules_are_asked_again_at_each_step(book: Register) -> None:
    city(book)
    number = drafted(book, entry(identifier="101001/1"))
    book.put([entry(schema_text("bench"), identifier="101001/1")], OPERATOR, NOW)
    no = refused(book.act(number, "verify", VERIFICATION, AUTHORITY, NOW), RefusalCode.E_FORM)
    assert "E_IDENTIFIER" in no.detail


def test_an_adjustment_changes_something_and_follows_the_newest_version(book: Register) -> None:
    city(book)
    published(book, entry())
    same = {"entry": wire(entry(version=2)), "reason": "无"}
    assert refused(book.open("catalogue", "adjust", same, AUTHORITY, LATER), RefusalCode.E_FORM).field == "entry"
    gap = {"entry": wire(entry(version=3, platform="新")), "reason": "跳号"}
    refused(book.open("catalogue", "adjust", gap, AUTHORITY, LATER), RefusalCode.E_VERSION)
    refused(book.open("catalogue", "adjust", same, OPERATOR, LATER), RefusalCode.E_ROLE)


def test_a_field_that_a_live_grant_delivers_is_not_removed(book: Register) -> None:
    city(book)
    wide = schema_text("lamp", field("height", "灯杆高度"))
    published(book, entry(wide))
    book.put([grant("lamp", ["height"])], OPERATOR, NOW)
    no = refused(
        book.open("catalogue", "draft", {"entry": wire(entry(version=2))}, OPERATOR, LATER), RefusalCode.E_FORM
    )
    assert "E_FIELD_IN_USE" in no.detail


def test_the_states_regulation_gives_two_working_days_for_review_and_publication(tmp_path: Path) -> None:
    with sqlite_register(tmp_path, both()) as book:
        city(book)
        number = drafted(book, entry())
        [clock] = book.clocks()
        assert (clock.rule, clock.due, clock.owes) == ("catalogue_review", date(2026, 9, 3), "AUTHORITY_CITY")
        moved(book.act(number, "return", RETURN, AUTHORITY, NOW))
        assert book.clocks() == ()
        moved(book.act(number, "redraft", {"entry": wire(entry())}, OPERATOR, NOW))
        done = finish(book, number, NOW + timedelta(days=3))
        assert done.matter.flags == ("LATE:catalogue_review",)
        assert book.clocks() == ()


def test_the_municipal_text_alone_has_no_clock_for_the_review(book: Register) -> None:
    city(book)
    drafted(book, entry())
    assert book.clocks() == ()


def test_who_owes_the_update_of_the_catalogue_depends_on_the_text_that_binds(book: Register, tmp_path: Path) -> None:
    notice = {"change": "NEED", "statement": "需要路灯信息", "changed_on": "2026-08-31", "document": "函"}
    city(book)
    moved(book.open("change_notice", "report", notice, of("aic"), NOW), "REPORTED")
    [clock] = book.clocks()
    assert (clock.rule, clock.owes, clock.due) == ("catalogue_update", "AUTHORITY_CITY", date(2026, 9, 15))
    (tmp_path / "both").mkdir()
    with sqlite_register(tmp_path / "both", both()) as other:
        city(other)
        number = moved(other.open("change_notice", "report", notice, of("aic"), NOW)).matter.number
        [clock] = other.clocks(agency="aic")
        assert (clock.owes, clock.due) == ("UNIT", date(2026, 9, 14))
        moved(other.act(number, "withdraw", {"reason": "不再需要"}, of("aic"), NOW), "WITHDRAWN")
        assert other.clocks() == ()


def test_a_notice_is_about_an_entry_that_there_is_and_a_change_that_has_happened(book: Register) -> None:
    city(book)
    notice = {"change": "SUPPLY", "resource": "lamp", "statement": "变化", "changed_on": "2026-09-01", "document": "函"}
    refused(book.open("change_notice", "report", notice, of("psb"), NOW), RefusalCode.E_NOT_IN_CATALOGUE)
    ahead = {**notice, "resource": None, "changed_on": "2026-09-02"}
    refused(book.open("change_notice", "report", ahead, of("psb"), NOW), RefusalCode.E_FORM)
    number = moved(
        book.open("change_notice", "report", {**ahead, "changed_on": "2026-09-01"}, of("psb"), NOW)
    ).matter.number
    form = {"entry": wire(entry()), "citations": [LAW.model_dump()]}
    moved(book.act(number, "draft", form, OPERATOR, NOW), "IN_PROCEDURE")
    refused(book.act(number, "dismiss", {"reason": "无", "document": "函"}, AUTHORITY, NOW), RefusalCode.E_STATE)
    refused(book.act(number, "settle", None, AUTHORITY, NOW), RefusalCode.E_ROLE)


def test_a_refused_publication_changes_nothing(book: Register) -> None:
    city(book)
    number = drafted(book, entry())
    refused(book.act(number, "publish", PUBLICATION, AUTHORITY, NOW), RefusalCode.E_STATE)
    assert book.view().entries() == ()
    assert len(book.history(number)) == 1
