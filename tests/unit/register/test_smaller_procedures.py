"""Sub-catalogues, exchanges beside the platform, projects, mandatory items: what their articles' tests leave out."""

from compliance.entry import OwnerRule
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.catalogue import entry, grant, schema_text
from tests.city_register import RETURN, city, published, wire
from tests.register import AUTHORITY, COUNTY, NOW, OPERATOR, moved, of, refused

EXCHANGE = {
    "unit": "psb",
    "counterpart": "civil_affairs",
    "name": "接口",
    "data": "路灯信息",
    "direction": "SUPPLIES",
    "manner": "DATABASE",
    "since": "2015-05-01",
}
PROJECT = {"unit": "psb", "name": "系统", "budget_year": 2027, "document": "可研报告"}


def test_a_returned_sub_catalogue_comes_again_and_its_last_form_is_consolidated(book: Register) -> None:
    city(book)
    form = {"entries": [wire(entry())], "document": "函"}
    number = moved(book.open("sub_catalogue", "submit", form, of("psb"), NOW)).matter.number
    moved(book.act(number, "return", RETURN, OPERATOR, NOW), "RETURNED")
    own = (OwnerRule(agencies=("psb",), divisions=(COUNTY,)),)
    county = {"entries": [wire(entry(scope=COUNTY, owners=own))], "document": "函"}
    assert refused(book.act(number, "resubmit", county, of("psb"), NOW), RefusalCode.E_FORM).field == "entries"
    better = {"entries": [wire(entry(content="改")), wire(entry(schema_text("bench")))], "document": "函"}
    moved(book.act(number, "resubmit", better, of("psb"), NOW), "SUBMITTED")
    done = moved(book.act(number, "consolidate", {"taken": ["lamp", "bench"]}, OPERATOR, NOW), "CONSOLIDATED")
    assert [draft.fact("draft", "entry")["content"] for draft in done.others] == ["改", "路灯信息"]


def test_a_draft_that_breaks_a_rule_stops_the_whole_consolidation(book: Register) -> None:
    city(book)
    form = {"entries": [wire(entry()), wire(entry(schema_text("bench"), conditions="无"))], "document": "函"}
    number = moved(book.open("sub_catalogue", "submit", form, of("psb"), NOW)).matter.number
    answer = book.act(number, "consolidate", {"taken": ["lamp", "bench"]}, OPERATOR, NOW)
    refused(answer, RefusalCode.E_CLASS)
    assert book.matters("catalogue") == ()
    assert [matter.state for matter in book.matters("sub_catalogue")] == ["SUBMITTED"]


def test_entries_of_one_submission_belong_to_one_catalogue(book: Register) -> None:
    city(book)
    own = (OwnerRule(agencies=("psb",), divisions=(COUNTY,)),)
    mixed = [wire(entry()), wire(entry(schema_text("bench"), scope=COUNTY, owners=own))]
    refused(
        book.open("sub_catalogue", "submit", {"entries": mixed, "document": "函"}, of("psb"), NOW), RefusalCode.E_FORM
    )


def test_an_exchange_has_moved_when_a_grant_took_its_place(book: Register) -> None:
    city(book)
    published(book, entry())
    number = moved(book.open("legacy_exchange", "register", EXCHANGE, OPERATOR, NOW), "REGISTERED").matter.number
    past = {"until": "2026-08-31", "steps": "改用共享平台"}
    assert refused(book.act(number, "plan", past, of("psb"), NOW), RefusalCode.E_FORM).field == "until"
    form = {"grants": ["g-1"], "switched_off_on": "2026-09-01", "document": "确认书"}
    book.put([grant("lamp", ["area"], subscriber="aic")], OPERATOR, NOW)
    refused(book.act(number, "migrate", form, OPERATOR, NOW), RefusalCode.E_NO_GRANT)
    book.put([grant("lamp", ["area"], id="g-2")], OPERATOR, NOW)
    ahead = {**form, "grants": ["g-2"], "switched_off_on": "2026-09-02"}
    refused(book.act(number, "migrate", ahead, OPERATOR, NOW), RefusalCode.E_FORM)
    moved(book.act(number, "migrate", {**form, "grants": ["g-2"]}, OPERATOR, NOW), "MIGRATED")


def test_an_exchange_is_between_two_agencies_of_the_register(book: Register) -> None:
    city(book)
    for changes in ({"counterpart": "psb"}, {"counterpart": "nobody"}):
        refused(book.open("legacy_exchange", "register", {**EXCHANGE, **changes}, OPERATOR, NOW), RefusalCode.E_FORM)


def test_a_project_is_its_agencys_own_and_can_be_withdrawn_or_closed(book: Register) -> None:
    city(book)
    refused(book.open("project", "file", PROJECT, of("aic"), NOW), RefusalCode.E_ROLE)
    number = moved(book.open("project", "file", PROJECT, of("psb"), NOW)).matter.number
    other = {**PROJECT, "unit": "aic"}
    assert refused(book.act(number, "amend", other, of("psb"), NOW), RefusalCode.E_FORM).field == "unit"
    moved(book.act(number, "withdraw", {"reason": "取消"}, of("psb"), NOW), "WITHDRAWN")
    used = moved(book.open("project", "take_over", PROJECT, AUTHORITY, NOW), "ACCEPTED").matter.number
    moved(book.act(used, "close", {"reason": "停用"}, of("psb"), NOW), "CLOSED")
    refused(book.open("project", "take_over", {**PROJECT, "unit": "nobody"}, AUTHORITY, NOW), RefusalCode.E_FORM)


def test_a_mandatory_item_names_an_agency_of_the_register(book: Register) -> None:
    basis = {"title": "测试条例", "article": "9", "level": "ADMINISTRATIVE_REGULATION"}
    form = {"resource": "lamp", "name": "路灯", "agency": "nobody", "basis": basis, "from_day": "2026-09-01"}
    assert refused(book.open("mandatory_item", "list", form, OPERATOR, NOW), RefusalCode.E_FORM).field == "agency"
